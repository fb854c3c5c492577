//! What every remote language model shares: the request is built by a [`Wire`], and everything
//! else (deadlines, bounds, cancelling, the trimmed history, summaries) happens here.

mod faults;
mod reply;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::GenerationId;
use reqwest::header::HeaderValue;
use reqwest::{Client, RequestBuilder, Response};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use self::faults::{broken, line_too_long, no_words, stood_still};
pub(crate) use self::faults::{malformed, reported, withheld};
pub(crate) use self::reply::Reply;
use self::words::Words;
use super::config::ThinkConfig;
use super::context::Context;
use super::history::{Item, items};
use super::summary::{INSTRUCTIONS, Job, SUMMARY_TOKENS_MAX, Summaries};
use super::{
    Think, ThinkCapabilities, ThinkEvent, ThinkEventKind, ThinkLimits, ThinkRequest, ThinkUsage,
    ToolDeclaration,
};
use crate::net::{BuildError, SseLines, fault_of_status, http_client, plain};
use crate::{Fault, FaultKind, TaskHandle};

/// What is read of an answer that is no stream, for what it tells beside its status.
const ERROR_BYTES_MAX: usize = 16 * 1_024;
/// How long is waited for it.
const ERROR_WAIT_MAX: Duration = Duration::from_millis(300);
/// How long is waited for the usage once the words are whole.
const USAGE_WAIT_MAX: Duration = Duration::from_millis(500);
/// Longest that the making of a summary may take; nobody waits for it.
const SUMMARY_WAIT_MAX: Duration = Duration::from_secs(30);

/// One provider's requests and streams.
pub(crate) trait Wire: Send + Sync {
    /// Its name, e.g. `anthropic`.
    fn name(&self) -> &'static str;

    /// What to check where the server refuses.
    fn hint(&self) -> String;

    /// The request for one reply.
    fn request(&self, client: &Client, prompt: &Prompt<'_>) -> RequestBuilder;

    /// A request that costs nothing and needs the key: a list of models.
    fn probe(&self, client: &Client) -> RequestBuilder;

    /// Reads one stream.
    fn reader(&self) -> Box<dyn Reader>;

    /// A better fault, from the body of an answer that is no stream.
    fn refine(&self, fault: Fault, _body: &[u8]) -> Fault {
        fault
    }
}

/// Reads the events of one stream.
pub(crate) trait Reader: Send {
    /// Takes the data of one event.
    fn take(&mut self, data: &str, reply: &mut Reply) -> Result<(), Fault>;
}

/// What a model is asked, in no provider's form.
pub(crate) struct Prompt<'a> {
    /// The same for every reply of an agent, so that providers find it in their caches.
    pub(crate) system: Cow<'a, str>,
    /// What was left out of the history.
    pub(crate) notes: Option<String>,
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) tools: &'a [ToolDeclaration],
    pub(crate) limits: &'a ThinkLimits,
    /// Words of this reply that were said already.
    pub(crate) already_said: Option<&'a str>,
    /// Names what shares a beginning, where a provider routes by it to its cache.
    pub(crate) cache_key: &'a str,
}

/// Told where words cannot be put into the model's mouth.
pub(crate) const GO_ON: &str = "(Your last answer broke off there. Go on right behind its last \
    word, as if nothing had happened. Repeat none of it and do not mention this.)";

impl Prompt<'_> {
    /// System text and notes in one.
    pub(crate) fn system_with_notes(&self) -> String {
        match &self.notes {
            Some(notes) => format!("{}{notes}", self.system),
            None => self.system.to_string(),
        }
    }
}

/// A language model behind HTTP, shared by all calls.
#[derive(Clone)]
pub struct RemoteThink {
    wire: Arc<dyn Wire>,
    config: Arc<ThinkConfig>,
    client: Client,
    summaries: Arc<Summaries>,
}

