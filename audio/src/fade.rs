//! Short fades, so that starting or stopping in the middle of a wave does not click.

/// Length of a click-free fade, in milliseconds.
pub const FADE_MS: u32 = 5;

/// Samples of a [`FADE_MS`] fade at `rate_hz`.
pub const fn fade_samples(rate_hz: u32) -> usize {
    (rate_hz * FADE_MS / 1_000) as usize
}

/// Raises the first [`FADE_MS`] of `pcm` from silence.
pub fn fade_in(pcm: &mut [i16], rate_hz: u32) {
    let len = fade_samples(rate_hz).min(pcm.len());
    ramp(&mut pcm[..len], 0.0, 1.0);
}

/// Lowers the last [`FADE_MS`] of `pcm` to silence.
pub fn fade_out(pcm: &mut [i16], rate_hz: u32) {
    let from = pcm.len() - fade_samples(rate_hz).min(pcm.len());
    ramp(&mut pcm[from..], 1.0, 0.0);
}

/// Ends playout at once: keeps the first [`FADE_MS`] of `pcm`, faded to silence, and silences the
/// rest, so that a frame already due stays whole.
pub fn cut(pcm: &mut [i16], rate_hz: u32) {
    let len = fade_samples(rate_hz).min(pcm.len());
    ramp(&mut pcm[..len], 1.0, 0.0);
    pcm[len..].fill(0);
}

/// Multiplies `pcm` by a gain that goes linearly from `from` to `to`.
pub fn ramp(pcm: &mut [i16], from: f32, to: f32) {
    let steps = pcm.len().max(1) as f32;
    for (i, sample) in pcm.iter_mut().enumerate() {
        let gain = from + (to - from) * ((i as f32 + 0.5) / steps);
        *sample = (f32::from(*sample) * gain) as i16;
    }
}

/// Cross-fades from `out_going` to `in_coming` over their common length.
pub fn crossfade(out_going: &[i16], in_coming: &[i16]) -> Vec<i16> {
    let len = out_going.len().min(in_coming.len());
    let steps = len.max(1) as f32;
    out_going
        .iter()
        .zip(in_coming)
        .enumerate()
        .map(|(i, (&old, &new))| {
            let weight = (i as f32 + 0.5) / steps;
            (f32::from(old) * (1.0 - weight) + f32::from(new) * weight) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_has_no_step() {
        let mut frame = [20_000_i16; 320];
        cut(&mut frame, 16_000);
        let step = frame
            .windows(2)
            .map(|w| (i32::from(w[0]) - i32::from(w[1])).abs())
            .max();
        assert!(step < Some(300), "largest step {step:?}");
        assert_eq!(frame[319], 0);
        assert!(frame[0] > 19_000);
    }

    #[test]
    fn fades_touch_only_their_end() {
        let mut pcm = [10_000_i16; 400];
        fade_in(&mut pcm, 16_000);
        assert!(pcm[0] < 200 && pcm[79] > 9_000 && pcm[80] == 10_000);
        fade_out(&mut pcm, 16_000);
        assert!(pcm[319] == 10_000 && pcm[399] < 200);
    }

    #[test]
    fn short_and_empty_input_is_fine() {
        for len in 0..10 {
            let mut pcm = vec![1_000_i16; len];
            fade_in(&mut pcm, 48_000);
            fade_out(&mut pcm, 48_000);
            cut(&mut pcm, 48_000);
        }
        assert!(crossfade(&[], &[1]).is_empty());
    }

    #[test]
    fn a_crossfade_goes_from_one_to_the_other() {
        let mixed = crossfade(&[1_000; 100], &[-1_000; 100]);
        assert!(mixed[0] > 950 && mixed[99] < -950 && mixed[50].abs() < 30);
    }
}
