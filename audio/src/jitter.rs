//! The jitter buffer: packets in as the network brings them, out in order and in time.
//!
//! It holds each packet until its turn, learns from arrival times how much delay the network's
//! jitter needs, and says what is lost, what is silence (DTX) and when to wait. It neither decodes
//! nor knows a clock; [`crate::caller::CallerAudio`] joins it to a decoder.

mod delay;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::{FRAME_MS, RTP_RATE_HZ};
use delay::DelayEstimator;

pub use delay::{TARGET_MS_MAX, TARGET_MS_MIN, TARGET_MS_START};

/// RTP ticks (48 kHz) of one millisecond.
pub const TICKS_PER_MS: i64 = RTP_RATE_HZ as i64 / 1_000;

/// Most packets held: 2.5 s of 20 ms packets. Beyond it the oldest go.
pub const PACKETS_MAX: usize = 128;

/// Most audio held, in milliseconds. A burst beyond it (after a network cut) is cut to the target
/// delay by dropping its oldest part: a caller who waited that long is not helped by hearing all.
pub const HELD_MS_MAX: i64 = 1_000;

/// A jump of sequence numbers or time beyond this is a new stream rather than a loss.
const JUMP_SEQ_MAX: u64 = 400;
/// The same for timestamps, in milliseconds.
const JUMP_MS_MAX: i64 = 10_000;
/// So many packets in a row that are too late mean that the sender started over.
const LATE_RUN_MAX: u32 = 25;
/// A packet whose timestamp is off by less than 2 ms is in its place.
const TOLERANCE_TICKS: i64 = 2 * TICKS_PER_MS;
/// RTP ticks of one pull.
const FRAME_TICKS: i64 = FRAME_MS as i64 * TICKS_PER_MS;
/// Excess delay not worth dropping audio for: 5 ms.
const EXCESS_TICKS_MIN: i64 = 5 * TICKS_PER_MS;
/// Pulls over which the least excess is taken before audio is dropped to catch up: 1 s.
const EXCESS_PULLS: u32 = 50;

/// One packet as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitterPacket {
    /// Sequence number, extended so that it does not wrap.
    pub seq: u64,
    /// RTP timestamp, 48 kHz, wrapping.
    pub rtp_time: u32,
    /// Duration of its audio in RTP ticks (48 kHz).
    pub ticks: u32,
    /// Codec data, not empty.
    pub payload: Vec<u8>,
    /// When it arrived, in microseconds on the clock of [`JitterBuffer::pull`].
    pub arrival_us: u64,
}

/// What is to be played next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Popped<'a> {
    /// The next packet.
    Packet {
        /// Its codec data.
        payload: Vec<u8>,
    },
    /// The next packet is missing.
    Lost {
        /// What it probably lasted, in RTP ticks.
        ticks: u32,
        /// The packet right behind it, which may carry a copy of it.
        next: Option<&'a [u8]>,
    },
    /// The sender was silent on purpose (DTX): so many RTP ticks without sound.
    Silence {
        /// Length, in RTP ticks.
        ticks: u32,
    },
    /// Nothing is here in time: hide it, but expect it still to come.
    Dry,
    /// No stream yet, or it paused: silence until enough has come in.
    Filling,
}

/// What happened to the packets so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitterCounters {
    /// Packets that came in, duplicates included.
    pub received: u64,
    /// Packets that were never there when their turn came.
    pub lost: u64,
    /// Packets that came after their turn; they also count as lost.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets dropped to catch up or because there was no room.
    pub dropped: u64,
    /// Times that the stream began anew.
    pub resets: u64,
}

/// The buffer of one stream.
#[derive(Debug)]
pub struct JitterBuffer {
    packets: BTreeMap<u64, Held>,
    delay: DelayEstimator,
    state: State,
    /// Sequence number and time that come next, once playing.
    next_seq: u64,
    next_time: i64,
    last_ticks: u32,
    /// Unwrapped time of the last packet inserted, for unwrapping the next.
    newest: Option<(u64, i64)>,
    /// How much was played in place of packets not there yet, in ticks.
    dry_ticks: i64,
    late_run: u32,
    started: bool,
    excess: Excess,
    counters: JitterCounters,
}

#[derive(Debug)]
struct Held {
    time: i64,
    ticks: u32,
    payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for the target delay's worth of audio.
    Filling,
    /// Giving a packet a pull.
    Playing,
}

impl Default for JitterBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl JitterBuffer {
    /// An empty buffer with a target delay of [`TARGET_MS_START`].
    pub fn new() -> Self {
        Self {
            packets: BTreeMap::new(),
            delay: DelayEstimator::new(),
            state: State::Filling,
            next_seq: 0,
            next_time: 0,
            last_ticks: FRAME_TICKS as u32,
            newest: None,
            dry_ticks: 0,
            late_run: 0,
            started: false,
            excess: Excess::default(),
            counters: JitterCounters::default(),
        }
    }

