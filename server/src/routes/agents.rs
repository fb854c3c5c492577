//! `/v1/agents`.

use antiphon_proto::AgentView;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::App;

/// A page of a list. All agents fit one page, so there is no next one.
#[derive(Serialize)]
pub(super) struct Agents {
    data: Vec<AgentView>,
    next_cursor: Option<String>,
}

/// `GET /v1/agents`: who can be called.
pub(super) async fn list(State(app): State<App>) -> Json<Agents> {
    Json(Agents {
        data: app.agent_views(),
        next_cursor: None,
    })
}
