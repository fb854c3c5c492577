//! `/health`, `/ready`, `/metrics`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;
use crate::telemetry;

/// `GET /health`: the process answers.
pub(super) async fn health(State(app): State<App>) -> Json<serde_json::Value> {
    let uptime_s = app.inner.started.elapsed().as_secs();
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "uptime_s": uptime_s }))
}

/// `GET /ready`: new calls are taken, and the recognizer is warm.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let status = if app.ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let running = app.inner.registry.running().len();
    let why = match (app.draining(), app.ready()) {
        (true, _) => "draining",
        (false, false) => "warming up",
        (false, true) => "ready",
    };
    (
        status,
        Json(json!({ "status": why, "sessions": running, "calls_max": app.inner.calls_max })),
    )
        .into_response()
}

/// `GET /metrics`: Prometheus text.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let Some(handle) = &app.inner.prometheus else {
        return (StatusCode::NOT_FOUND, "metrics are off in this process\n").into_response();
    };
    let text = telemetry::render(handle, &app.inner.endpoint.metrics().snapshot());
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
        .into_response()
}
