use reqwest::Method;

use crate::support::{TestServer, problem};

#[tokio::test]
async fn gives_a_token_and_where_to_connect() {
    let server = TestServer::start().await;
    let session = server.create().await;
    assert!(session.id.as_str().starts_with("sess_") && session.token.starts_with("call_"));
    assert_eq!(
        session.webrtc_url,
        format!("/v1/sessions/{}/webrtc", session.id)
    );
    assert!(!session.udp.is_empty());
    assert_ne!(server.create().await.token, session.token);
}

#[tokio::test]
async fn an_unknown_agent_is_told_who_there_is() {
    let server = TestServer::start().await;
    let response = server.post_session("{\"agent\":\"calvin\"}").await;
    let problem = problem(response, 404, "agent_unknown").await;
    for name in ["calvin", "cal", "riven", "domingo", "arty", "loopseeker"] {
        assert!(problem.detail.contains(name), "{}", problem.detail);
    }
}

#[tokio::test]
async fn bad_bodies_are_refused() {
    let server = TestServer::start().await;
    for body in [
        "",
        "{",
        "[]",
        "{\"agent\":5}",
        "{\"agent\":\"cal\",\"extra\":1}",
        "\u{feff}",
    ] {
        problem(server.post_session(body).await, 400, "body_unreadable").await;
    }
    let huge = format!("{{\"agent\":\"{}\"}}", "x".repeat(100_000));
    problem(server.post_session(&huge).await, 413, "body_too_large").await;
    let untyped = server
        .request(Method::POST, "/v1/sessions")
        .body("{\"agent\":\"cal\"}")
        .send()
        .await
        .unwrap();
    problem(untyped, 415, "media_type").await;
}

#[tokio::test]
async fn all_lines_busy() {
    let server = TestServer::start().await;
    for _ in 0..4 {
        server.create().await;
    }
    let refused = server.post_session("{\"agent\":\"cal\"}").await;
    assert!(refused.headers().contains_key("retry-after"));
    problem(refused, 503, "full").await;
}

#[tokio::test]
async fn the_same_key_creates_once() {
    let server = TestServer::start().await;
    let create = |key: &'static str, agent: &str| {
        let request = server
            .request(Method::POST, "/v1/sessions")
            .header("idempotency-key", key);
        request.json(&serde_json::json!({ "agent": agent })).send()
    };
    let first: serde_json::Value = create("k1", "cal").await.unwrap().json().await.unwrap();
    let again: serde_json::Value = create("k1", "cal").await.unwrap().json().await.unwrap();
    assert_eq!(first, again);
    problem(
        create("k1", "riven").await.unwrap(),
        409,
        "idempotency_conflict",
    )
    .await;
    problem(create("", "cal").await.unwrap(), 400, "idempotency_key").await;
}
