//! Dropping the handle stops the work: the socket, not only the reader.

use std::time::Duration;

use antiphon_providers::think::ThinkEventKind;
use antiphon_testkit::fakes::http::{Answer, End, EndedHow, Wiring};
use antiphon_testkit::fakes::llm::Said;
use tokio::time::{Instant, timeout};

use crate::lab::{ADAPTERS, Adapter, Lab, request, start};

/// How soon the server must know.
const CANCEL_MAX: Duration = Duration::from_millis(20);
/// Tries: on a busy machine a single one may be late through no fault of the adapter. One that
/// does not close its socket is late every time.
const TRIES: usize = 8;

#[derive(Clone, Copy, Debug)]
enum At {
    /// Before any answer.
    NoAnswer,
    /// After the head of the answer.
    NoWords,
    /// In the middle of the words, which then stop.
    Stalled,
    /// In the middle of words that come and come.
    Flooded,
}

/// How long the server did not know, and what it sent after it could have.
async fn cancel(adapter: Adapter, wiring: Wiring, at: At) -> Duration {
    let vendor = adapter.vendor;
    let said = Said::words(&["A long ", "story. "]);
    let words = vendor.stream(&said);
    let lab = Lab::new(adapter, wiring, move |r| match at {
        At::NoAnswer => Answer::never(),
        At::NoWords => Answer::events(Vec::new()).ending(End::Stall),
        At::Stalled | At::Flooded => {
            let mut answer = vendor.answer(r, &said);
            let last = words
                .iter()
                .position(|e| String::from_utf8_lossy(e).contains("story"));
            answer.steps.truncate(last.unwrap() + 1);
            answer.ending(match at {
                At::Flooded => End::Flood {
                    bytes: words[last.unwrap()].clone(),
                    every: Duration::from_millis(1),
                },
                At::NoAnswer | At::NoWords | At::Stalled => End::Stall,
            })
        }
    })
    .await;
    let (handle, mut events) = start(&lab.think, request());
    assert!(
        lab.fake.asked(1, Duration::from_secs(10)).await,
        "{adapter:?} {wiring:?}"
    );
    if matches!(at, At::Stalled | At::Flooded) {
        let first = timeout(Duration::from_secs(10), events.recv()).await;
        assert!(first.unwrap().is_some(), "{adapter:?} {wiring:?} {at:?}");
    } else {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let cancelled = Instant::now();
    drop(handle);
    let ended = lab.fake.ended(0, Duration::from_secs(5)).await;
    let ended = ended.unwrap_or_else(|| panic!("{adapter:?} {wiring:?} {at:?}: it never knew"));
    assert_eq!(ended.how, EndedHow::ClientGone);
    while let Some(event) = events.recv().await {
        let is_delta = matches!(event.kind, ThinkEventKind::Delta { .. });
        assert!(is_delta, "no end after a cancel: {event:?}");
    }
    // Nobody reads what a closed socket is sent: the server has stopped for good.
    let sent = lab.fake.exchanges()[0].bytes_sent;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(lab.fake.exchanges()[0].bytes_sent, sent);
    ended.at.duration_since(cancelled)
}

async fn check(wiring: Wiring) {
    for adapter in ADAPTERS {
        for at in [At::NoAnswer, At::NoWords, At::Stalled, At::Flooded] {
            let mut best = Duration::MAX;
            for _ in 0..TRIES {
                best = best.min(cancel(adapter, wiring, at).await);
                if best <= CANCEL_MAX {
                    break;
                }
            }
            assert!(
                best <= CANCEL_MAX,
                "{adapter:?} {wiring:?} {at:?}: {best:?}"
            );
        }
    }
}

#[tokio::test]
async fn over_http1() {
    check(Wiring::Http1).await;
}

#[tokio::test]
async fn over_http1_with_tls() {
    check(Wiring::Http1Tls).await;
}

#[tokio::test]
async fn over_http2() {
    check(Wiring::Http2Tls).await;
}

#[tokio::test]
async fn another_reply_on_the_same_http2_connection_goes_on() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let lab = Lab::new(adapter, Wiring::Http2Tls, move |r| {
            if r.json().to_string().contains("xyzzy") {
                return Answer::events(Vec::new()).ending(End::Stall);
            }
            vendor.answer(r, &Said::words(&["Fine."]))
        })
        .await;
        lab.think.warm().await;
        let mut stalling = request();
        stalling.history[1].text = "xyzzy".into();
        let (handle, _events) = start(&lab.think, stalling);
        assert!(lab.fake.asked(2, Duration::from_secs(10)).await);
        drop(handle);
        assert_eq!(lab.ask(request()).await.text(), "Fine.");
        assert_eq!(lab.fake.connections(), 1, "{adapter:?}");
    }
}
