//! One connection at work.

use std::time::Duration;

use antiphon_proto::UtteranceId;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::driver::{Driver, End, SEND_TIMEOUT};
use super::protocol::{Heard, Protocol};
use super::transcript::Transcript;
use crate::hear::HEAR_RATE_HZ;
use crate::net::{Incoming, WsStream, receive, send};
use crate::{Fault, FaultKind};

/// Audio is sent in pieces of at least this, in samples (50 ms, AssemblyAI's least).
const PIECE_SAMPLES_MIN: usize = HEAR_RATE_HZ as usize / 20;
/// And of at most this, in samples (250 ms): what waited for a connection goes in few messages.
const PIECE_SAMPLES_MAX: usize = HEAR_RATE_HZ as usize / 4;
/// Pieces between two looks at what the server says.
const PIECES_AT_ONCE_MAX: usize = 8;
/// Longest wait for the end of a cancelled utterance before a new connection is quicker.
const FORGET_TIMEOUT: Duration = Duration::from_millis(400);
/// A server that answered a ping behind the utterance's end and then says nothing for this long
/// has nothing more to say.
const SETTLE: Duration = Duration::from_millis(400);
/// A server that does not answer a ping for so long is gone.
const PONG_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection that is ready for audio.
pub(super) struct Connection {
    stream: WsStream,
    protocol: Box<dyn Protocol>,
    phase: Phase,
    /// Last message either way, for keep-alives.
    used_at: Instant,
    heard_at: Instant,
    /// An unanswered ping.
    pinged_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Idle,
    Speaking { id: UtteranceId, sent: usize },
    Finishing { id: UtteranceId },
    Forgetting { until: Instant },
}

impl Connection {
    pub(super) fn new(stream: WsStream, protocol: Box<dyn Protocol>) -> Self {
        let now = Instant::now();
        Self {
            stream,
            protocol,
            phase: Phase::Idle,
            used_at: now,
            heard_at: now,
            pinged_at: None,
        }
    }

    pub(super) fn into_parts(self) -> (WsStream, Box<dyn Protocol>) {
        (self.stream, self.protocol)
    }

    fn current(&self) -> Option<UtteranceId> {
        match self.phase {
            Phase::Speaking { id, .. } | Phase::Finishing { id } => Some(id),
            Phase::Idle | Phase::Forgetting { .. } => None,
        }
    }

    fn forget(&mut self, id: UtteranceId, out: &mut Vec<Message>) {
        if self.phase == (Phase::Speaking { id, sent: 0 }) {
            self.phase = Phase::Idle;
            return;
        }
        self.protocol.cancel(out);
        let until = Instant::now() + FORGET_TIMEOUT;
        self.phase = Phase::Forgetting { until };
    }

    fn ping(&mut self, out: &mut Vec<Message>) {
        out.push(Message::Ping(Bytes::new()));
        self.pinged_at.get_or_insert_with(Instant::now);
    }
}

impl Driver {
    pub(super) async fn session(&self, connection: &mut Connection) -> End {
        loop {
            let given_up = self.give_up_overdue().await;
            if self.inbox.is_closed() {
                return End::Closed;
            }
            if connection
                .current()
                .is_some_and(|id| given_up.contains(&id))
            {
                return End::Stale;
            }
            let ended = match self.step(connection).await {
                Ok(None) => continue,
                Ok(Some(end)) => return end,
                Err(fault) => fault,
            };
            return End::Broken {
                fault: ended,
                current: connection.current(),
            };
        }
    }

    /// Sends what there is to send, then waits for one thing to happen.
    async fn step(&self, connection: &mut Connection) -> Result<Option<End>, Fault> {
        let mut out = Vec::new();
        let more = self.pump(connection, &mut out);
        if !out.is_empty() {
            connection.used_at = Instant::now();
            send(&mut connection.stream, out, SEND_TIMEOUT).await?;
        }
        let wake = if more {
            Instant::now()
        } else {
            self.wake_at(connection)
        };
        tokio::select! {
            biased;
            message = receive(&mut connection.stream) => {
                connection.heard_at = Instant::now();
                self.take(connection, message?).await?;
                Ok(None)
            }
            () = self.inbox.changed.notified() => Ok(None),
            () = sleep_until(wake) => self.on_time(connection).await,
        }
    }

