//! Speech as a caller's browser sends it: Opus packets of 20 ms, and where the speech ends.

use std::time::Duration;

use antiphon_audio::opus::{CodecError, OpusDecoder, OpusEncoder, PACKET_BYTES_MAX};
use antiphon_audio::vad::{VadEdge, VoiceActivity};
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ};
use antiphon_proto::SegmentId;
use antiphon_providers::speak::{Speak, SpeakEventKind, SpeakRequest};
use tokio::sync::mpsc;

/// Samples louder than this are speech: -36 dBFS, above the noise of a recording and below any
/// voiced sound.
const SPEECH_PEAK: u16 = 520;
/// Silence encoded behind the speech, so that the codec and the detector come to rest: more than
/// the detector's longest wait.
const TAIL_FRAMES: usize = 40;
/// Different positions of the detector's 16 ms blocks relative to 20 ms frames.
const VAD_PHASES: usize = 4;

/// A question, ready to be sent.
#[derive(Clone, Debug)]
pub struct Clip {
    /// Opus packets of 20 ms.
    pub packets: Vec<Vec<u8>>,
    /// End of the last sample above -36 dBFS, from the clip's start.
    pub speech_end: Duration,
    /// Where the engine's voice activity detector, run on the clip as decoded, dates the end of
    /// speech: the mean over the positions that its blocks can have; none where it hears nothing.
    pub vad_end: Option<Duration>,
    /// How often that detector hears speech end: once, unless there is a pause within.
    pub stretches: usize,
}

impl Clip {
    /// Encodes 16 kHz mono speech.
    ///
    /// # Errors
    /// [`CodecError`] where Opus refuses.
    pub fn new(pcm: &[i16]) -> Result<Self, CodecError> {
        let end = pcm
            .iter()
            .rposition(|sample| sample.unsigned_abs() > SPEECH_PEAK)
            .map_or(0, |at| at + 1);
        let mut padded = pcm[..end].to_vec();
        let frames = end.div_ceil(CALLER_FRAME_SAMPLES) + TAIL_FRAMES;
        padded.resize(frames * CALLER_FRAME_SAMPLES, 0);
        let packets = encode(&padded)?;
        let (vad_end, stretches) = vad_end(&packets)?;
        Ok(Self {
            packets,
            speech_end: samples_long(end),
            vad_end,
            stretches,
        })
    }
}

/// A packet of silence as it comes after some silence.
///
/// # Errors
/// [`CodecError`] where Opus refuses.
pub fn silence_packet() -> Result<Vec<u8>, CodecError> {
    let mut packets = encode(&[0; 50 * CALLER_FRAME_SAMPLES])?;
    Ok(packets.pop().unwrap_or_default())
}

/// Speaks `text` with a voice of `speak`; 16 kHz mono.
///
/// # Errors
/// A sentence where the voice fails.
pub async fn spoken(speak: &dyn Speak, voice: &str, text: &str) -> Result<Vec<i16>, String> {
    let (sender, mut events) = mpsc::channel(8);
    let request = SpeakRequest {
        segment: SegmentId(1),
        text: text.to_owned(),
        voice: voice.to_owned(),
        pace: 1.0,
        pronounce: Default::default(),
    };
    let _task = speak.start(request, sender);
    let mut pcm = Vec::new();
    while let Some(event) = events.recv().await {
        match event.kind {
            SpeakEventKind::Audio { pcm: more } => pcm.extend(more),
            SpeakEventKind::Marks { .. } => {}
            SpeakEventKind::Done => return Ok(pcm),
            SpeakEventKind::Failed { fault } => return Err(fault.reason),
        }
    }
    Err("the voice ended without a word".to_owned())
}

fn encode(pcm: &[i16]) -> Result<Vec<Vec<u8>>, CodecError> {
    let mut encoder = OpusEncoder::new(CALLER_RATE_HZ)?;
    let mut buffer = [0; PACKET_BYTES_MAX];
    pcm.chunks_exact(CALLER_FRAME_SAMPLES)
        .map(|frame| {
            let length = encoder.encode(frame, &mut buffer)?;
            Ok(buffer[..length].to_vec())
        })
        .collect()
}

/// Mean end of the last stretch of speech, and how many there are.
fn vad_end(packets: &[Vec<u8>]) -> Result<(Option<Duration>, usize), CodecError> {
    let mut total = Duration::ZERO;
    let mut stretches = 0;
    for phase in 0..VAD_PHASES {
        let mut vad = VoiceActivity::default();
        let mut decoder = OpusDecoder::new(CALLER_RATE_HZ)?;
        let mut frame = [0; CALLER_FRAME_SAMPLES];
        for _ in 0..phase {
            vad.push(&frame);
        }
        let mut end = None;
        stretches = 0;
        for (packet, number) in packets.iter().zip(1..) {
            decoder.decode(packet, &mut frame)?;
            if let Some(VadEdge::Stopped { end_samples_ago }) = vad.push(&frame) {
                stretches += 1;
                end = (number * CALLER_FRAME_SAMPLES).checked_sub(end_samples_ago);
            }
        }
        let Some(end) = end else {
            return Ok((None, 0));
        };
        total += samples_long(end);
    }
    Ok((Some(total / VAD_PHASES as u32), stretches))
}

fn samples_long(samples: usize) -> Duration {
    Duration::from_micros(samples as u64 * 1_000_000 / u64::from(CALLER_RATE_HZ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_end_of_speech_is_the_last_loud_sample() {
        let mut pcm = vec![0; 16_000];
        pcm[7_999] = 3_000;
        pcm[9_000] = 100;
        let clip = Clip::new(&pcm).unwrap();
        assert_eq!(clip.speech_end, Duration::from_millis(500));
        assert_eq!(clip.packets.len(), 25 + TAIL_FRAMES);
        assert_eq!(clip.vad_end, None, "one click is no speech");
    }
}
