//! A caller: a full ICE peer with its own socket, driven by a task.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use antiphon_transports::webrtc::{Endpoint, EndpointConfig, OfferError, WebRtcTransport};
use str0m::change::SdpAnswer;
use str0m::channel::ChannelId;
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// What the caller has seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub connected: bool,
    pub channel_open: bool,
    pub closed: bool,
    pub cut: bool,
    pub messages: Vec<String>,
    /// Sequence number, timestamp, marker and payload of each RTP packet.
    pub rtp: Vec<(u64, u32, bool, Vec<u8>)>,
}

/// What the caller can be told to do.
pub enum Do {
    /// Send a packet of Opus, `skip` sequence numbers on.
    Audio {
        payload: Vec<u8>,
        skip: u64,
    },
    Text(String),
    Binary(Vec<u8>),
    /// Send these bytes to the server from the caller's own socket.
    Raw(Vec<u8>),
    /// Go on from a new port, as behind a NAT that forgot the old one.
    Rebind,
    /// Send and receive nothing for as long as it is set.
    Cut(bool),
    Close,
}

/// What an offer has.
#[derive(Clone, Copy)]
pub struct OfferShape {
    pub direction: Direction,
    pub channel: bool,
    pub video: bool,
}

pub const USUAL: OfferShape = OfferShape {
    direction: Direction::SendRecv,
    channel: true,
    video: false,
};

pub struct Client {
    pub seen: Arc<Mutex<Seen>>,
    commands: mpsc::UnboundedSender<Do>,
}

/// An endpoint on a free port of 127.0.0.1.
pub fn endpoint() -> Endpoint {
    Endpoint::bind("127.0.0.1:0".parse().unwrap(), EndpointConfig::default()).unwrap()
}

/// A caller and the transport of its call, at 48 kHz.
pub async fn connect(endpoint: &Endpoint, shape: OfferShape) -> (Client, WebRtcTransport) {
    let (client, answer_of) = Client::offer(endpoint, shape).await;
    let (answer, transport) = answer_of.unwrap();
    client.answer(&answer);
    (client.client, transport)
}

/// A caller who has made an offer.
pub struct Offering {
    pub client: Client,
    answer: mpsc::UnboundedSender<String>,
}

impl Offering {
    pub fn answer(&self, sdp: &str) {
        self.answer.send(sdp.to_owned()).unwrap();
    }
}

impl Client {
    pub async fn offer(
        endpoint: &Endpoint,
        shape: OfferShape,
    ) -> (Offering, Result<(String, WebRtcTransport), OfferError>) {
        Self::offer_at(endpoint, shape, 48_000).await
    }

    /// An offer to an agent whose audio has `rate_hz`.
    pub async fn offer_at(
        endpoint: &Endpoint,
        shape: OfferShape,
        rate_hz: u32,
    ) -> (Offering, Result<(String, WebRtcTransport), OfferError>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let local = socket.local_addr().unwrap();
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, shape.direction, None, None, None);
        if shape.video {
            api.add_media(MediaKind::Video, Direction::SendRecv, None, None, None);
        }
        if shape.channel {
            api.add_channel("antiphon".to_owned());
        }
        let (offer, pending) = api.apply().unwrap();
        let answered = endpoint.accept(&offer.to_sdp_string(), rate_hz);
        let (commands, commands_in) = mpsc::unbounded_channel();
        let (answer, mut answer_in) = mpsc::unbounded_channel::<String>();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut peer = Peer::new(rtc, socket, local, mid, seen.clone());
        tokio::spawn(async move {
            let Some(answer) = answer_in.recv().await else {
                return;
            };
            let answer = SdpAnswer::from_sdp_string(&answer).unwrap();
            peer.rtc.sdp_api().accept_answer(pending, answer).unwrap();
            peer.run(commands_in).await;
        });
        (
            Offering {
                client: Self { seen, commands },
                answer,
            },
            answered,
        )
    }

    pub fn tell(&self, command: Do) {
        // A caller that has ended hears nothing, as in life.
        let _ = self.commands.send(command);
    }

    pub fn see<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }
}

