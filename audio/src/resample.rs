//! Changing the sample rate of mono audio, as a stream or at once.

use std::fmt;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, Fft, FixedAsync, FixedSync, Indexing, SincInterpolationParameters,
    SincInterpolationType, WindowFunction,
};

/// Lowest rate taken, in Hz.
pub const RATE_HZ_MIN: u32 = 8_000;
/// Highest rate taken, in Hz.
pub const RATE_HZ_MAX: u32 = 192_000;

/// How much input is converted at a time, in milliseconds: half of it is the delay of the filter,
/// and a shorter one would have a softer edge.
const BLOCK_MS: usize = 10;

/// Rates with no common measure above this (in Hz) need FFT blocks longer than 20 ms; they are
/// interpolated instead.
const COMMON_RATE_HZ_MIN: u32 = 50;

/// A rate outside [`RATE_HZ_MIN`]..=[`RATE_HZ_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot resample from {from_hz} Hz to {to_hz} Hz: rates are {RATE_HZ_MIN} to {RATE_HZ_MAX} Hz"
)]
pub struct RateError {
    /// Rate of the input.
    pub from_hz: u32,
    /// Rate of the output.
    pub to_hz: u32,
}

/// Converts a stream of mono audio from one rate to another. The output is aligned with the
/// input: the filter's delay is cut off its start.
pub struct Resampler {
    inner: Option<Inner>,
    from_hz: u32,
    to_hz: u32,
}

struct Inner {
    stage: Box<dyn rubato::Resampler<f32> + Send>,
    pending: Vec<f32>,
    made: Vec<f32>,
    delay_left: usize,
    taken: u64,
    given: u64,
}

impl fmt::Debug for Resampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resampler({} Hz -> {} Hz)", self.from_hz, self.to_hz)
    }
}

impl Resampler {
    /// A converter from `from_hz` to `to_hz`. Equal rates pass through untouched.
    ///
    /// # Errors
    /// [`RateError`] outside [`RATE_HZ_MIN`]..=[`RATE_HZ_MAX`].
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, RateError> {
        let legal = RATE_HZ_MIN..=RATE_HZ_MAX;
        if !legal.contains(&from_hz) || !legal.contains(&to_hz) {
            return Err(RateError { from_hz, to_hz });
        }
        let inner = (from_hz != to_hz).then(|| Inner::new(from_hz, to_hz));
        Ok(Self {
            inner,
            from_hz,
            to_hz,
        })
    }

    /// Rate of the output, in Hz.
    pub fn to_hz(&self) -> u32 {
        self.to_hz
    }

    /// Takes `input` and appends what is ready to `out`. Up to 10 ms (20 ms for odd pairs of
    /// rates) and the filter's delay stay inside until more comes or [`Resampler::flush`].
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        match &mut self.inner {
            None => out.extend_from_slice(input),
            Some(inner) => {
                inner.taken += input.len() as u64;
                inner.pending.extend(input.iter().map(|&s| f32::from(s)));
                inner.drain_whole_blocks(out, u64::MAX);
            }
        }
    }

    /// Appends what is still inside to `out`, so that the whole output is as long as the whole
    /// input, and makes ready for a new stream.
    pub fn flush(&mut self, out: &mut Vec<i16>) {
        let (from_hz, to_hz) = (self.from_hz, self.to_hz);
        if let Some(inner) = &mut self.inner {
            let whole = (inner.taken * u64::from(to_hz)).div_ceil(u64::from(from_hz));
            while inner.given < whole {
                let block = inner.stage.input_frames_next();
                let missing = block - inner.pending.len() % block;
                inner.pending.extend(std::iter::repeat_n(0.0, missing));
                inner.drain_whole_blocks(out, whole);
            }
            inner.reset();
        }
    }
}

/// Converts a whole clip; the result is as long as the input.
///
/// # Errors
/// [`RateError`] outside [`RATE_HZ_MIN`]..=[`RATE_HZ_MAX`].
pub fn resample_all(pcm: &[i16], from_hz: u32, to_hz: u32) -> Result<Vec<i16>, RateError> {
    let mut resampler = Resampler::new(from_hz, to_hz)?;
    let mut out = Vec::with_capacity(pcm.len() * to_hz as usize / from_hz as usize + 1);
    resampler.process(pcm, &mut out);
    resampler.flush(&mut out);
    Ok(out)
}

impl Inner {
    fn new(from_hz: u32, to_hz: u32) -> Self {
        let stage = stage(from_hz, to_hz);
        let delay_left = stage.output_delay();
        let made = vec![0.0; stage.output_frames_max()];
        Self {
            stage,
            pending: Vec::new(),
            made,
            delay_left,
            taken: 0,
            given: 0,
        }
    }

    fn drain_whole_blocks(&mut self, out: &mut Vec<i16>, given_max: u64) {
        let mut used = 0;
        loop {
            let block = self.stage.input_frames_next();
            let rest = &self.pending[used..];
            if rest.len() < block {
                break;
            }
            let made_len = self.made.len();
            let input = InterleavedSlice::new(rest, 1, rest.len()).expect("invariant: one channel");
            let mut made = InterleavedSlice::new_mut(&mut self.made, 1, made_len)
                .expect("invariant: one channel");
            let (taken, count) = self
                .stage
                .process_into_buffer(&input, &mut made, None::<&Indexing>)
                .expect("invariant: both buffers are as long as the resampler asks for");
            used += taken;
            let skipped = self.delay_left.min(count);
            self.delay_left -= skipped;
            let room = usize::try_from(given_max - self.given.min(given_max)).unwrap_or(usize::MAX);
            let fresh = &self.made[skipped..count];
            let fresh = &fresh[..fresh.len().min(room)];
            self.given += fresh.len() as u64;
            out.extend(
                fresh
                    .iter()
                    .map(|&s| s.round().clamp(-32_768.0, 32_767.0) as i16),
            );
        }
        self.pending.drain(..used);
    }

