//! A language model behind any server that speaks Chat Completions: OpenAI, Ollama, vLLM,
//! llama.cpp and others.

mod config;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::GenerationId;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

pub use self::config::{ConfigError, OpenAiConfig};
use self::wire::{Calls, ChatChunk, ChatRequest};
use super::{Think, ThinkCapabilities, ThinkEvent, ThinkEventKind, ThinkRequest, ThinkUsage};
use crate::net::{BuildError, LINE_BYTES_MAX, SseLines, fault_of_status, http_client, plain};
use crate::{Fault, FaultKind, TaskHandle};

/// What to check where the server refuses.
const HINT: &str = "check OPENAI_API_KEY, ANTIPHON_THINK_URL and ANTIPHON_THINK_MODEL";

/// The responder, shared by all calls.
#[derive(Clone, Debug)]
pub struct OpenAiCompatible {
    config: Arc<OpenAiConfig>,
    client: reqwest::Client,
}

impl OpenAiCompatible {
    /// A responder over a pool of connections of its own.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn new(config: OpenAiConfig) -> Result<Self, BuildError> {
        let client = http_client(&config.limits)?;
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
            .timeout(self.config.limits.connect_timeout)
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

    async fn stream(&self, request: &ThinkRequest, out: &mut Out) -> Result<(), Fault> {
        let limits = &self.config.limits;
        let first_by = Instant::now() + limits.first_timeout;
        let body = ChatRequest::new(&self.config, request);
        let url = format!("{}/chat/completions", self.config.base_url);
        let sent = self.authorized(self.client.post(url)).json(&body).send();
        let sent = timeout_at(first_by, sent).await;
        let mut response = sent
            .map_err(|_| no_words(limits.first_timeout))?
            .map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            return Err(fault_of_status(response.status(), response.headers(), HINT));
        }
        let mut lines = SseLines::default();
        loop {
            let (deadline, late) = if out.has_words {
                let idle = limits.idle_timeout;
                (Instant::now() + idle, stood_still(idle))
            } else {
                (first_by, no_words(limits.first_timeout))
            };
            let chunk = timeout_at(deadline, response.chunk()).await;
            let bytes = chunk
                .map_err(|_| late)?
                .map_err(|error| broken(&plain(&error)))?;
            let mut events = Vec::new();
            match &bytes {
                Some(bytes) => lines
                    .push(bytes, |data| events.push(data.to_owned()))
                    .map_err(|_| {
                        let reason = format!("a line is longer than {LINE_BYTES_MAX} bytes");
                        Fault::new(FaultKind::Malformed, reason)
                    })?,
                None => lines.finish(|data| events.push(data.to_owned())),
            }
            for data in events {
                out.take(&data).await?;
            }
            // A finish reason without `[DONE]` is how some servers end.
            if out.is_over || (bytes.is_none() && out.is_finished) {
                return Ok(());
            }
            if bytes.is_none() {
                return Err(broken("it ended early"));
            }
        }
    }
}

fn unreachable(error: &reqwest::Error) -> Fault {
    let reason = format!("the server cannot be reached: {}", plain(error));
    Fault::new(FaultKind::Unreachable, reason)
}

fn no_words(limit: Duration) -> Fault {
    let reason = format!("no words within {} ms", limit.as_millis());
    Fault::new(FaultKind::TooSlow, reason)
}

fn stood_still(limit: Duration) -> Fault {
    let reason = format!("the stream stood still for {} ms", limit.as_millis());
    Fault::new(FaultKind::TooSlow, reason)
}

fn broken(why: &str) -> Fault {
    Fault::new(FaultKind::BrokenOff, format!("the stream broke off: {why}"))
}

fn malformed() -> Fault {
    let reason = "the stream holds something that is no Chat Completions event";
    Fault::new(FaultKind::Malformed, reason)
}

impl Think for OpenAiCompatible {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn model(&self) -> &str {
        &self.config.model
    }

    fn capabilities(&self) -> ThinkCapabilities {
        ThinkCapabilities {
            tools: true,
            remote: true,
        }
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
                Err(fault) => {
                    tracing::warn!(generation = generation.0, %fault, "reply failed");
                    ThinkEventKind::Failed { fault }
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

    async fn take(&mut self, data: &str) -> Result<(), Fault> {
        let data = data.trim();
        if data == "[DONE]" {
            self.is_over = true;
        }
        if self.is_over || data.is_empty() {
            return Ok(());
        }
        let chunk: ChatChunk = serde_json::from_str(data).map_err(|_| malformed())?;
        if chunk.error.is_some() {
            let reason = "the server reported an error within the stream";
            return Err(Fault::new(FaultKind::Overloaded, reason));
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(ThinkUsage {
                input_tokens: usage.prompt_tokens,
                cached_input_tokens: usage.prompt_tokens_details.map_or(0, |d| d.cached_tokens),
                output_tokens: usage.completion_tokens,
            });
        }
        self.is_finished |= chunk.is_finished();
        if !self.calls.take(&chunk) {
            return Err(malformed());
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
