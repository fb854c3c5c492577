//! Tools: what is offered, how calls come in fragments, how results go back.

use antiphon_proto::{Role, ToolCall, ToolCallId};
use antiphon_testkit::fakes::http::{Answer, Wiring};
use antiphon_testkit::fakes::llm::{LlmVendor, Said};
use serde_json::{Value, json};

use crate::lab::{ADAPTERS, Adapter, Lab, message, request, request_of, tools, usage};

fn call(id: &str, name: &str, arguments: &Value) -> ToolCall {
    ToolCall {
        id: ToolCallId::from(id),
        name: name.into(),
        arguments: arguments.to_string(),
    }
}

#[tokio::test]
async fn parallel_calls_are_put_together_from_their_fragments() {
    let said = Said::words(&["Let me look."])
        .calling("call00001", "weather", &["{\"pla", "ce\":", "\"Ulm\"}"])
        .calling("call00002", "weather", &["{\"place\":", "\"Bonn\"}"])
        .calling("call00003", "time", &["{}"]);
    for adapter in ADAPTERS {
        for size in [None, Some(1), Some(5)] {
            let (vendor, said) = (adapter.vendor, said.clone());
            let lab = Lab::new(adapter, Wiring::Http1, move |r| {
                let answer = vendor.answer(r, &said);
                size.map_or(answer.clone(), |size| answer.in_packets_of(size))
            })
            .await;
            let mut request = request();
            request.tools = tools();
            let told = lab.ask(request).await;
            let want = [
                call("call00001", "weather", &json!({"place": "Ulm"})),
                call("call00002", "weather", &json!({"place": "Bonn"})),
                call("call00003", "time", &json!({})),
            ];
            assert_eq!(told.calls, want, "{adapter:?}");
            assert_eq!(
                (told.text().as_str(), told.end),
                ("Let me look.", Ok(usage()))
            );
        }
    }
}

/// The declarations as they are sent.
fn declared(adapter: Adapter, body: &Value) -> Vec<Value> {
    let list = match adapter.vendor {
        LlmVendor::Gemini => &body["tools"][0]["functionDeclarations"],
        LlmVendor::Chat | LlmVendor::Responses | LlmVendor::Anthropic | LlmVendor::Mistral => {
            &body["tools"]
        }
    };
    let tools = list.as_array().unwrap().iter();
    let inner = |tool: &Value| match adapter.vendor {
        LlmVendor::Chat | LlmVendor::Mistral => tool["function"].clone(),
        LlmVendor::Responses | LlmVendor::Anthropic | LlmVendor::Gemini => tool.clone(),
    };
    tools.map(inner).collect()
}

#[tokio::test]
async fn schemas_are_strict_where_that_loses_nothing() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let script = move |r: &_| vendor.answer(r, &Said::words(&["Fine."]));
        let lab = Lab::new(adapter, Wiring::Http1, script).await;
        let mut asked = request();
        asked.tools = tools();
        assert_eq!(
            lab.ask(asked).await.text(),
            "Fine.",
            "{adapter:?}: the server accepts it"
        );
        let declared = declared(adapter, &lab.body());
        assert_eq!(declared.len(), 3);
        assert_eq!(declared[0]["name"], "weather");
        assert_eq!(declared[0]["description"], "The weather of a place.");
        let strict: Vec<bool> = declared.iter().map(|tool| tool["strict"] == true).collect();
        let parameters = match vendor {
            LlmVendor::Anthropic => "input_schema",
            LlmVendor::Chat | LlmVendor::Responses | LlmVendor::Gemini | LlmVendor::Mistral => {
                "parameters"
            }
        };
        assert_eq!(
            declared[0][parameters]["properties"]["place"]["type"],
            "string"
        );
        // Of the second an argument may be left out, which strict mode does not know.
        let want = match (adapter.name, vendor) {
            ("compatible", _) | (_, LlmVendor::Gemini) => [false, false, false],
            _ => [true, false, true],
        };
        assert_eq!(strict, want, "{adapter:?}");
        assert_eq!(lab.ask(request()).await.text(), "Fine.");
        assert_eq!(lab.body()["tools"], Value::Null, "no tools, no field");
    }
}

#[tokio::test]
async fn a_declaration_that_is_no_json_takes_no_arguments() {
    for adapter in ADAPTERS {
        let vendor = adapter.vendor;
        let script = move |r: &_| vendor.answer(r, &Said::words(&["Fine."]));
        let lab = Lab::new(adapter, Wiring::Http1, script).await;
        let mut asked = request();
        asked.tools = tools();
        asked.tools[0].parameters = "oops".into();
        assert_eq!(lab.ask(asked).await.text(), "Fine.", "{adapter:?}");
    }
}

