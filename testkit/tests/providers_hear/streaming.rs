//! What is heard when all goes well.

use std::sync::Arc;
use std::time::Duration;

use antiphon_providers::hear::Hear;
use antiphon_testkit::fakes::deepgram::Deepgram;
use antiphon_testkit::fakes::elevenlabs_scribe::Scribe;
use antiphon_testkit::fakes::ws::{Received, Treatment, WsFake};

use crate::support::{Call, Case, KEY, LONG, call, call_to, call_with, cases, limits};

async fn check_conversation(case: &Case, call: &mut Call) {
    for (id, said) in [
        (1, "alpha bravo charlie delta"),
        (2, "tango"),
        (
            3,
            "echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec",
        ),
    ] {
        call.say(id, said);
        let heard = call.heard(id).await;
        let name = call.name;
        assert_eq!(heard.text(), said, "{name}");
        for partial in &heard.partials {
            assert!(said.starts_with(partial.as_str()), "{name}: '{partial}'");
        }
        let (text, words) = heard.end.unwrap();
        if !call.hear.capabilities().word_times {
            assert_eq!(words, [], "{name}");
            continue;
        }
        assert_eq!(words.len(), said.split(' ').count(), "{name}");
        for (nth, word) in words.iter().enumerate() {
            let (start_ms, end_ms) = (nth as i64 * 200, nth as i64 * 200 + 200);
            let off = |is: u32, should: i64| (i64::from(is) - should).abs() > 60;
            let wrong = off(word.start_ms, start_ms) || off(word.end_ms, end_ms);
            assert!(!wrong, "{name}, utterance {id}, word {nth}: {word:?}");
        }
        assert_eq!(words.last().unwrap().text_end, text.len(), "{name}");
    }
    assert!(call.is_silent().await, "{}", case.known.name);
    assert_eq!(
        call.connections(),
        1,
        "{}: one connection a call",
        call.name
    );
}

#[tokio::test]
async fn utterances_are_heard_one_after_another_on_one_connection() {
    for case in cases() {
        let mut call = call(&case).await;
        check_conversation(&case, &mut call).await;
    }
}

#[tokio::test]
async fn frames_split_anywhere_and_slow_servers_change_nothing() {
    for case in cases() {
        let mut call = call_with(&case, limits(), |_| Treatment {
            frame_bytes_max: Some(1),
            delay: Duration::from_millis(30),
            ..Treatment::default()
        })
        .await;
        check_conversation(&case, &mut call).await;
    }
}

#[tokio::test]
async fn works_over_tls() {
    for case in cases() {
        let fake = WsFake::start_with(true, case.peer, |_| Treatment::default())
            .await
            .unwrap();
        let limits = antiphon_providers::hear::remote::HearLimits {
            extra_root: fake.root_pem(),
            ..limits()
        };
        let mut call = call_to(&case, limits, Arc::new(fake), 64);
        check_conversation(&case, &mut call).await;
    }
}

#[tokio::test]
async fn partials_come_while_somebody_speaks() {
    for case in cases() {
        let mut call = call(&case).await;
        call.begin(1, "alpha bravo charlie");
        let first = call.partial(1).await;
        assert!(
            "alpha bravo charlie".starts_with(&first),
            "{}: '{first}'",
            call.name
        );
        call.stream.finish();
        assert_eq!(call.heard(1).await.text(), "alpha bravo charlie");
    }
}

#[tokio::test]
async fn words_never_leak_into_the_next_utterance() {
    for case in cases() {
        let delay = Duration::from_millis(50);
        let slow = move |_| Treatment {
            delay,
            ..Treatment::default()
        };
        let mut call = call_with(&case, limits(), slow).await;
        // The second begins long before the first is answered.
        call.say(1, "alpha bravo");
        call.say(2, "charlie delta");
        call.say(3, "echo");
        for (id, said) in [(1, "alpha bravo"), (2, "charlie delta"), (3, "echo")] {
            let heard = call.heard(id).await;
            assert_eq!(heard.text(), said, "{}", call.name);
        }
    }
}

#[tokio::test]
async fn silence_is_an_empty_final() {
    for case in cases() {
        let mut call = call(&case).await;
        for (id, samples) in [(1, 16_000), (2, 400), (3, 0)] {
            call.begin(id, "");
            call.push(&vec![0; samples]);
            call.stream.finish();
            let heard = call.heard(id).await;
            assert_eq!(heard.text(), "", "{}, {samples} samples", call.name);
        }
        call.say(4, "alpha");
        assert_eq!(call.heard(4).await.text(), "alpha", "{}", call.name);
        assert_eq!(call.connections(), 1, "{}", call.name);
    }
}

/// Deepgram does not answer a Finalize that finds nothing left.
#[tokio::test]
async fn a_terse_deepgram_is_not_waited_for() {
    let fake = WsFake::start(Deepgram::terse).await.unwrap();
    let mut call = call_to(&cases()[0], limits(), Arc::new(fake), 64);
    call.begin(1, "");
    call.push(&[0; 800]);
    call.stream.finish();
    assert_eq!(call.heard(1).await.text(), "");
}

#[tokio::test]
async fn times_of_scribe_may_count_from_the_segment() {
    let fake = WsFake::start(Scribe::with_own_times).await.unwrap();
    let case = cases()[3];
    let mut call = call_to(&case, limits(), Arc::new(fake), 64);
    check_conversation(&case, &mut call).await;
}

#[tokio::test]
async fn the_key_and_the_agents_phrases_are_sent() {
    for case in cases() {
        let mut call = call(&case).await;
        call.say(1, "alpha");
        call.heard(1).await;
        let connection = &call.fake.connections()[0];
        let upgrade = connection.upgrade.as_ref().unwrap();
        let (header, before) = case.key_header;
        let expected = format!("{before}{KEY}");
        assert_eq!(
            upgrade.header(header),
            Some(expected.as_str()),
            "{}",
            call.name
        );
        assert!(!upgrade.target.contains(KEY), "{}", call.name);
        let mut said = upgrade.target.clone();
        said.extend(connection.jsons().iter().map(ToString::to_string));
        assert!(said.contains("Antiphon"), "{}: {said}", call.name);
    }
}

#[tokio::test]
async fn pauses_are_kept_alive() {
    for case in cases() {
        let limits = antiphon_providers::hear::remote::HearLimits {
            keep_alive: Duration::from_millis(20),
            ..limits()
        };
        let mut call = call_with(&case, limits, |_| Treatment::default()).await;
        let pinged = |all: &[antiphon_testkit::fakes::ws::Connection]| {
            let pings = all.first()?.received.iter();
            let count = pings.filter(|(_, one)| *one == Received::Ping).count();
            (count >= 5).then_some(())
        };
        assert!(
            call.fake.until(LONG, pinged).await.is_some(),
            "{}",
            call.name
        );
        if ["deepgram", "assemblyai"].contains(&call.name) {
            let jsons = call.fake.connections()[0].jsons();
            assert!(
                jsons.iter().any(|json| json["type"] == "KeepAlive"),
                "{}",
                call.name
            );
        }
        call.say(1, "alpha");
        assert_eq!(call.heard(1).await.text(), "alpha", "{}", call.name);
        assert_eq!(call.connections(), 1, "{}", call.name);
    }
}
