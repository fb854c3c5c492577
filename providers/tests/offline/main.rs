//! The offline responder: whole conversations, misheard words, hostile input, time.
#![allow(clippy::unwrap_used)]

mod call;
mod conversations;
mod hostile;
mod matching;
mod moves;
mod streaming;
