//! One answer from two providers: what the second repeats of the first is taken out.

/// Longest text that is held back while it is not clear whether it repeats, characters. Beyond it
/// whoever is still repeating word for word is cut anyway.
const HELD_CHARS_MAX: usize = 4_000;
/// Least words at the end of the first part that count as repeated at the start of the second: one
/// common word may well follow itself by chance.
const OVERLAP_WORDS_MIN: usize = 2;

/// Passes on a second stream of words without what the first one has said.
#[derive(Debug)]
pub struct Continuation {
    said: Vec<String>,
    held: String,
    decided: bool,
    needs_space: bool,
    /// The first part ended in a space, and nothing new has come yet.
    has_space: bool,
}

impl Continuation {
    /// Continues behind `said`.
    pub fn new(said: &str) -> Self {
        let words = words(said).map(|(word, _)| word).collect::<Vec<_>>();
        Self {
            decided: words.is_empty(),
            has_space: said.chars().next_back().is_some_and(char::is_whitespace),
            needs_space: said.chars().next_back().is_some_and(|c| !c.is_whitespace()),
            said: words,
            held: String::new(),
        }
    }

    /// Takes more of the second stream; returns what is new in it, as far as that is clear.
    pub fn push(&mut self, text: &str) -> String {
        let fresh = if self.decided {
            text.to_owned()
        } else {
            self.held.push_str(text);
            self.decide(false)
        };
        self.joined(fresh)
    }

    /// The stream is over: what was still held back, where it is new.
    pub fn finish(&mut self) -> String {
        if self.decided {
            return String::new();
        }
        let fresh = self.decide(true);
        self.joined(fresh)
    }

    /// Without a second space where the first part ended in one.
    fn joined(&mut self, fresh: String) -> String {
        if !self.has_space {
            return fresh;
        }
        let trimmed = fresh.trim_start();
        if !trimmed.is_empty() {
            self.has_space = false;
        }
        trimmed.to_owned()
    }

    fn decide(&mut self, over: bool) -> String {
        let held: Vec<(String, usize)> = words(&self.held).collect();
        // The last word may go on in the next piece.
        let whole = match self.held.chars().next_back() {
            Some(last) if !over && last.is_alphanumeric() => held.len().saturating_sub(1),
            _ => held.len(),
        };
        let settled: Vec<&str> = held[..whole]
            .iter()
            .map(|(word, _)| word.as_str())
            .collect();
        let said: Vec<&str> = self.said.iter().map(String::as_str).collect();
        if !over && self.held.chars().count() < HELD_CHARS_MAX && may_repeat(&said, &settled) {
            return String::new();
        }
        self.decided = true;
        let repeated = repeated_words(&said, &settled);
        let cut = match repeated {
            0 => 0,
            count => held[count - 1].1,
        };
        let rest = if repeated > 0 {
            // Punctuation right behind a repeated word was said with it.
            self.held[cut..]
                .trim_start_matches(|c: char| !c.is_alphanumeric() && !c.is_whitespace())
        } else {
            &self.held
        };
        let starts_word = rest.chars().next().is_some_and(char::is_alphanumeric);
        if self.needs_space && starts_word {
            format!(" {rest}")
        } else {
            rest.to_owned()
        }
    }
}

/// True while everything settled so far may be a repetition.
fn may_repeat(said: &[&str], settled: &[&str]) -> bool {
    if settled.len() < said.len() && said.starts_with(settled) {
        return true;
    }
    // Within the longest overlap of the end of one with the start of the other.
    (1..=said.len()).any(|take| {
        let tail = &said[said.len() - take..];
        tail.len() > settled.len() && tail.starts_with(settled)
    })
}

/// Words at the start of the second part that the first has said: all of the first (it began anew),
/// or its end.
fn repeated_words(said: &[&str], settled: &[&str]) -> usize {
    if settled.starts_with(said) {
        return said.len();
    }
    if settled.len() >= OVERLAP_WORDS_MIN && said.starts_with(settled) {
        return settled.len();
    }
    (OVERLAP_WORDS_MIN..=said.len().min(settled.len()))
        .rev()
        .find(|&take| said[said.len() - take..] == settled[..take])
        .unwrap_or(0)
}

/// Words in lower case with the byte offset behind each.
fn words(text: &str) -> impl Iterator<Item = (String, usize)> + '_ {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(char::is_alphanumeric)?;
        let end = text[start..]
            .find(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’')
            .map_or(text.len(), |length| start + length);
        rest = end;
        Some((text[start..end].to_lowercase(), end))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn continued(said: &str, second: &str, piece: usize) -> String {
        let mut continuation = Continuation::new(said);
        let letters: Vec<char> = second.chars().collect();
        let mut out = String::new();
        for piece in letters.chunks(piece) {
            out.push_str(&continuation.push(&piece.iter().collect::<String>()));
        }
        out.push_str(&continuation.finish());
        out
    }

    #[test]
    fn repetitions_are_taken_out() {
        let check = |said: &str, second: &str, wanted: &str| {
            for piece in [1, 3, 1_000] {
                assert_eq!(
                    continued(said, second, piece),
                    wanted,
                    "{said:?} + {second:?}"
                );
            }
        };
        check("", "Hello there.", "Hello there.");
        check("The moon is", "made of rock.", " made of rock.");
        check("The moon is ", "made of rock.", "made of rock.");
        check("The moon is", " made of rock.", " made of rock.");
        check("The moon is", "The moon is made of rock.", " made of rock.");
        check(
            "The moon is",
            "the moon is, made of rock.",
            " made of rock.",
        );
        check(
            "I think the moon is",
            "the moon is made of rock.",
            " made of rock.",
        );
        check("I see the", "the moon.", " the moon.");
        check("One two three.", "One two three.", "");
        check("One two three. ", "One two three. Four.", "Four.");
        check("The moon is ", " made of rock.", "made of rock.");
        check("One two three", "One two", "");
        check("Hello", "Hello", "");
        check("It is", "It seems so.", " It seems so.");
        check("We open at", ", well, nine.", ", well, nine.");
    }

    #[test]
    fn what_cannot_repeat_is_passed_on_at_once() {
        let mut continuation = Continuation::new("The moon is made");
        assert_eq!(continuation.push("of "), " of ");
        assert_eq!(continuation.push("rock"), "rock");
    }

    proptest! {
        #[test]
        fn nothing_new_is_lost(said in "[a-c ]{0,20}", fresh in "[x-z]{1,8}( [x-z]{1,8}){0,5}", piece in 1_usize..9) {
            let out = continued(&said, &fresh, piece);
            prop_assert_eq!(out.trim(), fresh.trim());
            let anew = format!("{} {fresh}", said.trim());
            let out = continued(said.trim(), anew.trim(), piece);
            prop_assert_eq!(out.trim(), fresh.trim());
        }

        #[test]
        fn never_panics(said in "\\PC{0,40}", second in "\\PC{0,60}", piece in 1_usize..9) {
            continued(&said, &second, piece);
        }
    }
}
