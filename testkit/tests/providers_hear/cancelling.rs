//! What is cancelled is over at once.

use std::time::Duration;

use antiphon_testkit::fakes::ws::{EndedHow, Treatment};
use tokio::time::Instant;

use crate::support::{LONG, call, call_with, cases, limits};

/// What the issue asks for; met by the best of some tries on a loaded machine.
const CANCEL_MAX: Duration = Duration::from_millis(20);
const TRIES: usize = 5;

#[tokio::test]
async fn a_cancelled_utterance_is_never_heard_of_again() {
    for case in cases() {
        let mut call = call(&case).await;
        call.begin(1, "alpha bravo charlie");
        call.partial(1).await;
        call.stream.cancel();
        while call.events.try_recv().is_ok() {}
        call.say(2, "delta echo");
        let heard = call.heard(2).await;
        assert_eq!(heard.text(), "delta echo", "{}", call.name);
        assert!(call.is_silent().await, "{}", call.name);
        assert_eq!(call.connections(), 1, "{}", call.name);
    }
}

#[tokio::test]
async fn cancelling_after_the_end_works_too() {
    for case in cases() {
        let slow = |_| Treatment {
            delay: Duration::from_millis(60),
            ..Treatment::default()
        };
        let mut call = call_with(&case, limits(), slow).await;
        call.say(1, "alpha bravo charlie");
        call.stream.cancel();
        call.say(2, "delta");
        assert_eq!(call.heard(2).await.text(), "delta", "{}", call.name);
        assert!(call.is_silent().await, "{}", call.name);
    }
}

#[tokio::test]
async fn beginning_anew_cancels_what_was_not_finished() {
    for case in cases() {
        let mut call = call(&case).await;
        call.begin(1, "alpha bravo charlie");
        call.say(2, "delta");
        assert_eq!(call.heard(2).await.text(), "delta", "{}", call.name);
    }
}

#[tokio::test]
async fn a_cancelled_utterance_sends_no_more_audio() {
    for case in cases() {
        let mut call = call(&case).await;
        call.begin(1, "alpha bravo");
        call.partial(1).await;
        call.stream.cancel();
        let spoken = antiphon_testkit::fakes::listener::utterance("tango sierra");
        call.push(&spoken);
        call.stream.finish();
        call.say(2, "charlie");
        assert_eq!(call.heard(2).await.text(), "charlie", "{}", call.name);
        let connection = call.fake.connections().remove(0);
        let samples = connection.bytes().len() / 2;
        // Two words, one word, and at most padding: nothing of what came after the cancel.
        assert!(
            samples <= (3_200 * 3) + 4_800,
            "{}: {samples} samples",
            call.name
        );
    }
}

#[tokio::test]
async fn dropping_the_stream_ends_the_connection_at_once() {
    for case in cases() {
        let mut best = LONG;
        for _ in 0..TRIES {
            let mut call = call(&case).await;
            call.begin(1, "alpha bravo charlie");
            call.partial(1).await;
            let dropped_at = Instant::now();
            drop(call.stream);
            let ended = call.fake.ended(0, LONG).await.expect("it ends");
            assert_eq!(ended.how, EndedHow::ClientClosed, "{}", call.name);
            best = best.min(ended.at - dropped_at);
        }
        assert!(best <= CANCEL_MAX, "{}: {best:?}", case.known.name);
    }
}

#[tokio::test]
async fn dropping_it_while_it_connects_ends_that_too() {
    for case in cases() {
        let never = |_| Treatment {
            door: antiphon_testkit::fakes::ws::Door::Never,
            ..Treatment::default()
        };
        let call = call_with(&case, limits(), never).await;
        let connected = |all: &[antiphon_testkit::fakes::ws::Connection]| all.first().map(|_| ());
        assert!(call.fake.until(LONG, connected).await.is_some());
        let dropped_at = Instant::now();
        drop(call.stream);
        let ended = call.fake.ended(0, LONG).await.expect("it ends");
        assert!(
            ended.at - dropped_at < Duration::from_secs(1),
            "{}",
            call.name
        );
    }
}