    /// Moves the utterance on; true where there is more to send at once.
    fn pump(&self, connection: &mut Connection, out: &mut Vec<Message>) -> bool {
        if let Some(id) = connection.current()
            && !self.inbox.wants(id)
        {
            connection.forget(id, out);
        }
        if connection.phase == Phase::Idle
            && let Some(id) = self.inbox.first()
        {
            connection.protocol.begin();
            connection.phase = Phase::Speaking { id, sent: 0 };
        }
        let Phase::Speaking { id, mut sent } = connection.phase else {
            return false;
        };
        for _ in 0..PIECES_AT_ONCE_MAX {
            let Some(view) = self.inbox.audio(id, sent, PIECE_SAMPLES_MAX) else {
                return false;
            };
            if view.pcm.len() >= PIECE_SAMPLES_MIN || (view.is_end && !view.pcm.is_empty()) {
                connection.protocol.audio(&view.pcm, out);
                sent += view.pcm.len();
                connection.phase = Phase::Speaking { id, sent };
            } else if !view.is_end {
                return false;
            }
            if view.is_end {
                connection.protocol.finish(out);
                connection.pinged_at = None;
                connection.ping(out);
                connection.phase = Phase::Finishing { id };
                return false;
            }
        }
        true
    }

    /// The next moment at which [`Driver::on_time`] has something to do.
    fn wake_at(&self, connection: &Connection) -> Instant {
        let mut wake = connection.used_at + self.limits.keep_alive;
        if let Some(deadline) = self.inbox.deadline() {
            wake = wake.min(deadline);
        }
        match connection.phase {
            Phase::Forgetting { until } => wake = wake.min(until),
            Phase::Finishing { .. } if connection.pinged_at.is_none() => {
                let settled = connection.heard_at + SETTLE;
                // Once passed without effect, only a message can bring it about.
                if settled > Instant::now() || connection.protocol.settled().is_some() {
                    wake = wake.min(settled);
                }
            }
            Phase::Idle | Phase::Speaking { .. } | Phase::Finishing { .. } => {}
        }
        if let Some(pinged_at) = connection.pinged_at {
            wake = wake.min(pinged_at + PONG_TIMEOUT);
        }
        wake
    }

    async fn on_time(&self, connection: &mut Connection) -> Result<Option<End>, Fault> {
        let now = Instant::now();
        if connection
            .pinged_at
            .is_some_and(|at| at + PONG_TIMEOUT <= now)
        {
            return Err(Fault::new(FaultKind::TooSlow, "the server answers no ping"));
        }
        match connection.phase {
            Phase::Forgetting { until } if until <= now => return Ok(Some(End::Stale)),
            Phase::Finishing { id }
                if connection.pinged_at.is_none() && connection.heard_at + SETTLE <= now =>
            {
                if let Some(words) = connection.protocol.settled() {
                    connection.phase = Phase::Idle;
                    self.inbox.answer(id, Transcript::new(&words)).await;
                }
            }
            Phase::Idle
            | Phase::Speaking { .. }
            | Phase::Finishing { .. }
            | Phase::Forgetting { .. } => {}
        }
        if connection.used_at + self.limits.keep_alive <= now {
            let mut out = Vec::new();
            connection.protocol.keep_alive(&mut out);
            connection.ping(&mut out);
            connection.used_at = now;
            send(&mut connection.stream, out, SEND_TIMEOUT).await?;
        }
        Ok(None)
    }

    async fn take(&self, connection: &mut Connection, message: Incoming) -> Result<(), Fault> {
        if message == Incoming::Pong {
            connection.pinged_at = None;
            return Ok(());
        }
        let mut heard = Vec::new();
        connection.protocol.receive(&message, &mut heard)?;
        for heard in heard {
            match (heard, connection.phase) {
                (Heard::Partial(words), Phase::Speaking { id, .. } | Phase::Finishing { id }) => {
                    self.inbox.partial(id, Transcript::new(&words));
                }
                (Heard::Final(words), Phase::Finishing { id }) => {
                    connection.phase = Phase::Idle;
                    self.inbox.answer(id, Transcript::new(&words)).await;
                }
                (Heard::Final(_) | Heard::Forgotten, Phase::Forgetting { .. }) => {
                    connection.phase = Phase::Idle;
                }
                (
                    Heard::Ready | Heard::Partial(_) | Heard::Final(_) | Heard::Forgotten,
                    Phase::Idle
                    | Phase::Speaking { .. }
                    | Phase::Finishing { .. }
                    | Phase::Forgetting { .. },
                ) => {}
            }
        }
        Ok(())
    }
}
