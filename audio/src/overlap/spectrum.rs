//! From a frame of 20 ms to what the judge looks at: band powers every 10 ms and voicing.

use super::fft::{FFT_POINTS, Fft};
use crate::CALLER_FRAME_SAMPLES;

/// Bands of the spectrum. 16 as wide as the ear's up to 3.8 kHz, which a telephone carries, and
/// two above it.
pub(crate) const BANDS: usize = 18;

/// First bins of the bands and the end of the last; a bin is 31.25 Hz. Equal steps of the mel
/// scale from 100 Hz to 3.8 kHz, then 5.5 and 7.6 kHz.
const EDGES: [usize; BANDS + 1] = [
    3, 6, 9, 13, 16, 21, 26, 31, 37, 44, 52, 60, 70, 81, 93, 106, 122, 176, 243,
];

/// Half a frame: the window moves by 10 ms.
const HOP_SAMPLES: usize = CALLER_FRAME_SAMPLES / 2;

/// Power below which a band holds nothing: -90 dBFS.
const POWER_MIN: f32 = 1e-9;

/// Pitch is sought from 62 to 400 Hz, at 8 kHz.
const LAG_MIN: usize = 20;
const LAG_MAX: usize = 128;
/// Samples at 8 kHz that pitch is sought in: 40 ms.
const PITCH_SAMPLES: usize = 320;

/// Power of each band in dBFS.
pub(crate) type Bands = [f32; BANDS];

/// What one frame of 20 ms holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Band powers of the two windows of 20 ms, the first 10 ms earlier, in dBFS.
    pub(super) halves: [Bands; 2],
    /// How periodic the last 40 ms are, 0 to 1; 0 where nobody asked.
    pub(super) voicing: f32,
    /// Pitch in Hz where `voicing` is above zero.
    pub(super) pitch_hz: f32,
    /// Changes of sign for each sample, 0 to 1.
    pub(super) crossings: f32,
}

/// Turns one stream into frames.
pub(super) struct Analyzer {
    fft: Fft,
    window: Vec<f32>,
    /// Power of the window times the points of the transform.
    scale: f32,
    /// Last 10 ms of the frame before.
    before: [f32; HOP_SAMPLES],
    /// The last 40 ms at 8 kHz, and what pitch is sought in before them.
    low: Vec<f32>,
}

impl Analyzer {
    pub(super) fn new() -> Self {
        let window: Vec<f32> = (0..CALLER_FRAME_SAMPLES)
            .map(|k| {
                let phase = std::f32::consts::TAU * (k as f32 + 0.5) / CALLER_FRAME_SAMPLES as f32;
                0.5 - 0.5 * phase.cos()
            })
            .collect();
        let power: f32 = window.iter().map(|w| w * w).sum();
        Self {
            fft: Fft::new(),
            window,
            scale: 2.0 / (power * FFT_POINTS as f32),
            before: [0.0; HOP_SAMPLES],
            low: vec![0.0; PITCH_SAMPLES],
        }
    }

    /// Analyzes one frame; a shorter one is padded with zeros, a longer one cut.
    pub(super) fn push(&mut self, frame: &[i16]) -> Frame {
        let mut x = [0.0; CALLER_FRAME_SAMPLES];
        for (to, from) in x.iter_mut().zip(frame) {
            *to = f32::from(*from) / 32_768.0;
        }
        let mut re = [0.0; FFT_POINTS];
        let mut im = [0.0; FFT_POINTS];
        let early = self.before.iter().chain(&x[..HOP_SAMPLES]);
        for (k, (early, late)) in early.zip(&x).enumerate() {
            re[k] = early * self.window[k];
            im[k] = late * self.window[k];
        }
        // Two real windows for the price of one: the parts of their sum are told by symmetry.
        self.fft.transform(&mut re, &mut im);
        let mut halves = [[0.0; BANDS]; 2];
        for band in 0..BANDS {
            let (mut first, mut second) = (0.0, 0.0);
            for k in EDGES[band]..EDGES[band + 1] {
                let m = FFT_POINTS - k;
                let (a, b) = ((re[k] + re[m]) / 2.0, (im[k] - im[m]) / 2.0);
                let (c, d) = ((im[k] + im[m]) / 2.0, (re[m] - re[k]) / 2.0);
                first += a * a + b * b;
                second += c * c + d * d;
            }
            halves[0][band] = decibels(first * self.scale);
            halves[1][band] = decibels(second * self.scale);
        }
        self.before.copy_from_slice(&x[HOP_SAMPLES..]);
        self.low.drain(..HOP_SAMPLES);
        self.low
            .extend(x.chunks_exact(2).map(|pair| (pair[0] + pair[1]) / 2.0));
        let flips = x
            .windows(2)
            .filter(|w| (w[0] < 0.0) != (w[1] < 0.0))
            .count();
        Frame {
            halves,
            voicing: 0.0,
            pitch_hz: 0.0,
            crossings: flips as f32 / CALLER_FRAME_SAMPLES as f32,
        }
    }

    /// Voicing (0 to 1) and pitch (Hz) of the last 40 ms. The costly part: only asked for while
    /// something is heard.
    pub(super) fn voicing(&self) -> (f32, f32) {
        let x = &self.low;
        let mut best = (0.0, LAG_MIN);
        for lag in LAG_MIN..=LAG_MAX {
            let (late, early) = (&x[lag..], &x[..PITCH_SAMPLES - lag]);
            let product = dot(late, early);
            if product <= 0.0 {
                continue;
            }
            let norm = (dot(late, late) * dot(early, early)).sqrt() + 1e-7;
            let value = product / norm;
            // A multiple of the period fits as well as the period itself: prefer the shortest.
            if value > best.0 + 0.05 {
                best = (value, lag);
            }
        }
        (best.0.clamp(0.0, 1.0), 8_000.0 / best.1 as f32)
    }
}

/// Sum of products in eight lanes, which the compiler turns into vector instructions.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = left
        .remainder()
        .iter()
        .zip(right.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in left.zip(right) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

fn decibels(power: f32) -> f32 {
    10.0 * (power + POWER_MIN).log10()
}
