//! Commands, the connection, and the two halves of a tick.

use antiphon_engine::Input;
use antiphon_proto::{ClientMessage, CloseReason, Moment, NoticeCode, SessionStatus};
use metrics::{counter, gauge, histogram};

use super::{Driver, HANDSHAKE_MS_MAX, ms_of, now_std};
use crate::playout::{NextFrame, PlayoutFact};
use crate::session::{Command, Subscription};
use crate::{CALLER_FRAME_SAMPLES, Transport, TransportInput, measure};

impl Driver {
    pub(super) fn on_command(&mut self, command: Command) {
        match command {
            Command::Attach(transport) => self.attach(transport),
            Command::Message(message) => self.on_message(message),
            Command::Subscribe(reply) => {
                let events = self.events.subscribe();
                let first = outputs_json(&self.engine.snapshot());
                // A subscriber that is already gone needs no answer.
                let _ = reply.send(Subscription { first, events });
            }
            Command::Drain(limit) => self.feed(Input::Drain {
                limit_ms: ms_of(limit),
            }),
            Command::HandOff(agent) => self.feed(Input::HandOff { agent }),
            Command::Close(reason) => self.feed(Input::Close { reason }),
        }
    }

    fn attach(&mut self, transport: Box<dyn Transport>) {
        if let Some(mut old) = self.transport.take() {
            if self.connected {
                let message = "This call was taken over by another window.".to_owned();
                self.transport = Some(old);
                self.feed(Input::Trouble {
                    code: NoticeCode::Replaced,
                    message,
                });
                self.lose_connection();
            } else {
                old.close(now_std());
            }
            if let Some(mut old) = self.transport.take() {
                old.close(now_std());
            }
        }
        self.transport = Some(transport);
        let handshake_by = self.clock.now().plus_ms(HANDSHAKE_MS_MAX);
        if let Some((due, _)) = &mut self.give_up_at {
            *due = handshake_by.max(*due);
        }
    }

    /// The connection does not carry the call any more; the session waits for another.
    fn lose_connection(&mut self) {
        if !self.connected {
            return;
        }
        self.connected = false;
        self.stalled = false;
        gauge!(measure::CALLS).decrement(1);
        self.meter.pause(self.clock.now());
        self.view
            .send_modify(|view| view.status = SessionStatus::Reconnecting);
        let due = self
            .clock
            .now()
            .plus_ms(ms_of(self.limits.reconnect_within));
        self.give_up_at = Some((due, CloseReason::ConnectionLost));
        self.feed(Input::Disconnected);
    }

    pub(super) fn on_caller(&mut self, input: TransportInput) {
        match input {
            TransportInput::Connected => self.on_connected(),
            // The transport keeps what was published before its channel opened.
            TransportInput::EventsOpen => {}
            TransportInput::Message(message) => self.on_message(message),
            TransportInput::BadMessage(why) => {
                let message = format!("A message from this page could not be read: {why}");
                self.feed(Input::Trouble {
                    code: NoticeCode::BadMessage,
                    message,
                });
            }
            TransportInput::Stalled => {
                self.stalled = true;
                self.meter.pause(self.clock.now());
                self.mouth.playout.pause();
            }
            TransportInput::Revived => {
                self.stalled = false;
                self.start_meter();
                self.mouth.playout.resume();
            }
            TransportInput::Closed { orderly } => self.on_closed(orderly),
        }
    }

    fn on_connected(&mut self) {
        if self.connected {
            return;
        }
        self.connected = true;
        self.stalled = false;
        self.give_up_at = None;
        gauge!(measure::CALLS).increment(1);
        self.next_tick = self.clock.now();
        self.next_frame = self.next_tick;
        self.lead_us = 0;
        self.start_meter();
        self.view
            .send_modify(|view| view.status = SessionStatus::Connected);
        self.feed(Input::Connected);
    }

