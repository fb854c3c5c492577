//! What the history tells: nothing is remembered elsewhere, so a reply depends on it alone.

use std::collections::HashSet;

use antiphon_agents::{Agent, plain_words};
use antiphon_proto::{Message, Role};

use super::index::{AgentIndex, Origin, Part, Topic, sentence_key, sentences, slot_word};
use super::names::introduction;
use super::words::{TEXT_CHARS_MAX, normalize};

/// Entries of the history that are looked at, newest first; five minutes have about 60.
const HISTORY_MAX: usize = 80;
/// Words a cut-off sentence needs to be recognized.
const CUT_WORDS_MIN: usize = 2;

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Replies the person has asked for, this one included.
    pub(crate) turn: usize,
    /// The person's last words.
    pub(crate) text: String,
    pub(crate) caller: Option<String>,
    /// Slot name and value, as last said.
    pub(crate) slots: Vec<(String, String)>,
    /// Keys of all sentences that the agent has said.
    pub(crate) spoken: HashSet<String>,
    /// What the agent talked about, oldest first.
    pub(crate) topics: Vec<Topic>,
    pub(crate) last: LastReply,
}

/// The agent's last entry.
#[derive(Debug, Default)]
pub(crate) struct LastReply {
    pub(crate) text: String,
    pub(crate) interrupted: bool,
    /// Each sentence with its origin, where it has one.
    pub(crate) sentences: Vec<(String, Option<Origin>)>,
}

impl Memory {
    pub(crate) fn read(agent: &Agent, index: &AgentIndex, history: &[Message]) -> Self {
        let mut memory = Self::default();
        let recent = &history[history.len().saturating_sub(HISTORY_MAX)..];
        // Turns that were not answered in between belong together.
        let mut unanswered: Vec<&str> = Vec::new();
        for message in recent {
            match message.role {
                Role::User => unanswered.push(&message.text),
                Role::Agent => {
                    memory.hear_all(agent, &mut unanswered);
                    memory.say(index, message);
                }
                Role::ToolCall | Role::ToolResult => {}
            }
        }
        memory.hear_all(agent, &mut unanswered);
        if recent
            .last()
            .is_none_or(|message| message.role == Role::Agent)
        {
            memory.text.clear();
        }
        memory
    }

    fn hear_all(&mut self, agent: &Agent, unanswered: &mut Vec<&str>) {
        if !unanswered.is_empty() {
            self.hear(agent, &unanswered.join(" "));
            unanswered.clear();
        }
    }

    fn hear(&mut self, agent: &Agent, text: &str) {
        self.turn += 1;
        self.text = text.chars().take(TEXT_CHARS_MAX).collect();
        if let Some(found) = introduction(&self.text, self.last.asks_name()) {
            self.caller = Some(found.name);
        }
        for slot in &agent.slots {
            if let Some(value) = find_value(&plain_words(&self.text), &slot.values) {
                self.slots.retain(|(name, _)| *name != slot.name);
                self.slots.push((slot.name.clone(), value.to_owned()));
            }
        }
    }

    fn say(&mut self, index: &AgentIndex, message: &Message) {
        let pieces = sentences(&message.text);
        let count = pieces.len();
        let mut found = Vec::with_capacity(count);
        for (nth, sentence) in pieces.into_iter().enumerate() {
            let key = sentence_key(sentence);
            let cut = message.interrupted && nth + 1 == count;
            let origin = self.origin(index, &key, cut);
            if let Some(origin) = origin {
                self.topics.retain(|topic| *topic != origin.topic);
                self.topics.push(origin.topic);
            }
            if !cut {
                self.spoken.insert(key.join(" "));
            }
            found.push((sentence.to_owned(), origin));
        }
        self.last = LastReply {
            text: message.text.clone(),
            interrupted: message.interrupted,
            sentences: found,
        };
    }

