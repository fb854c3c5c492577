//! What a client sees and says during a call, on the WebRTC data channel `antiphon` and on
//! `GET /v1/sessions/{id}/events` (WebSocket), one JSON object a message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AgentId, Message, SegmentId, SessionId, TurnId};

/// One event as sent: the event's own fields beside a sequence number and a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventEnvelope {
    /// Counts from 1 within a session, without gaps; a client that reconnects sees where it was.
    pub seq: u64,
    /// Milliseconds since session start.
    pub at_ms: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// First event of every connection, a reconnect included.
    SessionStarted {
        /// The session.
        session: SessionId,
        /// The agent's id.
        agent: AgentId,
        /// The agent's name as shown to people.
        agent_name: String,
        /// The speech recognizer in use.
        recognizer: RecognizerView,
        /// True where this connection continues a session that was connected before.
        resumed: bool,
        /// What has been said so far, oldest first.
        history: Vec<Message>,
    },
    /// What the agent is doing now.
    AgentState {
        /// The new state.
        state: AgentState,
    },
    /// The person began or stopped speaking, as the voice activity detector hears it.
    UserSpeech {
        /// True at onset, false at the end.
        speaking: bool,
    },
    /// What the person is saying. A later partial or final of the same turn replaces an earlier one.
    UserTranscript {
        /// The exchange.
        turn: TurnId,
        /// The whole turn so far.
        text: String,
        /// True once the turn is over and the text will not change.
        #[serde(rename = "final")]
        is_final: bool,
    },
    /// Another agent has taken the call over.
    AgentChanged {
        /// Its id.
        agent: AgentId,
        /// Its name as shown to people.
        agent_name: String,
    },
    /// Nobody has said anything for long; the agent asks, then ends the call.
    UserAway {},
    /// The agent runs a tool, or has its result.
    Tool {
        /// The exchange.
        turn: TurnId,
        /// The tool's name.
        name: String,
        /// True at its start, false at its end.
        running: bool,
    },
    /// A sentence that the agent is about to speak; it has passed the safety check.
    AgentText {
        /// The exchange.
        turn: TurnId,
        /// The sentence.
        segment: SegmentId,
        /// Its words.
        text: String,
    },
    /// How much of a sentence the person has heard.
    AgentHeard {
        /// The exchange.
        turn: TurnId,
        /// The sentence.
        segment: SegmentId,
        /// UTF-16 code units of the sentence's text heard so far (what JavaScript's `slice` counts).
        heard_utf16: u32,
    },
    /// An entry of the history, as it was said or heard.
    MessageCommitted {
        /// The entry.
        message: Message,
    },
    /// Where the time of a turn went; sent when its first audio has been sent.
    TurnTimeline {
        /// The times.
        timeline: TurnTimeline,
    },
    /// One more second of talk has started.
    Meter {
        /// Seconds of talk so far.
        seconds: u64,
    },
    /// What the call has cost the service so far, by stage, in billionths of a US dollar; sent when
    /// it has grown, once a second at most.
    Cost {
        /// Speech to text.
        hear_nanodollars: u64,
        /// Language.
        think_nanodollars: u64,
        /// Text to speech.
        speak_nanodollars: u64,
    },
    /// A provider failed, and another goes on in its place.
    ProviderChanged {
        /// `hear`, `think` or `speak`.
        stage: String,
        /// Who failed, as provider and model.
        from: String,
        /// Who goes on; absent where nobody is left.
        to: Option<String>,
        /// How it failed, e.g. `too_slow`.
        fault: String,
    },
    /// The safety state, at its changes and at connect.
    Safety {
        /// The state.
        state: SafetyState,
    },
    /// Something that the person should know.
    Notice {
        /// Which.
        code: NoticeCode,
        /// A sentence that can be shown.
        message: String,
    },
    /// The server is shutting down or the call is about to end.
    SessionEnding {
        /// Why.
        reason: CloseReason,
        /// Milliseconds until the call is ended.
        in_ms: u64,
    },
    /// Last event of a session.
    SessionEnded {
        /// Why.
        reason: CloseReason,
        /// Seconds of talk that were counted.
        seconds: u64,
        /// What was prepared early, and how much of it was for nothing.
        #[serde(default)]
        speculation: SpeculationView,
    },
}

