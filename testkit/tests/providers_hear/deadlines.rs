//! Nothing is waited for longer than was said.

use std::time::Duration;

use antiphon_providers::FaultKind;
use antiphon_providers::hear::remote::HearLimits;
use antiphon_testkit::fakes::ws::{Door, Fault, Treatment};
use tokio::time::Instant;

use crate::support::{call_with, cases, limits};

const FINAL: Duration = Duration::from_millis(250);
/// Allowed on top on a loaded machine.
const SLACK: Duration = Duration::from_millis(700);

fn short() -> HearLimits {
    HearLimits {
        final_timeout: FINAL,
        ..limits()
    }
}

/// The first connection is bad, the others are good.
fn first_fails(nth: usize, fault: &Fault) -> impl Fn(usize) -> Treatment + use<> {
    let fault = fault.clone();
    move |connection| match connection {
        0 => Treatment::failing(nth, fault.clone()),
        _ => Treatment::default(),
    }
}

#[tokio::test]
async fn a_stalled_server_fails_the_utterance_in_time_and_the_next_one_is_heard() {
    for case in cases() {
        for fault in [Fault::Stall, Fault::Deaf] {
            let treat = first_fails(case.greetings, &fault);
            let mut call = call_with(&case, short(), treat).await;
            call.say(1, "alpha bravo");
            let asked_at = Instant::now();
            let heard = call.heard(1).await;
            assert_eq!(heard.fault(), FaultKind::TooSlow, "{} {fault:?}", call.name);
            let waited = asked_at.elapsed();
            assert!(
                waited >= FINAL - Duration::from_millis(5),
                "{}: {waited:?}",
                call.name
            );
            assert!(
                waited < FINAL + SLACK,
                "{} {fault:?}: {waited:?}",
                call.name
            );
            call.say(2, "charlie");
            assert_eq!(call.heard(2).await.text(), "charlie", "{}", call.name);
        }
    }
}

/// A server that goes silent early is not one that has nothing to say: an empty transcript would
/// leave the person without an answer.
#[tokio::test]
async fn a_stalled_server_is_not_taken_for_one_that_heard_nothing() {
    // AssemblyAI says nothing of silence: there the two cannot be told apart.
    let cases = cases().into_iter();
    for case in cases.filter(|case| case.known.name != "assemblyai") {
        for before in [0, 1] {
            let treat = first_fails(case.greetings + before, &Fault::Stall);
            let patient = HearLimits {
                final_timeout: Duration::from_millis(1_200),
                ..limits()
            };
            let mut call = call_with(&case, patient, treat).await;
            // The first result comes of silence, and has no words.
            call.stream.begin(antiphon_proto::UtteranceId(1));
            call.push(&[0; 16_000 / 4]);
            tokio::time::sleep(Duration::from_millis(50)).await;
            call.push(&antiphon_testkit::fakes::listener::utterance(
                "alpha bravo charlie",
            ));
            call.stream.finish();
            match call.heard(1).await.end {
                Ok((text, _)) => assert_ne!(text, "", "{} {before}", call.name),
                Err(fault) => assert_eq!(fault.kind, FaultKind::TooSlow, "{}", call.name),
            }
        }
    }
}

#[tokio::test]
async fn the_best_partial_is_the_final_where_that_does_not_come() {
    for case in cases() {
        let treat = first_fails(case.greetings + 1, &Fault::Stall);
        let mut call = call_with(&case, short(), treat).await;
        call.begin(1, "alpha bravo charlie");
        let partial = call.partial(1).await;
        call.stream.finish();
        let heard = call.heard(1).await;
        let best = heard.partials.last().unwrap_or(&partial);
        assert_eq!(heard.text(), best, "{}", call.name);
    }
}

#[tokio::test]
async fn a_server_that_never_opens_is_given_up_in_time() {
    for case in cases() {
        let never = |_| Treatment {
            door: Door::Never,
            ..Treatment::default()
        };
        let mut call = call_with(&case, short(), never).await;
        let asked_at = Instant::now();
        call.say(1, "alpha");
        assert_eq!(
            call.heard(1).await.fault(),
            FaultKind::TooSlow,
            "{}",
            call.name
        );
        assert!(asked_at.elapsed() < FINAL + SLACK, "{}", call.name);
    }
}

#[tokio::test]
async fn a_server_that_opens_and_is_never_ready_is_given_up_in_time() {
    for case in cases().into_iter().filter(|case| case.greetings > 0) {
        let treat = |_| Treatment::failing(0, Fault::Stall);
        let mut call = call_with(&case, short(), treat).await;
        let asked_at = Instant::now();
        call.say(1, "alpha");
        assert_eq!(
            call.heard(1).await.fault(),
            FaultKind::TooSlow,
            "{}",
            call.name
        );
        assert!(asked_at.elapsed() < FINAL + SLACK, "{}", call.name);
    }
}

/// Another recognizer hears the whole before a part of it is made do with.
#[test]
fn the_router_waits_less_than_a_recognizer() {
    let router = antiphon_providers::route::Deadlines::default().hear_final;
    let recognizer = HearLimits::default().final_timeout;
    assert!(
        recognizer >= router + Duration::from_millis(300),
        "{recognizer:?}, {router:?}"
    );
}
