//! `/v1/sessions`: create, connect, read, end.

use antiphon_proto::{
    CloseReason, CreateSession, SessionCreated, SessionId, SessionStatus, SessionView,
};
use antiphon_transports::webrtc::OfferError;
use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::{BODY_BYTES_MAX, bearer, media_type};
use crate::ApiError;
use crate::app::App;

/// Longest idempotency key.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// `POST /v1/sessions`: a new session with an agent.
pub(super) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<SessionCreated>), ApiError> {
    let request: CreateSession = json(&headers, body)?;
    let key = idempotency_key(&headers)?;
    if let Some(created) = key
        .as_ref()
        .and_then(|key| app.inner.registry.created_by(key))
    {
        if created.agent != request.agent {
            return Err(ApiError::IdempotencyConflict);
        }
        return Ok((StatusCode::CREATED, Json(created)));
    }
    let created = app.create_session(&request)?;
    if let Some(key) = key {
        app.inner.registry.remember(key, created.clone());
    }
    Ok((StatusCode::CREATED, Json(created)))
}

/// A JSON body.
pub(super) fn json<T: serde::de::DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, ApiError> {
    let body = whole(body)?;
    let says = media_type(headers);
    if says != "application/json" {
        return Err(ApiError::MediaType {
            takes: "application/json",
            says,
        });
    }
    serde_json::from_slice(&body).map_err(|fault| ApiError::Body(fault.to_string()))
}

/// `POST /v1/sessions/{id}/webrtc`: SDP offer in, answer out. A session that was connected before
/// goes on over the new connection.
pub(super) async fn webrtc(
    State(app): State<App>,
    Path(id): Path<SessionId>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let session = app.inner.registry.open_running(&id, bearer(&headers))?;
    let says = media_type(&headers);
    if says != "application/sdp" {
        return Err(ApiError::MediaType {
            takes: "application/sdp",
            says,
        });
    }
    let body = whole(body)?;
    let offer = std::str::from_utf8(&body).map_err(|_| OfferError::NotSdp("it is not UTF-8"))?;
    let (answer, transport) = app.inner.endpoint.accept(offer, session.output_rate_hz())?;
    session
        .attach(Box::new(transport))
        .await
        .map_err(|_| ApiError::SessionEnded(id.clone()))?;
    let headers = [
        (header::CONTENT_TYPE, "application/sdp".to_owned()),
        (header::LOCATION, format!("/v1/sessions/{id}")),
    ];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// `GET /v1/sessions/{id}`: where it stands; for a while also after its end.
pub(super) async fn read(
    State(app): State<App>,
    Path(id): Path<SessionId>,
    headers: HeaderMap,
) -> Result<Json<SessionView>, ApiError> {
    let session = app.inner.registry.open(&id, bearer(&headers))?;
    let view = session.view();
    Ok(Json(SessionView {
        id,
        agent: session.agent().id.as_str().into(),
        status: view.status,
        ended_because: view.ended_because,
        seconds: view.seconds,
        safety: view.safety,
        history: view.history.to_vec(),
    }))
}

/// `DELETE /v1/sessions/{id}`: ends it. Ending a session that is over is fine.
pub(super) async fn end(
    State(app): State<App>,
    Path(id): Path<SessionId>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let session = app.inner.registry.open(&id, bearer(&headers))?;
    if session.view().status != SessionStatus::Ended {
        session.close(CloseReason::Deleted).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(BODY_BYTES_MAX - 1),
        status => ApiError::Body(status.to_string()),
    })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    let fits = !key.is_empty()
        && key.len() <= IDEMPOTENCY_KEY_CHARS_MAX
        && key.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(Some(key.to_owned()))
    } else {
        Err(ApiError::BadIdempotencyKey(IDEMPOTENCY_KEY_CHARS_MAX))
    }
}
