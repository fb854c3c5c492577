//! Measuring on a virtual clock.
//!
//! Audio arrives at the pace of speech on a clock that moves by the processor time that the
//! decoder's thread has used, or jumps to the next packet when the decoder waits. So the decoder
//! uses only audio that would have arrived, its delays are those of an otherwise idle core, and a
//! measurement takes less time than the speech.

use std::sync::Arc;

use super::PocketSphinxError;
use super::cmn::Channel;
use super::decoder::Decoder;
use super::pool::Pool;
use super::recognition::{Feed, FeedState, Pace, Recognition};
use super::vocabulary::Prepared;
use crate::hear::{HEAR_RATE_HZ, HearContext};

/// Samples that arrive at once: a 20 ms packet.
const PACKET_SAMPLES: usize = HEAR_RATE_HZ as usize / 50;

/// A decoder set apart for measurements.
pub struct Measurement {
    pool: Arc<Pool>,
    prepared: Arc<Prepared>,
    decoder: Decoder,
    pace: Pace,
    channel: Channel,
}

/// What recognizing one utterance came to.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The words.
    pub text: String,
    /// Seconds of processor time used.
    pub cpu_s: f64,
    /// Seconds from the last sample's arrival to the final.
    pub final_s: f64,
    /// Partials sent.
    pub partials: usize,
    /// Seconds from the first sample to the first partial.
    pub first_partial_s: Option<f64>,
}

impl Measurement {
    pub(super) fn new(pool: Arc<Pool>, context: &HearContext) -> Result<Self, PocketSphinxError> {
        let prepared = pool.vocabulary().prepare(context)?;
        let mut decoder = Decoder::new(pool.vocabulary().paths(), &pool.tuning().decoder)?;
        pool.vocabulary().load(&mut decoder, &prepared)?;
        Ok(Self {
            pool,
            prepared,
            decoder,
            pace: Pace::default(),
            channel: Channel::default(),
        })
    }

    /// A new call: nothing is known of the caller.
    pub fn new_call(&mut self) {
        self.channel = Channel::default();
    }

    /// Recognizes one utterance of the current call, streamed.
    ///
    /// # Errors
    /// Any [`PocketSphinxError`].
    pub fn utterance(&mut self, pcm: &[i16]) -> Result<Measured, PocketSphinxError> {
        self.pool
            .vocabulary()
            .load(&mut self.decoder, &self.prepared)?;
        let mut feed = VirtualFeed::new(pcm);
        let done = Recognition::new(
            &mut self.decoder,
            &mut feed,
            &mut self.pace,
            self.pool.tuning(),
            self.channel,
        )
        .run()?
        .ok_or(PocketSphinxError::Decode {
            what: "a cancel that nobody asked for",
        })?;
        self.channel.learn(&done.heard);
        let end_s = feed.now_s();
        Ok(Measured {
            text: done.text,
            cpu_s: thread_cpu_s() - feed.cpu_begun_s,
            final_s: end_s - pcm.len() as f64 / f64::from(HEAR_RATE_HZ),
            partials: feed.partials,
            first_partial_s: feed.first_partial_s,
        })
    }
}

struct VirtualFeed<'a> {
    pcm: &'a [i16],
    taken: usize,
    cpu_begun_s: f64,
    /// Seconds spent waiting for packets.
    waited_s: f64,
    partials: usize,
    first_partial_s: Option<f64>,
}

impl<'a> VirtualFeed<'a> {
    fn new(pcm: &'a [i16]) -> Self {
        Self {
            pcm,
            taken: 0,
            cpu_begun_s: thread_cpu_s(),
            waited_s: 0.0,
            partials: 0,
            first_partial_s: None,
        }
    }

    fn arrives_s(samples: usize) -> f64 {
        samples as f64 / f64::from(HEAR_RATE_HZ)
    }
}

impl Feed for VirtualFeed<'_> {
    fn take(&mut self, pcm: &mut Vec<i16>, wait: bool) -> FeedState {
        let next = (self.taken + PACKET_SAMPLES).min(self.pcm.len());
        let mut now_s = self.now_s();
        if wait && Self::arrives_s(next) > now_s {
            self.waited_s += Self::arrives_s(next) - now_s;
            now_s = Self::arrives_s(next);
        }
        while self.taken < self.pcm.len() {
            let upto = (self.taken + PACKET_SAMPLES).min(self.pcm.len());
            if Self::arrives_s(upto) > now_s + 1e-9 {
                return FeedState::Open;
            }
            pcm.extend_from_slice(&self.pcm[self.taken..upto]);
            self.taken = upto;
        }
        FeedState::Finished
    }

    fn now_s(&mut self) -> f64 {
        thread_cpu_s() - self.cpu_begun_s + self.waited_s
    }

    fn partial(&mut self, _text: String) {
        self.partials += 1;
        let now_s = self.now_s();
        self.first_partial_s.get_or_insert(now_s);
    }
}

/// Seconds of processor time that this thread has used.
fn thread_cpu_s() -> f64 {
    /// `struct timespec`.
    #[repr(C)]
    #[derive(Default)]
    struct Timespec {
        seconds: std::ffi::c_long,
        nanoseconds: std::ffi::c_long,
    }
    /// `CLOCK_THREAD_CPUTIME_ID` of Linux.
    const THREAD_CPU_CLOCK: std::ffi::c_int = 3;
    unsafe extern "C" {
        fn clock_gettime(clock: std::ffi::c_int, time: *mut Timespec) -> std::ffi::c_int;
    }
    let mut time = Timespec::default();
    // SAFETY: `time` has the layout of the C structure on 64-bit Linux and outlives the call.
    unsafe { clock_gettime(THREAD_CPU_CLOCK, &mut time) };
    time.seconds as f64 + time.nanoseconds as f64 * 1e-9
}
