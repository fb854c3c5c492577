//! A server that answers each connection by a script.

use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_proto::{GenerationId, Message, Role, TurnId};
use antiphon_providers::TaskHandle;
use antiphon_providers::net::Secret;
use antiphon_providers::think::openai::{OpenAiCompatible, OpenAiConfig};
use antiphon_providers::think::{Think, ThinkEvent, ThinkEventKind, ThinkLimits, ThinkRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(crate) const KEY: &str = "sk-never-shown";
pub(crate) const OK: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// A step of the script.
pub(crate) enum Step {
    /// Send these bytes in one packet.
    Send(Vec<u8>),
    /// Say nothing more; the task ends when the client closes the connection.
    AwaitClose,
}

pub(crate) struct Server {
    pub(crate) config: OpenAiConfig,
    /// Ends with the request that was read; after `AwaitClose` that shows that the client closed.
    pub(crate) done: JoinHandle<String>,
}

/// Serves one connection.
pub(crate) async fn serve(steps: Vec<Step>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let done = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let request = read_request(&mut socket).await;
        for step in steps {
            match step {
                Step::Send(bytes) => {
                    if socket.write_all(&bytes).await.is_err() {
                        break;
                    }
                    socket.flush().await.unwrap();
                    // Lets the client read this packet before the next one.
                    tokio::task::yield_now().await;
                }
                Step::AwaitClose => {
                    let mut byte = [0];
                    let _ = socket.read(&mut byte).await;
                }
            }
        }
        request
    });
    let mut config = OpenAiConfig::new(url, "test-model");
    config.api_key = Some(Secret::new(KEY));
    config.limits.first_timeout = Duration::from_millis(300);
    config.limits.idle_timeout = Duration::from_millis(300);
    Server { config, done }
}

pub(crate) async fn read_request(socket: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let count = socket.read(&mut buffer).await.unwrap();
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(count > 0, "the request broke off");
            continue;
        };
        let length = head.to_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length:")
                .map(|value| value.trim().parse::<usize>().unwrap())
        });
        if body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

pub(crate) fn start(config: OpenAiConfig) -> (TaskHandle, mpsc::Receiver<ThinkEvent>) {
    let (sender, events) = mpsc::channel(4);
    (
        start_on(&OpenAiCompatible::new(config).unwrap(), sender),
        events,
    )
}

pub(crate) fn start_on(
    responder: &OpenAiCompatible,
    sender: mpsc::Sender<ThinkEvent>,
) -> TaskHandle {
    let message = |turn, role, text: &str, interrupted| Message {
        turn: TurnId(turn),
        role,
        text: text.to_owned(),
        interrupted,
        at_ms: 0,
        tool: None,
    };
    let history = vec![
        message(0, Role::Agent, "Hello I am", true),
        message(1, Role::User, "what is a domain", false),
    ];
    let agent: Arc<Agent> = Agent::built_in("cal").unwrap();
    let request = ThinkRequest {
        generation: GenerationId(3),
        agent,
        history,
        tools: Vec::new(),
        limits: ThinkLimits::default(),
        already_said: None,
    };
    responder.start(request, sender)
}

/// The words, and how it ended.
pub(crate) async fn collect(mut events: mpsc::Receiver<ThinkEvent>) -> (String, ThinkEventKind) {
    let mut text = String::new();
    let mut ends = Vec::new();
    while let Some(event) = events.recv().await {
        assert_eq!(event.generation, GenerationId(3));
        match event.kind {
            ThinkEventKind::Delta { text: more } => {
                assert!(ends.is_empty(), "words after the end");
                text.push_str(&more);
            }
            ThinkEventKind::ToolCalls { .. } => panic!("no tool was offered"),
            end @ (ThinkEventKind::Done { .. } | ThinkEventKind::Failed { .. }) => ends.push(end),
        }
    }
    assert_eq!(ends.len(), 1, "exactly one end");
    (text, ends.remove(0))
}

pub(crate) fn words(text: &str) -> String {
    let chunk = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    format!("data: {chunk}\n\n")
}
