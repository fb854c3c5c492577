//! The threads that decode. Each has the memory of one decoding; there are only as many as were
//! needed at once, up to the limit. Finals go before partials: a partial under way is given up
//! where a final waits.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::decoder::{Ask, Decoder, Model};
use super::transcript::{Transcript, is_silent, transcript};
use super::utterance::Utterance;
use super::{WhisperConfig, WhisperFault};
use crate::{Fault, FaultKind};

/// Finals in line for a decoder; beyond it they fail at once.
pub const WAITING_UTTERANCES_MAX: usize = 256;

/// Processor cores from which on a decoder gets more than one thread.
const CORES_FOR_MORE: usize = 4;

/// The pool. Dropping it fails nobody: workers end once their utterances are done.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    model: Arc<Model>,
    config: WhisperConfig,
    decoders_max: usize,
    threads: usize,
    state: Mutex<State>,
    work: Condvar,
    /// Finals in line, also for those who must not lock.
    finals: AtomicUsize,
    /// Decoders made so far, for the tests of the limit.
    made: AtomicUsize,
}

#[derive(Default)]
struct State {
    finals: VecDeque<Arc<Utterance>>,
    partials: VecDeque<Arc<Utterance>>,
    workers: usize,
    idle: usize,
    closed: bool,
}

enum Job {
    Final(Arc<Utterance>),
    Partial(Arc<Utterance>),
}

impl Pool {
    pub(super) fn new(model: Model, config: WhisperConfig) -> Self {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // Threads of one decoder wait for each other by spinning: where the audio of calls takes
        // one of few cores, two are slower than one.
        let few = if cores < CORES_FOR_MORE {
            1
        } else {
            super::THREADS_MAX
        };
        let threads = config.threads.unwrap_or(few).clamp(1, cores);
        let decoders_max = config.decoders_max.unwrap_or(cores / threads).max(1);
        Self {
            shared: Arc::new(Shared {
                model: Arc::new(model),
                config,
                decoders_max,
                threads,
                state: Mutex::default(),
                work: Condvar::new(),
                finals: AtomicUsize::new(0),
                made: AtomicUsize::new(0),
            }),
        }
    }

    pub(super) fn model(&self) -> &Model {
        &self.shared.model
    }

    pub(super) fn wants_partials(&self) -> bool {
        self.shared.config.partials
    }

    pub(super) fn decoders_made(&self) -> usize {
        self.shared.made.load(Ordering::Relaxed)
    }

    /// Makes one decoder and decodes a second of next to nothing with it, so that memory is mapped
    /// and the first caller does not wait for that.
    pub(super) fn warm_up(&self) -> Result<(), WhisperFault> {
        let mut decoder = Decoder::new(self.shared.model.clone())?;
        let ask = Ask {
            pcm: &[1; 16_000],
            hint: &[],
            language: Some("en"),
            is_partial: true,
            audio_context: self.shared.config.audio_context,
            threads: self.shared.threads,
            tokens_max: Some(1),
        };
        decoder.decode(&ask, &|| false).map(|_| ())
    }

    /// Puts an utterance in line for its final.
    pub(super) fn submit_final(&self, utterance: Arc<Utterance>) {
        let mut state = self.shared.lock();
        state.finals.retain(|waiting| !waiting.is_over());
        if state.finals.len() >= WAITING_UTTERANCES_MAX {
            drop(state);
            return utterance.fail(Fault::new(
                FaultKind::Overloaded,
                "the recognizer is overloaded: too many utterances wait",
            ));
        }
        state.finals.push_back(utterance);
        self.shared.count_finals(&state);
        self.wake(state);
    }

    /// Puts an utterance in line for a partial; answers false where there are better things to do.
    pub(super) fn submit_partial(&self, utterance: Arc<Utterance>) -> bool {
        let mut state = self.shared.lock();
        state.partials.retain(|waiting| !waiting.wants_no_partial());
        if !state.finals.is_empty() || state.partials.len() >= self.shared.decoders_max {
            return false;
        }
        state.partials.push_back(utterance);
        self.wake(state);
        true
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let waiting = state.finals.len() + state.partials.len();
        if state.idle < waiting && state.workers < self.shared.decoders_max {
            let shared = self.shared.clone();
            let spawned = thread::Builder::new()
                .name("whisper".to_owned())
                .spawn(move || shared.work());
            match spawned {
                Ok(_) => state.workers += 1,
                // The line is served by the workers there are; with none, the next one tries again.
                Err(error) => tracing::error!(%error, "no thread for a decoder"),
            }
        }
        drop(state);
        self.shared.work.notify_one();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_finals(&self, state: &State) {
        self.finals.store(state.finals.len(), Ordering::Relaxed);
    }

    /// A worker's life.
    fn work(&self) {
        let mut decoder = None;
        while let Some(job) = self.next() {
            let outcome = catch_unwind(AssertUnwindSafe(|| self.serve(&mut decoder, &job)));
            let fault = match outcome {
                Ok(Ok(())) => continue,
                Ok(Err(fault)) => fault.to_string(),
                Err(_) => "the recognizer panicked".to_owned(),
            };
            // A decoder that failed is not trusted again.
            decoder = None;
            tracing::error!(fault, "utterance not recognized");
            match job {
                Job::Final(utterance) => utterance.fail(Fault::internal(fault)),
                Job::Partial(utterance) => utterance.partial(Instant::now(), 0, None),
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        state.idle += 1;
        let job = loop {
            if let Some(utterance) = state.finals.pop_front() {
                break Some(Job::Final(utterance));
            }
            if let Some(utterance) = state.partials.pop_front() {
                break Some(Job::Partial(utterance));
            }
            if state.closed {
                break None;
            }
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        state.idle -= 1;
        self.count_finals(&state);
        job
    }

    fn serve(&self, decoder: &mut Option<Decoder>, job: &Job) -> Result<(), WhisperFault> {
        match job {
            Job::Final(utterance) => {
                if utterance.is_over() {
                    return Ok(());
                }
                let stop = || utterance.is_over();
                if let Some(heard) = self.decode(decoder, utterance, false, &stop)? {
                    utterance.conclude(heard);
                }
                Ok(())
            }
            Job::Partial(utterance) => {
                let started = Instant::now();
                let stop =
                    || utterance.wants_no_partial() || self.finals.load(Ordering::Relaxed) > 0;
                let samples = utterance.samples();
                let heard = self.decode(decoder, utterance, true, &stop)?;
                utterance.partial(started, samples, heard.map(|heard| heard.text));
                Ok(())
            }
        }
    }

    fn decode(
        &self,
        decoder: &mut Option<Decoder>,
        utterance: &Utterance,
        is_partial: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Transcript>, WhisperFault> {
        let pcm = utterance.audio();
        if is_silent(&pcm) {
            return Ok(Some(Transcript::default()));
        }
        if decoder.is_none() {
            *decoder = Some(Decoder::new(self.model.clone())?);
            self.made.fetch_add(1, Ordering::Relaxed);
        }
        let Some(at_hand) = decoder else {
            return Ok(None);
        };
        let call = &utterance.call;
        let ask = Ask {
            pcm: &pcm,
            hint: call.hint(&self.model),
            language: call.language(),
            is_partial,
            audio_context: self.config.audio_context,
            threads: self.threads,
            tokens_max: self.config.tokens_max,
        };
        let Some(raw) = at_hand.decode(&ask, stop)? else {
            return Ok(None);
        };
        let heard = transcript(&raw, &pcm, &|word| call.knows(word));
        if !is_partial && !heard.text.is_empty() {
            call.learn_language(raw.language);
        }
        Ok(Some(heard))
    }
}
