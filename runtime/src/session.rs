//! A session from the outside: start it, connect it, watch it, end it.

use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_billing_meter::Settlement;
use antiphon_proto::{
    AgentId, ClientMessage, CloseReason, Message, SafetyState, SessionId, SessionStatus,
};
use antiphon_providers::hear::{Hear, HearContext};
use antiphon_providers::route::CallFacts;
use antiphon_providers::speak::{Speak, UnknownVoice};
use antiphon_providers::think::Think;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::Transport;
use crate::driver::Driver;
use crate::log::Recorder;
use crate::tools::Tools;

/// Commands waiting for a session's task; more are refused.
const COMMANDS_MAX: usize = 64;
/// Events kept for a subscriber that reads slowly; older ones are lost to it.
pub(crate) const EVENTS_KEPT: usize = 256;

/// What a session is made of.
pub struct SessionParts {
    /// Its id.
    pub id: SessionId,
    /// Who is called.
    pub agent: Arc<Agent>,
    /// The recognizer.
    pub hear: Arc<dyn Hear>,
    /// What the recognizer may know.
    pub hear_context: HearContext,
    /// The responder.
    pub think: Arc<dyn Think>,
    /// The voice backend.
    pub speak: Arc<dyn Speak>,
    /// What the responder may call.
    pub tools: Arc<dyn Tools>,
    /// Whom the call can be handed to.
    pub colleagues: Arc<dyn Colleagues>,
    /// Its limits.
    pub limits: SessionLimits,
    /// What is known of the choice among its providers and their cost, where they are routed.
    pub facts: Option<CallFacts>,
    /// Where its log is written; none is where there is no recorder.
    pub recorder: Option<Recorder>,
}

/// The agents that a call can be handed to.
pub trait Colleagues: Send + Sync {
    /// The agent of that id, and what the recognizer may know of it.
    fn find(&self, id: &AgentId) -> Option<(Arc<Agent>, HearContext)>;
}

/// Nobody to hand a call to.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoColleagues;

impl Colleagues for NoColleagues {
    fn find(&self, _id: &AgentId) -> Option<(Arc<Agent>, HearContext)> {
        None
    }
}

/// How long a session waits for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// For the first connection.
    pub connect_within: Duration,
    /// For a lost connection to come back.
    pub reconnect_within: Duration,
    /// After the far side said goodbye: long enough for a page that connects anew, too short to be
    /// kept by a closed tab.
    pub reconnect_after_goodbye: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(60),
            reconnect_within: Duration::from_secs(30),
            reconnect_after_goodbye: Duration::from_secs(3),
        }
    }
}

/// The session is over; nothing more can be asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session is over")]
pub struct SessionGone;

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveView {
    /// Its status.
    pub status: SessionStatus,
    /// Why it ended, once it has.
    pub ended_because: Option<CloseReason>,
    /// Seconds of talk counted.
    pub seconds: u64,
    /// The safety state.
    pub safety: SafetyState,
    /// What was said and heard.
    pub history: Arc<Vec<Message>>,
}

/// Events from now on, beginning with a `session_started` that holds all that was said.
pub struct Subscription {
    /// The first event.
    pub first: Arc<str>,
    /// The ones after it, in order.
    pub events: broadcast::Receiver<Arc<str>>,
}

/// A running session. Clones are the same session.
#[derive(Clone)]
pub struct Session {
    id: SessionId,
    agent: Arc<Agent>,
    output_rate_hz: u32,
    commands: mpsc::Sender<Command>,
    view: watch::Receiver<LiveView>,
}

pub(crate) enum Command {
    Attach(Box<dyn Transport>),
    Message(ClientMessage),
    Subscribe(oneshot::Sender<Subscription>),
    Drain(Duration),
    HandOff(AgentId),
    Close(CloseReason),
}

impl Session {
    /// Starts a session on the current tokio runtime.
    ///
    /// # Errors
    /// [`UnknownVoice`] where the voice backend does not have the agent's voice.
    pub fn spawn(parts: SessionParts) -> Result<Self, UnknownVoice> {
        let voice_hz = parts.speak.rate_hz(&parts.agent.voice.name)?;
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let (view_sender, view) = watch::channel(LiveView {
            status: SessionStatus::Waiting,
            ended_because: None,
            seconds: 0,
            safety: SafetyState::Normal,
            history: Arc::default(),
        });
        let (id, agent) = (parts.id.clone(), Arc::clone(&parts.agent));
        let driver = Driver::new(parts, voice_hz, receiver, view_sender);
        tokio::spawn(driver.run());
        Ok(Self {
            id,
            agent,
            output_rate_hz: crate::output_rate_hz(voice_hz),
            commands,
            view,
        })
    }

    /// Its id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Who is called.
    pub fn agent(&self) -> &Arc<Agent> {
        &self.agent
    }

    /// The sample rate, in Hz, of the audio that its transport is given.
    pub fn output_rate_hz(&self) -> u32 {
        self.output_rate_hz
    }

    /// Where it stands now.
    pub fn view(&self) -> LiveView {
        self.view.borrow().clone()
    }

    /// Gives it a connection. One that it already had is closed.
    ///
    /// # Errors
    /// [`SessionGone`].
    pub async fn attach(&self, transport: Box<dyn Transport>) -> Result<(), SessionGone> {
        self.commands
            .send(Command::Attach(transport))
            .await
            .map_err(|_| SessionGone)
    }

    /// Passes on what a client said outside of the transport.
    ///
    /// # Errors
    /// [`SessionGone`].
    pub async fn message(&self, message: ClientMessage) -> Result<(), SessionGone> {
        self.commands
            .send(Command::Message(message))
            .await
            .map_err(|_| SessionGone)
    }

    /// Subscribes to its events.
    ///
    /// # Errors
    /// [`SessionGone`].
    pub async fn subscribe(&self) -> Result<Subscription, SessionGone> {
        let (sender, receiver) = oneshot::channel();
        self.commands
            .send(Command::Subscribe(sender))
            .await
            .map_err(|_| SessionGone)?;
        receiver.await.map_err(|_| SessionGone)
    }

    /// Asks it to say goodbye and to be over within `limit`.
    pub async fn drain(&self, limit: Duration) {
        // A session that is already over has drained.
        let _ = self.commands.send(Command::Drain(limit)).await;
    }

    /// Lets another agent take the call over once this one has said so.
    pub async fn hand_off(&self, agent: AgentId) {
        // A session that is already over has nobody to hand over.
        let _ = self.commands.send(Command::HandOff(agent)).await;
    }

    /// Ends it.
    pub async fn close(&self, reason: CloseReason) {
        // A session that is already over is closed.
        let _ = self.commands.send(Command::Close(reason)).await;
    }

    /// Waits until it is over.
    pub async fn ended(&self) -> Settlement {
        let mut view = self.view.clone();
        // An error means that the task is gone, and with it the sender: over as well.
        let _ = view
            .wait_for(|view| view.status == SessionStatus::Ended)
            .await;
        let seconds = view.borrow().seconds;
        Settlement {
            session: self.id.clone(),
            seconds,
        }
    }
}
