//! Calls drawn from a seed: a person with human timing, providers with every fault, and rules that
//! are looked at after every step. `docs/simulator.md` says what the rules mean.

mod call;
mod counts;
mod ledger;
mod person;
mod plans;
mod providers;
mod rng;
mod rules;
mod scenario;
mod shrink;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use call::{Outcome, Sabotage};
pub use counts::Counts;
pub use rules::{Rules, Violation};
pub use scenario::Scenario;
pub use shrink::shrink;

impl Scenario {
    /// Lets the call happen, to its end or to the first broken rule. A panic of the engine is one.
    pub fn run(&self) -> Outcome {
        self.guarded(false, |output| vec![output])
    }

    /// The same, with the last things that happened.
    pub fn run_traced(&self) -> Outcome {
        self.guarded(true, |output| vec![output])
    }

    /// The same call with an engine that is made to do wrong.
    pub fn run_sabotaged(&self, sabotage: Sabotage) -> Outcome {
        self.guarded(false, sabotage)
    }

    fn guarded(&self, trace: bool, sabotage: Sabotage) -> Outcome {
        catch_unwind(AssertUnwindSafe(|| call::run(self, trace, sabotage))).unwrap_or_else(
            |panic| {
                let text = panic.downcast_ref::<String>().cloned();
                let text =
                    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                let detail = text.unwrap_or_else(|| "a panic without words".to_owned());
                let violation = Violation {
                    rule: "panic",
                    detail,
                };
                Outcome {
                    failure: Some((violation, 0)),
                    ..Outcome::default()
                }
            },
        )
    }
}
