//! A trigram language model of an agent's phrases, in the ARPA format that the decoder reads.
//!
//! Smoothing is interpolated Witten-Bell (Chen and Goodman 1998, section 2.6): what a history was
//! seen to be followed by counts against how many different words followed it. It needs no
//! held-out text and behaves with a few dozen phrases, where discounting by counts of counts does
//! not. Its back-off form is exact, so every history's probabilities sum to one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Marks the beginning of a phrase.
const START: &str = "<s>";
/// Marks the end of a phrase.
const END: &str = "</s>";

/// log10 of a probability of zero, as ARPA files write it.
const LOG10_ZERO: f64 = -99.0;

/// A word's number in a model.
type Id = u32;

/// What followed one history.
#[derive(Default)]
struct Followers {
    counts: BTreeMap<Id, u64>,
    total: u64,
}

impl Followers {
    fn add(&mut self, word: Id) {
        *self.counts.entry(word).or_default() += 1;
        self.total += 1;
    }

    /// Weight of the lower order: distinct followers against all occurrences.
    fn backoff(&self) -> f64 {
        let kinds = self.counts.len() as f64;
        kinds / (kinds + self.total as f64)
    }
}

/// A trigram model.
pub(super) struct PhraseModel {
    words: Vec<String>,
    unigrams: Followers,
    bigrams: BTreeMap<Id, Followers>,
    trigrams: BTreeMap<(Id, Id), Followers>,
}

impl PhraseModel {
    /// Counts `phrases`, each a list of words. `None` where there is no word at all.
    pub(super) fn new(phrases: &[Vec<String>]) -> Option<Self> {
        let vocabulary: BTreeSet<&str> = phrases.iter().flatten().map(String::as_str).collect();
        if vocabulary.is_empty() {
            return None;
        }
        let mut words = vec![START.to_owned(), END.to_owned()];
        words.extend(vocabulary.into_iter().map(str::to_owned));
        let ids: BTreeMap<&str, Id> = words.iter().map(String::as_str).zip(0..).collect();
        let (mut unigrams, mut bigrams, mut trigrams) = (
            Followers::default(),
            BTreeMap::<Id, Followers>::new(),
            BTreeMap::<(Id, Id), Followers>::new(),
        );
        for phrase in phrases.iter().filter(|phrase| !phrase.is_empty()) {
            let (mut before, mut last) = (None, ids[START]);
            for word in phrase.iter().map(String::as_str).chain([END]) {
                let id = ids[word];
                unigrams.add(id);
                bigrams.entry(last).or_default().add(id);
                if let Some(before) = before {
                    trigrams.entry((before, last)).or_default().add(id);
                }
                (before, last) = (Some(last), id);
            }
        }
        Some(Self {
            words,
            unigrams,
            bigrams,
            trigrams,
        })
    }

    /// The words of the model, sentence marks left out.
    pub(super) fn vocabulary(&self) -> &[String] {
        &self.words[2..]
    }

    /// Every word but the start mark can come next.
    fn outcomes(&self) -> f64 {
        (self.words.len() - 1) as f64
    }

    fn p1(&self, word: Id) -> f64 {
        if self.words[word as usize] == START {
            return 0.0;
        }
        let lambda = self.unigrams.backoff();
        let seen = self.unigrams.counts.get(&word).copied().unwrap_or(0) as f64
            / self.unigrams.total as f64;
        (1.0 - lambda) * seen + lambda / self.outcomes()
    }

    fn p2(&self, last: Id, word: Id) -> f64 {
        blend(self.bigrams.get(&last), word, self.p1(word))
    }

    fn p3(&self, before: Id, last: Id, word: Id) -> f64 {
        blend(
            self.trigrams.get(&(before, last)),
            word,
            self.p2(last, word),
        )
    }

