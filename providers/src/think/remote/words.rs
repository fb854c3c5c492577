//! Words end at a stop text, also where the provider has no such setting or does not keep to it.

/// The way of words from the provider to the caller.
#[derive(Debug, Default)]
pub(crate) struct Words {
    stop: Vec<String>,
    /// Held back: it may be the beginning of a stop text.
    held: String,
    is_stopped: bool,
}

impl Words {
    /// Words that end at one of `stop`.
    pub(crate) fn new(stop: &[String]) -> Self {
        Self {
            stop: stop
                .iter()
                .filter(|stop| !stop.is_empty())
                .cloned()
                .collect(),
            ..Self::default()
        }
    }

    /// True once a stop text has come: nothing more is said.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Takes what the provider said; returns what the caller is given now, which may be nothing.
    pub(crate) fn push(&mut self, words: String) -> String {
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

    /// What was held back, at the end.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
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
            let mut words = Words::new(&stop);
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
        let mut words = Words::new(&["END".to_owned()]);
        assert_eq!(words.push("the EN".into()), "the ");
        assert_eq!(words.push("GLISH".into()), "ENGLISH");
        assert_eq!(words.push(" E".into()), " ");
        assert_eq!(words.finish(), "E");
        assert!(!words.is_stopped());
    }
}