    fn origin(&self, index: &AgentIndex, key: &[String], cut: bool) -> Option<Origin> {
        if let Some(origin) = index.origin(key) {
            return Some(origin);
        }
        if cut {
            return (key.len() >= CUT_WORDS_MIN)
                .then(|| {
                    index
                        .sentence_list
                        .iter()
                        .find(|(words, _)| words.starts_with(key))
                })
                .flatten()
                .map(|(_, origin)| *origin);
        }
        index
            .sentence_list
            .iter()
            .find(|(words, _)| fills(words, key))
            .map(|(_, origin)| *origin)
    }

    /// What the talk was last about, small talk left out.
    pub(crate) fn subject(&self) -> Option<Topic> {
        self.topics.iter().rev().copied().find(|topic| match topic {
            Topic::Intent(_) | Topic::Passage(_) => true,
            Topic::SmallTalk(_) => false,
        })
    }

    /// True where every sentence of the text has been said.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        sentences(text)
            .iter()
            .all(|sentence| self.spoken.contains(&sentence_key(sentence).join(" ")))
    }

    /// True where any sentence of the text has been said.
    pub(crate) fn has_said_some(&self, text: &str) -> bool {
        sentences(text)
            .iter()
            .any(|sentence| self.spoken.contains(&sentence_key(sentence).join(" ")))
    }

    /// The person's words, normalized, with slot values replaced by their slot's word.
    pub(crate) fn words(&self, agent: &Agent, text: &str) -> Vec<String> {
        if agent.slots.is_empty() {
            return normalize(text);
        }
        let mut plain = format!(" {} ", plain_words(text).join(" "));
        for slot in &agent.slots {
            let mut values: Vec<String> = slot
                .values
                .iter()
                .map(|value| plain_words(value).join(" "))
                .collect();
            values.sort_by_key(|value| std::cmp::Reverse(value.len()));
            for value in values.iter().filter(|value| !value.is_empty()) {
                plain = plain.replace(
                    &format!(" {value} "),
                    &format!(" {} ", slot_word(&slot.name)),
                );
            }
        }
        normalize(&plain)
    }
}

impl LastReply {
    /// The question that waits for its reply.
    pub(crate) fn open_question(&self) -> Option<Topic> {
        let (_, origin) = self.sentences.last()?;
        origin
            .filter(|origin| origin.part == Part::Ask && !self.interrupted)
            .map(|origin| origin.topic)
    }

    fn asks_name(&self) -> bool {
        let last = self
            .sentences
            .last()
            .map(|(sentence, _)| sentence.to_lowercase())
            .unwrap_or_default();
        last.ends_with('?') && (last.contains("your name") || last.contains("call you"))
    }
}

/// True where `said` is the template's words with something filled in between.
fn fills(template: &[String], said: &[String]) -> bool {
    if template.len() < 3 || said.len() <= template.len() || said.len() > template.len() * 2 + 4 {
        return false;
    }
    // At least one end is seldom filled in; this spares the walk for nearly all.
    if template.first() != said.first() && template.last() != said.last() {
        return false;
    }
    let mut rest = said.iter();
    template.iter().all(|word| rest.any(|other| other == word))
}

/// The longest of the values that occurs in the words.
fn find_value<'a>(words: &[String], values: &'a [String]) -> Option<&'a str> {
    let text = format!(" {} ", words.join(" "));
    values
        .iter()
        .filter(|value| {
            let plain = plain_words(value).join(" ");
            !plain.is_empty() && text.contains(&format!(" {plain} "))
        })
        .max_by_key(|value| value.len())
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::{fills, find_value};

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn templates_are_recognized_when_filled() {
        assert!(fills(
            &words("nice to meet you"),
            &words("nice to meet you anna")
        ));
        assert!(!fills(
            &words("nice to meet you"),
            &words("nice to see you anna")
        ));
        assert!(!fills(
            &words("nice to meet you"),
            &words("nice to meet you")
        ));
    }

    #[test]
    fn longest_slot_value_wins() {
        let values = ["coffee".to_owned(), "iced coffee".to_owned()];
        assert_eq!(
            find_value(&words("an iced coffee please"), &values),
            Some("iced coffee")
        );
        assert_eq!(find_value(&words("a tea please"), &values), None);
    }
}
