//! The sentence as it is sent to a remote voice, and the way back to the sentence as shown.

use antiphon_agents::Pronunciations;

use super::speakable::Speakable;

/// A sentence in the form in which it is spoken. The one place where text for remote voices is
/// made speakable.
#[derive(Clone, Debug)]
pub(super) struct SpokenForm {
    made: Speakable,
    /// Bytes of the shown text up to its last word's end.
    text_len: usize,
}

impl SpokenForm {
    pub(super) fn of(text: &str, pronounce: &Pronunciations) -> Self {
        Self {
            made: Speakable::new(text, pronounce),
            text_len: text.trim_end().len(),
        }
    }

    /// What is sent.
    pub(super) fn spoken(&self) -> &str {
        self.made.spoken()
    }

    /// Byte offsets in the spoken text behind its words; a word is what stands between spaces.
    pub(super) fn word_ends(&self) -> Vec<usize> {
        let start = self.spoken().as_ptr() as usize;
        self.spoken()
            .split_whitespace()
            .map(|word| word.as_ptr() as usize - start + word.len())
            .collect()
    }

    /// How much of the shown text has been said with the first `spoken_end` bytes of the spoken.
    pub(super) fn text_end(&self, spoken_end: usize) -> usize {
        self.made.mark(spoken_end)
    }

    /// All of the shown text: the last mark.
    pub(super) fn text_len(&self) -> usize {
        self.text_len
    }
}
