//! Conversation history.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::TurnId;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person on the call.
    User,
    /// The agent. Its text is what was heard, not what was generated.
    Agent,
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
}
