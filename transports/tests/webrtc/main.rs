//! The WebRTC transport against a second, independent peer over real loopback sockets.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    unreachable_pub
)]

mod audio;
mod client;
mod closing;
mod events;
mod hostile;
mod networks;
mod offers;
mod session;
