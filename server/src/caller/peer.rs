//! The WebRTC end of a caller.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_audio::{FRAME_MS, RTP_RATE_HZ};
use bytes::Bytes;
use rtc::peer_connection::configuration::media_engine::MIME_TYPE_OPUS;
use rtc::rtp;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCConfigurationBuilder, RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription,
    Registry, configure_rtcp_reports,
};

use super::error::CallError;

/// Label of the data channel for events, as the server expects it.
const EVENT_CHANNEL_LABEL: &str = "antiphon";

/// What waits for the call's task: several seconds of audio and events.
const INPUTS_MAX: usize = 1_024;

/// Payload type of Opus, the one that browsers use.
const OPUS_PAYLOAD_TYPE: u8 = 111;

/// RTP ticks of one frame.
const FRAME_TICKS: u32 = RTP_RATE_HZ / 1_000 * FRAME_MS;

/// How long to wait for the own host candidates; there is nothing to ask on the network.
const GATHERING_TIMEOUT: Duration = Duration::from_secs(5);

/// What comes from the other side.
#[derive(Debug)]
pub(crate) enum PeerInput {
    /// Media can flow.
    Connected,
    /// The connection failed or was closed.
    Gone,
    /// Events can flow.
    EventsOpen,
    /// One event, JSON.
    Event(String),
    /// One packet of audio.
    Audio(AudioPacket),
}

/// One RTP packet.
#[derive(Debug)]
pub(crate) struct AudioPacket {
    pub(crate) at: Instant,
    pub(crate) seq: u16,
    pub(crate) rtp_time: u32,
    pub(crate) payload: Bytes,
}

/// A connection, before or after it stands.
pub(crate) struct Peer {
    connection: Arc<dyn PeerConnection>,
    channel: Arc<dyn DataChannel>,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    seq: u16,
    rtp_time: u32,
    inputs: mpsc::Receiver<PeerInput>,
}

impl Peer {
    /// Makes a connection that will leave from `local_ip`, and its offer.
    pub(crate) async fn offer(local_ip: IpAddr) -> Result<(Self, String), CallError> {
        let (inputs_out, inputs) = mpsc::channel(INPUTS_MAX);
        let (gathered_out, mut gathered) = mpsc::channel(1);
        let handler = Arc::new(Handler {
            inputs: inputs_out.clone(),
            gathered: gathered_out,
        });
        let mut media = MediaEngine::default();
        media.register_codec(opus_parameters(), RtpCodecKind::Audio)?;
        // Receiver reports only: they are what the server measures the way to us by.
        let registry = configure_rtcp_reports(Registry::new());
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().build())
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_handler(handler)
            .with_udp_addrs(vec![SocketAddr::new(local_ip, 0)])
            .build()
            .await?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let ssrc = random_u32();
        let track = microphone(ssrc);
        connection
            .add_track(track.clone() as Arc<dyn TrackLocal>)
            .await?;
        let channel = connection
            .create_data_channel(EVENT_CHANNEL_LABEL, None)
            .await?;
        tokio::spawn(read_channel(channel.clone(), inputs_out));
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer.clone()).await?;
        // Without candidates of ours the server learns our address from the first packet, so an
        // offer that gathered nothing in time is still good.
        let _ = tokio::time::timeout(GATHERING_TIMEOUT, gathered.recv()).await;
        let offer = connection.local_description().await.unwrap_or(offer);
        let (seq, rtp_time) = (random_u32() as u16 & 0x7FFF, random_u32());
        let peer = Self {
            connection,
            channel,
            track,
            ssrc,
            seq,
            rtp_time,
            inputs,
        };
        Ok((peer, offer.sdp))
    }

    /// Takes the server's answer; the connection is made from here on.
    pub(crate) async fn answer(&self, sdp: String) -> Result<(), CallError> {
        let answer = RTCSessionDescription::answer(sdp)?;
        Ok(self.connection.set_remote_description(answer).await?)
    }

    /// What came in; for ever pending once the connection is over.
    pub(crate) async fn input(&mut self) -> PeerInput {
        match self.inputs.recv().await {
            Some(input) => input,
            None => std::future::pending().await,
        }
    }

    /// Sends one packet of 20 ms. Packets from before the connection stands are lost, as those of
    /// a microphone are.
    pub(crate) async fn send_audio(&mut self, payload: Bytes) {
        self.seq = self.seq.wrapping_add(1);
        self.rtp_time = self.rtp_time.wrapping_add(FRAME_TICKS);
        let header = rtp::Header {
            version: 2,
            payload_type: OPUS_PAYLOAD_TYPE,
            sequence_number: self.seq,
            timestamp: self.rtp_time,
            ssrc: self.ssrc,
            ..rtp::Header::default()
        };
        let packet = rtp::Packet { header, payload };
        if let Err(error) = self.track.write_rtp(packet).await {
            tracing::debug!(%error, "audio packet");
        }
    }

    /// Sends one message on the data channel.
    pub(crate) async fn send_text(&self, json: &str) {
        if let Err(error) = self.channel.send_text(json).await {
            tracing::debug!(%error, "data channel");
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(&self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "close");
        }
    }
}

