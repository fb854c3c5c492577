//! The threads that decode. Each has a decoder of its own; there are only as many as were needed
//! at once, up to the limit. Utterances that find all of them busy wait in line with their audio.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::PocketSphinxError;
use super::decoder::Decoder;
use super::recognition::{Pace, Recognition};
use super::tuning::Tuning;
use super::utterance::{LiveFeed, Utterance};
use super::vocabulary::{Prepared, Vocabulary};

/// Utterances in line for a decoder; beyond it they fail at once.
pub const WAITING_UTTERANCES_MAX: usize = 256;

/// The pool. Dropping it fails nobody: workers end once their utterances are done.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

/// Makes a decoder; [`Shared::new_decoder`] but for tests of what goes wrong there.
type LoadDecoder = fn(&Shared) -> Result<Decoder, PocketSphinxError>;

pub(super) struct Shared {
    pub(super) vocabulary: Vocabulary,
    pub(super) tuning: Tuning,
    decoders_max: usize,
    load: LoadDecoder,
    state: Mutex<State>,
    work: Condvar,
    /// Models to load when idle, by the warm-up.
    warmed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Arc<Utterance>>,
    workers: usize,
    idle: usize,
    closed: bool,
    /// What every worker loads before it takes work.
    warm: Vec<Arc<Prepared>>,
    /// Workers that have loaded it.
    ready: usize,
    failed: Option<String>,
}

impl Pool {
    pub(super) fn new(vocabulary: Vocabulary, tuning: Tuning, decoders_max: usize) -> Self {
        Self::loading_by(Shared::new_decoder, vocabulary, tuning, decoders_max)
    }

