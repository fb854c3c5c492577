//! Makes a failing call smaller while the same rule is broken.

use super::scenario::{CALM_PARTS, What};
use super::{Outcome, Scenario};

/// The smallest call found that breaks the rule that `scenario` breaks when it is run by `run`:
/// acts left out, parts made ordinary, stretches of speech left out. Gives the scenario back
/// unchanged where it breaks none.
pub fn shrink(scenario: &Scenario, run: impl Fn(&Scenario) -> Outcome) -> Scenario {
    let broken_by = |scenario: &Scenario| run(scenario).failure.map(|(broken, _)| broken.rule);
    let Some(rule) = broken_by(scenario) else {
        return scenario.clone();
    };
    let fails = |candidate: &Scenario| broken_by(candidate) == Some(rule);
    let mut smallest = scenario.clone();
    loop {
        let before = (smallest.acts.len(), smallest.calm);
        smallest = without_acts(smallest, &fails);
        for (part, _) in CALM_PARTS {
            let candidate = smallest.calmed(*part);
            if candidate.calm != smallest.calm && fails(&candidate) {
                smallest = candidate;
            }
        }
        smallest = without_stretches(smallest, &fails);
        if (smallest.acts.len(), smallest.calm) == before {
            return smallest;
        }
    }
}

/// Leaves out runs of acts, shorter and shorter ones.
fn without_acts(mut smallest: Scenario, fails: &impl Fn(&Scenario) -> bool) -> Scenario {
    let mut size = smallest.acts.len();
    while size > 0 {
        let mut at = smallest.acts.len().saturating_sub(size);
        loop {
            let mut candidate = smallest.clone();
            let end = (at + size).min(candidate.acts.len());
            candidate.acts.drain(at.min(end)..end);
            if candidate.acts.len() < smallest.acts.len() && fails(&candidate) {
                smallest = candidate;
            }
            if at == 0 {
                break;
            }
            at = at.saturating_sub(size);
        }
        size /= 2;
    }
    smallest
}

fn without_stretches(mut smallest: Scenario, fails: &impl Fn(&Scenario) -> bool) -> Scenario {
    for at in 0..smallest.acts.len() {
        loop {
            let mut candidate = smallest.clone();
            let What::Say(stretches) = &mut candidate.acts[at].what else {
                break;
            };
            if stretches.len() < 2 {
                break;
            }
            stretches.remove(0);
            if !fails(&candidate) {
                break;
            }
            smallest = candidate;
        }
    }
    smallest
}
