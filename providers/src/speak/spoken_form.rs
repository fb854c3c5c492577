//! The sentence as it is sent to a remote voice, and the way back to the sentence as shown.

use antiphon_agents::Pronunciations;

use super::speakable::Speakable;

/// A sentence in the form in which it is spoken. The one place where text for remote voices is
/// made speakable.
#[derive(Clone, Debug)]
pub(super) struct SpokenForm {
    speakable: Speakable,
    /// Bytes of the shown text up to its last word's end.
    text_len: usize,
}

impl SpokenForm {
    pub(super) fn of(text: &str, pronounce: &Pronunciations) -> Self {
        Self {
            speakable: Speakable::new(text, pronounce),
            text_len: text.trim_end().len(),
        }
    }

    /// A sentence without a dictionary.
    #[cfg(test)]
    pub(super) fn plain(text: &str) -> Self {
        Self::of(text, &Pronunciations::default())
    }

    /// What is sent.
    pub(super) fn spoken(&self) -> &str {
        self.speakable.spoken()
    }

    /// Byte offsets in the spoken text behind its words, without their punctuation.
    pub(super) fn word_ends(&self) -> Vec<usize> {
        self.speakable.words().iter().map(|word| word.end).collect()
    }

    /// The spoken words with the punctuation behind them, as many as [`SpokenForm::word_ends`].
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let words = self.speakable.words();
        words.iter().enumerate().map(move |(nth, word)| {
            let to = words
                .get(nth + 1)
                .map_or(self.spoken().len(), |next| next.start);
            self.spoken()[word.start..to].trim_end()
        })
    }

    /// How much of the shown text has been said with the first `spoken_end` bytes of the spoken.
    pub(super) fn text_end(&self, spoken_end: usize) -> usize {
        self.speakable.mark(spoken_end)
    }

    /// All of the shown text: the last mark.
    pub(super) fn text_len(&self) -> usize {
        self.text_len
    }
}
