use antiphon_proto::{SessionStatus, SessionView};
use reqwest::Method;

use crate::support::{TestServer, problem};

#[tokio::test]
async fn tells_where_a_session_stands() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let path = format!("/v1/sessions/{}", session.id);
    let view: SessionView = server
        .request(Method::GET, &path)
        .bearer_auth(&session.token)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (view.status, view.seconds, view.history.len()),
        (SessionStatus::Waiting, 0, 0)
    );
}

#[tokio::test]
async fn only_the_sessions_own_token_opens_it() {
    let server = TestServer::start().await;
    let (one, other) = (server.create().await, server.create().await);
    let path = format!("/v1/sessions/{}", one.id);
    let none = server.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(none.headers()["www-authenticate"], "Bearer");
    problem(none, 401, "token_missing").await;
    let wrong = server
        .request(Method::GET, &path)
        .bearer_auth(&other.token)
        .send()
        .await
        .unwrap();
    problem(wrong, 401, "token_wrong").await;
    let basic = server
        .request(Method::GET, &path)
        .basic_auth("a", Some("b"))
        .send()
        .await
        .unwrap();
    problem(basic, 401, "token_missing").await;
    let unknown = server
        .request(Method::GET, "/v1/sessions/sess_no")
        .bearer_auth("x")
        .send()
        .await
        .unwrap();
    problem(unknown, 404, "session_unknown").await;
}
