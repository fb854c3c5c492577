//! Replies that do not arrive, or not whole: each is a typed fault, and none shows a secret.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use antiphon_providers::net::Secret;
use antiphon_providers::think::Think;
use antiphon_providers::{Fault, FaultKind};
use antiphon_testkit::fakes::http::{Answer, End, Wiring};
use antiphon_testkit::fakes::llm::{KEY, LlmVendor, Said, SaidEnd};
use tokio::task::JoinSet;

use crate::lab::{ADAPTERS, Adapter, Lab, Told, request, tools};

/// What only the server and the caller may know.
const SERVER_WORDS: &str = "the server's own words";

fn no_secret(text: &str) {
    for secret in [KEY, "hunter2", SERVER_WORDS, "what is a domain"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

async fn fault_of(adapter: Adapter, answer: Answer) -> (Told, Fault) {
    let script = move |_: &_| answer.clone();
    let lab = Lab::with(adapter, Wiring::Http1, script, |config| {
        config.base_url = config.base_url.replace("http://", "http://user:hunter2@");
    })
    .await;
    let told = lab.ask(request()).await;
    let fault = told.end.clone().unwrap_err();
    assert!(!fault.reason.contains("127.0.0.1"), "{fault}");
    no_secret(&format!("{fault} {fault:?} {:?}", lab.think));
    (told, fault)
}

#[tokio::test]
async fn statuses_are_typed() {
    let limited = |seconds| FaultKind::RateLimited {
        retry_after: Some(Duration::from_secs(seconds)),
    };
    for adapter in ADAPTERS {
        for (status, code, header, kind) in [
            (400, "invalid_request_error", None, FaultKind::Refused),
            (401, "authentication_error", None, FaultKind::Refused),
            (403, "permission_error", None, FaultKind::Refused),
            (404, "not_found_error", None, FaultKind::Refused),
            (
                429,
                "rate_limit_error",
                Some(("retry-after", "17")),
                limited(17),
            ),
            (
                429,
                "rate_limit_error",
                None,
                FaultKind::RateLimited { retry_after: None },
            ),
            (500, "api_error", None, FaultKind::Overloaded),
            (503, "UNAVAILABLE", None, FaultKind::Overloaded),
            (529, "overloaded_error", None, FaultKind::Overloaded),
            (
                302,
                "moved",
                Some(("location", "http://elsewhere.invalid/")),
                FaultKind::Malformed,
            ),
        ] {
            let mut answer = adapter
                .vendor
                .error(status, code, &format!("{SERVER_WORDS} {KEY}"));
            if let Some((name, value)) = header {
                answer = answer.header(name, value);
            }
            let (told, fault) = fault_of(adapter, answer).await;
            assert_eq!(fault.kind, kind, "{adapter:?} {status}");
            assert_eq!(told.text(), "");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_the_advice_names_the_variable() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let script = move |r: &_| vendor.answer(r, &Said::words(&["no"]));
        let wrong = |config: &mut antiphon_providers::think::ThinkConfig| {
            config.api_key = Some(Secret::new("sk-wrong"));
        };
        let lab = Lab::with(adapter, Wiring::Http1, script, wrong).await;
        let fault = lab.ask(request()).await.end.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.reason.contains("the key"), "{fault}");
        assert!(!fault.reason.contains("sk-wrong"), "{fault}");
        assert_eq!(
            lab.think.probe().await.unwrap_err().kind,
            FaultKind::Refused,
            "{adapter:?}"
        );
    }
}

#[tokio::test]
async fn google_tells_in_the_body() {
    let adapter = ADAPTERS
        .into_iter()
        .find(|a| a.vendor == LlmVendor::Gemini)
        .unwrap();
    let answer = |status: u16, details: serde_json::Value| {
        let error = serde_json::json!({"error": {"code": status, "details": [details]}});
        Answer::json(status, &error)
    };
    let delay = serde_json::json!({"@type": "type.googleapis.com/google.rpc.RetryInfo",
        "retryDelay": "32s"});
    let (_, fault) = fault_of(adapter, answer(429, delay)).await;
    let retry_after = Some(Duration::from_secs(32));
    assert_eq!(fault.kind, FaultKind::RateLimited { retry_after });
    let reason = serde_json::json!({"reason": "API_KEY_INVALID"});
    let (_, fault) = fault_of(adapter, answer(400, reason)).await;
    assert!(fault.reason.contains("does not accept the key"), "{fault}");
}

#[tokio::test]
async fn errors_within_the_stream_are_typed() {
    for adapter in ADAPTERS {
        for (is_limited, kind) in [
            (false, FaultKind::Overloaded),
            (true, FaultKind::RateLimited { retry_after: None }),
        ] {
            let message = format!("{SERVER_WORDS} {KEY}");
            let mut events = adapter.vendor.stream(&Said::words(&["Half of"]));
            let words = events
                .iter()
                .position(|e| String::from_utf8_lossy(e).contains("Half"));
            events.truncate(words.unwrap() + 1);
            events.push(adapter.vendor.error_event(is_limited, &message));
            let (told, fault) = fault_of(adapter, Answer::events(events)).await;
            assert_eq!(fault.kind, kind, "{adapter:?} {fault}");
            assert_eq!(told.text(), "Half of", "what came before stands");
        }
    }
}

#[tokio::test]
async fn a_reply_that_the_filter_withheld() {
    for adapter in ADAPTERS {
        let said = Said::words(&["Well, "]).ending(SaidEnd::Withheld);
        let (told, fault) = fault_of(adapter, Answer::events(adapter.vendor.stream(&said))).await;
        assert_eq!(fault.kind, FaultKind::Refused, "{adapter:?} {fault}");
        assert!(fault.reason.contains("withheld"), "{fault}");
        assert_eq!(told.text(), "Well, ");
    }
}

#[tokio::test]
async fn responses_that_fail_and_prompts_that_are_blocked() {
    let of = |vendor| ADAPTERS.into_iter().find(|a| a.vendor == vendor).unwrap();
    let failed = "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"x\"}}}\n\n";
    let nested = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"server_error\",\"code\":null}}\n\n";
    let blocked = "data: {\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"},\"usageMetadata\":{\"promptTokenCount\":9}}\n\n";
    let unreadable = "data: {\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}\n\n";
    for (vendor, event, kind) in [
        (
            LlmVendor::Responses,
            failed,
            FaultKind::RateLimited { retry_after: None },
        ),
        (LlmVendor::Responses, nested, FaultKind::Overloaded),
        (LlmVendor::Gemini, blocked, FaultKind::Refused),
        (LlmVendor::Gemini, unreadable, FaultKind::Malformed),
    ] {
        let answer = Answer::events(vec![event.as_bytes().to_vec()]);
        assert_eq!(fault_of(of(vendor), answer).await.1.kind, kind, "{event}");
    }
}

#[tokio::test]
async fn a_refusal_is_spoken() {
    let refusal = "event: response.refusal.delta\ndata: {\"type\":\"response.refusal.delta\",\"output_index\":0,\"delta\":\"I cannot.\"}\n\nevent: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n";
    let chat = "data: {\"choices\":[{\"delta\":{\"refusal\":\"I cannot.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    for adapter in ADAPTERS {
        let text = match adapter.vendor {
            LlmVendor::Responses => refusal,
            LlmVendor::Chat => chat,
            LlmVendor::Anthropic | LlmVendor::Gemini | LlmVendor::Mistral => continue,
        };
        let answer = Answer::events(vec![text.as_bytes().to_vec()]);
        let lab = Lab::new(adapter, Wiring::Http1, move |_| answer.clone()).await;
        assert_eq!(lab.ask(request()).await.text(), "I cannot.");
    }
}