    /// Takes a packet in. Late and duplicate ones are counted and dropped; a great jump of
    /// sequence or time starts a new stream.
    pub fn insert(&mut self, packet: JitterPacket) {
        self.counters.received += 1;
        let time = self.unwrap_time(&packet);
        if self.is_late(&packet) {
            return;
        }
        if self.packets.contains_key(&packet.seq) {
            self.counters.duplicate += 1;
            return;
        }
        self.delay.observe(packet.arrival_us, time);
        let JitterPacket {
            seq,
            ticks,
            payload,
            ..
        } = packet;
        if self.newest.is_none_or(|(newest_seq, _)| seq > newest_seq) {
            self.newest = Some((seq, time));
        }
        self.packets.insert(
            seq,
            Held {
                time,
                ticks,
                payload,
            },
        );
        self.bound();
    }

    /// What to play next. Call it whenever the player needs more, with the audio it still has, in
    /// RTP ticks, in `player_ticks`.
    pub fn pull(&mut self, now_us: u64, player_ticks: i64) -> Popped<'_> {
        if self.state == State::Filling && !self.start(now_us) {
            return Popped::Filling;
        }
        let Some((&seq, head)) = self.packets.first_key_value() else {
            self.excess = Excess::default();
            return Popped::Dry;
        };
        let playout_us = self.delay.playout_us(now_us, head.time);
        let held_ticks = self.held_ticks() + player_ticks;
        let target_us = i64::from(self.delay.target_ms()) * 1_000;
        self.excess.watch(
            (playout_us - target_us) * TICKS_PER_MS / 1_000,
            held_ticks - FRAME_TICKS,
        );
        let gap = head.time - self.next_time;
        if seq == self.next_seq {
            self.pull_in_sequence(gap)
        } else {
            let room = playout_us + i64::from(FRAME_MS) * 1_000 <= target_us;
            self.pull_over_loss(seq - self.next_seq, gap, room)
        }
    }

    /// Tells that `ticks` were played to hide a [`Popped::Dry`].
    pub fn note_hidden(&mut self, ticks: i64) {
        self.dry_ticks += ticks;
    }

    /// Tells that hiding is given up: the next packet waits for the target delay again.
    pub fn note_paused(&mut self) {
        if self.packets.is_empty() {
            self.state = State::Filling;
        }
    }

    /// Audio above the target delay throughout the last second, in ticks; 0 where it is too little
    /// to matter. The player drops that much where it hurts least.
    pub fn excess_ticks(&self) -> i64 {
        self.excess.ticks()
    }

    /// Tells that the player dropped `ticks` to catch up.
    pub fn note_caught_up(&mut self, ticks: i64) {
        self.excess.lowest_ticks -= ticks;
    }

    /// The delay aimed at, in milliseconds, [`TARGET_MS_MIN`] to [`TARGET_MS_MAX`].
    pub fn target_ms(&self) -> u32 {
        self.delay.target_ms()
    }

    /// Audio held now, in milliseconds.
    pub fn held_ms(&self) -> u32 {
        (self.held_ticks() / TICKS_PER_MS) as u32
    }

    /// Packets held now.
    pub fn held_packets(&self) -> usize {
        self.packets.len()
    }

    /// What happened so far.
    pub fn counters(&self) -> JitterCounters {
        self.counters
    }

    /// Forgets the stream, for a new sender (another SSRC). The counters and the delay learned
    /// stay.
    pub fn reset(&mut self) {
        self.counters.dropped += self.packets.len() as u64;
        self.counters.resets += 1;
        self.packets.clear();
        self.state = State::Filling;
        self.newest = None;
        self.started = false;
        self.dry_ticks = 0;
        self.late_run = 0;
        self.excess = Excess::default();
        self.delay.new_stream();
    }

    /// The packet's time without wrap, on a scale that starts with the stream.
    fn unwrap_time(&mut self, packet: &JitterPacket) -> i64 {
        let Some((seq, time)) = self.newest else {
            return i64::from(packet.rtp_time);
        };
        let step = i64::from(packet.rtp_time.wrapping_sub(time as u32) as i32);
        let jumped =
            packet.seq.abs_diff(seq) > JUMP_SEQ_MAX || step.abs() > JUMP_MS_MAX * TICKS_PER_MS;
        // Time that runs against the sequence is a new clock, not a reordering.
        let against = packet.seq > seq && step < 0;
        if jumped || against {
            self.reset();
            return i64::from(packet.rtp_time);
        }
        time + step
    }

    fn is_late(&mut self, packet: &JitterPacket) -> bool {
        if !self.started || packet.seq >= self.next_seq {
            self.late_run = 0;
            return false;
        }
        self.counters.late += 1;
        self.late_run += 1;
        if self.late_run > LATE_RUN_MAX {
            self.reset();
        }
        true
    }

    fn start(&mut self, now_us: u64) -> bool {
        let Some((&seq, head)) = self.packets.first_key_value() else {
            return false;
        };
        // A packet's own jitter fills the rest of the target: see `DelayEstimator`.
        let wait_us = (i64::from(self.delay.target_ms()) - i64::from(FRAME_MS)) * 1_000;
        if self.delay.playout_us(now_us, head.time) < wait_us {
            return false;
        }
        if self.started {
            self.counters.lost += seq.saturating_sub(self.next_seq);
        }
        self.next_seq = seq;
        self.next_time = head.time;
        self.dry_ticks = 0;
        self.excess = Excess::default();
        self.started = true;
        self.state = State::Playing;
        true
    }

    /// `missing` packets are not there before the head, which is `gap` ticks ahead. `room` says
    /// that the target allows for one frame more of delay.
    fn pull_over_loss(&mut self, missing: u64, gap: i64, room: bool) -> Popped<'_> {
        let step = i64::from(self.last_ticks);
        // What was hidden while the buffer was dry stands for what turned out to be lost.
        // With room for more delay the lost one is played too, mended: from then on the next
        // packet is here when a loss is noticed.
        self.delay.note_loss();
        if self.dry_ticks >= gap - TOLERANCE_TICKS && !(room && missing == 1) {
            self.counters.lost += missing;
            return self.take_head();
        }
        let hidden = (self.dry_ticks / step).clamp(0, missing as i64 - 1);
        self.dry_ticks = 0;
        self.counters.lost += hidden as u64 + 1;
        self.next_seq += hidden as u64 + 1;
        self.next_time += (hidden + 1) * step;
        let head = self.packets.first_key_value();
        let next = head
            .filter(|&(&seq, _)| seq == self.next_seq)
            .map(|(_, held)| held.payload.as_slice());
        Popped::Lost {
            ticks: self.last_ticks,
            next,
        }
    }

    fn pull_in_sequence(&mut self, gap: i64) -> Popped<'_> {
        let silent = gap - self.dry_ticks;
        // A silence longer than what may be held cannot have been waited for: the clock jumped.
        if silent <= TOLERANCE_TICKS || silent > HELD_MS_MAX * TICKS_PER_MS {
            return self.take_head();
        }
        let ticks = silent.min(FRAME_TICKS);
        self.next_time += ticks + self.dry_ticks;
        self.dry_ticks = 0;
        Popped::Silence {
            ticks: ticks as u32,
        }
    }

    fn take_head(&mut self) -> Popped<'_> {
        let (seq, held) = self
            .packets
            .pop_first()
            .expect("invariant: checked by the caller");
        self.next_seq = seq + 1;
        self.next_time = held.time + i64::from(held.ticks);
        self.last_ticks = held.ticks;
        self.dry_ticks = 0;
        Popped::Packet {
            payload: held.payload,
        }
    }

    fn held_ticks(&self) -> i64 {
        self.packets
            .values()
            .map(|held| i64::from(held.ticks))
            .sum()
    }

    fn bound(&mut self) {
        if self.packets.len() <= PACKETS_MAX && self.held_ticks() <= HELD_MS_MAX * TICKS_PER_MS {
            return;
        }
        let keep_ticks = i64::from(self.delay.target_ms()) * TICKS_PER_MS;
        while self.packets.len() > 1
            && (self.packets.len() > PACKETS_MAX || self.held_ticks() > keep_ticks)
        {
            self.packets.pop_first();
            self.counters.dropped += 1;
        }
        if let Some((&seq, head)) = self.packets.first_key_value() {
            self.next_seq = seq;
            self.next_time = head.time;
        }
        self.dry_ticks = 0;
        self.excess = Excess::default();
    }
}

/// How far the playout delay has been above the target for a while.
#[derive(Debug)]
struct Excess {
    lowest_ticks: i64,
    pulls: u32,
}

impl Default for Excess {
    fn default() -> Self {
        Self {
            lowest_ticks: i64::MAX,
            pulls: 0,
        }
    }
}

impl Excess {
    /// `delay_ticks` above the target, of which `spare_ticks` are really there.
    fn watch(&mut self, delay_ticks: i64, spare_ticks: i64) {
        if self.pulls > 2 * EXCESS_PULLS {
            *self = Self::default();
        }
        self.pulls += 1;
        self.lowest_ticks = self.lowest_ticks.min(delay_ticks).min(spare_ticks);
    }

    fn ticks(&self) -> i64 {
        let matters = self.pulls >= EXCESS_PULLS && self.lowest_ticks > EXCESS_TICKS_MIN;
        if matters { self.lowest_ticks } else { 0 }
    }
}
