//! Vowels and hums cut from recorded speech, sung at any pitch and length (pitch-synchronous
//! overlap and add).

use antiphon_audio::CALLER_RATE_HZ;

use crate::material::Sound;
use crate::mix::loudness;
use crate::random::Choices;

/// Length of a grain: 60 ms.
const LENGTH: usize = 960;
/// Periods of 400 to 80 Hz.
const PERIODS: std::ops::Range<usize> = 40..200;
/// How periodic a grain must be, 0 to 1.
const PERIODICITY_MIN: f32 = 0.9;
/// Power of the first difference over power, below which the mouth was closed.
const CLOSED_MAX: f32 = 0.025;

/// A steady voiced piece.
pub(crate) struct Grain {
    pcm: Vec<f32>,
    /// Samples from one pulse to the next.
    pub(crate) period: usize,
    /// Nasal or otherwise without high frequencies.
    pub(crate) nasal: bool,
}

/// The grains of `sounds`, at most four of each.
pub(crate) fn grains<'a>(sounds: impl Iterator<Item = &'a Sound>) -> Vec<Grain> {
    let mut found = Vec::new();
    for sound in sounds {
        let loud = loudness(&sound.pcm);
        let fitting = sound.pcm.windows(LENGTH).step_by(640).filter_map(|pcm| {
            let power = pcm.iter().map(|x| x * x).sum::<f32>() / LENGTH as f32;
            if power.sqrt() < 0.25 * loud {
                return None;
            }
            let period = period(pcm)?;
            let change: f32 = pcm.windows(2).map(|w| (w[1] - w[0]) * (w[1] - w[0])).sum();
            let nasal = change / (power * LENGTH as f32) < CLOSED_MAX;
            Some(Grain {
                pcm: pcm.to_vec(),
                period,
                nasal,
            })
        });
        found.extend(fitting.take(4));
    }
    found
}

fn period(pcm: &[f32]) -> Option<usize> {
    let mut best = (PERIODICITY_MIN, None);
    for lag in PERIODS {
        let (late, early) = (&pcm[lag..], &pcm[..LENGTH - lag]);
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let norm = (product(late, late) * product(early, early)).sqrt() + 1e-9;
        let value = product(late, early) / norm;
        if value > best.0 + 0.02 {
            best = (value, Some(lag));
        }
    }
    best.1
}

impl Grain {
    /// `length` samples of this voice, its pitch going from the first to the second, in Hz.
    pub(crate) fn sung(&self, choices: &mut Choices, length: usize, f0: (f32, f32)) -> Vec<f32> {
        let mut out = vec![0.0; length + 2 * self.period];
        let marks = (LENGTH - 2 * self.period) / self.period;
        let mut at = 0.0;
        while (at as usize) < length {
            let mark = choices.below(marks.max(1)) * self.period;
            let loud = choices.between(0.95, 1.05);
            for k in 0..2 * self.period {
                let phase = std::f32::consts::PI * k as f32 / self.period as f32;
                let window = 0.5 - 0.5 * phase.cos();
                out[at as usize + k] += loud * window * self.pcm[(mark + k).min(LENGTH - 1)];
            }
            let part = at / length as f32;
            let hz = (f0.0 + (f0.1 - f0.0) * part) * choices.between(0.99, 1.01);
            at += CALLER_RATE_HZ as f32 / hz.max(50.0);
        }
        out.truncate(length);
        out
    }
}
