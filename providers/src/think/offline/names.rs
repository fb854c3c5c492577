//! What a person is called.

use antiphon_agents::plain_words;

use super::words::is_function_word;

/// Words before a name. `i am` is not among them: what follows is seldom a name.
const INTRODUCTIONS: &[&[&str]] = &[
    &["my", "name", "is"],
    &["my", "name's"],
    &["the", "name", "is"],
    &["call", "me"],
    &["i'm", "called"],
    &["i", "am", "called"],
    &["my", "friends", "call", "me"],
];

/// Words that follow `call me` or `my name is` without being a name.
const NO_NAMES: &[&str] = &[
    "later", "back", "tomorrow", "today", "when", "crazy", "maybe", "again", "soon", "anytime",
    "whatever", "still", "called", "spelled", "good", "hard", "long", "short", "now",
];

/// A longer text is no introduction; every reply reads the whole history for one.
const INTRODUCTION_BYTES_MAX: usize = 300;

/// Letters of a name; more is no name.
const NAME_CHARS_MAX: usize = 20;

/// A name told in a text, with what else was said in the same breath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Introduction {
    /// With a capital.
    pub(crate) name: String,
    /// Words before and after.
    pub(crate) rest: String,
}

/// The introduction in a text. `asked` is true where the agent has just asked for the name, so
/// that a bare word counts.
pub(crate) fn introduction(text: &str, asked: bool) -> Option<Introduction> {
    if text.len() > INTRODUCTION_BYTES_MAX {
        return None;
    }
    let words = plain_words(text);
    for start in 0..words.len() {
        for intro in INTRODUCTIONS {
            let found = words[start..]
                .iter()
                .zip(*intro)
                .filter(|(word, wanted)| word == wanted)
                .count();
            let at = start + intro.len();
            if let (true, Some(name)) = (
                found == intro.len(),
                words.get(at).filter(|word| is_name(word)),
            ) {
                let mut rest: Vec<&str> = words[..start].iter().map(String::as_str).collect();
                // A family name may follow at the end.
                let after = if at + 2 == words.len() {
                    at + 2
                } else {
                    at + 1
                };
                rest.extend(words[after..].iter().map(String::as_str));
                return Some(Introduction {
                    name: capitalized(name),
                    rest: rest.join(" "),
                });
            }
        }
    }
    let bare: Vec<&String> = words.iter().filter(|word| is_name(word)).collect();
    match bare.as_slice() {
        [name] if asked && words.len() <= 4 => Some(Introduction {
            name: capitalized(name),
            rest: String::new(),
        }),
        _ => None,
    }
}

fn is_name(word: &str) -> bool {
    (2..=NAME_CHARS_MAX).contains(&word.len())
        && word.bytes().all(|c| c.is_ascii_lowercase())
        && !is_function_word(word)
        && !NO_NAMES.contains(&word)
}

pub(crate) fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::introduction;

    #[test]
    fn finds_names() {
        for (text, asked, name, rest) in [
            ("Hi, my name is Anna", false, Some("Anna"), "hi"),
            ("my name is john smith", false, Some("John"), ""),
            (
                "call me Max and tell me about domains",
                false,
                Some("Max"),
                "and tell me about domains",
            ),
            ("call me back later", false, None, ""),
            ("i am tired", false, None, ""),
            ("anna", true, Some("Anna"), ""),
            ("it is anna", true, Some("Anna"), ""),
            ("anna", false, None, ""),
            ("my name is", false, None, ""),
        ] {
            let found = introduction(text, asked);
            assert_eq!(
                found.as_ref().map(|found| found.name.as_str()),
                name,
                "{text}"
            );
            assert_eq!(
                found.map(|found| found.rest).unwrap_or_default(),
                rest,
                "{text}"
            );
        }
    }
}
