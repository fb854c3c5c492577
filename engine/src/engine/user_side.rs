//! The person's turn: from speech to a finished, checked text.

use antiphon_proto::{Event, Moment, NoticeCode, Role, SafetyState, TurnId, UtteranceId};

use super::{Engine, FinishedTurn, USER_TEXT_CHARS_MAX};
use crate::config::EndpointingMode;
use crate::endpointing::Prosody;
use crate::user_turn::UserTurn;
use crate::{Decision, InterruptionMode, Output, SafetyAction, Subject};

impl Engine {
    pub(super) fn on_voice_started(&mut self, onset: Moment) {
        if self.config.endpointing.mode != EndpointingMode::PushToTalk {
            self.on_speech_started(onset);
        }
    }

    pub(super) fn on_voice_stopped(&mut self, end: Moment, prosody: Option<Prosody>) {
        if self.config.endpointing.mode != EndpointingMode::PushToTalk {
            if let Some(user) = &mut self.user {
                user.prosody = prosody;
            }
            self.on_speech_stopped(end);
        }
    }

    /// The button is a clear wish for the turn: the agent stops at once.
    pub(super) fn on_talk_pressed(&mut self) {
        if !self.connected || self.ending.is_some() {
            return;
        }
        self.on_speech_started(self.now);
        if self.overlap.is_some() {
            self.stop_for("the talk button was pressed");
        }
    }

    pub(super) fn on_talk_released(&mut self) {
        self.on_turn_committed();
    }

    pub(super) fn on_turn_committed(&mut self) {
        self.on_speech_stopped(self.now);
        if let Some(user) = &mut self.user {
            user.committed = true;
        }
    }

    fn on_speech_started(&mut self, onset: Moment) {
        if !self.connected || self.ending.is_some() {
            return;
        }
        if self.user.as_ref().is_some_and(|user| user.speaking) {
            return;
        }
        self.quiet.heard_someone();
        self.publish(Event::UserSpeech { speaking: true });
        self.discard_draft("the person goes on");
        self.yield_to_speech(onset);
        let utterance = self.next_utterance;
        self.next_utterance = utterance.next();
        if self.user.is_none() {
            let turn = self.allocate_turn();
            self.user = Some(UserTurn::new(turn, onset));
        }
        if let Some(user) = &mut self.user {
            if let Some(end) = user.speech_end {
                self.listener.habit.pause_resumed(onset.ms_since(end));
            }
            user.begin_utterance(utterance, onset);
        }
        self.emit(Output::BeginUtterance { utterance, onset });
    }

    /// What the agent does when the person begins to speak: with nothing audible yet it waits for
    /// what else they say; while it speaks it ducks until it is clear what they want.
    fn yield_to_speech(&mut self, onset: Moment) {
        if let Some(finished) = self.unchecked.take() {
            let turn = finished.turn.0;
            self.decided(
                Decision::Stop,
                format!("turn {turn} goes on in the next one"),
            );
        }
        let Some(reply) = &self.reply else { return };
        if self.config.interruption.mode == InterruptionMode::Off || !reply.interruptible {
            return;
        }
        if reply.sounding() {
            self.begin_overlap(onset);
        } else {
            self.decided(
                Decision::Stop,
                "the person speaks before the reply is audible",
            );
            self.interrupt_reply();
        }
    }

    fn on_speech_stopped(&mut self, end: Moment) {
        let Some(user) = self.user.as_mut().filter(|user| user.speaking) else {
            return;
        };
        user.speaking = false;
        user.speech_end = Some(end.max(user.onset));
        let utterance = user.current_utterance();
        self.publish(Event::UserSpeech { speaking: false });
        if let Some(utterance) = utterance {
            self.emit(Output::FinishUtterance { utterance });
        }
        self.overlap_paused(end);
        self.explain_wait();
    }

    fn explain_wait(&mut self) {
        let Some(user) = self.user.as_ref().filter(|user| !user.speaking) else {
            return;
        };
        if self.reply.is_none() && self.config.endpointing.mode == EndpointingMode::Auto {
            let end = user.end_of_turn(&self.config, &self.listener);
            let (wait_ms, percent) = (end.wait_ms, end.probability_permille / 10);
            self.decided(
                Decision::Wait,
                format!("{wait_ms} ms, {percent} % over: {}", end.reason),
            );
        }
    }

    pub(super) fn drop_user_turn(&mut self) {
        let Some(user) = self.user.take() else { return };
        self.discard_draft("the turn is dropped");
        if let Some(utterance) = user.current_utterance() {
            self.emit(Output::CancelUtterance { utterance });
        }
    }

    pub(super) fn on_transcript(&mut self, utterance: UtteranceId, text: &str, is_final: bool) {
        let now = self.now;
        let known = self
            .user
            .as_mut()
            .is_some_and(|user| user.transcript(utterance, text, is_final, now));
        if !known {
            return;
        }
        self.review_draft();
        if self.overlap.is_some() {
            // While an interruption is undecided nothing is shown: it may be withdrawn.
            return self.weigh_words(is_final);
        }
        self.publish_transcript(false);
        self.explain_wait();
        if is_final && self.user.as_ref().is_some_and(|user| user.settled()) {
            self.begin_draft();
        }
    }

