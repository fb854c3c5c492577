//! The state machine: dispatch of inputs, deadlines, events.

mod agent_side;
mod hand_off;
mod lifecycle;
mod overlap;
mod playback;
mod speculation;
mod tools;
mod trouble;
mod user_side;

use std::collections::VecDeque;

use antiphon_proto::{
    AgentState, CloseReason, Event, EventEnvelope, GenerationId, Message, Moment, Role,
    SafetyState, SegmentId, SpeculationView, ToolRef, TurnId, UtteranceId,
};

use crate::reply::Reply;
use crate::user_turn::{Listener, UserTurn};
use crate::{Decision, EngineConfig, Input, Output, OverlapKind};
use overlap::Overlap;
use speculation::Draft;
use tools::Orphan;
use trouble::Quiet;

/// Messages kept; the oldest go first.
const HISTORY_MAX: usize = 400;
/// Longest typed message, in characters.
const USER_TEXT_CHARS_MAX: usize = 2_000;

/// Why the engine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerReason {
    /// The person's turn may be over.
    Endpointing,
    /// The person has spoken for too long.
    TurnLimit,
    /// Speech over the agent goes on.
    Interruption,
    /// Speech over the agent came to nothing.
    FalseAlarm,
    /// The transcript has been the same for long enough to begin a reply.
    StablePartial,
    /// The person waits for an answer.
    Filler,
    /// The responder has been silent for too long.
    FirstWords,
    /// The first words of a reply have waited long enough for the end of their sentence.
    FirstPiece,
    /// A tool takes too long.
    Tool,
    /// No further key is pressed.
    Dtmf,
    /// Nobody says anything.
    Away,
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
    listener: Listener,
    /// A finished turn whose safety verdict is awaited.
    unchecked: Option<FinishedTurn>,
    reply: Option<Reply>,
    /// A reply begun before the turn is over.
    draft: Option<Draft>,
    speculation: SpeculationView,
    /// Speech over an audible reply, while it is undecided.
    overlap: Option<Overlap>,
    /// What the last sound over the agent was like, and when that was known.
    sound: Option<(Moment, OverlapKind)>,
    /// Set where the playout was ducked at the first sign of a sound: when to give that up.
    ducked_until: Option<Moment>,
    /// What was left unsaid when the last reply was stopped, for "go on".
    unsaid: String,
    /// Reviewed words that a turn is still owed because they were stopped before being heard.
    owed_script: Option<String>,
    /// Tools that outlived their reply.
    orphans: Vec<Orphan>,
    quiet: Quiet,
    dtmf: String,
    dtmf_due: Option<Moment>,
    /// Turns in a row that could not be answered.
    failures: u32,
    /// True where the person asked for silence by the button since they last said anything.
    hushed: bool,
    /// Whom the last generation was asked of, and why.
    chosen: Option<(GenerationId, String, String)>,
    next_turn: TurnId,
    next_utterance: UtteranceId,
    next_generation: GenerationId,
    next_segment: SegmentId,
}

/// A person's turn that is over.
#[derive(Clone, Debug)]
struct FinishedTurn {
    turn: TurnId,
    text: String,
    /// When the person stopped.
    origin: Moment,
    final_at: Option<Moment>,
    endpointing_reason: Option<String>,
    endpointing_wait_ms: Option<u64>,
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
            listener: Listener::default(),
            unchecked: None,
            reply: None,
            draft: None,
            speculation: SpeculationView::default(),
            overlap: None,
            sound: None,
            ducked_until: None,
            unsaid: String::new(),
            owed_script: None,
            orphans: Vec::new(),
            quiet: Quiet::default(),
            dtmf: String::new(),
            dtmf_due: None,
            failures: 0,
            hushed: false,
            chosen: None,
            next_turn: TurnId(1),
            next_utterance: UtteranceId(1),
            next_generation: GenerationId(1),
            next_segment: SegmentId(1),
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
        self.note_activity();
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
        let limit = self
            .ending
            .is_none()
            .then(|| Moment::from_ms(self.config.limits.call_ms_max));
        [
            (self.endpointing_due(), TimerReason::Endpointing),
            (self.turn_limit_due(), TimerReason::TurnLimit),
            (self.interruption_due(), TimerReason::Interruption),
            (self.false_alarm_due(), TimerReason::FalseAlarm),
            (self.stable_partial_due(), TimerReason::StablePartial),
            (self.filler_due(), TimerReason::Filler),
            (self.first_words_due(), TimerReason::FirstWords),
            (self.first_piece_due(), TimerReason::FirstPiece),
            (self.tool_due(), TimerReason::Tool),
            (self.dtmf_due, TimerReason::Dtmf),
            (self.away_due(), TimerReason::Away),
            (
                self.ending.map(|ending| ending.deadline),
                TimerReason::Ending,
            ),
            (limit, TimerReason::CallLimit),
        ]
        .into_iter()
        .filter_map(|(due, reason)| Some((due?, reason)))
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

