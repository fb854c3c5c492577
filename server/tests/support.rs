//! A running server with scripted words.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::{Problem, SessionCreated};
use antiphon_providers::route::Router;
use antiphon_server::{ServeArgs, ServeError, Server};
use antiphon_testkit::{ScriptedHear, ScriptedSpeak, ScriptedThink};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct TestServer {
    pub url: String,
    pub client: Client,
    pub data: TempDir,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

pub fn args(data: &Path) -> ServeArgs {
    ServeArgs {
        listen: "127.0.0.1:0".parse().unwrap(),
        port: None,
        udp: Some("127.0.0.1:0".parse().unwrap()),
        announce: Vec::new(),
        data: Some(data.to_owned()),
        calls_max: 4,
        connect_seconds: 60,
        drain_seconds: 5,
        no_logs: false,
    }
}

pub fn providers() -> Arc<Router> {
    Router::single(
        Arc::new(ScriptedHear::new(
            &["what is a domain name"],
            Duration::from_millis(50),
        )),
        Arc::new(ScriptedThink::new(
            &["A domain is an address. It is short."],
            Duration::ZERO,
        )),
        Arc::new(ScriptedSpeak::new(Duration::ZERO)),
    )
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut ServeArgs)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut args = args(data.path());
        change(&mut args);
        let server = Server::start(&args, providers(), None).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let url = format!("http://{}", server.addr());
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            url,
            client: Client::new(),
            data,
            stop: Some(stop),
            task,
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn create(&self) -> SessionCreated {
        let response = self.post_session("{\"agent\":\"cal\"}").await;
        assert_eq!(response.status(), StatusCode::CREATED);
        response.json().await.unwrap()
    }

    pub async fn post_session(&self, body: &str) -> Response {
        let request = self
            .request(Method::POST, "/v1/sessions")
            .header("content-type", "application/json");
        request.body(body.to_owned()).send().await.unwrap()
    }

    pub async fn offer(&self, session: &SessionCreated, sdp: impl Into<reqwest::Body>) -> Response {
        let request = self
            .request(Method::POST, &session.webrtc_url)
            .bearer_auth(&session.token);
        request
            .header("content-type", "application/sdp")
            .body(sdp)
            .send()
            .await
            .unwrap()
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> TempDir {
        self.begin_stop();
        (&mut self.task).await.unwrap().unwrap();
        self.data
    }

    pub fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// The problem in a response, after checking its form.
pub async fn problem(response: Response, status: u16, code: &str) -> Problem {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Problem = response.json().await.unwrap();
    assert_eq!((problem.code.as_str(), problem.status), (code, status));
    assert!(problem.request_id.starts_with("req_") && !problem.detail.is_empty());
    problem
}
