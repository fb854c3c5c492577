//! What goes wrong with a stream. Texts never hold the words of a call, a key, or the server's own
//! text.

use std::time::Duration;

use crate::net::LINE_BYTES_MAX;
use crate::{Fault, FaultKind};

pub(super) fn no_words(limit: Duration) -> Fault {
    let reason = format!("no words within {} ms", limit.as_millis());
    Fault::new(FaultKind::TooSlow, reason)
}

pub(super) fn stood_still(limit: Duration) -> Fault {
    let reason = format!("the stream stood still for {} ms", limit.as_millis());
    Fault::new(FaultKind::TooSlow, reason)
}

pub(super) fn broken(why: &str) -> Fault {
    Fault::new(FaultKind::BrokenOff, format!("the stream broke off: {why}"))
}

pub(super) fn line_too_long() -> Fault {
    let reason = format!("a line is longer than {LINE_BYTES_MAX} bytes");
    Fault::new(FaultKind::Malformed, reason)
}

/// An event that is none of `protocol`.
pub(crate) fn malformed(protocol: &str) -> Fault {
    let reason = format!("the stream holds something that is no {protocol} event");
    Fault::new(FaultKind::Malformed, reason)
}

/// An error that a stream tells of, by the provider's own name for it.
pub(crate) fn reported(code: &str) -> Fault {
    let (kind, meaning) = match code {
        "rate_limit_error" | "rate_limit_exceeded" | "RESOURCE_EXHAUSTED" | "429" => (
            FaultKind::RateLimited { retry_after: None },
            "too many requests",
        ),
        "insufficient_quota" | "billing_error" => (
            FaultKind::RateLimited { retry_after: None },
            "no credit left",
        ),
        "authentication_error"
        | "permission_error"
        | "invalid_api_key"
        | "PERMISSION_DENIED"
        | "UNAUTHENTICATED" => (FaultKind::Refused, "it does not accept the key"),
        "invalid_request_error"
        | "not_found_error"
        | "invalid_prompt"
        | "INVALID_ARGUMENT"
        | "NOT_FOUND" => (FaultKind::Refused, "it does not accept the request"),
        "timeout_error" | "DEADLINE_EXCEEDED" => (FaultKind::TooSlow, "it was too slow itself"),
        _ => (FaultKind::Overloaded, "it is in trouble"),
    };
    Fault::new(
        kind,
        format!("the server reported an error within the stream: {meaning}"),
    )
}

/// A reply that the provider's filter withheld.
pub(crate) fn withheld() -> Fault {
    Fault::new(
        FaultKind::Refused,
        "the provider's filter withheld the reply",
    )
}
