//! What every remote adapter shares: secrets, typed faults, HTTP clients, server-sent events.

mod account;
mod fault;
mod http;
mod secret;
mod sse;
mod ws;

pub use account::{Account, AccountVars, ConfigError};
pub use fault::{Fault, FaultKind};
pub(crate) use http::retry_after;
pub use http::{BuildError, HttpLimits, fault_of_status, http_client, plain};
pub use secret::Secret;
pub use sse::{LINE_BYTES_MAX, LineTooLong, SseLines};
pub use ws::{TlsSetupError, WS_MESSAGE_BYTES_MAX};

pub(crate) use account::set;
pub(crate) use ws::{
    Incoming, WsClient, WsRequest, WsStream, json_message, pcm_bytes, receive, send, ws_url,
};
