//! The agent's reply: from the responder's words to the voice.

use antiphon_proto::{
    AgentId, CloseReason, Event, GenerationId, Message, Moment, NoticeCode, Role, SegmentId, TurnId,
};

use super::{Engine, FinishedTurn};
use crate::config::SpeculationMode;
use crate::endpointing::question_kind;
use crate::phrases::is_go_on;
use crate::reply::{Reply, SEGMENTS_AHEAD, SEGMENTS_MAX, Segment, SegmentState};
use crate::sentence::Piece;
use crate::{Decision, Output, SafetyAction, Subject};

impl Reply {
    /// Notes where the time of the person's turn went.
    pub(super) fn time_user(&mut self, finished: &FinishedTurn) {
        let since_end = |at: Moment| at.ms_since(finished.origin);
        self.timeline.transcript_final_ms = finished.final_at.map(since_end);
        if finished.endpointing_reason.is_some() {
            self.timeline.endpointing_ms = Some(since_end(finished.ended_at));
            self.timeline.endpointing_wait_ms = finished.endpointing_wait_ms;
        }
        self.timeline
            .endpointing_reason
            .clone_from(&finished.endpointing_reason);
    }
}

impl Engine {
    /// Begins the reply to a checked turn.
    pub(super) fn answer(&mut self, finished: FinishedTurn, action: SafetyAction) {
        let mut reply = Reply::new(finished.turn, finished.origin, self.now);
        reply.time_user(&finished);
        let unsaid = std::mem::take(&mut self.unsaid);
        let script = match action {
            SafetyAction::Pass => self.owed_script.take(),
            SafetyAction::Replace { text } => Some(text),
        };
        if let Some(text) = script {
            reply.scripted = true;
            reply.interruptible = false;
            self.owed_script = Some(text.clone());
            self.reply = Some(reply);
            self.speak_script(&text);
        } else if !unsaid.is_empty() && is_go_on(&finished.text) {
            self.reply = Some(reply);
            self.go_on_with(&unsaid);
        } else {
            self.reply = Some(reply);
            self.ask_responder();
        }
    }

    /// Reviewed words instead of the reply to a turn that was confirmed before its verdict.
    pub(super) fn replace_reply(&mut self, turn: TurnId, text: String) {
        let Some(origin) = self
            .reply
            .as_ref()
            .filter(|reply| reply.turn == turn && !reply.scripted)
            .map(|reply| reply.origin)
        else {
            return;
        };
        self.interrupt_reply();
        let finished = FinishedTurn {
            turn,
            text: String::new(),
            origin,
            final_at: None,
            endpointing_reason: None,
            endpointing_wait_ms: None,
            ended_at: self.now,
        };
        self.answer(finished, SafetyAction::Replace { text });
    }

    /// Says what was left unsaid, checked again.
    fn go_on_with(&mut self, unsaid: &str) {
        let Some(reply) = &mut self.reply else { return };
        let pieces = reply.splitter.whole(unsaid);
        self.check_pieces(false, pieces);
        self.advance_reply();
    }

    /// Starts the responder on the current reply.
    pub(super) fn ask_responder(&mut self) {
        let generation = self.allocate_generation();
        let history = self.history_to_answer();
        let now = self.now;
        let Some(reply) = &mut self.reply else { return };
        reply.generation = Some(generation);
        reply.started_at = now;
        let tools = reply.step < self.config.limits.tool_steps_max && !self.config.tools.is_empty();
        self.emit(Output::StartGeneration {
            generation,
            history,
            tools,
        });
    }

    /// What the responder is to read: history, what the reply under way has said and learned, and
    /// a word on each tool that still runs.
    pub(super) fn history_to_answer(&self) -> Vec<Message> {
        let mut history: Vec<Message> = self.history.iter().cloned().collect();
        for orphan in &self.orphans {
            history.push(self.tool_message(
                orphan.turn,
                Role::ToolResult,
                &orphan.call,
                "(still running)",
            ));
        }
        if let Some(reply) = &self.reply {
            for step in 0..reply.step {
                let text = reply.said_in(step);
                if !text.is_empty() {
                    history.push(Message {
                        turn: reply.turn,
                        role: Role::Agent,
                        text,
                        interrupted: false,
                        at_ms: self.now.ms(),
                        tool: None,
                    });
                }
                history.extend(self.tool_messages(reply, step));
            }
        }
        history
    }

    /// Says the engine's own words: greeting, apology, farewell.
    pub(super) fn say(&mut self, turn: TurnId, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let mut reply = Reply::new(turn, self.now, self.now);
        reply.scripted = true;
        self.reply = Some(reply);
        self.speak_script(text);
    }

