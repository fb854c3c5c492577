//! How speech sounds at its end: pitch, level, lengthening. Evidence for the end of a turn.
//!
//! [`ProsodyTracker`] takes every 20 ms frame of the caller and keeps the last seconds of pitch and
//! level; where the detector says that speech ended, [`ProsodyTracker::end_of_speech`] makes the
//! few integers of a [`Prosody`] of it.

mod pitch;
mod summary;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ};
use pitch::PitchDetector;

/// Frames looked back on at the end of speech: 4 s, longer than any stretch that says something
/// about its own end.
const FRAMES_KEPT: usize = 200;
/// Pitches of the speaker counted before the reference is trusted fully: 2 s of voice.
const SPEAKER_FRAMES_TRUSTED: u32 = 100;
/// When a speaker's histogram is this full it is halved: the reference follows the last minute.
const SPEAKER_FRAMES_MAX: u32 = 2_000;
/// Lowest pitch of the histogram, in tenths of semitones above 55 Hz, and its steps.
const HISTOGRAM_STEP_ST10: i16 = 5;
const HISTOGRAM_BINS: usize = 84;

/// How an utterance ended. Integers, so that it can stand in a log and replay exactly.
///
/// Pitch is in tenths of a semitone, levels in tenths of a dB. Where nothing voiced was found
/// ([`Prosody::is_voiced`] is false) all are 0. Against the speaker means against what was heard of
/// them so far; those fields grow from 0 to their full size over the first 2 s of voice.
/// Which fields there are was chosen by measurement (`docs/endpointing.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prosody {
    /// Change of pitch over the last voiced 300 ms (straight line fitted), in tenths of a semitone;
    /// negative where it falls.
    pub pitch_slope_st10: i16,
    /// Pitch of the last voiced 100 ms less the speaker's low (tenth percentile), in tenths of a
    /// semitone: near 0 at the floor of the voice.
    pub pitch_floor_st10: i16,
    /// Level of the last voiced 200 ms less the usual level of the speaker's voice, in tenths of a
    /// dB.
    pub level_db10: i16,
    /// Periodicity of the last voiced 200 ms less the speaker's usual one, in thousandths: low in
    /// creaky or breathy voice, as at the ends of sentences.
    pub periodicity_permille: i16,
    /// Length of the last voiced stretch, in milliseconds: a drawn-out syllable holds the turn.
    pub last_voiced_ms: u16,
    /// From the last voiced frame to the end of speech, in milliseconds.
    pub unvoiced_tail_ms: u16,
}

impl Prosody {
    /// False where no pitch was found in the last 4 s of the utterance.
    pub fn is_voiced(&self) -> bool {
        self.last_voiced_ms > 0
    }
}

/// One frame as it is remembered.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// Tenths of a semitone above 55 Hz; none where unvoiced.
    pitch_st10: Option<i16>,
    periodicity: f32,
    level_db: f32,
}

/// Follows one caller. Push every frame, also those of silence: levels are judged against them.
pub struct ProsodyTracker {
    detector: PitchDetector,
    kept: Box<[Heard; FRAMES_KEPT]>,
    /// Frames pushed since the start.
    frames: u64,
    /// Frame at which the current utterance began.
    onset: u64,
    /// Pitches of this speaker, for the median and the floor.
    histogram: [u16; HISTOGRAM_BINS],
    counted: u32,
    /// Running means over this speaker's voiced frames.
    usual_periodicity: f32,
    usual_level_db: f32,
}

impl fmt::Debug for ProsodyTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProsodyTracker")
            .field("frames", &self.frames)
            .field("onset", &self.onset)
            .finish_non_exhaustive()
    }
}

impl Default for ProsodyTracker {
    fn default() -> Self {
        Self::new()
    }
}

impl ProsodyTracker {
    /// A tracker that has heard nothing.
    pub fn new() -> Self {
        Self {
            detector: PitchDetector::new(),
            kept: Box::new([Heard::default(); FRAMES_KEPT]),
            frames: 0,
            onset: 0,
            histogram: [0; HISTOGRAM_BINS],
            counted: 0,
            usual_periodicity: 0.0,
            usual_level_db: 0.0,
        }
    }

