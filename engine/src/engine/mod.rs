//! The state machine: dispatch of inputs, deadlines, events.

mod agent_side;
mod lifecycle;
mod user_side;

use std::collections::VecDeque;

use antiphon_proto::{
    AgentState, CloseReason, Event, EventEnvelope, GenerationId, Message, Moment, Role,
    SafetyState, SegmentId, TurnId, UtteranceId,
};

use crate::reply::Reply;
use crate::user_turn::UserTurn;
use crate::{EngineConfig, Input, Output};

/// Messages kept; the oldest go first.
const HISTORY_MAX: usize = 400;
/// How long the responder may take to its first words before the agent apologizes.
const FIRST_WORDS_MS_MAX: u64 = 15_000;
/// Speech is known to have ended only this long after its end (the detector's hangover), so an
/// interruption is decided this much after it could be long enough.
const DETECTOR_HANGOVER_MS: u64 = 200;
/// Longest typed message, in characters.
const USER_TEXT_CHARS_MAX: usize = 2_000;

/// Why the engine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerReason {
    /// The person's turn may be over.
    Endpointing,
    /// Speech over the agent is now long enough to be an interruption.
    Interruption,
    /// The responder has been silent for too long.
    FirstWords,
    /// The call is being ended.
    Ending,
    /// The longest call is reached.
    CallLimit,
}

/// One conversation.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    outputs: VecDeque<Output>,
    now: Moment,
    event_seq: u64,
    connected: bool,
    greeted: bool,
    closed: bool,
    ending: Option<Ending>,
    history: VecDeque<Message>,
    agent_state: AgentState,
    safety: SafetyState,
    seconds: u64,
    user: Option<UserTurn>,
    /// A finished turn whose safety verdict is awaited.
    unchecked: Option<FinishedTurn>,
    reply: Option<Reply>,
    /// Set while the playout is paused because the person speaks over it: when to decide.
    interruption_due: Option<Moment>,
    next_turn: TurnId,
    next_utterance: UtteranceId,
    next_generation: GenerationId,
    next_segment: SegmentId,
    /// The turn that the current reply answers, to be taken up again if nothing of it is heard.
    answered: Option<FinishedTurn>,
}

/// A person's turn that is over.
#[derive(Clone, Debug)]
struct FinishedTurn {
    turn: TurnId,
    user: UserTurn,
    origin: Moment,
    endpointing_reason: Option<String>,
    ended_at: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Ending {
    reason: CloseReason,
    deadline: Moment,
    farewell_said: bool,
}

impl Engine {
    /// A conversation that has not begun.
    pub fn new(config: EngineConfig) -> Self {
        Self {
            config,
            outputs: VecDeque::new(),
            now: Moment::default(),
            event_seq: 0,
            connected: false,
            greeted: false,
            closed: false,
            ending: None,
            history: VecDeque::new(),
            agent_state: AgentState::Listening,
            safety: SafetyState::Normal,
            seconds: 0,
            user: None,
            unchecked: None,
            reply: None,
            interruption_due: None,
            next_turn: TurnId(1),
            next_utterance: UtteranceId(1),
            next_generation: GenerationId(1),
            next_segment: SegmentId(1),
            answered: None,
        }
    }

    /// Takes one input. Time never runs backwards: a `now` before an earlier one is taken for that.
    pub fn handle_input(&mut self, input: Input, now: Moment) {
        if self.closed {
            return;
        }
        self.now = self.now.max(now);
        self.dispatch(input);
        self.run_timers();
        self.publish_agent_state();
    }

    /// The next effect to carry out; drain until `None` after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to send [`Input::Timeout`] if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<(Moment, TimerReason)> {
        if self.closed {
            return None;
        }
        let endpointing = self
            .endpointing_due()
            .map(|due| (due, TimerReason::Endpointing));
        let interruption = self
            .interruption_due
            .map(|due| (due, TimerReason::Interruption));
        let first_words = self
            .first_words_due()
            .map(|due| (due, TimerReason::FirstWords));
        let ending = self
            .ending
            .map(|ending| (ending.deadline, TimerReason::Ending));
        let limit = self.ending.is_none().then(|| {
            (
                Moment::from_ms(self.config.call_ms_max),
                TimerReason::CallLimit,
            )
        });
        [endpointing, interruption, first_words, ending, limit]
            .into_iter()
            .flatten()
            .min_by_key(|(due, _)| *due)
    }