impl fmt::Debug for RemoteThink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteThink")
            .field("name", &self.wire.name())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl RemoteThink {
    pub(crate) fn new(
        config: ThinkConfig,
        wire: impl FnOnce(Arc<ThinkConfig>) -> Arc<dyn Wire>,
    ) -> Result<Self, BuildError> {
        let client = http_client(&config.limits)?;
        let config = Arc::new(config);
        Ok(Self {
            wire: wire(Arc::clone(&config)),
            config,
            client,
            summaries: Arc::default(),
        })
    }

    /// Opens a connection before the first call needs it. Whether the server likes the request
    /// does not matter: the connection stays in the pool.
    pub async fn warm(&self) {
        let _ = self.ask_for_models().await;
    }

    async fn ask_for_models(&self) -> Result<(), Fault> {
        let limit = self.config.limits.first_timeout;
        let sent = self.wire.probe(&self.client).timeout(limit).send().await;
        let response = sent.map_err(|error| self.unreachable(&error))?;
        self.accepted(response)
            .await?
            .bytes()
            .await
            .map_err(|error| broken(&plain(&error)))?;
        Ok(())
    }

    /// The response, where its status says that all is well.
    async fn accepted(&self, mut response: Response) -> Result<Response, Fault> {
        if response.status().is_success() {
            return Ok(response);
        }
        let fault = fault_of_status(response.status(), response.headers(), &self.wire.hint());
        let mut body = Vec::new();
        let read = async {
            while let Ok(Some(bytes)) = response.chunk().await {
                body.extend_from_slice(&bytes[..bytes.len().min(ERROR_BYTES_MAX - body.len())]);
                if body.len() == ERROR_BYTES_MAX {
                    break;
                }
            }
        };
        let _ = timeout(ERROR_WAIT_MAX, read).await;
        Err(self.wire.refine(fault, &body))
    }

    /// A request that was not answered.
    fn unreachable(&self, error: &reqwest::Error) -> Fault {
        if error.is_connect() || error.is_builder() || error.is_timeout() {
            let reason = format!("the server cannot be reached: {}", plain(error));
            return Fault::new(FaultKind::Unreachable, reason);
        }
        let reason = format!("the server gave no answer: {}", plain(error));
        Fault::new(FaultKind::BrokenOff, reason)
    }

    /// Streams one reply; `out` is told of everything but the end.
    async fn stream(&self, prompt: &Prompt<'_>, out: &mut Out) -> Result<(), Fault> {
        let limits = &self.config.limits;
        let first_by = Instant::now() + limits.first_timeout;
        let sent = self.wire.request(&self.client, prompt).send();
        let answered = async {
            let response = sent.await.map_err(|error| self.unreachable(&error))?;
            self.accepted(response).await
        };
        let answered = timeout_at(first_by, answered).await;
        let mut response = answered.map_err(|_| no_words(limits.first_timeout))??;
        let mut lines = SseLines::default();
        let mut reader = self.wire.reader();
        loop {
            let (deadline, late) = self.deadline(&out.reply, first_by);
            let chunk = timeout_at(deadline, response.chunk()).await;
            let chunk = chunk
                .map_err(|_| late)
                .and_then(|chunk| chunk.map_err(|error| broken(&plain(&error))));
            // The words are whole; only the usage was missing.
            let bytes = match chunk {
                Err(_) if out.reply.is_finished() => return Ok(()),
                chunk => chunk?,
            };
            let was_finished = out.reply.is_finished();
            let mut taken = Ok(());
            let event = |data: &str| {
                if taken.is_ok() && !out.reply.is_over() {
                    taken = reader.take(data, &mut out.reply);
                }
            };
            match &bytes {
                Some(bytes) => lines.push(bytes, event).map_err(|_| line_too_long())?,
                None => lines.finish(event),
            }
            out.send_words().await;
            if bytes.is_none() && was_finished {
                return Ok(());
            }
            taken?;
            if out.words.is_stopped() {
                return Ok(());
            }
            if out.reply.is_over() {
                // By itself, as nobody waits for it.
                tokio::spawn(drain(response));
                return Ok(());
            }
            if bytes.is_none() {
                // A finish reason and nothing behind it is how some servers end.
                let ended = out.reply.is_finished();
                return if ended {
                    Ok(())
                } else {
                    Err(broken("it ended early"))
                };
            }
        }
    }

    /// Until when the next piece has to come, and what it means where it does not.
    fn deadline(&self, reply: &Reply, first_by: Instant) -> (Instant, Fault) {
        let limits = &self.config.limits;
        if reply.is_finished() {
            return (Instant::now() + USAGE_WAIT_MAX, stood_still(USAGE_WAIT_MAX));
        }
        if reply.has_output() {
            let idle = limits.idle_timeout;
            return (Instant::now() + idle, stood_still(idle));
        }
        (first_by, no_words(limits.first_timeout))
    }

    async fn answer(self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) {
        let generation = request.generation;
        let context = Context::fit(&request.history, self.config.context_tokens_max as usize);
        let found = self.summaries.find(&context.blocks());
        if let Some(job) = found.job {
            // Not held by the reply: a caller who cuts in must not undo it.
            tokio::spawn(self.clone().sum_up(job));
        }
        let prompt = Prompt {
            system: Cow::Owned(request.agent.instructions()),
            notes: context.notes(found.summary.as_deref(), found.summed),
            items: items(context.kept.iter().copied()),
            tools: &request.tools,
            limits: &request.limits,
            already_said: request
                .already_said
                .as_deref()
                .filter(|said| !said.trim().is_empty()),
            cache_key: request.agent.id.as_str(),
        };
        let words = Words::new(&request.limits.stop);
        let mut out = Out::new(generation, Some(events), words);
        let kind = match self.stream(&prompt, &mut out).await {
            Ok(()) => out.end(found.owed).await,
            Err(fault) => Err(fault),
        };
        let kind = kind.unwrap_or_else(|fault| {
            tracing::warn!(generation = generation.0, provider = self.wire.name(), %fault, "reply failed");
            ThinkEventKind::Failed { fault }
        });
        out.send(kind).await;
    }

    /// Makes a summary with the same model.
    async fn sum_up(self, job: Job) {
        let guard = Unfinished {
            summaries: Arc::clone(&self.summaries),
            job: Some(job),
        };
        let Some(job) = &guard.job else { return };
        let limits = ThinkLimits {
            tokens_max: SUMMARY_TOKENS_MAX,
            stop: Vec::new(),
        };
        let prompt = Prompt {
            system: Cow::Borrowed(INSTRUCTIONS),
            notes: None,
            items: vec![Item::User(Cow::Borrowed(&job.text))],
            tools: &[],
            limits: &limits,
            already_said: None,
            cache_key: "summary",
        };
        let mut out = Out::new(GenerationId(0), None, Words::default());
        let made = timeout(SUMMARY_WAIT_MAX, self.stream(&prompt, &mut out)).await;
        match made.unwrap_or_else(|_| Err(no_words(SUMMARY_WAIT_MAX))) {
            Ok(()) => guard.finish(out),
            Err(fault) => {
                tracing::warn!(provider = self.wire.name(), %fault, "no summary of a long call");
            }
        }
    }
}

