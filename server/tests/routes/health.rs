use reqwest::Method;
use serde_json::Value;

use crate::support::TestServer;

#[tokio::test]
async fn says_that_it_lives_and_whether_it_is_warm() {
    let server = TestServer::start().await;
    let health: Value = server
        .request(Method::GET, "/health")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(health["status"], "ok");
    let ready = server.request(Method::GET, "/ready").send().await.unwrap();
    assert_eq!(
        ready.status(),
        503,
        "nothing has marked this server as warm"
    );
    assert_eq!(ready.json::<Value>().await.unwrap()["status"], "warming up");
}
