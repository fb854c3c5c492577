//! The contract that every remote recognizer keeps, against servers that speak its vendor's
//! protocol over real sockets.
#![allow(clippy::unwrap_used)]

mod bounds;
mod cancelling;
mod deadlines;
mod faults;
mod reconnecting;
mod streaming;
mod support;
