//! The audio of one call between RTP and frames of 20 ms.

use std::time::{Duration, Instant};

use antiphon_audio::RTP_RATE_HZ;
use antiphon_audio::caller::{self, CallerAudio};
use antiphon_audio::opus::{CodecError, OpusEncoder, OpusSettings, PACKET_BYTES_MAX};
use antiphon_runtime::{CALLER_FRAME_SAMPLES, Pulled};
use str0m::Rtc;
use str0m::format::Codec;
use str0m::media::{MediaAdded, Mid, Pt};
use str0m::rtp::{RtpPacket, RtpWrite, SeqNo, Ssrc};

/// RTP ticks of one frame.
const FRAME_TICKS: u32 = RTP_RATE_HZ / 50;

/// A second stream of the caller takes over only after the first was quiet for this long: a track
/// that was replaced, not one beside it.
const STREAM_HANDOVER: Duration = Duration::from_millis(200);

/// Encoder, decoder and jitter buffer of one call.
#[derive(Debug)]
pub(crate) struct Media {
    start: Instant,
    encoder: OpusEncoder,
    caller: CallerAudio,
    silence: Vec<i16>,
    packet: Box<[u8; PACKET_BYTES_MAX]>,
    seq: SeqNo,
    rtp_time: u32,
    sent_any: bool,
    track: Option<(Mid, Pt)>,
    incoming: Option<(Ssrc, Instant)>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// It is in the jitter buffer.
    Audio,
    /// It had no payload.
    Padding,
    /// It is of another stream or codec.
    Ignored,
}

impl Media {
    pub(crate) fn new(output_rate_hz: u32, opus: OpusSettings) -> Result<Self, CodecError> {
        let encoder = OpusEncoder::with_settings(output_rate_hz, opus)?;
        Ok(Self {
            start: Instant::now(),
            silence: vec![0; encoder.frame_samples()],
            encoder,
            caller: CallerAudio::new()?,
            packet: Box::new([0; PACKET_BYTES_MAX]),
            // Random, in the lower half of the range (RFC 3550 section 5.1).
            seq: SeqNo::default(),
            rtp_time: 0,
            sent_any: false,
            track: None,
            incoming: None,
        })
    }

    /// Notes the audio section once it is negotiated; the first that sends is the agent's voice.
    pub(crate) fn added(&mut self, rtc: &Rtc, added: &MediaAdded) {
        if self.track.is_some() || !added.kind.is_audio() || !added.direction.is_sending() {
            return;
        }
        let Some(media) = rtc.media(added.mid) else {
            return;
        };
        let opus = rtc.codec_config().params().iter().find(|params| {
            params.spec().codec == Codec::Opus && media.remote_pts().contains(&params.pt())
        });
        self.track = opus.map(|params| (added.mid, params.pt()));
    }

    /// Puts a packet of the caller into the jitter buffer.
    pub(crate) fn receive(&mut self, packet: &RtpPacket, at: Instant) -> Received {
        // Padding keeps a path open or probes it; decoded, it would be heard as a loss.
        if packet.payload.is_empty() {
            return Received::Padding;
        }
        let is_opus = self
            .track
            .is_some_and(|(_, pt)| packet.header.payload_type == pt);
        if !is_opus || !self.follows(packet.header.ssrc, at) {
            return Received::Ignored;
        }
        let rtp_time = packet.header.timestamp;
        self.caller.insert(
            *packet.seq_no,
            rtp_time,
            packet.payload.to_vec(),
            self.micros(at),
        );
        Received::Audio
    }

    /// The next 20 ms of the caller.
    pub(crate) fn pull(&mut self, now: Instant, frame: &mut [i16; CALLER_FRAME_SAMPLES]) -> Pulled {
        let now_us = self.micros(now);
        match self.caller.pull_20ms(now_us, frame) {
            caller::Pulled::Audio => Pulled::Audio,
            caller::Pulled::Concealed => Pulled::Concealed,
            caller::Pulled::Nothing => Pulled::Nothing,
        }
    }

    /// Encodes 20 ms of the agent, or silence, and hands it to `rtc` for sending.
    pub(crate) fn send(&mut self, rtc: &mut Rtc, now: Instant, frame: Option<&[i16]>) {
        let Some((mid, pt)) = self.track else {
            return;
        };
        let pcm = frame.unwrap_or(&self.silence);
        let encoded = self.encoder.encode(pcm, self.packet.as_mut_slice());
        // Time passes whether or not the frame could be sent: the receiver hears a gap.
        self.rtp_time = self.rtp_time.wrapping_add(FRAME_TICKS);
        let length = match encoded {
            Ok(length) => length,
            Err(error) => {
                tracing::warn!(%error, "agent audio was not sent");
                return;
            }
        };
        // One or two bytes are what DTX leaves to be sent: nothing (RFC 6716 section 2.1.9).
        if length <= 2 {
            return;
        }
        let mut direct = rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, None) else {
            return;
        };
        let packet = &self.packet[..length];
        let mut write = RtpWrite::new(pt, self.seq, self.rtp_time, now, packet);
        if !self.sent_any {
            write = write.marker(true);
        }
        stream.write_rtp(write);
        self.seq.inc();
        self.sent_any = true;
    }

    /// Tells the encoder how much the receiver loses, so that it spends bits on redundancy.
    pub(crate) fn expect_loss(&mut self, fraction: f32) {
        let percent = (fraction.clamp(0.0, 1.0) * 100.0).round() as u8;
        // The configured expectation stays the floor: losses come in bursts.
        let percent = percent.clamp(antiphon_audio::opus::EXPECTED_LOSS_PERCENT as u8, 100);
        if let Err(error) = self.encoder.expect_loss(percent) {
            tracing::debug!(%error, "expected loss");
        }
    }

    fn follows(&mut self, ssrc: Ssrc, at: Instant) -> bool {
        match &mut self.incoming {
            Some((current, last)) if *current == ssrc => *last = at,
            Some((_, last)) if at.saturating_duration_since(*last) < STREAM_HANDOVER => {
                return false;
            }
            Some(current) => {
                *current = (ssrc, at);
                self.caller.reset();
            }
            None => self.incoming = Some((ssrc, at)),
        }
        true
    }

    fn micros(&self, at: Instant) -> u64 {
        let elapsed = at.saturating_duration_since(self.start).as_micros();
        u64::try_from(elapsed).unwrap_or(u64::MAX)
    }
}
