//! The one task of a session: it takes an input, drains every output, and sleeps to the next
//! deadline.

mod caller;
mod facts;
mod outputs;
mod profile;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_billing_meter::Meter;
use antiphon_engine::{Engine, Input};
use antiphon_proto::{CloseReason, Moment, SafetyState, SessionId, SessionStatus, ToolCallId};
use antiphon_providers::TaskHandle;
use antiphon_providers::hear::{Hear, HearEvent, HearEventKind};
use antiphon_providers::route::{CallFacts, Fact};
use antiphon_providers::speak::SpeakEvent;
use antiphon_providers::think::{Think, ThinkEvent, ThinkEventKind};
use antiphon_safety::Monitor;
use metrics::{counter, gauge, histogram};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, Sleep, sleep_until};

use self::facts::{fact_input, next_fact};
use crate::clock::Clock;
use crate::ears::Ears;
use crate::log::SessionLog;
use crate::mouth::Mouth;
use crate::overlap::Overlap;
use crate::session::{Colleagues, Command, EVENTS_KEPT, LiveView, SessionParts};
use crate::tools::{ToolOutcome, Tools};
use crate::{SessionLimits, Transport, TransportInput, measure};

/// Length of a tick.
const TICK_US: u64 = 20_000;
/// How far frames may run ahead of their grid: a reply that begins between two ticks is not kept
/// waiting for the next. The lead is given back in the silence after it.
const LEAD_US_MAX: u64 = 2 * TICK_US;
/// A session that was stopped for longer than this goes on with now instead of catching up.
const CATCH_UP_US_MAX: u64 = 200_000;
/// Time for the handshake of a new connection, whatever was left of the wait for it.
const HANDSHAKE_MS_MAX: u64 = 10_000;
/// Transcripts between the recognizer and the session.
const HEAR_EVENTS_MAX: usize = 32;
/// Results between tools and the session.
const TOOL_OUTCOMES_MAX: usize = 16;
/// Deltas between the responder and the session.
const THINK_EVENTS_MAX: usize = 64;

pub(crate) struct Driver {
    id: SessionId,
    agent: Arc<Agent>,
    clock: Clock,
    engine: Engine,
    /// Inputs that outputs gave rise to (verdicts); taken before anything new.
    inbox: VecDeque<Input>,
    commands: mpsc::Receiver<Command>,
    transport: Option<Box<dyn Transport>>,
    connected: bool,
    stalled: bool,
    ears: Ears,
    hear: Arc<dyn Hear>,
    hear_sender: mpsc::Sender<HearEvent>,
    colleagues: Arc<dyn Colleagues>,
    hear_events: mpsc::Receiver<HearEvent>,
    think: Arc<dyn Think>,
    think_sender: mpsc::Sender<ThinkEvent>,
    think_events: mpsc::Receiver<ThinkEvent>,
    thinking: Option<TaskHandle>,
    tools: Arc<dyn Tools>,
    tool_sender: mpsc::Sender<ToolOutcome>,
    tool_outcomes: mpsc::Receiver<ToolOutcome>,
    tools_running: HashMap<ToolCallId, TaskHandle>,
    mouth: Mouth,
    overlap: Overlap,
    monitor: Monitor,
    meter: Meter,
    limits: SessionLimits,
    /// When the session is given up if nobody connects.
    give_up_at: Option<(Moment, CloseReason)>,
    /// When the next frame of the caller is taken.
    next_tick: Moment,
    /// When the next frame of the agent is sent: `next_tick` less the lead.
    next_frame: Moment,
    lead_us: u64,
    events: broadcast::Sender<Arc<str>>,
    facts: Option<CallFacts>,
    /// The costs last told, nanodollars by stage.
    costs_told: [u64; 3],
    log: Option<SessionLog>,
    view: watch::Sender<LiveView>,
    done: Option<CloseReason>,
}

/// What woke the session.
enum Wake {
    Command(Option<Command>),
    Caller(TransportInput),
    Heard(HearEvent),
    Thought(ThinkEvent),
    ToolDone(ToolOutcome),
    Fact(Fact),
    Spoken(SpeakEvent),
    Deadline,
}

