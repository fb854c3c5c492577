//! The last moments of audio, so that the recognizer gets the onset that the voice activity
//! detector needed to make up its mind.

use std::collections::VecDeque;

use crate::CALLER_RATE_HZ;

/// How much audio is kept unless said otherwise, in milliseconds: the detector's decision takes
/// about 100 ms, weak consonants before it as much again, and some quiet helps the recognizer.
pub const PREROLL_MS: u32 = 400;

/// Longest preroll, in milliseconds.
pub const PREROLL_MS_MAX: u32 = 5_000;

/// A ring that keeps the last samples pushed, 16 kHz mono.
#[derive(Clone, Debug)]
pub struct Preroll {
    ring: VecDeque<i16>,
    capacity: usize,
}

impl Preroll {
    /// Keeps the last `keep_ms` milliseconds, at most [`PREROLL_MS_MAX`].
    pub fn new(keep_ms: u32) -> Self {
        let capacity = (CALLER_RATE_HZ / 1_000 * keep_ms.min(PREROLL_MS_MAX)) as usize;
        Self {
            ring: VecDeque::with_capacity(capacity),
            capacity,
        }
    }

    /// Adds samples and forgets the oldest beyond the limit.
    pub fn push(&mut self, pcm: &[i16]) {
        let pcm = &pcm[pcm.len().saturating_sub(self.capacity)..];
        let excess = (self.ring.len() + pcm.len()).saturating_sub(self.capacity);
        self.ring.drain(..excess);
        self.ring.extend(pcm);
    }

    /// The last `samples` pushed (fewer where fewer are kept), oldest first.
    pub fn last(&self, samples: usize) -> Vec<i16> {
        self.ring
            .range(self.ring.len().saturating_sub(samples)..)
            .copied()
            .collect()
    }

    /// Everything kept, oldest first; empties the ring.
    pub fn take(&mut self) -> Vec<i16> {
        self.ring.drain(..).collect()
    }

    /// Samples kept now.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// True where nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.ring.clear();
    }
}

impl Default for Preroll {
    fn default() -> Self {
        Self::new(PREROLL_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_samples_in_order() {
        let mut preroll = Preroll::new(10);
        let all: Vec<i16> = (0..1_000).collect();
        for piece in all.chunks(37) {
            preroll.push(piece);
            assert!(preroll.len() <= 160);
        }
        assert_eq!(preroll.last(3), [997, 998, 999]);
        assert_eq!(preroll.take(), all[840..]);
        assert!(preroll.is_empty());
        preroll.push(&all);
        assert_eq!(preroll.last(10_000), all[840..]);
    }

    #[test]
    fn no_room_keeps_nothing() {
        let mut preroll = Preroll::new(0);
        preroll.push(&[1, 2, 3]);
        assert!(preroll.take().is_empty());
    }
}
