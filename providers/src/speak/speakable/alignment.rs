//! The spoken words and the places in the original that they stand for.

use super::{Speakable, WORD_CHARS_MAX};
use crate::speak::WordMark;

/// One word of the spoken text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenWord {
    /// Byte offset of its first character in the spoken text.
    pub start: usize,
    /// Byte offset behind its last character, without the punctuation that follows.
    pub end: usize,
    /// Byte offset in the original behind the word that it belongs to and the punctuation there.
    pub text_end: usize,
    /// Byte offset in the original of what has been said to its end once this word has.
    pub heard_end: usize,
    /// True where it is the name of a letter, as in `U S B`.
    pub letter: bool,
    /// How it sounds in the International Phonetic Alphabet, where the agent's dictionary says so.
    pub ipa: Option<Box<str>>,
}

/// Turns a voice's marks on the spoken text, in order, into marks on the original: one for each
/// original word, when it has been said to its end.
#[derive(Clone, Debug)]
pub struct MarkMapper<'a> {
    speakable: &'a Speakable,
    told: usize,
    end_ms: u32,
}

impl<'a> MarkMapper<'a> {
    pub(super) fn new(speakable: &'a Speakable) -> Self {
        Self {
            speakable,
            told: 0,
            end_ms: 0,
        }
    }

    /// The voice has said the first `spoken_end` bytes after `end_ms`. The mark, where another
    /// original word is complete by that.
    pub fn push(&mut self, spoken_end: usize, end_ms: u32) -> Option<WordMark> {
        let text_end = self.speakable.mark(spoken_end);
        self.end_ms = self.end_ms.max(end_ms);
        let more = text_end > self.told;
        self.told = self.told.max(text_end);
        more.then_some(WordMark {
            text_end,
            end_ms: self.end_ms,
        })
    }
}

/// Collects what is to be said.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    text: String,
    words: Vec<SpokenWord>,
}

impl Spoken {
    /// Adds words that stand for the original up to `text_end`.
    pub(super) fn say(&mut self, words: &str, text_end: usize) {
        for word in words.split_whitespace() {
            self.word(word, text_end, None);
        }
    }

    /// Adds one word with its sound.
    pub(super) fn say_as(&mut self, word: &str, ipa: &str, text_end: usize) {
        self.word(word, text_end, Some(ipa.into()));
    }

    fn word(&mut self, word: &str, text_end: usize, ipa: Option<Box<str>>) {
        let mut rest = word;
        while !rest.is_empty() {
            let cut = rest
                .char_indices()
                .nth(WORD_CHARS_MAX)
                .map_or(rest.len(), |(at, _)| at);
            let (piece, tail) = rest.split_at(cut);
            rest = tail;
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            let start = self.text.len();
            self.text.push_str(piece);
            let text_end = self
                .words
                .last()
                .map_or(0, |last| last.text_end)
                .max(text_end);
            self.words.push(SpokenWord {
                start,
                end: self.text.len(),
                text_end,
                heard_end: 0,
                letter: piece.len() == 1 && piece.as_bytes()[0].is_ascii_uppercase(),
                ipa: ipa.clone(),
            });
        }
    }

    /// Puts a pause behind the last word; of two, the graver stays.
    pub(super) fn pause(&mut self, mark: &str, text_end: usize) {
        let Some(last) = self.words.last() else {
            return;
        };
        let held = &self.text[last.end..];
        if gravity(mark) > gravity(held) {
            self.text.truncate(last.end);
            self.text.push_str(mark);
        }
        self.covers(text_end);
    }

    /// The last word stands for the original up to `text_end`.
    pub(super) fn covers(&mut self, text_end: usize) {
        let Some(last) = self.words.last() else {
            return;
        };
        let (from, to) = (last.text_end, last.text_end.max(text_end));
        // All words of its group end together.
        for word in self
            .words
            .iter_mut()
            .rev()
            .take_while(|word| word.text_end == from)
        {
            word.text_end = to;
        }
    }

    /// True where the last word ended a sentence or there is none.
    pub(super) fn at_sentence_start(&self) -> bool {
        let last = self.words.last();
        last.is_none_or(|last| gravity(&self.text[last.end..]) >= gravity("."))
    }

    pub(super) fn finish(mut self) -> Speakable {
        let mut complete = 0;
        for at in 0..self.words.len() {
            let text_end = self.words[at].text_end;
            let group_ends = self
                .words
                .get(at + 1)
                .is_none_or(|next| next.text_end != text_end);
            if group_ends {
                complete = text_end;
            }
            self.words[at].heard_end = complete;
        }
        Speakable {
            spoken: self.text,
            words: self.words,
        }
    }
}

fn gravity(mark: &str) -> u8 {
    match mark {
        "" => 0,
        "," => 1,
        ";" | ":" => 2,
        "..." => 3,
        "." => 4,
        _ => 5,
    }
}
