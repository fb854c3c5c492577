//! Connecting, losing the connection, ending.

use antiphon_proto::{AgentState, CloseReason, Event, Message, Role, SafetyState, TurnId};

use super::{Ending, Engine, FinishedTurn};
use crate::{Output, Subject};

/// Time for the farewell when the engine ends a call.
pub(super) const GOODBYE_MS_MAX: u64 = 10_000;

impl Engine {
    pub(super) fn on_connected(&mut self) {
        if self.connected {
            return;
        }
        self.connected = true;
        let resumed = self.session_started();
        self.publish(resumed);
        self.publish(Event::AgentState {
            state: self.agent_state,
        });
        if self.safety != SafetyState::Normal {
            self.publish(Event::Safety { state: self.safety });
        }
        if self.greeted {
            // A turn that was cut by the lost connection is answered now.
            if let Some(user) = &mut self.user {
                user.speech_end = Some(self.now);
            }
            self.quiet.heard_someone();
            self.answer_what_waits();
            return;
        }
        self.greeted = true;
        let greeting = self.config.words.greeting.clone();
        self.say(TurnId(0), &greeting);
    }

    /// The last words of the person found no answer before the connection was lost.
    pub(super) fn answer_what_waits(&mut self) {
        let free = self.user.is_none() && self.ending.is_none() && !self.hushed;
        let said = |message: &&Message| matches!(message.role, Role::User | Role::Agent);
        let Some(waiting) = self
            .history
            .iter()
            .rev()
            .find(said)
            .filter(|last| last.role == Role::User && free)
        else {
            return;
        };
        let (turn, text) = (waiting.turn, waiting.text.clone());
        self.unchecked = Some(FinishedTurn {
            turn,
            text: text.clone(),
            origin: self.now,
            final_at: None,
            endpointing_reason: None,
            endpointing_wait_ms: None,
            ended_at: self.now,
        });
        self.emit(Output::Classify {
            subject: Subject::User { turn },
            text,
        });
    }

    pub(super) fn session_started(&self) -> Event {
        Event::SessionStarted {
            session: self.config.session.clone(),
            agent: self.config.agent.clone(),
            agent_name: self.config.agent_name.clone(),
            recognizer: self.config.recognizer.clone(),
            resumed: self.greeted,
            history: self.history.iter().cloned().collect(),
        }
    }

    pub(super) fn on_disconnected(&mut self) {
        if !self.connected {
            return;
        }
        self.connected = false;
        if let Some(user) = self.user.as_mut().filter(|user| user.speaking) {
            user.speaking = false;
            user.speech_end = Some(self.now);
            if let Some(utterance) = user.current_utterance() {
                self.emit(Output::FinishUtterance { utterance });
            }
        }
        self.discard_draft("the connection is lost");
        self.interrupt_reply();
    }

    pub(super) fn on_meter(&mut self, seconds: u64) {
        self.seconds = seconds;
        self.publish(Event::Meter { seconds });
    }

    /// Says goodbye and ends the call, at the latest after `limit_ms`.
    pub(super) fn begin_ending(&mut self, reason: CloseReason, limit_ms: u64) {
        if self.ending.is_some() {
            return;
        }
        self.publish(Event::SessionEnding {
            reason,
            in_ms: limit_ms,
        });
        self.ending = Some(Ending {
            reason,
            deadline: self.now.plus_ms(limit_ms),
            farewell_said: false,
        });
        self.drop_user_turn();
        self.unchecked = None;
        if self.overlap.is_some() {
            self.dismiss("the call ends");
        }
        if self.reply.is_none() {
            self.continue_ending();
        }
    }

    /// After the last reply: the farewell; after the farewell: the end.
    pub(super) fn continue_ending(&mut self) {
        let Some(ending) = &mut self.ending else {
            return;
        };
        let (reason, said) = (ending.reason, ending.farewell_said);
        ending.farewell_said = true;
        let words = &self.config.words;
        let farewell = match reason {
            CloseReason::UserAway => words.away_farewell.clone(),
            CloseReason::UserHungUp
            | CloseReason::AgentHungUp
            | CloseReason::Deleted
            | CloseReason::ConnectionLost
            | CloseReason::NeverConnected
            | CloseReason::Drained
            | CloseReason::TimeLimit
            | CloseReason::TooManyFailures
            | CloseReason::Voicemail
            | CloseReason::InternalError => words.farewell.clone(),
        };
        if said || !self.connected || farewell.trim().is_empty() {
            self.close(reason);
            return;
        }
        let turn = self.allocate_turn();
        self.say(turn, &farewell);
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        self.drop_user_turn();
        // Of a turn that has ended just now nobody else does.
        self.discard_draft("the call ends");
        self.unchecked = None;
        self.interrupt_reply();
        self.give_up_tools();
        self.publish(Event::SessionEnded {
            reason,
            seconds: self.seconds,
            speculation: self.speculation,
        });
        self.emit(Output::Close { reason });
        self.agent_state = AgentState::Listening;
        self.closed = true;
    }
}
