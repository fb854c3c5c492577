#![allow(clippy::unwrap_used)]

use super::*;
use crate::file::read_audio_file;
use crate::resample::resample_all;

/// Runs `pcm` through a detector in 20 ms frames; edges with the sample they speak of.
fn edges(vad: &mut VoiceActivity, pcm: &[i16]) -> Vec<(bool, usize)> {
    let mut found = Vec::new();
    for (i, frame) in pcm.chunks(320).enumerate() {
        let now = i * 320 + frame.len();
        match vad.push(frame) {
            Some(VadEdge::Started { onset_samples_ago }) => {
                found.push((true, now - onset_samples_ago))
            }
            Some(VadEdge::Stopped { end_samples_ago }) => {
                found.push((false, now - end_samples_ago))
            }
            None => {}
        }
    }
    found
}

fn noise(samples: usize, peak: i32) -> Vec<i16> {
    let mut state = 7_u32;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as i32 % (2 * peak + 1) - peak) as i16
        })
        .collect()
}

#[test]
fn silence_and_noise_are_not_speech() {
    for pcm in [
        vec![0; 160_000],
        noise(160_000, 2),
        noise(160_000, 30),
        noise(160_000, 2_000),
    ] {
        assert_eq!(edges(&mut VoiceActivity::default(), &pcm), []);
    }
}

#[test]
fn speech_is_found_where_it_is() {
    let path = std::env::var("ANTIPHON_MATERIAL").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/material").to_owned()
    }) + "/A_stt/jfk/jfk.wav";
    let Ok(file) = std::fs::read(&path) else {
        println!("SKIPPED: no test material at {path}");
        return;
    };
    let clip = read_audio_file(&file).unwrap();
    let speech = resample_all(&clip.pcm, clip.rate_hz, CALLER_RATE_HZ).unwrap();
    let mut pcm = vec![0; 16_000];
    pcm.extend(&speech);
    pcm.extend(vec![0; 16_000]);
    let mut vad = VoiceActivity::default();
    let found = edges(&mut vad, &pcm);
    assert!(
        found.len() >= 2 && found.len().is_multiple_of(2),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .enumerate()
            .all(|(i, edge)| edge.0 == (i % 2 == 0)),
        "{found:?}"
    );
    assert!(
        found.windows(2).all(|pair| pair[0].1 <= pair[1].1),
        "{found:?}"
    );
    assert!((15_000..25_000).contains(&found[0].1), "{found:?}");
    assert!(!vad.is_speaking());
    // Far below the gate the same speech is nothing.
    let whisper: Vec<i16> = pcm.iter().map(|s| s / 512).collect();
    assert_eq!(edges(&mut VoiceActivity::default(), &whisper), []);
    // A reset detector hears the same again.
    vad.reset();
    assert_eq!(edges(&mut vad, &pcm), found);
}
