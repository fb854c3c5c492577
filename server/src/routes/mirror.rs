//! `/v1/mirror`: chat by text, and the report on providers.

use std::convert::Infallible;

use antiphon_proto::MirrorChat;
use antiphon_providers::route::CandidateReport;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use super::sessions::json;
use crate::ApiError;
use crate::app::App;
use crate::mirror::{Chat, Piece};

/// `POST /v1/mirror/chat`: one reply, whole or as server-sent events.
pub(super) async fn chat(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let request: MirrorChat = json(&headers, body)?;
    let permit = app.chat_permit()?;
    let agent = app.agent_for_chat(request.agent.as_ref())?;
    let mut chat = Chat::start(&app.inner.router, &agent, &request)?;
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    if request.stream || accepts.is_some_and(|types| types.contains("text/event-stream")) {
        let events = futures_util::stream::unfold((chat, permit), |(mut chat, permit)| async {
            let event = match chat.next().await? {
                Piece::Words(text) => Event::default()
                    .event("delta")
                    .json_data(serde_json::json!({ "text": text })),
                Piece::Done(reply) => Event::default().event("done").json_data(reply),
                Piece::Failed(reason) => Event::default()
                    .event("error")
                    .json_data(serde_json::json!({ "reason": reason })),
            };
            // Strings and numbers: they have no way not to be JSON.
            Some((
                Ok::<_, Infallible>(event.unwrap_or_default()),
                (chat, permit),
            ))
        });
        return Ok(Sse::new(events)
            .keep_alive(KeepAlive::default())
            .into_response());
    }
    loop {
        match chat.next().await {
            Some(Piece::Words(_)) => {}
            Some(Piece::Done(reply)) => return Ok(Json(reply).into_response()),
            Some(Piece::Failed(reason)) => return Err(ApiError::NobodyAnswers(reason)),
            None => return Err(ApiError::NobodyAnswers("the reply was empty".to_owned())),
        }
    }
}

/// What is known of each provider.
#[derive(Serialize)]
pub(super) struct Routes {
    providers: Vec<CandidateReport>,
}

/// `GET /v1/mirror/routes`: breakers, times, errors, quality and cost, over the last three hours.
pub(super) async fn routes(State(app): State<App>) -> Json<Routes> {
    Json(Routes {
        providers: app.inner.router.report(),
    })
}
