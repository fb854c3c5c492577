//! What is heard when all goes well.

use std::time::Duration;

use antiphon_agents::Pronunciations;
use antiphon_providers::net::HttpLimits;
use antiphon_providers::speak::speakable::Speakable;
use antiphon_testkit::fakes::cartesia::Cartesia;
use antiphon_testkit::fakes::talker;
use antiphon_testkit::fakes::ws::Treatment;

use crate::support::{
    Case, KEY, Kind, Stage, TEXT, cases, fake, limits, stage, stage_with, voice_at,
};

/// Where the marks of `text` should be, with the ends of what is said until then, ms.
fn expected(made: &Speakable) -> Vec<(usize, u32)> {
    let mut marks: Vec<(usize, u32)> = Vec::new();
    for word in made.words() {
        let text_end = made.mark(word.end);
        let chars = made.spoken()[..word.end].chars().count();
        let end_ms = u32::try_from(chars * talker::CHAR_MS).unwrap();
        if marks.last().map_or(0, |(told, _)| *told) < text_end {
            marks.push((text_end, end_ms));
        }
    }
    marks
}

async fn check(stage: &Stage, text: &str) {
    let spoken = stage.say(1, text).await;
    let name = stage.name;
    assert_eq!(spoken.end, Ok(()), "{name}");
    let made = Speakable::new(text, &Pronunciations::default());
    let whole = spoken.pcm == talker::speech(made.spoken());
    assert!(whole, "{name}: the audio is not the same");
    let expected = expected(&made);
    assert_eq!(
        spoken.marks.len(),
        expected.len(),
        "{name} {text:?}: {:?}",
        spoken.marks
    );
    let last = spoken.marks.last().unwrap();
    assert_eq!(last.text_end, text.len(), "{name}");
    let total_ms = spoken.length_ms();
    assert!(
        last.end_ms.abs_diff(total_ms) <= 80,
        "{name}: {last:?} of {total_ms} ms"
    );
    for (mark, at_ms) in spoken.marks.iter().zip(&spoken.marked_at_ms) {
        assert!(
            *at_ms <= mark.end_ms,
            "{name}: {mark:?} comes after {at_ms} ms of audio"
        );
    }
    for (mark, (text_end, end_ms)) in spoken.marks.iter().zip(&expected) {
        assert_eq!(mark.text_end, *text_end, "{name} {text:?}");
        if stage.voice.capabilities().word_marks {
            let off = end_ms.abs_diff(mark.end_ms);
            assert!(off <= 2, "{name}: {mark:?} should be at {end_ms} ms");
        }
    }
}

async fn check_all(stage: &Stage) {
    for text in [
        TEXT,
        "No.",
        "Well, that is so. And \"this\" too? Yes: it is!",
    ] {
        check(stage, text).await;
    }
}

#[tokio::test]
async fn sentences_are_spoken_with_marks() {
    for case in cases() {
        check_all(&stage(&case).await).await;
    }
}

#[tokio::test]
async fn frames_split_anywhere_and_slow_servers_change_nothing() {
    for case in cases() {
        let treat = |_| Treatment {
            frame_bytes_max: Some(7),
            delay: Duration::from_millis(20),
            every: Duration::from_millis(5),
            ..Treatment::default()
        };
        check_all(&stage_with(&case, limits(), treat).await).await;
    }
}

#[tokio::test]
async fn works_over_tls() {
    for case in cases() {
        let fake = fake(&case, true, |_| Treatment::default()).await;
        let limits = HttpLimits {
            extra_root: fake.root_pem(),
            ..limits()
        };
        let stage = Stage {
            name: case.known.name,
            voice: voice_at(&case, limits, &fake.url()),
            fake,
        };
        check_all(&stage).await;
    }
}