    fn reset(&mut self) {
        self.stage.reset();
        self.pending.clear();
        self.delay_left = self.stage.output_delay();
        self.taken = 0;
        self.given = 0;
    }
}

fn stage(from_hz: u32, to_hz: u32) -> Box<dyn rubato::Resampler<f32> + Send> {
    let block = from_hz as usize * BLOCK_MS / 1_000;
    if gcd(from_hz, to_hz) >= COMMON_RATE_HZ_MIN {
        let fft = Fft::new_custom(
            from_hz as usize,
            to_hz as usize,
            block,
            1,
            1,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        );
        return Box::new(fft.expect("invariant: both rates and the block are above zero"));
    }
    let parameters = SincInterpolationParameters {
        sinc_len: 128,
        f_cutoff: None,
        interpolation: SincInterpolationType::Quadratic,
        oversampling_factor: 128,
        window: WindowFunction::BlackmanHarris2,
    };
    let ratio = f64::from(to_hz) / f64::from(from_hz);
    let sinc = Async::new_sinc(ratio, 1.0, &parameters, block, 1, FixedAsync::Input);
    Box::new(sinc.expect("invariant: the ratio is finite and above zero"))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn tone(rate_hz: u32, hz: f32, ms: u32) -> Vec<i16> {
        (0..rate_hz * ms / 1_000)
            .map(|i| {
                ((i as f32 * hz * std::f32::consts::TAU / rate_hz as f32).sin() * 12_000.0) as i16
            })
            .collect()
    }

    /// Fits a tone of `hz` to the clip without its edges: its level relative to [`tone`]'s in dB,
    /// its delay in microseconds, and the ratio of tone to rest in dB.
    fn fit(pcm: &[i16], rate_hz: u32, hz: f32) -> (f64, f64, f64) {
        let edge = pcm.len() / 10;
        let angle =
            |i: usize| i as f64 * f64::from(hz) * std::f64::consts::TAU / f64::from(rate_hz);
        // Whole periods, so that sine and cosine are orthogonal.
        let period = rate_hz as usize / 20;
        let span = edge..edge + (pcm.len() - 2 * edge) / period * period;
        let n = span.len() as f64;
        let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
            span.clone()
                .map(|i| f64::from(pcm[i]) * f(angle(i)))
                .sum::<f64>()
                * 2.0
                / n
        };
        let (sine, cosine) = (sum(&f64::sin), sum(&f64::cos));
        let level = 20.0 * (sine.hypot(cosine) / 12_000.0).log10();
        let delay_us = -cosine.atan2(sine) / std::f64::consts::TAU / f64::from(hz) * 1e6;
        let rest = span
            .clone()
            .map(|i| (f64::from(pcm[i]) - sine * angle(i).sin() - cosine * angle(i).cos()).powi(2));
        let noise = (rest.sum::<f64>() / n).sqrt();
        (
            level,
            delay_us,
            20.0 * (sine.hypot(cosine) / 2_f64.sqrt() / noise.max(1e-9)).log10(),
        )
    }

    #[test]
    fn a_tone_keeps_its_pitch_level_and_place() {
        for (from, to) in [
            (16_000, 48_000),
            (48_000, 16_000),
            (8_000, 16_000),
            (44_100, 16_000),
            (22_050, 48_000),
            (11_025, 16_000),
            (192_000, 16_000),
            (16_001, 48_000),
            (44_101, 16_000),
        ] {
            let out = resample_all(&tone(from, 440.0, 500), from, to).unwrap();
            let want = (to / 2) as usize;
            assert!(
                out.len().abs_diff(want) <= 1,
                "{from} -> {to}: {} samples",
                out.len()
            );
            let (level, delay_us, snr) = fit(&out, to, 440.0);
            assert!(
                level.abs() < 0.05,
                "{from} -> {to}: level changed by {level:.3} dB"
            );
            // Half a sample of the lower rate at most.
            assert!(
                delay_us.abs() < 63.0,
                "{from} -> {to}: shifted by {delay_us:.1} us"
            );
            assert!(snr > 55.0, "{from} -> {to}: {snr:.1} dB");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_removed() {
        let out = resample_all(&tone(48_000, 11_000.0, 500), 48_000, 16_000).unwrap();
        let level = crate::level::dbfs(&out[800..out.len() - 800]);
        assert!(level < -60.0, "11 kHz came through at {level:.1} dBFS");
    }

    #[test]
    fn pieces_of_any_size_give_the_same_as_the_whole() {
        for (from, to) in [(16_000, 48_000), (44_100, 16_000), (16_001, 8_000)] {
            let clip = tone(from, 300.0, 250);
            let whole = resample_all(&clip, from, to).unwrap();
            let mut resampler = Resampler::new(from, to).unwrap();
            for size in [1, 7, 160, 320, 1_000] {
                let mut out = Vec::new();
                for piece in clip.chunks(size) {
                    resampler.process(piece, &mut out);
                }
                resampler.flush(&mut out);
                assert_eq!(out, whole, "{from} -> {to} in pieces of {size}");
            }
        }
    }

    #[test]
    fn equal_rates_pass_through_and_bad_rates_are_refused() {
        let clip = tone(16_000, 440.0, 50);
        assert_eq!(resample_all(&clip, 16_000, 16_000).unwrap(), clip);
        assert!(resample_all(&[], 8_000, 48_000).unwrap().is_empty());
        assert!(Resampler::new(0, 16_000).is_err());
        assert!(Resampler::new(16_000, 200_000).is_err());
    }
}
