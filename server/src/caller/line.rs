//! A standing call: signalling and media together.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use antiphon_proto::SessionCreated;

use super::error::CallError;
use super::peer::{Peer, PeerInput};
use super::rest::Rest;

/// How long media may take to get through once the offer is answered.
const MEDIA_TIMEOUT: Duration = Duration::from_secs(15);

/// A call that is connected.
pub(crate) struct Line {
    rest: Rest,
    pub(crate) session: SessionCreated,
    pub(crate) peer: Peer,
    /// When media could flow.
    pub(crate) connected_at: Instant,
    /// From the first request until then, in milliseconds.
    pub(crate) connect_ms: u64,
    /// Inputs that came before the call was taken over.
    pub(crate) early: Vec<PeerInput>,
}

impl Line {
    /// Creates a session and connects to it.
    pub(crate) async fn connect(server: &str, agent: &str) -> Result<Self, CallError> {
        let began = Instant::now();
        let rest = Rest::new(server)?;
        let session = rest.create(agent).await?;
        let (peer, sdp) = Peer::offer(local_ip(&session, &rest)).await?;
        let mut line = Self {
            rest,
            session,
            peer,
            connected_at: began,
            connect_ms: 0,
            early: Vec::new(),
        };
        // A session that was created is ended whatever happens next.
        if let Err(error) = line.establish(sdp).await {
            line.end().await;
            return Err(error);
        }
        line.connected_at = Instant::now();
        line.connect_ms = began.elapsed().as_millis() as u64;
        Ok(line)
    }

    async fn establish(&mut self, sdp: String) -> Result<(), CallError> {
        let answer = self.rest.offer(&self.session, sdp).await?;
        self.peer.answer(answer).await?;
        let connected = async {
            loop {
                match self.peer.input().await {
                    PeerInput::Connected => return true,
                    PeerInput::Gone => return false,
                    input @ (PeerInput::EventsOpen | PeerInput::Event(_) | PeerInput::Audio(_)) => {
                        self.early.push(input)
                    }
                }
            }
        };
        match tokio::time::timeout(MEDIA_TIMEOUT, connected).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(CallError::NoMedia {
                candidates: self.session.udp.join(", "),
                seconds: MEDIA_TIMEOUT.as_secs(),
            }),
        }
    }

    /// Milliseconds since media could flow.
    pub(crate) fn at_ms(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.connected_at).as_millis() as u64
    }

    /// Ends the session and the connection.
    pub(crate) async fn end(&mut self) {
        if let Err(error) = self.rest.delete(&self.session).await {
            tracing::debug!(%error, "the session could not be deleted");
        }
        self.peer.close().await;
    }
}

/// The own address on the way to the server's media port: nothing is sent to find it out.
fn local_ip(session: &SessionCreated, rest: &Rest) -> IpAddr {
    let toward = |target: (&str, u16)| -> Option<IpAddr> {
        let any = if target.0.contains(':') {
            "[::]:0"
        } else {
            "0.0.0.0:0"
        };
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(target).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_unspecified()).then_some(ip)
    };
    let media = session.udp.iter().find_map(|candidate| {
        let (host, port) = candidate.rsplit_once(':')?;
        toward((host.trim_matches(['[', ']']), port.parse().ok()?))
    });
    let signalling = || {
        rest.host_port()
            .and_then(|(host, port)| toward((&host, port)))
    };
    media
        .or_else(signalling)
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}
