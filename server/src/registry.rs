//! The sessions of this process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use antiphon_proto::{CloseReason, SessionCreated, SessionId, SessionStatus};
use antiphon_runtime::Session;

use crate::ApiError;
use crate::secret::TokenHash;

/// Ended sessions that can still be read; the oldest are forgotten first.
const ENDED_MAX: usize = 1_000;
/// Idempotency keys remembered; the oldest are forgotten first.
const KEYS_MAX: usize = 1_000;

/// All sessions, running and lately ended.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<SessionId, Entry>,
    running: usize,
    ended: VecDeque<SessionId>,
    created_by_key: HashMap<String, SessionCreated>,
    keys: VecDeque<String>,
}

struct Entry {
    session: Session,
    token: TokenHash,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics halfway through a change, so a poisoned lock guards sound data.
        self.inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes up a session unless `calls_max` are running.
    pub(crate) fn insert(
        &self,
        session: Session,
        token: &str,
        calls_max: usize,
    ) -> Result<(), ApiError> {
        let mut inner = self.lock();
        if inner.running >= calls_max {
            return Err(ApiError::Full(calls_max));
        }
        inner.running += 1;
        let entry = Entry {
            session,
            token: TokenHash::of(token),
        };
        inner.sessions.insert(entry.session.id().clone(), entry);
        Ok(())
    }

    /// True while another session fits.
    pub(crate) fn has_room(&self, calls_max: usize) -> bool {
        self.lock().running < calls_max
    }

    /// Notes that a session is over; it can be read for a while.
    pub(crate) fn ended(&self, id: &SessionId) {
        let mut inner = self.lock();
        inner.running = inner.running.saturating_sub(1);
        inner.ended.push_back(id.clone());
        if inner.ended.len() > ENDED_MAX
            && let Some(oldest) = inner.ended.pop_front()
        {
            inner.sessions.remove(&oldest);
        }
    }

    /// The session, where the token opens it.
    pub(crate) fn open(&self, id: &SessionId, token: Option<&str>) -> Result<Session, ApiError> {
        let token = token.ok_or(ApiError::NoToken)?;
        let inner = self.lock();
        let entry = inner
            .sessions
            .get(id)
            .ok_or_else(|| ApiError::UnknownSession(id.clone()))?;
        if entry.token.matches(token) {
            Ok(entry.session.clone())
        } else {
            Err(ApiError::WrongToken)
        }
    }

    /// The session, where the token opens it and it is not over.
    pub(crate) fn open_running(
        &self,
        id: &SessionId,
        token: Option<&str>,
    ) -> Result<Session, ApiError> {
        let session = self.open(id, token)?;
        let view = session.view();
        match (view.status, view.ended_because) {
            (SessionStatus::Ended, Some(CloseReason::NeverConnected)) => {
                Err(ApiError::TokenExpired)
            }
            (SessionStatus::Ended, _) => Err(ApiError::SessionEnded(id.clone())),
            (
                SessionStatus::Waiting | SessionStatus::Connected | SessionStatus::Reconnecting,
                _,
            ) => Ok(session),
        }
    }

    /// Sessions that are not over.
    pub(crate) fn running(&self) -> Vec<Session> {
        let inner = self.lock();
        let live = |entry: &&Entry| entry.session.view().status != SessionStatus::Ended;
        inner
            .sessions
            .values()
            .filter(live)
            .map(|entry| entry.session.clone())
            .collect()
    }

    /// What was created under an idempotency key.
    pub(crate) fn created_by(&self, key: &str) -> Option<SessionCreated> {
        self.lock().created_by_key.get(key).cloned()
    }

    /// Remembers what was created under an idempotency key.
    pub(crate) fn remember(&self, key: String, created: SessionCreated) {
        let mut inner = self.lock();
        if inner.keys.len() >= KEYS_MAX
            && let Some(oldest) = inner.keys.pop_front()
        {
            inner.created_by_key.remove(&oldest);
        }
        inner.keys.push_back(key.clone());
        inner.created_by_key.insert(key, created);
    }
}
