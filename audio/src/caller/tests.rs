#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::level::dbfs;
use crate::opus::{OpusEncoder, PACKET_BYTES_MAX};

/// A steady tone.
fn packets(count: usize) -> Vec<Vec<u8>> {
    encoded(count, |_| 1.0)
}

/// A tone that swells and fades four times a second, as syllables do: Opus takes a steady one for
/// background noise after a third of a second and adds no FEC to it.
fn syllables(count: usize) -> Vec<Vec<u8>> {
    encoded(count, |sample| {
        0.55 - 0.45 * (sample * std::f32::consts::TAU / 4_000.0).cos()
    })
}

fn encoded(count: usize, loudness: impl Fn(f32) -> f32) -> Vec<Vec<u8>> {
    let mut encoder = OpusEncoder::new(16_000).unwrap();
    let mut out = vec![0; PACKET_BYTES_MAX];
    (0..count)
        .map(|n| {
            let tone = |i: usize| {
                let sample = (n * 320 + i) as f32;
                ((sample * 0.08).sin() * 8_000.0 * loudness(sample)) as i16
            };
            let frame: Vec<i16> = (0..320).map(tone).collect();
            let len = encoder.encode(&frame, &mut out).unwrap();
            out[..len].to_vec()
        })
        .collect()
}

/// Sends a steady tone in 20 ms packets, each `delay_us(i)` late or not at all, and pulls every
/// 20 ms.
fn call(
    count: usize,
    delay_us: impl Fn(usize) -> Option<u64>,
) -> (CallerAudio, Vec<(Pulled, f32)>) {
    call_with(&packets(count), delay_us)
}

fn call_with(
    packets: &[Vec<u8>],
    delay_us: impl Fn(usize) -> Option<u64>,
) -> (CallerAudio, Vec<(Pulled, f32)>) {
    let count = packets.len();
    let mut caller = CallerAudio::new().unwrap();
    let mut arrivals: Vec<(u64, usize)> = (0..count)
        .filter_map(|i| Some((i as u64 * 20_000 + delay_us(i)?, i)))
        .collect();
    arrivals.sort_unstable();
    let (mut next, mut heard) = (0, Vec::new());
    for tick in 0..count as u64 {
        let now = tick * 20_000 + 10_000;
        while let Some(&(at, i)) = arrivals.get(next).filter(|arrival| arrival.0 <= now) {
            caller.insert(i as u64, i as u32 * 960, packets[i].clone(), at);
            next += 1;
        }
        let mut frame = [1; CALLER_FRAME_SAMPLES];
        let kind = caller.pull_20ms(now, &mut frame);
        heard.push((kind, dbfs(&frame)));
    }
    (caller, heard)
}

/// How many of the lost packets can be mended: those of which the packet behind has a copy.
fn mendable(packets: &[Vec<u8>], lost: impl Fn(usize) -> bool) -> u64 {
    let copied = |i: usize| packets.get(i + 1).is_some_and(|next| has_fec(next));
    (0..packets.len()).filter(|&i| lost(i) && copied(i)).count() as u64
}

fn count(heard: &[(Pulled, f32)], kind: Pulled) -> usize {
    heard.iter().filter(|frame| frame.0 == kind).count()
}

#[test]
fn a_clean_line_is_all_audio() {
    let (caller, heard) = call(500, |_| Some(0));
    assert!(
        count(&heard[5..], Pulled::Audio) == heard.len() - 5,
        "{:?}",
        caller.counters()
    );
    assert!(heard[10..].iter().all(|frame| frame.1 > -20.0));
    assert!(caller.held_ms() <= 40, "{} ms held", caller.held_ms());
    assert_eq!(caller.counters().lost, 0);
}

#[test]
fn single_losses_are_mended_by_fec() {
    let lost = |i: usize| i % 10 == 7;
    let packets = syllables(500);
    let (caller, heard) = call_with(&packets, |i| (!lost(i)).then_some(0));
    let counters = caller.counters();
    assert_eq!(counters.lost, 50, "{counters:?}");
    let mendable = mendable(&packets, lost);
    assert!(mendable >= 35, "{mendable} of 50 have a copy");
    assert_eq!(counters.fec_recovered, mendable, "{counters:?}");
    assert_eq!(count(&heard[5..], Pulled::Nothing), 0);
}

