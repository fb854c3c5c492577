//! What of a long call is still sent: recent turns whole, a summary of the rest, and every tool's
//! result.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

use antiphon_proto::{Message, Role, TurnId};

use super::history::is_result;

/// Turns are dropped up to a multiple of this, so that the front of the prompt stays the same for
/// several replies: a provider's cache of it stays good, and one summary serves them all.
const BLOCK_TURNS: u32 = 8;
/// Tokens that a message costs beside its words.
const MESSAGE_TOKENS: usize = 4;
/// Share of the budget that notes on dropped turns may take, in percent.
const NOTES_PERCENT: usize = 25;
/// Shortest a kept tool result is cut to, characters.
const RESULT_CHARS_MIN: usize = 40;
/// Longest a kept tool result stays, characters.
const RESULT_CHARS_MAX: usize = 300;
/// Longest a statement of the user stays in the list of them, characters.
const STATEMENT_CHARS_MAX: usize = 120;

/// A history, divided.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// Sent as it is.
    pub(crate) kept: Vec<&'a Message>,
    /// Not sent, oldest first.
    pub(crate) dropped: Vec<&'a Message>,
    tokens_max: usize,
}

/// Tokens that `text` is about to cost. English has some four letters a token; a character beyond
/// ASCII is counted as one token, which is more than any tokenizer in use needs.
pub(crate) fn tokens_of(text: &str) -> usize {
    let (ascii, other) = text.chars().fold((0, 0), |(ascii, other), c| {
        if c.is_ascii() {
            (ascii + 1, other)
        } else {
            (ascii, other + 1)
        }
    });
    usize::div_ceil(ascii, 4) + other
}

fn cost(message: &Message) -> usize {
    tokens_of(&message.text) + MESSAGE_TOKENS
}

impl<'a> Context<'a> {
    /// Divides `history` so that what is kept has about `tokens_max` tokens at most. The last turn
    /// is always kept, and so is every call that is open or was answered after the cut.
    pub(crate) fn fit(history: &'a [Message], tokens_max: usize) -> Self {
        let first = first_kept(history, tokens_max);
        let Some(from) = first else {
            return Self {
                kept: history.iter().collect(),
                dropped: Vec::new(),
                tokens_max,
            };
        };
        let open = open_calls(history, from);
        let is_kept = |message: &Message| {
            message.turn >= from
                || message
                    .tool
                    .as_ref()
                    .is_some_and(|tool| open.contains(tool.id.as_str()))
        };
        let (kept, dropped) = history.iter().partition(|message| is_kept(message));
        Self {
            kept,
            dropped,
            tokens_max,
        }
    }

    /// The dropped messages by blocks, oldest first, each with a key that only the very same
    /// messages (words and times) have. The last may be a part of one.
    pub(crate) fn blocks(&self) -> Vec<Block<'a>> {
        let mut blocks: Vec<Block<'a>> = Vec::new();
        for message in &self.dropped {
            let number = message.turn.0 / BLOCK_TURNS;
            match blocks.last_mut() {
                Some(block) if block.number == number => block.messages.push(message),
                _ => blocks.push(Block {
                    number,
                    messages: vec![message],
                }),
            }
        }
        blocks
    }

    /// What is told of the dropped turns: `summary` of the first `summed` blocks, the user's
    /// statements of the others, and every tool result. Nothing where nothing was dropped.
    pub(crate) fn notes(&self, summary: Option<&str>, summed: usize) -> Option<String> {
        if self.dropped.is_empty() {
            return None;
        }
        let chars_max = self.tokens_max * NOTES_PERCENT / 100 * 4;
        let mut notes = String::from(
            "\nThe call is long; its beginning is not repeated here. What happened before:\n",
        );
        if let Some(summary) = summary {
            notes.push_str(summary.trim());
            notes.push('\n');
        }
        let results = self.results(chars_max / 2);
        let rest: Vec<&Message> = self
            .blocks()
            .into_iter()
            .skip(summed)
            .flat_map(|block| block.messages)
            .collect();
        let room = chars_max.saturating_sub(notes.len() + results.len());
        notes.push_str(&statements(&rest, room));
        notes.push_str(&results);
        Some(notes)
    }

    /// Every result among the dropped, the shorter the more there are.
    fn results(&self, chars_max: usize) -> String {
        let calls: Vec<&&Message> = self
            .dropped
            .iter()
            .filter(|message| message.role == Role::ToolCall)
            .collect();
        let each = (chars_max / calls.len().max(1)).clamp(RESULT_CHARS_MIN, RESULT_CHARS_MAX);
        let mut lines = String::new();
        for call in calls {
            let Some(tool) = &call.tool else { continue };
            let result = self
                .dropped
                .iter()
                .rev()
                .find(|message| is_result(message, &tool.id));
            let result = result.map_or("(no result)", |message| message.text.as_str());
            let arguments = shortened(&call.text, each / 2);
            let result = shortened(result, each);
            lines.push_str(&format!(
                "- The tool {}({arguments}) answered: {result}\n",
                tool.name
            ));
        }
        lines
    }
}

