//! The log of a call: what is written is what is read, a replay proves itself, and no file can do
//! harm.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod cost;
mod damaged;
mod folder;
mod replayed;
mod support;