impl Driver {
    pub(crate) fn new(
        parts: SessionParts,
        voice_hz: u32,
        commands: mpsc::Receiver<Command>,
        view: watch::Sender<LiveView>,
    ) -> Self {
        let (hear_sender, hear_events) = mpsc::channel(HEAR_EVENTS_MAX);
        let (think_sender, think_events) = mpsc::channel(THINK_EVENTS_MAX);
        let (tool_sender, tool_outcomes) = mpsc::channel(TOOL_OUTCOMES_MAX);
        let config = profile::engine_config(&parts);
        let interruption = config.interruption.mode;
        let log = parts.recorder.map(|recorder| recorder.begin(&config));
        let agent = parts.agent;
        let connect_by =
            Moment(u64::try_from(parts.limits.connect_within.as_micros()).unwrap_or(u64::MAX));
        gauge!(measure::SESSIONS).increment(1);
        Self {
            clock: Clock::start(),
            engine: Engine::new(config),
            inbox: VecDeque::new(),
            commands,
            transport: None,
            connected: false,
            stalled: false,
            ears: Ears::new(parts.hear.open(parts.hear_context, hear_sender.clone())),
            hear: parts.hear,
            hear_sender,
            colleagues: parts.colleagues,
            hear_events,
            think: parts.think,
            think_sender,
            think_events,
            thinking: None,
            tools: parts.tools,
            tool_sender,
            tool_outcomes,
            tools_running: HashMap::new(),
            overlap: Overlap::new(interruption, crate::output_rate_hz(voice_hz)),
            mouth: Mouth::new(parts.speak, &agent, voice_hz),
            monitor: Monitor::default(),
            meter: Meter::new(parts.id.clone()),
            limits: parts.limits,
            give_up_at: Some((connect_by, CloseReason::NeverConnected)),
            next_tick: Moment(0),
            next_frame: Moment(0),
            lead_us: 0,
            events: broadcast::Sender::new(EVENTS_KEPT),
            facts: parts.facts,
            costs_told: [0; 3],
            log,
            view,
            done: None,
            id: parts.id,
            agent,
        }
    }

    /// Runs the session to its end.
    pub(crate) async fn run(mut self) {
        let mut sleep = Box::pin(sleep_until(Instant::now()));
        while self.done.is_none() {
            let due = self.clock.instant(self.next_due());
            if sleep.deadline() != due {
                sleep.as_mut().reset(due);
            }
            let wake = self.wait(sleep.as_mut()).await;
            self.handle(wake);
        }
        self.finish();
    }

    async fn wait(&mut self, sleep: Pin<&mut Sleep>) -> Wake {
        let transport = &mut self.transport;
        let facts = &mut self.facts;
        tokio::select! {
            biased;
            // First, so that no flood of messages holds up the audio.
            () = sleep => Wake::Deadline,
            command = self.commands.recv() => Wake::Command(command),
            input = poll_fn(|cx| match transport {
                Some(transport) => transport.poll_input(cx),
                None => std::task::Poll::Pending,
            }) => Wake::Caller(input),
            event = self.hear_events.recv() => event.map_or(Wake::Deadline, Wake::Heard),
            event = self.think_events.recv() => event.map_or(Wake::Deadline, Wake::Thought),
            outcome = self.tool_outcomes.recv() => outcome.map_or(Wake::Deadline, Wake::ToolDone),
            fact = next_fact(facts) => Wake::Fact(fact),
            event = self.mouth.next_event() => Wake::Spoken(event),
        }
    }

