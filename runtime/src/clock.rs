//! The one place that reads a clock.

use antiphon_proto::Moment;
use tokio::time::{Duration, Instant};

/// Session time: monotonic, from the session's creation. Follows tokio's virtual time in tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        self.started + Duration::from_micros(moment.0)
    }
}
