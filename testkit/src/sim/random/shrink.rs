//! Makes a failing call smaller while the same rule is broken.

use super::Scenario;
use super::scenario::{CALM_PARTS, What};

/// The smallest call found that breaks the rule that `scenario` breaks: parts made ordinary, then
/// acts left out, then stretches of speech. Gives the scenario back unchanged where it breaks none.
pub fn shrink(scenario: &Scenario) -> Scenario {
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

fn broken_by(scenario: &Scenario) -> Option<&'static str> {
    let failure = scenario.run().failure;
    failure.map(|(violation, _)| violation.rule)
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
