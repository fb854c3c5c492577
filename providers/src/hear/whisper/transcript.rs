//! From a decoder's tokens to the words of a transcript: annotations and inventions dropped, words
//! spelled as they are spoken, each with the time at which it was spoken.

use crate::hear::{HEAR_RATE_HZ, HeardWord, spoken_words};

/// Length of the frames in which loudness is looked at, in milliseconds.
const FRAME_MS: u32 = 10;
/// Samples of such a frame.
const FRAME_SAMPLES: usize = (HEAR_RATE_HZ * FRAME_MS / 1_000) as usize;
/// Loudness below which there is nothing to hear, root mean square: -60 dB of full scale.
const SILENCE_RMS: f32 = 33.0;
/// A frame is voiced where it has this share of the loudness of the loudest tenth.
const VOICED_SHARE: f32 = 0.1;

/// Chance of no speech above which uncertain words are not believed; whisper.cpp's own value.
const NO_SPEECH: f32 = 0.6;
/// Mean log probability of the tokens below which words are not believed where speech is doubtful.
const DOUBTFUL_LOG_PROBABILITY: f32 = -0.5;
/// The same where nothing else speaks against them: one in five tokens right.
const UNBELIEVABLE_LOG_PROBABILITY: f32 = -1.6;
/// Times that a run of words is repeated from which on it is taken for a decoder's loop.
const LOOP_REPEATS: usize = 5;
/// Longest run of words that is looked for in loops.
const LOOP_WORDS_MAX: usize = 8;

/// What Whisper is known to write where nobody spoke: it was taught by subtitles.
const STOCK: &[&str] = &[
    "you",
    "bye",
    "thank you",
    "thanks for watching",
    "thank you for watching",
    "thank you very much",
    "please subscribe",
    "see you next time",
    "subtitles by the amara org community",
];
/// Chance of no speech from which on such words are not believed.
const STOCK_NO_SPEECH: f32 = 0.3;

/// What a decoder gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Raw {
    pub(super) pieces: Vec<Piece>,
    /// Chance that there is no speech.
    pub(super) no_speech: f32,
    /// Mean log probability of the tokens.
    pub(super) log_probability: f32,
    /// Code of the language, e.g. `en`.
    pub(super) language: &'static str,
}

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Some of the text, perhaps not whole characters.
    Text(Vec<u8>),
    /// A time within the utterance, in milliseconds.
    Time(u32),
}

/// Words and their times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Transcript {
    pub(super) text: String,
    pub(super) words: Vec<HeardWord>,
}

/// True where nothing in the audio is loud enough to be speech.
pub(super) fn is_silent(pcm: &[i16]) -> bool {
    loudness(pcm).into_iter().all(|rms| rms < SILENCE_RMS)
}

/// Makes the transcript of `pcm` of what a decoder gave. `is_word` knows words that may be written
/// in capitals.
pub(super) fn transcript(raw: &Raw, pcm: &[i16], is_word: &dyn Fn(&str) -> bool) -> Transcript {
    let end_ms = (pcm.len() / (HEAR_RATE_HZ as usize / 1_000)) as u32;
    let voiced = voiced(pcm);
    let mut words: Vec<(String, u32, u32)> = Vec::new();
    for span in spans(&raw.pieces, end_ms) {
        let text = without_annotations(&String::from_utf8_lossy(&span.text));
        let written: Vec<&str> = text.split_whitespace().collect();
        let times = spread(&written, span.start_ms, span.end_ms, &voiced);
        for (word, (start_ms, end_ms)) in written.iter().zip(times) {
            let spoken = spoken(word, raw.language, is_word);
            let parts: Vec<&str> = spoken.iter().map(String::as_str).collect();
            let times = spread(&parts, start_ms, end_ms, &voiced);
            words.extend(
                spoken
                    .iter()
                    .zip(times)
                    .map(|(word, (start_ms, end_ms))| (word.clone(), start_ms, end_ms)),
            );
        }
    }
    let words = without_loops(words);
    let mut heard = Transcript::default();
    for (word, start_ms, end_ms) in words {
        if !heard.text.is_empty() {
            heard.text.push(' ');
        }
        heard.text.push_str(&word);
        heard.words.push(HeardWord {
            text_end: heard.text.len(),
            start_ms,
            end_ms,
        });
    }
    if is_invented(&heard.text, raw) {
        return Transcript::default();
    }
    heard
}

/// True where the words are more likely the decoder's own than the speaker's.
fn is_invented(text: &str, raw: &Raw) -> bool {
    let doubtful = raw.no_speech > NO_SPEECH && raw.log_probability < DOUBTFUL_LOG_PROBABILITY;
    let stock = raw.no_speech > STOCK_NO_SPEECH && STOCK.contains(&text);
    doubtful || stock || raw.log_probability < UNBELIEVABLE_LOG_PROBABILITY
}

