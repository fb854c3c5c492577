//! REST bodies of `/v1/sessions` and `/v1/agents`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AgentId, CloseReason, Message, SafetyState, SessionId};

/// `POST /v1/sessions`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// Which agent to call; `GET /v1/agents` lists them.
    pub agent: AgentId,
}

/// Answer to `POST /v1/sessions`: how to connect.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionCreated {
    /// The session.
    pub id: SessionId,
    /// Bearer token for this session's routes. Shown once.
    pub token: String,
    /// Seconds until a token that was never used to connect expires.
    pub expires_in_s: u64,
    /// The agent called.
    pub agent: AgentId,
    /// Where to POST the SDP offer (`application/sdp`).
    pub webrtc_url: String,
    /// Where to open the event WebSocket.
    pub events_url: String,
    /// For `RTCPeerConnection`'s `iceServers`; empty, because the server's candidates are in its answer.
    pub ice_servers: Vec<IceServerView>,
    /// The server's UDP candidates, `host:port`.
    pub udp: Vec<String>,
    /// Seconds for which a lost connection may be taken up again.
    pub reconnect_within_s: u64,
}

/// An entry of `iceServers`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IceServerView {
    /// STUN or TURN URLs.
    pub urls: Vec<String>,
}

/// Answer to an SDP offer where JSON was asked for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AnswerView {
    /// The SDP answer.
    pub sdp: String,
}

/// `POST /v1/mirror/chat`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MirrorChat {
    /// What the person says, 1 to 4,000 characters.
    pub message: String,
    /// What was said before, oldest first, at most 100 entries.
    #[serde(default)]
    pub history: Vec<MirrorSaid>,
    /// Who answers; the first of `GET /v1/agents` where absent.
    #[serde(default)]
    pub agent: Option<AgentId>,
    /// The only provider to ask, e.g. `openai`; chosen by the agent's policy where absent.
    #[serde(default)]
    pub provider: Option<String>,
    /// The only model to ask.
    #[serde(default)]
    pub model: Option<String>,
    /// True for server-sent events: `delta` with `text`, then `done` with the whole reply, or
    /// `error` with `reason`.
    #[serde(default)]
    pub stream: bool,
}

/// One entry of a chat's history.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MirrorSaid {
    /// Who.
    pub role: MirrorRole,
    /// What.
    pub text: String,
}

/// Who said an entry of a chat's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MirrorRole {
    /// The person.
    User,
    /// The agent.
    #[serde(alias = "assistant")]
    Agent,
}

/// Answer to `POST /v1/mirror/chat`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MirrorReply {
    /// The words.
    pub reply: String,
    /// Who answered, e.g. `openai`; `script` for reviewed words in place of a model's.
    pub provider: String,
    /// With which model; empty where there is none to name.
    pub model: String,
    /// Why that one, for people.
    pub reason: String,
    /// What it cost the service, billionths of a US dollar.
    pub cost_nanodollars: u64,
    /// By cheap signals, 0 to 1.
    pub quality: f64,
    /// Until its first words, milliseconds; absent for reviewed words.
    pub first_token_ms: Option<u64>,
    /// Until its end, milliseconds.
    pub latency_ms: u64,
    /// The safety state after the message.
    pub safety: SafetyState,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// Created; no client has connected.
    Waiting,
    /// A client is connected.
    Connected,
    /// The client is gone; the session waits for it to come back.
    Reconnecting,
    /// Over.
    Ended,
}

/// `GET /v1/sessions/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionView {
    /// The session.
    pub id: SessionId,
    /// The agent.
    pub agent: AgentId,
    /// Where it stands.
    pub status: SessionStatus,
    /// Why it ended, once it has.
    pub ended_because: Option<CloseReason>,
    /// Seconds of talk counted.
    pub seconds: u64,
    /// The safety state.
    pub safety: SafetyState,
    /// What was said and heard, oldest first.
    pub history: Vec<Message>,
}

/// An entry of `GET /v1/agents`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AgentView {
    /// The agent's id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Its role in two or three words, e.g. `Web Wizard`.
    pub title: String,
    /// One sentence for its card.
    pub tagline: String,
    /// Its voice.
    pub voice: String,
    /// Accent colour of its card, `#rrggbb`.
    pub color: String,
    /// An emoji for its card.
    pub emoji: String,
    /// Things to ask it.
    pub suggestions: Vec<String>,
}

/// RFC 9457 problem details, the body of every error.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// A stable code for programs.
    pub code: String,
    /// What happened and what to do, for people.
    pub detail: String,
    /// Quote it when you report the problem.
    pub request_id: String,
}