    fn loading_by(
        load: LoadDecoder,
        vocabulary: Vocabulary,
        tuning: Tuning,
        decoders_max: usize,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                vocabulary,
                tuning,
                decoders_max: decoders_max.max(1),
                load,
                state: Mutex::default(),
                work: Condvar::new(),
                warmed: Condvar::new(),
            }),
        }
    }

    pub(super) fn vocabulary(&self) -> &Vocabulary {
        &self.shared.vocabulary
    }

    pub(super) fn tuning(&self) -> &Tuning {
        &self.shared.tuning
    }

    /// Puts an utterance in line.
    pub(super) fn submit(&self, utterance: Arc<Utterance>) {
        let mut state = self.shared.lock();
        state.waiting.retain(|waiting| !waiting.is_over());
        if state.waiting.len() >= WAITING_UTTERANCES_MAX {
            drop(state);
            return utterance
                .fail("the recognizer is overloaded: too many utterances wait".to_owned());
        }
        state.waiting.push_back(utterance);
        if state.idle < state.waiting.len() && state.workers < self.shared.decoders_max {
            self.spawn(&mut state);
        }
        drop(state);
        self.shared.work.notify_one();
    }

    /// Starts all workers and waits until each has loaded `models`.
    pub(super) fn warm_up(&self, models: Vec<Arc<Prepared>>) -> Result<(), PocketSphinxError> {
        let mut state = self.shared.lock();
        state.warm = models;
        state.failed = None;
        while state.workers < self.shared.decoders_max {
            self.spawn(&mut state);
        }
        while state.ready < state.workers && state.failed.is_none() {
            state = self
                .shared
                .warmed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        match state.failed.take() {
            Some(reason) => Err(PocketSphinxError::WarmUp { reason }),
            None => Ok(()),
        }
    }

    fn spawn(&self, state: &mut State) {
        let shared = self.shared.clone();
        let spawned = thread::Builder::new()
            .name("hear".to_owned())
            .spawn(move || shared.work());
        match spawned {
            Ok(_) => state.workers += 1,
            // The line is served by the workers there are; with none, the next submit tries again.
            Err(error) => tracing::error!(%error, "no thread for a decoder"),
        }
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

    /// A worker's life.
    fn work(&self) {
        // Whatever happens while loading, the warm-up and the line must hear of it.
        let loaded = catch_unwind(AssertUnwindSafe(|| (self.load)(self)));
        let mut decoder = match loaded {
            Ok(Ok(decoder)) => Some(decoder),
            Ok(Err(error)) => return self.give_up(&error.to_string()),
            Err(_) => return self.give_up("the recognizer panicked while loading"),
        };
        let mut pace = Pace::default();
        {
            let mut state = self.lock();
            state.ready += 1;
            self.warmed.notify_all();
            drop(state);
        }
        while let Some(utterance) = self.next() {
            if utterance.is_over() {
                continue;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let mut at_hand = match decoder.take() {
                    Some(decoder) => decoder,
                    None => (self.load)(self)?,
                };
                self.recognize(&mut at_hand, &mut pace, &utterance)?;
                Ok::<Decoder, PocketSphinxError>(at_hand)
            }));
            // A decoder that failed is not trusted again: it is dropped, and the next utterance
            // gets a new one.
            match outcome {
                Ok(Ok(used)) => decoder = Some(used),
                Ok(Err(error)) => {
                    tracing::error!(%error, "utterance not recognized");
                    utterance.fail(error.to_string());
                }
                Err(_) => {
                    tracing::error!("the recognizer panicked");
                    utterance.fail("the recognizer panicked".to_owned());
                }
            }
        }
    }

    fn new_decoder(&self) -> Result<Decoder, PocketSphinxError> {
        let mut decoder = Decoder::new(self.vocabulary.paths(), &self.tuning.decoder)?;
        let warm = self.lock().warm.clone();
        for prepared in warm {
            self.vocabulary.load(&mut decoder, &prepared)?;
        }
        Ok(decoder)
    }

    /// No decoder can be made: this worker ends, and where it was the last one, the line fails.
    fn give_up(&self, error: &str) {
        tracing::error!(error, "no decoder");
        let mut state = self.lock();
        state.workers -= 1;
        state.failed = Some(error.to_owned());
        let stranded = if state.workers == 0 {
            std::mem::take(&mut state.waiting)
        } else {
            VecDeque::new()
        };
        self.warmed.notify_all();
        drop(state);
        for utterance in stranded {
            utterance.fail(error.to_owned());
        }
    }

    fn next(&self) -> Option<Arc<Utterance>> {
        let mut state = self.lock();
        state.idle += 1;
        loop {
            if let Some(utterance) = state.waiting.pop_front() {
                state.idle -= 1;
                return Some(utterance);
            }
            if state.closed {
                state.idle -= 1;
                return None;
            }
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn recognize(
        &self,
        decoder: &mut Decoder,
        pace: &mut Pace,
        utterance: &Utterance,
    ) -> Result<(), PocketSphinxError> {
        let prepared = utterance.call.prepared(&self.vocabulary)?;
        self.vocabulary.load(decoder, &prepared)?;
        let channel = *utterance.call.channel();
        let mut feed = LiveFeed::new(utterance);
        if let Some(done) =
            Recognition::new(decoder, &mut feed, pace, &self.tuning, channel).run()?
        {
            utterance.call.channel().learn(&done.heard);
            utterance.conclude(done.text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::ModelPaths;
    use super::*;

    /// A warm-up that waits for a decoder that will never come would hang the server's start.
    #[test]
    fn a_panic_while_loading_fails_the_warm_up() {
        let vocabulary =
            Vocabulary::new(ModelPaths::find(None).expect("Debian's model, as `make test` has it"))
                .expect("a dictionary that can be read");
        let pool = Pool::loading_by(|_| panic!("as if"), vocabulary, Tuning::default(), 2);
        let (told, outcome) = std::sync::mpsc::channel();
        thread::spawn(move || told.send(pool.warm_up(Vec::new()).map_err(|e| e.to_string())));
        let outcome = outcome
            .recv_timeout(std::time::Duration::from_secs(20))
            .expect("an answer");
        assert!(outcome.is_err_and(|reason| reason.contains("panicked")));
    }
}
