//! Nothing is waited for longer than was said.

use std::time::Duration;

use antiphon_providers::FaultKind;
use antiphon_providers::net::HttpLimits;
use antiphon_testkit::fakes::talker;
use antiphon_testkit::fakes::ws::{Door, Fault, Treatment};
use tokio::time::Instant;

use crate::support::{TEXT, cases, limits, stage_with};

const LIMIT: Duration = Duration::from_millis(200);
/// Allowed on top on a loaded machine.
const SLACK: Duration = Duration::from_millis(700);

fn short() -> HttpLimits {
    HttpLimits {
        first_timeout: LIMIT,
        idle_timeout: LIMIT,
        ..limits()
    }
}

#[tokio::test]
async fn the_first_audio_is_waited_for_so_long_and_no_longer() {
    for case in cases() {
        for treatment in [
            Treatment {
                door: Door::Never,
                ..Treatment::default()
            },
            Treatment::failing(case.greetings, Fault::Stall),
        ] {
            let shown = format!("{} {treatment:?}", case.known.name);
            let stage = stage_with(&case, short(), move |_| treatment.clone()).await;
            let asked_at = Instant::now();
            let spoken = stage.say(1, TEXT).await;
            assert_eq!(spoken.fault(), FaultKind::TooSlow, "{shown}");
            assert_eq!(spoken.pcm.len(), 0, "{shown}");
            let waited = asked_at.elapsed();
            assert!(
                waited >= LIMIT && waited < LIMIT + SLACK,
                "{shown}: {waited:?}"
            );
        }
    }
}

#[tokio::test]
async fn audio_that_stands_still_is_given_up_and_what_came_is_kept() {
    for case in cases() {
        // Cartesia's times come first.
        let before = if case.known.name == "cartesia" { 6 } else { 2 };
        let treat = move |_| Treatment::failing(case.greetings + before, Fault::Stall);
        let stage = stage_with(&case, short(), treat).await;
        let asked_at = Instant::now();
        let spoken = stage.say(1, TEXT).await;
        let name = stage.name;
        assert_eq!(spoken.fault(), FaultKind::TooSlow, "{name}");
        assert!(asked_at.elapsed() < LIMIT + SLACK, "{name}");
        assert!(!spoken.pcm.is_empty(), "{name}: what came is kept");
        assert!(talker::speech(TEXT).starts_with(&spoken.pcm), "{name}");
        let said = spoken.marks.last().map_or(0, |mark| mark.text_end);
        assert!(said < TEXT.len(), "{name}: what was not said is not marked");
    }
}

/// A listener that takes its time is not a voice that stands still.
#[tokio::test]
async fn a_full_listener_is_not_the_voices_fault() {
    for case in cases() {
        let stage = stage_with(&case, short(), |_| Treatment::default()).await;
        let mut sentence = stage.start_with(1, TEXT, "default", 1.0, 1);
        sentence.audio(stage.name).await;
        tokio::time::sleep(LIMIT + LIMIT / 2).await;
        assert_eq!(
            sentence.spoken(stage.name).await.end,
            Ok(()),
            "{}",
            stage.name
        );
    }
}
