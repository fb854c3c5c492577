//! WebSocket connections with limits.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::{Fault, FaultKind, HttpLimits, fault_of_status};

/// Largest message taken from a server: a minute of 24 kHz audio in Base64.
pub const WS_MESSAGE_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// Most bytes that wait for the network before a connection counts as stuck.
const WRITE_BUFFER_BYTES_MAX: usize = 1_024 * 1_024;
/// Read at once. Messages are small; the default of 128 KiB is a lot for an idle connection.
const READ_BUFFER_BYTES: usize = 16 * 1_024;

/// An open connection.
pub(crate) type WsStream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A message that means something to a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// Text.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
    /// The answer to a ping.
    Pong,
}

/// What is asked for. Has no `Debug`: headers hold keys.
#[derive(Clone)]
pub(crate) struct WsRequest {
    /// With scheme `ws` or `wss` and the query.
    pub(crate) url: String,
    /// Headers beside those of the upgrade.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// What to check where the server refuses, e.g. `check DEEPGRAM_API_KEY`.
    pub(crate) hint: String,
}

/// TLS could not be set up, e.g. because no certificate roots could be loaded.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsSetupError(String);

/// Opens connections.
#[derive(Clone)]
pub(crate) struct WsClient {
    tls: Arc<rustls::ClientConfig>,
    connect_timeout: Duration,
}

impl std::fmt::Debug for WsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WsClient")
    }
}

impl WsClient {
    /// A client that trusts the machine's roots and `limits.extra_root`.
    pub(crate) fn new(limits: &HttpLimits) -> Result<Self, TlsSetupError> {
        let failed = |what: &dyn std::fmt::Display| TlsSetupError(what.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut extra = Vec::new();
        if let Some(pem) = &limits.extra_root {
            for root in CertificateDer::pem_slice_iter(pem) {
                extra.push(root.map_err(|error| failed(&error))?);
            }
        }
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
            .map_err(|error| failed(&error))?;
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            // Not weaker: it is the platform's own verifier, as in reqwest.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            tls: Arc::new(tls),
            connect_timeout: limits.connect_timeout,
        })
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self, request: &WsRequest) -> Result<WsStream, Fault> {
        let refused = |what| Fault::new(FaultKind::Refused, format!("{what}; {}", request.hint));
        let mut upgrade = request
            .url
            .as_str()
            .into_client_request()
            .map_err(|_| refused("the address is no WebSocket URL"))?;
        for (name, value) in &request.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| refused("a header has characters that cannot be sent"))?;
            value.set_sensitive(true);
            upgrade
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
            .max_message_size(Some(WS_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(WS_MESSAGE_BYTES_MAX));
        let connector = Connector::Rustls(Arc::clone(&self.tls));
        let connecting =
            connect_async_tls_with_config(upgrade, Some(config), true, Some(connector));
        match timeout(self.connect_timeout, connecting).await {
            Ok(Ok((stream, _))) => Ok(stream),
            Ok(Err(error)) => Err(connect_fault(&error, &request.hint)),
            Err(_) => Err(Fault::new(
                FaultKind::Unreachable,
                format!(
                    "no connection within {} ms",
                    self.connect_timeout.as_millis()
                ),
            )),
        }
    }
}

/// The next message. Losing the future loses no message.
pub(crate) async fn receive(stream: &mut WsStream) -> Result<Incoming, Fault> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => return Ok(Incoming::Text(text)),
            Some(Ok(Message::Binary(bytes))) => return Ok(Incoming::Binary(bytes)),
            Some(Ok(Message::Pong(_))) => return Ok(Incoming::Pong),
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Close(frame))) => return Err(close_fault(frame.as_ref())),
            Some(Err(error)) => return Err(stream_fault(&error)),
            None => return Err(close_fault(None)),
        }
    }
}

/// Sends messages, all or the connection is lost.
pub(crate) async fn send(
    stream: &mut WsStream,
    messages: Vec<Message>,
    limit: Duration,
) -> Result<(), Fault> {
    let sending = async {
        for message in messages {
            stream.feed(message).await?;
        }
        stream.flush().await
    };
    match timeout(limit, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(stream_fault(&error)),
        Err(_) => Err(Fault::new(
            FaultKind::TooSlow,
            format!("the server took nothing for {} ms", limit.as_millis()),
        )),
    }
}

/// A text message of JSON.
pub(crate) fn json_message(value: &serde_json::Value) -> Message {
    Message::text(value.to_string())
}

