//! Summaries of what was dropped from long calls, made in the background by the same model.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use antiphon_proto::{Message, Role};

use super::ThinkUsage;
use super::context::Block;

/// Summaries remembered; the oldest goes first. Long calls need one at a time.
const SUMMARIES_MAX: usize = 1_024;
/// Summaries in the making at once, all calls together.
const MAKING_MAX: usize = 8;
/// Longest text given to be summed up, bytes.
const INPUT_BYTES_MAX: usize = 32 * 1_024;
/// Longest summary kept, bytes; models are asked for much less.
const SUMMARY_BYTES_MAX: usize = 4 * 1_024;
/// Longest summary asked for, tokens.
pub(crate) const SUMMARY_TOKENS_MAX: u32 = 250;
/// What the model is told.
pub(crate) const INSTRUCTIONS: &str = "You keep the notes of a phone call. Sum up the part of the \
    call that you are given in at most eight short lines of plain text: who the caller is, what \
    they want, facts, names, numbers, dates and promises, and what is still open. Leave out \
    greetings. Invent nothing. If there are notes of what came before, carry on what matters.";

/// All summaries of one adapter.
#[derive(Debug, Default)]
pub(crate) struct Summaries {
    states: Mutex<VecDeque<(u128, State)>>,
}

#[derive(Debug)]
enum State {
    Making,
    Failed,
    Ready {
        text: String,
        /// What it cost, until a reply has accounted for it.
        owed: Option<ThinkUsage>,
    },
}

/// What a reply takes from the summaries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The newest summary there is.
    pub(crate) summary: Option<String>,
    /// Blocks that it covers, counted from the oldest.
    pub(crate) summed: usize,
    /// Tokens spent on it that no reply has accounted for.
    pub(crate) owed: Option<ThinkUsage>,
    /// A summary to be made now.
    pub(crate) job: Option<Job>,
}

/// A summary to be made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
    key: u128,
    /// What is to be summed up.
    pub(crate) text: String,
}

impl Summaries {
    /// The newest summary of `blocks`, and the job of making a newer one where none is under way.
    pub(crate) fn find(&self, blocks: &[Block<'_>]) -> Found {
        let Some(last) = blocks.last() else {
            return Found::default();
        };
        let mut states = self.states();
        let mut found = Found::default();
        for (at, block) in blocks.iter().enumerate().rev() {
            let key = block.key();
            let ready = states.iter_mut().find(|(other, _)| *other == key);
            if let Some((_, State::Ready { text, owed })) = ready {
                found.summary = Some(text.clone());
                found.summed = at + 1;
                found.owed = owed.take();
                break;
            }
        }
        let key = last.key();
        let making = states
            .iter()
            .filter(|(_, state)| matches!(state, State::Making));
        if making.count() < MAKING_MAX && states.iter().all(|(other, _)| *other != key) {
            if states.len() >= SUMMARIES_MAX {
                states.pop_front();
            }
            states.push_back((key, State::Making));
            let rest = blocks[found.summed..]
                .iter()
                .flat_map(|block| &block.messages);
            found.job = Some(Job {
                key,
                text: text_of(found.summary.as_deref(), rest.copied()),
            });
        }
        found
    }

    /// Keeps a summary that was made; `None` where it could not be.
    pub(crate) fn keep(&self, job: &Job, made: Option<(String, Option<ThinkUsage>)>) {
        let state = match made {
            Some((text, owed)) if !text.trim().is_empty() => State::Ready {
                text: cut(text, SUMMARY_BYTES_MAX),
                owed,
            },
            // The next block brings the next try.
            Some(_) | None => State::Failed,
        };
        let mut states = self.states();
        if let Some((_, kept)) = states.iter_mut().find(|(key, _)| *key == job.key) {
            *kept = state;
        }
    }

    fn states(&self) -> MutexGuard<'_, VecDeque<(u128, State)>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call as the model reads it.
fn text_of<'a>(before: Option<&str>, messages: impl Iterator<Item = &'a Message>) -> String {
    let mut text = String::new();
    if let Some(before) = before {
        text.push_str(&format!("Notes of what came before:\n{before}\n\n"));
    }
    text.push_str("This part of the call:\n");
    for message in messages {
        let who = match message.role {
            Role::User => "Caller",
            Role::Agent => "Agent",
            Role::ToolCall => "Tool called with",
            Role::ToolResult => "Tool answered",
        };
        text.push_str(&format!("{who}: {}\n", message.text));
        if text.len() > INPUT_BYTES_MAX {
            break;
        }
    }
    cut(text, INPUT_BYTES_MAX)
}

fn cut(mut text: String, bytes_max: usize) -> String {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use antiphon_proto::{Message, Role, TurnId};

    use super::{Summaries, ThinkUsage};
    use crate::think::context::Context;

    fn talk(turns: u32) -> Vec<Message> {
        let message = |turn| Message {
            turn: TurnId(turn),
            role: Role::User,
            text: format!("statement {turn} {}", "a b c ".repeat(30)),
            interrupted: false,
            at_ms: 0,
            tool: None,
        };
        (0..turns).map(message).collect()
    }

    #[test]
    fn each_summary_builds_on_the_one_before() {
        let summaries = Summaries::default();
        let short = talk(20);
        let context = Context::fit(&short, 700);
        let blocks = context.blocks();
        assert_eq!(blocks.len(), 1);
        let job = summaries.find(&blocks).job.unwrap();
        assert!(job.text.contains("Caller: statement 0 ") && job.text.contains("statement 7 "));
        assert_eq!(summaries.find(&blocks).job, None, "one is under way");
        let usage = ThinkUsage {
            input_tokens: 9,
            ..ThinkUsage::default()
        };
        summaries.keep(&job, Some(("They spoke of letters.".into(), Some(usage))));
        let found = summaries.find(&blocks);
        assert_eq!(
            (found.summary.as_deref(), found.summed),
            (Some("They spoke of letters."), 1)
        );
        assert_eq!(found.owed, Some(usage));
        assert_eq!(summaries.find(&blocks).owed, None, "accounted for once");

        let long = talk(30);
        let context = Context::fit(&long, 700);
        let found = summaries.find(&context.blocks());
        assert_eq!(
            found.summed, 1,
            "the old one serves until there is a new one"
        );
        let job = found.job.unwrap();
        assert!(job.text.contains("They spoke of letters.") && job.text.contains("statement 8 "));
        assert!(
            !job.text.contains("statement 7 "),
            "nothing is summed up twice"
        );
    }

    #[test]
    fn a_failed_one_is_not_tried_for_ever() {
        let summaries = Summaries::default();
        let history = talk(20);
        let context = Context::fit(&history, 700);
        let job = summaries.find(&context.blocks()).job.unwrap();
        summaries.keep(&job, None);
        let found = summaries.find(&context.blocks());
        assert_eq!((found.summary, found.job), (None, None));
    }
}
