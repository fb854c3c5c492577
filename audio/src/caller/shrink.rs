//! Leaving out audio without a click: quiet stretches whole, voiced ones by pitch periods.

use crate::fade;
use crate::level::dbfs;

/// Samples looked at: 40 ms, which hold the longest cut and what is laid over it.
pub(super) const SPAN_SAMPLES: usize = 640;

/// Below this level anything may go, in dBFS.
const QUIET_DBFS: f32 = -50.0;
/// Most samples left out at once: 20 ms.
const CUT_SAMPLES_MAX: usize = 320;
/// Least samples left out at once: 2.5 ms, a pitch of 400 Hz.
const CUT_SAMPLES_MIN: usize = 40;
/// Samples over which the two ends are laid over each other: 5 ms in speech pauses.
const OVERLAP_SAMPLES: usize = 80;
/// How alike the two ends must be, 0 to 1, where there is sound.
const LIKENESS_MIN: f32 = 0.8;

/// A stretch that can go: its length in samples, from the start of the audio looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut(usize);

/// Finds what can be left out at the start of `span` ([`SPAN_SAMPLES`] long), at most `excess`
/// samples.
pub(super) fn find(span: &[i16], excess: usize) -> Option<Cut> {
    let longest = excess.min(CUT_SAMPLES_MAX);
    if longest < CUT_SAMPLES_MIN {
        return None;
    }
    if dbfs(span) < QUIET_DBFS {
        return Some(Cut(longest));
    }
    let (lag, likeness) = (CUT_SAMPLES_MIN..=longest)
        .map(|lag| (lag, likeness(span, lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    (likeness >= LIKENESS_MIN).then_some(Cut(lag))
}

impl Cut {
    /// Moves the audio behind the cut over it, cross-faded; the last samples of `pcm`, as many as
    /// returned, are then to be dropped.
    pub(super) fn apply(self, pcm: &mut [i16]) -> usize {
        let lag = self.0;
        let joined = fade::crossfade(&pcm[..OVERLAP_SAMPLES], &pcm[lag..lag + OVERLAP_SAMPLES]);
        pcm.copy_within(lag.., 0);
        pcm[..OVERLAP_SAMPLES].copy_from_slice(&joined);
        lag
    }
}

/// Normalized correlation of the start with what follows `lag` later, over 10 ms.
fn likeness(span: &[i16], lag: usize) -> f32 {
    let window = 2 * OVERLAP_SAMPLES;
    let (mut cross, mut first, mut second) = (0.0_f32, 1.0_f32, 1.0_f32);
    for (&a, &b) in span[..window].iter().zip(&span[lag..lag + window]) {
        let (a, b) = (f32::from(a), f32::from(b));
        cross += a * b;
        first += a * a;
        second += b * b;
    }
    cross / (first * second).sqrt()
}