    /// True while a reply is audible, or held because the person speaks over it.
    pub fn is_speaking(&self) -> bool {
        self.reply.as_ref().is_some_and(Reply::sounding)
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
            Input::SoundStarted => self.on_sound_started(),
            Input::OverlapJudged { kind } => self.on_overlap_judged(kind),
            Input::SpeechStarted { onset } => self.on_voice_started(onset),
            Input::SpeechStopped { end, prosody } => self.on_voice_stopped(end, prosody),
            Input::TalkPressed => self.on_talk_pressed(),
            Input::TalkReleased => self.on_talk_released(),
            Input::TurnCommitted => self.on_turn_committed(),
            Input::Dtmf { key } => self.on_dtmf(key),
            Input::TranscriptPartial { utterance, text } => {
                self.on_transcript(utterance, &text, false)
            }
            Input::TranscriptFinal { utterance, text } => {
                self.on_transcript(utterance, &text, true)
            }
            Input::TranscriptFailed { utterance } => self.on_transcript_failed(utterance),
            Input::GenerationDelta { generation, text } => self.on_delta(generation, &text),
            Input::ToolCalls { generation, calls } => self.on_tool_calls(generation, calls),
            Input::ToolDone { id, result } => self.on_tool_done(&id, result),
            Input::GenerationDone {
                generation,
                hang_up,
                hand_off,
            } => self.on_generation_done(generation, hang_up, hand_off),
            Input::HandOff { agent } => self.on_hand_off(agent),
            Input::AgentSwitched { profile } => self.on_agent_switched(*profile),
            Input::HandOffFailed => self.on_hand_off_failed(),
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
            Input::ProviderChosen {
                generation,
                provider,
                reason,
            } => self.chosen = Some((generation, provider, reason)),
            Input::ProviderChanged { .. } | Input::Cost { .. } => self.on_providers(input),
            Input::MeterSecond { seconds } => self.on_meter(seconds),
            Input::UserText { text } => self.on_user_text(&text),
            Input::InterruptRequested => self.on_interrupt_requested(),
            Input::Trouble { code, message } => self.publish(Event::Notice { code, message }),
            Input::Drain { limit_ms } => self.begin_ending(CloseReason::Drained, limit_ms),
            Input::Close { reason } => self.close(reason),
            Input::Timeout => {}
        }
    }

    /// What the person's client is told of the providers, as it comes.
    fn on_providers(&mut self, input: Input) {
        if let Input::ProviderChanged {
            stage,
            from,
            to,
            fault,
        } = input
        {
            self.publish(Event::ProviderChanged {
                stage,
                from,
                to,
                fault,
            });
        } else if let Input::Cost {
            hear_nanodollars,
            think_nanodollars,
            speak_nanodollars,
        } = input
        {
            self.publish(Event::Cost {
                hear_nanodollars,
                think_nanodollars,
                speak_nanodollars,
            });
        }
    }

    fn run_timers(&mut self) {
        if self.closed {
            return;
        }
        let now = self.now;
        let past = |due: Option<Moment>| due.is_some_and(|due| due <= now);
        if past(self.interruption_due()) {
            self.on_speech_goes_on();
        }
        if past(self.false_alarm_due()) {
            self.on_false_alarm();
        }
        if past(self.turn_limit_due()) {
            self.on_turn_limit();
        }
        if past(self.endpointing_due()) {
            self.end_user_turn();
        }
        if past(self.stable_partial_due()) {
            self.begin_draft();
        }
        if past(self.dtmf_due) {
            self.end_dtmf();
        }
        if past(self.tool_due()) {
            self.on_tools_too_slow();
        }
        if past(self.first_piece_due()) {
            self.cut_first_piece();
        }
        if past(self.first_words_due()) {
            self.on_responder_too_slow();
        }
        if past(self.filler_due()) {
            self.fill();
        }
        if past(self.away_due()) {
            self.on_away();
        }
        if self.ending.is_none() && now >= Moment::from_ms(self.config.limits.call_ms_max) {
            self.begin_ending(CloseReason::TimeLimit, lifecycle::GOODBYE_MS_MAX);
        }
        if let Some(ending) = self.ending.filter(|ending| ending.deadline <= now) {
            self.close(ending.reason);
        }
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn decided(&mut self, decision: Decision, why: impl Into<String>) {
        let why = why.into();
        self.emit(Output::Decided { decision, why });
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
            Some(reply) if reply.held => AgentState::Listening,
            Some(reply) if reply.sounding() => AgentState::Speaking,
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
        if !text.is_empty() {
            self.commit_message(turn, role, text, interrupted, None);
        }
    }

    fn commit_message(
        &mut self,
        turn: TurnId,
        role: Role,
        text: String,
        interrupted: bool,
        tool: Option<ToolRef>,
    ) {
        let message = Message {
            turn,
            role,
            text,
            interrupted,
            at_ms: self.now.ms(),
            tool,
        };
        if role == Role::User {
            self.hushed = false;
        }
        if self.history.len() >= HISTORY_MAX {
            self.history.pop_front();
        }
        self.history.push_back(message.clone());
        self.publish(Event::MessageCommitted { message });
    }

    fn allocate_turn(&mut self) -> TurnId {
        let turn = self.next_turn;
        self.next_turn = turn.next();
        turn
    }

    fn allocate_generation(&mut self) -> GenerationId {
        let generation = self.next_generation;
        self.next_generation = generation.next();
        generation
    }

    fn allocate_segment(&mut self) -> SegmentId {
        let segment = self.next_segment;
        self.next_segment = segment.next();
        segment
    }
}