struct Handler {
    inputs: mpsc::Sender<PeerInput>,
    gathered: mpsc::Sender<()>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.gathered.try_send(());
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the enum is another crate's and may grow"
    )]
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let input = match state {
            RTCPeerConnectionState::Connected => PeerInput::Connected,
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => PeerInput::Gone,
            // On the way, or only disturbed.
            _ => return,
        };
        // The call's task may be gone already.
        let _ = self.inputs.send(input).await;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(read_track(track, self.inputs.clone()));
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's other events of a track and a channel are no concern of a caller"
)]
async fn read_track(track: Arc<dyn TrackRemote>, inputs: mpsc::Sender<PeerInput>) {
    while let Some(event) = track.poll().await {
        match event {
            TrackRemoteEvent::OnRtpPacket(packet) => {
                let audio = AudioPacket {
                    at: Instant::now(),
                    seq: packet.header.sequence_number,
                    rtp_time: packet.header.timestamp,
                    payload: packet.payload,
                };
                // A full queue is a call that does not keep up: the packet counts as lost there.
                let _ = inputs.try_send(PeerInput::Audio(audio));
            }
            TrackRemoteEvent::OnEnded => return,
            _ => {}
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's other events of a track and a channel are no concern of a caller"
)]
async fn read_channel(channel: Arc<dyn DataChannel>, inputs: mpsc::Sender<PeerInput>) {
    while let Some(event) = channel.poll().await {
        let input = match event {
            DataChannelEvent::OnOpen => PeerInput::EventsOpen,
            DataChannelEvent::OnMessage(message) => {
                match String::from_utf8(message.data.to_vec()) {
                    Ok(text) => PeerInput::Event(text),
                    Err(_) => continue,
                }
            }
            DataChannelEvent::OnClose => return,
            _ => continue,
        };
        if inputs.send(input).await.is_err() {
            return;
        }
    }
}

fn opus_codec() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: RTP_RATE_HZ,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: vec![],
    }
}

fn opus_parameters() -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: opus_codec(),
        payload_type: OPUS_PAYLOAD_TYPE,
    }
}

fn microphone(ssrc: u32) -> Arc<TrackLocalStaticRTP> {
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..RTCRtpCodingParameters::default()
        },
        codec: opus_codec(),
        ..RTCRtpEncodingParameters::default()
    };
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        "caller".to_owned(),
        "microphone".to_owned(),
        "microphone".to_owned(),
        RtpCodecKind::Audio,
        vec![encoding],
    )))
}

/// Random enough to tell streams apart: the standard library's hash keys come from the system.
fn random_u32() -> u32 {
    use std::hash::{BuildHasher, Hasher};
    let hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.finish() as u32
}