    /// The model as an ARPA file.
    pub(super) fn to_arpa(&self) -> String {
        let bigrams: usize = self
            .bigrams
            .values()
            .map(|followers| followers.counts.len())
            .sum();
        let trigrams: usize = self
            .trigrams
            .values()
            .map(|followers| followers.counts.len())
            .sum();
        let mut out = format!(
            "\\data\\\nngram 1={}\nngram 2={bigrams}\nngram 3={trigrams}\n\n\\1-grams:\n",
            self.words.len()
        );
        let word = |id: Id| self.words[id as usize].as_str();
        for (id, text) in (0..).zip(&self.words) {
            let backoff = self.bigrams.get(&id).map_or(1.0, Followers::backoff);
            line(&mut out, self.p1(id), text, Some(backoff));
        }
        out.push_str("\n\\2-grams:\n");
        for (&last, followers) in &self.bigrams {
            for &next in followers.counts.keys() {
                let backoff = self
                    .trigrams
                    .get(&(last, next))
                    .map_or(1.0, Followers::backoff);
                line(
                    &mut out,
                    self.p2(last, next),
                    &format!("{} {}", word(last), word(next)),
                    Some(backoff),
                );
            }
        }
        out.push_str("\n\\3-grams:\n");
        for (&(before, last), followers) in &self.trigrams {
            for &next in followers.counts.keys() {
                let text = format!("{} {} {}", word(before), word(last), word(next));
                line(&mut out, self.p3(before, last, next), &text, None);
            }
        }
        out.push_str("\n\\end\\\n");
        out
    }
}

fn blend(followers: Option<&Followers>, word: Id, lower: f64) -> f64 {
    let Some(followers) = followers else {
        return lower;
    };
    let lambda = followers.backoff();
    let seen = followers.counts.get(&word).copied().unwrap_or(0) as f64 / followers.total as f64;
    (1.0 - lambda) * seen + lambda * lower
}

fn line(out: &mut String, probability: f64, text: &str, backoff: Option<f64>) {
    let log10 = if probability > 0.0 {
        probability.log10()
    } else {
        LOG10_ZERO
    };
    let written = match backoff {
        Some(backoff) => writeln!(out, "{log10:.4} {text} {:.4}", backoff.log10()),
        None => writeln!(out, "{log10:.4} {text}"),
    };
    written.expect("invariant: writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(phrases: &[&str]) -> PhraseModel {
        let phrases: Vec<Vec<String>> = phrases
            .iter()
            .map(|phrase| phrase.split(' ').map(str::to_owned).collect())
            .collect();
        PhraseModel::new(&phrases).expect("phrases with words")
    }

    const COFFEE: [&str; 4] = [
        "a small latte please",
        "a large mocha",
        "a small mocha with milk",
        "milk",
    ];

    #[test]
    fn every_history_s_probabilities_sum_to_one() {
        let model = model(&COFFEE);
        let ids = 0..model.words.len() as Id;
        for last in ids.clone() {
            let sum: f64 = ids.clone().map(|word| model.p2(last, word)).sum();
            assert!((sum - 1.0).abs() < 1e-9, "after {last}: {sum}");
            for before in ids.clone() {
                let sum: f64 = ids.clone().map(|word| model.p3(before, last, word)).sum();
                assert!((sum - 1.0).abs() < 1e-9, "after {before} {last}: {sum}");
            }
        }
    }

    #[test]
    fn what_was_seen_is_likelier_than_what_was_not() {
        let model = model(&COFFEE);
        let id = |word: &str| model.words.iter().position(|w| w == word).expect("a word") as Id;
        assert!(
            model.p3(id("a"), id("small"), id("latte"))
                > model.p3(id("a"), id("small"), id("with"))
        );
        assert!(model.p3(id("a"), id("small"), id("with")) > 0.0);
    }

    #[test]
    fn the_arpa_file_backs_off_to_the_model_s_own_probabilities() {
        let model = model(&COFFEE);
        let arpa = model.to_arpa();
        let find = |text: &str| -> (f64, f64) {
            let row = arpa.lines().map(|row| row.split(' ').collect::<Vec<_>>());
            let n = text.split(' ').count();
            let row = row
                .into_iter()
                .find(|row| row.len() > n && row[1..=n].join(" ") == text);
            let row = row.unwrap_or_else(|| panic!("{text} is not in the file"));
            let backoff = row.get(n + 1).map_or(0.0, |b| b.parse().expect("a number"));
            (row[0].parse().expect("a number"), backoff)
        };
        let id = |word: &str| model.words.iter().position(|w| w == word).expect("a word") as Id;
        // "small large" was never seen: P(large | small) = bow(small) P(large).
        let backed_off = find("small").1 + find("large").0;
        assert!((backed_off - model.p2(id("small"), id("large")).log10()).abs() < 1e-3);
        assert!(
            (find("a small latte").0 - model.p3(id("a"), id("small"), id("latte")).log10()).abs()
                < 1e-3
        );
    }

    #[test]
    fn phrases_without_words_make_no_model() {
        assert!(PhraseModel::new(&[]).is_none());
        assert!(PhraseModel::new(&[vec![]]).is_none());
    }
}
