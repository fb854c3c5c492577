//! A WebSocket server whose side of the conversation is a vendor's, and which can do all that a
//! bad server and a bad network do.

mod record;
mod serve;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use self::record::Shared;
pub use self::record::{Connection, Ended, EndedHow, Received};
use super::tls::TestTls;

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A close with this code, and nothing more.
    Close(u16),
    /// A pause before what follows.
    Wait(Duration),
    /// What was not yet said is not said any more.
    Forget,
}

impl Say {
    /// A text message of JSON.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::Text(value.to_string())
    }
}

/// A vendor's side of one connection.
pub trait Peer: Send {
    /// Said as soon as the connection is open.
    fn opened(&mut self) -> Vec<Say>;

    /// Said in answer to a message.
    fn take(&mut self, message: &Received) -> Vec<Say>;
}

/// The request to open a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Upgrade {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The values of a query parameter as they were sent, percent-decoded.
    pub fn query(&self, name: &str) -> Vec<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| decoded(value))
            .collect()
    }
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How a request to open a connection is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// As it should be.
    #[default]
    Open,
    /// With this status, and seconds in a Retry-After.
    Refuse {
        /// The status.
        status: u16,
        /// The Retry-After header.
        retry_after_s: Option<u64>,
    },
    /// Never.
    Never,
    /// With bytes that are no HTTP.
    Garbage,
}

/// What goes wrong in the place of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing more is said; what comes is read and pings are answered.
    Stall,
    /// Nothing more is said and nothing is read.
    Deaf,
    /// The connection breaks.
    Cut,
    /// The connection breaks in the middle of the message.
    CutMidMessage,
    /// The connection is closed with this code.
    Close(u16),
    /// This text is said in the place of the message.
    Text(String),
    /// These bytes are said in the place of the message.
    Binary(Vec<u8>),
    /// A message that is announced as this long, bytes.
    Oversize(u64),
    /// Text that is no UTF-8.
    NotUtf8,
    /// A frame with bits set that nobody agreed upon.
    BadFrame,
}

/// How one connection is treated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Treatment {
    /// The answer to its request.
    pub door: Door,
    /// What goes wrong in the place of message number `.0` (from 0).
    pub fault: Option<(usize, Fault)>,
    /// Messages are split into frames of at most that many bytes.
    pub frame_bytes_max: Option<usize>,
    /// Every message comes that much later than it might.
    pub delay: Duration,
    /// Pause between two messages.
    pub every: Duration,
}

impl Treatment {
    /// A refusal.
    pub fn refusing(status: u16, retry_after_s: Option<u64>) -> Self {
        Self {
            door: Door::Refuse {
                status,
                retry_after_s,
            },
            ..Self::default()
        }
    }

    /// A fault in the place of message `nth`.
    pub fn failing(nth: usize, fault: Fault) -> Self {
        Self {
            fault: Some((nth, fault)),
            ..Self::default()
        }
    }
}

/// Makes the vendor's side of a connection.
pub type MakePeer = dyn Fn(&Upgrade) -> Box<dyn Peer> + Send + Sync;
/// Decides how connection `nth` (from 0) is treated.
pub type Treat = dyn Fn(usize) -> Treatment + Send + Sync;

/// The server. It stops when it is dropped, and breaks every connection.
pub struct WsFake {
    addr: SocketAddr,
    tls: Option<TestTls>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl WsFake {
    /// Listens on a loopback port of its own, without TLS, and treats everybody well.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start(
        peer: impl Fn(&Upgrade) -> Box<dyn Peer> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_with(false, peer, |_| Treatment::default()).await
    }

    /// Listens on a loopback port of its own.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start_with(
        tls: bool,
        peer: impl Fn(&Upgrade) -> Box<dyn Peer> + Send + Sync + 'static,
        treat: impl Fn(usize) -> Treatment + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_on(any, tls, peer, treat).await
    }

    /// Listens at `addr`.
    ///
    /// # Errors
    /// Where the port cannot be bound.
    pub async fn start_on(
        addr: SocketAddr,
        tls: bool,
        peer: impl Fn(&Upgrade) -> Box<dyn Peer> + Send + Sync + 'static,
        treat: impl Fn(usize) -> Treatment + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::new(Box::new(peer), Box::new(treat)));
        let tls = tls.then(TestTls::new);
        let acceptor = tls.as_ref().map(|tls| tls.acceptor(&["http/1.1"]));
        let task = tokio::spawn(accept(listener, acceptor, Arc::clone(&shared)));
        Ok(Self {
            addr,
            tls,
            shared,
            task,
        })
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// The root that a client must be given, PEM; none without TLS.
    pub fn root_pem(&self) -> Option<Vec<u8>> {
        self.tls.as_ref().map(|tls| tls.root_pem().into())
    }

    /// All connections so far, those that were refused among them.
    pub fn connections(&self) -> Vec<Connection> {
        self.shared.connections()
    }

    /// Waits until `found` finds what it looks for; none where it has not after `within`.
    pub async fn until<T>(
        &self,
        within: Duration,
        found: impl Fn(&[Connection]) -> Option<T>,
    ) -> Option<T> {
        self.shared.until(within, found).await
    }

    /// When connection `nth` ended; none where it goes on after `within`.
    pub async fn ended(&self, nth: usize, within: Duration) -> Option<Ended> {
        self.until(within, |all| all.get(nth).and_then(|one| one.ended))
            .await
    }

    /// Breaks every open connection.
    pub fn cut_all(&self) {
        self.shared.cut_all();
    }
}

impl Drop for WsFake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    shared: Arc<Shared>,
) {
    // Held here so that aborting this task breaks every connection.
    let mut open = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        let accepted_at = Instant::now();
        open.spawn(async move {
            let _ = socket.set_nodelay(true);
            let number = shared.connected(accepted_at);
            match acceptor {
                None => serve::serve(socket, number, &shared).await,
                Some(acceptor) => {
                    if let Ok(socket) = acceptor.accept(socket).await {
                        serve::serve(socket, number, &shared).await;
                    }
                }
            }
        });
    }
}
