//! What has come of a reply so far.

use antiphon_proto::{GenerationId, ToolCall, ToolCallId};

use crate::think::ThinkUsage;
use crate::{Fault, FaultKind};

/// Calls of one reply that are read.
pub(crate) const CALLS_MAX: usize = 32;
/// Longest arguments of a call that are read, bytes.
pub(crate) const ARGUMENTS_BYTES_MAX: usize = 64 * 1_024;
/// Longest reply that is read, bytes; 300 tokens of speech are some 1.5 kB.
pub(crate) const REPLY_BYTES_MAX: usize = 256 * 1_024;

/// A reply as its stream is read.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// Words that were not handed on yet.
    words: String,
    words_bytes: usize,
    calls: Vec<(usize, ToolCall)>,
    usage: Option<ThinkUsage>,
    is_finished: bool,
    is_over: bool,
}

impl Reply {
    /// More words.
    pub(crate) fn say(&mut self, words: &str) -> Result<(), Fault> {
        self.words_bytes += words.len();
        if self.words_bytes > REPLY_BYTES_MAX {
            return Err(too_long("the reply", REPLY_BYTES_MAX));
        }
        self.words.push_str(words);
        Ok(())
    }

    /// The call in `slot`, whose parts come one by one.
    pub(crate) fn call(&mut self, slot: usize) -> Result<Part<'_>, Fault> {
        let at = match self.calls.iter().position(|(other, _)| *other == slot) {
            Some(at) => at,
            None if self.calls.len() >= CALLS_MAX => {
                let reason = format!("the reply calls more than {CALLS_MAX} tools");
                return Err(Fault::new(FaultKind::Malformed, reason));
            }
            None => {
                let call = ToolCall {
                    id: ToolCallId::from(""),
                    name: String::new(),
                    arguments: String::new(),
                };
                self.calls.push((slot, call));
                self.calls.len() - 1
            }
        };
        Ok(Part(&mut self.calls[at].1))
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Tokens used, where the provider has told.
    pub(crate) fn usage_mut(&mut self) -> &mut ThinkUsage {
        self.usage.get_or_insert_default()
    }

    /// The model has come to its end; only the usage may follow.
    pub(crate) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Nothing follows.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_finished || self.is_over
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn has_output(&self) -> bool {
        self.words_bytes > 0 || !self.calls.is_empty()
    }

    pub(super) fn usage(&self) -> Option<ThinkUsage> {
        self.usage
    }

    pub(super) fn take_words(&mut self) -> String {
        std::mem::take(&mut self.words)
    }

    /// The calls, each with an id, as some servers give none, and with an object of arguments.
    pub(super) fn take_calls(&mut self, generation: GenerationId) -> Result<Vec<ToolCall>, Fault> {
        let mut calls = std::mem::take(&mut self.calls);
        calls.sort_by_key(|(slot, _)| *slot);
        let named = calls
            .into_iter()
            .map(|(_, call)| call)
            .filter(|call| !call.name.is_empty());
        let whole = |(nth, mut call): (usize, ToolCall)| {
            if call.id.as_str().is_empty() {
                call.id = ToolCallId(format!("call_{}_{nth}", generation.0));
            }
            if call.arguments.trim().is_empty() {
                call.arguments = "{}".to_owned();
            }
            let object: Result<serde_json::Map<String, serde_json::Value>, _> =
                serde_json::from_str(&call.arguments);
            object.map(|_| call).map_err(|_| {
                let reason = "the arguments of a tool call are no JSON object";
                Fault::new(FaultKind::Malformed, reason)
            })
        };
        named.enumerate().map(whole).collect()
    }
}

/// A call in the making.
pub(crate) struct Part<'a>(&'a mut ToolCall);

impl Part<'_> {
    /// Its id; an empty one is none.
    pub(crate) fn id(self, id: Option<&str>) -> Self {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.0.id = ToolCallId::from(id);
        }
        self
    }

    /// More of its name.
    pub(crate) fn name(self, name: Option<&str>) -> Self {
        self.0.name.push_str(name.unwrap_or_default());
        self
    }

    /// More of its arguments.
    pub(crate) fn arguments(self, fragment: Option<&str>) -> Result<Self, Fault> {
        self.0.arguments.push_str(fragment.unwrap_or_default());
        if self.0.arguments.len() + self.0.name.len() > ARGUMENTS_BYTES_MAX {
            return Err(too_long("a tool call", ARGUMENTS_BYTES_MAX));
        }
        Ok(self)
    }

    /// Its arguments as they are now complete, in the place of the fragments.
    pub(crate) fn all_arguments(self, arguments: Option<&str>) -> Result<Self, Fault> {
        if let Some(arguments) = arguments.filter(|arguments| !arguments.is_empty()) {
            self.0.arguments.clear();
            return self.arguments(Some(arguments));
        }
        Ok(self)
    }
}

fn too_long(what: &str, bytes_max: usize) -> Fault {
    let reason = format!("{what} is longer than {bytes_max} bytes");
    Fault::new(FaultKind::Malformed, reason)
}
