//! What must hold after every step of a call.

use std::collections::{HashMap, HashSet};

use antiphon_engine::{Decision, Input, Output, SafetyAction, Subject, TimerReason};
use antiphon_proto::{
    AgentState, Event, EventEnvelope, GenerationId, Message, Moment, NoticeCode, Role, SegmentId,
    ToolCallId, TurnId, UtteranceId,
};

use super::ledger::{Spoken, compare};
use super::scenario::FORBIDDEN;

/// Longest silence that is not explained, in milliseconds: the limit of the product and a tick.
const SILENCE_MS_MAX: u64 = 3_000 + TICK_MS;
/// What a deadline may be late, in milliseconds.
const TICK_MS: u64 = 40;
/// How often a deadline may be due again right after it was served: one timer may start another.
const SAME_DUE_MAX: u32 = 4;
/// Entries of a history.
const HISTORY_MAX: usize = 400;

/// What a rule has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name.
    pub rule: &'static str,
    /// What was seen.
    pub detail: String,
}

/// What is known beside the engine's own words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    pub(super) connected: bool,
    /// The detector hears the person.
    pub(super) speaking: bool,
    /// The person was told to expect silence: no fillers.
    pub(super) fillers: bool,
    /// The playout waits for a release.
    pub(super) held: bool,
    pub(super) paused: bool,
    /// A text is being checked.
    pub(super) checking: bool,
    /// How long the responder may be silent, in milliseconds.
    pub(super) words_ms_max: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ToolState {
    Running,
    Over,
}

/// The rules and what they remember.
#[derive(Debug, Default)]
pub struct Rules {
    /// The first one that was broken.
    pub violation: Option<Violation>,
    seq: u64,
    closed: bool,
    pub(super) voice: Vec<Spoken>,
    cut: Vec<Spoken>,
    stopped: bool,
    said: Vec<String>,
    confirmed: bool,
    newest: SegmentId,
    generation: Option<GenerationId>,
    /// It has called tools: it need not be cancelled, and may be.
    called_tools: bool,
    /// When it was started or last said anything.
    words_at: Moment,
    now: Moment,
    state: Option<AgentState>,
    utterances: HashSet<UtteranceId>,
    tools: HashMap<ToolCallId, ToolState>,
    called: HashSet<ToolCallId>,
    resulted: HashSet<ToolCallId>,
    replaced: HashSet<TurnId>,
    ducked: bool,
    ending: bool,
    history: usize,
    /// The person's last turn has found no answer.
    owed: bool,
    silent_since: Option<Moment>,
    /// The responder owes words, and until when.
    words_due: Option<Moment>,
    owed_since: Option<Moment>,
    idle_since: Option<Moment>,
    same_due: u32,
}

impl Rules {
    /// Looks at an output before it is carried out.
    pub fn output(&mut self, output: &Output) {
        if self.closed {
            self.broken("closed", format!("{output:?} after the end"));
        }
        match output {
            Output::BeginUtterance { utterance, .. } => {
                self.utterances.insert(*utterance);
            }
            Output::CancelUtterance { utterance } => {
                // One cancels all that came before it in the turn.
                self.utterances.retain(|open| open > utterance);
            }
            Output::StartGeneration {
                generation,
                history,
                ..
            } => self.started(*generation, history),
            Output::CancelGeneration { generation } => {
                if self.generation.take() != Some(*generation) {
                    let detail = format!("{generation:?} is cancelled and does not run");
                    self.broken("generation", detail);
                }
            }
            Output::Speak {
                segment,
                turn,
                text,
                hold,
            } => self.spoke(*segment, *turn, text, *hold),
            Output::ReleasePlayout => self.released(),
            Output::StopPlayout => {
                self.stopped = true;
                self.cut.append(&mut self.voice);
            }
            Output::DuckPlayout => self.ducked = true,
            Output::UnduckPlayout => self.ducked = false,
            Output::RunTool { call } => {
                if self
                    .tools
                    .insert(call.id.clone(), ToolState::Running)
                    .is_some()
                {
                    self.broken("tools", format!("{} runs twice", call.id));
                }
            }
            Output::CancelTool { id } => {
                if self.tools.insert(id.clone(), ToolState::Over) != Some(ToolState::Running) {
                    self.broken("tools", format!("{id} is cancelled and does not run"));
                }
            }
            Output::Publish { envelope } => self.published(envelope),
            Output::Decided { decision, .. } => self.confirmed |= *decision == Decision::Confirm,
            Output::Close { .. } => self.closes(),
            Output::FinishUtterance { .. }
            | Output::Classify { .. }
            | Output::SwitchAgent { .. }
            | Output::PausePlayout
            | Output::ResumePlayout => {}
        }
    }

