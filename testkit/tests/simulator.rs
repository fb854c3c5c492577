//! A share of the simulator for every build: calls drawn from fixed seeds, with every fault on, and
//! the rules of `docs/simulator.md` looked at after every step. And that the rules can fail.

// A sabotage changes one output and passes on all others, whatever they are.
#![allow(clippy::wildcard_enum_match_arm)]

use antiphon_engine::Output;
use antiphon_proto::{Event, Role};
use antiphon_testkit::sim::random::{Counts, Outcome, Sabotage, Scenario, shrink};

/// Turns of one test run.
const TURNS: u64 = 40_000;
/// Calls in which a sabotaged engine must be found out.
const SABOTAGED_CALLS: u64 = 1_500;

#[track_caller]
fn assert_clean(seed: u64, outcome: &Outcome) {
    if let Some((violation, at_ms)) = &outcome.failure {
        panic!(
            "seed {seed} at {at_ms} ms: {}: {}\nagain: cargo run --release -p antiphon-testkit \
             --bin simulate -- --seed {seed} --shrink",
            violation.rule, violation.detail
        );
    }
}

#[test]
fn thousands_of_turns_break_no_rule() {
    let mut counts = Counts::default();
    let mut seed = 0;
    while counts.of("turns") < TURNS {
        seed += 1;
        let outcome = Scenario::draw(seed).run();
        assert_clean(seed, &outcome);
        counts.merge(&outcome.counts);
    }
    // A simulator in which nothing goes wrong shows nothing.
    for what in [
        "replies interrupted",
        "replies heard whole",
        "decided: confirm",
        "decided: discard",
        "decided: retry",
        "decided: hold",
        "tools that never answer",
        "tools that answer twice",
        "generations that stall",
        "generations that fail",
        "recognizer failures",
        "finals that never came",
        "partials after the final",
        "sentences that fail",
        "sentences that fail half-way",
        "sentences that stall",
        "texts replaced",
        "connections lost",
        "clock jumps",
        "clock ran backwards",
        "repeated inputs",
        "drains",
        "keys",
        "typed",
        "interrupt button",
        "talk button",
    ] {
        assert!(counts.of(what) > 0, "{what} never happened");
    }
}

/// Seeds that once broke a rule.
#[test]
fn seeds_that_failed_once_are_clean() {
    for seed in [4, 11, 14, 21, 43, 66, 68, 160, 272, 944] {
        assert_clean(seed, &Scenario::draw(seed).run());
    }
}

#[test]
fn the_same_seed_gives_the_same_call() {
    for seed in 1..20 {
        let (one, two) = (Scenario::draw(seed), Scenario::draw(seed));
        assert_eq!(one.run_traced().trace, two.run_traced().trace);
    }
}

/// The rules that a sabotaged engine breaks.
fn broken_by(sabotage: Sabotage) -> Vec<&'static str> {
    (1..=SABOTAGED_CALLS)
        .filter_map(|seed| Scenario::draw(seed).run_sabotaged(sabotage).failure)
        .map(|(violation, _)| violation.rule)
        .collect()
}

#[track_caller]
fn assert_found_out(rule: &str, sabotage: Sabotage) {
    let broken = broken_by(sabotage);
    assert!(broken.contains(&rule), "{rule} is not among {broken:?}");
}

#[test]
fn an_engine_that_does_not_stop_is_found_out() {
    assert_found_out("history", |output| match output {
        Output::StopPlayout => Vec::new(),
        output => vec![output],
    });
}

#[test]
fn an_engine_that_speaks_twice_is_found_out() {
    assert_found_out("one reply", |output| match output {
        Output::Speak { .. } => vec![output.clone(), output],
        output => vec![output],
    });
}

#[test]
fn an_engine_that_releases_what_nobody_confirmed_is_found_out() {
    assert_found_out("speculation", |output| match output {
        Output::Speak { hold: true, .. } => vec![output, Output::ReleasePlayout],
        output => vec![output],
    });
}

#[test]
fn an_engine_that_never_releases_is_found_out() {
    assert_found_out("speculation", |output| match output {
        Output::ReleasePlayout => Vec::new(),
        output => vec![output],
    });
}

#[test]
fn an_engine_that_forgets_to_cancel_is_found_out() {
    assert_found_out("generation", |output| match output {
        Output::CancelGeneration { .. } => Vec::new(),
        output => vec![output],
    });
}

#[test]
fn an_engine_that_stays_ducked_is_found_out() {
    assert_found_out("overlap", |output| match output {
        Output::UnduckPlayout => Vec::new(),
        output => vec![output],
    });
}

#[test]
fn an_engine_that_invents_history_is_found_out() {
    assert_found_out("history", |mut output| {
        if let Output::Publish { envelope } = &mut output
            && let Event::MessageCommitted { message } = &mut envelope.event
            && message.role == Role::Agent
        {
            message.text.push_str(" and two words");
        }
        vec![output]
    });
}

#[test]
fn an_engine_that_loses_events_is_found_out() {
    assert_found_out("events", |output| match output {
        Output::Publish { envelope } if matches!(envelope.event, Event::AgentHeard { .. }) => {
            Vec::new()
        }
        output => vec![output],
    });
}

#[test]
fn an_engine_that_loses_answers_is_found_out() {
    for rule in ["stuck", "silence"] {
        assert_found_out(rule, |output| match output {
            Output::Speak { .. } => Vec::new(),
            output => vec![output],
        });
    }
}

#[test]
fn an_engine_that_says_what_was_replaced_is_found_out() {
    assert_found_out("safety", |mut output| {
        if let Output::Speak { text, .. } = &mut output {
            *text = "a zxforbidden thing".to_owned();
        }
        vec![output]
    });
}

#[test]
fn an_engine_that_runs_a_tool_twice_is_found_out() {
    assert_found_out("tools", |output| match output {
        Output::RunTool { .. } => vec![output.clone(), output],
        output => vec![output],
    });
}

#[test]
fn a_failing_call_shrinks_to_what_it_needs() {
    let deaf: Sabotage = |output| match output {
        Output::CancelGeneration { .. } => Vec::new(),
        output => vec![output],
    };
    let run = |scenario: &Scenario| scenario.run_sabotaged(deaf);
    let failing = (1..).map(Scenario::draw).find(|drawn| {
        drawn.acts_count() > 20
            && run(drawn)
                .failure
                .is_some_and(|(broken, _)| broken.rule == "generation")
    });
    let failing = failing.expect("a sabotaged engine fails");
    let small = shrink(&failing, run);
    assert!(small.acts_count() <= 4, "{}", small.describe());
    let (broken, _) = run(&small).failure.expect("it still fails");
    assert_eq!(broken.rule, "generation");
    assert_eq!(
        shrink(&failing, run).describe(),
        small.describe(),
        "the same each time"
    );
    let clean = shrink(&failing, Scenario::run);
    assert_eq!(
        clean.acts_count(),
        failing.acts_count(),
        "a clean one stays as it is"
    );
}
