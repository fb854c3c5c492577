//! What the engine is told about its session.

use antiphon_proto::{AgentId, RecognizerView, SessionId};
use serde::{Deserialize, Serialize};

use crate::endpointing::TRUST_GOOD_PERMILLE;

/// Settings of one session. Part of its log: a replay needs them. What a log lacks has its default,
/// so that old logs stay readable.
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
    /// The engine's own words.
    #[serde(default)]
    pub words: Words,
    /// When the person's turn is over.
    #[serde(default)]
    pub endpointing: Endpointing,
    /// What speech over the agent does.
    #[serde(default)]
    pub interruption: Interruption,
    /// Whether replies are begun before the turn is over.
    #[serde(default)]
    pub speculation: Speculation,
    /// What happens when nothing happens.
    #[serde(default)]
    pub patience: Patience,
    /// Hard limits.
    #[serde(default)]
    pub limits: Limits,
    /// Names of the tools that the responder may call.
    #[serde(default)]
    pub tools: Vec<String>,
}

/// What changes when another agent takes a call over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentProfile {
    /// The agent.
    pub agent: AgentId,
    /// Its name as shown to people.
    pub agent_name: String,
    /// Its words; the greeting is the first thing it says.
    pub words: Words,
    /// When the person's turn is over.
    pub endpointing: Endpointing,
    /// What speech over the agent does.
    pub interruption: Interruption,
    /// Whether replies are begun early.
    pub speculation: Speculation,
    /// Names of its tools.
    pub tools: Vec<String>,
}

/// What the engine says by itself; nothing where empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Words {
    /// What the agent says first.
    pub greeting: String,
    /// When no answer could be made.
    pub apology: String,
    /// Before the call is ended from this side.
    pub farewell: String,
    /// When the person cut in and was not understood.
    pub pardon: String,
    /// Before another agent takes over where the responder has said nothing about it.
    pub hand_off: String,
    /// While an answer takes long, one after the other.
    pub fillers: Vec<String>,
    /// When the person has been silent for long.
    pub away_question: String,
    /// Before the call ends because the person stayed silent.
    pub away_farewell: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            greeting: String::new(),
            apology: "Sorry, something went wrong on my side. Could you say that again?".into(),
            farewell: "I have to end our call now. Goodbye.".into(),
            pardon: "Yes?".into(),
            hand_off: "One moment, I am passing you on.".into(),
            fillers: [
                "One moment.",
                "I am still looking into it.",
                "This takes longer than usual. Please stay with me.",
            ]
            .map(String::from)
            .to_vec(),
            away_question: "Are you still there?".into(),
            away_farewell: "I cannot hear you, so I will hang up now. Call again any time.".into(),
        }
    }
}

/// How the end of a turn is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointingMode {
    /// By silence, words and prosody.
    #[default]
    Auto,
    /// By a fixed silence, the shortest one.
    Fixed,
    /// Only by [`crate::Input::TurnCommitted`].
    Manual,
    /// The person holds a button while they talk ([`crate::Input::TalkPressed`]); voice activity
    /// says nothing.
    PushToTalk,
}

/// When the person's turn is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpointing {
    /// How it is found.
    pub mode: EndpointingMode,
    /// Shortest silence after the person's speech that ends their turn, in milliseconds.
    pub ms_min: u64,
    /// Longest silence waited for when the person seems not to have finished, in milliseconds.
    pub ms_max: u64,
    /// Chance that the recognizer's last words are right, in thousandths.
    pub text_trust_permille: u16,
}

impl Default for Endpointing {
    fn default() -> Self {
        Self {
            mode: EndpointingMode::Auto,
            ms_min: 400,
            ms_max: 1_800,
            text_trust_permille: TRUST_GOOD_PERMILLE,
        }
    }
}

/// How readily the agent yields to speech over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptionMode {
    /// Never: it finishes, then answers what was said meanwhile.
    Off,
    /// Only to words that are more than a sign of listening.
    Polite,
    /// It holds when speech goes on, and stops for words.
    #[default]
    Normal,
    /// Any speech that goes on stops it.
    Eager,
}

/// What speech over the agent does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interruption {
    /// How readily the agent yields.
    pub mode: InterruptionMode,
    /// Speech shorter than this does not hold the agent, in milliseconds.
    pub ms_min: u64,
    /// Fewer words than this do not stop it; 0 and 1 are the same.
    pub words_min: u32,
    /// Silence after which a held reply goes on where no words came of it, in milliseconds.
    pub false_alarm_ms: u64,
}

impl Default for Interruption {
    fn default() -> Self {
        Self {
            mode: InterruptionMode::Normal,
            ms_min: 250,
            words_min: 0,
            false_alarm_ms: 800,
        }
    }
}

/// How far a reply is prepared before the turn is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeculationMode {
    /// Not at all.
    Off,
    /// Its words.
    Think,
    /// Its words, and the sound of its first sentence.
    #[default]
    Speak,
}

/// Whether replies are begun before the turn is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Speculation {
    /// How far.
    pub mode: SpeculationMode,
    /// Most replies begun early in one turn.
    pub starts_max: u32,
    /// How long a partial transcript must not have changed, in milliseconds.
    pub stable_ms: u64,
}

impl Default for Speculation {
    fn default() -> Self {
        Self {
            mode: SpeculationMode::Speak,
            starts_max: 3,
            stable_ms: 200,
        }
    }
}

/// What happens when nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Patience {
    /// Silence of both sides after which the person is asked for, in milliseconds; 0 for
    /// never.
    pub away_ms: u64,
    /// Further silence after which the call ends, in milliseconds.
    pub away_again_ms: u64,
    /// How long the person waits for an answer before a filler is said, in milliseconds.
    pub filler_ms: u64,
    /// How long they wait for the next one, in milliseconds.
    pub filler_again_ms: u64,
    /// How long the responder may take to its first words, in milliseconds.
    pub first_words_ms_max: u64,
    /// How long a tool may take, in milliseconds.
    pub tool_ms_max: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            away_ms: 15_000,
            away_again_ms: 10_000,
            filler_ms: 700,
            // With the time that a voice needs, less than 3 s of silence.
            filler_again_ms: 2_500,
            first_words_ms_max: 15_000,
            tool_ms_max: 30_000,
        }
    }
}

/// Hard limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Longest call, in milliseconds.
    pub call_ms_max: u64,
    /// Longest turn of the person, in milliseconds: then they are answered.
    pub turn_ms_max: u64,
    /// Turns in a row that could not be answered; then the call ends.
    pub failures_max: u32,
    /// Rounds of tool calls in one reply; then the responder must answer without.
    pub tool_steps_max: u32,
    /// True where a call that reached a voicemail ends by itself.
    pub hang_up_on_voicemail: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call_ms_max: 2 * 60 * 60 * 1_000,
            turn_ms_max: 120_000,
            failures_max: 3,
            tool_steps_max: 5,
            hang_up_on_voicemail: false,
        }
    }
}

impl EngineConfig {
    /// Lets another agent take over.
    pub(crate) fn adopt(&mut self, profile: AgentProfile) {
        self.agent = profile.agent;
        self.agent_name = profile.agent_name;
        self.words = profile.words;
        self.endpointing = profile.endpointing;
        self.interruption = profile.interruption;
        self.speculation = profile.speculation;
        self.tools = profile.tools;
    }

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
            words: Words::default(),
            endpointing: Endpointing::default(),
            interruption: Interruption::default(),
            speculation: Speculation::default(),
            patience: Patience::default(),
            limits: Limits::default(),
            tools: Vec::new(),
        }
    }
}
