//! Servers that send garbage, or too much of everything; and logs that show nothing.

use std::sync::{Arc, Mutex};

use antiphon_providers::FaultKind;
use antiphon_testkit::fakes::http::{Answer, End, Wiring};
use antiphon_testkit::fakes::llm::{KEY, LlmVendor, Said};

use crate::lab::{ADAPTERS, Adapter, Lab, request};

async fn kind_of(adapter: Adapter, answer: Answer) -> FaultKind {
    let lab = Lab::new(adapter, Wiring::Http1, move |_| answer.clone()).await;
    let told = lab.ask(request()).await;
    let fault = told.end.unwrap_err();
    assert!(!fault.reason.contains(KEY), "{fault}");
    fault.kind
}

#[tokio::test]
async fn what_is_no_event_is_malformed() {
    for adapter in ADAPTERS {
        for garbage in [
            "{oops",
            "[1,2]",
            "\"text\"",
            "12",
            "null",
            "{\"choices\":7,\"type\":[],\"candidates\":1}",
        ] {
            let mut events = adapter.vendor.stream(&Said::words(&["Well, ", "no."]));
            let last = events
                .iter()
                .rposition(|e| String::from_utf8_lossy(e).contains("no."));
            events.insert(last.unwrap(), format!("data: {garbage}\n\n").into_bytes());
            let answer = Answer::events(events);
            assert_eq!(
                kind_of(adapter, answer).await,
                FaultKind::Malformed,
                "{adapter:?} {garbage}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for adapter in ADAPTERS {
        for garbage in [
            &b"no http at all\r\n\r\n"[..],
            b"\0\x01\x02",
            b"HTTP/1.1 ",
            b"",
        ] {
            let kind = kind_of(adapter, Answer::garbage(garbage)).await;
            assert_eq!(kind, FaultKind::BrokenOff, "{adapter:?} {garbage:?}");
        }
        let page = Answer::events(vec![b"<html>Log in to this network</html>".to_vec()]);
        assert_eq!(
            kind_of(adapter, page).await,
            FaultKind::BrokenOff,
            "{adapter:?}"
        );
    }
}

#[tokio::test]
async fn a_reset_http2_stream_is_broken_off() {
    for adapter in ADAPTERS {
        for answer in [
            Answer::garbage(b""),
            Answer::events(
                adapter
                    .vendor
                    .stream(&Said::words(&["One", "Two", "Three"]))[..2]
                    .to_vec(),
            )
            .ending(End::Cut),
        ] {
            let lab = Lab::new(adapter, Wiring::Http2Tls, move |_| answer.clone()).await;
            let fault = lab.ask(request()).await.end.unwrap_err();
            assert_eq!(fault.kind, FaultKind::BrokenOff, "{adapter:?} {fault}");
        }
    }
}

#[tokio::test]
async fn a_giant_line_is_not_collected() {
    for adapter in ADAPTERS {
        let answer = Answer::events(vec![b"data: ".to_vec()]).ending(End::Flood {
            bytes: vec![b'x'; 16 * 1_024],
            every: std::time::Duration::ZERO,
        });
        assert_eq!(
            kind_of(adapter, answer).await,
            FaultKind::Malformed,
            "{adapter:?}"
        );
    }
}

#[tokio::test]
async fn a_reply_without_end_is_cut() {
    for adapter in ADAPTERS {
        let mut events = adapter
            .vendor
            .stream(&Said::words(&["word ".repeat(200).as_str()]));
        let words = events
            .iter()
            .position(|e| String::from_utf8_lossy(e).contains("word"))
            .unwrap();
        let bytes = events[words].clone();
        events.truncate(words);
        let every = std::time::Duration::ZERO;
        let answer = Answer::events(events).ending(End::Flood { bytes, every });
        assert_eq!(
            kind_of(adapter, answer).await,
            FaultKind::Malformed,
            "{adapter:?}"
        );
    }
}

#[tokio::test]
async fn more_calls_than_anyone_makes_and_arguments_without_end() {
    let many = (0..40).fold(Said::words(&[]), |said, nth| {
        said.calling(&format!("call{nth:05}"), "weather", &["{}"])
    });
    let long = format!("{{\"place\":\"{}\"}}", "x".repeat(70_000));
    let long = Said::words(&[]).calling("call00001", "weather", &[&long]);
    for adapter in ADAPTERS {
        for said in [&many, &long] {
            let answer = Answer::events(adapter.vendor.stream(said));
            assert_eq!(
                kind_of(adapter, answer).await,
                FaultKind::Malformed,
                "{adapter:?}"
            );
        }
    }
}

#[tokio::test]
async fn arguments_that_are_no_object_are_malformed() {
    for adapter in ADAPTERS {
        if adapter.vendor == LlmVendor::Gemini {
            continue; // They are objects there, or the event is none.
        }
        for arguments in ["{\"place\":", "[1]", "oops"] {
            let said = Said::words(&[]).calling("call00001", "weather", &[arguments]);
            let answer = Answer::events(adapter.vendor.stream(&said));
            assert_eq!(
                kind_of(adapter, answer).await,
                FaultKind::Malformed,
                "{adapter:?}"
            );
        }
    }
}

/// Bytes changed at random: whatever comes, a reply ends once, in time, without a panic.
#[tokio::test]
async fn damaged_streams_end() {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    let said =
        Said::words(&["Let me ", "look."]).calling("call00001", "weather", &["{\"a\":", "1}"]);
    for adapter in ADAPTERS {
        let whole = adapter.vendor.stream(&said).concat();
        let stream = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&stream);
        let lab = Lab::new(adapter, Wiring::Http1, move |_| {
            Answer::events(vec![sent.lock().unwrap().clone()])
        })
        .await;
        for _ in 0..250 {
            let mut damaged = whole.clone();
            for _ in 0..=roll() % 4 {
                let at = roll() as usize % damaged.len();
                match roll() % 3 {
                    0 => damaged[at] = (roll() % 256) as u8,
                    1 => drop(damaged.remove(at)),
                    _ => damaged.insert(at, b"\"{}[],:\n\0"[roll() as usize % 9]),
                }
            }
            *stream.lock().unwrap() = damaged;
            let told = lab.ask(request()).await;
            if let Err(fault) = told.end {
                assert!(!fault.reason.contains(KEY));
            }
        }
    }
}
