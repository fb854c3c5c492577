//! When words end, where the voice does not tell: each word takes its share of the sentence's
//! length by its syllables, and punctuation takes a pause. The tempo is learned from the
//! sentences that each voice has spoken.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Length of a syllable before anything was heard of a voice, ms: 4.5 a second.
const SYLLABLE_MS: f32 = 220.0;
/// A tempo outside of this is none, ms for a syllable.
const SYLLABLE_MS_RANGE: std::ops::RangeInclusive<f32> = 60.0..=900.0;
/// How much a sentence changes the learned tempo.
const LEARN: f32 = 0.3;
/// Voices whose tempo is remembered.
const VOICES_MAX: usize = 64;
/// Pause behind a comma and behind a sentence, in syllables.
const COMMA: f32 = 1.0;
const STOP: f32 = 2.0;

/// Shares of a sentence's words.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    /// Syllables up to each word's end, pauses before it among them.
    ends: Vec<f32>,
    /// All of them and the pause at the end.
    total: f32,
}

impl Estimate {
    /// Of `words`, with their punctuation.
    pub(super) fn new<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let (mut ends, mut total) = (Vec::new(), 0.0);
        for word in words {
            total += syllables(word);
            ends.push(total);
            total += pause(word);
        }
        // The pause behind the last word is hardly spoken.
        let total = ends.last().copied().unwrap_or(0.0);
        Self { ends, total }
    }

    /// When word `nth` ends at a tempo of `syllable_ms`.
    pub(super) fn end_ms(&self, nth: usize, syllable_ms: f32) -> f32 {
        self.ends.get(nth).copied().unwrap_or(self.total) * syllable_ms
    }

    /// When word `nth` ends, where the words before `from` took until `from_ms` and the last one
    /// ends at `total_ms`.
    pub(super) fn end_within_ms(
        &self,
        nth: usize,
        from: usize,
        from_ms: f32,
        total_ms: f32,
    ) -> f32 {
        let before = from.checked_sub(1).map_or(0.0, |last| self.ends[last]);
        let left = self.total - before;
        if left <= 0.0 {
            return total_ms;
        }
        let end = self.ends.get(nth).copied().unwrap_or(self.total);
        let share = (end - before) / left;
        from_ms + share * (total_ms - from_ms).max(0.0)
    }

    /// Syllables of the sentence.
    pub(super) fn total(&self) -> f32 {
        self.total
    }
}

/// What was learned of voices' tempo.
#[derive(Debug, Default)]
pub(super) struct Tempo {
    syllable_ms: Mutex<HashMap<String, f32>>,
}

impl Tempo {
    /// Milliseconds that a syllable of `voice` takes at pace 1.
    pub(super) fn syllable_ms(&self, voice: &str) -> f32 {
        let known = self
            .syllable_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.get(voice).copied().unwrap_or(SYLLABLE_MS)
    }

    /// A sentence of `syllables` took `total_ms` at `pace`.
    pub(super) fn learn(&self, voice: &str, syllables: f32, total_ms: f32, pace: f32) {
        let heard = total_ms * pace / syllables;
        // Short ones say more about the silence around them.
        if syllables < 4.0 || !SYLLABLE_MS_RANGE.contains(&heard) {
            return;
        }
        let mut known = self
            .syllable_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if known.len() >= VOICES_MAX && !known.contains_key(voice) {
            known.clear();
        }
        let learned = known.entry(voice.to_owned()).or_insert(heard);
        *learned += LEARN * (heard - *learned);
    }
}

/// Groups of vowels, at least one; digits and letters of other scripts count on their own.
fn syllables(word: &str) -> f32 {
    let (mut count, mut in_vowel) = (0.0, false);
    for c in word.chars().flat_map(char::to_lowercase) {
        let vowel = "aeiouyäöüàáâèéêìíîòóôùúûœæ".contains(c);
        if vowel && !in_vowel {
            count += 1.0;
        }
        in_vowel = vowel;
        if c.is_numeric() {
            count += 1.5;
        } else if c.is_alphabetic() && u32::from(c) > 0x17f {
            count += 0.5;
        }
    }
    let silent_e = word
        .trim_end_matches(|c: char| !c.is_alphabetic())
        .ends_with('e');
    if silent_e && count > 1.5 {
        count -= 1.0;
    }
    f32::max(count, 1.0)
}

fn pause(word: &str) -> f32 {
    match word
        .trim_end_matches(['"', '\'', ')', '”', '’'])
        .chars()
        .last()
    {
        Some('.' | '!' | '?' | '…' | '。') => STOP,
        Some(',' | ';' | ':' | '—' | '–') => COMMA,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(text: &str, total_ms: f32) -> Vec<u32> {
        let estimate = Estimate::new(text.split_whitespace());
        let count = text.split_whitespace().count();
        (0..count)
            .map(|nth| estimate.end_within_ms(nth, 0, 0.0, total_ms) as u32)
            .collect()
    }

    #[test]
    fn words_take_their_share() {
        assert_eq!(ends("one two", 1_000.0), [500, 1_000]);
        let with_pause = ends("Well, one two", 1_000.0);
        assert!(
            with_pause[0] < 300,
            "the pause is behind the comma: {with_pause:?}"
        );
        let long = ends("a international a", 1_000.0);
        assert!(long[1] - long[0] > 2 * long[0], "{long:?}");
        assert_eq!(ends("", 1_000.0), Vec::<u32>::new());
        assert_eq!(ends("...", 1_000.0), [1_000]);
    }

    #[test]
    fn what_was_told_already_stands() {
        let estimate = Estimate::new("one two six ten".split(' '));
        assert_eq!(estimate.end_within_ms(2, 2, 400.0, 1_000.0), 700.0);
        assert_eq!(estimate.end_within_ms(3, 2, 400.0, 1_000.0), 1_000.0);
        // The sentence is already over: all that is left ends with it.
        assert_eq!(estimate.end_within_ms(3, 2, 1_200.0, 1_000.0), 1_200.0);
    }

    #[test]
    fn tempo_is_learned_within_reason() {
        let tempo = Tempo::default();
        assert_eq!(tempo.syllable_ms("v"), SYLLABLE_MS);
        tempo.learn("v", 10.0, 1_500.0, 1.0);
        assert_eq!(tempo.syllable_ms("v"), 150.0);
        tempo.learn("v", 10.0, 1.0, 1.0);
        tempo.learn("v", 1.0, 150.0, 1.0);
        tempo.learn("v", f32::NAN, 150.0, 1.0);
        assert_eq!(tempo.syllable_ms("v"), 150.0);
        // Twice as fast is the same tempo at pace 2.
        tempo.learn("v", 10.0, 750.0, 2.0);
        assert_eq!(tempo.syllable_ms("v"), 150.0);
        for voice in 0..200 {
            tempo.learn(&voice.to_string(), 10.0, 1_500.0, 1.0);
        }
        assert!(
            tempo
                .syllable_ms
                .lock()
                .is_ok_and(|known| known.len() <= VOICES_MAX)
        );
    }
}
