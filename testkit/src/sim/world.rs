//! Time, events in order, and what happened.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use antiphon_engine::{Decision, Engine, EngineConfig, Input, Mark, Output, SafetyAction, Subject};
use antiphon_proto::{
    AgentState, CloseReason, Event, GenerationId, Message, Moment, SafetyState, SegmentId,
    ToolCallId, UtteranceId,
};

use super::playout::FRAME_MS;
use super::{Script, SimPlayout, Speech};

/// Something that happened in a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    /// The agent's state changed.
    State(AgentState),
    /// An entry came into history.
    Committed(Message),
    /// Sound began or ended at the person's side.
    Sound(bool),
    /// The playout was stopped, after so many milliseconds of sound.
    Stopped(u64),
    /// The playout was held.
    Paused,
    /// The playout went on.
    Resumed,
    /// The playout was ducked (true) or not any more.
    Ducked(bool),
    /// The responder was asked.
    Asked(GenerationId),
    /// The person was asked for.
    Away,
    /// Why something was decided.
    Decided(Decision, String),
    /// The call is over.
    Closed(CloseReason),
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Tick,
    SpeechBegins(usize),
    Detected(usize),
    Partial(usize, usize),
    Undetected(usize),
    Final(usize),
    Delta(GenerationId, usize),
    GenerationEnds(GenerationId),
    VoiceReady(SegmentId),
    ToolReady(ToolCallId),
    Wake,
}

/// One conversation under way.
pub struct World<S> {
    /// The engine, to be looked at.
    pub engine: Engine,
    /// Everything that happened, with its time.
    pub observed: Vec<(Moment, Observed)>,
    script: S,
    now: Moment,
    queue: BinaryHeap<Reverse<(Moment, u64, Next)>>,
    seq: u64,
    ticking: bool,
    playout: SimPlayout,
    was_sounding: bool,
    speeches: Vec<Speech>,
    utterances: HashMap<usize, UtteranceId>,
    /// The speech that the detector is in.
    detected: Option<usize>,
    live: HashSet<UtteranceId>,
    replies: HashMap<GenerationId, super::ReplyPlan>,
    voices: HashMap<SegmentId, (super::VoicePlan, String)>,
    tools: HashMap<ToolCallId, String>,
    /// The responder's verdict on each text; `None` passes.
    pub verdict: fn(&str) -> Option<(SafetyState, String)>,
}

impl<S: Script> World<S> {
    /// A call that connects at 0.
    pub fn new(config: EngineConfig, script: S) -> Self {
        let mut world = Self {
            engine: Engine::new(config),
            observed: Vec::new(),
            script,
            now: Moment(0),
            queue: BinaryHeap::new(),
            seq: 0,
            ticking: false,
            playout: SimPlayout::default(),
            was_sounding: false,
            speeches: Vec::new(),
            utterances: HashMap::new(),
            detected: None,
            live: HashSet::new(),
            replies: HashMap::new(),
            voices: HashMap::new(),
            tools: HashMap::new(),
            verdict: |_| None,
        };
        world.feed(Input::Connected);
        world.plan_speech();
        world
    }

    /// The time.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Lets time pass until `until`, or until the call is over.
    pub fn run_until(&mut self, until: Moment) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// The next thing that happens at or before `until`. False where there is none.
    pub fn step(&mut self, until: Moment) -> bool {
        let wake = self.engine.poll_timeout().map(|(due, _)| due);
        let next = self.queue.peek().map(|Reverse((at, _, _))| *at);
        let at = match (next, wake) {
            (Some(next), Some(wake)) => next.min(wake),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => return false,
        };
        if at > until {
            return false;
        }
        self.now = self.now.max(at);
        if next.is_some_and(|next| next <= at) {
            if let Some(Reverse((_, _, next))) = self.queue.pop() {
                self.happen(next);
            }
        } else {
            self.happen(Next::Wake);
        }
        true
    }

    /// Gives the engine something from outside.
    pub fn feed(&mut self, input: Input) {
        let mut inbox = vec![input];
        while !inbox.is_empty() {
            let input = inbox.remove(0);
            self.engine.handle_input(input, self.now);
            while let Some(output) = self.engine.poll_output() {
                self.carry_out(output, &mut inbox);
            }
        }
    }

    fn at(&mut self, at: Moment, next: Next) {
        self.seq += 1;
        self.queue.push(Reverse((at, self.seq, next)));
    }

    fn plan_speech(&mut self) {
        if let Some(speech) = self.script.next_speech(self.now) {
            let from = speech.from.max(self.now);
            self.speeches.push(speech);
            self.at(from, Next::SpeechBegins(self.speeches.len() - 1));
        }
    }

