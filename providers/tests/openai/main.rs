//! The Chat Completions client against a server that speaks real HTTP over a real socket.
#![allow(clippy::unwrap_used)]

mod failures;
mod server;
mod streams;
mod tools;
