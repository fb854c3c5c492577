//! The person's turn: from speech to a finished, checked text.

use antiphon_proto::{Event, Moment, NoticeCode, Role, SafetyState, TurnId, UtteranceId};

use super::{DETECTOR_HANGOVER_MS, Engine, FinishedTurn, USER_TEXT_CHARS_MAX};
use crate::user_turn::UserTurn;
use crate::{Output, SafetyAction, Subject};

impl Engine {
    pub(super) fn on_speech_started(&mut self, onset: Moment) {
        if !self.connected || self.ending.is_some() {
            return;
        }
        if self.user.as_ref().is_some_and(|user| user.speaking) {
            return;
        }
        self.publish(Event::UserSpeech { speaking: true });
        self.yield_to_speech(onset);
        let utterance = self.next_utterance;
        self.next_utterance = utterance.next();
        if self.user.is_none() {
            let turn = self.allocate_turn();
            self.user = Some(UserTurn::new(turn, onset));
        }
        if let Some(user) = &mut self.user {
            user.begin_utterance(utterance, onset);
        }
        self.emit(Output::BeginUtterance { utterance, onset });
    }

    /// What the agent does when the person begins to speak: nothing audible yet, then the turn was
    /// not over after all; audible, then it holds its breath until the speech proves long enough.
    fn yield_to_speech(&mut self, onset: Moment) {
        self.reopen_unchecked();
        let Some(reply) = &mut self.reply else { return };
        if !self.config.allow_interruptions {
            return;
        }
        if reply.audible {
            reply.paused = true;
            self.interruption_due =
                Some(onset.plus_ms(self.config.interruption_ms_min + DETECTOR_HANGOVER_MS));
            self.emit(Output::PausePlayout);
        } else if self.answered.is_some() {
            self.interrupt_reply();
        }
    }

    fn reopen_unchecked(&mut self) {
        if let Some(finished) = self.unchecked.take() {
            self.reopen(finished);
        }
    }

    /// Takes a turn up again that was taken for finished.
    pub(super) fn reopen(&mut self, finished: FinishedTurn) {
        if self
            .history
            .back()
            .is_some_and(|last| last.role == Role::User && last.turn == finished.turn)
        {
            self.history.pop_back();
        }
        let mut user = finished.user;
        if let Some(newer) = self.user.take() {
            user.continue_with(newer);
        }
        self.user = Some(user);
    }

    pub(super) fn on_speech_stopped(&mut self, end: Moment) {
        let Some(user) = self.user.as_mut().filter(|user| user.speaking) else {
            return;
        };
        user.speaking = false;
        user.speech_end = Some(end.max(user.onset));
        let long_enough = end.ms_since(user.onset) >= self.config.interruption_ms_min;
        let utterance = user.current_utterance();
        self.publish(Event::UserSpeech { speaking: false });
        if self.interruption_due.is_some() {
            self.decide_interruption(long_enough);
        }
        // A withdrawn interruption took the turn with it.
        if let (Some(utterance), Some(_)) = (utterance, &self.user) {
            self.emit(Output::FinishUtterance { utterance });
        }
    }

    /// Stops the agent for good, or lets it go on as if nothing had happened.
    pub(super) fn decide_interruption(&mut self, stop: bool) {
        self.interruption_due = None;
        if stop {
            self.interrupt_reply();
            self.publish_transcript(false);
            return;
        }
        self.drop_user_turn();
        if let Some(reply) = &mut self.reply {
            reply.paused = false;
            self.emit(Output::ResumePlayout);
        }
    }

    pub(super) fn drop_user_turn(&mut self) {
        let Some(user) = self.user.take() else { return };
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
        // While an interruption is undecided nothing is shown: it may be withdrawn or join another turn.
        if known && self.interruption_due.is_none() {
            self.publish_transcript(false);
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

    fn publish_transcript(&mut self, is_final: bool) {
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

    /// When the person's turn ends; not while the connection is lost or an uninterruptible reply runs.
    pub(super) fn endpointing_due(&self) -> Option<Moment> {
        if !self.connected || self.reply.is_some() || self.unchecked.is_some() {
            return None;
        }
        self.user.as_ref()?.deadline(&self.config)
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
            return;
        }
        let wait = user.wait(&self.config);
        let origin = user.speech_end.unwrap_or(self.now);
        let waited_ms = self.now.ms_since(origin);
        let endpointing_reason = Some(format!("waited {waited_ms} ms: {}", wait.reason));
        self.finish_turn(user, text, origin, endpointing_reason);
    }

    fn finish_turn(
        &mut self,
        user: UserTurn,
        text: String,
        origin: Moment,
        endpointing_reason: Option<String>,
    ) {
        let turn = user.turn;
        self.commit(turn, Role::User, text.clone(), false);
        self.unchecked = Some(FinishedTurn {
            turn,
            user,
            origin,
            endpointing_reason,
            ended_at: self.now,
        });
        self.emit(Output::Classify {
            subject: Subject::User { turn },
            text,
        });
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
        self.interruption_due = None;
        self.drop_user_turn();
        // A spoken turn that waits for its answer stays in history; the typed one is answered.
        self.unchecked = None;
        self.answered = None;
        self.interrupt_reply();
        let turn: TurnId = self.allocate_turn();
        self.publish(Event::UserTranscript {
            turn,
            text: text.clone(),
            is_final: true,
        });
        let user = UserTurn::typed(turn, &text, self.now);
        self.finish_turn(user, text, self.now, None);
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
                }
            }
            Subject::Agent { segment } => self.on_agent_verdict(segment, action),
        }
    }
}
