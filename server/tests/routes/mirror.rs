//! `/v1/mirror`: chat by text and the report on providers.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestServer;

#[tokio::test]
async fn a_message_is_answered_with_who_and_what_it_cost() {
    let server = TestServer::start().await;
    let body = json!({"message": "what is a domain", "agent": "cal"});
    let reply = server.request(Method::POST, "/v1/mirror/chat").json(&body);
    let reply: Value = reply.send().await.unwrap().json().await.unwrap();
    assert_eq!(reply["reply"], "A domain is an address. It is short.");
    assert_eq!(reply["provider"], "scripted");
    assert_eq!(reply["cost_nanodollars"], 0);
    assert_eq!(reply["quality"], 1.0);
    assert_eq!(reply["safety"], "NORMAL");
    let report = server.request(Method::GET, "/v1/mirror/routes");
    let report: Value = report.send().await.unwrap().json().await.unwrap();
    let of = |stage: &str| {
        let all = report["providers"].as_array().unwrap();
        all.iter()
            .find(|each| each["stage"] == stage)
            .unwrap()
            .clone()
    };
    assert_eq!(of("think")["asked"], 1);
    assert_eq!(of("think")["breaker"], "closed");
    assert_eq!(of("think")["minutes"][0]["asked"], 1);
    assert_eq!(of("speak")["asked"], 0);
    server.stop().await;
}

#[tokio::test]
async fn a_reply_can_be_streamed() {
    let server = TestServer::start().await;
    let body = json!({"message": "what is a domain", "stream": true});
    let reply = server.request(Method::POST, "/v1/mirror/chat").json(&body);
    let reply = reply.send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/event-stream");
    let text = reply.text().await.unwrap();
    let events: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("event: "))
        .collect();
    assert_eq!(events.last(), Some(&"done"), "{text}");
    assert!(
        events[..events.len() - 1]
            .iter()
            .all(|event| *event == "delta")
    );
    let words = text.lines().filter_map(|l| l.strip_prefix("data: "));
    let words: Vec<Value> = words
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let streamed: String = words.iter().filter_map(|w| w["text"].as_str()).collect();
    assert_eq!(streamed.trim(), words.last().unwrap()["reply"]);
    server.stop().await;
}

#[tokio::test]
async fn words_of_distress_get_reviewed_words_and_no_model() {
    let server = TestServer::start().await;
    let body = json!({"message": "i am going to kill myself tonight"});
    let reply = server.request(Method::POST, "/v1/mirror/chat").json(&body);
    let reply: Value = reply.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&reply["provider"], &reply["safety"]),
        (&json!("script"), &json!("SAFETY_MODE"))
    );
    assert!(reply["reply"].as_str().unwrap().len() > 20);
    let report = server.request(Method::GET, "/v1/mirror/routes");
    let report: Value = report.send().await.unwrap().json().await.unwrap();
    let all = report["providers"].as_array().unwrap();
    let think = all.iter().find(|each| each["stage"] == "think").unwrap();
    assert_eq!(think["asked"], 0);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_said_plainly() {
    let server = TestServer::start().await;
    let check = async |body: Value, status: StatusCode, code: &str, told: &str| {
        let reply = server.request(Method::POST, "/v1/mirror/chat").json(&body);
        let reply = reply.send().await.unwrap();
        assert_eq!(reply.status(), status, "{body}");
        let problem: Value = reply.json().await.unwrap();
        assert_eq!(problem["code"], code, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(told),
            "{problem}"
        );
    };
    let bad = StatusCode::BAD_REQUEST;
    check(json!({}), bad, "body_unreadable", "message").await;
    check(json!({"message": " "}), bad, "body_unreadable", "1 to 4000").await;
    check(
        json!({"message": "a".repeat(4_001)}),
        bad,
        "body_unreadable",
        "4001",
    )
    .await;
    check(
        json!({"message": "hi", "model": "x"}),
        bad,
        "body_unreadable",
        "provider",
    )
    .await;
    check(
        json!({"message": "hi", "colour": "red"}),
        bad,
        "body_unreadable",
        "colour",
    )
    .await;
    let missing = StatusCode::NOT_FOUND;
    check(
        json!({"message": "hi", "provider": "x"}),
        missing,
        "provider_unknown",
        "scripted",
    )
    .await;
    check(
        json!({"message": "hi", "agent": "x"}),
        missing,
        "agent_unknown",
        "cal",
    )
    .await;
    server.stop().await;
}
