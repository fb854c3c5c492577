//! What a call has said and the service has not yet answered: written by the call, read by the
//! driver. It is also what is sent again after a connection broke.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use antiphon_proto::UtteranceId;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::transcript::Transcript;
use crate::hear::{HEAR_RATE_HZ, HearEvent, HearEventKind, HearStream};
use crate::{Fault, FaultKind};

/// Longest utterance, in seconds: its audio is kept until it is answered, 3.8 MB at most.
pub const UTTERANCE_S_MAX: usize = 120;
/// Utterances that wait for their answer; more fails the oldest.
pub const UTTERANCES_MAX: usize = 8;
/// Connections that are tried for one utterance.
pub(super) const ATTEMPTS_MAX: u32 = 3;

/// One call's utterances.
pub(super) struct Inbox {
    state: Mutex<State>,
    /// Something changed; the driver alone waits for it.
    pub(super) changed: Notify,
    events: mpsc::Sender<HearEvent>,
    final_timeout: Duration,
}

#[derive(Default)]
struct State {
    utterances: VecDeque<Utterance>,
    closed: bool,
}

/// An utterance that is being spoken or waits for its answer.
struct Utterance {
    id: UtteranceId,
    pcm: Vec<i16>,
    finished_at: Option<Instant>,
    best: Transcript,
    attempts: u32,
    /// It failed and waits to be told.
    fault: Option<Fault>,
}

/// What the driver sees of an utterance.
pub(super) struct View {
    /// Audio from the asked sample on.
    pub(super) pcm: Vec<i16>,
    /// No more comes behind `pcm`.
    pub(super) is_end: bool,
}

impl Inbox {
    pub(super) fn new(events: mpsc::Sender<HearEvent>, final_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            changed: Notify::new(),
            events,
            final_timeout,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call is over.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed || self.events.is_closed()
    }

    /// The first utterance that waits for the service.
    pub(super) fn first(&self) -> Option<UtteranceId> {
        let state = self.lock();
        let waiting = state.utterances.iter().find(|one| one.fault.is_none())?;
        Some(waiting.id)
    }

    /// True where `id` still wants an answer.
    pub(super) fn wants(&self, id: UtteranceId) -> bool {
        let state = self.lock();
        state
            .utterances
            .iter()
            .any(|one| one.id == id && one.fault.is_none())
    }

    /// Up to `samples_max` of audio of `id` from sample `from` on.
    pub(super) fn audio(&self, id: UtteranceId, from: usize, samples_max: usize) -> Option<View> {
        let state = self.lock();
        let one = state.utterances.iter().find(|one| one.id == id)?;
        let to = one.pcm.len().min(from + samples_max);
        Some(View {
            pcm: one.pcm.get(from..to)?.to_vec(),
            is_end: one.finished_at.is_some() && to == one.pcm.len(),
        })
    }

    /// Keeps a partial and tells it, where it is news and the utterance is still being spoken.
    pub(super) fn partial(&self, id: UtteranceId, transcript: Transcript) {
        let mut state = self.lock();
        let Some(one) = state.utterances.iter_mut().find(|one| one.id == id) else {
            return;
        };
        if one.best.text == transcript.text || one.fault.is_some() {
            return;
        }
        let text = transcript.text.clone();
        one.best = transcript;
        if one.finished_at.is_none() {
            // One that finds the channel full is left out: the next has all its words.
            let kind = HearEventKind::Partial { text };
            let _ = self.events.try_send(HearEvent {
                utterance: id,
                kind,
            });
        }
    }

