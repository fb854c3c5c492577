//! Training: a table of how texts end, a logistic regression, and the policy.

use std::path::Path;

use antiphon_engine::{FEATURES, Model, Policy, TAILS, features, given_log_odds, tail_index};

use crate::curve::{Point, at_cut, at_delay, ours, plain};
use crate::pauses::{Pause, Words};

/// Requests as people speak them, lower case and without punctuation: a whole request is an end,
/// every beginning of one is not.
pub(crate) const REQUESTS: &str = "F_text/slurp-devel-text/sentences.tsv";
/// Added to every count of the table.
const SMOOTHING: f64 = 2.0;
/// Index of "other word", against which the other ends are held: a pause comes after a word that
/// could end a sentence more often than not, whichever way it goes.
const OTHER_WORD: usize = 12;
/// Share of the data in the loss against the penalty on squared weights (of standardized
/// features). Small: few pauses, and other recordings will be judged.
const DATA_SHARE: f64 = 0.05;
const NEWTON_STEPS: usize = 25;
/// Policies that are tried.
const SHARPNESS: [f64; 4] = [3.0, 4.0, 6.0, 8.0];
const ASKED_AT_300_MS: [f64; 8] = [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4];
const ASKED_GROWTH: [f64; 5] = [0.0, 0.15, 0.3, 0.45, 0.6];
/// Shape of the distribution of pauses, set by hand: the training pauses' 90th percentile (1175 ms,
/// against a median of 528 ms) has 2.7. Their long pauses are fitted and not the short ones, which
/// every wait outlasts.
const SHAPE: f64 = 2.5;
/// The operating points that a policy is chosen for: shares of false cutoffs, and delays.
const CUTS: [f64; 3] = [0.02, 0.05, 0.1];
const DELAYS_MS: [f64; 3] = [300.0, 500.0, 800.0];

/// A model trained on `pauses` and on the requests in the material.
pub(crate) fn train(material: &Path, pauses: &[&Pause]) -> Result<Model, String> {
    let tails = tails(material)?;
    let (bias, features) = regression(pauses);
    let mut model = Model {
        bias,
        features,
        tails,
        policy: Policy {
            asked_at_300_ms: 0.0,
            asked_growth: 0.0,
            sharpness: 1.0,
            shape: SHAPE,
        },
    };
    model.policy = policy(&model, pauses);
    Ok(model)
}

/// Log odds of an end by the way a text ends, counted on requests and their beginnings.
fn tails(material: &Path) -> Result<[f64; TAILS], String> {
    let path = material.join(REQUESTS);
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut counts = [[SMOOTHING; TAILS]; 2];
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line
            .split('\t')
            .nth(3)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        for end in 1..=words.len() {
            let is_whole = usize::from(end == words.len());
            counts[is_whole][tail_index(&words[..end].join(" "))] += 1.0;
        }
    }
    let log_odds = |tail: usize| (counts[1][tail] / counts[0][tail]).ln();
    let mut table = [0.0; TAILS];
    for (tail, value) in table.iter_mut().enumerate() {
        *value = given_log_odds(tail).unwrap_or_else(|| log_odds(tail) - log_odds(OTHER_WORD));
    }
    Ok(table)
}

