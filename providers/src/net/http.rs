//! HTTP clients with warm connections and limits.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::{Fault, FaultKind};

/// Connections kept open between requests, so that a turn does not wait for a handshake.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// How long they are kept.
const IDLE_CONNECTION_KEPT: Duration = Duration::from_secs(90);
/// Longest wait that a server's Retry-After is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// Limits of one remote adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait from the request to the first output (words, audio).
    pub first_timeout: Duration,
    /// Longest silence between two pieces of output.
    pub idle_timeout: Duration,
    /// One more certificate root, PEM: a company's own, or a test's.
    pub extra_root: Option<Vec<u8>>,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            first_timeout: Duration::from_secs(8),
            idle_timeout: Duration::from_secs(5),
            extra_root: None,
        }
    }
}

/// A client that could not be built, e.g. because no certificate roots could be loaded.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct BuildError(#[from] reqwest::Error);

/// A client with a pool of warm connections.
///
/// # Errors
/// Where it cannot be built.
pub fn http_client(limits: &HttpLimits) -> Result<reqwest::Client, BuildError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(limits.connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(IDLE_CONNECTION_KEPT)
        .tcp_nodelay(true)
        // A redirect would send the key elsewhere.
        .redirect(reqwest::redirect::Policy::none());
    if let Some(pem) = &limits.extra_root {
        builder = builder.add_root_certificate(reqwest::Certificate::from_pem(pem)?);
    }
    Ok(builder.build()?)
}

/// What an answer other than success means. `hint` says what to check, e.g. `check
/// OPENAI_API_KEY and the model's name`.
pub fn fault_of_status(status: StatusCode, headers: &HeaderMap, hint: &str) -> Fault {
    let code = status.as_u16();
    let (kind, meaning) = match code {
        401 | 403 => (
            FaultKind::Refused,
            format!("it does not accept the key; {hint}"),
        ),
        404 => (
            FaultKind::Refused,
            format!("it does not know the address or the model; {hint}"),
        ),
        408 => (FaultKind::TooSlow, "it waited too long".to_owned()),
        429 => (
            FaultKind::RateLimited {
                retry_after: retry_after(headers),
            },
            "too many requests or no credit left".to_owned(),
        ),
        500.. => (FaultKind::Overloaded, "it is in trouble".to_owned()),
        400..500 => (
            FaultKind::Refused,
            format!("it does not accept the request; {hint}"),
        ),
        _ => (FaultKind::Malformed, "unexpected".to_owned()),
    };
    Fault::new(kind, format!("the server answered {code}: {meaning}"))
}

/// How long the server asks to wait. Seconds only: no provider sends the date form.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    (seconds.is_finite() && seconds >= 0.0)
        .then(|| Duration::from_secs_f64(seconds.min(RETRY_AFTER_MAX.as_secs_f64())))
}

/// What went wrong, without the URL, which may hold a password.
pub fn plain(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(deeper) = source.source() {
        source = deeper;
    }
    if error.is_timeout() {
        "timed out".to_owned()
    } else if std::ptr::addr_eq(source, error) {
        "request failed".to_owned()
    } else {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn statuses_become_kinds() {
        let check = |code: u16, wait: Option<&str>, kind: FaultKind| {
            let mut headers = HeaderMap::new();
            if let Some(wait) = wait {
                headers.insert(RETRY_AFTER, wait.parse().unwrap());
            }
            let status = StatusCode::from_u16(code).unwrap();
            let fault = fault_of_status(status, &headers, "check X_KEY");
            assert_eq!(fault.kind, kind, "{code}");
            assert!(fault.reason.contains(&code.to_string()), "{fault}");
        };
        let limited = |retry_after| FaultKind::RateLimited { retry_after };
        check(400, None, FaultKind::Refused);
        check(401, None, FaultKind::Refused);
        check(404, None, FaultKind::Refused);
        check(422, None, FaultKind::Refused);
        check(429, None, limited(None));
        check(429, Some("2"), limited(Some(Duration::from_secs(2))));
        check(429, Some("0.5"), limited(Some(Duration::from_millis(500))));
        check(429, Some("-1"), limited(None));
        check(429, Some("NaN"), limited(None));
        check(429, Some("1e300"), limited(Some(RETRY_AFTER_MAX)));
        check(429, Some("Wed, 21 Oct 2026"), limited(None));
        check(500, None, FaultKind::Overloaded);
        check(529, None, FaultKind::Overloaded);
        check(302, None, FaultKind::Malformed);
    }
}
