use super::*;

/// A voice (ten harmonics) whose pitch goes from `from_hz` to `to_hz`, 16 kHz.
fn glide(from_hz: f32, to_hz: f32, ms: usize) -> Vec<i16> {
    let samples = ms * 16;
    let mut phase = 0.0_f32;
    (0..samples)
        .map(|i| {
            let hz = from_hz + (to_hz - from_hz) * i as f32 / samples as f32;
            phase = (phase + hz / 16_000.0).fract();
            let voice: f32 = (1..=10)
                .map(|k| (phase * k as f32 * std::f32::consts::TAU).sin() / k as f32)
                .sum();
            (voice * 4_000.0) as i16
        })
        .collect()
}

fn noise(ms: usize, amplitude: f32) -> Vec<i16> {
    let mut state = 7_u32;
    (0..ms * 16)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / 8_388_608.0 * amplitude - amplitude) as i16
        })
        .collect()
}

/// Silence, then `speech`, then 200 ms of silence.
fn ending(speech: &[i16]) -> Prosody {
    let mut tracker = ProsodyTracker::new();
    say(&mut tracker, speech)
}

fn say(tracker: &mut ProsodyTracker, speech: &[i16]) -> Prosody {
    let silence = noise(400, 5.0);
    push(tracker, &silence);
    push(tracker, speech);
    tracker.begin_speech(speech.len());
    push(tracker, &silence[..3_200]);
    tracker.end_of_speech(3_200)
}

fn push(tracker: &mut ProsodyTracker, pcm: &[i16]) {
    for frame in pcm.as_chunks::<CALLER_FRAME_SAMPLES>().0 {
        tracker.push(frame);
    }
}

#[test]
fn a_falling_tone_falls_and_a_rising_one_rises() {
    for (from, to) in [(200.0, 120.0), (130.0, 90.0), (320.0, 220.0)] {
        let falling = ending(&[glide(from, from, 600), glide(from, to, 300)].concat());
        let rising = ending(&[glide(to, to, 600), glide(to, from, 300)].concat());
        assert!(falling.is_voiced() && rising.is_voiced());
        let semitones10 = 120.0 * (from / to).log2();
        let near = |st10: i16, wanted: f32| (f32::from(st10) - wanted).abs() < 25.0;
        assert!(near(falling.pitch_slope_st10, -semitones10), "{falling:?}");
        assert!(near(rising.pitch_slope_st10, semitones10), "{rising:?}");
        assert!(falling.pitch_end_st10 < -20, "{falling:?}");
        assert!(rising.pitch_end_st10 > 5, "{rising:?}");
    }
}

#[test]
fn a_level_tone_is_flat() {
    let flat = ending(&glide(150.0, 150.0, 800));
    assert!(flat.pitch_slope_st10.abs() <= 5, "{flat:?}");
    assert!(flat.pitch_spread_st10 <= 5, "{flat:?}");
    assert!((700..=820).contains(&flat.last_voiced_ms), "{flat:?}");
    assert_eq!(flat.speech_ms, 800);
    assert!(flat.periodicity_permille > 950, "{flat:?}");
}

#[test]
fn noise_is_unvoiced() {
    let hiss = ending(&noise(1_000, 6_000.0));
    assert!(hiss.voiced_permille <= 40, "{hiss:?}");
    assert!(hiss.last_voiced_ms <= 20, "{hiss:?}");
    assert_eq!(hiss.pitch_slope_st10, 0, "{hiss:?}");
    let silence = ending(&[0; 16_000]);
    assert!(!silence.is_voiced(), "{silence:?}");
}

#[test]
fn pitch_survives_noise_at_10_db() {
    let voice = [glide(180.0, 180.0, 500), glide(180.0, 120.0, 300)].concat();
    let noisy: Vec<i16> = voice
        .iter()
        .zip(noise(800, 2_000.0))
        .map(|(a, b)| a.saturating_add(b))
        .collect();
    let end = ending(&noisy);
    assert!((-90..=-40).contains(&end.pitch_slope_st10), "{end:?}");
}

#[test]
fn the_end_is_held_against_the_speaker() {
    let mut tracker = ProsodyTracker::new();
    for _ in 0..4 {
        say(&mut tracker, &glide(200.0, 200.0, 1_000));
    }
    let low = say(&mut tracker, &glide(150.0, 150.0, 300));
    assert!((-60..=-40).contains(&low.pitch_end_st10), "{low:?}");
    let high = say(&mut tracker, &glide(250.0, 250.0, 300));
    assert!((28..=50).contains(&high.pitch_end_st10), "{high:?}");
}

#[test]
fn a_drawn_out_end_is_longer_than_the_rest() {
    let mut speech = Vec::new();
    for _ in 0..4 {
        speech.extend(glide(160.0, 160.0, 120));
        speech.extend(noise(100, 500.0));
    }
    speech.extend(glide(160.0, 160.0, 400));
    let end = ending(&speech);
    assert!(end.last_voiced_ms >= 2 * end.typical_voiced_ms, "{end:?}");
    assert!((80..=180).contains(&end.typical_voiced_ms), "{end:?}");
}

#[test]
fn a_fading_end_has_falling_level() {
    let mut speech = glide(160.0, 160.0, 800);
    let from = speech.len() - 4_800;
    for (i, sample) in speech[from..].iter_mut().enumerate() {
        *sample = (f32::from(*sample) * (1.0 - i as f32 / 4_900.0)) as i16;
    }
    let fading = ending(&speech);
    let steady = ending(&glide(160.0, 160.0, 800));
    assert!(fading.level_slope_db10 < -100, "{fading:?}");
    assert!(steady.level_slope_db10.abs() < 40, "{steady:?}");
    assert!(fading.level_end_db10 < steady.level_end_db10 - 30);
}

#[test]
fn odd_orders_of_calls_are_harmless() {
    let mut tracker = ProsodyTracker::new();
    assert_eq!(tracker.end_of_speech(9_999), Prosody::default());
    push(&mut tracker, &glide(160.0, 160.0, 10_000));
    tracker.begin_speech(usize::MAX / 2);
    let long = tracker.end_of_speech(0);
    assert_eq!(long.speech_ms, 10_000);
    tracker.begin_speech(0);
    assert_eq!(tracker.end_of_speech(32_000).speech_ms, 0);
}
