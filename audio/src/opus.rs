//! Opus, mono, 20 ms frames out and packets of any legal length in (RFC 6716, RFC 7587).

#[cfg(test)]
mod tests;

use ::opus as lib;

use crate::{CALLER_RATE_HZ, FRAME_MS, RTP_RATE_HZ};

/// Bits per second sent unless said otherwise: wideband voice is transparent to most ears here,
/// with in-band FEC included.
pub const BITRATE_BPS: i32 = 28_000;

/// Encoder effort, 0 to 10, unless said otherwise. 5 is the usual choice for voice with libopus on
/// small machines; no comparison of efforts stands behind it. What encoding costs a call is part of
/// the floor that `cargo run --release -p antiphon-benches --bin calls` measures.
pub const COMPLEXITY: i32 = 5;

/// Share of packets that the encoder expects to be lost, in percent: what makes it spend bits on
/// in-band FEC.
pub const EXPECTED_LOSS_PERCENT: i32 = 10;

/// Largest packet that [`OpusEncoder::encode`] makes, in bytes (RFC 6716, 3.4: one frame is at
/// most 1,275 bytes, plus the table-of-contents byte).
pub const PACKET_BYTES_MAX: usize = 1_276;

/// Longest packet that may come in, in milliseconds (RFC 6716, 3.2.5).
pub const PACKET_MS_MAX: u32 = 120;

/// Samples of the longest packet at [`CALLER_RATE_HZ`].
pub const PACKET_SAMPLES_MAX: usize = (CALLER_RATE_HZ / 1_000 * PACKET_MS_MAX) as usize;

/// What went wrong in a codec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Opus has no such rate.
    #[error("Opus knows 8000, 12000, 16000, 24000 and 48000 Hz, not {rate_hz} Hz")]
    UnsupportedRate {
        /// The rate asked for.
        rate_hz: u32,
    },
    /// A frame of another length than 20 ms.
    #[error("a 20 ms frame has {expected} samples here, not {got}")]
    FrameLength {
        /// Samples given.
        got: usize,
        /// Samples of 20 ms.
        expected: usize,
    },
    /// No packet, or one without content.
    #[error("the packet is empty")]
    EmptyPacket,
    /// The packet is not valid Opus.
    #[error("the packet of {bytes} bytes is not valid Opus")]
    BadPacket {
        /// Its length.
        bytes: usize,
    },
    /// The output buffer cannot hold the result.
    #[error("the output buffer of {len} is too small")]
    OutputTooSmall {
        /// Its length, in samples or bytes.
        len: usize,
    },
    /// The library refused for another reason.
    #[error("{function}: {reason}")]
    Library {
        /// Its function.
        function: &'static str,
        /// Its words.
        reason: &'static str,
    },
}

/// How to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusSettings {
    /// Bits per second, 6,000 to 510,000.
    pub bitrate_bps: i32,
    /// Effort, 0 to 10.
    pub complexity: i32,
    /// Whether packets carry a coarse copy of the frame before them.
    pub fec: bool,
    /// Share of packets expected to be lost, in percent, 0 to 100.
    pub expected_loss_percent: i32,
    /// Whether silence is not sent (discontinuous transmission).
    pub dtx: bool,
}

impl Default for OpusSettings {
    fn default() -> Self {
        Self {
            bitrate_bps: BITRATE_BPS,
            complexity: COMPLEXITY,
            fec: true,
            expected_loss_percent: EXPECTED_LOSS_PERCENT,
            dtx: false,
        }
    }
}

/// Encodes one call's agent audio.
#[derive(Debug)]
pub struct OpusEncoder {
    inner: lib::Encoder,
    frame_samples: usize,
}

impl OpusEncoder {
    /// An encoder of 20 ms mono frames at `rate_hz` with [`OpusSettings::default`].
    ///
    /// # Errors
    /// [`CodecError::UnsupportedRate`] where Opus has no such rate.
    pub fn new(rate_hz: u32) -> Result<Self, CodecError> {
        Self::with_settings(rate_hz, OpusSettings::default())
    }

