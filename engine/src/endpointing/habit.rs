//! How long this speaker pauses within turns.

use serde::{Deserialize, Serialize};

/// Pauses outside of this range are counted as its border, in milliseconds.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 100..=4_000;
/// What is expected of a speaker who has not paused yet, in milliseconds: a round figure near the
/// median of the pauses within turns of the training recordings (528 ms).
pub(super) const PAUSE_MS_EXPECTED: u64 = 600;
/// The expectation counts as much as so many pauses heard.
const EXPECTATION_WEIGHT: i64 = 4;
/// Once so many pauses were heard the oldest fade: a habit follows the last minutes of a call.
const PAUSES_MAX: u32 = 24;
/// The same for turns.
const TURNS_MAX: u32 = 24;
/// Fixed point of the running mean.
const SCALE: f64 = 1_000.0;

/// A running estimate of one speaker's pauses, part of the session's state. All integers: it can
/// stand in a log and replays exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseHabit {
    /// Pauses counted, at most [`PAUSES_MAX`].
    pauses: u32,
    /// Sum of ln(pause in ms) of those, in thousandths.
    log_sum: i64,
    /// Turns counted, at most [`TURNS_MAX`].
    turns: u32,
}

impl PauseHabit {
    /// A speaker of whom nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The person was silent for `ms` and then went on within the same turn.
    pub fn pause_resumed(&mut self, ms: u64) {
        if self.pauses >= PAUSES_MAX {
            self.log_sum -= self.log_sum / i64::from(self.pauses);
            self.pauses -= 1;
        }
        self.pauses += 1;
        self.log_sum += ln(ms);
    }

    /// A turn of the person ended after `ms` of silence without them going on. Turns without a
    /// pause in them say that this speaker's silences are ends.
    pub fn turn_ended(&mut self, _ms: u64) {
        self.turns = (self.turns + 1).min(TURNS_MAX);
        if self.turns == TURNS_MAX {
            self.turns /= 2;
            let kept = self.pauses / 2;
            if self.pauses > 0 {
                self.log_sum = self.log_sum / i64::from(self.pauses) * i64::from(kept);
            }
            self.pauses = kept;
        }
    }

    /// The pause expected of this speaker, in milliseconds (geometric mean, drawn towards that of
    /// all speakers).
    pub fn typical_ms(&self) -> u64 {
        let sum = self.log_sum + EXPECTATION_WEIGHT * ln(PAUSE_MS_EXPECTED);
        let mean = sum as f64 / (EXPECTATION_WEIGHT + i64::from(self.pauses)) as f64;
        (mean / SCALE).exp().round() as u64
    }

    /// How much likelier than others this speaker is to go on after a silence: the logarithm of the
    /// ratio of pauses to turns, drawn towards 0, which is one pause a turn.
    pub(super) fn goes_on_log_odds(&self) -> f64 {
        let drawn = |count: u32| f64::from(count) + 6.0;
        (drawn(self.pauses) / drawn(self.turns)).ln()
    }

    /// True where the estimate rests on more than the expectation and lies well above it.
    pub(super) fn is_long(&self) -> bool {
        self.pauses >= 2 && self.typical_ms() * 4 >= PAUSE_MS_EXPECTED * 5
    }
}

fn ln(ms: u64) -> i64 {
    let ms = ms.clamp(*PAUSE_MS.start(), *PAUSE_MS.end());
    ((ms as f64).ln() * SCALE).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_move_the_estimate() {
        let mut habit = PauseHabit::new();
        assert_eq!(habit.typical_ms(), PAUSE_MS_EXPECTED);
        for _ in 0..10 {
            habit.pause_resumed(1_500);
        }
        assert!((1_100..1_500).contains(&habit.typical_ms()), "{habit:?}");
        assert!(habit.is_long());
        for _ in 0..100 {
            habit.pause_resumed(200);
        }
        assert!((200..300).contains(&habit.typical_ms()), "{habit:?}");
        assert!(!habit.is_long());
    }

    #[test]
    fn the_state_stays_bounded() {
        let mut habit = PauseHabit::new();
        for i in 0..10_000_u64 {
            habit.pause_resumed(u64::MAX - i);
            habit.pause_resumed(0);
            habit.turn_ended(i);
        }
        assert!(habit.pauses <= PAUSES_MAX && habit.turns <= TURNS_MAX);
        assert!((100..=4_000).contains(&habit.typical_ms()), "{habit:?}");
    }

    #[test]
    fn turns_without_pauses_make_ends_likelier() {
        let mut habit = PauseHabit::new();
        assert_eq!(habit.goes_on_log_odds(), 0.0);
        for _ in 0..5 {
            habit.turn_ended(600);
        }
        assert!(habit.goes_on_log_odds() < -0.4);
        habit.pause_resumed(600);
        assert!(habit.goes_on_log_odds() > -0.6);
    }

    #[test]
    fn it_survives_a_log() {
        let mut habit = PauseHabit::new();
        habit.pause_resumed(777);
        let text = serde_json::to_string(&habit).unwrap();
        assert_eq!(serde_json::from_str::<PauseHabit>(&text).unwrap(), habit);
    }
}
