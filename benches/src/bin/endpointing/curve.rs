//! False cutoffs against delay, for a fixed silence and for the engine's decisions.

use antiphon_engine::{Model, decide_with};

use crate::labels::Truth;
use crate::pauses::{Pause, Words};

/// Longest wait that the bench allows the engine (`endpointing_ms_max` of the agent), in
/// milliseconds: as long as the longest pause that is taken to be within a turn.
pub(crate) const WAIT_MS_MAX: u64 = 3_000;
/// Shortest silence that the detector reports, in milliseconds.
const SILENCE_MS_MIN: u64 = 200;
const STEP_MS: usize = 20;

/// One operating point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Share of the pauses within turns that were taken for ends.
    pub(crate) cut: f64,
    /// Delays of true ends: median, mean and 90th percentile, in milliseconds.
    pub(crate) median_ms: f64,
    /// Mean.
    pub(crate) mean_ms: f64,
    /// 90th percentile.
    pub(crate) p90_ms: f64,
}

/// The settings that are tried.
pub(crate) fn settings() -> impl Iterator<Item = u64> {
    (SILENCE_MS_MIN..=WAIT_MS_MAX).step_by(STEP_MS)
}

/// A fixed silence after the detector's end of speech.
pub(crate) fn plain(pauses: &[&Pause]) -> Vec<Point> {
    settings()
        .map(|ms| point(pauses, &vec![ms; pauses.len()]))
        .collect()
}

/// The engine with each minimum. `model` gives the model that judges a pause.
pub(crate) fn ours<'m>(
    pauses: &[&Pause],
    words: Words,
    model: impl Fn(&Pause) -> &'m Model,
) -> Vec<Point> {
    let log_odds: Vec<f64> = pauses
        .iter()
        .map(|pause| model(pause).log_odds(&pause.evidence(words)))
        .collect();
    settings()
        .map(|min_ms| {
            let waits: Vec<u64> = pauses
                .iter()
                .zip(&log_odds)
                .map(|(pause, log_odds)| {
                    let policy = &model(pause).policy;
                    policy.wait_ms(*log_odds, min_ms, WAIT_MS_MAX, &pause.habit)
                })
                .collect();
            point(pauses, &waits)
        })
        .collect()
}

/// The engine's waits with one minimum and maximum and the words of the embedded recognizer.
pub(crate) fn waits(pauses: &[&Pause], (min_ms, max_ms): (u64, u64), model: &Model) -> Vec<u64> {
    pauses
        .iter()
        .map(|pause| decide_with(model, &pause.evidence(Words::Heard), min_ms, max_ms).wait_ms)
        .collect()
}

/// What `waits` come to.
pub(crate) fn point(pauses: &[&Pause], waits: &[u64]) -> Point {
    let (mut cut, mut within) = (0_u32, 0_u32);
    let mut delays = Vec::new();
    for (pause, &wait) in pauses.iter().zip(waits) {
        match pause.truth {
            Truth::GoesOn { pause_ms } => {
                within += 1;
                cut += u32::from((wait as i64) < pause_ms);
            }
            Truth::Over => delays.push((wait as i64 + pause.late_ms) as f64),
        }
    }
    delays.sort_by(f64::total_cmp);
    Point {
        cut: f64::from(cut) / f64::from(within.max(1)),
        median_ms: quantile(&delays, 0.5),
        mean_ms: delays.iter().sum::<f64>() / delays.len().max(1) as f64,
        p90_ms: quantile(&delays, 0.9),
    }
}

/// The point with the shortest median delay that cuts at most `cut` of the pauses.
pub(crate) fn at_cut(curve: &[Point], cut: f64) -> Option<Point> {
    curve
        .iter()
        .filter(|point| point.cut <= cut)
        .min_by(|a, b| a.median_ms.total_cmp(&b.median_ms))
        .copied()
}

/// The point with the fewest cut pauses whose median delay is at most `ms`.
pub(crate) fn at_delay(curve: &[Point], ms: f64) -> Option<Point> {
    curve
        .iter()
        .filter(|point| point.median_ms <= ms)
        .min_by(|a, b| a.cut.total_cmp(&b.cut))
        .copied()
}

/// The value below which `share` of the sorted values lie (nearest rank); 0 where there is none.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

/// Deals `waits` out at random: what a policy that knows nothing would reach with the same waits.
/// The generator is a fixed one (SplitMix64), so that every run prints the same.
pub(crate) fn dealt_out(waits: &[u64], seed: u64) -> Vec<u64> {
    let mut dealt = waits.to_vec();
    let mut state = seed;
    for i in (1..dealt.len()).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        dealt.swap(i, ((z ^ (z >> 31)) % (i as u64 + 1)) as usize);
    }
    dealt
}

#[cfg(test)]
mod tests {
    use antiphon_engine::{PauseHabit, Prosody};

    use super::*;

    fn pause(truth: Truth) -> Pause {
        Pause {
            set: "s",
            clip: "c".into(),
            truth,
            late_ms: 0,
            prosody: Prosody::default(),
            turn_ms: 1_000,
            habit: PauseHabit::new(),
            heard: String::new(),
            said: None,
        }
    }

    #[test]
    fn a_fixed_silence_cuts_longer_pauses() {
        let all = [
            pause(Truth::GoesOn { pause_ms: 400 }),
            pause(Truth::GoesOn { pause_ms: 800 }),
            pause(Truth::Over),
        ];
        let all: Vec<&Pause> = all.iter().collect();
        let curve = plain(&all);
        let at = |ms: f64| curve.iter().find(|p| p.median_ms == ms).unwrap().cut;
        assert_eq!((at(380.0), at(400.0), at(800.0)), (1.0, 0.5, 0.0));
        assert_eq!(at_cut(&curve, 0.5).unwrap().median_ms, 400.0);
        assert_eq!(at_delay(&curve, 500.0).unwrap().cut, 0.5);
        assert!(at_delay(&curve, 100.0).is_none());
    }

    #[test]
    fn waits_are_dealt_out_whole() {
        let waits: Vec<u64> = (0..50).collect();
        let mut dealt = dealt_out(&waits, 1);
        assert_ne!(dealt, waits);
        dealt.sort_unstable();
        assert_eq!(dealt, waits);
    }
}
