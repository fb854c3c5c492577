//! Random numbers that are the same everywhere.

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

/// Odd constants that keep the streams of one seed apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Config = 1,
    Acts = 2,
    Hear = 3,
    Think = 4,
    Voice = 5,
    Tool = 6,
    Stray = 7,
}

impl Rng {
    /// The `nth` generator of a stream: what one plan draws changes nothing for another.
    pub(super) fn new(seed: u64, stream: Stream, nth: u64) -> Self {
        let mut mix = Self(seed);
        let mixed = mix.next() ^ (stream as u64).wrapping_mul(0xa076_1d64_78bd_642f);
        let mut mix = Self(mixed);
        let mixed = mix.next() ^ nth.wrapping_mul(0xe703_7ed1_a0b4_28db);
        Self(mixed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `n` - 1.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many cases of a thousand.
    pub(super) fn chance(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// Log-normal milliseconds around a median; three in a hundred take five times as long.
    pub(super) fn human_ms(&mut self, median_ms: u64) -> u64 {
        // Twelve uniform numbers less their mean make a normal one.
        let sum: u64 = (0..12).map(|_| self.next() >> 44).sum();
        let normal = sum as f64 / (1u64 << 20) as f64 - 6.0;
        let tail = if self.chance(30) { 5.0 } else { 1.0 };
        (median_ms as f64 * (0.5 * normal).exp() * tail) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_numbers_everywhere() {
        let mut rng = Rng(0);
        assert_eq!(rng.next(), 0xe220_a839_7b1d_cdaf);
        let mut rng = Rng::new(1, Stream::Acts, 2);
        let medians: Vec<u64> = (0..1_001).map(|_| rng.human_ms(1_000)).collect();
        let mut sorted = medians;
        sorted.sort_unstable();
        assert!((900..1_100).contains(&sorted[500]), "{}", sorted[500]);
        assert!(sorted[1_000] > 3_000);
    }
}
