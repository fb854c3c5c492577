//! Everything that can happen to a conversation.

use antiphon_proto::{
    AgentId, CloseReason, GenerationId, Moment, NoticeCode, SafetyState, SegmentId, ToolCall,
    ToolCallId, UtteranceId,
};
use serde::{Deserialize, Serialize};

use crate::{AgentProfile, Prosody, Subject};

/// One thing that happened. The log of a call is its inputs with their times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Input {
    /// Media flows both ways; the caller can hear.
    Connected,
    /// The connection is gone; it may come back.
    Disconnected,
    /// Voice activity began.
    SpeechStarted {
        /// When the speech itself began; a little before the detector was sure.
        onset: Moment,
    },
    /// Voice activity ended.
    SpeechStopped {
        /// When the speech itself ended; the detector's hangover is not part of it.
        end: Moment,
        /// How it sounded at its end, where the driver listens for that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prosody: Option<Prosody>,
    },
    /// The first sign of a sound that may be speech, before the detector is sure. May be nothing.
    SoundStarted,
    /// What the sound over the agent's speech is like.
    OverlapJudged {
        /// The judgement.
        kind: OverlapKind,
    },
    /// The talk button went down.
    TalkPressed,
    /// The talk button was let go.
    TalkReleased,
    /// The client says that the person's turn is over.
    TurnCommitted,
    /// A key of a telephone.
    Dtmf {
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        key: char,
    },
    /// The words of an utterance so far.
    TranscriptPartial {
        /// Which utterance.
        utterance: UtteranceId,
        /// All of its words.
        text: String,
    },
    /// The words of an utterance.
    TranscriptFinal {
        /// Which utterance.
        utterance: UtteranceId,
        /// All of its words; empty where nothing was understood.
        text: String,
    },
    /// An utterance could not be recognized.
    TranscriptFailed {
        /// Which utterance.
        utterance: UtteranceId,
    },
    /// More words of the responder.
    GenerationDelta {
        /// Which reply.
        generation: GenerationId,
        /// The words.
        text: String,
    },
    /// The responder wants tools to be run, all at once; it has nothing more to say before that.
    ToolCalls {
        /// Which reply.
        generation: GenerationId,
        /// The calls.
        calls: Vec<ToolCall>,
    },
    /// A tool has finished.
    ToolDone {
        /// Which call.
        id: ToolCallId,
        /// Its result, or what went wrong, as the responder is to read it.
        result: String,
    },
    /// The responder has finished.
    GenerationDone {
        /// Which reply.
        generation: GenerationId,
        /// True where the call is over once the reply has been heard.
        hang_up: bool,
        /// Who takes the call over once the reply has been heard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hand_off: Option<AgentId>,
    },
    /// Another agent is to take the call over.
    HandOff {
        /// Which.
        agent: AgentId,
    },
    /// Another agent has taken over, asked for by [`crate::Output::SwitchAgent`].
    AgentSwitched {
        /// Who it is.
        profile: Box<AgentProfile>,
    },
    /// There is no such agent.
    HandOffFailed,
    /// The responder failed; what came before stands.
    GenerationFailed {
        /// Which reply.
        generation: GenerationId,
    },
    /// The safety check of a text asked for by [`crate::Output::Classify`].
    Verdict {
        /// Which text.
        subject: Subject,
        /// The session's safety state after it.
        state: SafetyState,
        /// What to do with the text.
        action: SafetyAction,
    },
    /// Where the words of a segment end within its audio. A long segment gets its marks in parts,
    /// in order.
    SegmentMarks {
        /// Which segment.
        segment: SegmentId,
        /// The marks in order.
        marks: Vec<Mark>,
    },
    /// The first audio of a segment was made.
    SegmentStarted {
        /// Which segment.
        segment: SegmentId,
    },
    /// All audio of a segment was made.
    SegmentMade {
        /// Which segment.
        segment: SegmentId,
        /// Its length.
        duration_ms: u64,
    },
    /// A segment could not be made, or not to its end; what was made is played.
    SegmentFailed {
        /// Which segment.
        segment: SegmentId,
    },
    /// The first frame of a segment was sent.
    FirstFrameSent {
        /// Which segment.
        segment: SegmentId,
    },
    /// How much of a segment has been heard: frames sent less the receiver's buffer.
    Heard {
        /// Which segment.
        segment: SegmentId,
        /// Milliseconds of its audio.
        heard_ms: u64,
    },
    /// A segment was heard to its end.
    SegmentPlayed {
        /// Which segment.
        segment: SegmentId,
    },
    /// A provider was chosen for a reply.
    ProviderChosen {
        /// Which reply.
        generation: GenerationId,
        /// Provider and model.
        provider: String,
        /// Why, for people.
        reason: String,
    },
    /// A provider failed, and another goes on in its place.
    ProviderChanged {
        /// `hear`, `think` or `speak`.
        stage: String,
        /// Who failed.
        from: String,
        /// Who goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// How it failed.
        fault: String,
    },
    /// What the call has cost so far, billionths of a US dollar.
    Cost {
        /// Speech to text.
        hear_nanodollars: u64,
        /// Language.
        think_nanodollars: u64,
        /// Text to speech.
        speak_nanodollars: u64,
    },
    /// Another second of talk has started.
    MeterSecond {
        /// Seconds of talk so far.
        seconds: u64,
    },
    /// Typed words.
    UserText {
        /// The words.
        text: String,
    },
    /// The person asked for silence by a button.
    InterruptRequested,
    /// The person should be told something.
    Trouble {
        /// What.
        code: NoticeCode,
        /// A sentence for people.
        message: String,
    },
    /// The server is shutting down: say so, and be over within the limit.
    Drain {
        /// Milliseconds left.
        limit_ms: u64,
    },
    /// End the call now.
    Close {
        /// Why.
        reason: CloseReason,
    },
    /// A deadline of [`crate::Engine::poll_timeout`] has passed.
    Timeout,
}

/// What a sound over the agent's speech is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlapKind {
    /// The person wants the turn.
    Interruption,
    /// "uh-huh": the person listens.
    Backchannel,
    /// A cough, laughter, a door.
    Noise,
    /// The agent's own voice coming back.
    Echo,
}

/// One word's place in a segment's text and audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Byte offset in the text just behind the word.
    pub text_end: usize,
    /// Milliseconds from the segment's first sample to the word's end.
    pub end_ms: u64,
}

/// What the safety check decided about a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SafetyAction {
    /// Go on.
    Pass,
    /// Of the agent's text: say this instead. Of the person's: answer with this and ask no model.
    Replace {
        /// The reviewed words.
        text: String,
    },
}
