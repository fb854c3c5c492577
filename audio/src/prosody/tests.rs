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
        assert!(
            falling.pitch_floor_st10 < rising.pitch_floor_st10,
            "{falling:?}"
        );
        assert!(rising.pitch_floor_st10 > 15, "{rising:?}");
    }
}

#[test]
fn a_level_tone_is_flat() {
    let flat = ending(&glide(150.0, 150.0, 800));
    assert!(flat.pitch_slope_st10.abs() <= 5, "{flat:?}");
    assert!(flat.pitch_floor_st10.abs() <= 5, "{flat:?}");
    assert!((700..=820).contains(&flat.last_voiced_ms), "{flat:?}");
    assert!(flat.periodicity_permille.abs() < 20, "{flat:?}");
    assert_eq!(flat.unvoiced_tail_ms, 0, "{flat:?}");
}

#[test]
fn noise_is_unvoiced() {
    let hiss = ending(&noise(1_000, 6_000.0));
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
    assert!(low.pitch_floor_st10.abs() < 60, "{low:?}");
    let high = say(&mut tracker, &glide(250.0, 250.0, 300));
    assert!((28..=100).contains(&high.pitch_floor_st10), "{high:?}");
    assert!(low.pitch_floor_st10 < high.pitch_floor_st10 - 60);
    let soft: Vec<i16> = glide(200.0, 200.0, 300).iter().map(|s| s / 4).collect();
    let soft = say(&mut tracker, &soft);
    assert!((-130..=-100).contains(&soft.level_db10), "{soft:?}");
}

#[test]
fn the_last_stretch_is_measured() {
    let syllable = [glide(160.0, 160.0, 120), noise(100, 500.0)].concat();
    let brisk = ending(&syllable.repeat(5)[..syllable.len() * 5 - 1_600]);
    assert!((80..=180).contains(&brisk.last_voiced_ms), "{brisk:?}");
    let drawn = ending(&[syllable.repeat(4), glide(160.0, 160.0, 400)].concat());
    assert!((360..=460).contains(&drawn.last_voiced_ms), "{drawn:?}");
    let hissed = ending(&[glide(160.0, 160.0, 400), noise(200, 3_000.0)].concat());
    assert!((140..=220).contains(&hissed.unvoiced_tail_ms), "{hissed:?}");
}

#[test]
fn a_hoarse_end_is_less_periodic() {
    let voice = glide(160.0, 160.0, 2_500);
    let from = voice.len() - 4_000;
    let hoarse: Vec<i16> = voice
        .iter()
        .zip(noise(2_500, 4_000.0))
        .enumerate()
        .map(|(i, (a, b))| if i < from { *a } else { a.saturating_add(b) })
        .collect();
    let end = ending(&hoarse);
    assert!(end.periodicity_permille < -30, "{end:?}");
}

#[test]
fn odd_orders_of_calls_are_harmless() {
    let mut tracker = ProsodyTracker::new();
    assert_eq!(tracker.end_of_speech(9_999), Prosody::default());
    push(&mut tracker, &glide(160.0, 160.0, 10_000));
    tracker.begin_speech(usize::MAX / 2);
    let long = tracker.end_of_speech(0);
    assert!(long.last_voiced_ms > 3_000, "{long:?}");
    tracker.begin_speech(0);
    assert_eq!(tracker.end_of_speech(32_000), Prosody::default());
}
