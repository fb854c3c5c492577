//! The per-second meter: which seconds of a call are talk, each exactly once. Pure.
//!
//! The ledger that these seconds are posted to comes with billing; its posting id is
//! `(session, second)`, which is why a second is an event of its own.

use antiphon_proto::{Moment, SessionId};
use serde::{Deserialize, Serialize};

/// Counts the seconds of talk of one session. A second is counted when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    session: SessionId,
    /// Talk before the current stretch, in microseconds.
    banked_us: u64,
    /// Start of the current stretch.
    running_since: Option<Moment>,
    counted: u64,
}

/// What a finished call amounts to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The session.
    pub session: SessionId,
    /// Started seconds of talk.
    pub seconds: u64,
}

impl Meter {
    /// A meter that has counted nothing.
    pub fn new(session: SessionId) -> Self {
        Self {
            session,
            banked_us: 0,
            running_since: None,
            counted: 0,
        }
    }

    /// Talk begins or goes on: the caller can hear the agent.
    pub fn start(&mut self, now: Moment) {
        self.running_since.get_or_insert(now);
    }

    /// Talk pauses (connection lost) or ends.
    pub fn pause(&mut self, now: Moment) {
        if let Some(since) = self.running_since.take() {
            self.banked_us += now.0.saturating_sub(since.0);
        }
    }

    /// True between [`Meter::start`] and [`Meter::pause`].
    pub fn running(&self) -> bool {
        self.running_since.is_some()
    }

    /// The next second that has started and was not given out; call until `None`.
    pub fn poll_second(&mut self, now: Moment) -> Option<u64> {
        // A call that was paused at exactly a whole second has not started the next one.
        let started = if self.running() {
            self.talk_us(now) / 1_000_000 + 1
        } else {
            self.banked_us.div_ceil(1_000_000)
        };
        (self.counted < started).then(|| {
            self.counted += 1;
            self.counted
        })
    }

    /// When the next second starts; none while paused.
    pub fn next_second_at(&self) -> Option<Moment> {
        let since = self.running_since?;
        Some(Moment(
            since.0 + (self.counted * 1_000_000).saturating_sub(self.banked_us),
        ))
    }

    /// Seconds counted so far.
    pub fn seconds(&self) -> u64 {
        self.counted
    }

    /// What the call amounts to.
    pub fn settle(&self) -> Settlement {
        Settlement {
            session: self.session.clone(),
            seconds: self.counted,
        }
    }

    fn talk_us(&self, now: Moment) -> u64 {
        self.banked_us
            + self
                .running_since
                .map_or(0, |since| now.0.saturating_sub(since.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(meter: &mut Meter, now: Moment) -> Vec<u64> {
        std::iter::from_fn(|| meter.poll_second(now)).collect()
    }

    #[test]
    fn a_second_counts_when_it_starts() {
        let mut meter = Meter::new(SessionId::from("s"));
        assert_eq!(drain(&mut meter, Moment::from_ms(5_000)), Vec::<u64>::new());
        meter.start(Moment::from_ms(5_000));
        assert_eq!(drain(&mut meter, Moment::from_ms(5_000)), [1]);
        assert_eq!(drain(&mut meter, Moment::from_ms(5_999)), Vec::<u64>::new());
        assert_eq!(meter.next_second_at(), Some(Moment::from_ms(6_000)));
        assert_eq!(drain(&mut meter, Moment::from_ms(8_100)), [2, 3, 4]);
        assert_eq!(meter.settle().seconds, 4);
    }

    #[test]
    fn pauses_are_free_and_parts_of_seconds_add_up() {
        let mut meter = Meter::new(SessionId::from("s"));
        meter.start(Moment::from_ms(0));
        assert_eq!(drain(&mut meter, Moment::from_ms(400)), [1]);
        meter.pause(Moment::from_ms(400));
        assert_eq!(
            drain(&mut meter, Moment::from_ms(60_000)),
            Vec::<u64>::new()
        );
        assert_eq!(meter.next_second_at(), None);
        meter.start(Moment::from_ms(60_000));
        assert_eq!(meter.next_second_at(), Some(Moment::from_ms(60_600)));
        assert_eq!(
            drain(&mut meter, Moment::from_ms(60_599)),
            Vec::<u64>::new()
        );
        assert_eq!(drain(&mut meter, Moment::from_ms(60_600)), [2]);
        assert_eq!(meter.seconds(), 2);
    }

    #[test]
    fn a_whole_second_then_hang_up_is_one_second() {
        let mut meter = Meter::new(SessionId::from("s"));
        meter.start(Moment::from_ms(0));
        meter.pause(Moment::from_ms(1_000));
        assert_eq!(drain(&mut meter, Moment::from_ms(1_000)), [1]);
    }

    #[test]
    fn starting_twice_and_time_running_backwards_count_nothing_twice() {
        let mut meter = Meter::new(SessionId::from("s"));
        meter.start(Moment::from_ms(2_000));
        meter.start(Moment::from_ms(9_000));
        assert_eq!(drain(&mut meter, Moment::from_ms(2_500)), [1]);
        assert_eq!(drain(&mut meter, Moment::from_ms(1_000)), Vec::<u64>::new());
        meter.pause(Moment::from_ms(1_000));
        assert_eq!(meter.seconds(), 1);
    }
}
