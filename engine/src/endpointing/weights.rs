//! Written by `cargo run --release -p antiphon-benches --bin endpointing -- --train`. Do not edit.
//! `benches/src/bin/endpointing/trained_on.tsv` names what it was trained on.

use super::model::Model;
use super::policy::Policy;

pub(super) const TRAINED: Model = Model {
    bias: -0.1586,
    features: [-0.154, -0.2921, -0.4635, -0.5595, -0.2522, -0.1226, 0.2419],
    tails: [0.0, -2.5, -1.9056, -4.8294, -2.7711, -3.8639, -2.0956, -2.6102, -1.5, 0.0, 0.0, -1.0, 0.0, 0.4414, 1.5, 1.5],
    policy: Policy {
        ms_per_odds: 300.0,
        sharpness: 8.0,
        shape: 2.5,
    },
};
