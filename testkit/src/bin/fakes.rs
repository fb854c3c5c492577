//! Runs the fake language model servers, for clients that are not ours. Prints their URLs as one
//! line of JSON and stops when its standard input is closed.

use std::io::Read;

use antiphon_testkit::fakes::http::{Answer, HttpFake, Request, Wiring};
use antiphon_testkit::fakes::llm::{KEY, LlmVendor, Said};
use serde_json::json;

/// What is asked decides what is answered.
fn answer(vendor: LlmVendor, request: &Request) -> Answer {
    let body = String::from_utf8_lossy(&request.body);
    if body.contains("too often") {
        let code = match vendor {
            LlmVendor::Gemini => "RESOURCE_EXHAUSTED",
            LlmVendor::Chat | LlmVendor::Responses | LlmVendor::Anthropic | LlmVendor::Mistral => {
                "rate_limit_error"
            }
        };
        return vendor
            .error(429, code, "slow down")
            .header("retry-after", "7");
    }
    let said = Said::words(&["Grüße ", "aus ", "Ulm."]);
    let said = if body.contains("weather of two places") {
        said.calling("call00001", "weather", &["{\"place\":", " \"Ulm\"}"])
            .calling("call00002", "weather", &["{\"place\": \"Bonn\"}"])
    } else {
        said
    };
    let whole = vendor.answer(request, &said);
    if body.contains("split") {
        return whole.in_packets_of(3);
    }
    if body.contains("stream error") && whole.status == 200 {
        let mut events = vendor.stream(&said);
        events.truncate(2);
        events.push(vendor.error_event(false, "in trouble"));
        return Answer::events(events);
    }
    whole
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut running = Vec::new();
    let mut urls = serde_json::Map::new();
    for (name, vendor) in [
        ("chat", LlmVendor::Chat),
        ("responses", LlmVendor::Responses),
        ("anthropic", LlmVendor::Anthropic),
        ("gemini", LlmVendor::Gemini),
        ("mistral", LlmVendor::Mistral),
    ] {
        let fake = HttpFake::start(Wiring::Http1, move |r| answer(vendor, r)).await?;
        urls.insert(name.to_owned(), json!(fake.url()));
        running.push(fake);
    }
    println!("{}", json!({"key": KEY, "urls": urls}));
    let closed = tokio::task::spawn_blocking(|| {
        let mut rest = Vec::new();
        std::io::stdin().read_to_end(&mut rest)
    });
    let _ = closed.await;
    drop(running);
    Ok(())
}