    /// Takes the next 20 ms. Costs a few microseconds (`endpointing --cost` measures it).
    pub fn push(&mut self, frame: &[i16; CALLER_FRAME_SAMPLES]) {
        let level_db = level_db(frame);
        let pitch = self.detector.push(frame, level_db);
        let heard = Heard {
            pitch_st10: pitch.map(|pitch| pitch.st10),
            periodicity: pitch.map_or(0.0, |pitch| pitch.periodicity),
            level_db,
        };
        self.kept[(self.frames % FRAMES_KEPT as u64) as usize] = heard;
        self.frames += 1;
    }

    /// An utterance began `samples_ago` (16 kHz) before the end of the last frame.
    pub fn begin_speech(&mut self, samples_ago: usize) {
        self.onset = self.frames_before(samples_ago);
    }

    /// Speech ended `samples_ago` before the end of the last frame: how it sounded. Call it once
    /// for each end, because it also learns the speaker's range.
    pub fn end_of_speech(&mut self, samples_ago: usize) -> Prosody {
        let end = self.frames_before(samples_ago).max(self.onset);
        let from = self
            .onset
            .max((self.frames + 1).saturating_sub(FRAMES_KEPT as u64))
            .min(end);
        for at in from..end {
            let heard = *self.at(at);
            if let Some(st10) = heard.pitch_st10 {
                self.count(st10, &heard);
            }
        }
        summary::summarize(self, from, end)
    }

    fn at(&self, frame: u64) -> &Heard {
        &self.kept[(frame % FRAMES_KEPT as u64) as usize]
    }

    fn frames_before(&self, samples_ago: usize) -> u64 {
        // Rounded: an end within a frame belongs to the nearer border.
        let ago = (samples_ago + CALLER_FRAME_SAMPLES / 2) / CALLER_FRAME_SAMPLES;
        self.frames.saturating_sub(ago as u64)
    }

    fn count(&mut self, st10: i16, heard: &Heard) {
        let share = 1.0 / (self.counted + 1) as f32;
        self.usual_periodicity += (heard.periodicity - self.usual_periodicity) * share;
        self.usual_level_db += (heard.level_db - self.usual_level_db) * share;
        let bin = usize::try_from(st10 / HISTOGRAM_STEP_ST10).unwrap_or(0);
        self.histogram[bin.min(HISTOGRAM_BINS - 1)] += 1;
        self.counted += 1;
        if self.counted >= SPEAKER_FRAMES_MAX {
            self.counted = 0;
            for bin in &mut self.histogram {
                *bin /= 2;
                self.counted += u32::from(*bin);
            }
        }
    }

    /// The pitch below which `share` of the speaker's voice lies, in tenths of a semitone.
    fn speaker_quantile(&self, share: f32) -> Option<i16> {
        let wanted = (self.counted as f32 * share) as u32;
        let mut below = 0;
        for (bin, &count) in self.histogram.iter().enumerate() {
            below += u32::from(count);
            if below > wanted {
                return Some(bin as i16 * HISTOGRAM_STEP_ST10 + HISTOGRAM_STEP_ST10 / 2);
            }
        }
        None
    }

    /// 0 to 1: how far the speaker's range is known.
    fn speaker_trust(&self) -> f32 {
        (self.counted.min(SPEAKER_FRAMES_TRUSTED) as f32) / SPEAKER_FRAMES_TRUSTED as f32
    }
}

/// Mean power in dB, where one sample step is 0 dB (full scale is 90 dB).
fn level_db(frame: &[i16; CALLER_FRAME_SAMPLES]) -> f32 {
    let energy: f32 = frame.iter().map(|&s| f32::from(s) * f32::from(s)).sum();
    10.0 * (energy / CALLER_FRAME_SAMPLES as f32 + 1.0).log10()
}

const _: () = assert!(
    CALLER_RATE_HZ == 16_000,
    "the pitch detector decimates 16 kHz"
);