    /// Queues reviewed words; they need no check.
    pub(super) fn speak_script(&mut self, text: &str) {
        let Some(reply) = &mut self.reply else { return };
        for piece in reply.splitter.whole(text) {
            self.queue_cleared(piece.text, false);
        }
        self.advance_reply();
    }

    pub(super) fn queue_cleared(&mut self, text: String, filler: bool) {
        let id = self.allocate_segment();
        if let Some(reply) = &mut self.reply {
            let mut segment = Segment::new(id, reply.step, text);
            segment.filler = filler;
            segment.state = SegmentState::Cleared;
            reply.segments.push_back(segment);
        }
    }

    /// The reply that a generation belongs to, and whether it is the draft.
    pub(super) fn reply_of(&mut self, generation: GenerationId) -> Option<(&mut Reply, bool)> {
        let is_its = |reply: &&mut Reply| reply.generation == Some(generation);
        let live = self
            .reply
            .as_mut()
            .filter(is_its)
            .map(|reply| (reply, false));
        let draft = self.draft.as_mut().map(|draft| &mut draft.reply);
        live.or_else(|| draft.filter(is_its).map(|reply| (reply, true)))
    }

    /// A sentence of the reply or of the draft.
    pub(super) fn segment(&mut self, id: SegmentId) -> Option<&mut Segment> {
        let live = self.reply.as_mut().and_then(|reply| reply.segment(id));
        let draft = self.draft.as_mut();
        live.or_else(|| draft.and_then(|draft| draft.reply.segment(id)))
    }

    pub(super) fn on_delta(&mut self, generation: GenerationId, text: &str) {
        let now = self.now;
        let Some((reply, is_draft)) = self.reply_of(generation) else {
            return;
        };
        if !text.is_empty() {
            reply.first_token_at.get_or_insert(now);
            reply.last_token_at = Some(now);
        }
        let pieces = reply.splitter.push(text, now);
        self.check_pieces(is_draft, pieces);
    }

    /// When the first words of a reply have waited long enough.
    pub(super) fn first_piece_due(&self) -> Option<Moment> {
        let draft = self.draft.as_ref().map(|draft| &draft.reply);
        let replies = self.reply.iter().chain(draft);
        replies
            .filter(|reply| reply.generation.is_some())
            .filter_map(|reply| reply.splitter.due())
            .min()
    }

    pub(super) fn cut_first_piece(&mut self) {
        let now = self.now;
        for is_draft in [false, true] {
            let reply = match is_draft {
                true => self.draft.as_mut().map(|draft| &mut draft.reply),
                false => self.reply.as_mut(),
            };
            let Some(reply) = reply.filter(|reply| reply.generation.is_some()) else {
                continue;
            };
            let pieces = reply.splitter.push("", now);
            self.check_pieces(is_draft, pieces);
        }
    }

    /// Has each piece checked, with what came before it of its sentence: a sentence that may not be
    /// said does not pass in parts.
    pub(super) fn check_pieces(&mut self, is_draft: bool, pieces: Vec<Piece>) {
        for piece in pieces {
            let id = self.allocate_segment();
            let reply = match is_draft {
                true => self.draft.as_mut().map(|draft| &mut draft.reply),
                false => self.reply.as_mut(),
            };
            let Some(reply) = reply else { return };
            if reply.segments.len() >= SEGMENTS_MAX {
                if let Some(generation) = reply.generation.take() {
                    self.emit(Output::CancelGeneration { generation });
                }
                return;
            }
            let text = piece.in_context();
            let mut segment = Segment::new(id, reply.step, piece.text);
            segment.sentence = Some(piece.sentence);
            reply.segments.push_back(segment);
            self.emit(Output::Classify {
                subject: Subject::Agent { segment: id },
                text,
            });
        }
    }

    pub(super) fn on_generation_done(
        &mut self,
        generation: GenerationId,
        hang_up: bool,
        hand_off: Option<AgentId>,
    ) {
        let Some((reply, is_draft)) = self.reply_of(generation) else {
            return;
        };
        let rest = reply.splitter.finish();
        self.check_pieces(is_draft, rest.into_iter().collect());
        let Some((reply, _)) = self.reply_of(generation) else {
            return;
        };
        reply.generation = None;
        reply.hang_up = hang_up;
        reply.hand_off = hand_off;
        let passes_on = reply.hand_off.is_some();
        let empty = !reply.has_words() && !passes_on;
        if is_draft {
            if empty {
                self.discard_draft("the responder had no words");
            }
        } else if empty {
            self.retry_or_apologize("the responder had no words");
        }
        self.advance_reply();
    }

