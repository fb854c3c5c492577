//! The server's REST interface, as far as a caller needs it.

use std::time::Duration;

use antiphon_proto::{AgentId, CreateSession, Problem, SessionCreated};
use reqwest::{Client, Response, StatusCode, Url, header};

use super::error::CallError;

/// How long the server may take for one answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Characters of a body that is no problem document which are shown.
const BODY_CHARS_SHOWN: usize = 200;

/// A client of one server.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    client: Client,
    base: Url,
}

impl Rest {
    pub(crate) fn new(server: &str) -> Result<Self, CallError> {
        let bad = || CallError::BadUrl {
            url: server.to_owned(),
        };
        let base = Url::parse(server).map_err(|_| bad())?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(bad());
        }
        let client = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(|_| bad())?;
        Ok(Self { client, base })
    }

    /// `POST /v1/sessions`.
    pub(crate) async fn create(&self, agent: &str) -> Result<SessionCreated, CallError> {
        let url = self.url("/v1/sessions")?;
        let body = CreateSession {
            agent: AgentId::from(agent),
        };
        let response = self.client.post(url.clone()).json(&body).send().await;
        let response = self.accepted(response).await?;
        response
            .json()
            .await
            .map_err(|_| self.not_understood("POST /v1/sessions"))
    }

    /// `POST` of an SDP offer; returns the answer.
    pub(crate) async fn offer(
        &self,
        session: &SessionCreated,
        sdp: String,
    ) -> Result<String, CallError> {
        let url = self.url(&session.webrtc_url)?;
        let request = self
            .client
            .post(url)
            .bearer_auth(&session.token)
            .header(header::CONTENT_TYPE, "application/sdp")
            .body(sdp);
        let response = self.accepted(request.send().await).await?;
        response
            .text()
            .await
            .map_err(|_| self.not_understood("the SDP offer"))
    }

    /// `DELETE` of a session. That it is gone already is no error.
    pub(crate) async fn delete(&self, session: &SessionCreated) -> Result<(), CallError> {
        let url = self.url(&format!("/v1/sessions/{}", session.id))?;
        let request = self.client.delete(url).bearer_auth(&session.token);
        match self.accepted(request.send().await).await {
            Ok(_)
            | Err(CallError::Refused {
                status: 404 | 410, ..
            }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The host, for finding the way to it.
    pub(crate) fn host_port(&self) -> Option<(String, u16)> {
        let host = self.base.host_str()?.trim_matches(['[', ']']);
        Some((host.to_owned(), self.base.port_or_known_default()?))
    }

    fn url(&self, path: &str) -> Result<Url, CallError> {
        self.base.join(path).map_err(|_| CallError::BadUrl {
            url: path.to_owned(),
        })
    }

    async fn accepted(&self, sent: reqwest::Result<Response>) -> Result<Response, CallError> {
        let response = sent.map_err(|error| CallError::Unreachable {
            url: self.base.to_string(),
            reason: reason(&error),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.text().await.unwrap_or_default();
        Err(CallError::Refused {
            status: status.as_u16(),
            detail: detail(status, &body),
        })
    }

    fn not_understood(&self, what: &'static str) -> CallError {
        CallError::NotUnderstood {
            what,
            url: self.base.to_string(),
        }
    }
}

/// The words of a problem document, else the body's beginning, else the status' name.
fn detail(status: StatusCode, body: &str) -> String {
    if let Ok(problem) = serde_json::from_str::<Problem>(body) {
        return problem.detail;
    }
    let shown: String = body.trim().chars().take(BODY_CHARS_SHOWN).collect();
    if shown.is_empty() {
        status
            .canonical_reason()
            .unwrap_or("no reason given")
            .to_owned()
    } else {
        shown
    }
}

/// The innermost cause: the outer ones repeat the URL.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", REQUEST_TIMEOUT.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn urls_are_checked() {
        for bad in ["", "127.0.0.1:8080", "ftp://host", "localhost"] {
            let error = Rest::new(bad).unwrap_err();
            assert!(
                error.to_string().contains("http://127.0.0.1:8080"),
                "{bad}: {error}"
            );
        }
        let rest = Rest::new("http://[::1]:9000/some/where").unwrap();
        assert_eq!(rest.host_port(), Some(("::1".to_owned(), 9_000)));
        assert_eq!(
            rest.url("/v1/sessions").unwrap().as_str(),
            "http://[::1]:9000/v1/sessions"
        );
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        // Bound and closed again: nothing listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let rest = Rest::new(&format!("http://127.0.0.1:{port}")).unwrap();
        let error = rest.create("cal").await.unwrap_err();
        assert!(error.to_string().contains("antiphon serve"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn refusals_show_the_problems_words() {
        let problem = r#"{"type":"about:blank","title":"t","status":404,"code":"c","detail":"no agent named x; there are cal","request_id":"r"}"#;
        assert_eq!(
            detail(StatusCode::NOT_FOUND, problem),
            "no agent named x; there are cal"
        );
        assert_eq!(detail(StatusCode::BAD_GATEWAY, " "), "Bad Gateway");
        assert_eq!(detail(StatusCode::BAD_GATEWAY, "<html>"), "<html>");
    }
}
