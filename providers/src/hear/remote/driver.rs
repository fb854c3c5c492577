//! Keeps one call connected.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::UtteranceId;
use tokio::time::{Instant, sleep_until, timeout};

use super::inbox::Inbox;
use super::protocol::{Heard, Protocol};
use super::session::Connection;
use super::{HearLimits, Vendor};
use crate::hear::HearContext;
use crate::net::{WsClient, receive, send};
use crate::{Fault, FaultKind};

/// First pause between two connections.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// Longest pause while somebody speaks.
const BACKOFF_BUSY_MAX: Duration = Duration::from_millis(400);
/// Longest pause while nobody does.
const BACKOFF_IDLE_MAX: Duration = Duration::from_secs(10);
/// A connection that lasted so long was a good one.
const GOOD_CONNECTION: Duration = Duration::from_secs(5);
/// A server that takes nothing for so long is gone.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_millis(1_000);
/// Longest wait for the polite end.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(20);

pub(super) struct Driver {
    pub(super) vendor: Arc<dyn Vendor>,
    pub(super) client: WsClient,
    pub(super) limits: HearLimits,
    pub(super) context: HearContext,
    pub(super) inbox: Arc<Inbox>,
}

/// Why a session ended.
pub(super) enum End {
    /// The call is over.
    Closed,
    /// The server owes an answer that nobody waits for any more; a new connection owes none.
    Stale,
    /// The connection is of no use any more.
    Broken {
        fault: Fault,
        /// The utterance that was with the server.
        current: Option<UtteranceId>,
    },
}

impl Driver {
    pub(super) async fn run(self) {
        let mut failures: u32 = 0;
        loop {
            let opening = open(&self);
            let Some(opened) = self.attend(opening).await else {
                return;
            };
            let since = Instant::now();
            let (fault, current) = match opened {
                Ok(mut connection) => match self.session(&mut connection).await {
                    End::Closed => return farewell(connection).await,
                    End::Stale => continue,
                    End::Broken { fault, current } => (fault, current),
                },
                Err(fault) => (fault, None),
            };
            self.failed(&fault, current);
            if since.elapsed() >= GOOD_CONNECTION {
                failures = 0;
            }
            if !self.pause(failures).await {
                return;
            }
            failures = failures.saturating_add(1);
        }
    }

    fn failed(&self, fault: &Fault, current: Option<UtteranceId>) {
        let vendor = self.vendor.name();
        if self.inbox.first().is_some() {
            tracing::warn!(vendor, kind = fault.kind.name(), %fault, "recognizer's connection failed");
        } else {
            tracing::debug!(vendor, kind = fault.kind.name(), %fault, "idle connection ended");
        }
        self.inbox.connection_failed(fault, current);
    }

    /// Waits before the next connection, less while somebody speaks; false where the call is over.
    async fn pause(&self, failures: u32) -> bool {
        let begun = Instant::now();
        let grown = BACKOFF_MIN.saturating_mul(1_u32.wrapping_shl(failures.min(10)));
        let jitter = f64::from(RandomState::new().hash_one(failures) as u32) / f64::from(u32::MAX);
        loop {
            let most = if self.inbox.first().is_some() {
                BACKOFF_BUSY_MAX
            } else {
                BACKOFF_IDLE_MAX
            };
            let until = begun + grown.min(most).mul_f64(0.5 + 0.5 * jitter);
            if Instant::now() >= until {
                return true;
            }
            let changed = pin!(self.inbox.changed.notified());
            let waiting = async {
                tokio::select! {
                    () = changed => {}
                    () = sleep_until(until) => {}
                }
            };
            self.give_up_overdue().await;
            if self.inbox.is_closed() {
                return false;
            }
            let deadline = self.inbox.deadline().unwrap_or(until);
            tokio::select! {
                () = waiting => {}
                () = sleep_until(deadline) => {}
            }
        }
    }

    /// Answers all utterances that failed or are overdue; returns whether `id` was one.
    pub(super) async fn give_up_overdue(&self) -> Vec<UtteranceId> {
        let mut given_up = Vec::new();
        while let Some(id) = self.inbox.overdue(Instant::now()) {
            self.inbox.give_up(id).await;
            given_up.push(id);
            if self.inbox.is_closed() {
                break;
            }
        }
        given_up
    }

    /// Does `work` while deadlines are kept; nothing where the call is over before.
    async fn attend<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            self.give_up_overdue().await;
            if self.inbox.is_closed() {
                return None;
            }
            let deadline = self.inbox.deadline();
            let overdue = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                done = &mut work => return Some(done),
                () = self.inbox.changed.notified() => {}
                () = overdue => {}
            }
        }
    }
}

/// Connects and waits until the server is ready for audio.
async fn open(driver: &Driver) -> Result<Connection, Fault> {
    let request = driver.vendor.request(&driver.context);
    let mut stream = driver.client.connect(&request).await?;
    let mut protocol = driver.vendor.protocol(&driver.context);
    let mut out = Vec::new();
    let mut is_ready = protocol.open(&mut out);
    send(&mut stream, out, SEND_TIMEOUT).await?;
    let ready = async {
        let mut heard = Vec::new();
        while !is_ready {
            let message = receive(&mut stream).await?;
            protocol.receive(&message, &mut heard)?;
            is_ready = heard.contains(&Heard::Ready);
        }
        Ok(())
    };
    let limit = driver.limits.connect_timeout;
    timeout(limit, ready).await.unwrap_or_else(|_| {
        Err(Fault::new(
            FaultKind::TooSlow,
            format!("the server was not ready within {} ms", limit.as_millis()),
        ))
    })?;
    Ok(Connection::new(stream, protocol))
}

/// Ends politely; what the server still says is not read.
async fn farewell(connection: Connection) {
    let (mut stream, mut protocol): (_, Box<dyn Protocol>) = connection.into_parts();
    let mut out = Vec::new();
    protocol.close(&mut out);
    out.push(tokio_tungstenite::tungstenite::Message::Close(None));
    // The connection is dropped either way.
    let _ = send(&mut stream, out, FAREWELL_TIMEOUT).await;
}