/// Logistic regression with both outcomes weighing the same, by Newton's method.
fn regression(pauses: &[&Pause]) -> (f64, [f64; FEATURES]) {
    let rows: Vec<[f64; FEATURES]> = pauses
        .iter()
        .map(|pause| features(&pause.evidence(Words::None)))
        .collect();
    let (mean, deviation) = moments(&rows);
    let over = pauses.iter().filter(|pause| pause.is_over()).count() as f64;
    let all = pauses.len() as f64;
    const COLUMNS: usize = FEATURES + 1;
    let mut weights = [0.0; COLUMNS];
    for _ in 0..NEWTON_STEPS {
        let mut gradient = [0.0; COLUMNS];
        let mut curvature = [[0.0; COLUMNS]; COLUMNS];
        for (i, diagonal) in curvature.iter_mut().enumerate().take(FEATURES) {
            gradient[i] = weights[i];
            diagonal[i] = 1.0;
        }
        for (pause, row) in pauses.iter().zip(&rows) {
            let mut x = [1.0; COLUMNS];
            for i in 0..FEATURES {
                x[i] = (row[i] - mean[i]) / deviation[i];
            }
            let z: f64 = x.iter().zip(&weights).map(|(x, w)| x * w).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            let (truth, count) = if pause.is_over() {
                (1.0, over)
            } else {
                (0.0, all - over)
            };
            let share = DATA_SHARE * all / (2.0 * count);
            for i in 0..COLUMNS {
                gradient[i] += share * (p - truth) * x[i];
                for j in 0..COLUMNS {
                    curvature[i][j] += share * p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        let step = solved(curvature, gradient);
        for (weight, step) in weights.iter_mut().zip(step) {
            *weight -= step;
        }
    }
    let mut bias = weights[FEATURES];
    let mut found = [0.0; FEATURES];
    for i in 0..FEATURES {
        found[i] = weights[i] / deviation[i];
        bias -= found[i] * mean[i];
    }
    (bias, found)
}

fn moments(rows: &[[f64; FEATURES]]) -> ([f64; FEATURES], [f64; FEATURES]) {
    let count = rows.len().max(1) as f64;
    let (mut mean, mut deviation) = ([0.0; FEATURES], [0.0; FEATURES]);
    for i in 0..FEATURES {
        mean[i] = rows.iter().map(|row| row[i]).sum::<f64>() / count;
        let square = |row: &[f64; FEATURES]| (row[i] - mean[i]) * (row[i] - mean[i]);
        deviation[i] = (rows.iter().map(square).sum::<f64>() / count)
            .sqrt()
            .max(1e-6);
    }
    (mean, deviation)
}

/// Solves a small, positive definite system by elimination.
fn solved<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for i in 0..N {
        let pivot = a[i];
        for row in i + 1..N {
            let factor = a[row][i] / pivot[i];
            for (value, above) in a[row].iter_mut().zip(pivot) {
                *value -= factor * above;
            }
            b[row] -= factor * b[i];
        }
    }
    for i in (0..N).rev() {
        for column in i + 1..N {
            b[i] -= a[i][column] * b[column];
        }
        b[i] /= a[i][i];
    }
    b
}

/// The policy with the shortest delays at [`CUTS`] and the fewest cutoffs at [`DELAYS_MS`], all held
/// against a fixed silence and added up.
fn policy(model: &Model, pauses: &[&Pause]) -> Policy {
    let fixed = plain(pauses);
    let mut best = (f64::INFINITY, model.policy);
    for sharpness in SHARPNESS {
        for asked_at_300_ms in ASKED_AT_300_MS {
            for asked_growth in ASKED_GROWTH {
                let tried = Model {
                    policy: Policy {
                        asked_at_300_ms,
                        asked_growth,
                        sharpness,
                        shape: SHAPE,
                    },
                    ..model.clone()
                };
                let curve = ours(pauses, Words::Heard, |_| &tried);
                let loss = loss(&curve, &fixed);
                if loss < best.0 {
                    best = (loss, tried.policy);
                }
            }
        }
    }
    best.1
}

fn loss(curve: &[Point], fixed: &[Point]) -> f64 {
    let delay = |curve, cut| at_cut(curve, cut).map_or(f64::INFINITY, |p| p.median_ms);
    let cut = |curve, ms| at_delay(curve, ms).map_or(1.0, |p| p.cut);
    let delays = CUTS.map(|at| delay(curve, at) / delay(fixed, at));
    let cuts = DELAYS_MS.map(|at| cut(curve, at) / cut(fixed, at));
    delays.iter().chain(&cuts).sum()
}

/// The model as `engine/src/endpointing/weights.rs`.
pub(crate) fn source(model: &Model) -> String {
    let numbers = |values: &[f64]| {
        let rounded = values
            .iter()
            .map(|value| (value * 10_000.0).round() / 10_000.0 + 0.0);
        let all: Vec<String> = rounded.map(|value| format!("{value:?}")).collect();
        all.join(", ")
    };
    let Policy {
        asked_at_300_ms,
        asked_growth,
        sharpness,
        shape,
    } = model.policy;
    format!(
        "//! Written by `cargo run --release -p antiphon-benches --bin endpointing -- --train`. Do not \
         edit.\n//! `benches/src/bin/endpointing/trained_on.tsv` names what it was trained on.\n\n\
         use super::model::Model;\nuse super::policy::Policy;\n\n\
         #[rustfmt::skip]\npub(super) const TRAINED: Model = Model {{\n    bias: {},\n    features: [{}],\n    \
         tails: [{}],\n    policy: Policy {{\n        asked_at_300_ms: {asked_at_300_ms:?},\n        \
         asked_growth: {asked_growth:?},\n        \
         sharpness: {sharpness:?},\n        shape: {shape:?},\n    }},\n}};\n",
        numbers(&[model.bias]),
        numbers(&model.features),
        numbers(&model.tails),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_solved() {
        let x = solved([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0]);
        assert!((x[0] - 1.0 / 11.0).abs() < 1e-12 && (x[1] - 7.0 / 11.0).abs() < 1e-12);
    }
}
