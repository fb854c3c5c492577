//! A caller's audio: jitter buffer and Opus decoder joined, 20 ms at a time.

mod shrink;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::fade;
use crate::jitter::{JitterBuffer, JitterCounters, JitterPacket, Popped, TICKS_PER_MS};
use crate::opus::{CodecError, OpusDecoder, PACKET_SAMPLES_MAX, has_fec, packet_ticks};
use crate::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ, FRAME_MS, RTP_RATE_HZ};

/// How long a loss is hidden by inventing sound, fading out, in milliseconds; then silence.
/// Opus's own concealment sounds like a buzz beyond about 100 ms.
pub const CONCEAL_MS_MAX: u32 = 120;

/// RTP ticks of one sample.
const TICKS_PER_SAMPLE: i64 = (RTP_RATE_HZ / CALLER_RATE_HZ) as i64;
const CONCEAL_SAMPLES_MAX: usize = (CALLER_RATE_HZ / 1_000 * CONCEAL_MS_MAX) as usize;
/// Opus payloads up to this long say that the sender has gone silent (RFC 7587, 3.1.3).
const DTX_BYTES_MAX: usize = 2;

/// What a pull gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// Audio as the caller sent it.
    Audio,
    /// Audio recovered from redundancy (FEC) or invented to hide a loss (PLC).
    Concealed,
    /// Silence: the caller sends nothing (not yet, DTX, or the line is dead).
    Nothing,
}

/// What happened so far, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallerCounters {
    /// Packets with audio that came in.
    pub received: u64,
    /// Packets without content, which Chromium sends to probe the network; ignored.
    pub empty: u64,
    /// Packets that are not valid Opus; ignored.
    pub malformed: u64,
    /// Packets that were not there when their turn came.
    pub lost: u64,
    /// Lost packets that came after all, too late.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets dropped to catch up after a burst.
    pub dropped: u64,
    /// Lost packets whose audio was recovered from the next one.
    pub fec_recovered: u64,
    /// Milliseconds of sound invented to hide losses and late packets.
    pub concealed_ms: u64,
    /// Milliseconds of audio left out, at quiet places or whole pitch periods, to catch up.
    pub shrunk_ms: u64,
    /// Times that the stream began anew.
    pub resets: u64,
}

/// One caller's stream, from packets to 20 ms frames at 16 kHz.
#[derive(Debug)]
pub struct CallerAudio {
    jitter: JitterBuffer,
    decoder: OpusDecoder,
    ready: VecDeque<i16>,
    /// What the samples in `ready` are, oldest first.
    kinds: VecDeque<(Pulled, usize)>,
    scratch: Vec<i16>,
    /// Samples invented in a row.
    hidden_samples: usize,
    /// True while the output is silent, so that audio fades in.
    silent: bool,
    dtx: bool,
    counters: CallerCounters,
}

