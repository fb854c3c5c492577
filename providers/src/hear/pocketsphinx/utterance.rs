//! An utterance between the call that speaks it and the decoder that listens to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use antiphon_proto::UtteranceId;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::PocketSphinxError;
use super::cmn::Channel;
use super::recognition::{Feed, FeedState};
use super::vocabulary::{Prepared, Vocabulary};
use crate::Fault;
use crate::hear::{HEAR_RATE_HZ, HearContext, HearEvent, HearEventKind};

/// Longest stretch of audio that waits for a decoder, in seconds; more fails the utterance.
pub const WAITING_S_MAX: usize = 30;

/// Longest utterance, in seconds; a person without a pause for so long is not a person.
pub const UTTERANCE_S_MAX: usize = 300;

/// How often a full event channel is looked at again.
const CHANNEL_FULL_RETRY: Duration = Duration::from_millis(5);

/// What the utterances of one call share.
pub(super) struct Call {
    pub(super) context: HearContext,
    events: mpsc::Sender<HearEvent>,
    /// Set when the stream is dropped.
    closed: AtomicBool,
    channel: Mutex<Channel>,
    prepared: OnceLock<Arc<Prepared>>,
}

impl Call {
    pub(super) fn new(context: HearContext, events: mpsc::Sender<HearEvent>) -> Self {
        Self {
            context,
            events,
            closed: AtomicBool::new(false),
            channel: Mutex::default(),
            prepared: OnceLock::new(),
        }
    }

    /// Nothing is sent any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// What is known of the caller's microphone and room.
    pub(super) fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files for this call's agent.
    pub(super) fn prepared(
        &self,
        vocabulary: &Vocabulary,
    ) -> Result<Arc<Prepared>, PocketSphinxError> {
        if let Some(prepared) = self.prepared.get() {
            return Ok(prepared.clone());
        }
        let prepared = vocabulary.prepare(&self.context)?;
        Ok(self.prepared.get_or_init(|| prepared).clone())
    }
}

/// One utterance, written by its stream and read by a worker.
pub(super) struct Utterance {
    id: UtteranceId,
    pub(super) call: Arc<Call>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pcm: Vec<i16>,
    samples: usize,
    finished: bool,
    /// Cancelled, or answered with a final or a failure: nothing more is sent.
    over: bool,
}

impl Utterance {
    pub(super) fn new(id: UtteranceId, call: Arc<Call>) -> Self {
        Self {
            id,
            call,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// More audio. Answers how many samples there have been.
    pub(super) fn push(&self, pcm: &[i16]) -> usize {
        let mut state = self.lock();
        if state.finished || state.over {
            return state.samples;
        }
        state.samples += pcm.len();
        let waiting_s = (state.pcm.len() + pcm.len()) / HEAR_RATE_HZ as usize;
        let reason = if waiting_s >= WAITING_S_MAX {
            "the recognizer is overloaded: too much audio waits for it"
        } else if state.samples / HEAR_RATE_HZ as usize >= UTTERANCE_S_MAX {
            "the utterance is too long"
        } else {
            state.pcm.extend_from_slice(pcm);
            self.changed.notify_one();
            return state.samples;
        };
        state.pcm = Vec::new();
        let samples = state.samples;
        drop(state);
        self.fail(reason.to_owned());
        samples
    }

    /// No more audio comes.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_one();
    }

    /// Nothing more is sent for it.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        state.over = true;
        state.pcm = Vec::new();
        self.changed.notify_one();
    }

    /// True where nobody waits for it any more.
    pub(super) fn is_over(&self) -> bool {
        self.call.closed.load(Ordering::Relaxed) || self.lock().over
    }

    /// Answers the utterance, unless it is answered or cancelled.
    pub(super) fn conclude(&self, text: String) {
        self.send_last(HearEventKind::Final {
            text,
            words: Vec::new(),
        });
    }

    /// Fails the utterance, unless it is answered or cancelled. Never waits for the channel: where
    /// it is full, a thread of its own does.
    pub(super) fn fail(&self, reason: String) {
        let event = self.event(HearEventKind::Failed {
            fault: Fault::internal(reason),
        });
        let mut state = self.lock();
        if state.over {
            return;
        }
        state.over = true;
        self.changed.notify_one();
        drop(state);
        if let Err(TrySendError::Full(event)) = self.call.events.try_send(event) {
            let call = self.call.clone();
            std::thread::spawn(move || call.events.blocking_send(event).ok());
        }
    }

    fn event(&self, kind: HearEventKind) -> HearEvent {
        HearEvent {
            utterance: self.id,
            kind,
        }
    }

    /// Sends the last event. Sending and cancelling exclude each other, so that nothing follows a
    /// cancel. While the channel is full it is tried again, until cancelled.
    fn send_last(&self, kind: HearEventKind) {
        let mut event = self.event(kind);
        let mut state = self.lock();
        loop {
            if state.over || self.call.closed.load(Ordering::Relaxed) {
                return;
            }
            match self.call.events.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => {
                    state.over = true;
                    return;
                }
                Err(TrySendError::Full(back)) => event = back,
            }
            state = self
                .changed
                .wait_timeout(state, CHANNEL_FULL_RETRY)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// A worker's view of an utterance, on the wall clock.
pub(super) struct LiveFeed<'a> {
    utterance: &'a Utterance,
    begun: Instant,
}

impl<'a> LiveFeed<'a> {
    pub(super) fn new(utterance: &'a Utterance) -> Self {
        Self {
            utterance,
            begun: Instant::now(),
        }
    }
}

impl Feed for LiveFeed<'_> {
    fn take(&mut self, pcm: &mut Vec<i16>, wait: bool) -> FeedState {
        let mut state = self.utterance.lock();
        loop {
            if state.over || self.utterance.call.closed.load(Ordering::Relaxed) {
                return FeedState::Cancelled;
            }
            let finished = state.finished;
            let empty = state.pcm.is_empty();
            pcm.append(&mut state.pcm);
            if finished {
                return FeedState::Finished;
            }
            if !empty || !wait {
                return FeedState::Open;
            }
            state = self
                .utterance
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn now_s(&mut self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn partial(&mut self, text: String) {
        let state = self.utterance.lock();
        if !state.over && !state.finished {
            // A partial that finds the channel full is left out: the next one has all its words.
            let event = self.utterance.event(HearEventKind::Partial { text });
            let _ = self.utterance.call.events.try_send(event);
        }
    }
}
