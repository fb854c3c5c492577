//! Nothing grows without end, and nobody is held up.

use std::sync::Arc;
use std::time::Duration;

use antiphon_providers::FaultKind;
use antiphon_providers::hear::remote::{UTTERANCE_S_MAX, UTTERANCES_MAX};
use antiphon_testkit::fakes::ws::{Door, Fault, Treatment, WsFake};
use tokio::time::Instant;

use crate::support::{call_to, call_with, cases, limits};

#[tokio::test]
async fn an_endless_utterance_fails() {
    for case in cases() {
        let treat = |_| Treatment {
            door: Door::Never,
            ..Treatment::default()
        };
        let mut call = call_with(&case, limits(), treat).await;
        call.begin(1, "");
        let begun_at = Instant::now();
        call.push(&vec![0; 16_000 * (UTTERANCE_S_MAX + 1)]);
        assert!(
            begun_at.elapsed() < Duration::from_secs(2),
            "pushing does not wait"
        );
        assert_eq!(
            call.heard(1).await.fault(),
            FaultKind::Internal,
            "{}",
            call.name
        );
    }
}

#[tokio::test]
async fn utterances_do_not_pile_up() {
    for case in cases() {
        let treat = |_| Treatment {
            door: Door::Never,
            ..Treatment::default()
        };
        let mut call = call_with(&case, limits(), treat).await;
        let count = u32::try_from(UTTERANCES_MAX).unwrap() + 2;
        for id in 1..=count {
            call.say(id, "alpha");
        }
        for id in 1..=2 {
            assert_eq!(
                call.heard(id).await.fault(),
                FaultKind::TooSlow,
                "{}",
                call.name
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_reads_nothing_does_not_hold_the_call_up() {
    for case in cases() {
        let treat = move |_| Treatment::failing(case.greetings, Fault::Deaf);
        let short = antiphon_providers::hear::remote::HearLimits {
            final_timeout: Duration::from_millis(300),
            ..limits()
        };
        let mut call = call_with(&case, short, treat).await;
        call.begin(1, "alpha bravo");
        let begun_at = Instant::now();
        call.push(&vec![0; 16_000 * 60]);
        call.stream.finish();
        assert!(
            begun_at.elapsed() < Duration::from_secs(2),
            "pushing does not wait"
        );
        let heard = call.heard(1).await;
        assert!(heard.end.is_err() || !heard.text().is_empty(), "{heard:?}");
    }
}

#[tokio::test]
async fn a_listener_that_is_slow_loses_no_final() {
    for case in cases() {
        let fake = Arc::new(WsFake::start(case.peer).await.unwrap());
        let mut call = call_to(&case, limits(), fake, 1);
        call.begin(1, "alpha bravo charlie");
        call.stream.finish();
        call.say(2, "delta");
        // Nothing is read until both are surely waiting.
        let both = |all: &[antiphon_testkit::fakes::ws::Connection]| {
            (all.first()?.received.len() >= 4).then_some(())
        };
        call.fake.until(Duration::from_secs(5), both).await;
        assert_eq!(
            call.heard(1).await.text(),
            "alpha bravo charlie",
            "{}",
            call.name
        );
        assert_eq!(call.heard(2).await.text(), "delta", "{}", call.name);
    }
}
