//! Written by `cargo run --release -p antiphon-benches --bin endpointing -- --train`. Do not edit.

use super::model::FEATURES;
use super::text::TAILS;

pub(super) const BIAS: f64 = 0.0;
pub(super) const WEIGHTS: [f64; FEATURES] =
    [-0.3, -0.3, -0.3, 0.1, -0.2, -0.3, 0.1, -0.1, 0.2, 1.0];
pub(super) const TAIL_LOG_ODDS: [f64; TAILS] = [
    0.0, -3.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0, -1.0, -1.0, -2.5, -1.0, 0.3, 1.0, 1.0, 2.0,
];
