//! What a caller says: recordings, encoded once before the call, and typed words.

use std::path::Path;

use antiphon_audio::file::read_audio_file;
use antiphon_audio::level::dbfs;
use antiphon_audio::opus::{OpusEncoder, PACKET_BYTES_MAX};
use antiphon_audio::resample::resample_all;
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ, FRAME_MS};
use bytes::Bytes;

use super::error::CallError;

/// Level above which a frame counts as sound: 20 dB over the noise of a quiet recording, 20 dB
/// below quiet speech.
pub(crate) const LOUD_DBFS: f32 = -50.0;

/// A frame of a recording belongs to its speech if it is at most so far below its loudest, in dB:
/// what is after it is the room.
const SPEECH_RANGE_DB: f32 = 40.0;

/// Frames of silence that lead the encoder into and out of a recording.
const MARGIN_FRAMES: usize = 10;

/// One thing to say.
#[derive(Debug)]
pub(crate) enum Item {
    /// A recording.
    Clip(Clip),
    /// Typed words.
    Text(String),
}

/// A recording ready to send.
#[derive(Debug)]
pub(crate) struct Clip {
    /// One packet of 20 ms each.
    pub(crate) packets: Vec<Bytes>,
    /// Where its speech ends, in milliseconds from its first packet.
    pub(crate) speech_end_ms: u64,
}

impl Item {
    /// Reads, resamples and encodes a file.
    pub(crate) fn from_file(path: &Path) -> Result<Self, CallError> {
        let bytes = std::fs::read(path).map_err(|source| CallError::Input {
            path: path.to_owned(),
            source,
        })?;
        let clip = read_audio_file(&bytes).map_err(|source| CallError::Audio {
            path: path.to_owned(),
            source,
        })?;
        let pcm = resample_all(&clip.pcm, clip.rate_hz, CALLER_RATE_HZ)?;
        let silent = CallError::SilentAudio {
            path: path.to_owned(),
            threshold_dbfs: LOUD_DBFS,
        };
        let speech_end_ms = speech_end_ms(&pcm).ok_or(silent)?;
        Ok(Self::Clip(Clip {
            packets: encode(&pcm)?,
            speech_end_ms,
        }))
    }
}

impl Clip {
    /// Length, in milliseconds.
    pub(crate) fn duration_ms(&self) -> u64 {
        self.packets.len() as u64 * u64::from(FRAME_MS)
    }
}

/// A packet of silence as the encoder makes it once nothing has been said for a while.
pub(crate) fn silence_packet() -> Result<Bytes, CallError> {
    let packets = encode(&[0; CALLER_FRAME_SAMPLES])?;
    // `encode` adds its margins: the last is silence upon silence.
    Ok(packets.last().cloned().unwrap_or_default())
}

/// The end of the last frame that is speech.
fn speech_end_ms(pcm: &[i16]) -> Option<u64> {
    let levels: Vec<f32> = pcm.chunks(CALLER_FRAME_SAMPLES).map(dbfs).collect();
    let loudest = levels.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let threshold = LOUD_DBFS.max(loudest - SPEECH_RANGE_DB);
    let last = levels.iter().rposition(|level| *level > threshold)?;
    Some((last as u64 + 1) * u64::from(FRAME_MS))
}

fn encode(pcm: &[i16]) -> Result<Vec<Bytes>, CallError> {
    let mut encoder = OpusEncoder::new(CALLER_RATE_HZ)?;
    let mut out = [0; PACKET_BYTES_MAX];
    let mut packet = |frame: &[i16]| -> Result<Bytes, CallError> {
        let length = encoder.encode(frame, &mut out)?;
        Ok(Bytes::copy_from_slice(&out[..length]))
    };
    let silence = [0; CALLER_FRAME_SAMPLES];
    // Before a recording the caller has sent silence: the encoder must have, too.
    for _ in 0..MARGIN_FRAMES {
        packet(&silence)?;
    }
    let mut packets = Vec::new();
    for chunk in pcm.chunks(CALLER_FRAME_SAMPLES) {
        let mut frame = silence;
        frame[..chunk.len()].copy_from_slice(chunk);
        packets.push(packet(&frame)?);
    }
    for _ in 0..MARGIN_FRAMES {
        packets.push(packet(&silence)?);
    }
    Ok(packets)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tone(ms: usize, amplitude: f32) -> Vec<i16> {
        (0..ms * 16)
            .map(|n| ((n as f32 * 0.2).sin() * amplitude) as i16)
            .collect()
    }

    #[test]
    fn speech_ends_with_its_last_loud_frame() {
        let mut pcm = tone(500, 10_000.0);
        pcm.extend(tone(300, 5.0));
        assert_eq!(speech_end_ms(&pcm), Some(500));
        pcm.extend(tone(100, 2_000.0));
        pcm.extend([0; 8_000]);
        assert_eq!(speech_end_ms(&pcm), Some(900));
    }

    #[test]
    fn silence_has_no_speech() {
        assert_eq!(speech_end_ms(&[0; 16_000]), None);
        assert_eq!(speech_end_ms(&tone(500, 20.0)), None);
        assert_eq!(speech_end_ms(&[]), None);
    }

    #[test]
    fn files_that_are_no_speech_are_named() {
        let dir = std::env::temp_dir().join(format!("antiphon-clip-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let check = |name: &str, content: &[u8], says: &str| {
            let path = dir.join(name);
            std::fs::write(&path, content).unwrap();
            let error = Item::from_file(&path).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(says), "{error}");
        };
        check("words.wav", b"these are words", "not audio");
        check("empty.wav", b"", "empty");
        let silent = antiphon_audio::file::write_wav(16_000, &[0; 16_000]);
        check("silent.wav", &silent, "no sound");
        let missing = Item::from_file(&dir.join("missing.wav"))
            .unwrap_err()
            .to_string();
        assert!(missing.contains("cannot read"), "{missing}");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn any_rate_becomes_packets_of_twenty_ms() {
        let dir = std::env::temp_dir().join(format!("antiphon-rate-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("tone.wav");
        let pcm: Vec<i16> = (0..44_100)
            .map(|n| ((n as f32 * 0.1).sin() * 9_000.0) as i16)
            .collect();
        std::fs::write(&path, antiphon_audio::file::write_wav(44_100, &pcm)).unwrap();
        let Item::Clip(clip) = Item::from_file(&path).unwrap() else {
            panic!("a clip")
        };
        assert!(
            (1_180..=1_260).contains(&clip.duration_ms()),
            "{}",
            clip.duration_ms()
        );
        assert!(
            (980..=1_020).contains(&clip.speech_end_ms),
            "{}",
            clip.speech_end_ms
        );
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
