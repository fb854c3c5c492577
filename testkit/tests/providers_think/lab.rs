//! The adapters, the servers that they talk to, and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_proto::{GenerationId, Message, Role, ToolCall, ToolCallId, ToolRef, TurnId};
use antiphon_providers::net::Secret;
use antiphon_providers::think::known::KNOWN;
use antiphon_providers::think::{
    RemoteThink, Think, ThinkConfig, ThinkEvent, ThinkEventKind, ThinkLimits, ThinkRequest,
    ThinkUsage, ToolDeclaration,
};
use antiphon_providers::{Fault, TaskHandle};
use antiphon_testkit::fakes::http::{Answer, HttpFake, Request, Wiring};
use antiphon_testkit::fakes::llm::{KEY, LlmVendor};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// No reply of these tests takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The deadlines that the adapters are given, where a test is not about others.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// One adapter and whose protocol it speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adapter {
    pub(crate) name: &'static str,
    pub(crate) vendor: LlmVendor,
    pub(crate) model: &'static str,
}

/// All adapters.
pub(crate) const ADAPTERS: [Adapter; 7] = [
    adapter("compatible", LlmVendor::Chat, "llama3.2"),
    adapter("openai-chat", LlmVendor::Chat, "gpt-4.1"),
    adapter("openai", LlmVendor::Responses, "gpt-5.4-mini"),
    adapter("anthropic", LlmVendor::Anthropic, "claude-haiku-4-5"),
    adapter("anthropic", LlmVendor::Anthropic, "claude-sonnet-5"),
    adapter("gemini", LlmVendor::Gemini, "gemini-3.5-flash"),
    adapter("mistral", LlmVendor::Mistral, "mistral-small-latest"),
];

const fn adapter(name: &'static str, vendor: LlmVendor, model: &'static str) -> Adapter {
    Adapter {
        name,
        vendor,
        model,
    }
}

/// One adapter, and the server that it talks to.
pub(crate) struct Lab {
    pub(crate) adapter: Adapter,
    pub(crate) fake: HttpFake,
    pub(crate) think: RemoteThink,
}

impl Lab {
    /// A server that answers by `script`.
    pub(crate) async fn new(
        adapter: Adapter,
        wiring: Wiring,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::with(adapter, wiring, script, |_| {}).await
    }

    pub(crate) async fn with(
        adapter: Adapter,
        wiring: Wiring,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
        change: impl FnOnce(&mut ThinkConfig),
    ) -> Self {
        let fake = HttpFake::start(wiring, script).await.unwrap();
        let think = adapter.think(&fake.url(), |config| {
            config.limits.extra_root = fake.root_pem();
            change(config);
        });
        Self {
            adapter,
            fake,
            think,
        }
    }

    /// One reply, whole.
    pub(crate) async fn ask(&self, request: ThinkRequest) -> Told {
        let (_handle, events) = start(&self.think, request);
        collect(events).await
    }

    /// The body of the last request.
    pub(crate) fn body(&self) -> serde_json::Value {
        self.fake.exchanges().last().unwrap().request.json()
    }
}

impl Adapter {
    /// The adapter towards `url`.
    pub(crate) fn think(self, url: &str, change: impl FnOnce(&mut ThinkConfig)) -> RemoteThink {
        let base_url = match self.vendor {
            LlmVendor::Anthropic | LlmVendor::Gemini => url.to_owned(),
            LlmVendor::Chat | LlmVendor::Responses | LlmVendor::Mistral => format!("{url}/v1"),
        };
        let mut config = ThinkConfig::new(base_url, self.model);
        config.api_key = Some(Secret::new(KEY));
        config.limits.connect_timeout = DEADLINE;
        config.limits.first_timeout = DEADLINE;
        config.limits.idle_timeout = DEADLINE;
        change(&mut config);
        let known = KNOWN.iter().find(|known| known.name == self.name).unwrap();
        known.with(config).unwrap()
    }
}

pub(crate) fn start(
    think: &RemoteThink,
    request: ThinkRequest,
) -> (TaskHandle, mpsc::Receiver<ThinkEvent>) {
    let (sender, events) = mpsc::channel(4);
    (think.start(request, sender), events)
}

/// What a reply came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) deltas: Vec<String>,
    pub(crate) calls: Vec<ToolCall>,
    /// The usage of a whole reply, or why it is none.
    pub(crate) end: Result<Option<ThinkUsage>, Fault>,
}

impl Told {
    pub(crate) fn text(&self) -> String {
        self.deltas.concat()
    }
}

/// Reads a reply to its end and checks the order of its events.
pub(crate) async fn collect(mut events: mpsc::Receiver<ThinkEvent>) -> Told {
    let (mut deltas, mut calls, mut end) = (Vec::new(), Vec::new(), None);
    let read = async {
        while let Some(event) = events.recv().await {
            assert_eq!(event.generation, GenerationId(3));
            assert!(end.is_none(), "an event after the end: {event:?}");
            match event.kind {
                ThinkEventKind::Delta { text } => {
                    assert!(calls.is_empty(), "words after calls");
                    assert!(!text.is_empty(), "an empty delta");
                    deltas.push(text);
                }
                ThinkEventKind::ToolCalls { calls: made } => {
                    assert!(calls.is_empty() && !made.is_empty(), "calls come once");
                    calls = made;
                }
                ThinkEventKind::Done {
                    usage,
                    hang_up,
                    hand_off,
                } => {
                    assert!(!hang_up && hand_off.is_none());
                    end = Some(Ok(usage));
                }
                ThinkEventKind::Failed { fault } => end = Some(Err(fault)),
            }
        }
    };
    timeout(PATIENCE, read).await.expect("the reply ends");
    Told {
        deltas,
        calls,
        end: end.expect("a reply has an end"),
    }
}

pub(crate) fn message(turn: u32, role: Role, text: &str, tool: Option<&str>) -> Message {
    Message {
        turn: TurnId(turn),
        role,
        text: text.into(),
        interrupted: false,
        at_ms: u64::from(turn) * 1_000,
        tool: tool.map(|id| ToolRef {
            id: ToolCallId::from(id),
            name: "weather".into(),
        }),
    }
}

/// A greeting that was cut off, and a question.
pub(crate) fn request() -> ThinkRequest {
    let mut greeting = message(0, Role::Agent, "Hello I am", None);
    greeting.interrupted = true;
    request_of(vec![
        greeting,
        message(1, Role::User, "what is a domain", None),
    ])
}

pub(crate) fn request_of(history: Vec<Message>) -> ThinkRequest {
    let agent: Arc<Agent> = Agent::built_in("cal").unwrap();
    ThinkRequest {
        generation: GenerationId(3),
        agent,
        history,
        tools: Vec::new(),
        limits: ThinkLimits::default(),
        already_said: None,
    }
}

/// One tool with a required argument, one with an optional one, one without any.
pub(crate) fn tools() -> Vec<ToolDeclaration> {
    let tool = |name: &str, parameters: &str| ToolDeclaration {
        name: name.into(),
        description: format!("The {name} of a place."),
        parameters: parameters.into(),
    };
    vec![
        tool(
            "weather",
            r#"{"type":"object","properties":{"place":{"type":"string"}},"required":["place"],"additionalProperties":false}"#,
        ),
        tool(
            "tides",
            r#"{"type":"object","properties":{"day":{"type":["string","null"]}}}"#,
        ),
        tool("time", r#"{"type":"object","properties":{}}"#),
    ]
}

pub(crate) fn usage() -> Option<ThinkUsage> {
    Some(ThinkUsage {
        input_tokens: 110,
        cached_input_tokens: 64,
        output_tokens: 7,
    })
}