    /// Looks at an input before the engine does.
    pub(super) fn input(&mut self, input: &Input, now: Moment) {
        self.now = now;
        if let Input::GenerationDone { generation, .. } | Input::GenerationFailed { generation } =
            input
            && self.generation == Some(*generation)
        {
            self.generation = None;
        } else if let Input::GenerationDelta { generation, .. } = input {
            if self.generation == Some(*generation) {
                self.words_at = now;
            }
        } else if let Input::ToolCalls { generation, .. } = input {
            self.called_tools |= self.generation == Some(*generation);
        } else if let Input::ToolDone { id, .. } = input {
            if let Some(state) = self.tools.get_mut(id) {
                *state = ToolState::Over;
            }
        } else if let Input::Verdict {
            subject: Subject::User { turn },
            action: SafetyAction::Replace { .. },
            ..
        } = input
        {
            self.replaced.insert(*turn);
        } else if matches!(input, Input::InterruptRequested | Input::Disconnected) {
            self.owed = false;
        }
    }

    fn broken(&mut self, rule: &'static str, detail: String) {
        self.violation.get_or_insert(Violation { rule, detail });
    }

    fn started(&mut self, generation: GenerationId, history: &[Message]) {
        self.words_at = self.now;
        let ended = std::mem::take(&mut self.called_tools);
        if let Some(running) = self.generation.replace(generation).filter(|_| !ended) {
            let detail = format!("{generation:?} is started while {running:?} runs");
            self.broken("generation", detail);
        }
        let last = history.last();
        if let Some(last) = last.filter(|last| self.replaced.contains(&last.turn)) {
            let detail = format!("{generation:?} answers {:?}", last.turn);
            self.broken("safety", detail);
        }
        if history
            .iter()
            .any(|message| message.role == Role::Agent && forbidden(&message.text))
        {
            self.broken("safety", format!("{generation:?} reads replaced words"));
        }
    }

    fn spoke(&mut self, id: SegmentId, turn: TurnId, text: &str, held: bool) {
        if forbidden(text) {
            self.broken("safety", format!("{id:?} has replaced words"));
        }
        if id <= self.newest {
            self.broken("one reply", format!("{id:?} is spoken again"));
        }
        self.newest = id;
        let other = self.voice.iter().find(|other| other.turn != turn);
        if let Some(other) = other {
            if other.over {
                self.leave_over();
            } else {
                let detail = format!(
                    "{id:?} of {turn:?} beside {:?} of {:?}",
                    other.id, other.turn
                );
                self.broken("one reply", detail);
            }
        }
        self.voice
            .push(Spoken::new(id, turn, text.to_owned(), held));
    }

    /// A reply ended and said nothing of itself: nothing of it may have been heard.
    fn leave_over(&mut self) {
        let left = std::mem::take(&mut self.voice);
        if let Err(detail) = compare(&left, &[]) {
            self.broken("history", detail);
        }
    }

    fn released(&mut self) {
        if !self.confirmed {
            self.broken("speculation", "released without being confirmed".into());
        }
        for spoken in &mut self.voice {
            spoken.held = false;
        }
    }

