//! From a probability to a wait.
//!
//! The longer a silence has lasted the fewer pauses within turns are still open: of pauses with
//! median `m` a share of `1 / (1 + (s / m)^k)` lasts longer than `s` (log-logistic). So the odds
//! that the turn is over grow with the silence, from those of the evidence at its beginning, and the
//! turn ends where they reach the odds asked for, the price of cutting somebody off against that of
//! waiting. Solved for `s` this is the wait, which needs no further look at a clock.

use super::PauseHabit;

/// How to turn log odds into a wait. The values that ship were chosen on the training recordings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The odds of "over" to "goes on" at which a turn ends are the agent's minimum over this, in
    /// milliseconds: whoever wants longer silences fears cutting off more, and gets both from one
    /// setting.
    pub ms_per_odds: f64,
    /// Factor on the log odds of the evidence: above 1 tells likely ends from unlikely ones more
    /// sharply. People feel the usual wait, which is that after a likely end.
    pub sharpness: f64,
    /// Shape of the distribution of pauses, `k`.
    pub shape: f64,
}

/// A minute: longer than any maximum, and safe to add to a time.
const MS_MAX: f64 = 60_000.0;
/// A minimum below this asks for no surer an end: below, the detector decides anyway.
const MIN_MS_MIN: u64 = 100;

impl Policy {
    /// Silence after which the turn ends, up to [`MS_MAX`], in milliseconds.
    pub(super) fn wait_ms(&self, logit: f64, min_ms: u64, habit: &PauseHabit) -> u64 {
        let asked = min_ms.clamp(MIN_MS_MIN, MS_MAX as u64) as f64 / self.ms_per_odds;
        let missing = asked / (self.sharpness * logit).exp() - 1.0;
        if missing <= 0.0 {
            return 0;
        }
        let wait = habit.typical_ms() as f64 * (missing.ln() / self.shape).exp();
        wait.min(MS_MAX).round() as u64
    }
}

/// The probability of a logit, in thousandths.
pub(super) fn permille(logit: f64) -> u16 {
    (1_000.0 / (1.0 + (-logit).exp())).round() as u16
}
