//! Broken connections are not heard of.

use antiphon_testkit::fakes::ws::{Fault, Treatment};

use crate::support::{LONG, call, call_with, cases, limits};

#[tokio::test]
async fn an_utterance_survives_its_connection() {
    for case in cases() {
        for fault in [
            Fault::Cut,
            Fault::CutMidMessage,
            Fault::Close(1_011),
            Fault::Close(1_001),
        ] {
            let shown = format!("{} {fault:?}", case.known.name);
            let treat = move |connection| match connection {
                0 | 1 => Treatment::failing(case.greetings, fault.clone()),
                _ => Treatment::default(),
            };
            let mut call = call_with(&case, limits(), treat).await;
            call.begin(1, "alpha bravo charlie");
            let again = |all: &[antiphon_testkit::fakes::ws::Connection]| all.get(2).map(|_| ());
            assert!(call.fake.until(LONG, again).await.is_some(), "{shown}");
            call.push(&antiphon_testkit::fakes::listener::utterance("delta"));
            call.stream.finish();
            assert_eq!(
                call.heard(1).await.text(),
                "alpha bravo charlie delta",
                "{shown}"
            );
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_end_is_not_the_end() {
    for case in cases() {
        let mut call = call(&case).await;
        call.say(1, "alpha");
        call.heard(1).await;
        call.begin(2, "bravo charlie");
        call.partial(2).await;
        call.stream.finish();
        call.fake.cut_all();
        assert_eq!(call.heard(2).await.text(), "bravo charlie", "{}", call.name);
    }
}

#[tokio::test]
async fn an_idle_connection_that_breaks_is_opened_again_before_it_is_needed() {
    for case in cases() {
        let mut call = call(&case).await;
        call.say(1, "alpha");
        call.heard(1).await;
        call.fake.cut_all();
        let again = |all: &[antiphon_testkit::fakes::ws::Connection]| {
            all.get(1).and_then(|one| one.upgrade.clone())
        };
        assert!(
            call.fake.until(LONG, again).await.is_some(),
            "{}",
            call.name
        );
        call.say(2, "bravo");
        assert_eq!(call.heard(2).await.text(), "bravo", "{}", call.name);
        assert_eq!(call.connections(), 2, "{}", call.name);
    }
}

#[tokio::test]
async fn a_server_that_always_breaks_is_given_up() {
    for case in cases() {
        let treat = move |_| Treatment::failing(case.greetings, Fault::Cut);
        let mut call = call_with(&case, limits(), treat).await;
        call.say(1, "alpha bravo");
        let heard = call.heard(1).await;
        let kind = heard.fault();
        assert_eq!(
            kind,
            antiphon_providers::FaultKind::BrokenOff,
            "{}",
            call.name
        );
        assert!(
            call.connections() <= 4,
            "{}: {}",
            call.name,
            call.connections()
        );
    }
}
