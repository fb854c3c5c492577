//! A language model behind any server that speaks Chat Completions: OpenAI, Ollama, vLLM,
//! llama.cpp and others.

mod config;
mod sse;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::GenerationId;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

pub use self::config::{ConfigError, OpenAiConfig, Secret};
use self::sse::{LINE_BYTES_MAX, SseLines};
use self::wire::{Calls, ChatChunk, ChatRequest};
use super::{Think, ThinkEvent, ThinkEventKind, ThinkRequest, ThinkUsage};
use crate::TaskHandle;

/// Connections kept open between replies, so that a turn does not wait for a handshake.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// How long they are kept.
const IDLE_CONNECTION_KEPT: Duration = Duration::from_secs(90);

/// The responder, shared by all calls.
#[derive(Clone, Debug)]
pub struct OpenAiCompatible {
    config: Arc<OpenAiConfig>,
    client: reqwest::Client,
}

/// A client that could not be built, e.g. because no certificate roots could be loaded.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the language model cannot be built: {0}")]
pub struct BuildError(#[from] reqwest::Error);

/// Why a reply failed. Displays never hold the words of the call, the key or the server's text.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the server cannot be reached: {0}")]
    Connect(String),
    #[error("the server answered {status}: {meaning}")]
    Status { status: u16, meaning: &'static str },
    #[error("no words within {} ms", .0.as_millis())]
    FirstToken(Duration),
    #[error("the stream stood still for {} ms", .0.as_millis())]
    Idle(Duration),
    #[error("the stream broke off: {0}")]
    Disconnected(String),
    #[error("the stream holds something that is no Chat Completions event")]
    Malformed,
    #[error("a line of the stream is longer than {LINE_BYTES_MAX} bytes")]
    LineTooLong,
    #[error("the server reported an error within the stream")]
    Reported,
}

impl OpenAiCompatible {
    /// A responder over a pool of connections of its own.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn new(config: OpenAiConfig) -> Result<Self, BuildError> {
        let client = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_idle_timeout(IDLE_CONNECTION_KEPT)
            .tcp_nodelay(true)
            // A redirect would send the key elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            config: Arc::new(config),
            client,
        })
    }

    /// Opens a connection before the first call needs it. Whether the server likes the request
    /// does not matter: the connection stays in the pool.
    pub async fn warm(&self) {
        let url = format!("{}/models", self.config.base_url);
        if let Ok(response) = self
            .authorized(self.client.get(url))
            .timeout(self.config.connect_timeout)
            .send()
            .await
        {
            let _ = response.bytes().await;
        }
    }

    fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.config.api_key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }

    async fn stream(&self, request: &ThinkRequest, out: &mut Out) -> Result<(), Failure> {
        let first_by = Instant::now() + self.config.first_token_timeout;
        let late = || Failure::FirstToken(self.config.first_token_timeout);
        let body = ChatRequest::new(&self.config, request);
        let url = format!("{}/chat/completions", self.config.base_url);
        let sent = self.authorized(self.client.post(url)).json(&body).send();
        let mut response = timeout_at(first_by, sent)
            .await
            .map_err(|_| late())?
            .map_err(|error| Failure::Connect(plain(&error)))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Status {
                status: status.as_u16(),
                meaning: meaning(status.as_u16()),
            });
        }
        let mut lines = SseLines::default();
        loop {
            let deadline = if out.has_words {
                Instant::now() + self.config.idle_timeout
            } else {
                first_by
            };
            let chunk = timeout_at(deadline, response.chunk()).await;
            let chunk = chunk.map_err(|_| {
                if out.has_words {
                    Failure::Idle(self.config.idle_timeout)
                } else {
                    late()
                }
            })?;
            let bytes = chunk.map_err(|error| Failure::Disconnected(plain(&error)))?;
            let mut events = Vec::new();
            match &bytes {
                Some(bytes) => {
                    lines
                        .push(bytes, |data| events.push(data.to_owned()))
                        .map_err(|_| Failure::LineTooLong)?;
                }
                None => lines.finish(|data| events.push(data.to_owned())),
            }
            for data in events {
                out.take(&data).await?;
            }
            if out.is_over {
                return Ok(());
            }
            if bytes.is_none() {
                // A finish reason without `[DONE]` is how some servers end.
                return if out.is_finished {
                    Ok(())
                } else {
                    Err(Failure::Disconnected("it ended early".to_owned()))
                };
            }
        }
    }
}

