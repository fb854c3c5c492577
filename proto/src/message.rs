//! Conversation history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ToolCallId, TurnId};

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person on the call.
    User,
    /// The agent. Its text is what was heard, not what was generated.
    Agent,
    /// A tool that the agent called: `text` are its arguments, JSON.
    ToolCall,
    /// What the tool answered.
    ToolResult,
}

/// A tool that the responder wants to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCall {
    /// Names this call; its result carries the same.
    pub id: ToolCallId,
    /// The tool.
    pub name: String,
    /// Its arguments, a JSON object as text.
    pub arguments: String,
}

/// Which call of which tool a history entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRef {
    /// The call.
    pub id: ToolCallId,
    /// The tool.
    pub name: String,
}

/// One entry of the history: what a person said, or what they heard the agent say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// The exchange it belongs to; the greeting is turn 0.
    pub turn: TurnId,
    /// Who said it.
    pub role: Role,
    /// The words.
    pub text: String,
    /// True where the person cut the agent off: `text` ends with the last word they heard.
    pub interrupted: bool,
    /// Milliseconds since session start.
    pub at_ms: u64,
    /// The tool, for [`Role::ToolCall`] and [`Role::ToolResult`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<ToolRef>,
}
