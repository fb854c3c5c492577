//! Chat Completions: what is sent and what comes back.

use antiphon_agents::Agent;
use antiphon_proto::{Message, Role};
use serde::{Deserialize, Serialize};

use super::config::OpenAiConfig;

/// Entries of the history sent; a long call would slow each first word.
const HISTORY_MAX: usize = 60;

#[derive(Serialize)]
pub(super) struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<ChatMessage<'a>>,
    stream: bool,
    stream_options: StreamOptions,
    max_tokens: u32,
}

#[derive(Serialize)]
struct ChatMessage<'a> {
    role: &'static str,
    content: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> ChatRequest<'a> {
    pub(super) fn new(config: &'a OpenAiConfig, agent: &Agent, history: &'a [Message]) -> Self {
        let system = ChatMessage {
            role: "system",
            content: agent.instructions().into(),
        };
        let recent = &history[history.len().saturating_sub(HISTORY_MAX)..];
        let said = recent
            .iter()
            .filter(|message| !message.text.trim().is_empty())
            .map(|message| ChatMessage {
                role: match message.role {
                    Role::User => "user",
                    Role::Agent => "assistant",
                },
                // The dash tells the model where it was cut off, as its instructions explain.
                content: if message.interrupted {
                    format!("{} —", message.text).into()
                } else {
                    message.text.as_str().into()
                },
            });
        Self {
            model: &config.model,
            messages: std::iter::once(system).chain(said).collect(),
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
            },
            max_tokens: config.tokens_max,
        }
    }
}

/// One event of the stream. Fields that are not used are ignored, because servers add their own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChatChunk {
    choices: Vec<Choice>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delta {
    content: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
}

impl ChatChunk {
    /// The words of the first choice; no other is asked for.
    pub(super) fn words(&self) -> &str {
        let delta = self
            .choices
            .first()
            .and_then(|choice| choice.delta.as_ref());
        delta
            .and_then(|delta| delta.content.as_deref())
            .unwrap_or_default()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.choices
            .first()
            .is_some_and(|choice| choice.finish_reason.is_some())
    }
}
