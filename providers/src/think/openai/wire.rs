//! Chat Completions: what is sent and what comes back.

use std::borrow::Cow;

use antiphon_proto::{GenerationId, Message, Role, ToolCall, ToolCallId};
use serde::{Deserialize, Serialize};

use super::config::OpenAiConfig;
use crate::think::ThinkRequest;

/// Entries of the history sent; a long call would slow each first word.
const HISTORY_MAX: usize = 60;
/// Calls of one reply that are read.
const CALLS_MAX: usize = 32;
/// Longest arguments of a call that are read.
const ARGUMENTS_BYTES_MAX: usize = 64 * 1_024;

#[derive(Serialize)]
pub(super) struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<ChatMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    stream: bool,
    stream_options: StreamOptions,
    max_tokens: u32,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
}

#[derive(Serialize)]
struct ChatMessage<'a> {
    role: &'static str,
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct CallOut<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: FunctionOut<'a>,
}

#[derive(Serialize)]
struct FunctionOut<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: ToolFunction<'a>,
}

#[derive(Serialize)]
struct ToolFunction<'a> {
    name: &'a str,
    description: &'a str,
    parameters: serde_json::Value,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> ChatMessage<'a> {
    fn of(role: &'static str, content: impl Into<Cow<'a, str>>) -> Self {
        Self {
            role,
            content: content.into(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }
}

impl<'a> ChatRequest<'a> {
    pub(super) fn new(config: &'a OpenAiConfig, request: &'a ThinkRequest) -> Self {
        let system = ChatMessage::of("system", request.agent.instructions());
        let history = &request.history;
        let recent = &history[history.len().saturating_sub(HISTORY_MAX)..];
        let tools = request.tools.iter().map(|tool| Tool {
            kind: "function",
            function: ToolFunction {
                name: &tool.name,
                description: &tool.description,
                // A declaration that is no JSON takes no arguments.
                parameters: serde_json::from_str(&tool.parameters)
                    .unwrap_or_else(|_| serde_json::json!({"type": "object", "properties": {}})),
            },
        });
        Self {
            model: &config.model,
            messages: std::iter::once(system).chain(said(recent)).collect(),
            tools: tools.collect(),
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
            },
            max_tokens: request.limits.tokens_max,
            stop: &request.limits.stop,
        }
    }
}

/// History as the server wants it: each result right behind its call, however late it came.
fn said(history: &[Message]) -> Vec<ChatMessage<'_>> {
    let result_of = |id: &ToolCallId| {
        let result = history.iter().rev().find(|message| {
            message.role == Role::ToolResult && message.tool.as_ref().is_some_and(|t| t.id == *id)
        });
        result.map_or("(no result)", |message| message.text.as_str())
    };
    let mut messages: Vec<ChatMessage<'_>> = Vec::new();
    let mut waiting: Vec<&ToolCallId> = Vec::new();
    for message in history {
        if message.role != Role::ToolCall {
            answer_calls(&mut messages, &mut waiting, &result_of);
        }
        match (message.role, &message.tool) {
            (Role::ToolCall, Some(tool)) => {
                let joins = messages.last().is_some_and(|last| last.role == "assistant");
                if !joins {
                    messages.push(ChatMessage::of("assistant", ""));
                }
                if let Some(last) = messages.last_mut() {
                    last.tool_calls.push(CallOut {
                        id: tool.id.as_str(),
                        kind: "function",
                        function: FunctionOut {
                            name: &tool.name,
                            arguments: &message.text,
                        },
                    });
                }
                waiting.push(&tool.id);
            }
            (Role::ToolCall | Role::ToolResult, _) => {}
            (Role::User | Role::Agent, _) if message.text.trim().is_empty() => {}
            (Role::User, _) => messages.push(ChatMessage::of("user", message.text.as_str())),
            // The dash tells the model where it was cut off, as its instructions explain.
            (Role::Agent, _) if message.interrupted => {
                messages.push(ChatMessage::of("assistant", format!("{} —", message.text)))
            }
            (Role::Agent, _) => messages.push(ChatMessage::of("assistant", message.text.as_str())),
        }
    }
    answer_calls(&mut messages, &mut waiting, &result_of);
    messages
}

fn answer_calls<'a>(
    messages: &mut Vec<ChatMessage<'a>>,
    waiting: &mut Vec<&'a ToolCallId>,
    result_of: &impl Fn(&ToolCallId) -> &'a str,
) {
    for id in waiting.drain(..) {
        let mut result = ChatMessage::of("tool", result_of(id));
        result.tool_call_id = Some(id.as_str());
        messages.push(result);
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
    tool_calls: Option<Vec<CallPart>>,
}

/// A piece of a call; arguments come in fragments.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CallPart {
    index: usize,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<String>,
}

/// The calls of a reply, put together from their fragments.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<ToolCall>);

impl Calls {
    /// Adds what a chunk holds. False where the server sends more than anyone would call.
    pub(super) fn take(&mut self, chunk: &ChatChunk) -> bool {
        let delta = chunk
            .choices
            .first()
            .and_then(|choice| choice.delta.as_ref());
        let parts = delta.and_then(|delta| delta.tool_calls.as_deref());
        for part in parts.unwrap_or_default() {
            if part.index >= CALLS_MAX {
                return false;
            }
            while self.0.len() <= part.index {
                self.0.push(ToolCall {
                    id: ToolCallId::from(""),
                    name: String::new(),
                    arguments: String::new(),
                });
            }
            let call = &mut self.0[part.index];
            if let Some(id) = part.id.as_ref().filter(|id| !id.is_empty()) {
                call.id = ToolCallId::from(id.as_str());
            }
            if let Some(function) = &part.function {
                call.name
                    .push_str(function.name.as_deref().unwrap_or_default());
                call.arguments
                    .push_str(function.arguments.as_deref().unwrap_or_default());
            }
            if call.arguments.len() > ARGUMENTS_BYTES_MAX {
                return false;
            }
        }
        true
    }

    /// The calls, each with an id: some servers give none.
    pub(super) fn finish(self, generation: GenerationId) -> Vec<ToolCall> {
        let named = self.0.into_iter().filter(|call| !call.name.is_empty());
        let with_id = |(nth, mut call): (usize, ToolCall)| {
            if call.id.as_str().is_empty() {
                call.id = ToolCallId(format!("call_{}_{nth}", generation.0));
            }
            if call.arguments.trim().is_empty() {
                call.arguments = "{}".to_owned();
            }
            call
        };
        named.enumerate().map(with_id).collect()
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    pub(super) prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PromptDetails {
    pub(super) cached_tokens: u64,
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
