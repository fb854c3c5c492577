//! A simulated caller: a light WebRTC peer with its own socket, that sends ready-made packets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::config::{CryptoProvider, DtlsCert};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;

use crate::talker::{Notes, Talker};

/// Length of a packet.
const FRAME: Duration = Duration::from_millis(20);
/// RTP ticks of a packet (48 kHz, RFC 7587).
const FRAME_TICKS: u32 = 960;
/// Largest datagram taken.
const DATAGRAM_BYTES_MAX: usize = 2_048;
/// A caller that was held up for longer sends from now on instead of catching up.
const CATCH_UP_MAX: Duration = Duration::from_millis(200);

/// What callers share.
#[derive(Clone, Debug)]
pub struct Callers {
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
}

impl Callers {
    /// Makes the one certificate of all callers; making one each would cost more than the calls.
    ///
    /// # Errors
    /// A sentence where none can be made.
    pub fn new() -> Result<Self, String> {
        let crypto = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or("no DTLS certificate can be made")?;
        Ok(Self {
            crypto,
            certificate,
        })
    }

    /// A caller and its SDP offer: audio both ways and the event channel.
    ///
    /// # Errors
    /// Where no socket can be had.
    pub fn offer(&self) -> io::Result<(String, Offering)> {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let mut rtc = Rtc::builder()
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .clear_codecs()
            .enable_opus(true, false)
            .set_rtp_mode(true)
            .set_reordering_size_audio(0)
            .build(Instant::now());
        let candidate = Candidate::host(local, "udp").map_err(io::Error::other)?;
        rtc.add_local_candidate(candidate);
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        api.add_channel("antiphon".to_owned());
        let (offer, pending) = api
            .apply()
            .expect("invariant: a fresh connection with a new media section has an offer");
        let offering = Offering {
            rtc,
            socket,
            local,
            mid,
            pending,
        };
        Ok((offer.to_sdp_string(), offering))
    }
}

/// A caller who has made an offer.
#[derive(Debug)]
pub struct Offering {
    rtc: Rtc,
    socket: std::net::UdpSocket,
    local: SocketAddr,
    mid: Mid,
    pending: SdpPendingOffer,
}

impl Offering {
    /// Takes the answer and plays `talker` until `end`. Call it within a tokio runtime.
    ///
    /// # Errors
    /// A sentence where the answer cannot be used.
    pub async fn run(
        mut self,
        answer: &str,
        talker: Talker,
        end: Instant,
    ) -> Result<Notes, String> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(|error| error.to_string())?;
        self.rtc
            .sdp_api()
            .accept_answer(self.pending, answer)
            .map_err(|error| error.to_string())?;
        let caller = Caller {
            rtc: self.rtc,
            socket: UdpSocket::from_std(self.socket).map_err(|error| error.to_string())?,
            local: self.local,
            mid: self.mid,
            pt: None,
            channel: None,
            seq: SeqNo::default(),
            rtp_time: 0,
            talker,
        };
        Ok(caller.run(end).await)
    }
}

struct Caller {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    mid: Mid,
    pt: Option<Pt>,
    channel: Option<ChannelId>,
    seq: SeqNo,
    rtp_time: u32,
    talker: Talker,
}

impl Caller {
    async fn run(mut self, end: Instant) -> Notes {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        let mut send_at = Instant::now();
        while self.rtc.is_alive() {
            let due = self.drain();
            let now = Instant::now();
            if now >= end || self.talker.done() {
                break;
            }
            let wake_at = if self.talker.notes().connected {
                due.min(send_at)
            } else {
                due
            };
            tokio::select! {
                biased;
                received = self.socket.recv_from(&mut buffer) => {
                    // An error of the far side's port shows here; the call's own timeout handles it.
                    if let Ok((length, source)) = received {
                        self.take_in(&buffer[..length], source);
                    }
                }
                () = tokio::time::sleep_until(wake_at.min(end).into()) => {
                    let now = Instant::now();
                    if self.talker.notes().connected && now >= send_at {
                        if now - send_at > CATCH_UP_MAX {
                            send_at = now;
                        }
                        send_at += FRAME;
                        self.send(now);
                    }
                    // A failure shows as a call that is not alive.
                    let _ = self.rtc.handle_input(Input::Timeout(now));
                }
            }
        }
        // A goodbye, so that the server frees the call.
        let _ = self.rtc.close();
        self.drain();
        self.talker.into_notes()
    }

    fn take_in(&mut self, contents: &[u8], source: SocketAddr) {
        if let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, contents) {
            // As above.
            let _ = self
                .rtc
                .handle_input(Input::Receive(Instant::now(), receive));
        }
    }

    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    // What finds no room is lost, as on a network.
                    let _ = self
                        .socket
                        .try_send_to(&transmit.contents, transmit.destination);
                }
                Ok(Output::Event(event)) => self.on_event(event),
                Ok(Output::Timeout(due)) => return due,
                Err(_) => {
                    self.rtc.disconnect();
                    return Instant::now();
                }
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's other events are no concern of a caller that only talks"
    )]
    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected => self.talker.connected(),
            Event::ChannelOpen(id, _) => self.channel = Some(id),
            Event::ChannelData(data) => self.talker.event(&data.data),
            Event::RtpPacket(packet) => {
                let now = Instant::now();
                self.talker.hear(now, *packet.seq_no, &packet.payload);
            }
            _ => {}
        }
    }

    fn send(&mut self, now: Instant) {
        let Some(pt) = self.opus() else { return };
        let packet = self.talker.next_packet(now);
        self.seq.inc();
        self.rtp_time = self.rtp_time.wrapping_add(FRAME_TICKS);
        let mut direct = self.rtc.direct_api();
        if let Some(stream) = direct.stream_tx_by_mid(self.mid, None) {
            stream.write_rtp(RtpWrite::new(pt, self.seq, self.rtp_time, now, packet));
        }
    }

    fn opus(&mut self) -> Option<Pt> {
        if self.pt.is_none() {
            let params = self.rtc.codec_config().params();
            let opus = params
                .iter()
                .find(|params| params.spec().codec == Codec::Opus);
            self.pt = opus.map(|params| params.pt());
        }
        self.pt
    }
}