    pub(super) fn on_generation_failed(&mut self, generation: GenerationId) {
        let Some((reply, is_draft)) = self.reply_of(generation) else {
            return;
        };
        let rest = reply.splitter.finish();
        reply.generation = None;
        if is_draft {
            // Asked again at the end of the turn, where a failure is told.
            return self.discard_draft("the responder failed");
        }
        let silent = rest.is_none() && !reply.has_words();
        self.check_pieces(false, rest.into_iter().collect());
        if silent {
            self.retry_or_apologize("the responder failed");
        } else {
            self.tell_responder_trouble();
        }
        self.advance_reply();
    }

    pub(super) fn tell_responder_trouble(&mut self) {
        let message = "The agent had trouble finding an answer.".to_owned();
        self.publish(Event::Notice {
            code: NoticeCode::ResponderTrouble,
            message,
        });
    }

    pub(super) fn on_agent_verdict(&mut self, id: SegmentId, action: SafetyAction) {
        let draft = self.draft.as_mut().map(|draft| &mut draft.reply);
        let mut replies = self.reply.as_mut().into_iter().chain(draft);
        let Some(reply) = replies.find(|reply| reply.segments.iter().any(|s| s.id == id)) else {
            return;
        };
        match action {
            SafetyAction::Pass => reply.clear(id),
            SafetyAction::Replace { text } => reply.replace(id, text),
        }
        self.advance_draft();
        self.advance_reply();
    }

    /// Makes the sound of the draft's first sentence, to be held.
    fn advance_draft(&mut self) {
        if self.config.speculation.mode != SpeculationMode::Speak {
            return;
        }
        let Some(draft) = &mut self.draft else { return };
        let turn = draft.reply.turn;
        let Some(segment) = draft.reply.next_to_speak(0) else {
            return;
        };
        segment.state = SegmentState::Speaking;
        let (segment, text) = (segment.id, segment.text.clone());
        self.emit(Output::Speak {
            segment,
            turn,
            text,
            hold: true,
        });
    }

    /// Hands sentences to the voice, and ends the reply once everything was heard.
    pub(super) fn advance_reply(&mut self) {
        while let Some(reply) = &mut self.reply {
            let turn = reply.turn;
            let Some(segment) = reply.next_to_speak(SEGMENTS_AHEAD) else {
                break;
            };
            segment.state = SegmentState::Speaking;
            let (segment, text) = (segment.id, segment.text.clone());
            self.publish_agent_text(turn, segment, text.clone());
            self.emit(Output::Speak {
                segment,
                turn,
                text,
                hold: false,
            });
        }
        if self.reply.as_ref().is_some_and(Reply::finished) {
            self.end_reply();
        }
    }

    pub(super) fn publish_agent_text(&mut self, turn: TurnId, segment: SegmentId, text: String) {
        self.publish(Event::AgentText {
            turn,
            segment,
            text,
        });
    }

    fn end_reply(&mut self) {
        let Some(reply) = self.reply.take() else {
            return;
        };
        self.forget_overlap();
        if reply.held {
            // Nothing is left to go on with, but the next reply must be heard.
            self.emit(Output::ResumePlayout);
        }
        self.commit_reply(&reply);
        if self.ending.is_some() {
            self.continue_ending();
        } else if reply.hang_up {
            self.decided(Decision::End, "the agent has said goodbye");
            self.close(CloseReason::AgentHungUp);
        } else if let Some(agent) = reply.hand_off {
            self.switch_agent(agent);
        }
    }

    /// Stops the reply for good; history keeps what was heard.
    pub(super) fn interrupt_reply(&mut self) {
        let Some(reply) = self.reply.take() else {
            return;
        };
        self.forget_overlap();
        if let Some(generation) = reply.generation {
            self.emit(Output::CancelGeneration { generation });
        }
        self.emit(Output::StopPlayout);
        if !reply.scripted {
            self.unsaid = reply.unsaid();
        }
        self.commit_reply(&reply);
    }

    /// Puts what was heard of a reply, and the tools it called, into history.
    fn commit_reply(&mut self, reply: &Reply) {
        let mut heard_any = false;
        for step in 0..=reply.step {
            let (text, interrupted) = reply.heard_in(step);
            heard_any |= !text.is_empty();
            if !text.is_empty() {
                self.listener.question = question_kind(&text);
            }
            self.commit(reply.turn, Role::Agent, text, interrupted);
            self.commit_tools(reply, step);
        }
        if heard_any && !reply.interruptible {
            self.owed_script = None;
        }
    }

    /// The person asked for silence.
    pub(super) fn on_interrupt_requested(&mut self) {
        if self.ending.is_none() {
            self.discard_draft("the person asked for silence");
            self.unchecked = None;
            self.interrupt_reply();
            self.hushed = true;
        }
    }
}
