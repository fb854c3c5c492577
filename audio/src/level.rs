//! Loudness of a frame.

/// Level of digital silence as reported by [`dbfs`], in dBFS. One step of 16-bit audio is at
/// -90.3 dBFS.
pub const SILENCE_DBFS: f32 = -100.0;

/// RMS level of `pcm` in dB relative to full scale: 0 for a full-scale square wave, -3 for a
/// full-scale sine, [`SILENCE_DBFS`] for digital silence or no samples.
pub fn dbfs(pcm: &[i16]) -> f32 {
    let rms = rms(pcm);
    if rms <= 0.0 {
        SILENCE_DBFS
    } else {
        (20.0 * (rms / 32_768.0).log10()).max(SILENCE_DBFS)
    }
}

/// Root mean square of `pcm`, in sample steps (0 to 32,768).
pub fn rms(pcm: &[i16]) -> f32 {
    if pcm.is_empty() {
        return 0.0;
    }
    let energy: f64 = pcm.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    (energy / pcm.len() as f64).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_levels() {
        assert_eq!(dbfs(&[]), SILENCE_DBFS);
        assert_eq!(dbfs(&[0; 320]), SILENCE_DBFS);
        assert!((dbfs(&[i16::MIN; 320]) - 0.0).abs() < 0.01);
        assert!((dbfs(&[3_277; 320]) - -20.0).abs() < 0.01);
        let sine: Vec<i16> = (0..1_600)
            .map(|i| ((i as f32 * std::f32::consts::TAU / 16.0).sin() * 32_767.0) as i16)
            .collect();
        assert!((dbfs(&sine) - -3.01).abs() < 0.02);
    }
}
