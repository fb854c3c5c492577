use reqwest::Method;

use crate::support::{TestServer, problem};

#[tokio::test]
async fn bad_offers_are_refused_and_the_session_goes_on() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let no_audio =
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    for (offer, says) in [
        ("", "empty"),
        ("   ", "empty"),
        ("hello", "not SDP"),
        (no_audio, "audio"),
    ] {
        let problem = problem(
            server.offer(&session, offer).await,
            422,
            "offer_unacceptable",
        )
        .await;
        assert!(
            problem.detail.contains(says),
            "{offer:?}: {}",
            problem.detail
        );
    }
    problem(
        server.offer(&session, vec![0xff, 0xfe, 0x00]).await,
        422,
        "offer_unacceptable",
    )
    .await;
    problem(
        server.offer(&session, "v=0\r\n".repeat(40_000)).await,
        413,
        "body_too_large",
    )
    .await;
    let path = format!("/v1/sessions/{}", session.id);
    let alive = server
        .request(Method::GET, &path)
        .bearer_auth(&session.token)
        .send()
        .await
        .unwrap();
    assert_eq!(alive.status(), 200);
}

#[tokio::test]
async fn an_offer_of_another_type_is_refused() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let request = server
        .request(Method::POST, &session.webrtc_url)
        .bearer_auth(&session.token);
    problem(
        request
            .json(&serde_json::json!({"sdp": "v=0"}))
            .send()
            .await
            .unwrap(),
        415,
        "media_type",
    )
    .await;
}

#[tokio::test]
async fn an_offer_without_the_token_is_refused() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let request = server
        .request(Method::POST, &session.webrtc_url)
        .header("content-type", "application/sdp");
    problem(
        request.body("v=0").send().await.unwrap(),
        401,
        "token_missing",
    )
    .await;
}

#[tokio::test]
async fn a_token_that_nobody_used_expires() {
    let server = TestServer::start_with(|args| args.connect_seconds = 0).await;
    let session = server.create().await;
    let mut refused = server.offer(&session, "v=0").await;
    while refused.status() == 422 {
        refused = server.offer(&session, "v=0").await;
    }
    let problem = problem(refused, 401, "token_expired").await;
    assert!(
        problem.detail.contains("create a new session"),
        "{}",
        problem.detail
    );
}