    fn on_closed(&mut self, orderly: bool) {
        if let Some(mut transport) = self.transport.take() {
            transport.close(now_std());
        }
        let was_connected = self.connected;
        self.lose_connection();
        if orderly && was_connected {
            let due = self
                .clock
                .now()
                .plus_ms(ms_of(self.limits.reconnect_after_goodbye));
            self.give_up_at = Some((due, CloseReason::UserHungUp));
        }
    }

    pub(super) fn start_meter(&mut self) {
        if self.connected && !self.stalled && !self.safety_free() {
            self.meter.start(self.clock.now());
        }
    }

    fn on_message(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::UserText { text } => self.feed(Input::UserText { text }),
            ClientMessage::Mute { muted } => self.ears.mute(muted),
            ClientMessage::Talk { pressed: true } => self.feed(Input::TalkPressed),
            ClientMessage::Talk { pressed: false } => self.feed(Input::TalkReleased),
            ClientMessage::CommitTurn {} => self.feed(Input::TurnCommitted),
            ClientMessage::Dtmf { key } => self.feed(Input::Dtmf { key }),
            ClientMessage::Interrupt {} => self.feed(Input::InterruptRequested),
            ClientMessage::HangUp {} => self.feed(Input::Close {
                reason: CloseReason::UserHungUp,
            }),
            ClientMessage::Ping {} => {}
        }
    }

    /// Sends 20 ms and tells the engine what that means for what was heard.
    pub(super) fn speak_tick(&mut self, now: Moment) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        let queued_ms = self.mouth.playout.queued_ms();
        let first = match self.mouth.playout.next_frame(now) {
            NextFrame::Sound(frame, fact) => {
                histogram!(measure::PLAYOUT_QUEUE_MS).record(queued_ms as f64);
                transport.send_audio(now_std(), Some(frame));
                self.overlap.sent(frame);
                fact
            }
            NextFrame::Silence => {
                transport.send_audio(now_std(), None);
                self.end_speaking();
                None
            }
            NextFrame::Underrun => {
                counter!(measure::UNDERRUNS).increment(1);
                transport.send_audio(now_std(), None);
                None
            }
        };
        let unheard_ms = self
            .transport
            .as_ref()
            .map_or(0, |transport| transport.unheard_ms());
        if let Some(fact) = first {
            self.feed(playout_input(fact));
        }
        while let Some(fact) = self.mouth.playout.poll_heard(now, unheard_ms, false) {
            self.feed(playout_input(fact));
        }
    }

    /// Takes 20 ms of the caller.
    pub(super) fn hear_tick(&mut self, now: Moment) {
        let Some(transport) = &mut self.transport else {
            return;
        };
        let mut frame = [0; CALLER_FRAME_SAMPLES];
        let pulled = transport.pull_audio(now_std(), &mut frame);
        let unheard_ms = transport.unheard_ms();
        let speaking = self.engine.is_speaking();
        let edge = self.ears.hear(now, pulled, &mut frame);
        let judged = self.overlap.hear(&frame, speaking);
        if edge.is_none() && judged.is_none() {
            return;
        }
        // The engine decides on what was heard until now, to the frame.
        while let Some(fact) = self.mouth.playout.poll_heard(now, unheard_ms, true) {
            self.feed(playout_input(fact));
        }
        for input in judged.into_iter().chain(edge) {
            self.feed(input);
        }
    }
}

fn playout_input(fact: PlayoutFact) -> Input {
    match fact {
        PlayoutFact::FirstFrameSent(segment) => Input::FirstFrameSent { segment },
        PlayoutFact::Heard(segment, heard_ms) => Input::Heard { segment, heard_ms },
        PlayoutFact::Played(segment) => Input::SegmentPlayed { segment },
    }
}

pub(super) fn outputs_json(envelope: &antiphon_proto::EventEnvelope) -> std::sync::Arc<str> {
    // Plain structs of strings and numbers: serialization has no way to fail.
    serde_json::to_string(envelope).unwrap_or_default().into()
}
