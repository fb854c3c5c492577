//! What the server does wrong is a typed fault that tells no secrets.

use std::time::Duration;

use antiphon_providers::FaultKind;
use antiphon_providers::hear::Hear;
use antiphon_testkit::fakes::ws::{Door, Fault, Treatment};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::support::{Call, Case, KEY, call_with, cases, hear_at, limits};

/// What every fake puts into its error texts.
const SERVERS_WORDS: &str = "the words of a call, or a key";

async fn check(case: &Case, treatment: Treatment, expected: FaultKind) -> Call {
    let shown = format!("{} {treatment:?}", case.known.name);
    // Faults of the door are those of every connection, others those of the first.
    let bad_door = treatment.door != Door::Open;
    let treat = move |connection| match connection {
        0 => treatment.clone(),
        _ if bad_door => treatment.clone(),
        _ => Treatment::default(),
    };
    let mut call = call_with(case, limits(), treat).await;
    call.say(1, "alpha bravo charlie");
    let heard = call.heard(1).await;
    let fault = heard.end.as_ref().expect_err(&shown);
    assert_eq!(fault.kind, expected, "{shown}: {fault}");
    assert!(!fault.reason.is_empty(), "{shown}");
    for secret in [KEY, SERVERS_WORDS, "alpha", "bravo"] {
        assert!(!fault.reason.contains(secret), "{shown}: {fault}");
    }
    call
}

#[tokio::test]
async fn refusals_have_their_kinds() {
    let limited = |retry_after| FaultKind::RateLimited { retry_after };
    for case in cases() {
        for (status, wait, expected) in [
            (401, None, FaultKind::Refused),
            (403, None, FaultKind::Refused),
            (404, None, FaultKind::Refused),
            (400, None, FaultKind::Refused),
            (429, None, limited(None)),
            (429, Some(7), limited(Some(Duration::from_secs(7)))),
            (500, None, FaultKind::Overloaded),
            (503, None, FaultKind::Overloaded),
        ] {
            check(&case, Treatment::refusing(status, wait), expected).await;
        }
    }
}

#[tokio::test]
async fn what_is_no_message_is_malformed_and_the_next_utterance_is_heard() {
    for case in cases() {
        for fault in [
            Fault::Text("{".to_owned()),
            Fault::Text(String::new()),
            Fault::Text("[1,2]".to_owned()),
            Fault::Text("null".to_owned()),
            Fault::Text("{\"no\":\"type\"}".to_owned()),
            Fault::Binary(vec![0xff; 100]),
            Fault::NotUtf8,
            Fault::BadFrame,
            Fault::Oversize(1 << 40),
        ] {
            let treatment = Treatment::failing(case.greetings, fault);
            let mut call = check(&case, treatment, FaultKind::Malformed).await;
            call.say(2, "delta");
            assert_eq!(call.heard(2).await.text(), "delta", "{}", call.name);
        }
    }
}

/// Messages of the right type whose fields are not what they should be.
#[tokio::test]
async fn wrong_fields_are_malformed() {
    for case in cases() {
        let text = match case.known.name {
            "deepgram" => "{\"type\":\"Results\",\"start\":\"soon\"}",
            "assemblyai" => "{\"type\":\"Turn\",\"words\":7}",
            "openai" => "{\"type\":\"conversation.item.input_audio_transcription.delta\"}",
            _ => "{\"message_type\":\"partial_transcript\",\"text\":[]}",
        };
        let treatment = Treatment::failing(case.greetings, Fault::Text(text.to_owned()));
        check(&case, treatment, FaultKind::Malformed).await;
    }
}

#[tokio::test]
async fn errors_that_the_server_reports_have_their_kinds() {
    let limited = FaultKind::RateLimited { retry_after: None };
    for case in cases() {
        let reports: &[(&str, FaultKind)] = match case.known.name {
            "deepgram" => &[(
                "{\"type\":\"Error\",\"variant\":\"SchemaError\",\"description\":\"WORDS\"}",
                FaultKind::Refused,
            )],
            "assemblyai" => &[
                (
                    "{\"type\":\"Error\",\"error_code\":4001,\"error\":\"WORDS\"}",
                    FaultKind::Refused,
                ),
                (
                    "{\"type\":\"Error\",\"error_code\":3009,\"error\":\"WORDS\"}",
                    limited,
                ),
                ("{\"error\":\"WORDS\"}", FaultKind::Refused),
                (
                    "{\"type\":\"Error\",\"error_code\":3005,\"error\":\"WORDS\"}",
                    FaultKind::Overloaded,
                ),
            ],
            "openai" => &[
                (
                    "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\",\"message\":\"WORDS\"}}",
                    FaultKind::Refused,
                ),
                (
                    "{\"type\":\"error\",\"error\":{\"type\":\"x\",\"code\":\"rate_limit_exceeded\",\"message\":\"WORDS\"}}",
                    limited,
                ),
            ],
            _ => &[
                (
                    "{\"message_type\":\"auth_error\",\"error\":\"WORDS\"}",
                    FaultKind::Refused,
                ),
                (
                    "{\"message_type\":\"quota_exceeded\",\"error\":\"WORDS\"}",
                    limited,
                ),
                (
                    "{\"message_type\":\"rate_limited\",\"error\":\"WORDS\"}",
                    limited,
                ),
            ],
        };
        for (report, kind) in reports {
            let text = report.replace("WORDS", SERVERS_WORDS);
            let all = move |_| Treatment::failing(case.greetings, Fault::Text(text.clone()));
            let mut call = call_with(&case, limits(), all).await;
            call.say(1, "alpha bravo charlie");
            let heard = call.heard(1).await;
            assert_eq!(heard.fault(), *kind, "{} {report}", call.name);
            let reason = heard.end.unwrap_err().reason;
            assert!(!reason.contains(SERVERS_WORDS), "{reason}");
        }
    }
}

#[tokio::test]
async fn closes_have_their_kinds() {
    for case in cases() {
        for (code, expected) in [
            (1_008, FaultKind::Refused),
            (4_001, FaultKind::Refused),
            (4_029, FaultKind::RateLimited { retry_after: None }),
        ] {
            let treatment = Treatment::failing(case.greetings, Fault::Close(code));
            check(&case, treatment, expected).await;
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    for case in cases() {
        // A port that was free a moment ago.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let hear = hear_at(&case, limits(), &url);
        let (sender, events) = mpsc::channel(8);
        let stream = hear.open(Default::default(), sender);
        let fake = antiphon_testkit::fakes::ws::WsFake::start(case.peer)
            .await
            .unwrap();
        let mut call = Call {
            name: case.known.name,
            fake: fake.into(),
            hear,
            stream,
            events,
        };
        call.say(1, "alpha");
        assert_eq!(
            call.heard(1).await.fault(),
            FaultKind::Unreachable,
            "{}",
            call.name
        );
    }
}

#[tokio::test]
async fn a_server_without_a_trusted_certificate_is_unreachable() {
    for case in cases() {
        let treat = |_| Treatment::default();
        let fake = antiphon_testkit::fakes::ws::WsFake::start_with(true, case.peer, treat);
        let fake = std::sync::Arc::new(fake.await.unwrap());
        let mut call = crate::support::call_to(&case, limits(), fake, 8);
        call.say(1, "alpha");
        assert_eq!(
            call.heard(1).await.fault(),
            FaultKind::Unreachable,
            "{}",
            call.name
        );
    }
}

#[tokio::test]
async fn nothing_shows_the_key() {
    for case in cases() {
        let hear = hear_at(&case, limits(), "http://127.0.0.1:9");
        assert!(!format!("{hear:?}").contains(KEY));
    }
}
