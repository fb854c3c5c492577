//! The WebRTC transport against a second, independent peer over real loopback sockets.
#![allow(clippy::unwrap_used, missing_docs)]

mod audio;
mod client;
mod closing;
mod events;
mod hostile;
mod offers;
mod session;
