//! The socket that all calls share, and the way into it: an SDP offer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_audio::opus::OpusSettings;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, IceCreds, Rtc};
use tokio::task::JoinHandle;

use super::candidate::candidates;
use super::inbox::Inbox;
use super::media::Media;
use super::metrics::Metrics;
use super::offer::{self, OfferError};
use super::route::Routes;
use super::socket::Socket;
use super::transport::WebRtcTransport;

/// How often a call's receiver reports are read for the round-trip time and loss.
const STATS_INTERVAL: Duration = Duration::from_secs(2);

/// How often our sender reports go out, whose answers carry the round-trip time. RFC 3550 suggests
/// five seconds at least for large sessions; with one peer two are cheap (50 B/s) and a turn's
/// playout position is right sooner.
const RTCP_REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// Packets that the protocol library may hold for sending: each tick writes one and sends it.
const SEND_BUFFER_PACKETS: usize = 4;

/// Header extension id of the section's name (`a=mid`); browsers use 4, any would do.
const EXTENSION_ID_MID: u8 = 4;

/// How an endpoint behaves.
#[derive(Clone, Debug, Default)]
pub struct EndpointConfig {
    /// Addresses to announce instead of the socket's own: the public ones of a host behind a 1:1
    /// NAT. At the socket's port.
    pub announce: Vec<IpAddr>,
    /// How agent audio is encoded.
    pub opus: OpusSettings,
}

/// Why an endpoint could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The socket: the port is taken, the address is not this machine's, no permission.
    #[error("cannot listen on UDP {addr}: {source}")]
    Socket {
        /// The address asked for.
        addr: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The interfaces could not be listed.
    #[error("cannot list the network interfaces: {0}; name the address to announce instead")]
    Interfaces(io::Error),
    /// No address to announce.
    #[error("no address to announce for UDP {addr}: name one")]
    NoCandidates {
        /// The address asked for.
        addr: SocketAddr,
    },
    /// No DTLS certificate could be made.
    #[error("cannot make a DTLS certificate")]
    Certificate,
}

/// One UDP port for any number of calls.
///
/// Dropping it ends the receive task: calls that still run go silent and close by themselves.
#[derive(Debug)]
pub struct Endpoint {
    shared: Arc<Shared>,
    receiver: JoinHandle<()>,
}

/// What an endpoint and its calls share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) socket: Socket,
    pub(crate) routes: Routes,
    pub(crate) metrics: Metrics,
    certificate: DtlsCert,
    crypto: Arc<CryptoProvider>,
    opus: OpusSettings,
}

impl Endpoint {
    /// Binds `udp_addr` (port 0 for any) and starts to receive. Call it within a tokio runtime.
    ///
    /// Announced are the interfaces' addresses where `udp_addr` is unspecified, else that one,
    /// or `config.announce` where it names any.
    ///
    /// # Errors
    /// [`BindError`], whose text is fit for people.
    pub fn bind(udp_addr: SocketAddr, config: EndpointConfig) -> Result<Self, BindError> {
        let mut socket = Socket::bind(udp_addr).map_err(|source| BindError::Socket {
            addr: udp_addr,
            source,
        })?;
        let found = candidates(socket.local(), &config.announce).map_err(BindError::Interfaces)?;
        // Only those that the protocol takes: no unspecified or broadcast address.
        let usable: Vec<SocketAddr> = found
            .into_iter()
            .filter(|addr| Candidate::host(*addr, "udp").is_ok())
            .collect();
        if usable.is_empty() {
            return Err(BindError::NoCandidates { addr: udp_addr });
        }
        socket.set_candidates(usable);
        let crypto = Arc::new(str0m::crypto::from_feature_flags());
        // One certificate for all calls: making one costs more than a whole handshake.
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or(BindError::Certificate)?;
        let shared = Arc::new(Shared {
            socket,
            routes: Routes::default(),
            metrics: Metrics::default(),
            certificate,
            crypto,
            opus: config.opus,
        });
        let receiver = tokio::spawn({
            let shared = shared.clone();
            async move { shared.socket.receive(&shared.routes, &shared.metrics).await }
        });
        Ok(Self { shared, receiver })
    }

    /// The announced addresses.
    pub fn candidates(&self) -> Vec<SocketAddr> {
        self.shared.socket.candidates().to_vec()
    }

    /// What has been counted.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Calls that can receive, and addresses they receive from.
    pub fn routes(&self) -> (usize, usize) {
        self.shared.routes.len()
    }

    /// Answers an SDP offer. The transport takes agent audio in 20 ms frames at `output_rate_hz`
    /// (8,000, 12,000, 16,000, 24,000 or 48,000). Call it within a tokio runtime.
    ///
    /// # Errors
    /// [`OfferError`], whose text says what to send instead; [`OfferError::Internal`] also for an
    /// output rate that Opus does not know.
    pub fn accept(
        &self,
        offer_sdp: &str,
        output_rate_hz: u32,
    ) -> Result<(String, WebRtcTransport), OfferError> {
        let result = self.accept_inner(offer_sdp, output_rate_hz);
        match &result {
            Ok(_) => self.shared.metrics.accepted.one(),
            Err(_) => self.shared.metrics.offers_refused.one(),
        }
        result
    }

    fn accept_inner(
        &self,
        offer_sdp: &str,
        output_rate_hz: u32,
    ) -> Result<(String, WebRtcTransport), OfferError> {
        let offer = offer::parse(offer_sdp)?;
        let media = Media::new(output_rate_hz, self.shared.opus).map_err(|error| {
            tracing::error!(%error, output_rate_hz, "Opus");
            OfferError::Internal
        })?;
        let now = Instant::now();
        let inbox = Arc::new(Inbox::default());
        let credentials = IceCreds::new();
        let mut rtc = self.shared.build_rtc(credentials.clone(), now);
        for candidate in self.shared.socket.candidates() {
            let candidate = Candidate::host(*candidate, "udp").map_err(|_| OfferError::Internal)?;
            rtc.add_local_candidate(candidate);
        }
        let answer = rtc
            .sdp_api()
            .accept_offer(offer)
            .map_err(|error| OfferError::NotAnswerable(error.to_string()))?;
        // The name has 95 bits of randomness: taken means that the generator is broken.
        if !self.shared.routes.insert(&credentials.ufrag, &inbox) {
            return Err(OfferError::Internal);
        }
        let transport = WebRtcTransport::new(
            self.shared.clone(),
            credentials.ufrag,
            inbox,
            rtc,
            media,
            now,
        );
        Ok((answer.to_sdp_string(), transport))
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.receiver.abort();
    }
}

impl Shared {
    pub(crate) fn build_rtc(&self, credentials: IceCreds, now: Instant) -> Rtc {
        // Only what an audio call uses: each header extension costs every packet, transport-wide
        // congestion control a feedback packet besides.
        let mut extensions = ExtensionMap::empty();
        extensions.set(EXTENSION_ID_MID, Extension::RtpMid);
        Rtc::builder()
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(credentials)
            .set_ice_lite(true)
            .clear_codecs()
            .enable_opus(true, false)
            .set_extension_map(extensions)
            .enable_bwe(None)
            // Packets reach the jitter buffer as they come, out of order ones included: the
            // library's own reordering would hold up what it waits for and drop what comes late.
            .set_rtp_mode(true)
            .set_reordering_size_audio(0)
            .set_send_buffer_audio(SEND_BUFFER_PACKETS)
            .set_stats_interval(Some(STATS_INTERVAL))
            .set_rtcp_report_interval_audio(RTCP_REPORT_INTERVAL)
            .build(now)
    }
}