/// Ids of any provider, in the history of any other.
#[tokio::test]
async fn results_stand_behind_their_calls_however_late_they_came() {
    for ids in [
        ["a", "b", "c"],
        ["call_id.with/odd signs and length", "toolu_01", "gemini_7"],
    ] {
        let history = vec![
            message(1, Role::User, "weather?", None),
            message(1, Role::Agent, "Let me look.", None),
            message(1, Role::ToolCall, r#"{"place":"Ulm"}"#, Some(ids[0])),
            message(1, Role::ToolCall, "no object", Some(ids[1])),
            message(1, Role::ToolResult, "sunny", Some(ids[0])),
            message(2, Role::User, "hello?", None),
            message(2, Role::Agent, "", None),
            message(2, Role::ToolResult, "rain", Some(ids[1])),
            message(3, Role::ToolCall, "{}", Some(ids[2])),
        ];
        for adapter in ADAPTERS {
            let vendor = adapter.vendor;
            let script = move |r: &_| vendor.answer(r, &Said::words(&["Fine."]));
            let lab = Lab::new(adapter, Wiring::Http1, script).await;
            let told = lab.ask(request_of(history.clone())).await;
            assert_eq!(told.end, Ok(usage()), "{adapter:?}: the server accepts it");
            let body = lab.body().to_string();
            let order = [
                "weather?",
                "Let me look.",
                "Ulm",
                "sunny",
                "rain",
                "hello?",
                "(no result)",
            ];
            let places: Vec<usize> = order.iter().map(|text| body.find(text).unwrap()).collect();
            // Keys are sorted in JSON here, so arguments may stand on either side of results.
            let spoken = [0, 1, 5, 6].map(|at| places[at]);
            assert!(spoken.is_sorted(), "{adapter:?} {body}");
            assert!(
                places[3] < places[5] && places[4] < places[5],
                "{adapter:?} {body}"
            );
        }
    }
}

#[tokio::test]
async fn signatures_go_back_with_the_call_that_they_came_with() {
    let adapter = ADAPTERS
        .into_iter()
        .find(|a| a.vendor == LlmVendor::Gemini)
        .unwrap();
    let said = Said::words(&[])
        .calling("", "weather", &["{}"])
        .calling("", "time", &["{}"]);
    let lab = Lab::new(adapter, Wiring::Http1, move |r| {
        adapter.vendor.answer(r, &said)
    })
    .await;
    let mut asked = request();
    asked.tools = tools();
    let calls = lab.ask(asked).await.calls;
    assert_ne!(
        calls[0].id, calls[1].id,
        "ids are made where there are none"
    );
    let mut history = vec![message(1, Role::User, "weather?", None)];
    for call in &calls {
        history.push(message(1, Role::ToolCall, "{}", Some(call.id.as_str())));
    }
    for call in &calls {
        history.push(message(
            1,
            Role::ToolResult,
            "sunny",
            Some(call.id.as_str()),
        ));
    }
    history.push(message(2, Role::User, "and there?", None));
    history.push(message(2, Role::ToolCall, "{}", Some("made_elsewhere")));
    history.push(message(2, Role::ToolResult, "rain", Some("made_elsewhere")));
    lab.ask(request_of(history)).await.end.unwrap();
    let body = lab.body();
    let contents = body["contents"].as_array().unwrap();
    let signed: Vec<Option<&str>> = contents
        .iter()
        .flat_map(|content| content["parts"].as_array().unwrap())
        .filter(|part| part["functionCall"].is_object())
        .map(|part| part["thoughtSignature"].as_str())
        .collect();
    assert_eq!(
        signed,
        [
            Some("c2lnbmVk"),
            None,
            Some("skip_thought_signature_validator")
        ]
    );
}

#[tokio::test]
async fn calls_of_servers_that_number_them_badly() {
    let adapter = ADAPTERS[0];
    let part = |part: Value| {
        let chunk = json!({"choices": [{"index": 0, "delta": {"tool_calls": [part]}}]});
        format!("data: {chunk}\n\n").into_bytes()
    };
    let whole = |id: Option<&str>, index: Option<usize>, arguments: Value| {
        let mut made = json!({"function": {"name": "weather", "arguments": arguments}});
        if let Some(id) = id {
            made["id"] = json!(id);
        }
        if let Some(index) = index {
            made["index"] = json!(index);
        }
        part(made)
    };
    let end = b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n";
    for (parts, want) in [
        // Every call is number 0 (Ollama).
        (
            vec![
                whole(Some("a"), Some(0), json!("{}")),
                whole(Some("b"), Some(0), json!("{}")),
            ],
            vec!["a", "b"],
        ),
        // No numbers.
        (
            vec![
                whole(Some("a"), None, json!("{}")),
                whole(Some("b"), None, json!("{}")),
            ],
            vec!["a", "b"],
        ),
        // No ids, and an object in the place of its text.
        (
            vec![
                whole(None, Some(0), json!({})),
                whole(None, Some(1), json!({})),
            ],
            vec!["call_3_0", "call_3_1"],
        ),
    ] {
        let mut events = parts;
        events.push(end.to_vec());
        let answer = Answer::events(events);
        let lab = Lab::new(adapter, Wiring::Http1, move |_| answer.clone()).await;
        let told = lab.ask(request()).await;
        let ids: Vec<&str> = told.calls.iter().map(|call| call.id.as_str()).collect();
        assert_eq!(ids, want);
        assert!(
            told.calls.iter().all(|call| call.arguments == "{}"),
            "{:?}",
            told.calls
        );
    }
}
