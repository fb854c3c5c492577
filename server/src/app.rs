//! What the routes share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use antiphon_agents::Agent;
use antiphon_proto::{AgentId, AgentView, CreateSession, SessionCreated};
use antiphon_providers::hear::HearContext;
use antiphon_providers::route::Router;
use antiphon_runtime::log::Recorder;
use antiphon_runtime::{Colleagues, Session, SessionLimits, SessionParts};
use antiphon_transports::webrtc::Endpoint;
use metrics_exporter_prometheus::PrometheusHandle;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ApiError;
use crate::registry::Registry;
use crate::secret::{session_id, token};
use crate::settlements::Settlements;

/// Chats that may be answered at a time: each holds a connection to a provider.
pub(crate) const CHATS_MAX: usize = 64;

/// An agent and what is derived from it once.
pub(crate) struct Callee {
    pub(crate) agent: Arc<Agent>,
    pub(crate) hear_context: HearContext,
}

/// State of the server.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<AppInner>,
}

impl Colleagues for App {
    fn find(&self, id: &AgentId) -> Option<(Arc<Agent>, HearContext)> {
        let callee = self.inner.agents.get(id)?;
        Some((Arc::clone(&callee.agent), callee.hear_context.clone()))
    }
}

pub(crate) struct AppInner {
    pub(crate) agents: BTreeMap<AgentId, Callee>,
    /// Ids in the order in which people see them.
    pub(crate) order: Vec<AgentId>,
    pub(crate) router: Arc<Router>,
    pub(crate) endpoint: Endpoint,
    pub(crate) registry: Registry,
    pub(crate) settlements: Settlements,
    /// Writes the logs of calls, where they are kept.
    pub(crate) recorder: Option<Recorder>,
    pub(crate) limits: SessionLimits,
    pub(crate) calls_max: usize,
    /// Chats that may be answered at a time.
    pub(crate) chats: Arc<Semaphore>,
    pub(crate) draining: AtomicBool,
    pub(crate) warm: AtomicBool,
    pub(crate) prometheus: Option<PrometheusHandle>,
    pub(crate) started: Instant,
}

impl App {
    pub(crate) fn agent_views(&self) -> Vec<AgentView> {
        let agents = self
            .inner
            .order
            .iter()
            .filter_map(|id| self.inner.agents.get(id));
        agents.map(|callee| agent_view(&callee.agent)).collect()
    }

    /// Starts a session and gives out its token.
    pub(crate) fn create_session(
        &self,
        request: &CreateSession,
    ) -> Result<SessionCreated, ApiError> {
        if self.draining() {
            return Err(ApiError::Draining);
        }
        let callee = self
            .inner
            .agents
            .get(&request.agent)
            .ok_or_else(|| self.unknown_agent(Some(&request.agent)))?;
        if !self.inner.registry.has_room(self.inner.calls_max) {
            return Err(ApiError::Full(self.inner.calls_max));
        }
        let (id, token) = (session_id()?, token()?);
        let routed = self.inner.router.session(&callee.agent);
        let session = Session::spawn(SessionParts {
            id: id.clone(),
            agent: Arc::clone(&callee.agent),
            hear: routed.hear,
            hear_context: callee.hear_context.clone(),
            think: routed.think,
            speak: routed.speak,
            tools: Arc::new(antiphon_runtime::NoTools),
            colleagues: Arc::new(self.clone()),
            limits: self.inner.limits,
            facts: Some(routed.facts),
            recorder: self.inner.recorder.clone(),
        })
        .map_err(|fault| ApiError::Internal(Box::new(fault)))?;
        self.inner
            .registry
            .insert(session.clone(), &token, self.inner.calls_max)?;
        self.settle_at_end(session);
        let udp = self
            .inner
            .endpoint
            .candidates()
            .iter()
            .map(SocketAddr::to_string)
            .collect();
        Ok(SessionCreated {
            webrtc_url: format!("/v1/sessions/{id}/webrtc"),
            events_url: format!("/v1/sessions/{id}/events"),
            id,
            token,
            expires_in_s: self.inner.limits.connect_within.as_secs(),
            agent: request.agent.clone(),
            ice_servers: Vec::new(),
            udp,
            reconnect_within_s: self.inner.limits.reconnect_within.as_secs(),
        })
    }

    /// Room for one more chat.
    pub(crate) fn chat_permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        if self.draining() {
            return Err(ApiError::Draining);
        }
        Arc::clone(&self.inner.chats)
            .try_acquire_owned()
            .map_err(|_| ApiError::Busy(CHATS_MAX))
    }

    /// The agent asked for, or the first one.
    pub(crate) fn agent_for_chat(&self, id: Option<&AgentId>) -> Result<Arc<Agent>, ApiError> {
        let asked = id.or(self.inner.order.first());
        let found = asked.and_then(|id| self.inner.agents.get(id));
        found
            .map(|callee| Arc::clone(&callee.agent))
            .ok_or_else(|| self.unknown_agent(asked))
    }

    fn unknown_agent(&self, asked: Option<&AgentId>) -> ApiError {
        let ids = self.inner.order.iter().map(AgentId::as_str);
        ApiError::UnknownAgent {
            asked: asked.cloned().unwrap_or_else(|| AgentId::from("")),
            there_are: ids.collect::<Vec<_>>().join(", "),
        }
    }

    fn settle_at_end(&self, session: Session) {
        let (registry, settlements) = (self.inner.registry.clone(), self.inner.settlements.clone());
        let pending = settlements.pending();
        tokio::spawn(async move {
            let settlement = session.ended().await;
            registry.ended(session.id());
            settlements
                .write(&settlement, session.agent(), session.view().ended_because)
                .await;
            drop(pending);
        });
    }

    pub(crate) fn draining(&self) -> bool {
        self.inner.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn ready(&self) -> bool {
        !self.draining() && self.inner.warm.load(Ordering::Relaxed)
    }
}

fn agent_view(agent: &Agent) -> AgentView {
    AgentView {
        id: agent.id.as_str().into(),
        name: agent.name.clone(),
        title: agent.title.clone(),
        tagline: agent.tagline.clone(),
        voice: format!("{} {}", agent.voice.backend, agent.voice.name),
        color: agent.color.clone(),
        emoji: agent.emoji.clone(),
        suggestions: agent.suggestions.clone(),
    }
}