    fn published(&mut self, envelope: &EventEnvelope) {
        self.seq += 1;
        if envelope.seq != self.seq {
            self.broken(
                "events",
                format!("{} instead of {}", envelope.seq, self.seq),
            );
        }
        if let Event::AgentState { state } = &envelope.event {
            self.state = Some(*state);
        } else if let Event::AgentText { segment, text, .. } = &envelope.event {
            if forbidden(text) {
                self.broken("safety", format!("{segment:?} has replaced words"));
            }
        } else if let Event::AgentHeard { segment, .. } = &envelope.event {
            let known = self.voice.iter().find(|spoken| spoken.id == *segment);
            if known.is_none_or(|spoken| spoken.held) {
                self.broken("stopped", format!("{segment:?} is heard"));
            }
        } else if let Event::MessageCommitted { message } = &envelope.event {
            self.committed(message);
        } else if let Event::SessionEnding { .. } = &envelope.event {
            self.ending = true;
        } else if let Event::Notice { code, .. } = &envelope.event {
            // They are told in another way, also where no words are set for it.
            self.owed &= match code {
                NoticeCode::RecognizerTrouble
                | NoticeCode::ResponderTrouble
                | NoticeCode::VoiceTrouble => false,
                NoticeCode::BadMessage
                | NoticeCode::Replaced
                | NoticeCode::HandOffTrouble
                | NoticeCode::Voicemail => true,
            };
        }
    }

    fn committed(&mut self, message: &Message) {
        self.history += 1;
        match message.role {
            Role::User => {
                self.owed = true;
                // They wait anew.
                self.silent_since = None;
            }
            Role::Agent => {
                if forbidden(&message.text) {
                    self.broken("safety", "replaced words in history".into());
                }
                if !self.stopped && self.voice.iter().any(|spoken| !spoken.over) {
                    self.broken("history", "committed while it is being said".into());
                }
                self.cut.append(&mut self.voice);
                self.said.push(message.text.clone());
            }
            Role::ToolCall | Role::ToolResult => self.tool_committed(message),
        }
    }

    fn tool_committed(&mut self, message: &Message) {
        let Some(tool) = &message.tool else {
            return self.broken("tools", "an entry of a tool names none".into());
        };
        let id = &tool.id;
        let call = message.role == Role::ToolCall;
        let fresh = if call {
            self.called.insert(id.clone())
        } else {
            self.resulted.insert(id.clone())
        };
        if !fresh {
            self.broken("tools", format!("{id} is twice in history"));
        }
        if !call && !self.called.contains(id) {
            self.broken("tools", format!("the result of {id} comes before its call"));
        }
    }

    fn closes(&mut self) {
        self.closed = true;
        if let Some(generation) = self.generation.filter(|_| !self.called_tools) {
            self.broken("generation", format!("{generation:?} outlives the session"));
        }
        let running = self
            .tools
            .iter()
            .find(|(_, state)| **state == ToolState::Running);
        if let Some((id, _)) = running {
            let detail = format!("{id} outlives the session");
            self.broken("tools", detail);
        }
        if self.voice.iter().any(|spoken| !spoken.over) {
            self.broken("voice", "a sentence outlives the session".into());
        }
    }

    /// After an input and all that followed from it.
    pub(super) fn settled(&mut self, now: Moment, seen: Circumstances, history: usize) {
        if self.stopped || !self.said.is_empty() {
            let (cut, said) = (
                std::mem::take(&mut self.cut),
                std::mem::take(&mut self.said),
            );
            if cut.iter().any(|spoken| spoken.played_ms > 0) {
                self.owed = false;
            }
            if let Err(detail) = compare(&cut, &said) {
                self.broken("history", detail);
            }
        }
        self.stopped = false;
        self.confirmed = false;
        let waits = self.voice.iter().any(|spoken| spoken.held);
        if seen.held && !waits {
            self.broken("speculation", "the playout is held for nothing".into());
        }
        let active = self.voice.iter().any(|spoken| !spoken.over);
        let running = self
            .tools
            .values()
            .any(|state| *state == ToolState::Running);
        let runs = running || (self.generation.is_some() && !self.called_tools);
        let over = !active && !runs && !seen.checking && self.state == Some(AgentState::Listening);
        if over && (seen.paused || self.ducked) {
            let what = if seen.paused { "paused" } else { "ducked" };
            self.broken(
                "overlap",
                format!("the playout stays {what} after the reply"),
            );
        }
        if history > HISTORY_MAX {
            self.broken("memory", format!("{history} entries in history"));
        }
        self.clocks(now, seen, active, runs);
    }

