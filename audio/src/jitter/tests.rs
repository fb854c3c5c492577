#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn packet(seq: u64, rtp_time: u32, arrival_us: u64) -> JitterPacket {
    JitterPacket {
        seq,
        rtp_time,
        ticks: 960,
        payload: seq.to_le_bytes().to_vec(),
        arrival_us,
    }
}

/// Pulls once; a packet's number, or what else came.
fn pull(buffer: &mut JitterBuffer, now_us: u64) -> Result<u64, &'static str> {
    match buffer.pull(now_us, 0) {
        Popped::Packet { payload } => Ok(u64::from_le_bytes(payload.try_into().unwrap())),
        Popped::Lost { next, .. } => Err(if next.is_some() {
            "lost, next is there"
        } else {
            "lost"
        }),
        Popped::Silence { .. } => Err("silence"),
        Popped::Dry => Err("dry"),
        Popped::Filling => Err("filling"),
    }
}

/// Inserts `(seq, time in frames)` at once and pulls `pulls` times, 20 ms apart.
fn play(packets: &[(u64, u32)], pulls: u64) -> Vec<Result<u64, &'static str>> {
    let mut buffer = JitterBuffer::new();
    for &(seq, frames) in packets {
        buffer.insert(packet(seq, frames.wrapping_mul(960), 0));
    }
    (0..pulls)
        .map(|i| pull(&mut buffer, 500_000 + i * 20_000))
        .collect()
}

#[test]
fn order_is_restored_and_duplicates_are_dropped() {
    let played = play(&[(5, 5), (7, 7), (6, 6), (6, 6), (8, 8)], 5);
    assert_eq!(played, [Ok(5), Ok(6), Ok(7), Ok(8), Err("dry")]);
}

#[test]
fn a_loss_is_told_with_the_packet_that_may_mend_it() {
    let played = play(&[(1, 1), (4, 4), (5, 5)], 5);
    assert_eq!(
        played,
        [Ok(1), Err("lost"), Err("lost, next is there"), Ok(4), Ok(5)]
    );
}

#[test]
fn time_without_numbers_is_silence_not_loss() {
    let played = play(&[(1, 1), (2, 5), (3, 6)], 6);
    assert_eq!(
        played,
        [
            Ok(1),
            Err("silence"),
            Err("silence"),
            Err("silence"),
            Ok(2),
            Ok(3)
        ]
    );
}

#[test]
fn timestamps_wrap() {
    let last = u32::MAX / 960;
    let mut buffer = JitterBuffer::new();
    for i in 0..6_u32 {
        let time = (last * 960).wrapping_add(i * 960);
        buffer.insert(packet(u64::from(i), time, u64::from(i) * 20_000));
    }
    let played: Vec<_> = (0..6)
        .map(|i| pull(&mut buffer, 200_000 + i * 20_000))
        .collect();
    assert_eq!(played, (0..6).map(Ok).collect::<Vec<_>>());
}

#[test]
fn a_late_packet_is_dropped_and_a_new_stream_is_taken_up() {
    let mut buffer = JitterBuffer::new();
    for seq in [10, 12] {
        buffer.insert(packet(seq, seq as u32 * 960, 0));
    }
    for i in 0..3 {
        let _ = pull(&mut buffer, 100_000 + i * 20_000);
    }
    buffer.insert(packet(11, 11 * 960, 170_000));
    assert_eq!((buffer.counters().late, buffer.held_packets()), (1, 0));
    // The sender starts over at another number and time.
    buffer.insert(packet(1_000_000, 77, 180_000));
    assert_eq!(buffer.counters().resets, 1);
    assert_eq!(pull(&mut buffer, 240_000), Ok(1_000_000));
}

#[test]
fn a_burst_is_cut_to_the_target() {
    let mut buffer = JitterBuffer::new();
    for i in 0..120 {
        buffer.insert(packet(i, i as u32 * 960, 3_000_000));
        assert!(buffer.held_ms() <= HELD_MS_MAX as u32 && buffer.held_packets() <= PACKETS_MAX);
    }
    assert!(buffer.counters().dropped > 40);
}

proptest! {
    /// Any order, loss, duplication and clock: every packet at most once, in order.
    #[test]
    fn nothing_is_played_twice_or_out_of_order(
        steps in prop::collection::vec((0..60_u64, any::<bool>(), 0..50_000_u64), 1..300),
        wild in prop::collection::vec((any::<u64>(), any::<u32>()), 0..3),
    ) {
        let mut buffer = JitterBuffer::new();
        let (mut now, mut last, mut resets) = (0, None, 0);
        for (i, &(back, pulls, wait)) in steps.iter().enumerate() {
            now += wait;
            let seq = (i as u64 + 60).saturating_sub(back);
            buffer.insert(packet(seq, seq as u32 * 960, now));
            if let (true, Some(&(seq, time))) = (i % 100 == 99, wild.get(i / 100)) {
                buffer.insert(packet(seq, time, now));
            }
            prop_assert!(buffer.held_packets() <= PACKETS_MAX);
            if buffer.counters().resets != resets {
                (resets, last) = (buffer.counters().resets, None);
            }
            if let (true, Ok(seq)) = (pulls, pull(&mut buffer, now)) {
                prop_assert!(last.is_none_or(|last| seq > last), "{} after {:?}", seq, last);
                last = Some(seq);
            }
        }
    }
}
