//! From a probability to a wait.
//!
//! The longer a silence has lasted the fewer pauses within turns are still open: of pauses with
//! median `m` a share of `1 / (1 + (s / m)^k)` lasts longer than `s` (log-logistic). So the odds
//! that the turn is over grow with the silence, from those of the evidence at its beginning, and the
//! turn ends where they reach `odds_to_end`, the price of cutting somebody off against that of
//! waiting. Solved for `s` this is the wait, which needs no further look at a clock.

use super::PauseHabit;

/// How patient to be. The default was chosen on the training recordings
/// (`cargo run --release -p antiphon-benches --bin endpointing -- --train`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Odds of "over" to "goes on" at which the turn ends.
    pub odds_to_end: f64,
    /// Factor on the log odds of the evidence: above 1 tells likely ends from unlikely ones more
    /// sharply, because the median wait is what people feel.
    pub sharpness: f64,
    /// Shape of the distribution of pauses, `k`.
    pub shape: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            odds_to_end: 2.0,
            sharpness: 1.5,
            shape: 2.5,
        }
    }
}

impl Policy {
    /// Silence after which the turn ends, unbounded, in milliseconds.
    pub(super) fn wait_ms(&self, logit: f64, habit: &PauseHabit) -> u64 {
        let odds = (self.sharpness * logit).exp();
        let missing = self.odds_to_end / odds - 1.0;
        if missing <= 0.0 {
            return 0;
        }
        let wait = habit.typical_ms() as f64 * (missing.ln() / self.shape).exp();
        wait.min(MS_MAX).round() as u64
    }
}

/// A minute: longer than any maximum, and safe to add to a time.
const MS_MAX: f64 = 60_000.0;

/// The probability of a logit, in thousandths.
pub(super) fn permille(logit: f64) -> u16 {
    (1_000.0 / (1.0 + (-logit).exp())).round() as u16
}
