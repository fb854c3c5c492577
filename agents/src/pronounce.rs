//! How an agent says words that a voice would get wrong: the `[pronounce]` table.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::error::Fault;

/// Entries of one dictionary.
const ENTRIES_MAX: usize = 1_000;
/// Words of one entry, e.g. `New Relic`.
const WORDS_MAX: usize = 4;
/// Characters of an entry and of what is said for it.
const CHARS_MAX: usize = 80;

/// How one word is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pronunciation {
    /// Written as an English speaker would read it right: `an-tih-fon`. For any voice.
    Respelled(String),
    /// In the International Phonetic Alphabet, without its slashes. For voices that take sounds;
    /// the others read the word as it is written.
    Ipa(String),
}

/// An agent's dictionary. Capitals do not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pronunciations {
    entries: BTreeMap<String, Pronunciation>,
    words_max: usize,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {advice}")]
pub struct PronunciationError {
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub advice: String,
}

impl Pronunciations {
    /// Adds a word and how it is said: a respelling, or IPA between slashes.
    ///
    /// # Errors
    /// Where the word or its sound is none, or the word is there already.
    pub fn insert(&mut self, word: &str, said: &str) -> Result<(), PronunciationError> {
        let fail = |problem: String, advice: &str| {
            let advice = advice.to_owned();
            Err(PronunciationError { problem, advice })
        };
        let words = word.split_whitespace().count();
        if !(1..=WORDS_MAX).contains(&words) || word.chars().count() > CHARS_MAX {
            let advice = "write one word, or a name of at most four";
            return fail(format!("`{word}` is no word to pronounce"), advice);
        }
        if !word.chars().any(char::is_alphanumeric) {
            let advice = "write the word as it stands in the text";
            return fail(format!("`{word}` has no letter"), advice);
        }
        let said = said.trim();
        if said.chars().count() > CHARS_MAX {
            let advice = "write how this one word is said";
            return fail(
                format!("`{word}` is said at a length of more than {CHARS_MAX} characters"),
                advice,
            );
        }
        let entry = match said.strip_prefix('/') {
            Some(ipa) => match ipa.strip_suffix('/').filter(|ipa| is_ipa(ipa)) {
                Some(ipa) => Pronunciation::Ipa(ipa.to_owned()),
                None => {
                    let advice = "write sounds between slashes, e.g. `/ˈæntɪfɒn/`";
                    return fail(format!("`{said}` is no IPA"), advice);
                }
            },
            None if is_respelling(said) => Pronunciation::Respelled(said.to_owned()),
            None => {
                let advice =
                    "write letters, hyphens and spaces, e.g. `an-tih-fon`, or IPA between slashes";
                return fail(format!("`{said}` cannot be read aloud"), advice);
            }
        };
        if self.entries.len() >= ENTRIES_MAX {
            let advice = "leave out words that voices say right";
            return fail(format!("more than {ENTRIES_MAX} pronunciations"), advice);
        }
        if self.entries.insert(key(word), entry).is_some() {
            let advice = "keep one of the two; capitals do not matter";
            return fail(format!("a second pronunciation of `{word}`"), advice);
        }
        self.words_max = self.words_max.max(words);
        Ok(())
    }

    /// How a word is said, whatever its capitals.
    pub fn find(&self, word: &str) -> Option<&Pronunciation> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.get(&key(word))
    }

    /// Words of the longest entry; 0 without entries.
    pub fn words_max(&self) -> usize {
        self.words_max
    }

    /// Every entry: the word in lower case and how it is said.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Pronunciation)> {
        self.entries
            .iter()
            .map(|(word, said)| (word.as_str(), said))
    }
}

fn key(word: &str) -> String {
    word.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

fn is_respelling(said: &str) -> bool {
    let plain = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '’');
    said.chars().any(char::is_alphabetic) && said.chars().all(plain)
}

/// Letters of the alphabet and its extensions, modifiers, tone marks, ties and combining marks.
fn is_ipa(ipa: &str) -> bool {
    let known = |c: char| {
        matches!(
            c,
            'a'..='z' | 'æ' | 'ç' | 'ð' | 'ø' | 'ħ' | 'ŋ' | 'œ' | 'β' | 'θ' | 'χ' | ' ' | '.' | '|' | '‖' | '‿' | 'ǀ'..='ǃ'
                | '\u{250}'..='\u{2ff}' | '\u{300}'..='\u{36f}' | '\u{1d00}'..='\u{1dbf}'
        )
    };
    ipa.chars().any(char::is_alphabetic) && ipa.chars().all(known)
}

/// The `[pronounce]` table of a file.
pub(crate) fn read_pronounce(
    table: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
) -> Result<Pronunciations, Fault> {
    let mut read = Pronunciations::default();
    for (word, said) in table.unwrap_or_default() {
        read.insert(word.get_ref(), said.get_ref())
            .map_err(|error| {
                let of_word = error.problem.contains(&format!("`{}`", word.get_ref()));
                let span = if of_word { word.span() } else { said.span() };
                Fault::new(span, error.problem, error.advice)
            })?;
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whatever_their_capitals() {
        let mut words = Pronunciations::default();
        words.insert("Antiphon", "an-tih-fon").expect("good");
        words.insert("New  Relic", "/nuː ˈɹɛlɪk/").expect("good");
        assert_eq!(
            words.find("ANTIPHON"),
            Some(&Pronunciation::Respelled("an-tih-fon".into()))
        );
        assert_eq!(
            words.find("new relic"),
            Some(&Pronunciation::Ipa("nuː ˈɹɛlɪk".into()))
        );
        assert_eq!((words.find("relic"), words.words_max()), (None, 2));
    }

    #[test]
    fn what_cannot_be_said_is_refused() {
        for (word, said, part) in [
            ("", "x", "no word"),
            ("a b c d e", "x", "no word"),
            ("--", "x", "no letter"),
            ("word", "", "cannot be read"),
            ("word", "w3rd", "cannot be read"),
            ("word", "/wɜːd", "no IPA"),
            ("word", "//", "no IPA"),
            ("word", "/W0RD/", "no IPA"),
        ] {
            let error = Pronunciations::default()
                .insert(word, said)
                .expect_err("bad");
            assert!(
                error.to_string().contains(part),
                "{word:?} {said:?}: {error}"
            );
        }
        let mut twice = Pronunciations::default();
        twice.insert("Word", "wurd").expect("good");
        assert!(twice.insert("WORD", "werd").is_err());
    }
}
