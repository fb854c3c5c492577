//! What is cancelled is over at once.

use std::time::Duration;

use antiphon_testkit::fakes::cartesia::Cartesia;
use antiphon_testkit::fakes::talker;
use antiphon_testkit::fakes::ws::{Connection, Treatment};
use tokio::time::Instant;

use crate::support::{Case, Fake, Kind, LONG, Stage, TEXT, cases, limits, stage_with};

/// What the issue asks for; met by the best of some tries on a loaded machine.
const CANCEL_MAX: Duration = Duration::from_millis(20);
const TRIES: usize = 5;

/// When the server knew: by a cancel where the connection goes on, else by its end.
async fn told(stage: &Stage) -> Instant {
    if stage.name != "cartesia" {
        return stage.fake.ended(0).await;
    }
    let cancelled = |all: &[Connection]| {
        let received = all.first()?.received.iter();
        let mut cancels = received.filter(|(_, one)| one.json()["cancel"] == true);
        cancels.next().map(|(at, _)| *at)
    };
    stage
        .fake
        .socket()
        .until(LONG, cancelled)
        .await
        .expect("a cancel")
}

/// Messages or bytes that the server gave away after that.
fn said(fake: &Fake, since: Instant) -> usize {
    match fake {
        Fake::Socket(fake) => fake.connections()[0].said,
        Fake::Http(fake) => fake.exchanges()[0].bytes_sent_after(since),
    }
}

#[tokio::test]
async fn dropping_the_handle_ends_the_servers_work_at_once() {
    for case in cases() {
        let mut best = LONG;
        for _ in 0..TRIES {
            let slow = |_| Treatment {
                every: Duration::from_millis(40),
                ..Treatment::default()
            };
            let stage = stage_with(&case, limits(), slow).await;
            let mut sentence = stage.start(1, TEXT);
            sentence.audio(stage.name).await;
            let dropped_at = Instant::now();
            drop(sentence.handle);
            let told_at = told(&stage).await;
            best = best.min(told_at - dropped_at);
            let before = said(&stage.fake, told_at);
            tokio::time::sleep(Duration::from_millis(90)).await;
            assert_eq!(
                said(&stage.fake, told_at),
                before,
                "{}: it went on",
                stage.name
            );
            while let Some(event) = sentence.events.recv().await {
                let ended = matches!(
                    event.kind,
                    antiphon_providers::speak::SpeakEventKind::Done
                        | antiphon_providers::speak::SpeakEventKind::Failed { .. }
                );
                assert!(!ended, "{}: {event:?}", stage.name);
            }
        }
        assert!(best <= CANCEL_MAX, "{}: {best:?}", case.known.name);
    }
}

#[tokio::test]
async fn the_next_sentence_is_whole() {
    for case in cases() {
        let slow = |_| Treatment {
            every: Duration::from_millis(15),
            ..Treatment::default()
        };
        let stage = stage_with(&case, limits(), slow).await;
        for segment in 0..4 {
            let mut sentence = stage.start(segment, TEXT);
            sentence.audio(stage.name).await;
            drop(sentence.handle);
        }
        let spoken = stage.say(9, "Another sentence.").await;
        assert_eq!(spoken.end, Ok(()), "{}", stage.name);
        assert!(
            spoken.pcm == talker::speech("Another sentence."),
            "{}",
            stage.name
        );
    }
}

/// What a cancelled context still says is not taken for the next one's.
#[tokio::test]
async fn contexts_do_not_mix() {
    let case = Case {
        kind: Kind::Socket(Cartesia::stubborn),
        ..cases()[1]
    };
    let slow = |_| Treatment {
        every: Duration::from_millis(10),
        ..Treatment::default()
    };
    let stage = stage_with(&case, limits(), slow).await;
    let mut sentence = stage.start(1, TEXT);
    sentence.audio(stage.name).await;
    drop(sentence.handle);
    told(&stage).await;
    let spoken = stage.say(2, "Another one.").await;
    assert!(spoken.pcm == talker::speech("Another one."));
    assert_eq!(stage.fake.connections(), 1, "the connection is used again");
}

#[tokio::test]
async fn a_listener_that_goes_away_ends_the_work_too() {
    for case in cases() {
        let slow = |_| Treatment {
            every: Duration::from_millis(20),
            ..Treatment::default()
        };
        let stage = stage_with(&case, limits(), slow).await;
        let mut sentence = stage.start(1, TEXT);
        sentence.audio(stage.name).await;
        drop(sentence.events);
        told(&stage).await;
    }
}

#[tokio::test]
async fn cancelling_before_the_connection_is_open_works() {
    for case in cases() {
        let never = |_| Treatment {
            door: antiphon_testkit::fakes::ws::Door::Never,
            ..Treatment::default()
        };
        let stage = stage_with(&case, limits(), never).await;
        let sentence = stage.start(1, TEXT);
        let mut tries = 0;
        while stage.fake.connections() == 0 && tries < 1_000 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            tries += 1;
        }
        drop(sentence.handle);
        stage.fake.ended(0).await;
    }
}
