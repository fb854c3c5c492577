//! Cepstral mean normalization.
//!
//! The acoustic model was trained on features less their mean over the whole utterance, which
//! takes out the microphone and the room. A stream does not have the whole utterance yet, and a
//! wrong mean ruins recognition, so the mean is estimated from what there is: the frames so far,
//! the same person's earlier speech in the call, and what is typical.

use super::decoder::{CEPSTRA, Frame};

/// Mean of typical speech with this front end, from the model's own `feat.params` (`-cmninit`).
const TYPICAL: Frame = [
    41.00, -5.29, -0.12, 5.09, 2.48, -4.07, -1.37, -1.78, -5.08, -2.05, -6.45, -1.42, 1.17,
];

/// Most frames that earlier speech counts for, so that a moved microphone is followed.
const EARLIER_FRAMES_MAX: f32 = 300.0;

/// How much quieter (C0, a natural logarithm times a constant) than the average frame one may be
/// to count as speech.
const QUIETER_MAX: f32 = 4.0;

/// A running mean of frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    sum: Frame,
    frames: f32,
}

impl Mean {
    /// The mean of those of `frames` that are not much quieter than the average one. Silence says
    /// nothing about the microphone that speech needs, and a long one would drown what does.
    pub(super) fn of_speech(frames: &[Frame]) -> Self {
        let loudness =
            frames.iter().map(|frame| frame[0]).sum::<f32>() / frames.len().max(1) as f32;
        let mut mean = Self::default();
        for frame in frames {
            if frame[0] >= loudness - QUIETER_MAX {
                mean.add(frame);
            }
        }
        mean
    }

    /// Adds a frame.
    pub(super) fn add(&mut self, frame: &Frame) {
        for (sum, value) in self.sum.iter_mut().zip(frame) {
            *sum += value;
        }
        self.frames += 1.0;
    }

    /// Adds what `other` has seen.
    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, value) in self.sum.iter_mut().zip(&other.sum) {
            *sum += value;
        }
        self.frames += other.frames;
    }

    /// The same mean from fewer frames, so that later ones count for more.
    pub(super) fn fade(&mut self, frames_max: f32) {
        if self.frames > frames_max {
            let factor = frames_max / self.frames;
            self.sum.iter_mut().for_each(|sum| *sum *= factor);
            self.frames = frames_max;
        }
    }
}

/// What is known of a caller's channel before an utterance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Channel {
    earlier: Mean,
}

impl Channel {
    /// Learns from a finished utterance.
    pub(super) fn learn(&mut self, utterance: &Mean) {
        self.earlier.merge(utterance);
        self.earlier.fade(EARLIER_FRAMES_MAX);
    }

    /// The mean to take off now: `so_far` with `typical_frames` of what is typical, or of this
    /// caller's earlier speech where there is some.
    pub(super) fn estimate(&self, so_far: &Mean, typical_frames: f32) -> Frame {
        let mut prior = Mean {
            sum: TYPICAL.map(|value| value * typical_frames),
            frames: typical_frames,
        };
        if self.earlier.frames > 0.0 {
            // Earlier speech of the same person is worth more than the typical one.
            prior.fade(typical_frames * typical_frames / (typical_frames + self.earlier.frames));
            prior.merge(&self.earlier);
        }
        prior.merge(so_far);
        let frames = prior.frames.max(1.0);
        prior.sum.map(|sum| sum / frames)
    }
}

/// Takes `mean` off `frames`.
pub(super) fn normalized(frames: &[Frame], mean: &Frame) -> Vec<Frame> {
    let less_mean = |frame: &Frame| std::array::from_fn(|at| frame[at] - mean[at]);
    frames.iter().map(less_mean).collect()
}

/// How far two means are apart: root mean square over the coefficients.
pub(super) fn distance(a: &Frame, b: &Frame) -> f32 {
    let sum: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    (sum / CEPSTRA as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(value: f32, count: usize) -> Vec<Frame> {
        vec![[value; CEPSTRA]; count]
    }

    fn add(mean: &mut Mean, frames: &[Frame]) {
        frames.iter().for_each(|frame| mean.add(frame));
    }

    #[test]
    fn silence_does_not_move_the_mean_of_speech() {
        let speech = frames(50.0, 100);
        let mut padded = frames(5.0, 400);
        padded.extend(&speech);
        let channel = Channel::default();
        let mean = channel.estimate(&Mean::of_speech(&padded), 0.0);
        assert!(distance(&mean, &[50.0; CEPSTRA]) < 1e-3, "{mean:?}");
        let nothing = channel.estimate(&Mean::of_speech(&[]), 10.0);
        assert!(distance(&nothing, &TYPICAL) < 1e-4, "{nothing:?}");
    }

    #[test]
    fn the_estimate_moves_from_typical_to_what_is_heard() {
        let channel = Channel::default();
        let mut heard = Mean::default();
        assert_eq!(channel.estimate(&heard, 100.0), TYPICAL);
        add(&mut heard, &frames(10.0, 100));
        let half_way = channel.estimate(&heard, 100.0);
        assert!((half_way[0] - (41.0 + 10.0) / 2.0).abs() < 1e-3);
        add(&mut heard, &frames(10.0, 100_000));
        assert!(distance(&channel.estimate(&heard, 100.0), &[10.0; CEPSTRA]) < 0.1);
    }

    #[test]
    fn earlier_speech_of_the_caller_outweighs_what_is_typical() {
        let mut channel = Channel::default();
        let mut earlier = Mean::default();
        add(&mut earlier, &frames(10.0, 1_000));
        channel.learn(&earlier);
        let mean = channel.estimate(&Mean::default(), 100.0);
        let share_of_typical = (mean[0] - 10.0) / (TYPICAL[0] - 10.0);
        assert!((0.0..0.1).contains(&share_of_typical), "{mean:?}");
        // A new microphone wins within a few utterances.
        let mut later = Mean::default();
        add(&mut later, &frames(-20.0, 300));
        (0..5).for_each(|_| channel.learn(&later));
        assert!(channel.estimate(&Mean::default(), 0.0)[1] < -18.0);
    }
}
