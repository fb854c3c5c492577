//! What is known of a provider from its recent work: moving averages and quantiles.

use std::time::{Duration, Instant};

/// Samples kept for quantiles; older ones are forgotten.
const WINDOW: usize = 64;
/// Weight of the newest sample in moving averages.
const NEWEST: f64 = 0.2;

/// The last [`WINDOW`] times, for quantiles, and a moving average.
#[derive(Clone, Debug)]
pub struct Times {
    recent_ms: [f32; WINDOW],
    count: u64,
    average_ms: f64,
    /// Kept with the samples, so that a choice does not sort.
    p50_ms: f32,
    p95_ms: f32,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            recent_ms: [0.0; WINDOW],
            count: 0,
            average_ms: 0.0,
            p50_ms: 0.0,
            p95_ms: 0.0,
        }
    }
}

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        let ms = time.as_secs_f64() * 1e3;
        self.recent_ms[(self.count % WINDOW as u64) as usize] = ms as f32;
        self.average_ms = match self.count {
            0 => ms,
            _ => self.average_ms + NEWEST * (ms - self.average_ms),
        };
        self.count += 1;
        let mut sorted = self.recent_ms;
        let sorted = &mut sorted[..self.kept()];
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        (self.p50_ms, self.p95_ms) = (at(0.5), at(0.95));
    }

    fn kept(&self) -> usize {
        self.count.min(WINDOW as u64) as usize
    }

    /// How many were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Moving average, milliseconds; 0 where there is none.
    pub fn average_ms(&self) -> f64 {
        self.average_ms
    }

    /// Median of the recent ones, milliseconds; 0 where there is none.
    pub fn p50_ms(&self) -> f64 {
        f64::from(self.p50_ms)
    }

    /// 95th percentile of the recent ones, milliseconds; 0 where there is none.
    pub fn p95_ms(&self) -> f64 {
        f64::from(self.p95_ms)
    }
}

/// A moving share, e.g. of errors.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    value: Option<f64>,
}

impl Share {
    /// Adds one sample from 0 to 1.
    pub fn add(&mut self, sample: f64) {
        let sample = sample.clamp(0.0, 1.0);
        self.value = Some(match self.value {
            None => sample,
            Some(value) => value + NEWEST * (sample - value),
        });
    }

    /// Its value; `or` where there was no sample.
    pub fn or(&self, or: f64) -> f64 {
        self.value.unwrap_or(or)
    }
}

/// What is known of one provider's work.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Time to the first output (words, audio, final transcript).
    pub first: Times,
    /// Share of failures.
    pub errors: Share,
    /// Quality of its work, 0 to 1.
    pub quality: Share,
    /// Requests begun.
    pub asked: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Spent on it, picodollars (10⁻¹² US dollars).
    pub spent_picodollars: u64,
    /// When it last did anything.
    pub last_used: Option<Instant>,
    /// Its last fault, for reports.
    pub last_fault: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_last_samples() {
        let mut times = Times::default();
        for ms in 0..200 {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(times.count(), 200);
        assert_eq!(times.p50_ms(), 168.0, "136 to 199, rounded up");
        assert_eq!(times.p95_ms(), 196.0);
        assert!((times.average_ms() - 195.0).abs() < 0.5);
    }

    #[test]
    fn nothing_measured_is_zero() {
        let times = Times::default();
        assert_eq!(
            (times.p50_ms(), times.p95_ms(), times.average_ms()),
            (0.0, 0.0, 0.0)
        );
        assert_eq!(Share::default().or(0.3), 0.3);
    }
}
