//! What a frame of the tracker and a decision cost.

use std::hint::black_box;
use std::time::Instant;

use antiphon_audio::CALLER_FRAME_SAMPLES;
use antiphon_audio::prosody::ProsodyTracker;
use antiphon_engine::decide;

use crate::curve::quantile;
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
    let mut each_us = Vec::with_capacity(DECISIONS);
    for pause in pauses.iter().cycle().take(DECISIONS) {
        let one = Instant::now();
        black_box(decide(&black_box(pause.evidence(Words::Heard)), 300, 3_000));
        each_us.push(one.elapsed().as_secs_f64() * 1e6);
    }
    each_us.sort_by(f64::total_cmp);
    let (median_us, late_us) = (quantile(&each_us, 0.5), quantile(&each_us, 0.999));
    format!(
        "One 20 ms frame of the tracker: {frame_us:.1} µs (mean of {frames}). One decision: \
         {median_us:.1} µs (median of {DECISIONS}; 99.9 % take at most {late_us:.0} µs).\n"
    )
}
