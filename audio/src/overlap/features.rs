//! What the model is told about each frame of an event.

use super::model::INPUTS;
use super::spectrum::{BANDS, Bands, Frame};

/// Levels further below the loudest band than this are all the same, in dB.
const RANGE_DB: f32 = 35.0;
/// A band this little above the floor holds nothing of the event, in dB.
const EXCESS_DB_MIN: f32 = 3.0;
/// Voicing from which a frame counts as voiced.
pub(super) const VOICED: f32 = 0.6;
/// Frames after which the model no longer counts: 1 s.
const FRAMES_MAX: f32 = 50.0;

/// One frame with the floor that it stood on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) frame: Frame,
    /// Noise or echo, whichever is higher, in dBFS.
    pub(super) floor: Bands,
}

/// What is remembered of an event from frame to frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memory {
    frames: f32,
    voiced: f32,
    loudest: f32,
    groups: [f32; 3],
    pitch: f32,
}

impl Memory {
    /// Inputs of the model for the next frame, each about -2 to 2.
    pub(super) fn inputs(&mut self, heard: &Heard) -> [f32; INPUTS] {
        let [first, second] = &heard.frame.halves;
        let mut level = [0.0; BANDS];
        let mut excess = [0.0; BANDS];
        let mut rise = 0.0;
        for band in 0..BANDS {
            level[band] = (first[band] + second[band]) / 2.0;
            excess[band] = (level[band] - heard.floor[band]).clamp(0.0, 40.0);
            rise += (second[band] - heard.floor[band]).clamp(0.0, 40.0)
                - (first[band] - heard.floor[band]).clamp(0.0, 40.0);
        }
        let top = level.iter().copied().fold(-90.0, f32::max);
        let shape: [f32; BANDS] = std::array::from_fn(|band| {
            if excess[band] < EXCESS_DB_MIN {
                -RANGE_DB
            } else {
                (level[band] - top).max(-RANGE_DB)
            }
        });
        let mean = shape.iter().sum::<f32>() / BANDS as f32;
        let height = excess.iter().sum::<f32>() / BANDS as f32;
        let groups = [0, 6, 12].map(|at| excess[at..at + 6].iter().sum::<f32>() / 6.0);
        let voiced = heard.frame.voicing > VOICED && height > EXCESS_DB_MIN;
        let pitch = (heard.frame.pitch_hz.max(50.0) / 150.0).log2();
        let mut inputs = [0.0; INPUTS];
        for (input, shape) in inputs.iter_mut().zip(shape) {
            *input = (shape - mean) / 10.0;
        }
        let first_frame = self.frames == 0.0;
        self.loudest = self.loudest.max(height);
        inputs[BANDS] = height / 20.0;
        inputs[BANDS + 1] = rise / (10.0 * BANDS as f32);
        for (at, now) in groups.into_iter().enumerate() {
            let change = if first_frame {
                0.0
            } else {
                now - self.groups[at]
            };
            inputs[BANDS + 2 + at] = change / 10.0;
        }
        inputs[BANDS + 5] = (height - self.loudest) / 10.0;
        inputs[BANDS + 6] = 2.0 * heard.frame.voicing - 1.0;
        if voiced {
            inputs[BANDS + 7] = pitch;
            if self.pitch != 0.0 {
                inputs[BANDS + 8] = (4.0 * (pitch - self.pitch)).clamp(-2.0, 2.0);
            }
            self.voiced += 1.0;
        }
        self.pitch = if voiced { pitch } else { 0.0 };
        self.groups = groups;
        self.frames = (self.frames + 1.0).min(FRAMES_MAX);
        inputs[BANDS + 9] = 4.0 * heard.frame.crossings;
        inputs[BANDS + 10] = self.frames / FRAMES_MAX;
        inputs[BANDS + 11] = self.voiced / self.frames;
        inputs
    }
}
