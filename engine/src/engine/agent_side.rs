//! The agent's reply: from the responder's words to what was heard.

use antiphon_proto::{
    CloseReason, Event, GenerationId, Moment, NoticeCode, Role, SegmentId, TurnId,
};

use super::{Engine, FIRST_WORDS_MS_MAX, FinishedTurn};
use crate::input::Mark;
use crate::reply::{Reply, SEGMENTS_MAX, Segment, SegmentState};
use crate::{Output, SafetyAction, Subject};

impl Engine {
    /// Begins the reply to a checked turn.
    pub(super) fn answer(&mut self, finished: FinishedTurn, action: SafetyAction) {
        let mut reply = Reply::new(finished.turn, finished.origin, self.now);
        let since_end = |at: Moment| at.ms_since(finished.origin);
        reply.timeline.transcript_final_ms = finished.user.final_at.map(since_end);
        if finished.endpointing_reason.is_some() {
            reply.timeline.endpointing_ms = Some(since_end(finished.ended_at));
        }
        reply
            .timeline
            .endpointing_reason
            .clone_from(&finished.endpointing_reason);
        self.answered = Some(finished);
        match action {
            SafetyAction::Pass => {
                let generation = self.next_generation;
                self.next_generation = generation.next();
                reply.generation = Some(generation);
                self.reply = Some(reply);
                let history = self.history.iter().cloned().collect();
                self.emit(Output::StartGeneration {
                    generation,
                    history,
                });
            }
            SafetyAction::Replace { text } => {
                reply.scripted = true;
                self.reply = Some(reply);
                self.speak_script(&text);
            }
        }
    }

    /// Says the engine's own words: greeting, apology, farewell.
    pub(super) fn say(&mut self, turn: TurnId, text: String) {
        if text.trim().is_empty() {
            return;
        }
        let mut reply = Reply::new(turn, self.now, self.now);
        reply.scripted = true;
        self.reply = Some(reply);
        self.speak_script(&text);
    }

    /// Queues reviewed words; they need no check.
    fn speak_script(&mut self, text: &str) {
        let Some(reply) = &mut self.reply else { return };
        let mut pieces = reply.splitter.push(text);
        pieces.extend(reply.splitter.finish());
        for piece in pieces {
            let id = self.next_segment;
            self.next_segment = id.next();
            if let Some(reply) = &mut self.reply {
                reply.segments.push_back(Segment::new(id, piece));
            }
            self.clear_segment(id, None);
        }
        self.advance_reply();
    }

    pub(super) fn on_delta(&mut self, generation: GenerationId, text: &str) {
        let Some(reply) = self
            .reply
            .as_mut()
            .filter(|reply| reply.generation == Some(generation))
        else {
            return;
        };
        if reply.timeline.first_token_ms.is_none() && !text.is_empty() {
            reply.timeline.first_token_ms = Some(self.now.ms_since(reply.origin));
        }
        let pieces = reply.splitter.push(text);
        self.check_pieces(pieces);
    }

    fn check_pieces(&mut self, pieces: Vec<String>) {
        for text in pieces {
            let Some(reply) = &mut self.reply else { return };
            if reply.segments.len() >= SEGMENTS_MAX {
                if let Some(generation) = reply.generation.take() {
                    self.emit(Output::CancelGeneration { generation });
                }
                return;
            }
            let id = self.next_segment;
            self.next_segment = id.next();
            reply.segments.push_back(Segment::new(id, text.clone()));
            self.emit(Output::Classify {
                subject: Subject::Agent { segment: id },
                text,
            });
        }
    }

    pub(super) fn on_generation_done(&mut self, generation: GenerationId, hang_up: bool) {
        let Some(reply) = self
            .reply
            .as_mut()
            .filter(|reply| reply.generation == Some(generation))
        else {
            return;
        };
        let rest = reply.splitter.finish();
        self.check_pieces(rest.into_iter().collect());
        let Some(reply) = &mut self.reply else { return };
        reply.generation = None;
        reply.hang_up = hang_up;
        if reply.segments.is_empty() {
            self.apologize();
        }
        self.advance_reply();
    }

    pub(super) fn on_generation_failed(&mut self, generation: GenerationId) {
        let Some(reply) = self
            .reply
            .as_mut()
            .filter(|reply| reply.generation == Some(generation))
        else {
            return;
        };
        reply.generation = None;
        let rest = reply.splitter.finish();
        let silent = reply.segments.is_empty() && rest.is_none();
        self.check_pieces(rest.into_iter().collect());
        let message = "The agent had trouble finding an answer.".to_owned();
        self.publish(Event::Notice {
            code: NoticeCode::ResponderTrouble,
            message,
        });
        if silent {
            self.apologize();
        }
        self.advance_reply();
    }

    pub(super) fn first_words_due(&self) -> Option<Moment> {
        let reply = self.reply.as_ref()?;
        let waiting = reply.generation.is_some() && reply.timeline.first_token_ms.is_none();
        waiting.then(|| reply.started_at.plus_ms(FIRST_WORDS_MS_MAX))
    }

    pub(super) fn on_responder_too_slow(&mut self) {
        if let Some(generation) = self.reply.as_ref().and_then(|reply| reply.generation) {
            self.emit(Output::CancelGeneration { generation });
            self.on_generation_failed(generation);
        }
    }

    fn apologize(&mut self) {
        let apology = self.config.apology.clone();
        self.speak_script(&apology);
    }

    pub(super) fn on_agent_verdict(&mut self, id: SegmentId, action: SafetyAction) {
        let unchecked = self
            .reply
            .as_mut()
            .and_then(|reply| reply.segment(id))
            .is_some_and(|segment| segment.state == SegmentState::Unchecked);
        if !unchecked {
            return;
        }
        match action {
            SafetyAction::Pass => self.clear_segment(id, None),
            SafetyAction::Replace { text } => self.clear_segment(id, Some(text)),
        }
        self.advance_reply();
    }

