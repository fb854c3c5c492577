//! Calls on remote providers: real sessions over the router, each provider against its fake, in
//! real time.

#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)] // tests look for one variant

mod adapters;
mod builders;
mod matrix;
mod support;
mod swapped;
