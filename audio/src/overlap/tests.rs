#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::CALLER_FRAME_SAMPLES;

/// Noise from a fixed generator, `level` full scale.
struct Noise(u32);

impl Noise {
    fn next(&mut self, level: f32) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        level * ((self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0)
    }
}

fn pcm(values: impl Iterator<Item = f32>) -> Vec<i16> {
    values.map(|x| (x * 32_767.0) as i16).collect()
}

/// Something like speech: syllables of 220 ms, each with a pitch and a colour of its own.
fn babble(seconds: usize, level: f32, seed: u32) -> Vec<i16> {
    let mut noise = Noise(seed);
    let mut colour = (120.0, 3.0);
    let values = (0..seconds * 16_000).map(move |k| {
        let at = k % 3_520;
        if at == 0 {
            colour = (150.0 + noise.next(60.0), 6.0 + noise.next(5.0));
        }
        let t = k as f32 / 16_000.0;
        let shape = (std::f32::consts::PI * at as f32 / 3_520.0).sin().powi(2);
        let tone: f32 = (1..12)
            .map(|h| {
                let weight = 1.0 / (1.0 + (h as f32 - colour.1).powi(2));
                weight * (std::f32::consts::TAU * colour.0 * h as f32 * t).sin()
            })
            .sum();
        level * (shape * tone + noise.next(0.02 * shape))
    });
    pcm(values)
}

fn frames(pcm: &[i16]) -> impl Iterator<Item = &[i16]> {
    pcm.chunks_exact(CALLER_FRAME_SAMPLES)
}

#[test]
fn silence_is_never_an_onset() {
    let mut judge = OverlapJudge::default();
    for _ in 0..500 {
        judge.push(&[0; 320], None);
        assert_eq!(judge.view(), OverlapView::default());
    }
}

#[test]
fn steady_noise_is_got_used_to() {
    let mut judge = OverlapJudge::default();
    let mut noise = Noise(3);
    for _ in 0..50 {
        judge.push(&pcm((0..320).map(|_| noise.next(0.001))), None);
    }
    let mut ducked = 0;
    for at in 0..500 {
        judge.push(&pcm((0..320).map(|_| noise.next(0.1))), None);
        let is_ducked = judge.view().onset_ms_ago.is_some();
        assert!(
            at < 120 || !is_ducked,
            "ducked {at} frames after the noise began"
        );
        ducked += usize::from(is_ducked);
    }
    assert!(
        ducked > 0,
        "noise 40 dB louder than before is an onset at first"
    );
}

#[test]
fn speech_is_noticed_within_40_ms() {
    let mut noise = Noise(5);
    let mut judge = OverlapJudge::default();
    for _ in 0..100 {
        judge.push(&pcm((0..320).map(|_| noise.next(0.002))), None);
        assert_eq!(judge.view().onset_ms_ago, None);
    }
    // From the middle of a syllable, as a plosive begins.
    let speech = babble(1, 0.3, 1);
    let heard = frames(&speech[1_500..]).take(2).any(|frame| {
        judge.push(frame, None);
        judge.view().onset_ms_ago.is_some()
    });
    assert!(heard);
}

#[test]
fn an_event_ends_and_its_age_counts_frames() {
    let mut judge = OverlapJudge::default();
    (0..50).for_each(|_| judge.push(&[0; 320], None));
    let speech = babble(1, 0.3, 1);
    let mut ages = Vec::new();
    for frame in frames(&speech) {
        judge.push(frame, None);
        ages.extend(judge.view().onset_ms_ago);
    }
    assert_eq!(ages[..3], [20, 40, 60]);
    for _ in 0..20 {
        judge.push(&[0; 320], None);
    }
    assert_eq!(judge.view(), OverlapView::default());
}

#[test]
fn a_decision_is_made_by_its_time_and_stop_stays() {
    let mut judge = OverlapJudge::default();
    (0..50).for_each(|_| judge.push(&[0; 320], None));
    let mut was_stop = false;
    for frame in frames(&babble(2, 0.3, 1)) {
        judge.push(frame, None);
        let view = judge.view();
        if let Some(ms) = view.onset_ms_ago {
            let undecided = view.decision == OverlapDecision::Undecided;
            assert!(ms < OverlapSettings::NORMAL.decide_ms || !undecided);
            assert!(!was_stop || view.decision == OverlapDecision::Stop);
            was_stop = view.decision == OverlapDecision::Stop;
        }
    }
}

