//! One call under way: time, events in order, the engine, and everybody around it.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use antiphon_engine::{Engine, Input, Output};
use antiphon_proto::{GenerationId, Moment, SegmentId, ToolCallId, UtteranceId};

use super::counts::Counts;
use super::plans::{HearPlan, VoicePlan};
use super::rng::{Rng, Stream};
use super::rules::{Circumstances, Rules};
use super::scenario::{CALM_STRAY, Scenario, Stretch, When};
use crate::sim::SimPlayout;
use crate::sim::playout::FRAME_MS;

/// Steps of one call; more mean that it does not end.
const STEPS_MAX: u64 = 2_000_000;
/// How long the person waits for the agent to be heard or to fall silent, in milliseconds.
const WAITS_MS_MAX: u64 = 9_000;
/// One call in so many has its engine's memory looked at.
const MEMORY_EVERY: u64 = 16;
/// What an engine remembers beside the history, as text.
const MEMORY_CHARS_MAX: usize = 100_000;
/// Lines kept of what happened last.
const TRACE_LINES_MAX: usize = 80;

/// What comes next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    Tick,
    Input(Input),
    /// From the responder, if it still runs.
    Thinks(GenerationId, Input),
    /// From the recognizer, if it still listens.
    Hears(UtteranceId, Input),
    ToolEnds(ToolCallId, String),
    /// A part of a sentence is made.
    Voice(SegmentId, u64),
    /// The detector hears a stretch.
    Detected(Moment, Box<Stretch>),
    Undetected(Moment),
    Released,
    Act(usize),
    Arm,
    Reconnect,
    Wake,
}

#[derive(Debug)]
struct Due {
    at: Moment,
    nth: u64,
    next: Next,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.nth == other.nth
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.nth).cmp(&(other.at, other.nth))
    }
}

/// A sentence at the voice.
#[derive(Debug)]
pub(super) struct AtVoice {
    pub(super) id: SegmentId,
    pub(super) text: String,
    pub(super) plan: VoicePlan,
    /// Parts that are made.
    pub(super) made: u64,
}

/// One call under way.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) engine: Engine,
    pub(super) counts: Counts,
    pub(super) rules: Rules,
    pub(super) now: Moment,
    queue: BinaryHeap<Reverse<Due>>,
    nth: u64,
    pub(super) strays: Rng,
    pub(super) inbox: VecDeque<Input>,
    pub(super) playout: SimPlayout,
    ticking: bool,
    was_active: bool,
    was_sounding: bool,
    pub(super) connected: bool,
    pub(super) closed: bool,
    pub(super) muted_until: Moment,
    pub(super) speaking: bool,
    /// What the detector is in, and since when.
    pub(super) stretch: Option<(Moment, Box<Stretch>)>,
    pub(super) utterances: HashMap<UtteranceId, (HearPlan, String)>,
    pub(super) listening: HashSet<UtteranceId>,
    pub(super) thinking: HashMap<GenerationId, bool>,
    pub(super) tools: HashMap<ToolCallId, bool>,
    pub(super) tools_run: u64,
    pub(super) at_voice: Option<AtVoice>,
    pub(super) voice_line: VecDeque<(SegmentId, String)>,
    act: usize,
    waits_for: Option<When>,
    trace: Option<VecDeque<String>>,
    sabotage: Sabotage,
}

/// Changes what the engine puts out, to see that the rules notice.
pub type Sabotage = fn(Output) -> Vec<Output>;

/// What became of a call.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How often each thing happened.
    pub counts: Counts,
    /// Where a rule was broken: its name, what was seen, and when, in milliseconds.
    pub failure: Option<(super::Violation, u64)>,
    /// The last things that happened, where they were asked for.
    pub trace: Vec<String>,
}

/// Runs a call to its end or to the first broken rule.
pub(super) fn run(scenario: &Scenario, trace: bool, sabotage: Sabotage) -> Outcome {
    let mut call = Call::new(scenario, trace, sabotage);
    call.tell(Input::Connected);
    call.arm();
    let mut steps = 0;
    while call.rules.violation.is_none() && call.step() {
        steps += 1;
        if steps > STEPS_MAX {
            let rule = "deadlines";
            let detail = "the call does not end".to_owned();
            call.rules.violation = Some(super::Violation { rule, detail });
        }
    }
    call.counts.add("calls");
    call.look_at_memory();
    let at_ms = call.now.ms();
    Outcome {
        counts: call.counts,
        failure: call.rules.violation.map(|violation| (violation, at_ms)),
        trace: call.trace.map(Vec::from).unwrap_or_default(),
    }
}