/// Samples as 16 bit little endian.
pub(crate) fn pcm_bytes(pcm: &[i16]) -> Vec<u8> {
    pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// `http` as `ws` and `https` as `wss`; a WebSocket URL as it is.
pub(crate) fn ws_url(base: &str, path: &str, query: &[(&str, String)]) -> String {
    let base = match base.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => base.to_owned(),
    };
    let plain = format!("{}{path}", base.trim_end_matches('/'));
    match reqwest::Url::parse(&plain) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(query);
            url.into()
        }
        // Connecting to it fails with a sentence.
        Err(_) => plain,
    }
}

fn connect_fault(error: &Error, hint: &str) -> Fault {
    match error {
        Error::Http(response) => fault_of_status(response.status(), response.headers(), hint),
        Error::Io(error) => Fault::new(
            FaultKind::Unreachable,
            format!("the server cannot be reached: {}", error.kind()),
        ),
        Error::Tls(error) => Fault::new(
            FaultKind::Unreachable,
            format!("no secure connection: {error}"),
        ),
        Error::Url(_) | Error::HttpFormat(_) => Fault::new(
            FaultKind::Refused,
            format!("the address is no WebSocket URL; {hint}"),
        ),
        Error::Protocol(ProtocolError::HandshakeIncomplete)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => Fault::new(
            FaultKind::Unreachable,
            "the server closed the connection during the upgrade",
        ),
        Error::Protocol(_)
        | Error::Capacity(_)
        | Error::WriteBufferFull(_)
        | Error::Utf8(_)
        | Error::AttackAttempt => Fault::new(
            FaultKind::Malformed,
            "the server does not speak the WebSocket protocol",
        ),
    }
}

fn stream_fault(error: &Error) -> Fault {
    match error {
        Error::Io(error) => Fault::new(
            FaultKind::BrokenOff,
            format!("the connection broke: {}", error.kind()),
        ),
        Error::Tls(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Fault::new(FaultKind::BrokenOff, "the connection broke")
        }
        Error::Capacity(_) => Fault::new(
            FaultKind::Malformed,
            format!("a message of more than {WS_MESSAGE_BYTES_MAX} bytes"),
        ),
        Error::WriteBufferFull(_) => {
            Fault::new(FaultKind::TooSlow, "the server takes nothing any more")
        }
        Error::Protocol(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => Fault::new(
            FaultKind::Malformed,
            "the server does not keep to the WebSocket protocol",
        ),
    }
}

/// What a close means. The codes above 2999 are those of AssemblyAI; no other vendor uses them
/// for anything else.
fn close_fault(frame: Option<&CloseFrame>) -> Fault {
    let Some(frame) = frame else {
        return Fault::new(FaultKind::BrokenOff, "the server closed the connection");
    };
    let code = u16::from(frame.code);
    let limited = FaultKind::RateLimited { retry_after: None };
    let (kind, meaning) = match code {
        1_002 | 1_003 | 1_007 | 1_009 | 3_006 | 3_007 => {
            (FaultKind::Refused, "it does not accept what was sent")
        }
        1_008 | 4_001 | 4_003 => (
            FaultKind::Refused,
            "it does not accept the key or the request",
        ),
        3_009 | 4_002 | 4_029 | 4_102 => (limited, "too many requests or no credit left"),
        1_011..=1_013 | 3_005 => (FaultKind::Overloaded, "it is in trouble"),
        _ => (FaultKind::BrokenOff, "it ended the session"),
    };
    Fault::new(
        kind,
        format!("the server closed the connection with {code}: {meaning}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_get_scheme_path_and_query() {
        let check = |base: &str, expected: &str| {
            let query = [("a", "x y".to_owned()), ("b", "ü&".to_owned())];
            assert_eq!(ws_url(base, "/v1/listen", &query), expected);
        };
        check(
            "https://h.example",
            "wss://h.example/v1/listen?a=x+y&b=%C3%BC%26",
        );
        check("http://h:1/", "ws://h:1/v1/listen?a=x+y&b=%C3%BC%26");
        check("wss://h/base", "wss://h/base/v1/listen?a=x+y&b=%C3%BC%26");
    }

    #[test]
    fn closes_become_kinds() {
        let check = |code: u16, kind: FaultKind| {
            let frame = CloseFrame {
                code: code.into(),
                reason: "a secret transcript".into(),
            };
            let fault = close_fault(Some(&frame));
            assert_eq!(fault.kind, kind, "{code}");
            assert!(!fault.reason.contains("secret"), "{fault}");
        };
        check(1_000, FaultKind::BrokenOff);
        check(1_001, FaultKind::BrokenOff);
        check(1_008, FaultKind::Refused);
        check(1_011, FaultKind::Overloaded);
        check(1_013, FaultKind::Overloaded);
        check(4_001, FaultKind::Refused);
        check(4_029, FaultKind::RateLimited { retry_after: None });
        check(3_008, FaultKind::BrokenOff);
    }
}
