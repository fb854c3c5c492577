//! `Think`: history in, words out.

pub mod offline;
pub mod openai;

use antiphon_proto::{AgentId, GenerationId, Message, ToolCall};
use tokio::sync::mpsc;

use crate::TaskHandle;

/// A responder, shared by all calls.
pub trait Think: Send + Sync {
    /// Its name, e.g. `offline` or `openai`.
    fn name(&self) -> &'static str;

    /// Starts one reply. Deltas go to `events`, then exactly one [`ThinkEventKind::Done`] or
    /// [`ThinkEventKind::Failed`]. Dropping the handle stops the work and closes its connection.
    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle;
}

/// One reply to make.
#[derive(Clone, Debug)]
pub struct ThinkRequest {
    /// Echoed in every event.
    pub generation: GenerationId,
    /// Whose words these are to be.
    pub agent: std::sync::Arc<antiphon_agents::Agent>,
    /// What was said and heard, oldest first, tool calls and their results included.
    pub history: Vec<Message>,
    /// Tools that may be called.
    pub tools: Vec<ToolDeclaration>,
}

/// A tool as a responder is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolDeclaration {
    /// Its name.
    pub name: String,
    /// What it does and when to call it.
    pub description: String,
    /// JSON schema of its arguments, as text.
    pub parameters: String,
}

/// What a responder says.
#[derive(Clone, Debug, PartialEq)]
pub struct ThinkEvent {
    /// The reply it is about.
    pub generation: GenerationId,
    /// What.
    pub kind: ThinkEventKind,
}

/// Kinds of [`ThinkEvent`].
#[derive(Clone, Debug, PartialEq)]
pub enum ThinkEventKind {
    /// More words, to be appended as they are.
    Delta {
        /// The words.
        text: String,
    },
    /// Tools are to be run, all at once; nothing but [`ThinkEventKind::Done`] follows.
    ToolCalls {
        /// The calls.
        calls: Vec<ToolCall>,
    },
    /// The reply is complete.
    Done {
        /// Tokens read and written, where the provider tells.
        usage: Option<ThinkUsage>,
        /// True where the call is over once this reply has been spoken (a goodbye).
        hang_up: bool,
        /// Who takes the call over once this reply has been spoken.
        hand_off: Option<AgentId>,
    },
    /// The reply failed; what came before stands.
    Failed {
        /// Why, for logs and operators; never the words.
        reason: String,
    },
}

/// Tokens used by one reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThinkUsage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}
