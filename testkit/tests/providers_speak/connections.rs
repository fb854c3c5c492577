//! Connections wait for sentences, not the other way round.

use antiphon_providers::net::{Account, Secret};
use antiphon_providers::speak::{Speak, elevenlabs};
use antiphon_testkit::fakes::talker;
use antiphon_testkit::fakes::ws::{Connection, Treatment};

use crate::support::{KEY, LONG, Stage, TEXT, cases, fake, limits, stage};

fn opened(count: usize) -> impl Fn(&[Connection]) -> Option<()> {
    move |all| (all.iter().filter(|one| one.upgrade.is_some()).count() >= count).then_some(())
}

#[tokio::test]
async fn sentences_use_one_connection_after_another() {
    for case in cases().into_iter().filter(|case| case.reuses) {
        let stage = stage(&case).await;
        for segment in 0..5 {
            assert_eq!(
                stage.say(segment, "Yes.").await.end,
                Ok(()),
                "{}",
                stage.name
            );
        }
        assert_eq!(stage.fake.connections(), 1, "{}", stage.name);
    }
}

/// Deepgram takes 20 flushes a minute over one connection.
#[tokio::test]
async fn a_connection_is_retired_before_it_is_refused() {
    for case in cases() {
        let stage = stage(&case).await;
        for segment in 0..25 {
            assert_eq!(
                stage.say(segment, "Yes.").await.end,
                Ok(()),
                "{}",
                stage.name
            );
        }
    }
}

#[tokio::test]
async fn the_next_sentences_connection_is_open_before_it_is_needed() {
    let case = cases()[0];
    let stage = stage(&case).await;
    for segment in 0..3_u32 {
        assert_eq!(stage.say(segment, "Yes.").await.end, Ok(()));
        let next = segment as usize + 2;
        assert!(
            stage
                .fake
                .socket()
                .until(LONG, opened(next))
                .await
                .is_some()
        );
    }
    assert_eq!(
        stage.fake.connections(),
        4,
        "one for each sentence and one spare"
    );
}

#[tokio::test]
async fn a_voice_can_be_warmed() {
    let case = cases()[0];
    let fake = fake(&case, false, |_| Treatment::default()).await;
    let account = Account::new(fake.url(), Secret::new(KEY), "m");
    let voice = elevenlabs::elevenlabs(account, elevenlabs::voices(), limits()).unwrap();
    assert!(voice.warm("nobody at all").is_err());
    voice.warm("default").unwrap();
    voice.warm("default").unwrap();
    assert!(fake.socket().until(LONG, opened(1)).await.is_some());
    let stage = Stage {
        name: voice.name(),
        voice: std::sync::Arc::new(voice),
        fake,
    };
    // The connection is in the pool a moment after the server has accepted it.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(stage.say(1, "Yes.").await.end, Ok(()));
    let connections = stage.fake.socket().connections();
    assert_eq!(
        connections[0].jsons().len(),
        3,
        "it was the first that was used"
    );
}

#[tokio::test]
async fn a_connection_that_died_while_it_waited_is_not_heard_of() {
    for case in cases() {
        let stage = stage(&case).await;
        assert_eq!(stage.say(1, "Yes.").await.end, Ok(()), "{}", stage.name);
        if let crate::support::Fake::Socket(fake) = &stage.fake {
            fake.until(LONG, opened(if case.reuses { 1 } else { 2 }))
                .await
                .unwrap();
            fake.cut_all();
        }
        let spoken = stage.say(2, TEXT).await;
        assert_eq!(spoken.end, Ok(()), "{}", stage.name);
        assert!(spoken.pcm == talker::speech(TEXT), "{}", stage.name);
    }
}

#[tokio::test]
async fn many_sentences_at_once() {
    for case in cases() {
        let stage = stage(&case).await;
        let all: Vec<_> = (0..12).map(|segment| stage.start(segment, TEXT)).collect();
        for sentence in all {
            let spoken = sentence.spoken(stage.name).await;
            assert!(spoken.pcm == talker::speech(TEXT), "{}", stage.name);
        }
    }
}
