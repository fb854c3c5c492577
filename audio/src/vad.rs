//! Voice activity: when a person starts and stops speaking.

#[cfg(test)]
mod tests;

use std::fmt;

use earshot::Detector;

use crate::CALLER_RATE_HZ;
use crate::level::dbfs;

/// Samples that the model takes at a time: 16 ms at 16 kHz (fixed by `earshot`).
pub const VAD_FRAME_SAMPLES: usize = 256;

/// How much earlier than the first frame that counts as speech the speech really begins: soft
/// consonants score low. Measured against word alignments (`vad_quality`): the median is 112 ms.
const ONSET_LEAD_SAMPLES: u64 = 6 * VAD_FRAME_SAMPLES as u64;

/// How sensitive the detector is and how long it waits. The defaults were chosen with
/// `cargo run --release -p antiphon-benches --bin vad_quality`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VadSettings {
    /// Probability from which a frame counts as speech while silent.
    pub start_probability: f32,
    /// Probability below which a frame counts as silence while speaking.
    pub stop_probability: f32,
    /// Speech needed before it is reported, in milliseconds: clicks and key strokes are shorter.
    pub speech_ms_min: u32,
    /// Silence needed before the end is reported, in milliseconds.
    pub silence_ms_min: u32,
    /// Frames quieter than this are never speech, in dBFS.
    pub gate_dbfs: f32,
}

impl Default for VadSettings {
    fn default() -> Self {
        Self {
            start_probability: 0.7,
            stop_probability: 0.5,
            speech_ms_min: 96,
            silence_ms_min: 200,
            gate_dbfs: -60.0,
        }
    }
}

/// A change between speech and silence. Both say how long ago it was, counted back from the end of
/// the frame pushed, because a decision takes longer than the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VadEdge {
    /// Speech began.
    Started {
        /// Samples (16 kHz) since the onset.
        onset_samples_ago: usize,
    },
    /// Speech ended.
    Stopped {
        /// Samples (16 kHz) since the last speech.
        end_samples_ago: usize,
    },
}

/// The detector of one stream, 16 kHz mono.
pub struct VoiceActivity {
    model: Box<Detector>,
    settings: VadSettings,
    pending: Vec<i16>,
    probability: f32,
    speaking: bool,
    /// Samples judged so far.
    at: u64,
    /// Where the run of speech began that is not yet long enough.
    onset_at: Option<u64>,
    /// Speech frames and all frames since `onset_at`.
    run: (u32, u32),
    /// End of the last speech frame.
    speech_end_at: u64,
}

impl fmt::Debug for VoiceActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VoiceActivity")
            .field("speaking", &self.speaking)
            .field("probability", &self.probability)
            .finish_non_exhaustive()
    }
}

impl Default for VoiceActivity {
    fn default() -> Self {
        Self::new(VadSettings::default())
    }
}

impl VoiceActivity {
    /// A detector that has heard nothing.
    pub fn new(settings: VadSettings) -> Self {
        Self {
            model: Detector::default_boxed(),
            settings,
            pending: Vec::with_capacity(2 * VAD_FRAME_SAMPLES),
            probability: 0.0,
            speaking: false,
            at: 0,
            onset_at: None,
            run: (0, 0),
            speech_end_at: 0,
        }
    }

    /// Takes more audio, of any length up to a few frames (one edge at most is reported, the last;
    /// 20 ms hold at most two model frames), and says what changed.
    pub fn push(&mut self, frame: &[i16]) -> Option<VadEdge> {
        self.pending.extend_from_slice(frame);
        let mut edge = None;
        let mut used = 0;
        while self.pending.len() - used >= VAD_FRAME_SAMPLES {
            let mut block = [0; VAD_FRAME_SAMPLES];
            block.copy_from_slice(&self.pending[used..used + VAD_FRAME_SAMPLES]);
            used += VAD_FRAME_SAMPLES;
            edge = self.judge(&block).or(edge);
        }
        self.pending.drain(..used);
        let behind = self.pending.len();
        edge.map(|edge| edge.plus(behind))
    }

    /// Probability that the last 16 ms were speech, 0 to 1; 0 below the level gate.
    pub fn probability(&self) -> f32 {
        self.probability
    }

    /// True between [`VadEdge::Started`] and [`VadEdge::Stopped`].
    pub fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// Changes how much silence ends speech, in milliseconds.
    pub fn require_silence_ms(&mut self, silence_ms_min: u32) {
        self.settings.silence_ms_min = silence_ms_min;
    }

    /// Forgets everything heard, for a new stream or after a mute.
    pub fn reset(&mut self) {
        *self = Self::new(self.settings);
    }

    fn judge(&mut self, block: &[i16; VAD_FRAME_SAMPLES]) -> Option<VadEdge> {
        let raw = self.model.predict_i16(block);
        self.probability = if dbfs(block) < self.settings.gate_dbfs {
            0.0
        } else {
            raw
        };
        let began_at = self.at;
        self.at += VAD_FRAME_SAMPLES as u64;
        if self.speaking {
            self.watch_for_end()
        } else {
            self.watch_for_start(began_at)
        }
    }

    fn watch_for_start(&mut self, began_at: u64) -> Option<VadEdge> {
        let is_speech = self.probability >= self.settings.start_probability;
        if is_speech {
            self.onset_at.get_or_insert(began_at);
            self.run.0 += 1;
            self.speech_end_at = self.at;
        }
        let onset_at = self.onset_at?;
        self.run.1 += 1;
        // More silence than speech in the run: it was a click.
        if self.run.0 * 2 < self.run.1 {
            self.onset_at = None;
            self.run = (0, 0);
            return None;
        }
        if self.run.0 * (VAD_FRAME_SAMPLES as u32) < samples(self.settings.speech_ms_min) as u32 {
            return None;
        }
        self.speaking = true;
        self.onset_at = None;
        self.run = (0, 0);
        let onset_at = onset_at.saturating_sub(ONSET_LEAD_SAMPLES);
        Some(VadEdge::Started {
            onset_samples_ago: (self.at - onset_at) as usize,
        })
    }

    fn watch_for_end(&mut self) -> Option<VadEdge> {
        if self.probability >= self.settings.stop_probability {
            self.speech_end_at = self.at;
            return None;
        }
        let quiet = self.at - self.speech_end_at;
        if quiet < samples(self.settings.silence_ms_min) {
            return None;
        }
        self.speaking = false;
        Some(VadEdge::Stopped {
            end_samples_ago: quiet as usize,
        })
    }
}

impl VadEdge {
    fn plus(self, samples: usize) -> Self {
        match self {
            Self::Started { onset_samples_ago } => Self::Started {
                onset_samples_ago: onset_samples_ago + samples,
            },
            Self::Stopped { end_samples_ago } => Self::Stopped {
                end_samples_ago: end_samples_ago + samples,
            },
        }
    }
}

fn samples(ms: u32) -> u64 {
    u64::from(CALLER_RATE_HZ / 1_000) * u64::from(ms)
}
