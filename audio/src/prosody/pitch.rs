//! Pitch of one frame: normalized cross-correlation at 4 kHz, 60 to 400 Hz.

use crate::CALLER_FRAME_SAMPLES;

/// 4 kHz holds the harmonics that matter, telephone speech without its fundamental included.
const DECIMATION: usize = 4;
const RATE_HZ: f32 = 4_000.0;
const FRAME: usize = CALLER_FRAME_SAMPLES / DECIMATION;
/// 400 Hz and 60 Hz: from children's voices down to creak.
const LAG_MIN: usize = 10;
const LAG_MAX: usize = 66;
/// Samples correlated: 25 ms.
const WINDOW: usize = 100;
const HISTORY: usize = WINDOW + LAG_MAX + 1;
/// Correlation from which a frame is voiced. Below, white noise reaches it in 1 frame of 50.
const VOICED_MIN: f32 = 0.6;
/// A peak at a shorter lag this close to the highest is taken for it: a period and not two.
const SHORTER_SHARE: f32 = 0.88;
/// Frames below this level are not searched: -66 dBFS.
const LEVEL_DB_MIN: f32 = 24.0;
/// Pitch is counted from here, in Hz (A1).
const REFERENCE_HZ: f32 = 55.0;
/// Low-pass before decimation: two running means of four.
const TAPS: [f32; 7] = [0.0625, 0.125, 0.1875, 0.25, 0.1875, 0.125, 0.0625];

/// Pitch of a voiced frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pitch {
    /// Tenths of a semitone above 55 Hz.
    pub(super) st10: i16,
    /// Height of the correlation peak, 0 to 1.
    pub(super) periodicity: f32,
}

pub(super) struct PitchDetector {
    /// The last 16 kHz samples of the frame before, for the filter.
    tail: [f32; TAPS.len() - 1],
    history: [f32; HISTORY],
}

impl PitchDetector {
    pub(super) fn new() -> Self {
        Self {
            tail: [0.0; TAPS.len() - 1],
            history: [0.0; HISTORY],
        }
    }

    pub(super) fn push(
        &mut self,
        frame: &[i16; CALLER_FRAME_SAMPLES],
        level_db: f32,
    ) -> Option<Pitch> {
        self.decimate(frame);
        if level_db < LEVEL_DB_MIN {
            return None;
        }
        let mut correlation = [0.0_f32; LAG_MAX + 2];
        self.correlate(&mut correlation);
        let (lag, periodicity) = best_lag(&correlation)?;
        let hz = RATE_HZ / lag;
        let st10 = 120.0 * (hz / REFERENCE_HZ).log2();
        Some(Pitch {
            st10: st10.round() as i16,
            periodicity,
        })
    }

    fn decimate(&mut self, frame: &[i16; CALLER_FRAME_SAMPLES]) {
        self.history.copy_within(FRAME.., 0);
        let mut input = [0.0_f32; CALLER_FRAME_SAMPLES + TAPS.len() - 1];
        input[..self.tail.len()].copy_from_slice(&self.tail);
        for (to, &from) in input[self.tail.len()..].iter_mut().zip(frame) {
            *to = f32::from(from);
        }
        let kept = self.tail.len();
        self.tail.copy_from_slice(&input[input.len() - kept..]);
        for (i, out) in self.history[HISTORY - FRAME..].iter_mut().enumerate() {
            let window = &input[i * DECIMATION..i * DECIMATION + TAPS.len()];
            *out = window.iter().zip(TAPS).map(|(x, tap)| x * tap).sum();
        }
    }

    /// Fills `correlation[LAG_MIN - 1..=LAG_MAX]`.
    fn correlate(&self, correlation: &mut [f32; LAG_MAX + 2]) {
        let now = &self.history[HISTORY - WINDOW..];
        let mean = self.history.iter().sum::<f32>() / HISTORY as f32;
        let energy: f32 = now.iter().map(|x| (x - mean) * (x - mean)).sum();
        for (lag, out) in correlation
            .iter_mut()
            .enumerate()
            .take(LAG_MAX + 1)
            .skip(LAG_MIN - 1)
        {
            let then = &self.history[HISTORY - WINDOW - lag..HISTORY - lag];
            let (mut product, mut earlier) = (0.0_f32, 0.0_f32);
            for (x, y) in now.iter().zip(then) {
                let (x, y) = (x - mean, y - mean);
                product += x * y;
                earlier += y * y;
            }
            *out = product / (energy * earlier + 1.0).sqrt();
        }
    }
}

/// The lag of the first peak nearly as high as the highest, in samples, and its height.
fn best_lag(correlation: &[f32; LAG_MAX + 2]) -> Option<(f32, f32)> {
    let is_peak = |lag: usize| {
        correlation[lag] >= correlation[lag - 1]
            && (lag == LAG_MAX || correlation[lag] > correlation[lag + 1])
    };
    let highest = (LAG_MIN..LAG_MAX)
        .filter(|&lag| is_peak(lag))
        .map(|lag| correlation[lag])
        .fold(0.0_f32, f32::max);
    if highest < VOICED_MIN {
        return None;
    }
    let lag = (LAG_MIN..LAG_MAX)
        .find(|&lag| is_peak(lag) && correlation[lag] >= highest * SHORTER_SHARE)?;
    let (left, peak, right) = (correlation[lag - 1], correlation[lag], correlation[lag + 1]);
    // The top of the parabola through three points.
    let curvature = left - 2.0 * peak + right;
    let offset = if curvature < -1e-6 {
        (0.5 * (left - right) / curvature).clamp(-0.5, 0.5)
    } else {
        0.0
    };
    Some((lag as f32 + offset, peak.min(1.0)))
}
