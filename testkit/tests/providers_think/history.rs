//! What is sent of a call: limits, caches, long histories and their summaries.

use std::time::Duration;

use antiphon_proto::{Message, Role};
use antiphon_testkit::fakes::http::{Answer, Request, Wiring};
use antiphon_testkit::fakes::llm::{LlmVendor, Said};
use serde_json::{Value, json};

use crate::lab::{ADAPTERS, Adapter, Lab, message, request, request_of, tools, usage};

#[tokio::test]
async fn the_longest_reply_and_stop_texts_are_sent() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        // The server does not know about stop texts: the words end all the same.
        let said = Said::words(&["One. ", "Two. EN", "D Three."]);
        let lab = Lab::new(adapter, Wiring::Http1, move |r| vendor.answer(r, &said)).await;
        let mut asked = request();
        asked.limits.tokens_max = 123;
        asked.limits.stop = vec!["END".into(), "###".into()];
        let told = lab.ask(asked).await;
        assert_eq!(told.text(), "One. Two. ", "{adapter:?}");
        assert!(told.end.is_ok());
        let body = lab.body();
        let (tokens, stop) = match (adapter.name, adapter.vendor) {
            ("openai-chat", _) => ("/max_completion_tokens", "/stop"),
            (_, LlmVendor::Chat | LlmVendor::Mistral) => ("/max_tokens", "/stop"),
            (_, LlmVendor::Responses) => ("/max_output_tokens", ""),
            (_, LlmVendor::Anthropic) => ("/max_tokens", "/stop_sequences"),
            (_, LlmVendor::Gemini) => (
                "/generationConfig/maxOutputTokens",
                "/generationConfig/stopSequences",
            ),
        };
        // The fifth generation thinks, and what it thinks counts.
        let extra = if adapter.model == "claude-sonnet-5" {
            1_024
        } else {
            0
        };
        assert_eq!(
            body.pointer(tokens),
            Some(&json!(123 + extra)),
            "{adapter:?}"
        );
        if !stop.is_empty() {
            assert_eq!(
                body.pointer(stop),
                Some(&json!(["END", "###"])),
                "{adapter:?}"
            );
        }
    }
}

#[tokio::test]
async fn providers_are_told_what_to_cache() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let script = move |r: &_| vendor.answer(r, &Said::words(&["Fine."]));
        let lab = Lab::new(adapter, Wiring::Http1, script).await;
        let mut asked = request();
        asked.tools = tools();
        lab.ask(asked).await.end.unwrap();
        let body = lab.body();
        let mark = json!({"type": "ephemeral"});
        match (adapter.name, vendor) {
            (_, LlmVendor::Anthropic) => {
                assert_eq!(body["system"][0]["cache_control"], mark);
                assert_eq!(body["tools"][2]["cache_control"], mark);
                assert_eq!(body["tools"][0]["cache_control"], Value::Null);
                let last = body["messages"].as_array().unwrap().last().unwrap();
                assert_eq!(last["content"][0]["cache_control"], mark);
                let sent = &lab.fake.exchanges()[0].request;
                assert_eq!(sent.header("anthropic-version"), Some("2023-06-01"));
            }
            ("openai-chat" | "openai" | "mistral", _) => {
                assert_eq!(body["prompt_cache_key"], "cal");
            }
            // Own servers and Gemini find the same beginning by themselves.
            _ => assert_eq!(body["prompt_cache_key"], Value::Null),
        }
        if vendor == LlmVendor::Responses {
            assert_eq!(body["store"], false, "nothing of the call is kept there");
            assert_eq!(body["reasoning"]["effort"], "none");
        }
    }
}

#[tokio::test]
async fn a_history_that_begins_or_ends_with_the_agent_or_is_empty() {
    let histories = [
        vec![],
        vec![message(0, Role::Agent, "Hello.", None)],
        vec![
            message(1, Role::User, "Hi.", None),
            message(1, Role::Agent, "Hello.", None),
        ],
        vec![
            message(1, Role::User, "Hi.", None),
            message(2, Role::User, "You there?", None),
        ],
        vec![
            message(0, Role::Agent, "Hello.", None),
            message(1, Role::ToolCall, "{}", Some("a")),
        ],
    ];
    for adapter in ADAPTERS {
        if adapter.vendor == LlmVendor::Responses {
            continue; // Their input may not be empty; a call never is.
        }
        for history in &histories {
            let vendor = adapter.vendor;
            let script = move |r: &_| vendor.answer(r, &Said::words(&["Fine."]));
            let lab = Lab::new(adapter, Wiring::Http1, script).await;
            let told = lab.ask(request_of(history.clone())).await;
            assert_eq!(told.end, Ok(usage()), "{adapter:?} {history:?}");
        }
    }
}

