//! One clip through the detector and the prosody tracker, 20 ms at a time as in a call.

use std::path::Path;

use antiphon_audio::file::read_audio_file;
use antiphon_audio::level::rms;
use antiphon_audio::prosody::{Prosody, ProsodyTracker};
use antiphon_audio::resample::resample_all;
use antiphon_audio::vad::{VadEdge, VoiceActivity};
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ, FRAME_MS};

/// Silence put behind every clip, so that its end is found, in milliseconds.
const PADDING_MS: usize = 1_000;
const SAMPLES_PER_MS: usize = CALLER_RATE_HZ as usize / 1_000;

/// A stretch of speech as the engine is told of it. Times in milliseconds from the clip's start.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// When it began.
    pub(crate) onset_ms: i64,
    /// When the detector was sure that it had.
    pub(crate) reported_ms: i64,
    /// When it ended.
    pub(crate) end_ms: i64,
    /// How it sounded at its end.
    pub(crate) prosody: Prosody,
}

/// The samples of a WAV or FLAC file at 16 kHz.
pub(crate) fn load(path: &Path) -> Result<Vec<i16>, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = std::fs::read(path).map_err(|error| named(&error))?;
    let clip = read_audio_file(&bytes).map_err(|error| named(&error))?;
    resample_all(&clip.pcm, clip.rate_hz, CALLER_RATE_HZ).map_err(|error| named(&error))
}

/// The stretches of speech in `pcm`. The tracker is that of the call: it knows the speaker from
/// earlier clips.
pub(crate) fn stretches(tracker: &mut ProsodyTracker, pcm: &[i16]) -> Vec<Stretch> {
    let mut vad = VoiceActivity::default();
    let mut found: Vec<Stretch> = Vec::new();
    let mut begun = None;
    let padded: Vec<i16> = pcm.iter().copied().chain(room_tone(pcm)).collect();
    for (i, frame) in padded
        .as_chunks::<CALLER_FRAME_SAMPLES>()
        .0
        .iter()
        .enumerate()
    {
        tracker.push(frame);
        let now_ms = (i as i64 + 1) * i64::from(FRAME_MS);
        let before = |samples: usize| now_ms - (samples / SAMPLES_PER_MS) as i64;
        match vad.push(frame) {
            Some(VadEdge::Started { onset_samples_ago }) => {
                tracker.begin_speech(onset_samples_ago);
                begun = Some((before(onset_samples_ago).max(0), now_ms));
            }
            Some(VadEdge::Stopped { end_samples_ago }) => {
                let prosody = tracker.end_of_speech(end_samples_ago);
                if let Some((onset_ms, reported_ms)) = begun.take() {
                    found.push(Stretch {
                        onset_ms,
                        reported_ms,
                        end_ms: before(end_samples_ago),
                        prosody,
                    });
                }
            }
            None => {}
        }
    }
    found
}

/// A second of what the clip sounds like where nobody speaks: digital silence behind its end
/// would tell the end of a file from a pause.
fn room_tone(pcm: &[i16]) -> Vec<i16> {
    let block = 50 * SAMPLES_PER_MS;
    let quietest = pcm
        .chunks_exact(block)
        .min_by(|a, b| rms(a).total_cmp(&rms(b)))
        .unwrap_or(&[0; CALLER_FRAME_SAMPLES]);
    let there_and_back: Vec<i16> = quietest
        .iter()
        .chain(quietest.iter().rev())
        .copied()
        .collect();
    there_and_back
        .into_iter()
        .cycle()
        .take(PADDING_MS * SAMPLES_PER_MS)
        .collect()
}