/// Replies begun before the person had finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpeculationView {
    /// Begun.
    pub started: u32,
    /// Heard.
    pub confirmed: u32,
    /// Characters that were generated for nothing.
    pub wasted_chars: u64,
    /// Sentences that were spoken for nothing.
    pub wasted_sentences: u32,
}

/// What the agent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// Waiting for the person, or hearing them.
    Listening,
    /// The person has finished; no answer is audible yet.
    Thinking,
    /// The agent's speech is playing.
    Speaking,
}

/// The safety state of a session, rising at once and falling only by rule.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SafetyState {
    /// Nothing of concern.
    #[default]
    Normal,
    /// The agent asks and offers resources once.
    ElevatedConcern,
    /// The words come from reviewed text.
    HighRisk,
    /// Scripted words and local crisis resources only; the meter stops charging.
    SafetyMode,
}

/// Which recognizer listens, and what to do for a better one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecognizerView {
    /// Its name, e.g. `pocketsphinx`.
    pub name: String,
    /// One line for people where it is a last resort, with the command that gives a better one.
    pub advice: Option<String>,
}

/// What a [`Event::Notice`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// A message from this client could not be read; nothing was lost.
    BadMessage,
    /// The recognizer failed or is overloaded; typing still works.
    RecognizerTrouble,
    /// The responder failed; the agent apologizes.
    ResponderTrouble,
    /// The voice failed; captions still work.
    VoiceTrouble,
    /// Another connection took this session over.
    Replaced,
    /// The call seems to have reached a voicemail.
    Voicemail,
    /// The call could not be handed to another agent; this one goes on.
    HandOffTrouble,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The person hung up.
    UserHungUp,
    /// The agent or an operation ended the call.
    AgentHungUp,
    /// `DELETE /v1/sessions/{id}`.
    Deleted,
    /// No media for too long and no reconnect in time.
    ConnectionLost,
    /// The client never connected.
    NeverConnected,
    /// The server is shutting down.
    Drained,
    /// The longest allowed call was reached.
    TimeLimit,
    /// The person stayed silent.
    UserAway,
    /// Too many turns in a row could not be answered.
    TooManyFailures,
    /// A voicemail answered.
    Voicemail,
    /// A fault in the engine; the report has the session id.
    InternalError,
}

/// Where the time of one turn went. All times are milliseconds since the end of the person's
/// speech (for typed turns: since the text arrived); absent where the turn had no such stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnTimeline {
    /// The exchange.
    pub turn: TurnId,
    /// When the person stopped speaking, milliseconds since session start.
    pub user_end_at_ms: u64,
    /// The recognizer's final text was there.
    pub transcript_final_ms: Option<u64>,
    /// The engine decided that the turn was over.
    pub endpointing_ms: Option<u64>,
    /// The silence that it decided to wait for; where the transcript came later than that, it was
    /// waited for.
    #[serde(default)]
    pub endpointing_wait_ms: Option<u64>,
    /// Why it waited as long as it did, for people.
    pub endpointing_reason: Option<String>,
    /// True where the reply was begun before the turn was over: then its first words and audio may
    /// have been there at 0.
    #[serde(default)]
    pub speculative: bool,
    /// Who answers, as provider and model, where there was a choice to explain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Why that one, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reason: Option<String>,
    /// The responder's first words were there.
    pub first_token_ms: Option<u64>,
    /// The voice's first audio was made.
    pub first_audio_made_ms: Option<u64>,
    /// The first audio frame was sent.
    pub first_audio_sent_ms: Option<u64>,
}

/// What a client may say during a call, on the data channel or the event WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Typed words, treated as a finished turn. Interrupts the agent.
    UserText {
        /// 1 to 2,000 characters.
        text: String,
    },
    /// The person muted or unmuted; while muted no speech is detected.
    Mute {
        /// True when muted.
        muted: bool,
    },
    /// Stop the agent's speech now.
    Interrupt {},
    /// Push to talk: true when the button goes down.
    Talk {
        /// True while it is held.
        pressed: bool,
    },
    /// The person's turn is over (manual turns).
    CommitTurn {},
    /// A key of a telephone.
    Dtmf {
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        key: char,
    },
    /// End the call.
    HangUp {},
    /// Keeps a WebSocket alive; no answer.
    Ping {},
}
