//! Choosing among providers and going on with the next, under virtual time.
#![allow(clippy::unwrap_used)]

mod hear;
mod scripted;
mod speak;
mod think;