    /// An encoder of 20 ms mono frames at `rate_hz`.
    ///
    /// # Errors
    /// [`CodecError::UnsupportedRate`] where Opus has no such rate, [`CodecError::Library`] where
    /// a setting is out of range.
    pub fn with_settings(rate_hz: u32, settings: OpusSettings) -> Result<Self, CodecError> {
        if ![8_000, 12_000, 16_000, 24_000, 48_000].contains(&rate_hz) {
            return Err(CodecError::UnsupportedRate { rate_hz });
        }
        let mut inner = lib::Encoder::new(rate_hz, lib::Channels::Mono, lib::Application::Voip)
            .map_err(library)?;
        inner
            .set_bitrate(lib::Bitrate::Bits(settings.bitrate_bps))
            .map_err(library)?;
        inner.set_complexity(settings.complexity).map_err(library)?;
        inner.set_signal(lib::Signal::Voice).map_err(library)?;
        inner.set_inband_fec(settings.fec).map_err(library)?;
        inner
            .set_packet_loss_perc(settings.expected_loss_percent)
            .map_err(library)?;
        inner.set_dtx(settings.dtx).map_err(library)?;
        Ok(Self {
            inner,
            frame_samples: (rate_hz / 1_000 * FRAME_MS) as usize,
        })
    }

    /// Samples of one 20 ms frame at this encoder's rate.
    pub fn frame_samples(&self) -> usize {
        self.frame_samples
    }

    /// Tells the encoder what share of packets the receiver reports lost, in percent.
    ///
    /// # Errors
    /// [`CodecError::Library`] above 100.
    pub fn expect_loss(&mut self, percent: u8) -> Result<(), CodecError> {
        self.inner
            .set_packet_loss_perc(i32::from(percent))
            .map_err(library)
    }

    /// Encodes 20 ms into `out` (at least [`PACKET_BYTES_MAX`] long to hold any packet) and
    /// returns the packet's length in bytes.
    ///
    /// # Errors
    /// [`CodecError::FrameLength`] for another frame length, [`CodecError::OutputTooSmall`].
    pub fn encode(&mut self, frame_20ms: &[i16], out: &mut [u8]) -> Result<usize, CodecError> {
        if frame_20ms.len() != self.frame_samples {
            return Err(CodecError::FrameLength {
                got: frame_20ms.len(),
                expected: self.frame_samples,
            });
        }
        if out.len() < 2 {
            return Err(CodecError::OutputTooSmall { len: out.len() });
        }
        let out_len = out.len();
        self.inner.encode(frame_20ms, out).map_err(|error| {
            if error.code() == lib::ErrorCode::BufferTooSmall {
                CodecError::OutputTooSmall { len: out_len }
            } else {
                library(error)
            }
        })
    }
}

/// Decodes one call's caller audio to mono, whatever the packets' channels and bandwidth.
#[derive(Debug)]
pub struct OpusDecoder {
    inner: lib::Decoder,
    rate_hz: u32,
}

impl OpusDecoder {
    /// A mono decoder at `rate_hz`; [`CALLER_RATE_HZ`] for callers.
    ///
    /// # Errors
    /// [`CodecError::UnsupportedRate`] where Opus has no such rate.
    pub fn new(rate_hz: u32) -> Result<Self, CodecError> {
        if ![8_000, 12_000, 16_000, 24_000, 48_000].contains(&rate_hz) {
            return Err(CodecError::UnsupportedRate { rate_hz });
        }
        let inner = lib::Decoder::new(rate_hz, lib::Channels::Mono).map_err(library)?;
        Ok(Self { inner, rate_hz })
    }

