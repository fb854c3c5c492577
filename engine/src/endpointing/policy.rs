//! From a probability to a wait.
//!
//! The longer a silence has lasted the fewer pauses within turns are still open: of pauses with
//! median `m` a share of `1 / (1 + (s / m)^k)` lasts longer than `s` (log-logistic). So the odds
//! that the turn is over grow with the silence, from those of the evidence at its beginning, and the
//! turn ends where they reach the odds asked for, the price of cutting somebody off against that of
//! waiting. Solved for `s` this is the wait, which needs no further look at a clock.

use super::PauseHabit;

/// How to turn log odds into a wait. The values that ship were chosen by the bench's training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Log odds of "over" at which a turn ends at once where the agent's minimum is 300 ms.
    pub asked_at_300_ms: f64,
    /// How much more is asked with a larger minimum: by this for each unit of its logarithm.
    /// Whoever wants longer silences fears cutting off more, and gets both from one setting.
    pub asked_growth: f64,
    /// Factor on the log odds: above 1 tells likely ends from unlikely ones more sharply. People
    /// feel the usual wait, which is that after a likely end.
    pub sharpness: f64,
    /// Shape of the distribution of pauses, `k`.
    pub shape: f64,
}

/// A minute: longer than any maximum, and safe to add to a time.
const MS_MAX: f64 = 60_000.0;
/// The minimum for which `asked_at_300_ms` holds.
const ASKED_MS: f64 = 300.0;
/// A minimum below this asks for no less sure an end: below, the detector decides anyway.
const MIN_MS_MIN: u64 = 100;

impl Policy {
    /// Silence after which the turn ends, within `min_ms` and `max_ms` (the minimum where it is the
    /// greater), in milliseconds. `log_odds` are those of "over" at the end of speech.
    pub fn wait_ms(&self, log_odds: f64, min_ms: u64, max_ms: u64, habit: &PauseHabit) -> u64 {
        let relative = min_ms.clamp(MIN_MS_MIN, MS_MAX as u64) as f64 / ASKED_MS;
        let asked = self.asked_at_300_ms + self.asked_growth * relative.ln();
        let missing = (self.sharpness * (asked - log_odds)).exp() - 1.0;
        let wait = if missing > 0.0 {
            habit.typical_ms() as f64 * (missing.ln() / self.shape).exp()
        } else {
            0.0
        };
        (wait.min(MS_MAX).round() as u64).clamp(min_ms, max_ms.max(min_ms))
    }
}

/// The probability of a logit, in thousandths.
pub(super) fn permille(logit: f64) -> u16 {
    (1_000.0 / (1.0 + (-logit).exp())).round() as u16
}
