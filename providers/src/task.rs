//! Cancelling work by dropping its handle.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Told to a worker: stop as soon as you see it set.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// True once the handle has been dropped.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Work under way. Dropping it cancels: an async task is aborted (its sockets close), a blocking
/// one sees its [`CancelFlag`].
#[derive(Debug)]
pub struct TaskHandle {
    flag: CancelFlag,
    abort: Option<tokio::task::AbortHandle>,
}

impl TaskHandle {
    /// A handle over blocking work that watches the returned flag.
    pub fn blocking() -> (Self, CancelFlag) {
        let flag = CancelFlag::default();
        (
            Self {
                flag: flag.clone(),
                abort: None,
            },
            flag,
        )
    }

    /// A handle over an async task, aborted when the handle is dropped.
    pub fn from_task(abort: tokio::task::AbortHandle) -> Self {
        Self {
            flag: CancelFlag::default(),
            abort: Some(abort),
        }
    }
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        self.flag.cancel();
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}
