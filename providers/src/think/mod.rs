//! `Think`: history in, words out.

pub mod offline;
pub mod openai;

use antiphon_proto::{GenerationId, Message};
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
    /// What was said and heard, oldest first; the last one is the person's.
    pub history: Vec<Message>,
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
    /// The reply is complete.
    Done {
        /// Tokens read and written, where the provider tells.
        usage: Option<ThinkUsage>,
        /// True where the call is over once this reply has been spoken (a goodbye).
        hang_up: bool,
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
