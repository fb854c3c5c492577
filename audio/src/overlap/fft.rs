//! A Fourier transform of 512 points, in place.

use std::f32::consts::TAU;

/// Points of the transform: 32 ms at 16 kHz, above the 20 ms that are windowed.
pub(super) const FFT_POINTS: usize = 512;

/// Tables of the transform; the transform itself keeps no state.
pub(super) struct Fft {
    /// `cos` and `-sin` of `TAU * k / FFT_POINTS`.
    twiddles: Vec<(f32, f32)>,
    /// Index with its bits in reverse order.
    reversed: Vec<u16>,
}

impl Fft {
    pub(super) fn new() -> Self {
        let twiddles = (0..FFT_POINTS / 2)
            .map(|k| {
                let angle = TAU * k as f32 / FFT_POINTS as f32;
                (angle.cos(), -angle.sin())
            })
            .collect();
        let bits = FFT_POINTS.trailing_zeros();
        let reversed = (0..FFT_POINTS as u16)
            .map(|index| index.reverse_bits() >> (u16::BITS - bits))
            .collect();
        Self { twiddles, reversed }
    }

    /// Transforms `re + i im`.
    pub(super) fn transform(&self, re: &mut [f32; FFT_POINTS], im: &mut [f32; FFT_POINTS]) {
        for (index, &other) in self.reversed.iter().enumerate() {
            let other = usize::from(other);
            if index < other {
                re.swap(index, other);
                im.swap(index, other);
            }
        }
        let mut half = 1;
        while half < FFT_POINTS {
            let step = FFT_POINTS / (2 * half);
            for start in (0..FFT_POINTS).step_by(2 * half) {
                for k in 0..half {
                    let (c, s) = self.twiddles[k * step];
                    let (a, b) = (start + k, start + k + half);
                    let (x, y) = (re[b] * c - im[b] * s, re[b] * s + im[b] * c);
                    (re[b], im[b]) = (re[a] - x, im[a] - y);
                    (re[a], im[a]) = (re[a] + x, im[a] + y);
                }
            }
            half *= 2;
        }
    }
}
