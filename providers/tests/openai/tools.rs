//! Tool calls: what is offered, how calls come in fragments, how results go back.

use antiphon_agents::Agent;
use antiphon_proto::{GenerationId, Message, Role, ToolCall, ToolCallId, ToolRef, TurnId};
use antiphon_providers::think::openai::OpenAiCompatible;
use antiphon_providers::think::{
    Think, ThinkEventKind, ThinkLimits, ThinkRequest, ToolDeclaration,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::server::{OK, Step, serve};

fn message(turn: u32, role: Role, text: &str, tool: Option<&str>) -> Message {
    Message {
        turn: TurnId(turn),
        role,
        text: text.into(),
        interrupted: false,
        at_ms: 0,
        tool: tool.map(|id| ToolRef {
            id: ToolCallId::from(id),
            name: "weather".into(),
        }),
    }
}

fn call_chunk(part: Value) -> String {
    let chunk = json!({"choices": [{"index": 0, "delta": {"tool_calls": [part]}}]});
    format!("data: {chunk}\n\n")
}

/// What the responder says to `stream`, and the body that it sent.
async fn ask(history: Vec<Message>, stream: &str) -> (Vec<ThinkEventKind>, Value) {
    let server = serve(vec![Step::Send(format!("{OK}{stream}").into_bytes())]).await;
    let (sender, mut events) = mpsc::channel(16);
    let tool = ToolDeclaration {
        name: "weather".into(),
        description: "The weather of a place.".into(),
        parameters: r#"{"type":"object","properties":{"place":{"type":"string"}}}"#.into(),
    };
    let request = ThinkRequest {
        generation: GenerationId(3),
        agent: Agent::built_in("cal").unwrap(),
        history,
        tools: vec![tool],
        limits: ThinkLimits::default(),
        already_said: None,
    };
    let responder = OpenAiCompatible::new(server.config).unwrap();
    let _handle = responder.start(request, sender);
    let mut kinds = Vec::new();
    while let Some(event) = events.recv().await {
        kinds.push(event.kind);
    }
    let request = server.done.await.unwrap();
    let body = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    (kinds, body)
}

#[tokio::test]
async fn parallel_calls_are_put_together_from_their_fragments() {
    let stream = [
        call_chunk(json!({"index": 0, "id": "call_a", "type": "function",
            "function": {"name": "weather", "arguments": ""}})),
        call_chunk(
            json!({"index": 1, "function": {"name": "weather", "arguments": "{\"place\":"}}),
        ),
        call_chunk(json!({"index": 0, "function": {"arguments": "{\"place\": \"Ulm\"}"}})),
        call_chunk(json!({"index": 1, "function": {"arguments": "\"Bonn\"}"}})),
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
            .into(),
    ];
    let (kinds, body) = ask(
        vec![message(1, Role::User, "weather?", None)],
        &stream.concat(),
    )
    .await;
    let call = |id: &str, arguments: &str| ToolCall {
        id: ToolCallId::from(id),
        name: "weather".into(),
        arguments: arguments.into(),
    };
    assert_eq!(
        kinds,
        [
            ThinkEventKind::ToolCalls {
                // A server that names no id gets one made up.
                calls: vec![
                    call("call_a", r#"{"place": "Ulm"}"#),
                    call("call_3_1", r#"{"place":"Bonn"}"#)
                ]
            },
            ThinkEventKind::Done {
                usage: None,
                hang_up: false,
                hand_off: None,
            }
        ]
    );
    assert_eq!(body["tools"][0]["function"]["name"], "weather");
    assert_eq!(
        body["tools"][0]["function"]["parameters"]["properties"]["place"]["type"],
        "string"
    );
}

#[tokio::test]
async fn results_stand_behind_their_calls_however_late_they_came() {
    let history = vec![
        message(1, Role::User, "weather?", None),
        message(1, Role::Agent, "Let me look.", None),
        message(1, Role::ToolCall, "{}", Some("a")),
        message(1, Role::ToolCall, "{}", Some("b")),
        message(1, Role::ToolResult, "sunny", Some("a")),
        message(2, Role::User, "hello?", None),
        message(2, Role::ToolResult, "rain", Some("b")),
        message(3, Role::ToolCall, "{}", Some("c")),
    ];
    let (_, body) = ask(history, "data: [DONE]\n\n").await;
    let sent: Vec<(String, String)> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|m| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let calls = m["tool_calls"].as_array().map_or(0, Vec::len);
            (format!("{} {calls}", text(&m["role"])), text(&m["content"]))
        })
        .collect();
    let want = [
        ("user 0", "weather?"),
        ("assistant 2", "Let me look."),
        ("tool 0", "sunny"),
        ("tool 0", "rain"),
        ("user 0", "hello?"),
        ("assistant 1", ""),
        ("tool 0", "(no result)"),
    ];
    assert_eq!(
        sent,
        want.map(|(role, text)| (role.to_owned(), text.to_owned()))
    );
}

#[tokio::test]
async fn more_calls_than_anyone_makes_fail_the_reply() {
    let part = json!({"index": 1_000_000, "function": {"name": "weather", "arguments": "{}"}});
    let (kinds, _) = ask(
        vec![message(1, Role::User, "weather?", None)],
        &call_chunk(part),
    )
    .await;
    assert!(matches!(kinds.as_slice(), [ThinkEventKind::Failed { .. }]));
}