    fn happen(&mut self, next: Next) {
        match next {
            Next::Tick => self.tick(),
            Next::SpeechBegins(nth) => self.speech_begins(nth),
            Next::Detected(nth) => {
                self.tell_position();
                self.detected = Some(nth);
                let onset = self.speeches[nth].from;
                self.feed(Input::SpeechStarted { onset });
            }
            Next::Undetected(nth) => {
                self.tell_position();
                self.detected = None;
                let end = self.speeches[nth].to;
                self.feed(Input::SpeechStopped { end, prosody: None });
            }
            Next::Partial(nth, part) => {
                let text = self.speeches[nth].partials[part].1.clone();
                if let Some(utterance) = self.utterance(nth) {
                    self.tell_position();
                    self.feed(Input::TranscriptPartial { utterance, text });
                }
            }
            Next::Final(nth) => {
                let (text, fails) = (self.speeches[nth].text.clone(), self.speeches[nth].fails);
                if let Some(utterance) = self.utterance(nth) {
                    self.tell_position();
                    self.feed(if fails {
                        Input::TranscriptFailed { utterance }
                    } else {
                        Input::TranscriptFinal { utterance, text }
                    });
                }
            }
            Next::Delta(generation, nth) => {
                let text = self
                    .replies
                    .get(&generation)
                    .map(|plan| plan.deltas[nth].1.clone());
                if let Some(text) = text {
                    self.feed(Input::GenerationDelta { generation, text });
                }
            }
            Next::GenerationEnds(generation) => self.generation_ends(generation),
            Next::VoiceReady(segment) => self.voice_ready(segment),
            Next::ToolReady(id) => {
                if let Some(result) = self.tools.remove(&id) {
                    self.feed(Input::ToolDone { id, result });
                }
            }
            Next::Wake => {
                self.tell_position();
                self.feed(Input::Timeout);
            }
        }
        self.keep_ticking();
    }

    fn utterance(&self, nth: usize) -> Option<UtteranceId> {
        let utterance = self.utterances.get(&nth).copied()?;
        self.live.contains(&utterance).then_some(utterance)
    }

    fn speech_begins(&mut self, nth: usize) {
        let speech = self.speeches[nth].clone();
        let (on_ms, off_ms) = self.script.detector_ms();
        // Speech shorter than the detector needs is nothing.
        if speech.to.ms_since(speech.from) > on_ms {
            self.at(speech.from.plus_ms(on_ms), Next::Detected(nth));
            self.at(speech.to.plus_ms(off_ms), Next::Undetected(nth));
            for (part, (after_ms, _)) in speech.partials.iter().enumerate() {
                self.at(speech.from.plus_ms(*after_ms), Next::Partial(nth, part));
            }
            self.at(speech.to.plus_ms(speech.final_after_ms), Next::Final(nth));
        }
        self.plan_speech();
    }

    fn tell_position(&mut self) {
        if let Some(position) = self.playout.position() {
            self.feed(position);
        }
    }

    fn tick(&mut self) {
        self.ticking = false;
        for input in self.playout.tick() {
            self.feed(input);
        }
    }

    fn keep_ticking(&mut self) {
        if self.playout.sounding != self.was_sounding {
            self.was_sounding = self.playout.sounding;
            self.observe(Observed::Sound(self.was_sounding));
        }
        if self.ticking || !self.playout.is_active() {
            return;
        }
        self.ticking = true;
        // The first frame goes out at once, the next ones on their grid.
        let in_ms = if self.playout.sounding { FRAME_MS } else { 0 };
        self.at(self.now.plus_ms(in_ms), Next::Tick);
    }

    fn generation_ends(&mut self, generation: GenerationId) {
        let Some(plan) = self.replies.remove(&generation) else {
            return;
        };
        if plan.fails {
            return self.feed(Input::GenerationFailed { generation });
        }
        if !plan.calls.is_empty() {
            self.feed(Input::ToolCalls {
                generation,
                calls: plan.calls,
            });
        }
        self.feed(Input::GenerationDone {
            generation,
            hang_up: plan.hang_up,
            hand_off: None,
        });
    }

    fn voice_ready(&mut self, segment: SegmentId) {
        if !self.playout.has(segment) {
            return;
        }
        let Some((plan, text)) = self.voices.remove(&segment) else {
            return;
        };
        if plan.fails {
            self.playout.forget(segment);
            return self.feed(Input::SegmentFailed { segment });
        }
        let marks = marks(&text, plan.audio_ms);
        let ends = marks.iter().map(|mark| mark.end_ms).collect();
        self.playout.made(segment, plan.audio_ms, ends);
        if plan.marks {
            self.feed(Input::SegmentMarks { segment, marks });
        }
        self.feed(Input::SegmentStarted { segment });
        self.feed(Input::SegmentMade {
            segment,
            duration_ms: plan.audio_ms,
        });
    }

