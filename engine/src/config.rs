//! What the engine is told about its session.

use antiphon_proto::{AgentId, RecognizerView, SessionId};
use serde::{Deserialize, Serialize};

/// Settings of one session. Part of its log: a replay needs them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineConfig {
    /// The session.
    pub session: SessionId,
    /// The agent.
    pub agent: AgentId,
    /// The agent's name as shown to people.
    pub agent_name: String,
    /// The recognizer, as shown to people.
    pub recognizer: RecognizerView,
    /// What the agent says first; nothing where empty.
    pub greeting: String,
    /// What it says when no answer could be made.
    pub apology: String,
    /// What it says before the call is ended from this side.
    pub farewell: String,
    /// Shortest silence after the person's speech that ends their turn, in milliseconds.
    pub endpointing_ms_min: u64,
    /// Longest silence waited for when the person seems not to have finished, in milliseconds.
    pub endpointing_ms_max: u64,
    /// Speech over the agent shorter than this does not interrupt it, in milliseconds.
    pub interruption_ms_min: u64,
    /// False where the agent may not be interrupted by speech.
    pub allow_interruptions: bool,
    /// Longest call, in milliseconds.
    pub call_ms_max: u64,
}

impl EngineConfig {
    /// Defaults for everything but the names.
    pub fn new(session: SessionId, agent: AgentId, agent_name: impl Into<String>) -> Self {
        Self {
            session,
            agent,
            agent_name: agent_name.into(),
            recognizer: RecognizerView {
                name: String::new(),
                advice: None,
            },
            greeting: String::new(),
            apology: "Sorry, something went wrong on my side. Could you say that again?".into(),
            farewell: "I have to end our call now. Goodbye.".into(),
            endpointing_ms_min: 500,
            endpointing_ms_max: 1_600,
            interruption_ms_min: 250,
            allow_interruptions: true,
            call_ms_max: 2 * 60 * 60 * 1_000,
        }
    }
}
