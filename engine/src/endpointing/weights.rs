//! Written by `cargo run --release -p antiphon-benches --bin endpointing -- --train`. Do not edit.
//! `benches/src/bin/endpointing/trained_on.tsv` names what it was trained on.

use super::model::Model;
use super::policy::Policy;

#[rustfmt::skip]
pub(super) const TRAINED: Model = Model {
    bias: -0.1334,
    features: [-0.0316, -0.522, -0.4426, -0.6365, -0.2505, -0.1233, 0.3359],
    tails: [0.0, -2.5, -1.9058, -4.8296, -2.7713, -3.8641, -2.09, -2.8509, -1.5, 0.0, 0.0, -1.0, 0.0, 0.7335, 1.5, 1.5],
    policy: Policy {
        asked_at_300_ms: 0.0,
        asked_growth: 0.3,
        sharpness: 8.0,
        shape: 2.5,
    },
};