/// Text between two times.
struct Span {
    text: Vec<u8>,
    start_ms: u32,
    end_ms: u32,
}

fn spans(pieces: &[Piece], end_ms: u32) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut text = Vec::new();
    let mut start_ms = 0;
    let mut close = |text: &mut Vec<u8>, start_ms: u32, end_ms: u32| {
        if !text.is_empty() {
            spans.push(Span {
                text: std::mem::take(text),
                start_ms,
                end_ms: end_ms.max(start_ms),
            });
        }
    };
    for piece in pieces {
        match piece {
            Piece::Text(bytes) => text.extend_from_slice(bytes),
            Piece::Time(ms) => {
                let ms = (*ms).min(end_ms);
                close(&mut text, start_ms, ms);
                start_ms = start_ms.max(ms);
            }
        }
    }
    close(&mut text, start_ms, end_ms);
    spans
}

/// Text without what is no speech: `[BLANK_AUDIO]`, `(music)`, `*coughs*`, notes. What is opened
/// and never closed goes, too.
fn without_annotations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut until: Option<char> = None;
    for c in text.chars() {
        match until {
            Some(end) if c == end => until = None,
            Some(_) => {}
            None => match c {
                '[' => until = Some(']'),
                '(' => until = Some(')'),
                '{' => until = Some('}'),
                '*' => until = Some('*'),
                '♪' | '♫' | '♬' | '♩' => kept.push(' '),
                other => kept.push(other),
            },
        }
    }
    kept
}

