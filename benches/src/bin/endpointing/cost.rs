//! What a frame of the tracker and a decision cost.

use std::hint::black_box;
use std::time::Instant;

use antiphon_audio::CALLER_FRAME_SAMPLES;
use antiphon_audio::prosody::ProsodyTracker;
use antiphon_engine::decide;

use crate::material::Clip;
use crate::pauses::{Pause, Words};

const DECISIONS: usize = 100_000;

/// One line for each.
pub(crate) fn costs(clips: &[Clip], pauses: &[&Pause]) -> String {
    let mut tracker = ProsodyTracker::new();
    let (started, mut frames) = (Instant::now(), 0_u32);
    for clip in clips {
        for frame in clip.pcm.as_chunks::<CALLER_FRAME_SAMPLES>().0 {
            tracker.push(black_box(frame));
            frames += 1;
        }
    }
    let frame_us = started.elapsed().as_secs_f64() * 1e6 / f64::from(frames.max(1));
    let mut slowest_us = 0.0_f64;
    let started = Instant::now();
    for pause in pauses.iter().cycle().take(DECISIONS) {
        let one = Instant::now();
        black_box(decide(&black_box(pause.evidence(Words::Heard)), 300, 3_000));
        slowest_us = slowest_us.max(one.elapsed().as_secs_f64() * 1e6);
    }
    let decision_us = started.elapsed().as_secs_f64() * 1e6 / DECISIONS as f64;
    format!(
        "One 20 ms frame of the tracker: {frame_us:.1} µs (mean of {frames}). One decision: \
         {decision_us:.1} µs (mean of {DECISIONS}), the slowest {slowest_us:.0} µs.\n"
    )
}
