//! From a model's samples to those that are sent, and where its words end in them.

/// Loudness that all voices are brought to, in dBFS of active speech.
const LEVEL_DBFS: f32 = -20.0;
/// Bounds of the factor, so that silence stays silent.
const GAIN: std::ops::RangeInclusive<f32> = 0.1..=8.0;
/// Largest sample, so that codecs have room.
const PEAK: f32 = 0.97;

/// A unit as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shaped {
    pub(super) pcm: Vec<i16>,
    /// For each word: its end in the spoken text, and the sample at which it has been said.
    pub(super) word_ends: Vec<(usize, usize)>,
}

/// Levels `samples` and places the words in them: `word_ends` has for each the numbers (of `ids`)
/// up to its end and its end in the spoken text. Where the model told no durations, every symbol is
/// taken to last as long as any other.
pub(super) fn shape(
    samples: &[f32],
    durations: &[f32],
    ids: usize,
    word_ends: &[(usize, usize)],
    rate_hz: u32,
) -> Shaped {
    let gain = gain(samples, rate_hz);
    let pcm: Vec<i16> = samples.iter().map(|sample| to_pcm(sample * gain)).collect();
    let told = durations.len() == ids && durations.iter().all(|d| d.is_finite() && *d >= 0.0);
    let total: f32 = durations.iter().sum();
    let said = |count: usize| {
        let share = match told && total > 0.0 {
            true => durations[..count.min(ids)].iter().sum::<f32>() / total,
            false => count as f32 / ids.max(1) as f32,
        };
        ((pcm.len() as f32 * share) as usize).min(pcm.len())
    };
    let word_ends = word_ends
        .iter()
        .map(|&(count, spoken_end)| (spoken_end, said(count)))
        .collect();
    Shaped { pcm, word_ends }
}

fn to_pcm(sample: f32) -> i16 {
    let full = f32::from(i16::MAX) * PEAK;
    // Not a number becomes silence.
    let sample = if sample.is_finite() { sample } else { 0.0 };
    (sample * f32::from(i16::MAX)).clamp(-full, full) as i16
}

/// The factor that brings speech to [`LEVEL_DBFS`], by the frames that are within 30 dB of the
/// loudest.
fn gain(samples: &[f32], rate_hz: u32) -> f32 {
    let frame = (rate_hz / 50).max(1) as usize;
    let power = |frame: &[f32]| frame.iter().map(|s| s * s).sum::<f32>() / frame.len() as f32;
    let powers: Vec<f32> = samples
        .chunks(frame)
        .map(power)
        .filter(|p| p.is_finite())
        .collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let active: Vec<f32> = powers
        .into_iter()
        .filter(|power| *power > loudest / 1_000.0)
        .collect();
    let mean = active.iter().sum::<f32>() / active.len().max(1) as f32;
    if mean <= 0.0 {
        return 1.0;
    }
    let wanted = 10_f32.powf(LEVEL_DBFS / 20.0);
    (wanted / mean.sqrt()).clamp(*GAIN.start(), *GAIN.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_placed_by_durations_or_evenly() {
        let samples = vec![0.1; 1_000];
        let evenly = shape(&samples, &[], 10, &[(5, 3), (10, 7)], 8_000);
        assert_eq!(evenly.word_ends, [(3, 500), (7, 1_000)]);
        let told = shape(&samples, &[1.0, 3.0], 2, &[(1, 3), (2, 7)], 8_000);
        assert_eq!(told.word_ends, [(3, 250), (7, 1_000)]);
        let nonsense = shape(&samples, &[f32::NAN, 3.0], 2, &[(1, 3)], 8_000);
        assert_eq!(nonsense.word_ends, [(3, 500)]);
        assert_eq!(shape(&[], &[], 0, &[(0, 1)], 8_000).word_ends, [(1, 0)]);
    }

    #[test]
    fn speech_is_levelled_and_never_clips() {
        let tone = |level: f32| -> Vec<f32> {
            (0..8_000).map(|n| level * (n as f32 * 0.3).sin()).collect()
        };
        for level in [0.05, 0.3, 0.9] {
            let pcm = shape(&tone(level), &[], 1, &[], 8_000).pcm;
            let dbfs = antiphon_audio::level::dbfs(&pcm);
            assert!((-20.5..=-19.5).contains(&dbfs), "{level}: {dbfs}");
        }
        let pcm = shape(&[f32::NAN, f32::INFINITY, 9.0, -9.0], &[], 1, &[], 8_000).pcm;
        assert!(pcm.iter().all(|s| i32::from(*s).abs() <= 31_800));
    }
}
