//! The last hand on the words: they end at a stop text, and a reply that goes on where another
//! provider broke off repeats nothing.

/// Words of a repetition that are looked for: fewer may well be meant.
const REPEATED_WORDS_MIN: usize = 3;
/// Words at the end of what was said from which a repetition may start.
const REPEATED_WORDS_MAX: usize = 80;

/// The way of words from the provider to the caller.
#[derive(Debug, Default)]
pub(crate) struct Words {
    stop: Vec<String>,
    /// Held back: it may be the beginning of a stop text.
    held: String,
    is_stopped: bool,
    continuation: Option<Continuation>,
}

/// What a continued reply begins with, until it is clear whether it repeats.
#[derive(Debug)]
struct Continuation {
    /// Ends of what was said, in full words, longest first.
    ends: Vec<String>,
    begun: String,
    said_ends_in_space: bool,
    is_exact: bool,
}

impl Words {
    /// Words that end at one of `stop`. Where `said` was said before, they go on behind it:
    /// `is_exact` where the model writes on in the middle of a word, else with the next word.
    pub(crate) fn new(stop: &[String], said: Option<&str>, is_exact: bool) -> Self {
        let said = said.filter(|said| !said.trim().is_empty());
        Self {
            stop: stop
                .iter()
                .filter(|stop| !stop.is_empty())
                .cloned()
                .collect(),
            held: String::new(),
            is_stopped: false,
            continuation: said.map(|said| Continuation::new(said, is_exact)),
        }
    }

    /// True once a stop text has come: nothing more is said.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Takes what the provider said; returns what the caller is given now, which may be nothing.
    pub(crate) fn push(&mut self, words: String) -> String {
        let words = match self.continuation.as_mut().map(|c| c.push(&words)) {
            None => words,
            Some(None) => return String::new(),
            Some(Some(words)) => {
                self.continuation = None;
                words
            }
        };
        self.until_stop(words)
    }

    /// What was held back, at the end.
    pub(crate) fn finish(&mut self) -> String {
        let begun = self
            .continuation
            .take()
            .map(Continuation::finish)
            .unwrap_or_default();
        let mut rest = self.until_stop(begun);
        if !self.is_stopped {
            rest.push_str(&std::mem::take(&mut self.held));
        }
        rest
    }

    fn until_stop(&mut self, words: String) -> String {
        if self.is_stopped {
            return String::new();
        }
        if self.stop.is_empty() {
            return words;
        }
        self.held.push_str(&words);
        let found = self
            .stop
            .iter()
            .filter_map(|stop| self.held.find(stop.as_str()))
            .min();
        if let Some(at) = found {
            self.is_stopped = true;
            self.held.truncate(at);
            return std::mem::take(&mut self.held);
        }
        let maybe = (0..self.held.len()).find(|at| {
            self.held.is_char_boundary(*at)
                && self
                    .stop
                    .iter()
                    .any(|stop| stop.starts_with(&self.held[*at..]))
        });
        let held = self.held.split_off(maybe.unwrap_or(self.held.len()));
        std::mem::replace(&mut self.held, held)
    }
}

impl Continuation {
    fn new(said: &str, is_exact: bool) -> Self {
        let trimmed = said.trim();
        let mut starts: Vec<usize> = Vec::new();
        let mut was_space = true;
        for (at, c) in trimmed.char_indices() {
            if was_space && !c.is_whitespace() {
                starts.push(at);
            }
            was_space = c.is_whitespace();
        }
        let few = starts.len().saturating_sub(REPEATED_WORDS_MAX);
        let many = starts.len().saturating_sub(REPEATED_WORDS_MIN - 1);
        let whole = starts.first().filter(|_| many == 0 || few > 0);
        let starts = whole
            .into_iter()
            .chain(starts.get(few..many).unwrap_or_default());
        Self {
            ends: starts.map(|at| trimmed[*at..].to_owned()).collect(),
            begun: String::new(),
            said_ends_in_space: said.ends_with(char::is_whitespace),
            is_exact,
        }
    }