/// Marks that come after their audio are estimated instead, and the audio does not wait long.
#[tokio::test]
async fn late_times_do_not_hold_the_audio_up() {
    let case = Case {
        kind: Kind::Socket(Cartesia::late),
        ..cases()[1]
    };
    let slow = |_| Treatment {
        every: Duration::from_millis(60),
        ..Treatment::default()
    };
    let stage = stage_with(&case, limits(), slow).await;
    let begun = tokio::time::Instant::now();
    let mut sentence = stage.start(1, TEXT);
    sentence.audio("cartesia").await;
    assert!(
        begun.elapsed() < Duration::from_millis(600),
        "{:?}",
        begun.elapsed()
    );
    let spoken = sentence.spoken("cartesia").await;
    assert_eq!(spoken.end, Ok(()));
    assert_eq!(
        spoken.marks.last().map(|mark| mark.text_end),
        Some(TEXT.len())
    );
}

#[tokio::test]
async fn the_key_is_sent_and_not_in_the_address() {
    for case in cases() {
        let stage = stage(&case).await;
        stage.say(1, "Yes.").await;
        let (header, before) = case.key_header;
        let (target, found) = match &stage.fake {
            crate::support::Fake::Socket(fake) => {
                let upgrade = fake.connections()[0].upgrade.clone().unwrap();
                (
                    upgrade.target.clone(),
                    upgrade.header(header).map(str::to_owned),
                )
            }
            crate::support::Fake::Http(fake) => {
                let request = fake.exchanges().remove(0).request;
                (
                    request.target.clone(),
                    request.header(header).map(str::to_owned),
                )
            }
        };
        assert_eq!(found, Some(format!("{before}{KEY}")), "{}", stage.name);
        assert!(!target.contains(KEY), "{}", stage.name);
    }
}

#[tokio::test]
async fn another_pace_is_asked_for() {
    for case in cases() {
        let stage = stage(&case).await;
        let sentence = stage.start_with(1, "Yes.", "default", 1.1, 8);
        assert_eq!(sentence.spoken(stage.name).await.end, Ok(()));
        let said = match &stage.fake {
            crate::support::Fake::Socket(fake) => {
                let connection = fake.connections().remove(0);
                format!("{:?} {:?}", connection.upgrade, connection.jsons())
            }
            crate::support::Fake::Http(fake) => {
                fake.exchanges().remove(0).request.json().to_string()
            }
        };
        assert!(
            said.contains("speed") && said.contains("1.1"),
            "{}: {said}",
            stage.name
        );
    }
}

#[tokio::test]
async fn what_cannot_be_spoken_is_told_without_asking() {
    for case in cases() {
        let stage = stage(&case).await;
        let empty = stage.say(1, "  ").await;
        assert_eq!((empty.end, empty.pcm.len()), (Ok(()), 0), "{}", stage.name);
        let sentence = stage.start_with(2, "Yes.", "nobody at all", 1.0, 8);
        let unknown = sentence.spoken(stage.name).await;
        assert_eq!(
            unknown.fault(),
            antiphon_providers::FaultKind::Refused,
            "{}",
            stage.name
        );
        let long = stage.say(3, &"word ".repeat(1_000)).await;
        assert_eq!(
            long.fault(),
            antiphon_providers::FaultKind::Internal,
            "{}",
            stage.name
        );
        assert_eq!(stage.fake.connections(), 0, "{}", stage.name);
    }
}

#[tokio::test]
async fn a_slow_listener_gets_all_of_it() {
    for case in cases() {
        let stage = stage(&case).await;
        let sentence = stage.start_with(1, TEXT, "default", 1.0, 1);
        let spoken = sentence.spoken(stage.name).await;
        assert!(spoken.pcm == talker::speech(TEXT), "{}", stage.name);
    }
}

#[tokio::test]
async fn estimates_learn_the_voices_tempo() {
    for case in cases().into_iter().skip(2) {
        let slow = |_| Treatment {
            every: Duration::from_millis(30),
            ..Treatment::default()
        };
        let stage = stage_with(&case, limits(), slow).await;
        let mut off = Vec::new();
        for segment in 0..4 {
            let spoken = stage.say(segment, TEXT).await;
            let words = talker::words(TEXT);
            let each = spoken.marks.iter().zip(words);
            let worst = each
                .map(|(mark, (_, _, end_ms))| u32::try_from(end_ms).unwrap().abs_diff(mark.end_ms));
            off.push(worst.max().unwrap());
        }
        assert!(off[3] <= off[0], "{}: {off:?}", stage.name);
        assert!(off[3] < 600, "{}: {off:?}", stage.name);
    }
}
