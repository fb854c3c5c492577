//! Whisper over a model that says what it is told.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod broken;
mod hearing;
mod installed;
mod support;
