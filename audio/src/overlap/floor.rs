//! The level of steady noise in each band.

use super::spectrum::{BANDS, Bands};

/// Windows of the search for the minimum, and hops of 10 ms in one: 1.4 s in all, longer than
/// speech goes without a gap in a band, short enough to get used to a fan that starts.
const WINDOWS: usize = 7;
const WINDOW_HOPS: u32 = 20;
/// Weight of the newest hop in the smoothed level.
const SMOOTHING: f32 = 0.3;
/// How far the mean of steady noise lies above its smoothed minimum over 1.4 s (measured on white
/// noise: 2.4 to 3.5 dB, more in the narrow bands).
const BIAS_DB: f32 = 3.0;
/// No band's floor is below this: what nobody would hear is not speech. In dBFS.
const FLOOR_DBFS_MIN: f32 = -78.0;

/// Minimum statistics: speech leaves gaps, steady noise does not.
#[derive(Debug)]
pub(super) struct NoiseFloor {
    smoothed: Option<Bands>,
    /// Minima of the last windows, the one being filled at `at`.
    minima: [Bands; WINDOWS],
    at: usize,
    hops: u32,
    floor: Bands,
}

impl NoiseFloor {
    pub(super) fn new() -> Self {
        Self {
            smoothed: None,
            minima: [[f32::INFINITY; BANDS]; WINDOWS],
            at: 0,
            hops: 0,
            floor: [FLOOR_DBFS_MIN; BANDS],
        }
    }

    /// Takes the next hop of 10 ms.
    pub(super) fn push(&mut self, bands: &Bands) {
        let smoothed = self.smoothed.get_or_insert(*bands);
        for (level, new) in smoothed.iter_mut().zip(bands) {
            *level += SMOOTHING * (new - *level);
        }
        let smoothed = *smoothed;
        for (minimum, level) in self.minima[self.at].iter_mut().zip(smoothed) {
            *minimum = minimum.min(level);
        }
        self.hops += 1;
        if self.hops == WINDOW_HOPS {
            self.hops = 0;
            self.at = (self.at + 1) % WINDOWS;
            self.minima[self.at] = smoothed;
        }
        for (band, floor) in self.floor.iter_mut().enumerate() {
            let least = self.minima.iter().map(|window| window[band]);
            let least = least.fold(f32::INFINITY, f32::min);
            *floor = (least + BIAS_DB).max(FLOOR_DBFS_MIN);
        }
    }

    /// Mean level of the steady noise in each band, in dBFS.
    pub(super) fn bands(&self) -> &Bands {
        &self.floor
    }
}