impl<'a> Call<'a> {
    fn new(scenario: &'a Scenario, trace: bool, sabotage: Sabotage) -> Self {
        Self {
            scenario,
            engine: Engine::new(scenario.config.clone()),
            counts: Counts::default(),
            rules: Rules::default(),
            now: Moment(0),
            queue: BinaryHeap::new(),
            nth: 0,
            strays: Rng::new(scenario.seed, Stream::Stray, 0),
            inbox: VecDeque::new(),
            playout: SimPlayout::default(),
            ticking: false,
            was_active: false,
            was_sounding: false,
            connected: true,
            closed: false,
            muted_until: Moment(0),
            speaking: false,
            stretch: None,
            utterances: HashMap::new(),
            listening: HashSet::new(),
            thinking: HashMap::new(),
            tools: HashMap::new(),
            tools_run: 0,
            at_voice: None,
            voice_line: VecDeque::new(),
            act: 0,
            waits_for: None,
            trace: trace.then(VecDeque::new),
            sabotage,
        }
    }

    pub(super) fn in_ms(&mut self, ms: u64, next: Next) {
        self.at(self.now.plus_ms(ms), next);
    }

    pub(super) fn at(&mut self, at: Moment, next: Next) {
        self.nth += 1;
        let nth = self.nth;
        self.queue.push(Reverse(Due { at, nth, next }));
    }

