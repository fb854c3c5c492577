//! A reply begun before the turn is over: held back until the turn ends with the same words, or
//! forgotten without a trace.

use antiphon_proto::{Message, Moment, Role, TurnId};

use super::{Engine, FinishedTurn};
use crate::config::{EndpointingMode, SpeculationMode};
use crate::reply::{Reply, SegmentState};
use crate::{Decision, Output, SafetyAction, Subject};

/// A reply begun early.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The words that it answers.
    text: String,
    /// Not started before their verdict.
    started: bool,
    pub(super) reply: Reply,
}

impl Engine {
    /// When the transcript has been the same for long enough.
    pub(super) fn stable_partial_due(&self) -> Option<Moment> {
        let user = self.user.as_ref()?;
        let settings = &self.config.speculation;
        let idle = self.draft_possible() && !user.speaking && self.draft.is_none();
        // What begin_draft would refuse must not be due.
        if !idle
            || user.drafts >= settings.starts_max
            || !user.last_has_words()
            || crate::phrases::is_go_on(&user.text())
        {
            return None;
        }
        Some(user.changed_at.plus_ms(settings.stable_ms))
    }

    fn draft_possible(&self) -> bool {
        self.config.speculation.mode != SpeculationMode::Off
            && matches!(
                self.config.endpointing.mode,
                EndpointingMode::Auto | EndpointingMode::Fixed
            )
            && self.connected
            && self.ending.is_none()
            && self.reply.is_none()
            && self.unchecked.is_none()
            && self.overlap.is_none()
            && self.owed_script.is_none()
    }

    /// Begins a reply to the words so far.
    pub(super) fn begin_draft(&mut self) {
        if !self.draft_possible() || self.draft.is_some() {
            return;
        }
        let starts_max = self.config.speculation.starts_max;
        let now = self.now;
        let Some(user) = self.user.as_mut().filter(|user| user.drafts < starts_max) else {
            return;
        };
        let text = user.text();
        if text.is_empty() || crate::phrases::is_go_on(&text) {
            return;
        }
        user.drafts += 1;
        let turn = user.turn;
        self.draft = Some(Draft {
            text: text.clone(),
            started: false,
            reply: Reply::new(turn, now, now),
        });
        let text = self.unanswered_with(&text);
        self.emit(Output::Classify {
            subject: Subject::Draft { turn },
            text,
        });
    }

    pub(super) fn on_draft_verdict(&mut self, turn: TurnId, action: SafetyAction) {
        let Some(draft) = self
            .draft
            .as_ref()
            .filter(|draft| draft.reply.turn == turn && !draft.started)
        else {
            return;
        };
        if action != SafetyAction::Pass {
            // Reviewed words need no head start, and the turn is checked again at its end.
            self.draft = None;
            return;
        }
        let text = draft.text.clone();
        let generation = self.allocate_generation();
        let at_ms = self.now.ms();
        let mut history = self.history_to_answer();
        history.push(Message {
            turn,
            role: Role::User,
            text,
            interrupted: false,
            at_ms,
            tool: None,
        });
        if let Some(draft) = &mut self.draft {
            draft.started = true;
            draft.reply.generation = Some(generation);
        }
        self.speculation.started += 1;
        self.decided(
            Decision::Speculate,
            "the words have not changed for a while",
        );
        // With tools offered it answers as it would later; where it wants one, it is asked again.
        let tools = !self.config.tools.is_empty();
        self.emit(Output::StartGeneration {
            generation,
            history,
            tools,
        });
    }

    /// Forgets the draft where the words are others by now.
    pub(super) fn review_draft(&mut self) {
        let said = self.user.as_ref().map(|user| user.text());
        if self
            .draft
            .as_ref()
            .is_some_and(|draft| Some(&draft.text) != said.as_ref())
        {
            self.discard_draft("the words have changed");
        }
    }

    pub(super) fn discard_draft(&mut self, why: &str) {
        let Some(draft) = self.draft.take() else {
            return;
        };
        if !draft.started {
            return;
        }
        if let Some(generation) = draft.reply.generation {
            self.emit(Output::CancelGeneration { generation });
        }
        let spoken = |state| state == SegmentState::Speaking;
        let sentences = draft
            .reply
            .segments
            .iter()
            .filter(|s| spoken(s.state))
            .count();
        if sentences > 0 {
            self.emit(Output::StopPlayout);
        }
        let chars: usize = draft
            .reply
            .segments
            .iter()
            .map(|s| s.text.chars().count())
            .sum();
        self.speculation.wasted_chars += chars as u64;
        self.speculation.wasted_sentences += sentences as u32;
        self.decided(Decision::Discard, why);
    }

    /// Lets the draft be the reply where it answers the words of the turn. Gives the turn back
    /// where there is none.
    pub(super) fn confirm_draft(&mut self, finished: FinishedTurn) -> Option<FinishedTurn> {
        let fits = self.draft.as_ref().is_some_and(|draft| {
            draft.started && draft.reply.turn == finished.turn && draft.text == finished.text
        });
        if !fits {
            self.discard_draft("it answers other words");
            return Some(finished);
        }
        let Some(draft) = self.draft.take() else {
            return Some(finished);
        };
        let mut reply = draft.reply;
        reply.origin = finished.origin;
        reply.timeline.user_end_at_ms = finished.origin.ms();
        reply.timeline.speculative = true;
        reply.waiting_since = self.now;
        reply.time_user(&finished);
        self.speculation.confirmed += 1;
        self.decided(Decision::Confirm, "the turn ended with the same words");
        let released = reply.in_voice();
        let spoken: Vec<_> = reply
            .segments
            .iter()
            .filter(|segment| segment.state == SegmentState::Speaking)
            .map(|segment| (segment.id, segment.text.clone()))
            .collect();
        let turn = reply.turn;
        self.reply = Some(reply);
        // Counted as a turn by the safety monitor, whose word stands above the draft's.
        let text = self.unanswered_with("");
        self.emit(Output::Classify {
            subject: Subject::User { turn },
            text: text.trim_end().to_owned(),
        });
        for (segment, text) in spoken {
            self.publish_agent_text(turn, segment, text);
        }
        if released {
            self.emit(Output::ReleasePlayout);
        }
        self.advance_reply();
        None
    }
}
