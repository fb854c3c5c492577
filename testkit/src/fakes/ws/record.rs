//! What a fake remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::{MakePeer, Peer, Treat, Treatment, Upgrade};

/// A message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// A ping.
    Ping,
}

impl Received {
    /// The message as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            Self::Binary(_) | Self::Ping => serde_json::Value::Null,
        }
    }
}

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedHow {
    /// The client closed it politely.
    ClientClosed,
    /// The client's socket is gone.
    ClientGone,
    /// This server ended it.
    Server,
}

/// When and how a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: EndedHow,
    /// When this server knew.
    pub at: Instant,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// When it was accepted.
    pub accepted_at: Instant,
    /// The request, once it came.
    pub upgrade: Option<Upgrade>,
    /// What the client sent, and when it came.
    pub received: Vec<(Instant, Received)>,
    /// Messages said.
    pub said: usize,
    /// The end, once there is one.
    pub ended: Option<Ended>,
}

impl Connection {
    /// The JSON messages received.
    pub fn jsons(&self) -> Vec<serde_json::Value> {
        let messages = self.received.iter().map(|(_, message)| message.json());
        messages.filter(|value| !value.is_null()).collect()
    }

    /// The bytes of all binary messages received.
    pub fn bytes(&self) -> Vec<u8> {
        let binary = self.received.iter().filter_map(|(_, one)| match one {
            Received::Binary(bytes) => Some(bytes.as_slice()),
            Received::Text(_) | Received::Ping => None,
        });
        binary.flatten().copied().collect()
    }
}

/// The state of one server.
pub(super) struct Shared {
    peer: Box<MakePeer>,
    treat: Box<Treat>,
    log: Mutex<Vec<Connection>>,
    changed: watch::Sender<()>,
    cut: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(peer: Box<MakePeer>, treat: Box<Treat>) -> Self {
        Self {
            peer,
            treat,
            log: Mutex::default(),
            changed: watch::Sender::new(()),
            cut: watch::Sender::new(0),
        }
    }

    fn log(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connected(&self, accepted_at: Instant) -> usize {
        let mut log = self.log();
        log.push(Connection {
            accepted_at,
            upgrade: None,
            received: Vec::new(),
            said: 0,
            ended: None,
        });
        let number = log.len() - 1;
        drop(log);
        self.changed.send_replace(());
        number
    }

    pub(super) fn treatment(&self, number: usize) -> Treatment {
        (self.treat)(number)
    }

    pub(super) fn peer(&self, upgrade: &Upgrade) -> Box<dyn Peer> {
        (self.peer)(upgrade)
    }

    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.cut.subscribe()
    }

    pub(super) fn cut_all(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn note(&self, number: usize, change: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.log().get_mut(number) {
            change(connection);
        }
        self.changed.send_replace(());
    }

    pub(super) fn end(&self, number: usize, how: EndedHow) {
        let at = Instant::now();
        self.note(number, |connection| {
            connection.ended.get_or_insert(Ended { how, at });
        });
    }

    pub(super) fn connections(&self) -> Vec<Connection> {
        self.log().clone()
    }

    pub(super) async fn until<T>(
        &self,
        within: Duration,
        found: impl Fn(&[Connection]) -> Option<T>,
    ) -> Option<T> {
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
}
