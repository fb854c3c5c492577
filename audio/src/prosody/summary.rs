//! From remembered frames to the integers of a [`Prosody`].

use super::{Prosody, ProsodyTracker};
use crate::FRAME_MS;

/// Voiced frames of a movement of pitch, and how far back they may lie.
const SLOPE_FRAMES: usize = 15;
const SLOPE_REACH_FRAMES: u64 = 30;
/// Fewest points of a slope.
const SLOPE_FRAMES_MIN: usize = 4;
/// Voiced frames of the end.
const END_FRAMES: usize = 10;
const PITCH_END_FRAMES: usize = 5;
/// A voiced frame this far (tenths of a semitone) from both neighbours is an octave error.
const JUMP_ST10: i16 = 60;
/// Share of the speaker's voice below its floor.
const FLOOR_SHARE: f32 = 0.1;
/// Range of the fields, against outliers: two octaves, 60 dB.
const ST10_MAX: f32 = 240.0;
const DB10_MAX: f32 = 600.0;

/// A voiced frame.
struct Voiced {
    /// Frames before the end, negative.
    at: f32,
    st10: f32,
    level_db: f32,
    periodicity: f32,
}

pub(super) fn summarize(tracker: &ProsodyTracker, from: u64, end: u64) -> Prosody {
    let mut prosody = Prosody::default();
    voiced_runs(tracker, from, end, &mut prosody);
    let voiced = last_voiced(tracker, from, end);
    let Some(trust) = (!voiced.is_empty()).then(|| tracker.speaker_trust()) else {
        return prosody;
    };
    if voiced.len() >= SLOPE_FRAMES_MIN {
        prosody.pitch_slope_st10 = rounded(slope(&voiced) * SLOPE_FRAMES as f32, ST10_MAX);
    }
    let end_pitch = median(&voiced[..voiced.len().min(PITCH_END_FRAMES)]);
    let floor = tracker
        .speaker_quantile(FLOOR_SHARE)
        .map_or(end_pitch, f32::from);
    prosody.pitch_floor_st10 = rounded(trust * (end_pitch - floor), ST10_MAX);
    let last = &voiced[..voiced.len().min(END_FRAMES)];
    let level = mean(last.iter().map(|v| v.level_db)) - tracker.usual_level_db;
    prosody.level_db10 = rounded(trust * level * 10.0, DB10_MAX);
    let periodicity = mean(last.iter().map(|v| v.periodicity)) - tracker.usual_periodicity;
    prosody.periodicity_permille = rounded(trust * periodicity * 1_000.0, 1_000.0);
    prosody
}

fn voiced_runs(tracker: &ProsodyTracker, from: u64, end: u64, prosody: &mut Prosody) {
    let (mut last, mut tail) = (0_u32, 0_u32);
    for at in from..end {
        if tracker.at(at).pitch_st10.is_some() {
            // One frame without pitch does not end a stretch.
            last = if tail <= 1 { last + 1 } else { 1 };
            tail = 0;
        } else {
            tail += 1;
        }
    }
    if last > 0 {
        prosody.last_voiced_ms = ms(last);
        prosody.unvoiced_tail_ms = ms(tail);
    }
}

/// Voiced frames from the last backwards. Voice further back belongs to an earlier movement.
fn last_voiced(tracker: &ProsodyTracker, from: u64, end: u64) -> Vec<Voiced> {
    let mut found = Vec::with_capacity(SLOPE_FRAMES);
    for at in (from..end).rev() {
        let heard = tracker.at(at);
        let Some(st10) = heard.pitch_st10 else {
            continue;
        };
        if is_jump(tracker, at, st10) {
            continue;
        }
        found.push(Voiced {
            at: -((end - at) as f32),
            st10: f32::from(st10),
            level_db: heard.level_db,
            periodicity: heard.periodicity,
        });
        if found.len() == SLOPE_FRAMES || end - at > SLOPE_REACH_FRAMES {
            break;
        }
    }
    found
}

fn is_jump(tracker: &ProsodyTracker, at: u64, st10: i16) -> bool {
    let far = |other: u64| {
        tracker
            .at(other)
            .pitch_st10
            .is_none_or(|pitch| (pitch - st10).abs() > JUMP_ST10)
    };
    at > 0 && far(at - 1) && far(at + 1)
}

/// Slope of the straight line with the least squared error, in tenths of a semitone a frame.
fn slope(voiced: &[Voiced]) -> f32 {
    let (x, y) = (
        mean(voiced.iter().map(|v| v.at)),
        mean(voiced.iter().map(|v| v.st10)),
    );
    let (mut product, mut square) = (0.0, 0.0);
    for point in voiced {
        product += (point.at - x) * (point.st10 - y);
        square += (point.at - x) * (point.at - x);
    }
    if square > 0.0 { product / square } else { 0.0 }
}

fn median(voiced: &[Voiced]) -> f32 {
    let mut values: Vec<f32> = voiced.iter().map(|v| v.st10).collect();
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

/// 0 where there is nothing.
fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f32 }
}

fn rounded(value: f32, max: f32) -> i16 {
    value.clamp(-max, max).round() as i16
}

fn ms(frames: u32) -> u16 {
    u16::try_from(frames * FRAME_MS).unwrap_or(u16::MAX)
}