    /// The next moment at which [`Inbox::overdue`] has something to say.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let state = self.lock();
        let finished = state.utterances.iter().filter_map(|one| one.finished_at);
        finished.min().map(|at| at + self.final_timeout)
    }

    /// An utterance that failed or whose deadline has passed.
    pub(super) fn overdue(&self, now: Instant) -> Option<UtteranceId> {
        let state = self.lock();
        let is_overdue = |one: &&Utterance| {
            one.fault.is_some()
                || one
                    .finished_at
                    .is_some_and(|at| at + self.final_timeout <= now)
        };
        state.utterances.iter().find(is_overdue).map(|one| one.id)
    }

    /// A connection failed. Answers whether an utterance may still be heard by another one.
    /// `current` alone is to blame for what the server said while it was being spoken.
    pub(super) fn connection_failed(&self, fault: &Fault, current: Option<UtteranceId>) {
        let limited = matches!(fault.kind, FaultKind::RateLimited { .. });
        let give_up = limited || !fault.kind.is_passing();
        let mut state = self.lock();
        for one in &mut state.utterances {
            if current.is_some_and(|id| id != one.id) {
                continue;
            }
            one.attempts += 1;
            if one.fault.is_none() && (give_up || one.attempts >= ATTEMPTS_MAX) {
                one.fail(fault.clone());
            }
        }
    }

    /// Answers an utterance that failed or is overdue: with the best partial where there is one.
    pub(super) async fn give_up(&self, id: UtteranceId) {
        let final_timeout = self.final_timeout;
        self.conclude(id, |one| match one.fault.take() {
            Some(fault) => HearEventKind::Failed { fault },
            None if one.best.text.is_empty() => HearEventKind::Failed {
                fault: Fault::new(
                    FaultKind::TooSlow,
                    format!("no transcript within {} ms", final_timeout.as_millis()),
                ),
            },
            None => final_of(std::mem::take(&mut one.best)),
        })
        .await;
    }

    /// Answers an utterance.
    pub(super) async fn answer(&self, id: UtteranceId, transcript: Transcript) {
        self.conclude(id, |_| final_of(transcript)).await;
    }

    /// Sends the last event of an utterance, unless it was cancelled while the channel was full.
    /// Sending and cancelling exclude each other.
    async fn conclude(&self, id: UtteranceId, kind: impl FnOnce(&mut Utterance) -> HearEventKind) {
        let permit = loop {
            let changed = self.changed.notified();
            if !self.lock().utterances.iter().any(|one| one.id == id) {
                return;
            }
            tokio::select! {
                permit = self.events.reserve() => match permit {
                    Ok(permit) => break permit,
                    Err(_) => return,
                },
                () = changed => {}
            }
        };
        let mut state = self.lock();
        let Some(at) = state.utterances.iter().position(|one| one.id == id) else {
            return;
        };
        if let Some(mut one) = state.utterances.remove(at) {
            let kind = kind(&mut one);
            permit.send(HearEvent {
                utterance: id,
                kind,
            });
        }
    }
}

impl Utterance {
    fn fail(&mut self, fault: Fault) {
        self.pcm = Vec::new();
        self.fault = Some(fault);
    }
}

fn final_of(transcript: Transcript) -> HearEventKind {
    HearEventKind::Final {
        text: transcript.text,
        words: transcript.words,
    }
}

/// The call's side.
pub(super) struct Stream {
    inbox: Arc<Inbox>,
    current: Option<UtteranceId>,
    /// Finished or failed: audio is ignored.
    deaf: bool,
}

impl Stream {
    pub(super) fn new(inbox: Arc<Inbox>) -> Self {
        Self {
            inbox,
            current: None,
            deaf: true,
        }
    }

    fn forget(&mut self) {
        if let Some(id) = self.current.take() {
            self.inbox.lock().utterances.retain(|one| one.id != id);
            self.inbox.changed.notify_one();
        }
    }
}

impl HearStream for Stream {
    fn begin(&mut self, utterance: UtteranceId) {
        if !self.deaf {
            self.forget();
        }
        let mut state = self.inbox.lock();
        if state.utterances.len() >= UTTERANCES_MAX
            && let Some(oldest) = state.utterances.iter_mut().find(|one| one.fault.is_none())
        {
            oldest.fail(Fault::new(FaultKind::TooSlow, "too many utterances wait"));
        }
        state.utterances.push_back(Utterance {
            id: utterance,
            pcm: Vec::new(),
            finished_at: None,
            best: Transcript::default(),
            attempts: 0,
            fault: None,
        });
        // Twice the limit only where the listener takes nothing at all.
        while state.utterances.len() > 2 * UTTERANCES_MAX {
            state.utterances.pop_front();
        }
        drop(state);
        self.current = Some(utterance);
        self.deaf = false;
        self.inbox.changed.notify_one();
    }

    fn push(&mut self, pcm: &[i16]) {
        let Some(id) = self.current.filter(|_| !self.deaf) else {
            return;
        };
        let mut state = self.inbox.lock();
        let Some(one) = state.utterances.iter_mut().find(|one| one.id == id) else {
            self.deaf = true;
            return;
        };
        if one.fault.is_some() {
            self.deaf = true;
        } else if one.pcm.len() + pcm.len() > UTTERANCE_S_MAX * HEAR_RATE_HZ as usize {
            one.fail(Fault::internal("the utterance is too long"));
            self.deaf = true;
        } else {
            one.pcm.extend_from_slice(pcm);
        }
        drop(state);
        self.inbox.changed.notify_one();
    }

    fn finish(&mut self) {
        let Some(id) = self.current.filter(|_| !self.deaf) else {
            return;
        };
        self.deaf = true;
        let mut state = self.inbox.lock();
        if let Some(one) = state.utterances.iter_mut().find(|one| one.id == id) {
            one.finished_at = Some(Instant::now());
        }
        drop(state);
        self.inbox.changed.notify_one();
    }

    fn cancel(&mut self) {
        self.forget();
        self.deaf = true;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.inbox.lock();
        state.closed = true;
        state.utterances.clear();
        drop(state);
        self.inbox.changed.notify_one();
    }
}
