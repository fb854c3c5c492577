//! Errors as people and programs see them: RFC 9457 problem details. The only place that maps
//! errors to HTTP statuses.

use antiphon_proto::{AgentId, Problem, SessionId};
use antiphon_transports::webrtc::OfferError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::secret::{NoRandomness, request_id};

/// What can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No such agent.
    #[error("there is no agent '{asked}'; there are: {there_are}")]
    UnknownAgent {
        /// The agent asked for.
        asked: AgentId,
        /// The agents there are.
        there_are: String,
    },
    /// No such session.
    #[error("there is no session '{0}'; it never was, or it ended a while ago")]
    UnknownSession(SessionId),
    /// The session is over.
    #[error("session '{0}' is over; create a new one with POST /v1/sessions")]
    SessionEnded(SessionId),
    /// No token was sent.
    #[error("this route needs the session's token: send 'Authorization: Bearer call_…'")]
    NoToken,
    /// Another token.
    #[error("this token does not open this session")]
    WrongToken,
    /// The token was not used in time.
    #[error(
        "this session's token has expired, because nobody connected in time; create a new session"
    )]
    TokenExpired,
    /// The offer cannot be taken.
    #[error("the SDP offer cannot be accepted: {0}")]
    Offer(#[from] OfferError),
    /// The body is not what the route takes.
    #[error("the request's body cannot be read: {0}")]
    Body(String),
    /// The body is of another type.
    #[error("this route takes '{takes}'; the request says '{says}'")]
    MediaType {
        /// The type the route takes.
        takes: &'static str,
        /// The type the request names.
        says: String,
    },
    /// The body is too large.
    #[error("the request's body is larger than {0} bytes")]
    TooLarge(usize),
    /// An idempotency key that cannot be one.
    #[error("the Idempotency-Key must have 1 to {0} visible ASCII characters")]
    BadIdempotencyKey(usize),
    /// An idempotency key used for something else.
    #[error("this Idempotency-Key was used for another request; choose a new one")]
    IdempotencyConflict,
    /// The server is full.
    #[error("all {0} lines are busy; try again in a minute")]
    Full(usize),
    /// The server is shutting down.
    #[error("the server is shutting down and takes no new calls; try again in a minute")]
    Draining,
    /// No such provider.
    #[error("there is no such provider or model; there are: {there_are}")]
    UnknownProvider {
        /// The providers and models there are.
        there_are: String,
    },
    /// Every provider failed.
    #[error("nobody could answer: {0}; try again in a minute")]
    NobodyAnswers(String),
    /// Too many chats at a time.
    #[error("{0} chats are being answered already; try again in a few seconds")]
    Busy(usize),
    /// No such route.
    #[error("there is nothing at this path; the API is described in the documentation")]
    NoRoute,
    /// The route has no such method.
    #[error("this path does not take this method")]
    Method,
    /// Our fault.
    #[error("something went wrong on the server; quote the request id when you report it")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<NoRandomness> for ApiError {
    fn from(fault: NoRandomness) -> Self {
        Self::Internal(Box::new(fault))
    }
}

impl ApiError {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownAgent { .. } => not_found("agent_unknown", "No such agent"),
            Self::UnknownSession(_) => not_found("session_unknown", "No such session"),
            Self::SessionEnded(_) => (StatusCode::GONE, "session_ended", "The session is over"),
            Self::NoToken => unauthorized("token_missing", "A token is needed"),
            Self::WrongToken => unauthorized("token_wrong", "The token does not fit"),
            Self::TokenExpired => unauthorized("token_expired", "The token has expired"),
            Self::Offer(OfferError::TooLarge { .. }) | Self::TooLarge(_) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Too large")
            }
            Self::Offer(OfferError::Internal) | Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal error",
            ),
            Self::Offer(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "offer_unacceptable",
                "Unacceptable offer",
            ),
            Self::Body(_) => (
                StatusCode::BAD_REQUEST,
                "body_unreadable",
                "Unreadable body",
            ),
            Self::MediaType { .. } => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type",
                "Wrong media type",
            ),
            Self::BadIdempotencyKey(_) => (
                StatusCode::BAD_REQUEST,
                "idempotency_key",
                "Bad Idempotency-Key",
            ),
            Self::IdempotencyConflict => (
                StatusCode::CONFLICT,
                "idempotency_conflict",
                "Idempotency-Key reused",
            ),
            Self::Full(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "full",
                "All lines are busy",
            ),
            Self::UnknownProvider { .. } => not_found("provider_unknown", "No such provider"),
            Self::NobodyAnswers(_) => {
                let status = StatusCode::BAD_GATEWAY;
                (status, "nobody_answers", "Nobody could answer")
            }
            Self::Busy(_) => unavailable("busy", "Too many chats"),
            Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining", "Shutting down"),
            Self::NoRoute => (StatusCode::NOT_FOUND, "route_unknown", "Nothing here"),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "Method not allowed",
            ),
        }
    }
}

/// Status, code and title.
type Kind = (StatusCode, &'static str, &'static str);

fn not_found(code: &'static str, title: &'static str) -> Kind {
    (StatusCode::NOT_FOUND, code, title)
}

fn unauthorized(code: &'static str, title: &'static str) -> Kind {
    (StatusCode::UNAUTHORIZED, code, title)
}

fn unavailable(code: &'static str, title: &'static str) -> Kind {
    (StatusCode::SERVICE_UNAVAILABLE, code, title)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, title) = self.kind();
        let request_id = request_id();
        if let Self::Internal(source) = &self {
            tracing::error!(request_id, error = %source, "a request failed");
        }
        let problem = Problem {
            kind: format!("https://antiphon.dev/problems/{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: self.to_string(),
            request_id,
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}
