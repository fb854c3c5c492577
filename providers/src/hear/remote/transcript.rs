//! A vendor's words as the engine's: lower case, single spaces, with times.

use crate::hear::{HeardWord, spoken_words};

/// Most words of one transcript; what follows is dropped. Far above what anybody says in the
/// longest utterance.
const WORDS_MAX: usize = 2_000;
/// Short words that vendors write in capitals and that are not spelled out.
const SHOUTED: [&str; 5] = ["ok", "no", "yes", "help", "stop"];

/// A word, or several, as a vendor writes them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawWord {
    text: String,
    /// Seconds from the utterance's first sample.
    span_s: Option<(f64, f64)>,
}

impl RawWord {
    /// Words without times.
    pub(crate) fn untimed(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            span_s: None,
        }
    }

    /// Words spoken from `start_s` to `end_s` of the utterance.
    pub(crate) fn timed(text: &str, start_s: f64, end_s: f64) -> Self {
        Self {
            text: text.to_owned(),
            span_s: Some((start_s, end_s)),
        }
    }

    /// All words of a sentence, without times.
    pub(crate) fn sentence(text: &str) -> Vec<Self> {
        text.split_whitespace().map(Self::untimed).collect()
    }
}

/// A transcript as events carry it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Transcript {
    /// Lower-case words, single spaces.
    pub(crate) text: String,
    /// Their times; empty where one of them has none.
    pub(crate) words: Vec<HeardWord>,
}

impl Transcript {
    /// Joins a vendor's words.
    pub(crate) fn new(raw: &[RawWord]) -> Self {
        let mut transcript = Self::default();
        let mut timed = true;
        let mut after_ms = 0;
        for word in raw {
            let spoken = plain_words(&word.text);
            for (at, part) in spoken.iter().enumerate() {
                if transcript.words.len() >= WORDS_MAX {
                    return transcript;
                }
                if !transcript.text.is_empty() {
                    transcript.text.push(' ');
                }
                transcript.text.push_str(part);
                let (start_ms, end_ms) = word
                    .span_s
                    .map_or((0, 0), |span| part_ms(span, at, spoken.len(), after_ms));
                timed &= word.span_s.is_some();
                after_ms = end_ms;
                transcript.words.push(HeardWord {
                    text_end: transcript.text.len(),
                    start_ms,
                    end_ms,
                });
            }
        }
        if !timed {
            transcript.words.clear();
        }
        transcript
    }
}

/// The span of part `at` of `count` that share a word's span, never before `after_ms`.
fn part_ms((start_s, end_s): (f64, f64), at: usize, count: usize, after_ms: u32) -> (u32, u32) {
    let length_s = (end_s - start_s).max(0.0) / count as f64;
    // `as` saturates: times beyond 49 days are nonsense anyway.
    let ms = |at: usize| ((start_s + length_s * at as f64) * 1_000.0).round() as u32;
    let start_ms = ms(at).max(after_ms);
    (start_ms, ms(at + 1).max(start_ms))
}

/// The words of `text` as spoken. Scripts that `spoken_words` does not know are kept as written.
fn plain_words(text: &str) -> Vec<String> {
    let latin = |c: char| !c.is_alphabetic() || u32::from(c) < 0x100;
    if text.chars().all(latin) {
        return spoken_words(text, |word| SHOUTED.contains(&word));
    }
    text.split_whitespace()
        .map(|token| token.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|token| !token.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain_and_keep_their_times() {
        let check = |raw: &[RawWord], text: &str, spans: &[(u32, u32)]| {
            let transcript = Transcript::new(raw);
            assert_eq!(transcript.text, text);
            let found: Vec<_> = transcript
                .words
                .iter()
                .map(|word| (word.start_ms, word.end_ms))
                .collect();
            assert_eq!(found, spans);
        };
        check(&[], "", &[]);
        check(&RawWord::sentence("Hello, World!"), "hello world", &[]);
        check(
            &[
                RawWord::timed("Hi,", 0.1, 0.4),
                RawWord::timed("2:30", 0.5, 0.9),
            ],
            "hi two thirty",
            &[(100, 400), (500, 700), (700, 900)],
        );
        // One word without times: none are told.
        check(
            &[RawWord::timed("a", 0.1, 0.4), RawWord::untimed("b")],
            "a b",
            &[],
        );
        // Times that run backwards or below zero are pulled straight.
        check(
            &[
                RawWord::timed("a", -1.0, 0.4),
                RawWord::timed("b", 0.3, 0.2),
            ],
            "a b",
            &[(0, 400), (400, 400)],
        );
        check(&RawWord::sentence("Добрый день!"), "добрый день", &[]);
        check(&RawWord::sentence("OK — API"), "ok a p i", &[]);
        check(&RawWord::sentence("… — !"), "", &[]);
    }

    #[test]
    fn ends_point_behind_the_words() {
        let raw = [
            RawWord::timed("Hello", 0.0, 0.2),
            RawWord::timed("you.", 0.2, 0.4),
        ];
        let transcript = Transcript::new(&raw);
        let ends: Vec<_> = transcript.words.iter().map(|word| word.text_end).collect();
        assert_eq!((transcript.text.as_str(), ends), ("hello you", vec![5, 9]));
    }
}