    fn clocks(&mut self, now: Moment, seen: Circumstances, active: bool, runs: bool) {
        let thinks = self.state == Some(AgentState::Thinking);
        let listens = self.state == Some(AgentState::Listening);
        let calm = seen.connected && !seen.speaking && !self.closed;
        let silent = calm && thinks && !active && seen.fillers;
        keep(&mut self.silent_since, silent, now);
        let thought = self.generation.is_some() && !self.called_tools && !seen.checking;
        let due = self.words_at.plus_ms(seen.words_ms_max);
        let owes = !self.closed && thinks && !active && thought;
        self.words_due = owes.then_some(due.max(now));
        let owed = calm && listens && self.owed && !active && !self.ending;
        keep(
            &mut self.owed_since,
            owed && self.utterances.is_empty(),
            now,
        );
        let idle = calm && !listens && !active && !runs;
        keep(&mut self.idle_since, idle, now);
    }

    /// Time has come to `now` and nothing happened until then.
    pub(super) fn time(&mut self, now: Moment) {
        let over =
            |since: Option<Moment>| since.is_some_and(|at| now.ms_since(at) > SILENCE_MS_MAX);
        if over(self.silent_since) {
            self.broken("silence", "the person waits and hears nothing".into());
        } else if over(self.owed_since) {
            self.broken("unanswered", "the person's turn is never answered".into());
        } else if over(self.idle_since) {
            self.broken("stuck", "the agent works and nothing runs".into());
        } else if self
            .words_due
            .is_some_and(|due| now.ms_since(due) > TICK_MS)
        {
            self.broken(
                "patience",
                "the responder stalls and is not given up".into(),
            );
        }
    }

    /// The machine slept: nobody waited.
    pub(super) fn slept(&mut self, now: Moment) {
        for since in [
            &mut self.silent_since,
            &mut self.owed_since,
            &mut self.idle_since,
        ] {
            *since = since.map(|_| now);
        }
        self.words_due = None;
    }

    /// After a deadline was served: the next one.
    pub(super) fn deadline(&mut self, next: Option<(Moment, TimerReason)>, now: Moment) {
        self.same_due = match next {
            Some((due, _)) if due <= now => self.same_due + 1,
            Some(_) | None => 0,
        };
        if self.same_due > SAME_DUE_MAX {
            self.broken("deadlines", format!("{next:?} is due again and again"));
        }
        if self.closed && next.is_some() {
            self.broken("closed", format!("{next:?} after the end"));
        }
    }

    /// A frame of a sentence was played.
    pub(super) fn played(&mut self, id: SegmentId, played_ms: u64) {
        match self.voice.iter_mut().find(|spoken| spoken.id == id) {
            Some(spoken) => {
                spoken.played_ms = spoken.played_ms.max(played_ms);
                let held = spoken.held;
                if held {
                    self.broken("speculation", format!("{id:?} is played and not confirmed"));
                }
            }
            None => self.broken("stopped", format!("{id:?} is played")),
        }
    }

    pub(super) fn spoken(&mut self, id: SegmentId) -> Option<&mut Spoken> {
        self.voice.iter_mut().find(|spoken| spoken.id == id)
    }

    /// The voice says nothing more and does not say why: nobody can tell that from a long sentence.
    pub(super) fn voice_stalled(&mut self) {
        self.owed = false;
    }
}

fn keep(since: &mut Option<Moment>, on: bool, now: Moment) {
    if on {
        since.get_or_insert(now);
    } else {
        *since = None;
    }
}

fn forbidden(text: &str) -> bool {
    text.contains(FORBIDDEN)
}
