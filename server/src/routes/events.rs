//! `GET /v1/sessions/{id}/events`: the session's events on a WebSocket, and what its client says.

use std::sync::Arc;

use antiphon_proto::{ClientMessage, Event, EventEnvelope, NoticeCode, SessionId};
use antiphon_runtime::{Session, Subscription, measure};
use antiphon_transports::webrtc::CLIENT_MESSAGE_BYTES_MAX;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use super::bearer;
use crate::ApiError;
use crate::app::App;

/// Browsers cannot send headers with a WebSocket, so the token may be in the query.
#[derive(Deserialize)]
pub(super) struct Params {
    token: Option<String>,
}

pub(super) async fn open(
    State(app): State<App>,
    Path(id): Path<SessionId>,
    Query(params): Query<Params>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let token = bearer(&headers).or(params.token.as_deref());
    let session = app.inner.registry.open_running(&id, token)?;
    let subscription = session
        .subscribe()
        .await
        .map_err(|_| ApiError::SessionEnded(id))?;
    Ok(upgrade
        .max_message_size(CLIENT_MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| serve(socket, session, subscription)))
}

async fn serve(mut socket: WebSocket, session: Session, mut subscription: Subscription) {
    let mut next = Some(Arc::clone(&subscription.first));
    loop {
        if let Some(json) = next.take()
            && socket.send(Message::text(&*json)).await.is_err()
        {
            return;
        }
        tokio::select! {
            event = subscription.events.recv() => match event {
                Ok(json) => next = Some(json),
                // This client is too slow: it gets the whole picture anew.
                Err(RecvError::Lagged(lost)) => {
                    metrics::counter!(measure::EVENTS_LAGGED).increment(lost);
                    let Ok(anew) = session.subscribe().await else { break };
                    subscription = anew;
                    next = Some(Arc::clone(&subscription.first));
                }
                Err(RecvError::Closed) => break,
            },
            message = socket.recv() => match message {
                Some(Ok(message)) => next = take(&session, message).await,
                Some(Err(_)) | None => return,
            },
        }
    }
    // The client may be gone already.
    let _ = socket.send(Message::Close(None)).await;
}

/// Passes a message on; returns the notice where it cannot be read.
async fn take(session: &Session, message: Message) -> Option<Arc<str>> {
    let text = match message {
        Message::Text(text) => text,
        Message::Binary(_) => return Some(notice("send JSON text, not binary")),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return None,
    };
    match serde_json::from_str::<ClientMessage>(&text) {
        Ok(message) => {
            // A session that ends just now needs no message any more.
            let _ = session.message(message).await;
            None
        }
        Err(fault) => Some(notice(&format!(
            "line {}, column {} is not as documented",
            fault.line(),
            fault.column()
        ))),
    }
}

/// A notice to this connection alone; its number is 0.
fn notice(why: &str) -> Arc<str> {
    let message = format!("A message could not be read: {why}");
    let event = Event::Notice {
        code: NoticeCode::BadMessage,
        message,
    };
    let envelope = EventEnvelope {
        seq: 0,
        at_ms: 0,
        event,
    };
    serde_json::to_string(&envelope).unwrap_or_default().into()
}
