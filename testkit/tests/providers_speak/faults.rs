//! What the server does wrong is a typed fault that tells no secrets.

use std::time::Duration;

use antiphon_providers::FaultKind;
use antiphon_testkit::fakes::ws::{Door, Fault, Treatment};
use tokio::net::TcpListener;

use crate::support::{Case, KEY, Kind, TEXT, cases, fake, limits, stage_with, voice_at};

/// What every fake puts into its error texts.
const SERVERS_WORDS: &str = "the words of a call, or a key";

async fn check(case: &Case, treatment: Treatment, expected: FaultKind) {
    let shown = format!("{} {treatment:?}", case.known.name);
    let stage = stage_with(case, limits(), move |_| treatment.clone()).await;
    let spoken = stage.say(1, TEXT).await;
    let fault = spoken.end.expect_err(&shown);
    assert_eq!(fault.kind, expected, "{shown}: {fault}");
    for secret in [KEY, SERVERS_WORDS, "Hello"] {
        assert!(!fault.reason.contains(secret), "{shown}: {fault}");
    }
}

fn sockets() -> impl Iterator<Item = Case> {
    cases()
        .into_iter()
        .filter(|case| matches!(case.kind, Kind::Socket(_)))
}

#[tokio::test]
async fn refusals_have_their_kinds() {
    let limited = |retry_after| FaultKind::RateLimited { retry_after };
    for case in cases() {
        for (status, wait, expected) in [
            (401, None, FaultKind::Refused),
            (403, None, FaultKind::Refused),
            (404, None, FaultKind::Refused),
            (429, None, limited(None)),
            (429, Some(7), limited(Some(Duration::from_secs(7)))),
            (500, None, FaultKind::Overloaded),
        ] {
            check(&case, Treatment::refusing(status, wait), expected).await;
        }
        let garbage = Treatment {
            door: Door::Garbage,
            ..Treatment::default()
        };
        check(&case, garbage, FaultKind::Malformed).await;
    }
}

#[tokio::test]
async fn what_is_no_message_is_malformed() {
    for case in sockets() {
        for fault in [
            Fault::Text("{".to_owned()),
            Fault::Text("[1,2]".to_owned()),
            Fault::Text("{\"no\":\"type\"}".to_owned()),
            Fault::NotUtf8,
            Fault::BadFrame,
            Fault::Oversize(1 << 40),
        ] {
            let treatment = Treatment::failing(case.greetings, fault);
            check(&case, treatment, FaultKind::Malformed).await;
        }
    }
}

#[tokio::test]
async fn wrong_fields_are_malformed() {
    for case in sockets() {
        let texts: &[&str] = match case.known.name {
            "elevenlabs" => &[
                "{\"audio\":\"%%\"}",
                "{\"audio\":7}",
                "{\"audio\":\"\",\"alignment\":[]}",
            ],
            "cartesia" => &[
                "{\"type\":\"chunk\",\"data\":\"%%\"}",
                "{\"type\":\"chunk\"}",
                "{\"type\":\"timestamps\",\"word_timestamps\":{}}",
            ],
            _ => &["{\"type\":7}"],
        };
        for text in texts {
            let fault = Fault::Text((*text).to_owned());
            check(
                &case,
                Treatment::failing(case.greetings, fault),
                FaultKind::Malformed,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn errors_that_the_server_reports_have_their_kinds() {
    let limited = FaultKind::RateLimited { retry_after: None };
    for case in sockets() {
        let reports: &[(&str, FaultKind)] = match case.known.name {
            "elevenlabs" => &[
                (
                    "{\"message\":\"WORDS\",\"error\":\"quota_exceeded\",\"code\":1008}",
                    limited,
                ),
                (
                    "{\"message\":\"WORDS\",\"error\":\"invalid_api_key\",\"code\":1008}",
                    FaultKind::Refused,
                ),
            ],
            "cartesia" => &[
                (
                    "{\"type\":\"error\",\"status_code\":401,\"message\":\"WORDS\"}",
                    FaultKind::Refused,
                ),
                (
                    "{\"type\":\"error\",\"status_code\":429,\"message\":\"WORDS\"}",
                    limited,
                ),
                (
                    "{\"type\":\"error\",\"status_code\":500,\"message\":\"WORDS\"}",
                    FaultKind::Overloaded,
                ),
            ],
            _ => &[
                (
                    "{\"type\":\"Error\",\"err_code\":\"DATA-0000\",\"err_msg\":\"WORDS\"}",
                    FaultKind::Refused,
                ),
                (
                    "{\"type\":\"Warning\",\"code\":\"EXCESSIVE_LIMIT\",\"description\":\"WORDS\"}",
                    limited,
                ),
            ],
        };
        for (report, kind) in reports {
            let text = report.replace("WORDS", SERVERS_WORDS);
            check(
                &case,
                Treatment::failing(case.greetings, Fault::Text(text)),
                *kind,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn broken_connections_keep_what_came() {
    for case in cases() {
        for fault in [Fault::Cut, Fault::CutMidMessage] {
            let shown = format!("{} {fault:?}", case.known.name);
            let before = if case.known.name == "cartesia" { 6 } else { 2 };
            let treat = move |_| Treatment::failing(case.greetings + before, fault.clone());
            let stage = stage_with(&case, limits(), treat).await;
            let spoken = stage.say(1, TEXT).await;
            assert_eq!(spoken.fault(), FaultKind::BrokenOff, "{shown}");
            assert!(!spoken.pcm.is_empty(), "{shown}");
        }
    }
}

#[tokio::test]
async fn closes_have_their_kinds() {
    for case in sockets() {
        for (code, expected) in [
            (1_008, FaultKind::Refused),
            (1_011, FaultKind::Overloaded),
            (1_000, FaultKind::BrokenOff),
        ] {
            check(
                &case,
                Treatment::failing(case.greetings, Fault::Close(code)),
                expected,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_not_trusted_is_unreachable() {
    for case in cases() {
        // A port that was free a moment ago.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let untrusted = fake(&case, true, |_| Treatment::default()).await;
        for url in [gone, untrusted.url()] {
            let stage = crate::support::Stage {
                name: case.known.name,
                voice: voice_at(&case, limits(), &url),
                fake: fake(&case, false, |_| Treatment::default()).await,
            };
            let spoken = stage.say(1, TEXT).await;
            assert_eq!(
                spoken.fault(),
                FaultKind::Unreachable,
                "{} {url}",
                stage.name
            );
        }
    }
}
