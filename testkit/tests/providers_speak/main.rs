//! The contract that every remote voice keeps, against servers that speak its vendor's protocol
//! over real sockets.
#![allow(clippy::unwrap_used)]

mod cancelling;
mod connections;
mod deadlines;
mod faults;
mod streaming;
mod support;
