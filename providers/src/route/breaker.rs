//! A circuit breaker: a provider that keeps failing is left alone for a while.

use std::time::{Duration, Instant};

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            open_for: Duration::from_secs(60),
        }
    }
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests go through.
    Closed,
    /// None goes through.
    Open,
    /// One may go through, to see whether the provider is back.
    HalfOpen,
}

impl BreakerState {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// Counts failures in a row. Reads no clock: every call says when it is.
#[derive(Clone, Debug)]
pub struct Breaker {
    config: BreakerConfig,
    failures: u32,
    open_until: Option<Instant>,
    /// When the trial of a half-open breaker was let through.
    trial_since: Option<Instant>,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            failures: 0,
            open_until: None,
            trial_since: None,
        }
    }

    /// Where it stands.
    pub fn state(&self, now: Instant) -> BreakerState {
        match self.open_until {
            None => BreakerState::Closed,
            Some(until) if now < until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// True where [`Breaker::admit`] would let a request through.
    pub fn would_admit(&self, now: Instant) -> bool {
        match self.state(now) {
            BreakerState::Closed => true,
            BreakerState::Open => false,
            // A trial whose end was never told (its call was hung up) does not block for ever.
            BreakerState::HalfOpen => self
                .trial_since
                .is_none_or(|since| now.saturating_duration_since(since) >= self.config.open_for),
        }
    }

    /// Lets a request through, or not. A half-open breaker lets one through at a time.
    pub fn admit(&mut self, now: Instant) -> bool {
        let admitted = self.would_admit(now);
        if admitted && self.open_until.is_some() {
            self.trial_since = Some(now);
        }
        admitted
    }

    /// A request succeeded: closed.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.open_until = None;
        self.trial_since = None;
    }

    /// A request failed. `wait`: how long the provider itself asked to be left alone, which opens
    /// the breaker at once.
    pub fn failed(&mut self, now: Instant, wait: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let failed_trial = self.open_until.is_some();
        self.trial_since = None;
        if let Some(wait) = wait {
            self.open_until = Some(now + wait);
        } else if failed_trial || self.failures >= self.config.failures {
            self.open_until = Some(now + self.config.open_for);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, s: u64) -> Instant {
        start + Duration::from_secs(s)
    }

    #[test]
    fn opens_after_five_failures_in_a_row_and_tries_again_after_a_minute() {
        let start = Instant::now();
        let mut breaker = Breaker::new(BreakerConfig::default());
        for _ in 0..4 {
            breaker.failed(start, None);
        }
        assert!(breaker.admit(start), "four failures are not five");
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(start, None);
        }
        assert_eq!(breaker.state(start), BreakerState::Closed, "not in a row");
        breaker.failed(start, None);
        assert_eq!(breaker.state(start), BreakerState::Open);
        assert!(!breaker.admit(at(start, 59)));
        assert_eq!(breaker.state(at(start, 60)), BreakerState::HalfOpen);
        assert!(breaker.admit(at(start, 60)));
        assert!(!breaker.admit(at(start, 61)), "one trial at a time");
        breaker.succeeded();
        assert_eq!(breaker.state(at(start, 61)), BreakerState::Closed);
    }

    #[test]
    fn a_failed_trial_opens_it_again() {
        let start = Instant::now();
        let mut breaker = Breaker::new(BreakerConfig {
            failures: 1,
            open_for: Duration::from_secs(10),
        });
        breaker.failed(start, None);
        assert!(breaker.admit(at(start, 10)));
        breaker.failed(at(start, 11), None);
        assert_eq!(breaker.state(at(start, 20)), BreakerState::Open);
        assert_eq!(breaker.state(at(start, 21)), BreakerState::HalfOpen);
    }

    #[test]
    fn a_trial_that_nobody_ended_does_not_block_for_ever() {
        let start = Instant::now();
        let mut breaker = Breaker::new(BreakerConfig {
            failures: 1,
            open_for: Duration::from_secs(10),
        });
        breaker.failed(start, None);
        assert!(breaker.admit(at(start, 10)));
        assert!(!breaker.admit(at(start, 19)));
        assert!(breaker.admit(at(start, 20)));
    }

    #[test]
    fn a_provider_that_asks_for_a_pause_gets_it() {
        let start = Instant::now();
        let mut breaker = Breaker::new(BreakerConfig::default());
        breaker.failed(start, Some(Duration::from_secs(3)));
        assert_eq!(breaker.state(at(start, 2)), BreakerState::Open);
        assert!(breaker.admit(at(start, 3)));
    }
}
