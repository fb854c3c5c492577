//! Voices over WebSocket.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::deliver::Source;
use super::pool::{Lease, Pool};
use super::shaper::Made;
use super::{Saying, Speaker};
use crate::net::{HttpLimits, Incoming, TlsSetupError, WsClient, WsRequest, receive, send};
use crate::speak::voices::Voices;
use crate::speak::{Speak, SpeakCapabilities, SpeakEvent, SpeakRequest, UnknownVoice};
use crate::{Fault, FaultKind, TaskHandle};

/// A server that takes nothing for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// A vendor's part that is the same for all sentences.
pub(crate) trait Vendor: Send + Sync {
    /// Its name in settings.
    fn name(&self) -> &'static str;
    /// What it gives beside the audio.
    fn capabilities(&self) -> SpeakCapabilities;
    /// Sample rate that it is asked for, in Hz.
    fn rate_hz(&self) -> u32;
    /// What to connect to.
    fn request(&self, saying: &Saying) -> WsRequest;
    /// How a sentence is asked for and answered.
    fn talk(&self, saying: &Saying) -> Talk;
    /// Sentences that one connection serves.
    fn uses_max(&self) -> u32;
    /// A connection that waited longer is replaced; below the vendor's own limit.
    fn idle_max(&self) -> Duration;
    /// A connection older than this serves no more sentences.
    fn age_max(&self) -> Duration {
        Duration::from_secs(1_800)
    }
}

/// One sentence's exchange.
pub(crate) struct Talk {
    /// What is sent.
    pub(crate) ask: Vec<Message>,
    /// Reads the answers.
    pub(crate) protocol: Box<dyn Protocol>,
    /// Sent where the sentence is cancelled and the connection is to be used again; else it is
    /// closed.
    pub(crate) on_cancel: Vec<Message>,
}

/// Messages in, audio and times out. Pure, so that it can be tested without sockets.
pub(crate) trait Protocol: Send {
    /// Takes a message.
    ///
    /// # Errors
    /// What the server reported, or [`FaultKind::Malformed`].
    fn receive(&mut self, message: &Incoming) -> Result<Vec<Made>, Fault>;
}

/// A voice backend behind a WebSocket, shared by all calls.
#[derive(Clone)]
pub struct RemoteSpeak {
    vendor: Arc<dyn Vendor>,
    pool: Arc<Pool>,
    speaker: Speaker,
}

impl std::fmt::Debug for RemoteSpeak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemoteSpeak({})", self.vendor.name())
    }
}

impl RemoteSpeak {
    pub(in crate::speak) fn new(
        vendor: Box<dyn Vendor>,
        voices: Voices,
        limits: HttpLimits,
    ) -> Result<Self, TlsSetupError> {
        let client = WsClient::new(&limits)?;
        let vendor: Arc<dyn Vendor> = Arc::from(vendor);
        let is_exact = vendor.capabilities().word_marks;
        Ok(Self {
            speaker: Speaker::new(vendor.name(), vendor.rate_hz(), is_exact, voices, limits),
            pool: Pool::new(Arc::clone(&vendor), client),
            vendor,
        })
    }

    /// Opens a connection for `voice` before the first sentence needs it. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// [`UnknownVoice`], naming the voices there are.
    pub fn warm(&self, voice: &str) -> Result<(), UnknownVoice> {
        let saying = Saying {
            text: String::new(),
            voice: self.speaker.voices.id(voice)?,
            pace: 1.0,
        };
        self.pool.top_up(&self.vendor.request(&saying));
        Ok(())
    }
}

impl Speak for RemoteSpeak {
    fn name(&self) -> &'static str {
        self.vendor.name()
    }

    fn capabilities(&self) -> SpeakCapabilities {
        self.vendor.capabilities()
    }

    fn rate_hz(&self, voice: &str) -> Result<u32, UnknownVoice> {
        self.speaker.voices.id(voice).map(|_| self.speaker.rate_hz)
    }

    /// Must be called within a tokio runtime.
    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let (vendor, pool) = (Arc::clone(&self.vendor), Arc::clone(&self.pool));
        self.speaker.start(request, events, move |saying| Socket {
            vendor,
            pool,
            saying,
            talking: None,
            has_begun: false,
        })
    }
}

/// One sentence over a leased connection.
struct Socket {
    vendor: Arc<dyn Vendor>,
    pool: Arc<Pool>,
    saying: Saying,
    talking: Option<(Lease, Box<dyn Protocol>)>,
    /// Something of the sentence has come.
    has_begun: bool,
}

impl Socket {
    async fn ask(&mut self, fresh: bool) -> Result<(), Fault> {
        let request = self.vendor.request(&self.saying);
        let mut lease = self.pool.lease(request, fresh).await?;
        let talk = self.vendor.talk(&self.saying);
        let stream = lease.stream().ok_or_else(lost)?;
        if let Err(fault) = send(stream, talk.ask, SEND_TIMEOUT).await {
            let was_idle = lease.was_idle;
            lease.discard();
            if was_idle {
                return Box::pin(self.ask(true)).await;
            }
            return Err(fault);
        }
        lease.on_cancel = talk.on_cancel;
        self.talking = Some((lease, talk.protocol));
        Ok(())
    }
}

impl Source for Socket {
    async fn next(&mut self) -> Result<Vec<Made>, Fault> {
        loop {
            if self.talking.is_none() {
                self.ask(false).await?;
            }
            let (lease, protocol) = self.talking.as_mut().ok_or_else(lost)?;
            let was_idle = lease.was_idle;
            let made = match receive(lease.stream().ok_or_else(lost)?).await {
                Ok(message) => protocol.receive(&message)?,
                // It died while it waited: not this sentence's fault.
                Err(fault) if was_idle && !self.has_begun && fault.kind == FaultKind::BrokenOff => {
                    if let Some((lease, _)) = self.talking.take() {
                        lease.discard();
                    }
                    self.ask(true).await?;
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            if !made.is_empty() {
                self.has_begun = true;
                return Ok(made);
            }
        }
    }

    fn read(&mut self, is_whole: bool) {
        if let Some((lease, _)) = self.talking.take() {
            if is_whole {
                lease.give_back();
            } else {
                lease.discard();
            }
        }
    }
}

fn lost() -> Fault {
    Fault::internal("the connection was taken away")
}
