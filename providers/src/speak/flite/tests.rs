#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::time::Duration;

use antiphon_audio::level::dbfs;
use antiphon_proto::SegmentId;

use super::*;
use crate::Fault;
use crate::speak::WordMark;

const SENTENCE: &str = "The kettle is on the stove, so tell me everything.";

#[derive(Debug, Default)]
struct Heard {
    marks: Vec<WordMark>,
    pcm: Vec<i16>,
    pieces: Vec<usize>,
    marks_first: bool,
    end: Option<SpeakEventKind>,
}

impl Heard {
    fn ms(&self) -> u32 {
        (self.pcm.len() / 16) as u32
    }
}

fn request(text: &str, voice: &str, pace: f32) -> SpeakRequest {
    SpeakRequest {
        segment: SegmentId(7),
        text: text.into(),
        voice: voice.into(),
        pace,
        pronounce: Default::default(),
    }
}

async fn hear(flite: &Flite, request: SpeakRequest) -> Heard {
    let (tx, mut rx) = mpsc::channel(4);
    let _task = flite.start(request, tx);
    let mut heard = Heard::default();
    while let Some(event) = rx.recv().await {
        assert_eq!(event.segment, SegmentId(7));
        assert!(heard.end.is_none(), "something came behind the end");
        match event.kind {
            SpeakEventKind::Marks { marks } => {
                heard.marks_first |= heard.pcm.is_empty();
                heard.marks.extend(marks);
            }
            SpeakEventKind::Audio { pcm } => {
                heard.pieces.push(pcm.len());
                heard.pcm.extend(pcm);
            }
            end @ (SpeakEventKind::Done | SpeakEventKind::Failed { .. }) => heard.end = Some(end),
        }
    }
    heard
}

fn check_marks(text: &str, heard: &Heard) {
    let mut last = WordMark {
        text_end: 0,
        end_ms: 0,
    };
    for mark in &heard.marks {
        assert!(text.is_char_boundary(mark.text_end), "{text:?}: {mark:?}");
        assert!(
            mark.text_end > last.text_end && mark.end_ms >= last.end_ms,
            "{text:?}: {mark:?}"
        );
        assert!(
            mark.end_ms <= heard.ms(),
            "{text:?}: {mark:?} beyond {} ms",
            heard.ms()
        );
        last = *mark;
    }
}

#[tokio::test]
async fn each_voice_speaks_with_marks_for_every_word() {
    let flite = Flite::new();
    for (voice, _) in VOICES {
        let heard = hear(&flite, request(SENTENCE, voice, 1.0)).await;
        assert_eq!(heard.end, Some(SpeakEventKind::Done), "{voice}");
        assert_eq!(flite.rate_hz(voice), Ok(16_000));
        assert!(heard.marks_first, "{voice}: marks come before audio");
        assert!(
            (1_500..4_500).contains(&heard.ms()),
            "{voice}: {} ms",
            heard.ms()
        );
        assert!(
            heard.pieces.iter().all(|&len| len <= 1_600),
            "{voice}: {:?}",
            heard.pieces
        );
        check_marks(SENTENCE, &heard);
        let said: Vec<&str> = std::iter::once(0)
            .chain(heard.marks.iter().map(|mark| mark.text_end))
            .collect::<Vec<_>>()
            .windows(2)
            .map(|span| SENTENCE[span[0]..span[1]].trim())
            .collect();
        let words: Vec<&str> = SENTENCE.split(' ').collect();
        assert_eq!(said, words, "{voice}");
        let last = heard.marks.last().unwrap();
        assert!(
            heard.ms() - last.end_ms <= 110,
            "{voice}: the last word ends at {last:?}"
        );
    }
}

/// The sound must really be where the marks say: quiet before the first word, sound up to the end
/// of the last. It begins with a vowel: a breathed sound like that of "hello" starts too quietly to
/// tell it from silence by level.
#[tokio::test]
async fn silence_is_trimmed_and_marks_fit_the_sound() {
    for (voice, _) in VOICES {
        let heard = hear(
            &Flite::new(),
            request("All right. Come in, please.", voice, 1.0),
        )
        .await;
        let loud = |frame: &[i16]| dbfs(frame) > -45.0;
        let first = heard.pcm.chunks(160).position(loud).unwrap() * 10;
        let last = heard.ms() as usize - heard.pcm.rchunks(160).position(loud).unwrap() * 10;
        let end = heard.marks.last().unwrap().end_ms as usize;
        assert!(
            (20..=130).contains(&first),
            "{voice}: sound begins at {first} ms"
        );
        assert!(
            heard.ms() as usize - last <= 220,
            "{voice}: {last} of {} ms",
            heard.ms()
        );
        assert!(
            last.abs_diff(end) <= 120,
            "{voice}: sound ends at {last} ms, mark at {end} ms"
        );
    }
}

