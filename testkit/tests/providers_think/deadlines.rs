//! Nothing is waited for longer than its deadline.

use std::time::Duration;

use antiphon_providers::FaultKind;
use antiphon_testkit::fakes::http::{Answer, End, HttpFake, Step, Wiring};
use antiphon_testkit::fakes::llm::{LlmVendor, Said};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::lab::{ADAPTERS, Lab, collect, request, start};

/// The deadline under test; the others are long.
const LIMIT: Duration = Duration::from_millis(250);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1_500);

fn kept(started: Instant, what: &str) {
    let took = started.elapsed();
    assert!(took >= LIMIT && took < LIMIT + SLACK, "{what}: {took:?}");
}

#[tokio::test]
async fn a_connection_that_is_not_made() {
    // It accepts, and never answers the handshake of TLS.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    for adapter in ADAPTERS {
        let think = adapter.think(&url, |config| config.limits.connect_timeout = LIMIT);
        let started = Instant::now();
        let (_handle, events) = start(&think, request());
        let fault = collect(events).await.end.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{adapter:?} {fault}");
        kept(started, adapter.name);
    }
}

#[tokio::test]
async fn no_first_word() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let keep_alive = Step::Send(keep_alive(vendor));
        for (what, answer) in [
            ("no answer", Answer::never()),
            ("no words", Answer::events(Vec::new()).ending(End::Stall)),
            (
                "slow answer",
                vendor.error(200, "", "").after(Duration::from_secs(30)),
            ),
            ("keep-alives only", {
                let mut answer = Answer::events(Vec::new()).ending(End::Stall);
                let pause = Step::Wait(Duration::from_millis(100));
                answer.steps = [keep_alive, pause].into_iter().cycle().take(40).collect();
                answer
            }),
        ] {
            let answer = answer.clone();
            let script = move |_: &_| answer.clone();
            let lab = Lab::with(adapter, Wiring::Http1, script, |config| {
                config.limits.first_timeout = LIMIT;
            })
            .await;
            let started = Instant::now();
            let told = lab.ask(request()).await;
            let fault = told.end.unwrap_err();
            assert_eq!(
                fault.kind,
                FaultKind::TooSlow,
                "{adapter:?} {what}: {fault}"
            );
            assert!(fault.reason.contains("no words within 250 ms"), "{fault}");
            kept(started, what);
        }
    }
}

/// What a server sends while the model has not begun.
fn keep_alive(vendor: LlmVendor) -> Vec<u8> {
    let text = match vendor {
        LlmVendor::Anthropic => "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        LlmVendor::Chat | LlmVendor::Responses | LlmVendor::Gemini | LlmVendor::Mistral => {
            ": still here\n\n"
        }
    };
    text.as_bytes().to_vec()
}

#[tokio::test]
async fn a_stream_that_stands_still() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let said = Said::words(&["One moment", " and on"]);
        let script = move |r: &_| {
            let mut answer = vendor.answer(r, &said).ending(End::Stall);
            let words = vendor.stream(&said);
            let first = words
                .iter()
                .position(|e| String::from_utf8_lossy(e).contains("One"));
            answer.steps.truncate(first.unwrap() + 1);
            answer
        };
        let lab = Lab::with(adapter, Wiring::Http1, script, |config| {
            config.limits.idle_timeout = LIMIT;
        })
        .await;
        let started = Instant::now();
        let told = lab.ask(request()).await;
        assert_eq!(told.text(), "One moment");
        let fault = told.end.unwrap_err();
        assert_eq!(fault.kind, FaultKind::TooSlow, "{adapter:?} {fault}");
        assert!(fault.reason.contains("stood still"), "{fault}");
        kept(started, adapter.name);
    }
}

#[tokio::test]
async fn an_error_whose_text_does_not_come() {
    for adapter in ADAPTERS {
        let mut answer = adapter.vendor.error(429, "rate_limit_error", "slow down");
        answer.steps.clear();
        let answer = answer.header("retry-after", "7").ending(End::Stall);
        let lab = Lab::new(adapter, Wiring::Http1, move |_| answer.clone()).await;
        let started = Instant::now();
        let fault = lab.ask(request()).await.end.unwrap_err();
        let retry_after = Some(Duration::from_secs(7));
        assert_eq!(
            fault.kind,
            FaultKind::RateLimited { retry_after },
            "{adapter:?}"
        );
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn nobody_listens() {
    let gone = HttpFake::start(Wiring::Http1, |_| Answer::never())
        .await
        .unwrap();
    let url = gone.url().replace("http://", "http://user:hunter2@");
    drop(gone);
    for adapter in ADAPTERS {
        let think = adapter.think(&url, |_| {});
        let (_handle, events) = start(&think, request());
        let fault = collect(events).await.end.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable, "{adapter:?} {fault}");
        assert!(!fault.reason.contains("hunter2"), "{fault}");
    }
}