/// Every position of a stream with words and two calls. The words are a beginning of what was
/// said; calls come whole or not at all; and a reply is whole, or has failed in a typed way.
#[tokio::test]
async fn a_cut_at_any_byte_is_a_typed_fault_or_harmless() {
    let said = Said::words(&["Let me ", "look."])
        .calling("call_a", "weather", &["{\"place\":", "\"Ulm\"}"])
        .calling("call_b", "weather", &["{\"place\":\"Bonn\"}"]);
    for adapter in ADAPTERS {
        let stream = Arc::new(adapter.vendor.stream(&said).concat());
        let ends = Arc::new(Mutex::new([0_usize; 3]));
        // The position stands in the request; what follows it is not sent.
        let sent = Arc::clone(&stream);
        let lab = Lab::new(adapter, Wiring::Http1, move |r| {
            let body = r.json().to_string();
            let at = body.find("cut at ").unwrap() + 7;
            let digits: String = body[at..]
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            let cut: usize = digits.parse().unwrap();
            // Half of them end as if that were all.
            let end = if cut.is_multiple_of(2) {
                End::Cut
            } else {
                End::Whole
            };
            Answer::events(vec![sent[..cut].to_vec()]).ending(end)
        })
        .await;
        let lab = Arc::new(lab);
        let mut running = JoinSet::new();
        for cut in 0..stream.len() {
            if running.len() >= 16 {
                running.join_next().await.unwrap().unwrap();
            }
            let (lab, said, ends) = (Arc::clone(&lab), said.clone(), Arc::clone(&ends));
            running.spawn(async move {
                let mut request = request();
                request.tools = tools();
                request.history[1].text = format!("cut at {cut}.");
                let told = lab.ask(request).await;
                let end = judge(&told, &said, &format!("{:?} {cut}", lab.adapter));
                ends.lock().unwrap()[end] += 1;
            });
        }
        while let Some(done) = running.join_next().await {
            done.unwrap();
        }
        let [whole, broken, malformed] = *ends.lock().unwrap();
        let all = stream.len();
        assert!(
            broken > all / 4 && malformed > 0,
            "{adapter:?}: {broken}, {malformed} of {all}"
        );
        assert!(whole < all / 2, "{adapter:?}: {whole} whole of {all}");
    }
}

fn judge(told: &Told, said: &Said, place: &str) -> usize {
    let whole = said.words.concat();
    assert!(
        whole.starts_with(&told.text()),
        "{place}: {:?}",
        told.deltas
    );
    match &told.end {
        Ok(_) => {
            assert_eq!((told.text(), told.calls.len()), (whole, 2), "{place}");
            assert_eq!(
                told.calls[0].arguments.replace(' ', ""),
                "{\"place\":\"Ulm\"}"
            );
            0
        }
        Err(fault) => {
            assert!(told.calls.is_empty(), "{place}: calls of a broken reply");
            no_secret(&fault.reason);
            match fault.kind {
                FaultKind::BrokenOff => 1,
                FaultKind::Malformed => 2,
                FaultKind::Unreachable
                | FaultKind::Refused
                | FaultKind::RateLimited { .. }
                | FaultKind::Overloaded
                | FaultKind::TooSlow
                | FaultKind::Internal => panic!("{place}: {fault:?}"),
            }
        }
    }
}