#[test]
fn the_agents_echo_is_called_echo_and_never_stops_it() {
    for delay_ms in [40, 130, 250, 400] {
        let agent = babble(20, 0.2, 9);
        let delay = delay_ms * 16;
        let mut noise = Noise(delay as u32);
        let echo = pcm((0..agent.len()).map(|k| {
            let echo = k
                .checked_sub(delay)
                .map_or(0.0, |k| f32::from(agent[k]) / 32_768.0);
            0.316 * echo + noise.next(0.001)
        }));
        let mut judge = OverlapJudge::default();
        let (mut echoes, mut sounds) = (0, 0);
        for (at, (caller, agent)) in frames(&echo).zip(frames(&agent)).enumerate() {
            judge.push(caller, Some(agent));
            let view = judge.view();
            assert_ne!(
                view.decision,
                OverlapDecision::Stop,
                "{delay_ms} ms, frame {at}"
            );
            if view.onset_ms_ago.is_some() && at > 150 {
                sounds += 1;
                echoes += usize::from(view.echo_permille > 500);
            }
        }
        let found = judge.echo_delay_ms().unwrap();
        assert!(
            found.abs_diff(delay_ms as u32) <= 30,
            "{delay_ms} ms: found {found}"
        );
        assert!(
            sounds < 50 || echoes * 2 > sounds,
            "{delay_ms} ms: {echoes} of {sounds}"
        );
    }
}

#[test]
fn without_echo_no_delay_is_found_and_the_caller_is_heard() {
    let agent = babble(8, 0.2, 9);
    let caller = babble(8, 0.2, 77);
    let mut judge = OverlapJudge::default();
    let mut heard = 0;
    for (at, (agent, caller)) in frames(&agent).zip(frames(&caller)).enumerate() {
        let silent = [0; 320];
        let speaks = at > 200;
        judge.push(if speaks { caller } else { &silent }, Some(agent));
        heard += usize::from(judge.view().onset_ms_ago.is_some());
        assert!(speaks || heard == 0);
    }
    assert!(heard > 150, "{heard} of 199 frames");
}

#[test]
fn weights_are_as_many_as_the_model_has() {
    assert_eq!(
        include_bytes!("weights.bin").len(),
        4 * overlap_weight_count()
    );
    let trained = Model::trained();
    drop(trained);
    let mut judge =
        OverlapJudge::with_weights(OverlapSettings::NORMAL, vec![0.0; overlap_weight_count()]);
    for frame in frames(&babble(1, 0.3, 1)) {
        judge.push(frame, None);
    }
    // A model that knows nothing finds every kind as likely as the others.
    let view = judge.view();
    assert_eq!([view.command_permille, view.noise_permille], [333, 333]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_input_is_judged(
        lengths in prop::collection::vec((0usize..700, 0usize..700, 0u8..5), 1..120),
        seed in any::<u32>(),
    ) {
        let mut noise = Noise(seed);
        let mut judge = OverlapJudge::default();
        for (caller, agent, kind) in lengths {
            let level = [0.0, 0.001, 0.1, 1.0, 1.0][usize::from(kind)];
            let caller: Vec<i16> = if kind == 4 {
                vec![i16::MIN; caller]
            } else {
                pcm((0..caller).map(|_| noise.next(level)))
            };
            let agent = pcm((0..agent).map(|_| noise.next(level)));
            judge.push(&caller, (kind % 2 == 0).then_some(&agent[..]));
            let view = judge.view();
            let sum = view.command_permille + view.backchannel_permille + view.noise_permille;
            prop_assert!(sum == 0 || (995..=1_005).contains(&sum), "{view:?}");
            prop_assert!(view.echo_permille <= 1_000);
            prop_assert!(judge.model_inputs().len() <= LEAD_FRAMES + 1);
            prop_assert!(judge.model_inputs().iter().flatten().all(|x| x.is_finite()));
        }
    }
}
