//! Everything a caller is likely to say, for the recognizer's language model.

use std::collections::HashSet;

use crate::{Agent, Slot, plain_words};

/// Phrases given to a recognizer; beyond it a language model is slow to build.
const PHRASES_MAX: usize = 20_000;
/// Fillings of the slots of one example.
const FILLINGS_MAX: usize = 64;

impl Agent {
    /// What callers are likely to say to this agent, as plain lower-case words with numbers
    /// spelled, each phrase once: examples of intents and small talk with their slots filled,
    /// questions that passages answer, suggestions, topics and vocabulary, and the sentences of
    /// the answers, whose words callers take up.
    pub fn phrases(&self) -> Vec<String> {
        let mut phrases = Phrases::default();
        for intent in self.intents.iter().chain(&self.small_talk) {
            for example in &intent.examples {
                for filled in fill_slots(example, &self.slots) {
                    phrases.push(&filled);
                }
            }
        }
        for text in self
            .suggestions
            .iter()
            .chain(&self.vocabulary)
            .chain([&self.name, &self.title])
        {
            phrases.push(text);
        }
        for value in self.slots.iter().flat_map(|slot| &slot.values) {
            phrases.push(value);
        }
        for passage in &self.knowledge {
            phrases.push(&passage.title);
            phrases.push(&format!("tell me about {}", passage.title));
            for ask in &passage.asks {
                phrases.push(ask);
            }
            phrases.push_sentences(&passage.text);
        }
        for answer in self.intents.iter().flat_map(|intent| &intent.answers) {
            phrases.push_sentences(answer);
        }
        phrases.list
    }
}

#[derive(Default)]
struct Phrases {
    seen: HashSet<String>,
    list: Vec<String>,
}

impl Phrases {
    fn push(&mut self, text: &str) {
        let phrase = plain_words(text).join(" ");
        if !phrase.is_empty() && self.list.len() < PHRASES_MAX && self.seen.insert(phrase.clone()) {
            self.list.push(phrase);
        }
    }

    fn push_sentences(&mut self, text: &str) {
        for sentence in text.split_inclusive(['.', '?', '!']) {
            // A template's words around its gap are no sentence.
            if !sentence.contains('{') {
                self.push(sentence);
            }
        }
    }
}

/// The example with each of its slots filled, so that every value of every slot occurs at least
/// once without multiplying the slots with one another.
fn fill_slots(example: &str, slots: &[Slot]) -> Vec<String> {
    let used: Vec<&Slot> = slots
        .iter()
        .filter(|slot| !slot.values.is_empty() && example.contains(&format!("{{{}}}", slot.name)))
        .collect();
    let fillings = used
        .iter()
        .map(|slot| slot.values.len())
        .max()
        .unwrap_or(1)
        .min(FILLINGS_MAX);
    (0..fillings)
        .map(|round| {
            used.iter()
                .enumerate()
                .fold(example.to_owned(), |text, (nth, slot)| {
                    // Shifted per slot, so that the same pair of values does not recur every round.
                    let value = &slot.values
                        [(round + nth * (round / slot.values.len() + 1)) % slot.values.len()];
                    text.replace(&format!("{{{}}}", slot.name), value)
                })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::fill_slots;
    use crate::Slot;

    #[test]
    fn every_value_of_every_slot_occurs() {
        let slots = [
            Slot {
                name: "size".to_owned(),
                values: vec!["small".to_owned(), "large".to_owned()],
            },
            Slot {
                name: "drink".to_owned(),
                values: vec!["tea".to_owned(), "latte".to_owned(), "mocha".to_owned()],
            },
        ];
        let filled = fill_slots("a {size} {drink} please", &slots).join("\n");
        for word in ["small", "large", "tea", "latte", "mocha"] {
            assert!(filled.contains(word), "{word} in {filled}");
        }
        assert!(!filled.contains('{'));
        assert_eq!(fill_slots("no slots", &slots), ["no slots"]);
    }
}
