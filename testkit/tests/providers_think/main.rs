//! One contract for every language model adapter, each against a server that speaks its vendor's
//! protocol over a real socket.
#![allow(clippy::unwrap_used)]

mod cancel;
mod continued;
mod deadlines;
mod faults;
mod history;
mod hostile;
mod lab;
mod streams;
mod tools;