    /// The words, once it is clear that they repeat nothing, or what they repeat.
    fn push(&mut self, words: &str) -> Option<String> {
        self.begun.push_str(words);
        let begun = self.begun.trim_start();
        let repeated = self.ends.iter().find_map(|end| {
            let rest = begun.strip_prefix(end.as_str())?;
            // "I" is not repeated by "It".
            let is_whole = !rest.is_empty() && !rest.starts_with(char::is_alphanumeric);
            is_whole.then(|| rest.to_owned())
        });
        if let Some(rest) = repeated {
            return Some(self.joined(rest, true));
        }
        let may_repeat = self.ends.iter().any(|end| end.starts_with(begun));
        (!may_repeat).then(|| self.joined(self.begun.clone(), false))
    }

    fn finish(self) -> String {
        let begun = self.begun.trim();
        // The last words said, once more, and nothing else.
        let repeats = self.ends.iter().any(|end| end.as_str() == begun);
        if repeats || begun.is_empty() {
            return String::new();
        }
        self.joined(self.begun.clone(), false)
    }

    /// One space between what was said and what follows.
    fn joined(&self, words: String, is_repeated: bool) -> String {
        if self.said_ends_in_space {
            return words.trim_start().to_owned();
        }
        let is_word = words.starts_with(char::is_alphanumeric);
        if is_word && !self.is_exact && !is_repeated {
            return format!(" {words}");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    /// What is given on where `pieces` come.
    fn given(words: &mut Words, pieces: &[&str]) -> String {
        let mut given = String::new();
        for piece in pieces {
            given.push_str(&words.push((*piece).to_owned()));
        }
        given + &words.finish()
    }

    #[test]
    fn words_end_at_a_stop_text_however_it_is_split() {
        let stop = ["END".to_owned(), "###".to_owned()];
        let text = "Grüße aus Ulm. E N# ## ENEND and more ###";
        let letters: Vec<String> = text.chars().map(String::from).collect();
        for size in 1..letters.len() {
            let pieces: Vec<String> = letters.chunks(size).map(<[String]>::concat).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let mut words = Words::new(&stop, None, false);
            assert_eq!(
                given(&mut words, &pieces),
                "Grüße aus Ulm. E N# ## EN",
                "{size}"
            );
            assert!(words.is_stopped());
        }
    }

    #[test]
    fn a_beginning_of_a_stop_text_that_is_none_comes_late_but_comes() {
        let mut words = Words::new(&["END".to_owned()], None, false);
        assert_eq!(words.push("the EN".into()), "the ");
        assert_eq!(words.push("GLISH".into()), "ENGLISH");
        assert_eq!(words.push(" E".into()), " ");
        assert_eq!(words.finish(), "E");
        assert!(!words.is_stopped());
    }

    #[test]
    fn a_continued_reply_repeats_nothing() {
        let said = "A domain is a name. It stands for";
        for (pieces, heard) in [
            (&["an", " address."][..], " an address."),
            (&[" an address."][..], " an address."),
            (
                &["A domain", " is a name. It stands", " for an address."][..],
                " an address.",
            ),
            (&["It stands for an address."][..], " an address."),
            (&["It stands", " alone."][..], " It stands alone."),
            (&["A dom", "e of glass."][..], " A dome of glass."),
            (&["It stands for", "ever."][..], " It stands forever."),
            (&[", well, an address."][..], ", well, an address."),
            (&["It stands for"][..], ""),
            (&[""][..], ""),
        ] {
            let mut words = Words::new(&[], Some(said), false);
            assert_eq!(given(&mut words, pieces), heard, "{pieces:?}");
        }
    }

    #[test]
    fn an_exact_continuation_is_joined_as_it_is() {
        for (said, piece, heard) in [
            ("It is wonder", "ful.", "ful."),
            ("It is", " fine.", " fine."),
            ("It is ", " fine.", "fine."),
        ] {
            let mut words = Words::new(&[], Some(said), true);
            assert_eq!(given(&mut words, &[piece]), heard, "{said}");
        }
    }
}
