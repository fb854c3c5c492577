//! How much delay the network's jitter needs.

use std::collections::VecDeque;

use super::TICKS_PER_MS;

/// Target delay before anything is known, in milliseconds.
pub const TARGET_MS_START: u32 = 40;
/// Least target delay, in milliseconds: one 20 ms packet in hand.
pub const TARGET_MS_MIN: u32 = 20;
/// Greatest target delay, in milliseconds; what needs more is concealed.
pub const TARGET_MS_MAX: u32 = 200;

/// Least target delay while packets get lost, in milliseconds: two packets beyond the one due, so
/// that a lost one is mended by its successor (FEC) instead of concealed.
const LOSSY_TARGET_MS_MIN: u32 = 60;
/// Packets for which a loss is remembered: 10 s of 20 ms packets.
const LOSS_PACKETS: u32 = 500;
/// Packets over which jitter is observed: 4 s of 20 ms packets.
const WINDOW_PACKETS: usize = 200;
/// Packets that must have come before the estimate replaces the start value.
const KNOWN_PACKETS: usize = 25;
/// Share of packets that must not be late, in percent. The rest is concealed, which the ear
/// forgives more readily than delay for every word.
const IN_TIME_PERCENT: usize = 97;
/// A change of transit beyond this, in microseconds, is another clock and not jitter.
const JUMP_US_MAX: i64 = 2_000_000;
/// The target falls by at most this per packet, in microseconds, so that one calm second does not
/// throw away what a burst taught: 20 ms take 4 s.
const FALL_US_PER_PACKET: i64 = 100;

/// Learns from each packet how late it is against the earliest ones.
#[derive(Debug)]
pub(super) struct DelayEstimator {
    /// Arrival less send time of the last packets, in microseconds on an arbitrary scale.
    transits_us: VecDeque<i64>,
    earliest_us: i64,
    /// Packets until a loss is forgotten.
    loss_left: u32,
    target_us: i64,
}

impl DelayEstimator {
    pub(super) fn new() -> Self {
        Self {
            transits_us: VecDeque::with_capacity(WINDOW_PACKETS),
            earliest_us: 0,
            loss_left: 0,
            target_us: i64::from(TARGET_MS_START) * 1_000,
        }
    }

    /// A packet sent at `time` (RTP ticks) arrived at `arrival_us`.
    pub(super) fn observe(&mut self, arrival_us: u64, time: i64) {
        self.loss_left = self.loss_left.saturating_sub(1);
        let transit_us = transit_us(arrival_us, time);
        if self
            .transits_us
            .back()
            .is_some_and(|&last| (last - transit_us).abs() > JUMP_US_MAX)
        {
            self.transits_us.clear();
        }
        if self.transits_us.len() == WINDOW_PACKETS {
            self.transits_us.pop_front();
        }
        self.transits_us.push_back(transit_us);
        let mut sorted: Vec<i64> = self.transits_us.iter().copied().collect();
        self.earliest_us = sorted.iter().copied().min().unwrap_or(transit_us);
        if sorted.len() >= KNOWN_PACKETS {
            let at = (sorted.len() * IN_TIME_PERCENT / 100).min(sorted.len() - 1);
            let (_, late, _) = sorted.select_nth_unstable(at);
            let needed_us = (*late - self.earliest_us + i64::from(TARGET_MS_MIN) * 1_000)
                .min(i64::from(TARGET_MS_MAX) * 1_000);
            self.target_us = needed_us.max(self.target_us - FALL_US_PER_PACKET);
        }
    }

    /// How much later than the earliest possible moment the packet sent at `time` is played when
    /// it is played at `now_us`, in microseconds. At the target delay less one frame, all but the
    /// latest packets are there in time.
    pub(super) fn playout_us(&self, now_us: u64, time: i64) -> i64 {
        transit_us(now_us, time) - self.earliest_us
    }

    pub(super) fn target_ms(&self) -> u32 {
        let floor = if self.loss_left > 0 {
            LOSSY_TARGET_MS_MIN
        } else {
            TARGET_MS_MIN
        };
        ((self.target_us / 1_000) as u32).max(floor)
    }

    /// A packet was lost: from now on the one behind it should be here in time to mend it.
    pub(super) fn note_loss(&mut self) {
        self.loss_left = LOSS_PACKETS;
    }

    /// Another clock: transits before it cannot be compared with those after it.
    pub(super) fn new_stream(&mut self) {
        self.transits_us.clear();
    }
}

/// Arrival less send time on an arbitrary scale, in microseconds.
fn transit_us(arrival_us: u64, time: i64) -> i64 {
    let arrival_us = i64::try_from(arrival_us).unwrap_or(i64::MAX / 2);
    arrival_us - time.saturating_mul(1_000) / TICKS_PER_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(packets: u64, jitter_us: impl Fn(u64) -> u64) -> u32 {
        let mut delay = DelayEstimator::new();
        for i in 0..packets {
            delay.observe(i * 20_000 + jitter_us(i), i as i64 * 960);
        }
        delay.target_ms()
    }

    #[test]
    fn the_target_follows_the_jitter() {
        assert_eq!(after(10, |_| 0), TARGET_MS_START);
        assert_eq!(after(600, |_| 0), TARGET_MS_MIN);
        assert_eq!(after(600, |i| i % 10 * 5_000), 65);
        assert_eq!(after(600, |i| i % 2 * 900_000), TARGET_MS_MAX);
    }

    #[test]
    fn it_rises_at_once_and_falls_slowly() {
        let burst = |i: u64| if (400..420).contains(&i) { 100_000 } else { 0 };
        assert_eq!(after(400, burst), TARGET_MS_MIN);
        assert_eq!(after(420, burst), 120);
        assert!((100..120).contains(&after(700, burst)));
        assert_eq!(after(2_000, burst), TARGET_MS_MIN);
    }

    #[test]
    fn a_drifting_clock_is_not_jitter() {
        // 200 ppm is more than any sound card; over 4 s it is 0.8 ms.
        assert!(after(10_000, |i| i * 4) <= TARGET_MS_MIN + 1);
    }
}
