//! An HTTP server that answers by a script, byte by byte where it must.

mod h1;
mod h2;
mod record;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use self::record::Shared;
pub use self::record::{Ended, EndedHow, Exchange};
use super::tls::TestTls;

/// Largest request that is read; the rest of the connection is dropped.
pub const REQUEST_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// What is spoken on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// HTTP/1.1 without TLS.
    Http1,
    /// HTTP/1.1 over TLS.
    Http1Tls,
    /// HTTP/2 over TLS, and nothing else.
    Http2Tls,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `POST` and the like.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
}

impl Request {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The path without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// How an answer begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// A status line and headers.
    Http,
    /// These bytes instead (HTTP/1.1; over HTTP/2 the stream is reset).
    Raw(Vec<u8>),
    /// Nothing, ever: the request is read and that is all.
    Never,
}

/// One thing done while the body is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Bytes of the body: one chunk of HTTP/1.1, one frame of HTTP/2.
    Send(Vec<u8>),
    /// A pause.
    Wait(Duration),
}

/// How an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should; the connection is kept.
    Whole,
    /// The connection (HTTP/2: the stream) breaks in the middle of the body.
    Cut,
    /// Nothing more comes, until the client goes.
    Stall,
    /// These bytes again and again, until the client goes.
    Flood {
        /// What is repeated.
        bytes: Vec<u8>,
        /// How often.
        every: Duration,
    },
}

/// What one request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it begins.
    pub head: Head,
    /// Waited before anything is sent.
    pub after: Duration,
    /// The status.
    pub status: u16,
    /// Headers beside the framing's own.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: End,
    /// Writes to the socket (HTTP/2: frames) are at most that long; 1 splits every byte from the
    /// next.
    pub packet_bytes_max: Option<usize>,
}

impl Answer {
    /// A status with a JSON body.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::of(
            status,
            "application/json",
            vec![body.to_string().into_bytes()],
        )
    }

    /// A stream of server-sent events, each sent on its own.
    pub fn events(events: Vec<Vec<u8>>) -> Self {
        Self::of(200, "text/event-stream", events)
    }

    /// Never a word.
    pub fn never() -> Self {
        Self {
            head: Head::Never,
            ..Self::events(Vec::new())
        }
    }

    /// These bytes in the place of HTTP.
    pub fn garbage(bytes: &[u8]) -> Self {
        Self {
            head: Head::Raw(bytes.to_vec()),
            end: End::Cut,
            ..Self::events(Vec::new())
        }
    }

    fn of(status: u16, content_type: &str, pieces: Vec<Vec<u8>>) -> Self {
        Self {
            head: Head::Http,
            after: Duration::ZERO,
            status,
            headers: vec![("content-type".into(), content_type.into())],
            steps: pieces.into_iter().map(Step::Send).collect(),
            end: End::Whole,
            packet_bytes_max: None,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ends otherwise.
    #[must_use]
    pub fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// Splits every write.
    #[must_use]
    pub fn in_packets_of(mut self, bytes: usize) -> Self {
        self.packet_bytes_max = Some(bytes.max(1));
        self
    }

    /// Waits before the first byte.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = wait;
        self
    }
}

/// Decides what a request gets.
pub type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// The server. It stops when it is dropped, and closes every connection.
pub struct HttpFake {
    addr: SocketAddr,
    wiring: Wiring,
    tls: Option<TestTls>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl HttpFake {
    /// Listens on a loopback port of its own.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start(
        wiring: Wiring,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_on("127.0.0.1:0".parse().expect("an address"), wiring, script).await
    }

    /// Listens at `addr`.
    ///
    /// # Errors
    /// Where the port cannot be bound.
    pub async fn start_on(
        addr: SocketAddr,
        wiring: Wiring,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::new(Box::new(script)));
        let (tls, acceptor) = match wiring {
            Wiring::Http1 => (None, None),
            Wiring::Http1Tls => with_tls(&["http/1.1"]),
            Wiring::Http2Tls => with_tls(&["h2"]),
        };
        let task = tokio::spawn(accept(listener, wiring, acceptor, Arc::clone(&shared)));
        Ok(Self {
            addr,
            wiring,
            tls,
            shared,
            task,
        })
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        match self.wiring {
            Wiring::Http1 => format!("http://{}", self.addr),
            Wiring::Http1Tls | Wiring::Http2Tls => format!("https://{}", self.addr),
        }
    }

    /// The root that a client must be given, PEM; none without TLS.
    pub fn root_pem(&self) -> Option<Vec<u8>> {
        self.tls.as_ref().map(|tls| tls.root_pem().into())
    }

    /// What was asked so far, and how far each answer came.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.exchanges()
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// How exchange `nth` (from 0) ended; none where it goes on after `within`.
    pub async fn ended(&self, nth: usize, within: Duration) -> Option<Ended> {
        self.shared.ended(nth, within).await
    }

    /// Waits until `count` requests have come; false where they have not after `within`.
    pub async fn asked(&self, count: usize, within: Duration) -> bool {
        self.shared.asked(count, within).await
    }
}

impl Drop for HttpFake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn with_tls(alpn: &[&str]) -> (Option<TestTls>, Option<tokio_rustls::TlsAcceptor>) {
    let tls = TestTls::new();
    let acceptor = tls.acceptor(alpn);
    (Some(tls), Some(acceptor))
}

async fn accept(
    listener: TcpListener,
    wiring: Wiring,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    shared: Arc<Shared>,
) {
    // Held here so that aborting this task closes every connection.
    let mut open = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        let (shared, acceptor) = (Arc::clone(&shared), acceptor.clone());
        open.spawn(async move {
            let connection = shared.connected();
            let _ = serve(socket, wiring, acceptor, connection, shared).await;
        });
    }
}

async fn serve(
    socket: TcpStream,
    wiring: Wiring,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    connection: usize,
    shared: Arc<Shared>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    match acceptor {
        None => h1::serve(socket, connection, &shared).await,
        Some(acceptor) => {
            let socket = acceptor.accept(socket).await?;
            match wiring {
                Wiring::Http1 | Wiring::Http1Tls => h1::serve(socket, connection, &shared).await,
                Wiring::Http2Tls => h2::serve(socket, connection, shared).await,
            }
        }
    }
    Ok(())
}
