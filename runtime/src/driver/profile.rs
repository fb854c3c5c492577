//! From an agent's file to the engine's settings; and one agent taking over from another.

use antiphon_agents::{Agent, Interruptible, Speculate, TurnEnds};
use antiphon_engine::{
    AgentProfile, Endpointing, EndpointingMode, EngineConfig, Input, Interruption,
    InterruptionMode, Speculation, SpeculationMode, Words,
};
use antiphon_proto::{AgentId, RecognizerView, ToolCall};
use antiphon_providers::think::ToolDeclaration;

use super::Driver;
use crate::session::SessionParts;
use crate::tools::Tools;

/// The tool by which a responder hands the call to another agent.
const HAND_OFF: &str = "hand_off";

pub(super) fn engine_config(parts: &SessionParts) -> EngineConfig {
    let agent = &parts.agent;
    let profile = profile(agent, parts.tools.as_ref(), parts.hear.trust_permille());
    let mut config = EngineConfig::new(parts.id.clone(), profile.agent, profile.agent_name);
    config.recognizer = RecognizerView {
        name: parts.hear.name().to_owned(),
        advice: parts.hear.advice(),
    };
    config.words = profile.words;
    config.endpointing = profile.endpointing;
    config.interruption = profile.interruption;
    config.speculation = profile.speculation;
    config.tools = profile.tools;
    config.patience.away_ms = agent.away_seconds.saturating_mul(1_000);
    config.limits.call_ms_max = agent.call_seconds_max.saturating_mul(1_000);
    config
}

fn profile(agent: &Agent, tools: &dyn Tools, trust_permille: u16) -> AgentProfile {
    let turn = &agent.turn;
    let mut words = Words {
        greeting: agent.greeting.clone(),
        apology: agent.apology.clone(),
        farewell: agent.farewell.clone(),
        ..Words::default()
    };
    if !agent.fillers.is_empty() {
        words.fillers.clone_from(&agent.fillers);
    }
    AgentProfile {
        agent: agent.id.as_str().into(),
        agent_name: agent.name.clone(),
        words,
        endpointing: Endpointing {
            mode: match turn.endpointing {
                TurnEnds::Auto => EndpointingMode::Auto,
                TurnEnds::Fixed => EndpointingMode::Fixed,
                TurnEnds::Manual => EndpointingMode::Manual,
                TurnEnds::PushToTalk => EndpointingMode::PushToTalk,
            },
            ms_min: turn.endpointing_ms_min,
            ms_max: turn.endpointing_ms_max,
            text_trust_permille: trust_permille,
        },
        interruption: Interruption {
            mode: interruption_mode(agent),
            ms_min: turn.interruption_ms_min,
            words_min: turn.interruption_words_min,
            false_alarm_ms: turn.false_interruption_ms,
        },
        speculation: Speculation {
            mode: match turn.speculation {
                Speculate::Off => SpeculationMode::Off,
                Speculate::Think => SpeculationMode::Think,
                Speculate::Speak => SpeculationMode::Speak,
            },
            starts_max: turn.speculations_max,
            ..Speculation::default()
        },
        tools: tools.declared().into_iter().map(|tool| tool.name).collect(),
    }
}

fn interruption_mode(agent: &Agent) -> InterruptionMode {
    match agent.turn.interruption {
        Interruptible::Off => InterruptionMode::Off,
        Interruptible::Polite => InterruptionMode::Polite,
        Interruptible::Normal => InterruptionMode::Normal,
        Interruptible::Eager => InterruptionMode::Eager,
    }
}

/// The tools that the responder is told of: the session's own, and the way to other agents.
pub(super) fn declared(agent: &Agent, tools: &dyn Tools, with_tools: bool) -> Vec<ToolDeclaration> {
    let mut declared = if with_tools {
        tools.declared()
    } else {
        Vec::new()
    };
    let colleagues = agent.colleagues();
    if !colleagues.is_empty() {
        let ids = serde_json::to_string(&colleagues).unwrap_or_default();
        declared.push(ToolDeclaration {
            name: HAND_OFF.to_owned(),
            description: "Hands the call to another agent, when the caller asks for them or for \
                          what they do. Say so in a few words first."
                .to_owned(),
            parameters: format!(
                r#"{{"type":"object","properties":{{"agent":{{"type":"string","enum":{ids}}}}},"required":["agent"],"additionalProperties":false}}"#
            ),
        });
    }
    declared
}

/// The agent that a responder wants to hand the call to.
pub(super) fn hand_off_in(calls: &[ToolCall]) -> Option<AgentId> {
    let call = calls.iter().find(|call| call.name == HAND_OFF)?;
    let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap_or_default();
    // One that names nobody finds nobody, and is told so.
    Some(AgentId::from(
        arguments["agent"].as_str().unwrap_or_default(),
    ))
}

impl Driver {
    /// Another agent takes over: its words, its voice, its vocabulary.
    pub(super) fn switch_agent(&mut self, id: &AgentId) {
        let found = self.colleagues.find(id);
        let voiced = found.and_then(|(agent, context)| {
            let voice_hz = self.mouth.voice_rate_hz(&agent.voice.name)?;
            Some((agent, context, voice_hz))
        });
        let Some((agent, context, voice_hz)) = voiced else {
            tracing::warn!(session = %self.id, agent = %id, "no such agent to hand the call to");
            self.inbox.push_back(Input::HandOffFailed);
            return;
        };
        self.mouth.change_voice(&agent, voice_hz);
        self.ears
            .change_stream(self.hear.open(context, self.hear_sender.clone()));
        self.overlap.set_mode(interruption_mode(&agent));
        let trust_permille = self.hear.trust_permille();
        let profile = Box::new(profile(&agent, self.tools.as_ref(), trust_permille));
        self.agent = agent;
        self.inbox.push_back(Input::AgentSwitched { profile });
    }
}