    fn observe(&mut self, what: Observed) {
        self.observed.push((self.now, what));
    }

    fn carry_out(&mut self, output: Output, inbox: &mut Vec<Input>) {
        match output {
            Output::BeginUtterance { utterance, .. } => {
                if let Some(nth) = self.detected {
                    self.utterances.insert(nth, utterance);
                    self.live.insert(utterance);
                }
            }
            Output::FinishUtterance { .. } => {}
            Output::CancelUtterance { utterance } => {
                self.live.remove(&utterance);
            }
            Output::Classify { subject, text } => inbox.push(self.check(subject, &text)),
            Output::StartGeneration {
                generation,
                history,
                ..
            } => self.start_generation(generation, &history),
            Output::CancelGeneration { generation } => {
                self.replies.remove(&generation);
            }
            Output::Speak {
                segment,
                text,
                hold,
                ..
            } => self.speak(segment, text, hold),
            Output::ReleasePlayout => self.playout.release(),
            Output::DuckPlayout => self.observe(Observed::Ducked(true)),
            Output::UnduckPlayout => self.observe(Observed::Ducked(false)),
            Output::SwitchAgent { .. } => inbox.push(Input::HandOffFailed),
            Output::RunTool { call } => {
                if let Some((after_ms, result)) = self.script.tool(&call) {
                    self.tools.insert(call.id.clone(), result);
                    self.at(self.now.plus_ms(after_ms), Next::ToolReady(call.id));
                }
            }
            Output::CancelTool { id } => {
                self.tools.remove(&id);
            }
            Output::PausePlayout => {
                self.playout.pause();
                self.observe(Observed::Paused);
            }
            Output::ResumePlayout => {
                self.playout.resume();
                self.observe(Observed::Resumed);
            }
            Output::StopPlayout => {
                let played_ms = self.playout.played_ms;
                self.playout.stop();
                self.voices.clear();
                self.observe(Observed::Stopped(played_ms));
            }
            Output::Publish { envelope } => self.published(envelope.event),
            Output::Decided { decision, why } => self.observe(Observed::Decided(decision, why)),
            Output::Close { reason } => self.observe(Observed::Closed(reason)),
        }
    }

    fn check(&self, subject: Subject, text: &str) -> Input {
        let (state, action) = match (self.verdict)(text) {
            None => (SafetyState::Normal, SafetyAction::Pass),
            Some((state, text)) => (state, SafetyAction::Replace { text }),
        };
        Input::Verdict {
            subject,
            state,
            action,
        }
    }

    fn start_generation(&mut self, generation: GenerationId, history: &[Message]) {
        self.observe(Observed::Asked(generation));
        let asked = history.last().map_or("", |message| message.text.as_str());
        let plan = self.script.reply(asked);
        for (nth, (after_ms, _)) in plan.deltas.iter().enumerate() {
            self.at(self.now.plus_ms(*after_ms), Next::Delta(generation, nth));
        }
        if let Some(ends_ms) = plan.ends_ms {
            self.at(self.now.plus_ms(ends_ms), Next::GenerationEnds(generation));
        }
        self.replies.insert(generation, plan);
    }

    fn speak(&mut self, segment: SegmentId, text: String, hold: bool) {
        let plan = self.script.voice(&text);
        self.playout.begin(segment, hold);
        if let Some(first_ms) = plan.first_ms {
            self.at(self.now.plus_ms(first_ms), Next::VoiceReady(segment));
        }
        self.voices.insert(segment, (plan, text));
    }

    fn published(&mut self, event: Event) {
        if let Event::AgentState { state } = event {
            self.observe(Observed::State(state));
        } else if let Event::MessageCommitted { message } = event {
            self.observe(Observed::Committed(message));
        } else if let Event::UserAway {} = event {
            self.observe(Observed::Away);
        }
    }
}

/// Word ends in proportion to the words' lengths.
fn marks(text: &str, audio_ms: u64) -> Vec<Mark> {
    let total = text.len().max(1) as u64;
    let ends = text
        .char_indices()
        .filter(|(_, c)| *c == ' ')
        .map(|(at, _)| at)
        .chain([text.len()]);
    ends.map(|text_end| Mark {
        text_end,
        end_ms: audio_ms * text_end as u64 / total,
    })
    .collect()
}
