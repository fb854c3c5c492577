//! What a fake remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::{Answer, Request, Script};

/// Writes remembered of one exchange; later ones are only counted.
const WRITES_MAX: usize = 4_096;

/// How an answer came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedHow {
    /// All of it was sent.
    Answered,
    /// The client closed the connection, or reset the stream, before that.
    ClientGone,
    /// The script cut it.
    Cut,
}

/// When and how an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: EndedHow,
    /// When this server knew.
    pub at: Instant,
}

/// One request and what became of its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// Bytes of the answer given to the socket.
    pub bytes_sent: usize,
    /// The end, once there is one.
    pub ended: Option<Ended>,
    writes: Vec<(Instant, usize)>,
}

impl Exchange {
    /// Bytes given to the socket after `instant`.
    pub fn bytes_sent_after(&self, instant: Instant) -> usize {
        let late = self.writes.iter().filter(|(at, _)| *at > instant);
        late.map(|(_, bytes)| bytes).sum()
    }
}

/// The state of one server.
pub(super) struct Shared {
    script: Box<Script>,
    log: Mutex<Log>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Log {
    exchanges: Vec<Exchange>,
    connections: usize,
}

impl Shared {
    pub(super) fn new(script: Box<Script>) -> Self {
        Self {
            script,
            log: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    pub(super) fn connected(&self) -> usize {
        let mut log = self.log();
        log.connections += 1;
        log.connections - 1
    }

    pub(super) fn connections(&self) -> usize {
        self.log().connections
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.log().exchanges.clone()
    }

    /// Notes a request; the number of its exchange and the answer that it gets.
    pub(super) fn begin(&self, request: Request) -> (usize, Answer) {
        let answer = (self.script)(&request);
        let number = {
            let mut log = self.log();
            log.exchanges.push(Exchange {
                request,
                bytes_sent: 0,
                ended: None,
                writes: Vec::new(),
            });
            log.exchanges.len() - 1
        };
        self.changed.send_replace(());
        (number, answer)
    }

    pub(super) fn wrote(&self, number: usize, bytes: usize) {
        let mut log = self.log();
        let exchange = &mut log.exchanges[number];
        exchange.bytes_sent += bytes;
        if exchange.writes.len() < WRITES_MAX {
            exchange.writes.push((Instant::now(), bytes));
        }
    }

    pub(super) fn end(&self, number: usize, how: EndedHow) {
        let at = Instant::now();
        self.log().exchanges[number].ended = Some(Ended { how, at });
        self.changed.send_replace(());
    }

    pub(super) async fn ended(&self, nth: usize, within: Duration) -> Option<Ended> {
        let end = |log: &Log| log.exchanges.get(nth).and_then(|exchange| exchange.ended);
        self.until(within, end).await
    }

    pub(super) async fn asked(&self, count: usize, within: Duration) -> bool {
        let came = |log: &Log| (log.exchanges.len() >= count).then_some(());
        self.until(within, came).await.is_some()
    }

    async fn until<T>(&self, within: Duration, found: impl Fn(&Log) -> Option<T>) -> Option<T> {
        let mut changed = self.changed.subscribe();
        let wait = async {
            loop {
                if let Some(value) = found(&self.log()) {
                    return Some(value);
                }
                changed.changed().await.ok()?;
            }
        };
        timeout(within, wait).await.ok().flatten()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
