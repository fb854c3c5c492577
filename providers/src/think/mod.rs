//! `Think`: history in, words out.

pub mod known;
pub mod offline;

mod anthropic;
mod chat;
mod config;
mod context;
mod gemini;
mod history;
mod remote;
mod responses;
mod schema;
mod summary;

use std::future::Future;
use std::pin::Pin;

use antiphon_proto::{AgentId, GenerationId, Message, ToolCall};
use tokio::sync::mpsc;

pub use self::config::{CONTEXT_TOKENS_MAX_DEFAULT, ConfigError, ThinkConfig};
pub use self::remote::RemoteThink;
use crate::{Fault, TaskHandle};

/// A responder, shared by all calls.
pub trait Think: Send + Sync {
    /// Its name, e.g. `offline` or `openai`.
    fn name(&self) -> &'static str;

    /// The model it asks, e.g. `gpt-4o-mini`; empty where there is none to name.
    fn model(&self) -> &str {
        ""
    }

    /// What it can do.
    fn capabilities(&self) -> ThinkCapabilities {
        ThinkCapabilities::default()
    }

    /// Asks the provider whether it can be reached and accepts the key, at no cost. The connection
    /// stays open for the first reply.
    fn probe(&self) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Starts one reply. Deltas go to `events`, then exactly one [`ThinkEventKind::Done`] or
    /// [`ThinkEventKind::Failed`]. Dropping the handle stops the work and closes its connection.
    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle;
}

/// What a responder can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThinkCapabilities {
    /// It can call tools.
    pub tools: bool,
    /// The words leave this machine.
    pub remote: bool,
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
    /// How long it may become.
    pub limits: ThinkLimits,
    /// Words of this very reply that the caller was given before another provider broke off: the
    /// reply goes on right behind them and repeats none.
    pub already_said: Option<String>,
}

/// Longest reply, tokens, unless a request says otherwise; 300 are about 90 seconds of speech.
pub const TOKENS_MAX_DEFAULT: u32 = 300;

/// How long a reply may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThinkLimits {
    /// Longest reply, tokens.
    pub tokens_max: u32,
    /// Texts at which the reply ends; they are not part of it. At most four.
    pub stop: Vec<String>,
}

impl Default for ThinkLimits {
    fn default() -> Self {
        Self {
            tokens_max: TOKENS_MAX_DEFAULT,
            stop: Vec::new(),
        }
    }
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
        /// Why.
        fault: Fault,
    },
}

/// Tokens used by one reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThinkUsage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens read from the provider's cache, at its lower price.
    pub cached_input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}