#[test]
fn losses_are_mended_where_the_buffer_held_nothing_to_spare() {
    // The line is calm, then dead for 3 s. It starts anew with the least delay: what follows a
    // lost packet is not here yet when the loss shows.
    let dead = |i: usize| (500..650).contains(&i);
    let lost = |i: usize| i >= 700 && i % 10 == 7;
    let packets = syllables(1_200);
    let (caller, heard) = call_with(&packets, |i| (!dead(i) && !lost(i)).then_some(0));
    let counters = caller.counters();
    assert_eq!(counters.lost, 150 + 50, "{counters:?}");
    let mendable = mendable(&packets, lost);
    assert!(mendable >= 35, "{mendable} of 50 have a copy");
    // The first ones teach that there are losses.
    assert!(
        counters.fec_recovered + 2 >= mendable,
        "{mendable} could be mended: {counters:?}"
    );
    assert_eq!(count(&heard[700..], Pulled::Nothing), 0);
    assert!(caller.held_ms() <= 60, "{} ms held", caller.held_ms());
}

#[test]
fn jitter_is_learnt_and_then_hidden() {
    let (caller, heard) = call(1_500, |i| Some((i as u64 * 7_919) % 60 * 1_000));
    assert!(
        (60..=100).contains(&caller.target_ms()),
        "{}",
        caller.target_ms()
    );
    let late = count(&heard[500..], Pulled::Concealed);
    assert!(
        late <= 30,
        "{late} of 1000 frames concealed, {:?}",
        caller.counters()
    );
}

#[test]
fn a_dead_line_fades_to_nothing_and_comes_back() {
    let (_, heard) = call(400, |i| (!(100..250).contains(&i)).then_some(0));
    assert!(count(&heard[98..115], Pulled::Concealed) <= CONCEAL_MS_MAX as usize / 20 + 1);
    assert!(
        heard[115..250]
            .iter()
            .all(|frame| *frame == (Pulled::Nothing, crate::level::SILENCE_DBFS))
    );
    assert!(count(&heard[256..], Pulled::Audio) >= 140);
}

#[test]
fn delay_gained_in_a_stall_is_given_back() {
    // 100 packets wait for 300 ms, arrive at once, and the line is good again.
    let stall = |i: usize| {
        Some(if (100..115).contains(&i) {
            (115 - i as u64) * 20_000
        } else {
            0
        })
    };
    let (caller, _) = call(1_500, stall);
    assert!(
        caller.held_ms() <= caller.target_ms() + 40,
        "{} ms held, {:?}",
        caller.held_ms(),
        caller.counters()
    );
}

#[test]
fn what_is_no_audio_is_ignored() {
    let mut caller = CallerAudio::new().unwrap();
    caller.insert(0, 0, Vec::new(), 0);
    caller.insert(1, 960, vec![0xff], 0);
    let mut frame = [1; CALLER_FRAME_SAMPLES];
    assert_eq!(caller.pull_20ms(100_000, &mut frame), Pulled::Nothing);
    assert_eq!(frame, [0; CALLER_FRAME_SAMPLES]);
    let counters = caller.counters();
    assert_eq!(
        (counters.empty, counters.malformed, counters.received),
        (1, 1, 0)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever comes, every pull gives a frame and memory stays bounded.
    #[test]
    fn any_input_is_survived(
        steps in prop::collection::vec((0..40_u64, prop::collection::vec(any::<u8>(), 0..80), 0..60_000_u64), 1..150),
    ) {
        let mut caller = CallerAudio::new().unwrap();
        let (good, mut now) = (packets(4), 0);
        let mut frame = [0; CALLER_FRAME_SAMPLES];
        for (i, (back, bytes, wait)) in steps.into_iter().enumerate() {
            now += wait;
            let seq = (i as u64 + 40) - back;
            let payload = if i % 3 == 0 { bytes } else { good[i % 4].clone() };
            caller.insert(seq, seq as u32 * 960, payload, now);
            caller.pull_20ms(now, &mut frame);
            prop_assert!(caller.held_ms() <= 1_400);
        }
    }
}