impl Think for OpenAiCompatible {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle {
        let this = self.clone();
        let task = tokio::spawn(async move {
            let generation = request.generation;
            let mut out = Out::new(generation, events);
            let kind = match this.stream(&request, &mut out).await {
                Ok(()) => {
                    out.send_calls().await;
                    ThinkEventKind::Done {
                        usage: out.usage,
                        hang_up: false,
                        hand_off: None,
                    }
                }
                Err(failure) => {
                    tracing::warn!(generation = generation.0, %failure, "reply failed");
                    ThinkEventKind::Failed {
                        reason: failure.to_string(),
                    }
                }
            };
            out.send(kind).await;
        });
        TaskHandle::from_task(task.abort_handle())
    }
}

/// The way to the session, and what has come so far.
struct Out {
    generation: GenerationId,
    events: mpsc::Sender<ThinkEvent>,
    usage: Option<ThinkUsage>,
    calls: Calls,
    has_words: bool,
    /// A finish reason came; only the usage may follow.
    is_finished: bool,
    /// `[DONE]` came.
    is_over: bool,
}

impl Out {
    fn new(generation: GenerationId, events: mpsc::Sender<ThinkEvent>) -> Self {
        Self {
            generation,
            events,
            usage: None,
            calls: Calls::default(),
            has_words: false,
            is_finished: false,
            is_over: false,
        }
    }

    async fn take(&mut self, data: &str) -> Result<(), Failure> {
        let data = data.trim();
        if data == "[DONE]" {
            self.is_over = true;
        }
        if self.is_over || data.is_empty() {
            return Ok(());
        }
        let chunk: ChatChunk = serde_json::from_str(data).map_err(|_| Failure::Malformed)?;
        if chunk.error.is_some() {
            return Err(Failure::Reported);
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(ThinkUsage {
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
            });
        }
        self.is_finished |= chunk.is_finished();
        if !self.calls.take(&chunk) {
            return Err(Failure::Malformed);
        }
        if !chunk.words().is_empty() {
            self.has_words = true;
            self.send(ThinkEventKind::Delta {
                text: chunk.words().to_owned(),
            })
            .await;
        }
        Ok(())
    }

    async fn send_calls(&mut self) {
        let calls = std::mem::take(&mut self.calls).finish(self.generation);
        if !calls.is_empty() {
            self.send(ThinkEventKind::ToolCalls { calls }).await;
        }
    }

    async fn send(&self, kind: ThinkEventKind) {
        // A closed channel means that the session is gone; the handle goes with it.
        let _ = self
            .events
            .send(ThinkEvent {
                generation: self.generation,
                kind,
            })
            .await;
    }
}

/// What went wrong, without the URL, which may hold a password.
fn plain(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(deeper) = source.source() {
        source = deeper;
    }
    if error.is_timeout() {
        "timed out".to_owned()
    } else if std::ptr::addr_eq(source, error) {
        "request failed".to_owned()
    } else {
        source.to_string()
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 | 422 => "it does not accept the request; check ANTIPHON_THINK_MODEL",
        401 | 403 => "it does not accept the key; check OPENAI_API_KEY",
        404 => {
            "it does not know the address or the model; check ANTIPHON_THINK_URL and ANTIPHON_THINK_MODEL"
        }
        429 => "too many requests or no credit left",
        500.. => "it is in trouble",
        _ => "unexpected",
    }
}
