//! Why a provider's work failed, typed so that a fallback can decide what to do.

use std::fmt;
use std::time::Duration;

/// A failure of a provider. Its text never holds the words of a call, a key, or the server's own
/// text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind, for programs.
    pub kind: FaultKind,
    /// What happened and what to do, for logs and operators.
    pub reason: String,
}

/// Kinds of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No connection could be made.
    Unreachable,
    /// The provider does not accept the request (key, model, address): asking again is useless.
    Refused,
    /// Too many requests, or no credit left.
    RateLimited {
        /// How long the provider asks to wait, where it does.
        retry_after: Option<Duration>,
    },
    /// The provider is in trouble (5xx, "overloaded").
    Overloaded,
    /// A deadline passed.
    TooSlow,
    /// The stream ended before its end.
    BrokenOff,
    /// What came is not what the protocol says.
    Malformed,
    /// Something failed on our side.
    Internal,
}

impl Fault {
    /// A fault of `kind`.
    pub fn new(kind: FaultKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
        }
    }

    /// Something failed on our side.
    pub fn internal(reason: impl Into<String>) -> Self {
        Self::new(FaultKind::Internal, reason)
    }
}

impl FaultKind {
    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::RateLimited { .. } => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::TooSlow => "too_slow",
            Self::BrokenOff => "broken_off",
            Self::Malformed => "malformed",
            Self::Internal => "internal",
        }
    }

    /// True where the same provider may well succeed if asked once more.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Unreachable
            | Self::RateLimited { .. }
            | Self::Overloaded
            | Self::TooSlow
            | Self::BrokenOff => true,
            Self::Refused | Self::Malformed | Self::Internal => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Fault {}
