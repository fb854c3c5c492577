//! What every remote adapter shares: secrets, typed faults, HTTP clients, server-sent events.

mod fault;
mod http;
mod secret;
mod sse;

pub use fault::{Fault, FaultKind};
pub(crate) use http::retry_after;
pub use http::{BuildError, HttpLimits, fault_of_status, http_client, plain};
pub use secret::Secret;
pub use sse::{LINE_BYTES_MAX, LineTooLong, SseLines};
