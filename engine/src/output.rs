//! Everything a conversation asks its driver to do.

use antiphon_proto::{
    AgentId, CloseReason, EventEnvelope, GenerationId, Message, Moment, SegmentId, ToolCall,
    ToolCallId, TurnId, UtteranceId,
};
use serde::{Deserialize, Serialize};

/// One effect, to be carried out in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Output {
    /// Begin an utterance at the recognizer, with the audio since `onset`.
    BeginUtterance {
        /// Its id.
        utterance: UtteranceId,
        /// When the speech began.
        onset: Moment,
    },
    /// The person paused: ask the recognizer for the final words of the current utterance.
    FinishUtterance {
        /// Its id.
        utterance: UtteranceId,
    },
    /// Forget the current utterance.
    CancelUtterance {
        /// Its id.
        utterance: UtteranceId,
    },
    /// Check a text; the driver answers with [`crate::Input::Verdict`].
    Classify {
        /// What it is.
        subject: Subject,
        /// The text.
        text: String,
    },
    /// Ask the responder.
    StartGeneration {
        /// Its id.
        generation: GenerationId,
        /// What was said and heard, tool calls and results included.
        history: Vec<Message>,
        /// False where it must answer without calling tools.
        tools: bool,
    },
    /// Stop the responder; nothing more is wanted of this reply.
    CancelGeneration {
        /// Its id.
        generation: GenerationId,
    },
    /// Make the audio of a sentence and play it behind what is already queued.
    Speak {
        /// Its id.
        segment: SegmentId,
        /// The exchange it belongs to.
        turn: TurnId,
        /// The words.
        text: String,
        /// True where it is made but not played before [`Output::ReleasePlayout`].
        hold: bool,
    },
    /// Play what was made to be held.
    ReleasePlayout,
    /// Play more quietly: the person may be speaking.
    DuckPlayout,
    /// Play at full level again.
    UnduckPlayout,
    /// Let another agent take over; the driver answers with [`crate::Input::AgentSwitched`] or
    /// [`crate::Input::HandOffFailed`].
    SwitchAgent {
        /// Which.
        agent: AgentId,
    },
    /// Run a tool; the driver answers with [`crate::Input::ToolDone`].
    RunTool {
        /// The call.
        call: ToolCall,
    },
    /// The result of a tool is not waited for any more.
    CancelTool {
        /// Which call.
        id: ToolCallId,
    },
    /// Hold the playout at once, keeping what is queued.
    PausePlayout,
    /// Go on playing, from the beginning of the word that was cut.
    ResumePlayout,
    /// Stop the playout at once and forget everything queued or being made.
    StopPlayout,
    /// Send an event to the clients.
    Publish {
        /// The event.
        envelope: EventEnvelope,
    },
    /// Why something was decided, for people who replay the log. Nothing to carry out.
    Decided {
        /// What.
        decision: Decision,
        /// The evidence, a sentence for people.
        why: String,
    },
    /// The session is over.
    Close {
        /// Why.
        reason: CloseReason,
    },
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// How long to wait until the person's turn is over.
    Wait,
    /// The person's turn is over.
    TurnEnded,
    /// Speech over the agent: play more quietly while it is judged.
    Duck,
    /// Speech over the agent: hold the reply while it is judged.
    Hold,
    /// Speech over the agent was none of its concern: go on.
    Continue,
    /// Speech over the agent stops it.
    Stop,
    /// A reply was begun before the turn was over.
    Speculate,
    /// The reply begun early is the one to be heard.
    Confirm,
    /// The reply begun early is forgotten.
    Discard,
    /// Words are said because it took too long or went wrong.
    Fill,
    /// A stage failed and is tried again.
    Retry,
    /// Another agent takes over.
    HandOff,
    /// The call ends.
    End,
}

/// A text to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Subject {
    /// What the person said in a turn.
    User {
        /// The turn.
        turn: TurnId,
    },
    /// What the person seems to be saying, for a reply begun early.
    Draft {
        /// The turn.
        turn: TurnId,
    },
    /// A sentence that the agent is about to say.
    Agent {
        /// The sentence.
        segment: SegmentId,
    },
}