    /// What was said and heard so far, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &Message> {
        self.history.iter()
    }

    /// The safety state.
    pub fn safety(&self) -> SafetyState {
        self.safety
    }

    /// What the agent is doing.
    pub fn agent_state(&self) -> AgentState {
        self.agent_state
    }

    /// The first event for a client that joins now, with all that was said so far. Not counted in
    /// the sequence: it carries the number of the last event published.
    pub fn snapshot(&self) -> EventEnvelope {
        EventEnvelope {
            seq: self.event_seq,
            at_ms: self.now.ms(),
            event: self.session_started(),
        }
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            Input::Connected => self.on_connected(),
            Input::Disconnected => self.on_disconnected(),
            Input::SpeechStarted { onset } => self.on_speech_started(onset),
            Input::SpeechStopped { end } => self.on_speech_stopped(end),
            Input::TranscriptPartial { utterance, text } => {
                self.on_transcript(utterance, &text, false)
            }
            Input::TranscriptFinal { utterance, text } => {
                self.on_transcript(utterance, &text, true)
            }
            Input::TranscriptFailed { utterance } => self.on_transcript_failed(utterance),
            Input::GenerationDelta { generation, text } => self.on_delta(generation, &text),
            Input::GenerationDone {
                generation,
                hang_up,
            } => self.on_generation_done(generation, hang_up),
            Input::GenerationFailed { generation } => self.on_generation_failed(generation),
            Input::Verdict {
                subject,
                state,
                action,
            } => self.on_verdict(subject, state, action),
            Input::SegmentMarks { segment, marks } => self.on_marks(segment, marks),
            Input::SegmentStarted { segment } => self.on_segment_started(segment),
            Input::SegmentMade {
                segment,
                duration_ms,
            } => self.on_segment_made(segment, duration_ms),
            Input::SegmentFailed { segment } => self.on_segment_failed(segment),
            Input::FirstFrameSent { segment } => self.on_first_frame_sent(segment),
            Input::Heard { segment, heard_ms } => self.on_heard(segment, heard_ms),
            Input::SegmentPlayed { segment } => self.on_segment_played(segment),
            Input::MeterSecond { seconds } => self.on_meter(seconds),
            Input::UserText { text } => self.on_user_text(&text),
            Input::InterruptRequested => self.on_interrupt_requested(),
            Input::Trouble { code, message } => self.publish(Event::Notice { code, message }),
            Input::Drain { limit_ms } => self.begin_ending(CloseReason::Drained, limit_ms),
            Input::Close { reason } => self.close(reason),
            Input::Timeout => {}
        }
    }

    fn run_timers(&mut self) {
        if self.closed {
            return;
        }
        if self.interruption_due.is_some_and(|due| due <= self.now) {
            self.decide_interruption(true);
        }
        if self.endpointing_due().is_some_and(|due| due <= self.now) {
            self.end_user_turn();
        }
        if self.first_words_due().is_some_and(|due| due <= self.now) {
            self.on_responder_too_slow();
        }
        if self.ending.is_none() && self.now >= Moment::from_ms(self.config.call_ms_max) {
            self.begin_ending(CloseReason::TimeLimit, lifecycle::TIME_LIMIT_GOODBYE_MS);
        }
        if let Some(ending) = self.ending.filter(|ending| ending.deadline <= self.now) {
            self.close(ending.reason);
        }
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn publish(&mut self, event: Event) {
        self.event_seq += 1;
        let envelope = EventEnvelope {
            seq: self.event_seq,
            at_ms: self.now.ms(),
            event,
        };
        self.emit(Output::Publish { envelope });
    }

    fn publish_agent_state(&mut self) {
        if self.closed {
            return;
        }
        let state = match &self.reply {
            Some(reply) if reply.audible && !reply.paused => AgentState::Speaking,
            Some(reply) if reply.paused => AgentState::Listening,
            Some(_) => AgentState::Thinking,
            None if self.unchecked.is_some() => AgentState::Thinking,
            None => AgentState::Listening,
        };
        if state != self.agent_state {
            self.agent_state = state;
            self.publish(Event::AgentState { state });
        }
    }

    fn commit(&mut self, turn: TurnId, role: Role, text: String, interrupted: bool) {
        if text.is_empty() {
            return;
        }
        let message = Message {
            turn,
            role,
            text,
            interrupted,
            at_ms: self.now.ms(),
        };
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(message.clone());
        self.publish(Event::MessageCommitted { message });
    }
}
