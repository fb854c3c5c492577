use antiphon_proto::{CloseReason, SessionStatus, SessionView};
use reqwest::Method;

use crate::support::{TestServer, problem};

#[tokio::test]
async fn ends_a_session_and_ending_it_again_is_fine() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let path = format!("/v1/sessions/{}", session.id);
    for _ in 0..2 {
        let response = server
            .request(Method::DELETE, &path)
            .bearer_auth(&session.token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 204);
    }
    let view = loop {
        let response = server
            .request(Method::GET, &path)
            .bearer_auth(&session.token)
            .send()
            .await
            .unwrap();
        let view: SessionView = response.json().await.unwrap();
        if view.status == SessionStatus::Ended {
            break view;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(view.ended_because, Some(CloseReason::Deleted));
    problem(server.offer(&session, "v=0").await, 410, "session_ended").await;
}

#[tokio::test]
async fn a_stranger_cannot_end_it() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let path = format!("/v1/sessions/{}", session.id);
    problem(
        server.request(Method::DELETE, &path).send().await.unwrap(),
        401,
        "token_missing",
    )
    .await;
}
