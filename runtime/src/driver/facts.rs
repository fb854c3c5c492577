//! What a call learns of its providers: choices, fallbacks, costs.

use antiphon_engine::Input;
use antiphon_providers::route::{CallFacts, Fact, Stage};
use metrics::counter;

use super::Driver;
use crate::measure;

/// Picodollars in a nanodollar.
const PICO_A_NANO: u64 = 1_000;

/// Waits for the next fact; for ever where there are none.
pub(super) async fn next_fact(facts: &mut Option<CallFacts>) -> Fact {
    match facts {
        Some(facts) => match facts.facts.recv().await {
            Some(fact) => fact,
            // The providers are gone; so is what there was to learn.
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

pub(super) fn fact_input(fact: Fact) -> Input {
    match fact {
        Fact::Chosen {
            generation,
            id,
            why,
        } => Input::ProviderChosen {
            generation,
            provider: shown(&id),
            reason: why.to_owned(),
        },
        Fact::FellBack {
            stage,
            from,
            to,
            kind,
        } => {
            counter!(measure::FALLBACKS, "stage" => stage.name(), "fault" => kind.name())
                .increment(1);
            Input::ProviderChanged {
                stage: stage.name().to_owned(),
                from: shown(&from),
                to: to.as_deref().map(shown),
                fault: kind.name().to_owned(),
            }
        }
    }
}

/// `offline/` is `offline`: it has no model to name.
fn shown(id: &str) -> String {
    id.trim_end_matches('/').to_owned()
}

impl Driver {
    /// Tells the running cost, where it has grown.
    pub(super) fn tell_costs(&mut self) {
        let Some(facts) = &self.facts else { return };
        let now = [Stage::Hear, Stage::Think, Stage::Speak]
            .map(|stage| facts.costs.picodollars(stage) / PICO_A_NANO);
        if now == self.costs_told {
            return;
        }
        self.costs_told = now;
        let [hear_nanodollars, think_nanodollars, speak_nanodollars] = now;
        self.feed(Input::Cost {
            hear_nanodollars,
            think_nanodollars,
            speak_nanodollars,
        });
    }
}
