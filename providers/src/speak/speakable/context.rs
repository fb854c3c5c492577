//! What a rule sees, and what it says.

use super::token::Token;

/// A token and its neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) tokens: &'a [Token<'a>],
    pub(super) at: usize,
    /// True where most of the text is in capitals.
    pub(super) shouting: bool,
    /// True where a sentence begins with this token.
    pub(super) starts: bool,
}

impl<'a> Context<'a> {
    pub(super) fn token(&self) -> &Token<'a> {
        &self.tokens[self.at]
    }

    pub(super) fn core(&self) -> &'a str {
        self.tokens[self.at].core
    }

    /// The `n`th token from here on; none beyond the end.
    pub(super) fn ahead(&self, n: usize) -> Option<&Token<'a>> {
        self.tokens.get(self.at + n)
    }

    /// The word of the `n`th token from here on, where nothing but spaces lies between; else empty.
    pub(super) fn joined(&self, n: usize) -> &'a str {
        let between = self.tokens.get(self.at..self.at + n);
        match (between, self.ahead(n)) {
            (Some(between), Some(token))
                if between.iter().all(Token::joins) && token.lead.is_empty() =>
            {
                token.core
            }
            _ => "",
        }
    }

    /// The word of the token after this one, whatever lies between; else empty.
    pub(super) fn next(&self) -> &'a str {
        self.ahead(1).map_or("", |token| token.core)
    }

    /// The word `n` tokens back; empty at the beginning.
    pub(super) fn back(&self, n: usize) -> &'a str {
        self.at.checked_sub(n).map_or("", |at| self.tokens[at].core)
    }

    /// True where one of the `n` words before is in the list.
    pub(super) fn after_any(&self, n: usize, list: &[&str]) -> bool {
        (1..=n).any(|n| is_in(self.back(n), list))
    }
}

/// Without regard to capitals.
pub(super) fn is_in(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// True for a word that begins with a capital.
pub(super) fn is_capitalized(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

/// What the full stop behind a word is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dot {
    /// The end of a sentence.
    #[default]
    Ends,
    /// Part of the abbreviation.
    Abbreviates,
    /// Part of the abbreviation, and the end of a sentence where one begins behind it.
    Both,
}

/// What is said for one or more tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Phrase {
    /// Words for each token.
    pub(super) parts: Vec<String>,
    pub(super) dot: Dot,
    /// Put behind the last word where it has no punctuation of its own.
    pub(super) pause: &'static str,
}

impl Phrase {
    pub(super) fn one(words: impl Into<String>) -> Self {
        Self {
            parts: vec![words.into()],
            ..Self::default()
        }
    }

    pub(super) fn then(mut self, words: impl Into<String>) -> Self {
        self.parts.push(words.into());
        self
    }

    pub(super) fn dotted(mut self, dot: Dot) -> Self {
        self.dot = dot;
        self
    }
}