    fn next_due(&self) -> Moment {
        let tick = self
            .connected
            .then_some(self.next_tick.min(self.next_frame));
        let engine = self.engine.poll_timeout().map(|(due, _)| due);
        let give_up = self.give_up_at.map(|(due, _)| due);
        [tick, engine, give_up]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Moment(u64::MAX / 2))
    }

    fn handle(&mut self, wake: Wake) {
        match wake {
            Wake::Command(Some(command)) => self.on_command(command),
            // Every handle is gone: nobody can reach the session any more.
            Wake::Command(None) => self.feed(Input::Close {
                reason: CloseReason::Deleted,
            }),
            Wake::Caller(input) => self.on_caller(input),
            Wake::Heard(event) => self.on_heard(event),
            Wake::Thought(event) => self.on_thought(event),
            Wake::ToolDone(outcome) => {
                // A result that was given up before it came is not wanted any more.
                if self.tools_running.remove(&outcome.id).is_some() {
                    self.feed(Input::ToolDone {
                        id: outcome.id,
                        result: outcome.result,
                    });
                }
            }
            Wake::Fact(fact) => self.feed(fact_input(fact)),
            Wake::Spoken(event) => {
                if let Some(input) = self.mouth.take(event) {
                    self.feed(input);
                }
                self.begin_speaking();
            }
            Wake::Deadline => self.on_deadline(),
        }
    }

    fn on_deadline(&mut self) {
        let now = self.clock.now();
        if self.connected && self.next_frame <= now {
            self.next_frame = self.next_after(self.next_frame, now);
            self.speak_tick(now);
        }
        if self.connected && self.next_tick <= now {
            self.tick(now);
        }
        if self
            .engine
            .poll_timeout()
            .is_some_and(|(due, _)| due <= now)
        {
            self.feed(Input::Timeout);
        }
        if let Some((_, reason)) = self.give_up_at.filter(|(due, _)| *due <= now) {
            self.feed(Input::Close { reason });
        }
    }

    /// Twenty milliseconds of the caller.
    fn tick(&mut self, now: Moment) {
        let late_us = now.0 - self.next_tick.0;
        histogram!(measure::TICK_LATE_SECONDS).record(late_us as f64 / 1e6);
        if late_us > CATCH_UP_US_MAX {
            counter!(measure::FRAMES_SKIPPED).increment(late_us / TICK_US);
        }
        self.next_tick = self.next_after(self.next_tick, now);
        self.hear_tick(now);
        while let Some(seconds) = self.meter.poll_second(now) {
            measure::talked_a_second();
            self.view.send_modify(|view| view.seconds = seconds);
            self.feed(Input::MeterSecond { seconds });
            self.tell_costs();
        }
    }

    /// The tick after the one that was due at `due`.
    fn next_after(&self, due: Moment, now: Moment) -> Moment {
        let skips = now.0 - due.0 > CATCH_UP_US_MAX;
        Moment(if skips { now.0 } else { due.0 } + TICK_US)
    }

    /// The first sound after silence is sent now, not at the next tick.
    fn begin_speaking(&mut self) {
        let now = self.clock.now();
        let lead_us = self.lead_us + self.next_frame.0.saturating_sub(now.0);
        if self.connected && !self.stalled && lead_us <= LEAD_US_MAX && self.mouth.playout.begins()
        {
            self.lead_us = lead_us;
            self.next_frame = now.min(self.next_frame);
        }
    }

    /// Silence gives the lead back.
    fn end_speaking(&mut self) {
        self.next_frame = Moment(self.next_frame.0 + std::mem::take(&mut self.lead_us));
    }

    fn on_heard(&mut self, event: HearEvent) {
        let utterance = event.utterance;
        match event.kind {
            HearEventKind::Partial { text } => {
                self.feed(Input::TranscriptPartial { utterance, text })
            }
            HearEventKind::Final { text, words: _ } => {
                self.feed(Input::TranscriptFinal { utterance, text })
            }
            HearEventKind::Failed { fault } => {
                tracing::warn!(session = %self.id, utterance = utterance.0, %fault, "the recognizer failed");
                measure::failure("hear");
                self.feed(Input::TranscriptFailed { utterance });
            }
        }
    }

    fn on_thought(&mut self, event: ThinkEvent) {
        let generation = event.generation;
        match event.kind {
            ThinkEventKind::Delta { text } => {
                self.feed(Input::GenerationDelta { generation, text })
            }
            ThinkEventKind::ToolCalls { calls } => match profile::hand_off_in(&calls) {
                Some(agent) => self.feed(Input::GenerationDone {
                    generation,
                    hang_up: false,
                    hand_off: Some(agent),
                }),
                None => self.feed(Input::ToolCalls { generation, calls }),
            },
            ThinkEventKind::Done {
                usage: _,
                hang_up,
                hand_off,
            } => self.feed(Input::GenerationDone {
                generation,
                hang_up,
                hand_off,
            }),
            ThinkEventKind::Failed { fault } => {
                tracing::warn!(session = %self.id, generation = generation.0, %fault, "the responder failed");
                measure::failure("think");
                self.feed(Input::GenerationFailed { generation });
            }
        }
    }

    /// Gives the engine an input, and carries out everything that follows from it.
    fn feed(&mut self, input: Input) {
        self.inbox.push_back(input);
        while let Some(input) = self.inbox.pop_front() {
            let now = self.clock.now();
            // Before the engine sees it, so that a fault in there is in the log as well.
            if let Some(log) = &mut self.log {
                log.input(now, &input);
            }
            self.engine.handle_input(input, now);
            while let Some(output) = self.engine.poll_output() {
                if let Some(log) = &mut self.log {
                    log.output(&output);
                }
                self.carry_out(output, now);
            }
        }
    }

    fn finish(&mut self) {
        let now = self.clock.now();
        self.meter.pause(now);
        if self.connected {
            gauge!(measure::CALLS).decrement(1);
        }
        if let Some(mut transport) = self.transport.take() {
            transport.close(now_std());
        }
        if let Some(log) = self.log.take() {
            log.finish();
        }
        let reason = self.done.unwrap_or(CloseReason::InternalError);
        measure::ended(reason);
        let seconds = self.meter.settle().seconds;
        tracing::info!(session = %self.id, agent = %self.agent.id, ?reason, seconds, "session ended");
        self.view.send_modify(|view| {
            view.status = SessionStatus::Ended;
            view.ended_because = Some(reason);
            view.seconds = seconds;
        });
    }

    fn safety_free(&self) -> bool {
        self.engine.safety() == SafetyState::SafetyMode
    }
}

fn now_std() -> std::time::Instant {
    Instant::now().into_std()
}

fn ms_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