    /// Decodes `packet` into `out` and returns the number of samples.
    /// [`PACKET_SAMPLES_MAX`] hold any packet at [`CALLER_RATE_HZ`].
    ///
    /// # Errors
    /// [`CodecError::EmptyPacket`], [`CodecError::BadPacket`], [`CodecError::OutputTooSmall`]. The
    /// decoder stays usable.
    pub fn decode(&mut self, packet: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        let samples = packet_samples(packet, self.rate_hz)?;
        if samples > out.len() {
            return Err(CodecError::OutputTooSmall { len: out.len() });
        }
        self.inner
            .decode(packet, out, false)
            .map_err(|error| bad_packet(error, packet))
    }

    /// Fills `out` with the audio just before `next_packet` from the copy in it; conceals where it
    /// has none ([`has_fec`]). The length of `out` is what was lost, a multiple of 2.5 ms. Decode
    /// `next_packet` itself afterwards.
    ///
    /// # Errors
    /// As for [`OpusDecoder::decode`]; [`CodecError::Library`] for an `out` of odd length.
    pub fn decode_fec(&mut self, next_packet: &[u8], out: &mut [i16]) -> Result<usize, CodecError> {
        packet_samples(next_packet, self.rate_hz)?;
        self.inner
            .decode(next_packet, out, true)
            .map_err(|error| bad_packet(error, next_packet))
    }

    /// Fills `out` with a likely continuation of what was decoded last. Its length is a multiple
    /// of 2.5 ms, at most 120 ms.
    ///
    /// # Errors
    /// [`CodecError::Library`] for an `out` of odd length.
    pub fn conceal(&mut self, out: &mut [i16]) -> Result<usize, CodecError> {
        self.inner.decode(&[], out, false).map_err(library)
    }

    /// Forgets the stream so far, for a new sender.
    ///
    /// # Errors
    /// [`CodecError::Library`], which does not happen on a valid decoder.
    pub fn reset(&mut self) -> Result<(), CodecError> {
        self.inner.reset_state().map_err(library)
    }
}

/// Duration of `packet` in RTP ticks (48 kHz), 120 to 5,760.
///
/// # Errors
/// [`CodecError::EmptyPacket`] or [`CodecError::BadPacket`] where its framing is not valid.
pub fn packet_ticks(packet: &[u8]) -> Result<u32, CodecError> {
    packet_samples(packet, RTP_RATE_HZ).map(|samples| samples as u32)
}

/// True where `packet` carries a copy of the frame before it (LBRR; RFC 6716, 4.2.4).
pub fn has_fec(packet: &[u8]) -> bool {
    let Ok(parsed) = (!packet.is_empty())
        .then(|| lib::packet::parse(packet))
        .transpose()
    else {
        return false;
    };
    let Some(first) = parsed
        .as_ref()
        .and_then(|p| p.frames.first())
        .and_then(|f| f.first())
    else {
        return false;
    };
    let config = packet[0] >> 3;
    if config >= 16 {
        return false; // CELT only
    }
    // SILK codes 20 ms (or one of 10 ms) a flag; 40 and 60 ms frames have two and three.
    let flags = if config < 12 {
        u8::max(config & 3, 1)
    } else {
        1
    };
    let mid = (first >> (7 - flags)) & 1;
    let stereo = packet[0] & 4 != 0;
    mid == 1 || (stereo && (first >> (6 - 2 * flags)) & 1 == 1)
}

fn packet_samples(packet: &[u8], rate_hz: u32) -> Result<usize, CodecError> {
    if packet.is_empty() {
        return Err(CodecError::EmptyPacket);
    }
    let bad = |_| CodecError::BadPacket {
        bytes: packet.len(),
    };
    // The sample count alone does not check that the frames' lengths add up.
    lib::packet::parse(packet).map_err(bad)?;
    lib::packet::get_nb_samples(packet, rate_hz).map_err(bad)
}

fn bad_packet(error: lib::Error, packet: &[u8]) -> CodecError {
    if error.code() == lib::ErrorCode::InvalidPacket {
        CodecError::BadPacket {
            bytes: packet.len(),
        }
    } else {
        library(error)
    }
}

fn library(error: lib::Error) -> CodecError {
    CodecError::Library {
        function: error.function(),
        reason: error.description(),
    }
}