    /// The next thing that happens. False after the end.
    fn step(&mut self) -> bool {
        if self.closed {
            return false;
        }
        let wake = self.engine.poll_timeout().map(|(due, _)| due);
        let next = self.queue.peek().map(|Reverse(due)| due.at);
        let Some(at) = next.into_iter().chain(wake).min() else {
            return false;
        };
        self.now = self.now.max(at);
        self.rules.time(self.now);
        if next.is_some_and(|next| next <= at) {
            if let Some(Reverse(due)) = self.queue.pop() {
                self.happen(due.next);
            }
        } else {
            self.happen(Next::Wake);
        }
        self.keep_ticking();
        true
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::Tick => self.tick(),
            Next::Input(input) => self.tell_all(input),
            Next::Thinks(generation, input) => {
                if self.thinking.contains_key(&generation) {
                    self.tell(input);
                }
            }
            Next::Hears(utterance, input) => {
                if self.listening.contains(&utterance) {
                    self.tell_all(input);
                }
            }
            Next::ToolEnds(id, result) => {
                if self.tools.contains_key(&id) {
                    self.tell(Input::ToolDone { id, result });
                }
            }
            Next::Voice(segment, part) => self.voice_part(segment, part),
            Next::Detected(onset, stretch) => self.detected(onset, stretch),
            Next::Undetected(end) => self.undetected(end),
            Next::Released => {
                self.stretch = None;
                self.speaking = false;
                self.tell_all(Input::TalkReleased);
            }
            Next::Act(nth) if nth == self.act => {
                self.act += 1;
                self.waits_for = None;
                self.perform(nth);
            }
            Next::Act(_) => {}
            Next::Arm => self.arm(),
            Next::Reconnect => {
                self.connected = true;
                self.tell(Input::Connected);
            }
            Next::Wake => {
                self.counts.add("deadlines");
                self.tell_all(Input::Timeout);
                self.rules.deadline(self.engine.poll_timeout(), self.now);
            }
        }
    }

    /// Waits for the moment of the next act.
    fn arm(&mut self) {
        let nth = self.act;
        let Some(act) = self.scenario.acts.get(nth) else {
            return self.in_ms(
                1_000,
                Next::Input(Input::Close {
                    reason: antiphon_proto::CloseReason::ConnectionLost,
                }),
            );
        };
        match act.when {
            When::After(ms) => self.in_ms(ms, Next::Act(nth)),
            When::InReply(ms) if self.was_sounding => self.in_ms(ms, Next::Act(nth)),
            When::InReply(_) | When::AfterReply(_) => {
                self.waits_for = Some(act.when);
                self.in_ms(WAITS_MS_MAX, Next::Act(nth));
            }
        }
    }

    /// Tells the engine what was heard until now, then an input.
    pub(super) fn tell_all(&mut self, input: Input) {
        if let Some(position) = self.playout.position().filter(|_| self.connected) {
            self.tell(position);
        }
        self.tell(input);
    }

    /// Gives the engine an input and carries out what follows.
    pub(super) fn tell(&mut self, input: Input) {
        self.stray(&input);
        self.inbox.push_back(input);
        while let Some(input) = self.inbox.pop_front() {
            self.rules.input(&input, self.now);
            self.note(|| format!("< {input:?}"));
            let now = self.skewed();
            self.engine.handle_input(input, now);
            while let Some(output) = self.engine.poll_output() {
                for output in (self.sabotage)(output) {
                    self.note(|| format!("  > {output:?}"));
                    self.rules.output(&output);
                    self.carry_out(output);
                }
            }
            let (held, paused) = self.playout.stopped_by();
            let seen = Circumstances {
                connected: self.connected,
                speaking: self.speaking,
                fillers: !self.scenario.config.words.fillers.is_empty(),
                held,
                paused,
                checking: !self.inbox.is_empty(),
                words_ms_max: self.scenario.config.patience.first_words_ms_max,
            };
            let history = self.engine.history().count();
            self.rules.settled(self.now, seen, history);
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            let mut line = format!("{:>8.3} {}", now.0 as f64 / 1e6, line());
            if let Some((at, _)) = line.char_indices().nth(180) {
                line.truncate(at);
                line.push('…');
            }
            if trace.len() >= TRACE_LINES_MAX {
                trace.pop_front();
            }
            trace.push_back(line);
        }
    }

    /// Everything that the engine remembers beside the history, as text; once in some calls, as it
    /// costs more than the call.
    fn look_at_memory(&mut self) {
        if !self.scenario.seed.is_multiple_of(MEMORY_EVERY) {
            return;
        }
        self.counts.add("looks at the engine's memory");
        let history: usize = self
            .engine
            .history()
            .map(|entry| format!("{entry:?}").len())
            .sum();
        let chars = format!("{:?}", self.engine).len().saturating_sub(history);
        if chars > MEMORY_CHARS_MAX {
            let detail = format!("the engine is {chars} characters of text");
            let rule = "memory";
            self.rules
                .violation
                .get_or_insert(super::Violation { rule, detail });
        }
    }

    /// The clock that the engine sees runs backwards now and then.
    fn skewed(&mut self) -> Moment {
        if self.scenario.calm & CALM_STRAY == 0 && self.strays.chance(5) {
            self.counts.add("clock ran backwards");
            return self.now.minus_ms(self.strays.between(1, 300));
        }
        self.now
    }

    /// Now and then something comes twice.
    fn stray(&mut self, input: &Input) {
        if self.scenario.calm & CALM_STRAY != 0 || !self.strays.chance(6) {
            return;
        }
        let repeats = matches!(
            input,
            Input::Connected
                | Input::SpeechStarted { .. }
                | Input::SpeechStopped { .. }
                | Input::TranscriptPartial { .. }
                | Input::TranscriptFinal { .. }
                | Input::TranscriptFailed { .. }
                | Input::GenerationDelta { .. }
                | Input::GenerationDone { .. }
                | Input::GenerationFailed { .. }
                | Input::ToolCalls { .. }
                | Input::ToolDone { .. }
                | Input::SegmentMarks { .. }
                | Input::SegmentStarted { .. }
                | Input::SegmentMade { .. }
                | Input::SegmentFailed { .. }
                | Input::FirstFrameSent { .. }
                | Input::Heard { .. }
                | Input::SegmentPlayed { .. }
                | Input::Timeout
        );
        if repeats && self.connected {
            self.counts.add("repeated inputs");
            let ms = self.strays.human_ms(400);
            self.in_ms(ms, Next::Input(input.clone()));
        }
    }

    fn tick(&mut self) {
        self.ticking = false;
        if !self.connected {
            return;
        }
        let before = self.playout.progress();
        let told = self.playout.tick();
        if let (true, Some((id, _))) = (self.playout.sounding, before) {
            let played_ms = self
                .playout
                .progress()
                .map_or(0, |(_, played_ms)| played_ms);
            self.rules.played(id, played_ms);
        }
        for input in told {
            if let Input::SegmentPlayed { segment } = &input
                && let Some(spoken) = self.rules.spoken(*segment)
            {
                spoken.over = true;
                self.counts.add("sentences played");
            }
            self.tell(input);
        }
    }

    fn keep_ticking(&mut self) {
        if self.playout.sounding != self.was_sounding {
            self.was_sounding = self.playout.sounding;
            if self.was_sounding
                && let Some(When::InReply(ms)) = self.waits_for
            {
                self.waits_for = None;
                self.in_ms(ms, Next::Act(self.act));
            }
        }
        let active = self.playout.progress().is_some();
        if active != self.was_active {
            self.was_active = active;
            if !active && let Some(When::AfterReply(ms)) = self.waits_for {
                self.waits_for = None;
                self.in_ms(ms, Next::Act(self.act));
            }
        }
        if self.ticking || !self.connected || !self.playout.is_active() {
            return;
        }
        self.ticking = true;
        let in_ms = if self.playout.sounding { FRAME_MS } else { 0 };
        self.in_ms(in_ms, Next::Tick);
    }
}