struct Peer {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    server: Option<SocketAddr>,
    mid: Mid,
    channel: Option<ChannelId>,
    /// Written before the channel opened here.
    early: Vec<(bool, Vec<u8>)>,
    seq: SeqNo,
    rtp_time: u32,
    cut: bool,
    seen: Arc<Mutex<Seen>>,
}

impl Peer {
    fn new(
        rtc: Rtc,
        socket: UdpSocket,
        local: SocketAddr,
        mid: Mid,
        seen: Arc<Mutex<Seen>>,
    ) -> Self {
        let seq = SeqNo::default();
        let (server, channel, rtp_time, cut) = (None, None, 0, false);
        let early = Vec::new();
        Self {
            rtc,
            socket,
            local,
            server,
            mid,
            channel,
            early,
            seq,
            rtp_time,
            cut,
            seen,
        }
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Do>) {
        let mut buffer = vec![0; 2_048];
        while self.rtc.is_alive() {
            let due = self.drain();
            if self.channel.is_some() && !self.early.is_empty() {
                for (binary, bytes) in std::mem::take(&mut self.early) {
                    self.write(binary, &bytes);
                }
                continue;
            }
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => {
                    let Ok((length, source)) = received else { continue };
                    if self.cut {
                        continue;
                    }
                    let contents = &buffer[..length];
                    let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, contents)
                    else { continue };
                    let _ = self.rtc.handle_input(Input::Receive(Instant::now(), receive));
                }
                command = commands.recv() => match command {
                    Some(command) => self.carry_out(command).await,
                    None => return,
                },
                () = tokio::time::sleep_until(due.into()) => {
                    let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
                }
            }
        }
        self.drain();
        self.seen.lock().unwrap().closed = true;
    }

    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    self.server = Some(transmit.destination);
                    if !self.cut {
                        let _ = self
                            .socket
                            .try_send_to(&transmit.contents, transmit.destination);
                    }
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

    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_event(&mut self, event: Event) {
        let mut seen = self.seen.lock().unwrap();
        match event {
            Event::Connected => seen.connected = true,
            Event::ChannelOpen(id, _) => {
                self.channel = Some(id);
                seen.channel_open = true;
            }
            Event::ChannelData(data) => {
                seen.messages.push(String::from_utf8(data.data).unwrap());
            }
            Event::RtpPacket(packet) => seen.rtp.push((
                *packet.seq_no,
                packet.header.timestamp,
                packet.header.marker,
                packet.payload.to_vec(),
            )),
            Event::Closed => seen.closed = true,
            _ => {}
        }
    }

    async fn carry_out(&mut self, command: Do) {
        match command {
            Do::Audio { payload, skip } => self.send_audio(&payload, skip),
            Do::Text(text) => self.write(false, text.as_bytes()),
            Do::Binary(bytes) => self.write(true, &bytes),
            Do::Raw(bytes) => {
                let server = self.server.unwrap();
                self.socket.send_to(&bytes, server).await.unwrap();
            }
            Do::Rebind => self.socket = UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            Do::Cut(cut) => {
                self.cut = cut;
                self.seen.lock().unwrap().cut = cut;
            }
            Do::Close => self.rtc.close().unwrap(),
        }
    }

    fn send_audio(&mut self, payload: &[u8], skip: u64) {
        for _ in 0..=skip {
            self.seq.inc();
            self.rtp_time = self.rtp_time.wrapping_add(960);
        }
        let pt = self.opus();
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.mid, None) else {
            return;
        };
        stream.write_rtp(RtpWrite::new(
            pt,
            self.seq,
            self.rtp_time,
            Instant::now(),
            payload,
        ));
        let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
    }

    fn opus(&self) -> Pt {
        let params = self.rtc.codec_config().params();
        params
            .iter()
            .find(|params| params.spec().codec == Codec::Opus)
            .unwrap()
            .pt()
    }

    fn write(&mut self, binary: bool, bytes: &[u8]) {
        let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else {
            self.early.push((binary, bytes.to_vec()));
            return;
        };
        assert!(
            channel.write(binary, bytes).unwrap(),
            "the caller's own buffer is full"
        );
    }
}

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);