/// A summary under way: one that is given up is not waited for.
struct Unfinished {
    summaries: Arc<Summaries>,
    job: Option<Job>,
}

impl Unfinished {
    fn finish(mut self, out: Out) {
        if let Some(job) = self.job.take() {
            let usage = out.reply.usage();
            self.summaries.keep(&job, Some((out.said, usage)));
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.summaries.keep(&job, None);
        }
    }
}

impl Think for RemoteThink {
    fn name(&self) -> &'static str {
        self.wire.name()
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

    fn probe(&self) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        Box::pin(self.ask_for_models())
    }

    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle {
        let task = tokio::spawn(self.clone().answer(request, events));
        TaskHandle::from_task(task.abort_handle())
    }
}

/// The way to the session, and what has come so far.
struct Out {
    generation: GenerationId,
    /// None for a summary, whose words are kept in `said`.
    events: Option<mpsc::Sender<ThinkEvent>>,
    reply: Reply,
    words: Words,
    said: String,
}

impl Out {
    fn new(
        generation: GenerationId,
        events: Option<mpsc::Sender<ThinkEvent>>,
        words: Words,
    ) -> Self {
        Self {
            generation,
            events,
            reply: Reply::default(),
            words,
            said: String::new(),
        }
    }

    async fn send_words(&mut self) {
        let words = self.reply.take_words();
        if !words.is_empty() {
            let text = self.words.push(words);
            self.give(text).await;
        }
    }

    /// The rest of the words, the calls, and the event that ends the reply.
    async fn end(&mut self, owed: Option<ThinkUsage>) -> Result<ThinkEventKind, Fault> {
        let rest = self.words.finish();
        self.give(rest).await;
        let calls = self.reply.take_calls(self.generation)?;
        if !calls.is_empty() && !self.words.is_stopped() {
            self.send(ThinkEventKind::ToolCalls { calls }).await;
        }
        Ok(ThinkEventKind::Done {
            usage: sum(self.reply.usage(), owed),
            hang_up: false,
            hand_off: None,
        })
    }

    async fn give(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        if self.events.is_none() {
            self.said.push_str(&text);
            return;
        }
        self.send(ThinkEventKind::Delta { text }).await;
    }

    async fn send(&self, kind: ThinkEventKind) {
        if let Some(events) = &self.events {
            let generation = self.generation;
            // A closed channel means that the session is gone; the handle goes with it.
            let _ = events.send(ThinkEvent { generation, kind }).await;
        }
    }
}

fn sum(one: Option<ThinkUsage>, other: Option<ThinkUsage>) -> Option<ThinkUsage> {
    match (one, other) {
        (Some(one), Some(other)) => Some(ThinkUsage {
            input_tokens: one.input_tokens + other.input_tokens,
            cached_input_tokens: one.cached_input_tokens + other.cached_input_tokens,
            output_tokens: one.output_tokens + other.output_tokens,
        }),
        (one, other) => one.or(other),
    }
}

/// Reads what stands between the last event and the end of the body, mostly nothing: connections
/// of HTTP/1.1 are kept only where it was reached.
async fn drain(mut response: Response) {
    let mut bytes_left = ERROR_BYTES_MAX;
    let read = async {
        while let Ok(Some(bytes)) = response.chunk().await {
            bytes_left = bytes_left.saturating_sub(bytes.len());
            if bytes_left == 0 {
                break;
            }
        }
    };
    let _ = timeout(ERROR_WAIT_MAX, read).await;
}

/// A header that no log shows.
pub(crate) fn with_secret(
    request: RequestBuilder,
    name: &'static str,
    key: &str,
) -> RequestBuilder {
    match HeaderValue::from_str(key) {
        Ok(mut value) => {
            value.set_sensitive(true);
            request.header(name, value)
        }
        // The configuration takes no such key.
        Err(_) => request,
    }
}