#[tokio::test]
async fn numbers_and_punctuation_belong_to_their_words() {
    let text = "I paid $3.50 — on 12 May 2024 — for “42” cats… 🙂";
    for (voice, _) in VOICES {
        let heard = hear(&Flite::new(), request(text, voice, 1.0)).await;
        check_marks(text, &heard);
        let ends: Vec<usize> = heard.marks.iter().map(|mark| mark.text_end).collect();
        let want: Vec<usize> = [
            "I",
            "paid",
            "$3.50 —",
            "on",
            "12",
            "May",
            "2024 —",
            "for",
            "“42”",
        ]
        .iter()
        .map(|word| text.find(word).unwrap() + word.len())
        .chain([text.len()])
        .collect();
        assert_eq!(ends, want, "{voice}");
    }
}

#[tokio::test]
async fn pace_changes_the_length() {
    for (voice, _) in VOICES {
        let length = async |pace| {
            f64::from(
                hear(&Flite::new(), request(SENTENCE, voice, pace))
                    .await
                    .ms(),
            )
        };
        let (slow, plain, fast) = (length(0.5).await, length(1.0).await, length(2.0).await);
        assert!(
            (1.7..2.2).contains(&(slow / plain)),
            "{voice}: {slow} {plain} {fast}"
        );
        assert!(
            (1.7..2.2).contains(&(plain / fast)),
            "{voice}: {slow} {plain} {fast}"
        );
        assert_eq!(length(f32::NAN).await, plain);
    }
}

#[tokio::test]
async fn odd_text_neither_crashes_nor_hangs() {
    let long = "Once upon a time there was a long text, and nobody stopped it. ".repeat(40);
    let digits = "9".repeat(300);
    let smash = "asdkjfhqwiouezx".repeat(60);
    let cases = [
        ("", 0..=0),
        ("   \n\t ", 0..=0),
        ("...!?", 0..=0),
        ("🙂🙂", 0..=0),
        ("日本語", 0..=0),
        ("Ünïcödé wörks", 2..=2),
        ("\u{0}\u{7}a\u{7f}b", 1..=2),
        ("%s %n %d \\x", 1..=4),
        ("<b>tag</b> &amp; http://example.com/a?b=c", 3..=12),
        (long.as_str(), 480..=520),
        (digits.as_str(), 1..=10),
        (smash.as_str(), 1..=30),
    ];
    for (text, words) in cases {
        let heard = hear(&Flite::new(), request(text, "kal16", 1.0)).await;
        assert_eq!(heard.end, Some(SpeakEventKind::Done), "{text:?}");
        assert!(
            words.contains(&heard.marks.len()),
            "{text:?}: {} marks",
            heard.marks.len()
        );
        assert_eq!(heard.pcm.is_empty(), heard.marks.is_empty());
        check_marks(text, &heard);
    }
    let endless = "a ".repeat(TEXT_BYTES_MAX);
    let heard = hear(&Flite::new(), request(&endless, "kal16", 1.0)).await;
    assert!(matches!(heard.end, Some(SpeakEventKind::Failed { .. })));
}

#[tokio::test]
async fn random_text_is_survived() {
    let mut state = 1_u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let alphabet: Vec<char> = "abcdeEXIVst 0159.,:;!?'\"()-/$%&@#*_+= \u{2019}\u{2014}é🙂"
        .chars()
        .collect();
    for _ in 0..150 {
        let text: String = (0..next() % 60)
            .map(|_| alphabet[next() % alphabet.len()])
            .collect();
        for voice in ["kal16", "slt"] {
            let heard = hear(&Flite::new(), request(&text, voice, 2.0)).await;
            assert_eq!(heard.end, Some(SpeakEventKind::Done), "{text:?}");
            check_marks(&text, &heard);
        }
    }
}

