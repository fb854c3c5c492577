//! `docs/events.schema.json` is generated from the types; `UPDATE_SCHEMA=1 cargo test -p
//! antiphon-proto` rewrites it.

use antiphon_proto::{
    AgentView, ClientMessage, CreateSession, EventEnvelope, Problem, SessionCreated, SessionView,
};
use schemars::JsonSchema;

/// Everything a client reads or writes, under one root so that one file describes it.
#[derive(JsonSchema)]
#[allow(dead_code)] // only its schema is used
struct Wire {
    event: EventEnvelope,
    client_message: ClientMessage,
    create_session: CreateSession,
    session_created: SessionCreated,
    session: SessionView,
    agent: AgentView,
    problem: Problem,
}

#[test]
fn schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/events.schema.json");
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Wire))
        .expect("a schema is JSON")
        + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &schema).expect("docs/ is writable");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == schema,
        "docs/events.schema.json is stale: UPDATE_SCHEMA=1 cargo test -p antiphon-proto"
    );
}
