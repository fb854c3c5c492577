//! Ids and wire messages shared by every crate and by the browser client; no behaviour.
//!
//! The JSON schema of what travels on the data channel and the event WebSocket is generated
//! from these types into `docs/events.schema.json` (test `schema_is_current`).

mod api;
mod event;
mod ids;
mod message;
mod time;

pub use api::{
    AgentView, AnswerView, CreateSession, IceServerView, MirrorChat, MirrorReply, MirrorRole,
    MirrorSaid, Problem, SessionCreated, SessionStatus, SessionView,
};
pub use event::{
    AgentState, ClientMessage, CloseReason, Event, EventEnvelope, NoticeCode, RecognizerView,
    SafetyState, SpeculationView, TurnTimeline,
};
pub use ids::{AgentId, GenerationId, SegmentId, SessionId, ToolCallId, TurnId, UtteranceId};
pub use message::{Message, Role, ToolCall, ToolRef};
pub use time::Moment;
