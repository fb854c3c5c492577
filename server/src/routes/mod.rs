//! The routes.

mod agents;
mod events;
mod health;
mod mirror;
mod sessions;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderMap;
use axum::routing::{get, post};

use crate::app::App;
use crate::{ApiError, page};

/// Largest body of any request: an SDP offer of the largest size, and a byte more, so that the
/// offer's own check can say what is too large about it.
const BODY_BYTES_MAX: usize = antiphon_transports::webrtc::OFFER_BYTES_MAX + 1;

/// All routes over the app.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/agents", get(agents::list))
        .route("/v1/sessions", post(sessions::create))
        .route(
            "/v1/sessions/{id}",
            get(sessions::read).delete(sessions::end),
        )
        .route("/v1/sessions/{id}/webrtc", post(sessions::webrtc))
        .route("/v1/sessions/{id}/events", get(events::open))
        .route("/v1/mirror/chat", post(mirror::chat))
        .route("/v1/mirror/routes", get(mirror::routes))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(get(page::serve))
        .method_not_allowed_fallback(|| async { ApiError::Method })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers
        .get(axum::http::header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The media type of a request's body, without parameters, in lower case.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(axum::http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