    fn clear_segment(&mut self, id: SegmentId, replacement: Option<String>) {
        let Some(segment) = self.reply.as_mut().and_then(|reply| reply.segment(id)) else {
            return;
        };
        if let Some(text) = replacement {
            segment.text = text;
        }
        segment.state = if segment.text.trim().is_empty() {
            SegmentState::Failed
        } else {
            SegmentState::Cleared
        };
    }

    /// Hands sentences to the voice, and ends the reply once everything was heard.
    fn advance_reply(&mut self) {
        while let Some(reply) = &mut self.reply {
            let turn = reply.turn;
            let Some(segment) = reply.next_to_speak() else {
                break;
            };
            segment.state = SegmentState::Speaking;
            let (id, text) = (segment.id, segment.text.clone());
            self.publish(Event::AgentText {
                turn,
                segment: id,
                text: text.clone(),
            });
            self.emit(Output::Speak {
                segment: id,
                turn,
                text,
            });
        }
        if self.reply.as_ref().is_some_and(Reply::finished) {
            self.end_reply();
        }
    }

    fn end_reply(&mut self) {
        let Some(reply) = self.reply.take() else {
            return;
        };
        let (text, interrupted) = reply.heard();
        self.answered = None;
        self.interruption_due = None;
        self.commit(reply.turn, Role::Agent, text, interrupted);
        if self.ending.is_some() {
            self.continue_ending();
        } else if reply.hang_up {
            self.close(CloseReason::AgentHungUp);
        }
    }

    /// Stops the reply for good; history keeps what was heard. Where that is nothing, the turn it
    /// answered is taken up again.
    pub(super) fn interrupt_reply(&mut self) {
        let Some(reply) = self.reply.take() else {
            return;
        };
        self.interruption_due = None;
        if let Some(generation) = reply.generation {
            self.emit(Output::CancelGeneration { generation });
        }
        self.emit(Output::StopPlayout);
        let (text, interrupted) = reply.heard();
        let answered = self.answered.take();
        if text.is_empty() {
            if let Some(finished) = answered {
                self.reopen(finished);
            }
        } else {
            self.commit(reply.turn, Role::Agent, text, interrupted);
        }
    }

    /// The person asked for silence: the turn is not answered again even if nothing was heard.
    pub(super) fn on_interrupt_requested(&mut self) {
        if self.ending.is_none() {
            self.answered = None;
            self.interrupt_reply();
        }
    }

    pub(super) fn on_marks(&mut self, id: SegmentId, marks: Vec<Mark>) {
        if let Some(segment) = self.reply.as_mut().and_then(|reply| reply.segment(id)) {
            segment.add_marks(marks);
        }
    }

    pub(super) fn on_segment_started(&mut self, id: SegmentId) {
        let now = self.now;
        let Some(reply) = self
            .reply
            .as_mut()
            .filter(|reply| reply.segments.iter().any(|s| s.id == id))
        else {
            return;
        };
        let made = &mut reply.timeline.first_audio_made_ms;
        *made = made.or(Some(now.ms_since(reply.origin)));
    }

    pub(super) fn on_segment_made(&mut self, id: SegmentId, duration_ms: u64) {
        if let Some(segment) = self.reply.as_mut().and_then(|reply| reply.segment(id)) {
            segment.made(duration_ms);
        }
    }

    pub(super) fn on_segment_failed(&mut self, id: SegmentId) {
        let Some(segment) = self.reply.as_mut().and_then(|reply| reply.segment(id)) else {
            return;
        };
        segment.state = SegmentState::Failed;
        let message = "The agent's voice failed; read its words instead.".to_owned();
        self.publish(Event::Notice {
            code: NoticeCode::VoiceTrouble,
            message,
        });
        self.advance_reply();
    }

    pub(super) fn on_first_frame_sent(&mut self, id: SegmentId) {
        let now = self.now;
        let Some(reply) = self
            .reply
            .as_mut()
            .filter(|reply| reply.segments.iter().any(|s| s.id == id))
        else {
            return;
        };
        if reply.audible {
            return;
        }
        reply.audible = true;
        reply.timeline.first_audio_sent_ms = Some(now.ms_since(reply.origin));
        if reply.turn != TurnId(0) && !(reply.scripted && self.answered.is_none()) {
            let timeline = reply.timeline.clone();
            self.publish(Event::TurnTimeline { timeline });
        }
    }

    pub(super) fn on_heard(&mut self, id: SegmentId, heard_ms: u64) {
        let Some(segment) = self.reply.as_mut().and_then(|reply| reply.segment(id)) else {
            return;
        };
        if segment.heard_until(heard_ms) {
            self.publish_heard(id);
        }
    }

    pub(super) fn on_segment_played(&mut self, id: SegmentId) {
        let Some(segment) = self.reply.as_mut().and_then(|reply| reply.segment(id)) else {
            return;
        };
        // A sentence that failed was not heard, whatever the playout says of its empty audio.
        if segment.state == SegmentState::Speaking && segment.played() {
            self.publish_heard(id);
        }
        self.advance_reply();
    }

    fn publish_heard(&mut self, id: SegmentId) {
        let Some(reply) = &mut self.reply else { return };
        let turn = reply.turn;
        if let Some(segment) = reply.segment(id) {
            let heard_utf16 = segment.heard_utf16();
            self.publish(Event::AgentHeard {
                turn,
                segment: id,
                heard_utf16,
            });
        }
    }
}