    pub(super) fn on_transcript_failed(&mut self, utterance: UtteranceId) {
        if self
            .user
            .as_mut()
            .is_some_and(|user| user.transcript_failed(utterance))
        {
            let message = "Speech could not be recognized just now. Say it again, or type instead."
                .to_owned();
            self.publish(Event::Notice {
                code: NoticeCode::RecognizerTrouble,
                message,
            });
        }
    }

    pub(super) fn publish_transcript(&mut self, is_final: bool) {
        let Some(user) = &self.user else { return };
        let (turn, text) = (user.turn, user.text());
        if !text.is_empty() {
            self.publish(Event::UserTranscript {
                turn,
                text,
                is_final,
            });
        }
    }

    /// When the person's turn ends; not while the connection is lost or a reply runs that they
    /// cannot or may not have interrupted.
    pub(super) fn endpointing_due(&self) -> Option<Moment> {
        if !self.connected || self.reply.is_some() || self.unchecked.is_some() {
            return None;
        }
        self.user.as_ref()?.deadline(&self.config, &self.listener)
    }

    /// When a turn that does not end is ended.
    pub(super) fn turn_limit_due(&self) -> Option<Moment> {
        if !self.connected || self.reply.is_some() || self.ending.is_some() {
            return None;
        }
        let user = self.user.as_ref().filter(|user| user.speaking)?;
        Some(user.began_at.plus_ms(self.config.limits.turn_ms_max))
    }

    pub(super) fn on_turn_limit(&mut self) {
        self.on_speech_stopped(self.now);
        if let Some(user) = &mut self.user {
            user.committed = true;
        }
    }

    pub(super) fn end_user_turn(&mut self) {
        self.publish_transcript(true);
        let Some(user) = self.user.take() else { return };
        if let Some(utterance) = user.current_utterance() {
            // Nothing that the recognizer may still say about it matters now.
            self.emit(Output::CancelUtterance { utterance });
        }
        let text = user.text();
        if text.is_empty() {
            self.discard_draft("nothing was said");
            if user.failed {
                self.apologize_for(user.turn);
            } else {
                // A cough took the turn back before its answer was heard.
                self.answer_what_waits();
            }
            return;
        }
        let origin = user.speech_end.unwrap_or(self.now);
        let waited_ms = self.now.ms_since(origin);
        let end = user.end_of_turn(&self.config, &self.listener);
        self.listener.habit.turn_ended(waited_ms);
        let why = format!("waited {waited_ms} ms: {}", end.reason);
        self.decided(Decision::TurnEnded, why.clone());
        let finished = FinishedTurn {
            turn: user.turn,
            text,
            origin,
            final_at: user.final_at,
            endpointing_reason: Some(why),
            endpointing_wait_ms: Some(end.wait_ms),
            ended_at: self.now,
        };
        self.finish_turn(finished);
    }

    fn finish_turn(&mut self, finished: FinishedTurn) {
        let (turn, text) = (finished.turn, finished.text.clone());
        if self.voicemail_answered(&text) {
            return;
        }
        let words = self.unanswered_with(&text);
        self.commit(turn, Role::User, text, false);
        if let Some(finished) = self.confirm_draft(finished) {
            self.unchecked = Some(finished);
            self.emit(Output::Classify {
                subject: Subject::User { turn },
                text: words,
            });
        }
    }

    /// `text` behind what the person said since the agent was last heard: a thought may have been
    /// cut into two turns, and is checked as one.
    pub(super) fn unanswered_with(&self, text: &str) -> String {
        let mut words: Vec<&str> = self
            .history
            .iter()
            .rev()
            .take_while(|message| message.role == Role::User)
            .map(|message| message.text.as_str())
            .collect();
        words.reverse();
        words.push(text);
        words.join(" ")
    }

    pub(super) fn on_user_text(&mut self, text: &str) {
        if !self.connected || self.ending.is_some() {
            return;
        }
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(USER_TEXT_CHARS_MAX)
            .collect();
        if text.is_empty() {
            return;
        }
        self.quiet.heard_someone();
        self.forget_overlap();
        self.drop_user_turn();
        // A turn that waits for its answer stays in history; the typed one is answered.
        self.unchecked = None;
        self.interrupt_reply();
        let turn: TurnId = self.allocate_turn();
        self.publish(Event::UserTranscript {
            turn,
            text: text.clone(),
            is_final: true,
        });
        self.finish_turn(FinishedTurn {
            turn,
            text,
            origin: self.now,
            final_at: None,
            endpointing_reason: None,
            endpointing_wait_ms: None,
            ended_at: self.now,
        });
    }

    pub(super) fn on_verdict(
        &mut self,
        subject: Subject,
        state: SafetyState,
        action: SafetyAction,
    ) {
        if state != self.safety {
            self.safety = state;
            self.publish(Event::Safety { state });
        }
        match subject {
            Subject::User { turn } => {
                if let Some(finished) = self.unchecked.take_if(|finished| finished.turn == turn) {
                    self.answer(finished, action);
                } else if let SafetyAction::Replace { text } = action {
                    self.replace_reply(turn, text);
                }
            }
            Subject::Draft { turn } => self.on_draft_verdict(turn, action),
            Subject::Agent { segment } => self.on_agent_verdict(segment, action),
        }
    }
}
