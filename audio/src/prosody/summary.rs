//! From remembered frames to the integers of a [`Prosody`].

use super::{Prosody, ProsodyTracker};
use crate::FRAME_MS;

const SLOPE_FRAMES: usize = 15;
const END_FRAMES: usize = 10;
const PITCH_END_FRAMES: usize = 5;
const VOICED_SHARE_FRAMES: u64 = 25;
/// A voiced frame this far in semitones/10 from both neighbours is an octave error.
const JUMP_ST10: i16 = 60;
/// Frames after the end that are judged for breath; the first is left out because it holds the end.
const AFTER_FRAMES: std::ops::Range<u64> = 2..8;
/// Range in which fields are kept, against outliers.
const ST10_MAX: f32 = 240.0;
const DB10_MAX: f32 = 600.0;

pub(super) fn summarize(tracker: &ProsodyTracker, from: u64, end: u64) -> Prosody {
    let mut prosody = Prosody {
        speech_ms: u32::try_from(end - tracker.onset).unwrap_or(u32::MAX) * FRAME_MS,
        ..Prosody::default()
    };
    levels(tracker, from, end, &mut prosody);
    voiced_runs(tracker, from, end, &mut prosody);
    pitches(tracker, from, end, &mut prosody);
    prosody
}

fn levels(tracker: &ProsodyTracker, from: u64, end: u64, prosody: &mut Prosody) {
    let level = |at: u64| tracker.at(at).level_db;
    let last = end.saturating_sub(END_FRAMES as u64).max(from);
    // The utterance's level is that of its louder frames; its pauses do not count.
    let loudest = (from..end).map(level).fold(0.0_f32, f32::max);
    let loud = || (from..end).filter(|&at| level(at) > loudest - 20.0);
    prosody.level_end_db10 = db10(mean((last..end).map(level)) - mean(loud().map(level)));
    prosody.tilt_end_db10 = db10(
        mean((last..end).map(|at| tracker.at(at).tilt_db))
            - mean(loud().map(|at| tracker.at(at).tilt_db)),
    );
    let slope_from = end.saturating_sub(SLOPE_FRAMES as u64).max(from);
    let points: Vec<(f32, f32)> = (slope_from..end)
        .map(|at| ((at - slope_from) as f32, level(at)))
        .collect();
    prosody.level_slope_db10 = db10(slope(&points) * SLOPE_FRAMES as f32);
    let oldest = tracker.frames.saturating_sub(super::FRAMES_KEPT as u64 - 1);
    let floor = (oldest..tracker.frames)
        .map(level)
        .fold(f32::INFINITY, f32::min);
    let after = end + AFTER_FRAMES.start..(end + AFTER_FRAMES.end).min(tracker.frames);
    if !after.is_empty() {
        prosody.level_after_db10 = db10(mean(after.map(level)) - floor);
    }
    let peaks = (from + 2..end.saturating_sub(2))
        .filter(|&at| {
            let around = level(at - 2).max(level(at + 2));
            let next = level(at - 1).max(level(at + 1));
            level(at) >= next && level(at) > around + 1.5 && level(at) > loudest - 25.0
        })
        .count();
    let seconds = (end - from).max(1) as f32 * FRAME_MS as f32 / 1_000.0;
    prosody.rate_hz10 = (10.0 * peaks as f32 / seconds).round() as u16;
}

fn voiced_runs(tracker: &ProsodyTracker, from: u64, end: u64, prosody: &mut Prosody) {
    let voiced = |at: u64| tracker.at(at).pitch_st10.is_some();
    let (mut runs, mut total, mut last, mut tail) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut in_run = false;
    for at in from..end {
        if voiced(at) {
            if in_run {
                last += 1;
            } else {
                total += last;
                runs += 1;
                last = 1;
            }
            in_run = true;
            tail = 0;
        } else {
            // One frame without pitch does not end a run.
            in_run = in_run && tail == 0;
            tail += 1;
        }
    }
    prosody.last_voiced_ms = ms(last);
    prosody.typical_voiced_ms = if runs > 1 { ms(total / (runs - 1)) } else { 0 };
    prosody.unvoiced_tail_ms = if runs > 0 { ms(tail) } else { 0 };
    let window = end.saturating_sub(VOICED_SHARE_FRAMES).max(from)..end;
    let frames = window.end - window.start;
    if frames > 0 {
        let share = window.filter(|&at| voiced(at)).count() as u64 * 1_000 / frames;
        prosody.voiced_permille = share as u16;
    }
}

fn pitches(tracker: &ProsodyTracker, from: u64, end: u64, prosody: &mut Prosody) {
    let (mut points, mut periodicity) = (Vec::with_capacity(SLOPE_FRAMES), 0.0);
    for at in (from..end).rev() {
        let Some(st10) = tracker.at(at).pitch_st10 else {
            continue;
        };
        if is_jump(tracker, at, st10) {
            continue;
        }
        if points.len() < END_FRAMES {
            periodicity += tracker.at(at).periodicity;
        }
        points.push((at as f32 - end as f32, f32::from(st10)));
        // Voice older than the window belongs to an earlier movement.
        if points.len() == SLOPE_FRAMES || end - at > 2 * SLOPE_FRAMES as u64 {
            break;
        }
    }
    if points.is_empty() {
        return;
    }
    let last = |n: usize| &points[..points.len().min(n)];
    if points.len() >= 4 {
        prosody.pitch_slope_st10 = st10(slope(&points) * SLOPE_FRAMES as f32);
    }
    let end_pitch = median(last(PITCH_END_FRAMES));
    let trust = tracker.speaker_trust();
    let against = |share: f32| {
        let reference = tracker.speaker_quantile(share).map_or(end_pitch, f32::from);
        st10((end_pitch - reference) * trust)
    };
    prosody.pitch_end_st10 = against(0.5);
    prosody.pitch_floor_st10 = against(0.1);
    let recent = last(END_FRAMES);
    let centre = mean(recent.iter().map(|p| p.1));
    prosody.pitch_spread_st10 =
        st10(mean(recent.iter().map(|p| (p.1 - centre) * (p.1 - centre))).sqrt());
    prosody.periodicity_permille = (1_000.0 * periodicity / recent.len() as f32) as u16;
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

/// Slope of the straight line with the least squared error, per step; 0 for fewer than two points.
fn slope(points: &[(f32, f32)]) -> f32 {
    let (x, y) = (
        mean(points.iter().map(|p| p.0)),
        mean(points.iter().map(|p| p.1)),
    );
    let (mut product, mut square) = (0.0, 0.0);
    for point in points {
        product += (point.0 - x) * (point.1 - y);
        square += (point.0 - x) * (point.0 - x);
    }
    if square > 0.0 { product / square } else { 0.0 }
}

fn median(points: &[(f32, f32)]) -> f32 {
    let mut values: Vec<f32> = points.iter().map(|p| p.1).collect();
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

/// 0 where there is nothing.
fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f32 }
}

fn st10(value: f32) -> i16 {
    value.clamp(-ST10_MAX, ST10_MAX).round() as i16
}

fn db10(value: f32) -> i16 {
    (10.0 * value).clamp(-DB10_MAX, DB10_MAX).round() as i16
}

fn ms(frames: u32) -> u16 {
    u16::try_from(frames * FRAME_MS).unwrap_or(u16::MAX)
}