#[tokio::test]
async fn an_unknown_voice_is_told_which_there_are() {
    let error = Flite::new().rate_hz("hal").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no voice 'hal'; there are: rms, slt, awb, kal16"
    );
    let heard = hear(&Flite::new(), request("Hi.", "hal", 1.0)).await;
    assert_eq!(
        heard.end,
        Some(SpeakEventKind::Failed {
            fault: Fault::internal(error.to_string())
        })
    );
}

/// The listener holds on after the first audio, drops the handle, and then reads on: what comes is
/// only what was already in the channel.
#[tokio::test]
async fn dropping_the_handle_stops_at_once() {
    let (tx, mut rx) = mpsc::channel(1);
    let text = SENTENCE.repeat(20);
    let task = Flite::new().start(request(&text, "rms", 1.0), tx);
    while !matches!(rx.recv().await.unwrap().kind, SpeakEventKind::Audio { .. }) {}
    drop(task);
    let mut more = 0;
    while let Some(event) = tokio::time::timeout(Duration::from_secs(5), rx.recv())
        .await
        .unwrap()
    {
        assert!(
            matches!(event.kind, SpeakEventKind::Audio { .. }),
            "{:?}",
            event.kind
        );
        more += 1;
    }
    assert!(more <= 2, "{more} pieces came after the cancel");
}

/// The synthesis itself stops within one piece when nobody takes it any more.
#[test]
fn a_refused_piece_stops_the_synthesis() {
    let part = text::parts(SENTENCE, &Pronunciations::default()).remove(0);
    for voice in [Voice::Rms, Voice::Slt, Voice::Awb] {
        let mut sent = 0;
        let samples = render(&part, voice, 1.0, 0, |_| {
            sent += 1;
            sent < 4
        });
        assert!(
            samples.unwrap() <= 3 * 1_600 + 800,
            "{voice:?}: {samples:?}"
        );
    }
}

/// flite's noise comes from `rand`, so samples differ from run to run; lengths, marks and loudness
/// must not, with all voices speaking at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_speech_is_the_same() {
    let texts = [
        SENTENCE,
        "It is 10:30 on 5 May.",
        "Dr. Smith, is it you? Xqzt!",
    ];
    let jobs: Vec<(&str, &str)> = VOICES
        .iter()
        .flat_map(|v| texts.map(|t| (v.0, t)))
        .collect();
    // More than there are cores, so that every thread is interrupted in mid-synthesis.
    let flite = Flite {
        permits: Arc::new(Semaphore::new(16)),
    };
    let mut alone = HashMap::new();
    for &(voice, text) in &jobs {
        alone.insert((voice, text), hear(&flite, request(text, voice, 1.0)).await);
    }
    for _ in 0..3 {
        let running: Vec<_> = (0..36)
            .map(|i| {
                let (flite, (voice, text)) = (flite.clone(), jobs[i * 5 % jobs.len()]);
                tokio::spawn(
                    async move { (voice, text, hear(&flite, request(text, voice, 1.0)).await) },
                )
            })
            .collect();
        for job in running {
            let (voice, text, heard) = job.await.unwrap();
            let want = &alone[&(voice, text)];
            assert_eq!(heard.marks, want.marks, "{voice}");
            assert_eq!(heard.pcm.len(), want.pcm.len(), "{voice}");
            let apart = (dbfs(&heard.pcm) - dbfs(&want.pcm)).abs();
            assert!(apart < 0.2, "{voice}: {apart} dB apart");
        }
    }
}

/// Loudness of speech: frames within 30 dB of the loudest.
fn active_dbfs(pcm: &[i16]) -> f32 {
    let loudest = pcm.chunks(320).map(dbfs).fold(-100.0, f32::max);
    let active: Vec<i16> = pcm
        .chunks(320)
        .filter(|frame| dbfs(frame) > loudest - 30.0)
        .flatten()
        .copied()
        .collect();
    dbfs(&active)
}

#[tokio::test]
async fn voices_are_equally_loud() {
    let mut off = Vec::new();
    for (voice, _) in VOICES {
        let text = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background.";
        let heard = hear(&Flite::new(), request(text, voice, 1.0)).await;
        let level = active_dbfs(&heard.pcm);
        println!("{voice}: {level:.1} dBFS");
        if !(-20.5..=-19.5).contains(&level) {
            off.push((voice, level));
        }
    }
    assert!(off.is_empty(), "{off:?}");
}
