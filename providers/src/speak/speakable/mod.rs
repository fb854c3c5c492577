//! Text as people and language models write it, made into text as it is spoken in English, with
//! the way back: captions and what was heard are told in the words of the original.
//!
//! Pure, linear in the length of the text, and total: there is no text that it refuses. Words of
//! other languages and scripts pass through as they are.

mod alignment;
mod calendar;
mod code;
mod context;
mod markup;
mod measure;
mod mixed;
mod money;
mod names;
mod number;
mod numeral;
mod reader;
mod symbol;
mod token;
mod unit;
mod web;
mod word;

use antiphon_agents::Pronunciations;

pub use self::alignment::{MarkMapper, SpokenWord};

/// Longest run without a space in the spoken text, in characters; longer ones (keyboard smashing)
/// are broken up, because voices work on a word as a whole.
pub const WORD_CHARS_MAX: usize = 48;

/// A text made speakable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speakable {
    spoken: String,
    words: Vec<SpokenWord>,
}

impl Speakable {
    /// Makes `text` speakable; words that `pronounce` knows are respelled.
    ///
    /// ```
    /// use antiphon_agents::Pronunciations;
    /// use antiphon_providers::speak::speakable::Speakable;
    ///
    /// let text = "Pay **$3.50** by 3/4.";
    /// let made = Speakable::new(text, &Pronunciations::default());
    /// assert_eq!(made.spoken(), "Pay three dollars and fifty cents by March fourth.");
    /// let dollars = made.spoken().find("cents").map_or(0, |at| at + 5);
    /// assert_eq!(&text[..made.mark(dollars)], "Pay **$3.50**");
    /// ```
    pub fn new(text: &str, pronounce: &Pronunciations) -> Self {
        reader::read(&markup::plain(text), pronounce, true)
    }

    /// For voices of other languages, which read numbers and abbreviations in their own way: the
    /// markup is taken off and the dictionary applied, the rest stays as written.
    pub fn as_written(text: &str, pronounce: &Pronunciations) -> Self {
        reader::read(&markup::plain(text), pronounce, false)
    }

    /// What is to be said: words and punctuation, single spaces between. Empty where there is
    /// nothing to say.
    pub fn spoken(&self) -> &str {
        &self.spoken
    }

    /// The words of [`Speakable::spoken`], in order.
    pub fn words(&self) -> &[SpokenWord] {
        &self.words
    }

    /// True where there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How much of the original text has been said once the first `spoken_end` bytes of the spoken
    /// text have: the byte offset behind the last original word said to its end. "$3.50" has been
    /// said with "cents", not before.
    pub fn mark(&self, spoken_end: usize) -> usize {
        let said = self.words.partition_point(|word| word.end <= spoken_end);
        said.checked_sub(1)
            .map_or(0, |last| self.words[last].heard_end)
    }

    /// Turns a voice's marks on the spoken text into marks on the original.
    pub fn mapper(&self) -> MarkMapper<'_> {
        MarkMapper::new(self)
    }
}