/// A written word as it is spoken; of languages other than English only its letters, lower case.
fn spoken(word: &str, language: &str, is_word: &dyn Fn(&str) -> bool) -> Vec<String> {
    if language == "en" {
        return spoken_words(word, is_word);
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '\'' || c == '\u{2019}';
    word.split(|c| !is_part(c))
        .map(|part| part.trim_matches(['\'', '\u{2019}']).to_lowercase())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Times of words between two moments: in proportion to their letters, over the frames that are
/// voiced, so that a pause belongs to no word more than it must.
fn spread(words: &[&str], start_ms: u32, end_ms: u32, voiced: &[bool]) -> Vec<(u32, u32)> {
    let frames: Vec<u32> = (start_ms / FRAME_MS..end_ms.div_ceil(FRAME_MS))
        .filter(|&frame| voiced.get(frame as usize).copied().unwrap_or(false))
        .collect();
    let letters = |word: &&str| word.chars().count();
    let all = words.iter().map(letters).sum::<usize>().max(1);
    let at = |done: usize, is_end: bool| -> u32 {
        if frames.is_empty() {
            let span = u64::from(end_ms - start_ms.min(end_ms));
            return start_ms + (span * done as u64 / all as u64) as u32;
        }
        let position = frames.len() * done / all;
        let ms = if is_end && position > 0 {
            (frames[position - 1] + 1) * FRAME_MS
        } else {
            frames[position.min(frames.len() - 1)] * FRAME_MS
        };
        ms.clamp(start_ms, end_ms.max(start_ms))
    };
    let mut done = 0;
    let mut last_end = start_ms;
    words
        .iter()
        .map(|word| {
            let start = at(done, false).max(last_end);
            done += letters(word);
            let end = at(done, true).max(start);
            last_end = end;
            (start, end)
        })
        .collect()
}

/// Runs of words that come many times in a row, once.
fn without_loops(words: Vec<(String, u32, u32)>) -> Vec<(String, u32, u32)> {
    let mut kept: Vec<(String, u32, u32)> = Vec::with_capacity(words.len());
    let mut at = 0;
    'words: while at < words.len() {
        for run in 1..=LOOP_WORDS_MAX {
            let same = |times: usize| {
                let from = at + times * run;
                words.len() >= from + run && (0..run).all(|n| words[at + n].0 == words[from + n].0)
            };
            let times = 1 + (1..).take_while(|&times| same(times)).count();
            if times >= LOOP_REPEATS {
                kept.extend_from_slice(&words[at..at + run]);
                at += times * run;
                continue 'words;
            }
        }
        kept.push(words[at].clone());
        at += 1;
    }
    kept
}

/// Which frames of [`FRAME_MS`] are voiced, by loudness.
fn voiced(pcm: &[i16]) -> Vec<bool> {
    let loudness = loudness(pcm);
    let mut sorted = loudness.clone();
    sorted.sort_by(f32::total_cmp);
    let loud = sorted.get(sorted.len() * 9 / 10).copied().unwrap_or(0.0);
    let threshold = (loud * VOICED_SHARE).max(SILENCE_RMS);
    loudness.into_iter().map(|rms| rms >= threshold).collect()
}

fn loudness(pcm: &[i16]) -> Vec<f32> {
    let rms = |frame: &[i16]| {
        let sum: f32 = frame.iter().map(|&s| f32::from(s) * f32::from(s)).sum();
        (sum / frame.len() as f32).sqrt()
    };
    pcm.chunks(FRAME_SAMPLES).map(rms).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Speech-like: a tone where `voiced` says so, in tenths of a second.
    fn audio(voiced: &str) -> Vec<i16> {
        let tenth = HEAR_RATE_HZ as usize / 10;
        let sample = |on: bool, n: usize| {
            if on {
                ((n as f32 * 0.3).sin() * 8_000.0) as i16
            } else {
                0
            }
        };
        voiced
            .chars()
            .flat_map(|c| (0..tenth).map(move |n| sample(c == '#', n)))
            .collect()
    }

    fn raw(pieces: &[Piece]) -> Raw {
        Raw {
            pieces: pieces.to_vec(),
            language: "en",
            ..Raw::default()
        }
    }

    fn text(bytes: &[u8]) -> Piece {
        Piece::Text(bytes.to_vec())
    }

    fn heard(pieces: &[Piece], voiced: &str) -> Transcript {
        transcript(&raw(pieces), &audio(voiced), &|word| word == "nasa")
    }

    #[test]
    fn tokens_become_spoken_words() {
        for (tokens, said) in [
            (&[" Hello", ",", " wor", "ld", "."][..], "hello world"),
            (&[" At", " 2", ":", "30", " p.m."], "at two thirty p m"),
            (&[" [BLANK", "_AUDIO]"], ""),
            (&[" (music)", " yes", " *coughs*", " no"], "yes no"),
            (&[" ♪ la la ♪"], "la la"),
            (&[" yes [inaudible"], "yes"),
            (&[" NASA", " and", " the", " API"], "nasa and the a p i"),
            (&[" no no no no"], "no no no no"),
            (&[" go go go go go go go"], "go"),
            (&[" I see. I see. I see. I see. I see. I see."], "i see"),
            (&[], ""),
        ] {
            let pieces: Vec<Piece> = tokens.iter().map(|token| text(token.as_bytes())).collect();
            assert_eq!(heard(&pieces, "##########").text, said, "{tokens:?}");
        }
    }

    #[test]
    fn other_languages_keep_their_letters() {
        let mut raw = raw(&[
            text(" Gr\u{fc}\u{df}".as_bytes()),
            text(b" \xc3"),
            text(b"\x84h, 3 Uhr?"),
        ]);
        raw.language = "de";
        let heard = transcript(&raw, &audio("#####"), &|_| false);
        assert_eq!(heard.text, "gr\u{fc}\u{df} \u{e4}h 3 uhr");
        assert_eq!(heard.words.len(), 4);
    }

    #[test]
    fn words_have_the_times_at_which_they_were_spoken() {
        let pieces = [Piece::Time(0), text(b" one two"), Piece::Time(1_000)];
        // Half a second of speech in the first second; the rest is silence.
        let heard = heard(&pieces, "..#####...##########");
        let times: Vec<(u32, u32)> = heard
            .words
            .iter()
            .map(|word| (word.start_ms, word.end_ms))
            .collect();
        assert_eq!(times, [(200, 450), (450, 700)]);
        assert_eq!(heard.words[0].text_end, 3);
        assert_eq!(heard.words[1].text_end, heard.text.len());
    }

    #[test]
    fn times_never_leave_the_audio_nor_run_backwards() {
        let pieces = [
            Piece::Time(400),
            text(b" a 1,300 bird"),
            Piece::Time(90_000),
            text(b" sang"),
            Piece::Time(100),
        ];
        let heard = heard(&pieces, "##########");
        assert_eq!(heard.text, "a one thousand three hundred bird sang");
        let mut last = 0;
        for word in &heard.words {
            assert!(
                last <= word.start_ms && word.start_ms <= word.end_ms,
                "{word:?}"
            );
            assert!(word.end_ms <= 1_000, "{word:?}");
            last = word.end_ms;
        }
    }

    #[test]
    fn inventions_are_not_believed() {
        for (said, no_speech, log_probability, kept) in [
            (" Thank you.", 0.05, -0.2, true),
            (" Thank you.", 0.4, -0.2, false),
            (" Book a table", 0.4, -0.2, true),
            (" Book a table", 0.7, -0.2, true),
            (" Book a table", 0.7, -0.9, false),
            (" Book a table", 0.0, -2.0, false),
        ] {
            let raw = Raw {
                no_speech,
                log_probability,
                ..raw(&[text(said.as_bytes())])
            };
            let heard = transcript(&raw, &audio("####"), &|_| false);
            assert_eq!(
                !heard.text.is_empty(),
                kept,
                "{said} {no_speech} {log_probability}"
            );
        }
    }

    #[test]
    fn silence_is_told_from_speech() {
        assert!(is_silent(&audio("..........")) && is_silent(&[]) && is_silent(&[10; 8_000]));
        assert!(!is_silent(&audio("....#.....")));
    }
}