/// Turns of some 50 tokens.
fn long_call(turns: u32) -> Vec<Message> {
    let mut history = Vec::new();
    for turn in 0..turns {
        let user = format!("statement {turn}: {}", "a b c ".repeat(15));
        history.push(message(turn, Role::User, &user, None));
        if turn == 2 {
            history.push(message(
                2,
                Role::ToolCall,
                r#"{"place":"Ulm"}"#,
                Some("call00001"),
            ));
            history.push(message(
                2,
                Role::ToolResult,
                "hail over Ulm",
                Some("call00001"),
            ));
        }
        history.push(message(
            turn,
            Role::Agent,
            &format!("answer {turn}: {}", "x y z ".repeat(15)),
            None,
        ));
    }
    history
}

fn is_summary(request: &Request) -> bool {
    request
        .json()
        .to_string()
        .contains("You keep the notes of a phone call")
}

/// A lab whose summaries come late, and whose history may be short.
async fn summing_lab(adapter: Adapter) -> Lab {
    let vendor = adapter.vendor;
    let script = move |r: &_| {
        if is_summary(r) {
            let said = Said::words(&["The caller is Ms Kern from Ulm."]);
            return vendor.answer(r, &said).after(Duration::from_millis(100));
        }
        vendor.answer(r, &Said::words(&["Fine."]))
    };
    Lab::with(adapter, Wiring::Http1, script, |config| {
        config.context_tokens_max = 1_200;
    })
    .await
}

/// The body of the last request that asks for no summary.
fn last_body(lab: &Lab) -> String {
    let exchanges = lab.fake.exchanges();
    let last = exchanges
        .iter()
        .rev()
        .find(|exchange| !is_summary(&exchange.request));
    last.unwrap().request.json().to_string()
}

#[tokio::test]
async fn the_beginning_of_a_long_call_is_summed_up_in_the_background() {
    for adapter in ADAPTERS {
        let lab = summing_lab(adapter).await;
        // At first there is no summary: the caller's own words are listed.
        let first = lab.ask(request_of(long_call(30))).await;
        assert_eq!(
            (first.text().as_str(), first.end),
            ("Fine.", Ok(usage())),
            "{adapter:?}"
        );
        let body = last_body(&lab);
        assert!(
            body.contains("The caller said: statement 0:"),
            "{adapter:?} {body}"
        );
        assert!(
            !body.contains("answer 0:") && body.contains("answer 29:"),
            "{adapter:?}"
        );
        assert!(
            body.contains("hail over Ulm"),
            "no result is lost: {adapter:?}"
        );
        // Then there is one, and no other is asked for.
        let asked = lab.fake.asked(2, Duration::from_secs(10)).await;
        assert!(asked, "{adapter:?}: the summary is made");
        let body = loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let told = lab.ask(request_of(long_call(31))).await;
            let body = last_body(&lab);
            if body.contains("Ms Kern") {
                // What the summary cost is in the usage of the first reply that has it.
                let usage = told.end.unwrap().unwrap();
                assert_eq!(
                    (usage.input_tokens, usage.output_tokens),
                    (220, 14),
                    "{adapter:?}"
                );
                break body;
            }
        };
        assert!(
            !body.contains("The caller said:") && body.contains("hail over Ulm"),
            "{body}"
        );
        let told = lab.ask(request_of(long_call(31))).await;
        assert_eq!(told.end, Ok(usage()), "{adapter:?}: paid once");
        let summaries = lab
            .fake
            .exchanges()
            .iter()
            .filter(|e| is_summary(&e.request))
            .count();
        assert_eq!(summaries, 1, "{adapter:?}");
        // Another call has another summary, be its words the same.
        let mut other = long_call(31);
        other.iter_mut().for_each(|message| message.at_ms += 1);
        lab.ask(request_of(other)).await.end.unwrap();
        assert!(!last_body(&lab).contains("Ms Kern"), "{adapter:?}");
    }
}

#[tokio::test]
async fn a_summary_that_fails_is_not_missed() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let script = move |r: &_| {
            if is_summary(r) {
                return Answer::json(500, &json!({}));
            }
            vendor.answer(r, &Said::words(&["Fine."]))
        };
        let lab = Lab::with(adapter, Wiring::Http1, script, |config| {
            config.context_tokens_max = 1_200;
        })
        .await;
        for _ in 0..4 {
            let told = lab.ask(request_of(long_call(30))).await;
            assert_eq!(
                (told.text().as_str(), told.end),
                ("Fine.", Ok(usage())),
                "{adapter:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let tried = lab
            .fake
            .exchanges()
            .iter()
            .filter(|e| is_summary(&e.request))
            .count();
        assert_eq!(tried, 1, "{adapter:?}: it is not tried for ever");
    }
}
