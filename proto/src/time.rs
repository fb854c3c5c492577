//! Session time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in session time: microseconds since the session was created.
///
/// The engine sees no other clock, so that a log replays to identical outputs.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `ms` milliseconds after session start.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000)
    }

    /// Whole milliseconds since session start, rounded down.
    pub const fn ms(self) -> u64 {
        self.0 / 1_000
    }

    /// This moment `ms` milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0 + ms * 1_000)
    }

    /// This moment `ms` milliseconds earlier, not before session start.
    #[must_use]
    pub const fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms * 1_000))
    }

    /// Milliseconds from `earlier` to this moment; 0 where `earlier` is later.
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }
}
