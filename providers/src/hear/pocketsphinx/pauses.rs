//! Pauses within an utterance, by loudness alone.

use super::tuning::Tuning;

/// Where between the quietest and the loudest frame silence ends, as a share of the distance.
const QUIET_SHARE: f32 = 0.35;

/// Loudness (C0) of a piece's frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    loudness: Vec<f32>,
    loudest: Option<f32>,
    quietest: Option<f32>,
}

impl Pauses {
    /// One more frame.
    pub(super) fn add(&mut self, loudness: f32) {
        self.loudness.push(loudness);
        self.loudest = Some(self.loudest.map_or(loudness, |value| value.max(loudness)));
        self.quietest = Some(self.quietest.map_or(loudness, |value| value.min(loudness)));
    }

    /// Where to settle a piece of `frames` frames, if now is the time: the middle of the pause that
    /// the person is in, or, where the piece is as long as it may get, its quietest recent frame.
    pub(super) fn split(&self, frames: usize, tuning: &Tuning) -> Option<usize> {
        if frames < tuning.piece_frames_min || frames != self.loudness.len() {
            return None;
        }
        let (loudest, quietest) = (self.loudest?, self.quietest?);
        let limit = quietest + (loudest - quietest) * QUIET_SHARE;
        let quiet = self
            .loudness
            .iter()
            .rev()
            .take_while(|value| **value < limit)
            .count();
        if quiet >= tuning.pause_frames_min && quiet < frames {
            return Some(frames - quiet / 2);
        }
        if frames < tuning.piece_frames_max {
            return None;
        }
        let from = frames - frames / 4;
        (from..frames).min_by(|a, b| self.loudness[*a].total_cmp(&self.loudness[*b]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_of(parts: &[(f32, usize)]) -> Option<usize> {
        let mut pauses = Pauses::default();
        let mut frames = 0;
        for (loudness, count) in parts {
            (0..*count).for_each(|_| pauses.add(*loudness));
            frames += count;
        }
        pauses.split(frames, &Tuning::default())
    }

    #[test]
    fn a_long_piece_is_split_in_its_pause() {
        let tuning = Tuning::default();
        let speech = tuning.piece_frames_min;
        assert_eq!(split_of(&[(60.0, speech), (5.0, 20)]), Some(speech + 10));
    }

    #[test]
    fn short_pieces_and_short_pauses_are_left_alone() {
        let tuning = Tuning::default();
        assert_eq!(split_of(&[(60.0, 100), (5.0, 40)]), None);
        assert_eq!(split_of(&[(60.0, tuning.piece_frames_min), (5.0, 5)]), None);
        assert_eq!(split_of(&[]), None);
    }

    #[test]
    fn speech_without_a_pause_is_split_at_its_quietest_recent_moment() {
        let max = Tuning::default().piece_frames_max;
        assert_eq!(
            split_of(&[(60.0, max - 100), (50.0, 1), (60.0, 99)]),
            Some(max - 100)
        );
    }
}