/// Dropped turns that are summed up together.
#[derive(Clone, Debug)]
pub(crate) struct Block<'a> {
    number: u32,
    pub(crate) messages: Vec<&'a Message>,
}

impl Block<'_> {
    /// Names these very messages within this process. Keyed by chance, and 128 bits wide, so that
    /// no two calls ever share a summary.
    pub(crate) fn key(&self) -> u128 {
        static STATES: OnceLock<[RandomState; 2]> = OnceLock::new();
        let states = STATES.get_or_init(|| [RandomState::new(), RandomState::new()]);
        let [high, low] = states.each_ref().map(|state| {
            let facts = self
                .messages
                .iter()
                .map(|m| (m.turn, m.role as u8, &m.text, m.interrupted, m.at_ms));
            let mut hasher = state.build_hasher();
            facts.for_each(|fact| fact.hash(&mut hasher));
            std::hash::Hasher::finish(&hasher)
        });
        (u128::from(high) << 64) | u128::from(low)
    }
}

/// The first turn that is kept; nothing where all fit.
fn first_kept(history: &[Message], tokens_max: usize) -> Option<TurnId> {
    let total: usize = history.iter().map(cost).sum();
    if total <= tokens_max {
        return None;
    }
    let last = history.iter().map(|message| message.turn).max()?;
    let fits = |from: TurnId| {
        let kept = history.iter().filter(|message| message.turn >= from);
        kept.map(cost).sum::<usize>() <= tokens_max
    };
    // Blocks first. Where a single block is too much, turn by turn.
    let blocks = (1..=last.0 / BLOCK_TURNS).map(|block| TurnId(block * BLOCK_TURNS));
    let inside = (last.0 / BLOCK_TURNS * BLOCK_TURNS + 1..last.0).map(TurnId);
    let from = blocks
        .chain(inside)
        .find(|from| fits(*from))
        .unwrap_or(last);
    history
        .iter()
        .any(|message| message.turn < from)
        .then_some(from)
}

/// Calls before `from` that have no result before it.
fn open_calls(history: &[Message], from: TurnId) -> HashSet<&str> {
    let cut = history
        .iter()
        .position(|message| message.turn >= from)
        .unwrap_or(history.len());
    let early = history[..cut]
        .iter()
        .filter(|message| message.role == Role::ToolCall);
    early
        .filter_map(|call| call.tool.as_ref())
        .filter(|tool| {
            !history[..cut]
                .iter()
                .any(|message| is_result(message, &tool.id))
        })
        .map(|tool| tool.id.as_str())
        .collect()
}

/// What the user said, oldest first, as far as there is room.
fn statements(messages: &[&Message], chars_max: usize) -> String {
    let mut lines = String::new();
    for message in messages.iter().filter(|message| message.role == Role::User) {
        let line = format!(
            "- The caller said: {}\n",
            shortened(&message.text, STATEMENT_CHARS_MAX)
        );
        if lines.len() + line.len() > chars_max {
            break;
        }
        lines.push_str(&line);
    }
    lines
}

fn shortened(text: &str, chars_max: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
#[path = "context/tests.rs"]
mod tests;