impl CallerAudio {
    /// A stream that has not begun.
    ///
    /// # Errors
    /// [`CodecError::Library`] where there is no memory for a decoder.
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self {
            jitter: JitterBuffer::new(),
            decoder: OpusDecoder::new(CALLER_RATE_HZ)?,
            ready: VecDeque::with_capacity(2 * PACKET_SAMPLES_MAX),
            kinds: VecDeque::new(),
            scratch: vec![0; PACKET_SAMPLES_MAX],
            hidden_samples: 0,
            silent: true,
            dtx: false,
            counters: CallerCounters::default(),
        })
    }

    /// Takes a packet in: extended sequence number, RTP timestamp (48 kHz), payload, and when it
    /// arrived in microseconds on the clock of [`CallerAudio::pull_20ms`]. Payloads that are empty
    /// or not Opus are counted and ignored.
    pub fn insert(&mut self, seq: u64, rtp_time: u32, payload: Vec<u8>, arrival_us: u64) {
        if payload.is_empty() {
            self.counters.empty += 1;
            return;
        }
        match packet_ticks(&payload) {
            Err(_) => self.counters.malformed += 1,
            Ok(ticks) => {
                self.jitter.insert(JitterPacket {
                    seq,
                    rtp_time,
                    ticks,
                    payload,
                    arrival_us,
                });
            }
        }
    }

    /// The next 20 ms. `out` is filled whole in every case.
    pub fn pull_20ms(&mut self, now_us: u64, out: &mut [i16; CALLER_FRAME_SAMPLES]) -> Pulled {
        self.fill(now_us, CALLER_FRAME_SAMPLES);
        self.catch_up(now_us);
        for (to, from) in out.iter_mut().zip(self.ready.drain(..CALLER_FRAME_SAMPLES)) {
            *to = from;
        }
        self.take_kind(CALLER_FRAME_SAMPLES)
    }

    /// Begins a new stream, for another SSRC. What was not yet played is dropped.
    pub fn reset(&mut self) {
        self.jitter.reset();
        // A decoder that cannot be reset still decodes; it merely remembers the old speaker.
        let _ = self.decoder.reset();
        self.ready.clear();
        self.kinds.clear();
        self.hidden_samples = 0;
        self.silent = true;
        self.dtx = false;
    }

    /// What happened so far.
    pub fn counters(&self) -> CallerCounters {
        let JitterCounters {
            received,
            lost,
            late,
            duplicate,
            dropped,
            resets,
        } = self.jitter.counters();
        CallerCounters {
            received,
            lost,
            late,
            duplicate,
            dropped,
            resets,
            ..self.counters
        }
    }

    /// The delay aimed at, in milliseconds.
    pub fn target_ms(&self) -> u32 {
        self.jitter.target_ms()
    }

    /// Audio held now, in milliseconds.
    pub fn held_ms(&self) -> u32 {
        self.jitter.held_ms() + self.ready.len() as u32 / (CALLER_RATE_HZ / 1_000)
    }

    fn fill(&mut self, now_us: u64, samples: usize) {
        while self.ready.len() < samples {
            let player_ticks = self.ready.len() as i64 * TICKS_PER_SAMPLE;
            match self.jitter.pull(now_us, player_ticks) {
                Popped::Packet { payload } => self.play(&payload),
                Popped::Lost { ticks, next } => {
                    let samples = (i64::from(ticks) / TICKS_PER_SAMPLE) as usize;
                    let lost = &mut self.scratch[..samples.min(PACKET_SAMPLES_MAX)];
                    let recovered = next
                        .filter(|next| has_fec(next))
                        .is_some_and(|next| self.decoder.decode_fec(next, lost).is_ok());
                    if recovered {
                        self.counters.fec_recovered += 1;
                        self.push_scratch(samples, Pulled::Concealed);
                    } else {
                        self.hide(samples);
                    }
                }
                Popped::Silence { ticks } => {
                    self.be_silent((i64::from(ticks) / TICKS_PER_SAMPLE) as usize);
                }
                Popped::Filling => self.be_silent(CALLER_FRAME_SAMPLES),
                Popped::Dry => self.wait(),
            }
        }
    }

    fn play(&mut self, payload: &[u8]) {
        self.dtx = payload.len() <= DTX_BYTES_MAX;
        match self.decoder.decode(payload, &mut self.scratch) {
            Ok(samples) => {
                self.hidden_samples = 0;
                self.push_scratch(samples, Pulled::Audio);
            }
            Err(_) => {
                self.counters.malformed += 1;
                let ticks = packet_ticks(payload).unwrap_or(FRAME_MS * TICKS_PER_MS as u32);
                self.hide((i64::from(ticks) / TICKS_PER_SAMPLE) as usize);
            }
        }
    }

    /// The buffer ran dry: hide it for a while, then call it a pause.
    fn wait(&mut self) {
        if self.dtx || self.hidden_samples >= CONCEAL_SAMPLES_MAX {
            self.jitter.note_paused();
            self.be_silent(CALLER_FRAME_SAMPLES);
        } else {
            self.hide(CALLER_FRAME_SAMPLES);
            self.jitter
                .note_hidden(CALLER_FRAME_SAMPLES as i64 * TICKS_PER_SAMPLE);
        }
    }

    /// Invents `samples` of sound, at most until [`CONCEAL_MS_MAX`] of it in a row.
    fn hide(&mut self, samples: usize) {
        let samples = samples.min(PACKET_SAMPLES_MAX);
        let invented = &mut self.scratch[..samples];
        if self.hidden_samples >= CONCEAL_SAMPLES_MAX || self.decoder.conceal(invented).is_err() {
            self.be_silent(samples);
            return;
        }
        let gain = |hidden: usize| {
            1.0 - hidden.min(CONCEAL_SAMPLES_MAX) as f32 / CONCEAL_SAMPLES_MAX as f32
        };
        fade::ramp(
            invented,
            gain(self.hidden_samples),
            gain(self.hidden_samples + samples),
        );
        self.hidden_samples += samples;
        self.counters.concealed_ms += (samples as u32 / (CALLER_RATE_HZ / 1_000)) as u64;
        self.push_scratch(samples, Pulled::Concealed);
    }

    fn push_scratch(&mut self, samples: usize, kind: Pulled) {
        let made = &mut self.scratch[..samples];
        if std::mem::take(&mut self.silent) {
            fade::fade_in(made, CALLER_RATE_HZ);
        }
        self.ready.extend(&*made);
        self.kinds.push_back((kind, samples));
    }

    fn be_silent(&mut self, samples: usize) {
        self.silent = true;
        self.ready.extend(std::iter::repeat_n(0, samples));
        self.kinds.push_back((Pulled::Nothing, samples));
    }

    /// Leaves out a little audio where more is held than the network needs.
    fn catch_up(&mut self, now_us: u64) {
        let excess = (self.jitter.excess_ticks() / TICKS_PER_SAMPLE) as usize;
        // What is looked at must be here already: a cut that ran the buffer dry would help nobody.
        let needed = shrink::SPAN_SAMPLES + CALLER_FRAME_SAMPLES;
        let held = self.ready.len() + (self.jitter.held_ms() * CALLER_RATE_HZ / 1_000) as usize;
        if excess == 0 || held < needed {
            return;
        }
        self.fill(now_us, needed);
        let pcm = self.ready.make_contiguous();
        let removed =
            shrink::find(&pcm[..shrink::SPAN_SAMPLES], excess).map_or(0, |cut| cut.apply(pcm));
        if removed > 0 {
            let len = self.ready.len() - removed;
            self.ready.truncate(len);
            self.take_kind(removed);
            self.jitter
                .note_caught_up(removed as i64 * TICKS_PER_SAMPLE);
            self.counters.shrunk_ms += (removed as u32 / (CALLER_RATE_HZ / 1_000)) as u64;
        }
    }

    /// Takes `samples` off the front of `kinds` and says what most of them were.
    fn take_kind(&mut self, samples: usize) -> Pulled {
        let (mut audio, mut concealed, mut left) = (0, 0, samples);
        while left > 0 {
            let Some((kind, run)) = self.kinds.front_mut() else {
                break;
            };
            let taken = left.min(*run);
            match kind {
                Pulled::Audio => audio += taken,
                Pulled::Concealed => concealed += taken,
                Pulled::Nothing => {}
            }
            left -= taken;
            *run -= taken;
            if *run == 0 {
                self.kinds.pop_front();
            }
        }
        if audio * 2 >= samples {
            Pulled::Audio
        } else if (audio + concealed) * 2 >= samples {
            Pulled::Concealed
        } else {
            Pulled::Nothing
        }
    }
}
