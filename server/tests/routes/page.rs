use reqwest::Method;

use crate::support::{TestServer, problem};

#[tokio::test]
async fn serves_the_page_under_a_strict_policy() {
    let server = TestServer::start().await;
    let page = server.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await.unwrap().contains("Antiphon"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let server = TestServer::start().await;
    let missing = server
        .request(Method::GET, "/v1/nothing")
        .send()
        .await
        .unwrap();
    problem(missing, 404, "route_unknown").await;
    let escape = server
        .request(Method::GET, "/..%2f..%2fCargo.toml")
        .send()
        .await
        .unwrap();
    problem(escape, 404, "route_unknown").await;
    let method = server
        .request(Method::PUT, "/v1/agents")
        .send()
        .await
        .unwrap();
    problem(method, 405, "method").await;
}
