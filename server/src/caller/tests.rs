//! The caller against a small server of its own: the real WebRTC transport with an agent of
//! tones behind it, so that what is measured here is the caller.
#![allow(clippy::unwrap_used)]

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_audio::level::dbfs;
use antiphon_proto::{
    AgentId, AgentState, ClientMessage, CloseReason, CreateSession, Event, EventEnvelope, Message,
    Problem, RecognizerView, Role, SessionCreated, SessionId, TurnId,
};
use antiphon_runtime::{CALLER_FRAME_SAMPLES, Pulled, Transport, TransportInput};
use antiphon_transports::webrtc::{Endpoint, EndpointConfig, WebRtcTransport};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, post};
use axum::{Json, Router};

use super::clip::LOUD_DBFS;
use super::{CallArgs, CallError, LoadArgs, call, load};

/// Frames of the agent's answer: 0.8 s.
const ANSWER_FRAMES: usize = 40;
/// Frames of silence after which the agent answers: 0.3 s.
const ENDPOINTING_FRAMES: usize = 15;

#[tokio::test(flavor = "multi_thread")]
async fn recordings_are_answered_measured_and_recorded() {
    let (server, dir) = (serve(true).await, Dir::new("call"));
    let audio = vec![dir.tone("one.wav", 8_000), dir.tone("two.wav", 44_100)];
    let out = dir.0.join("reply.wav");
    let args = CallArgs {
        audio,
        out: Some(out.clone()),
        ..call_args(&server)
    };
    let summary = call(args).await.unwrap();
    assert_eq!(summary.user_transcript, "tone tone");
    assert_eq!(summary.agent_text, "hello beep beep");
    assert_eq!(summary.billed_seconds, 7);
    assert_eq!(summary.turns.len(), 2);
    for turn in &summary.turns {
        // 300 ms of endpointing, the caller's way in through a jitter buffer, and the way back.
        let latency_ms = turn.latency_ms.unwrap();
        assert!((250..1_200).contains(&latency_ms), "{latency_ms} ms");
    }
    let said_ms = 3 * ANSWER_FRAMES as u64 * 20;
    let heard_ms = summary.agent_audio_ms;
    assert!(
        heard_ms.abs_diff(said_ms) <= 200,
        "{heard_ms} of {said_ms} ms heard"
    );
    let clip = antiphon_audio::file::read_audio_file(&std::fs::read(out).unwrap()).unwrap();
    let loud = clip
        .pcm
        .chunks(320)
        .filter(|frame| dbfs(frame) > LOUD_DBFS)
        .count() as u64
        * 20;
    assert!(
        loud.abs_diff(said_ms) <= 300,
        "{loud} of {said_ms} ms recorded"
    );
    assert!(
        summary.turns[0].user_end_ms < clip.duration_ms(),
        "the recording has call time"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_words_are_answered() {
    let server = serve(true).await;
    let args = CallArgs {
        text: vec!["hi".to_owned()],
        ..call_args(&server)
    };
    let summary = call(args).await.unwrap();
    assert_eq!(summary.agent_text, "hello beep");
    assert!(
        summary.turns[0].latency_ms.unwrap() < 500,
        "{:?}",
        summary.turns
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_never_answers_times_out() {
    let (server, dir) = (serve(false).await, Dir::new("timeout"));
    let audio = vec![dir.tone("one.wav", 16_000)];
    let error = call(CallArgs {
        audio,
        timeout: 3,
        ..call_args(&server)
    })
    .await
    .unwrap_err();
    assert!(
        matches!(error, CallError::TimedOut { seconds: 3 }),
        "{error}"
    );
    assert_eq!(error.exit_code(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_agent_is_named_with_those_there_are() {
    let server = serve(true).await;
    let args = CallArgs {
        agent: "nobody".to_owned(),
        ..call_args(&server)
    };
    let error = call(args).await.unwrap_err();
    assert!(error.to_string().contains("there is cal"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_are_placed_and_measured() {
    let server = serve(true).await;
    let args = LoadArgs {
        server,
        agent: "cal".to_owned(),
        calls: 4,
        seconds: 6,
        audio: None,
        ramp_ms: 20,
        json: false,
    };
    let summary = load(args).await.unwrap();
    assert_eq!((summary.failed, &summary.failures), (0, &vec![]));
    assert_eq!(summary.connect_ms.count, 4);
    assert!(summary.latency_ms.count >= 4, "{summary:?}");
    // 50 packets a second and call, less what it takes to connect and hang up.
    assert!(summary.packets >= 4 * 6 * 45, "{summary:?}");
    assert_eq!(summary.unanswered_turns, 0);
}

fn call_args(server: &str) -> CallArgs {
    CallArgs {
        server: server.to_owned(),
        agent: "cal".to_owned(),
        audio: vec![],
        text: vec![],
        out: None,
        json: false,
        barge_in: false,
        timeout: 60,
    }
}

/// A folder that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("antiphon-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A recording of a second of tone and half a second of silence.
    fn tone(&self, name: &str, rate_hz: u32) -> PathBuf {
        let seconds = |n: u32| f64::from(n) / f64::from(rate_hz);
        let pcm: Vec<i16> = (0..rate_hz * 3 / 2)
            .map(|n| {
                if n < rate_hz {
                    (seconds(n) * 440.0 * std::f64::consts::TAU).sin() * 9_000.0
                } else {
                    0.0
                }
            })
            .map(|sample| sample as i16)
            .collect();
        let path = self.0.join(name);
        std::fs::write(&path, antiphon_audio::file::write_wav(rate_hz, &pcm)).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _: Result<(), _> = std::fs::remove_dir_all(Path::new(&self.0));
    }
}

struct Served {
    endpoint: Endpoint,
    answers: bool,
}

/// Starts the server and returns its URL.
async fn serve(answers: bool) -> String {
    let endpoint =
        Endpoint::bind("127.0.0.1:0".parse().unwrap(), EndpointConfig::default()).unwrap();
    let routes = Router::new()
        .route("/v1/sessions", post(create))
        .route("/v1/sessions/s/webrtc", post(offer))
        .route(
            "/v1/sessions/s",
            delete(|| async { StatusCode::NO_CONTENT }),
        )
        .with_state(Arc::new(Served { endpoint, answers }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn create(
    State(served): State<Arc<Served>>,
    Json(request): Json<CreateSession>,
) -> Result<(StatusCode, Json<SessionCreated>), (StatusCode, Json<Problem>)> {
    if request.agent.as_str() != "cal" {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: "unknown agent".to_owned(),
            status: 404,
            code: "unknown_agent".to_owned(),
            detail: "there is no such agent; there is cal".to_owned(),
            request_id: "r".to_owned(),
        };
        return Err((StatusCode::NOT_FOUND, Json(problem)));
    }
    let created = SessionCreated {
        id: SessionId::from("s"),
        token: "t".to_owned(),
        expires_in_s: 60,
        agent: request.agent,
        webrtc_url: "/v1/sessions/s/webrtc".to_owned(),
        events_url: "/v1/sessions/s/events".to_owned(),
        ice_servers: vec![],
        udp: served
            .endpoint
            .candidates()
            .iter()
            .map(ToString::to_string)
            .collect(),
        reconnect_within_s: 30,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

async fn offer(State(served): State<Arc<Served>>, sdp: String) -> (StatusCode, String) {
    let (answer, transport) = served.endpoint.accept(&sdp, 48_000).unwrap();
    tokio::spawn(Agent::new(transport, served.answers).run());
    (StatusCode::CREATED, answer)
}

/// Greets with a tone, and answers each tone with one.
struct Agent {
    transport: WebRtcTransport,
    answers: bool,
    /// Frames of tone still to send.
    speaking: usize,
    words: &'static str,
    heard_loud: bool,
    quiet_frames: usize,
    frames: usize,
    seq: u64,
}

impl Agent {
    fn new(transport: WebRtcTransport, answers: bool) -> Self {
        let (speaking, words, heard_loud) = (0, "", false);
        let (quiet_frames, frames, seq) = (0, 0, 0);
        Self {
            transport,
            answers,
            speaking,
            words,
            heard_loud,
            quiet_frames,
            frames,
            seq,
        }
    }

    async fn run(mut self) {
        let mut clock = tokio::time::interval(Duration::from_millis(20));
        loop {
            tokio::select! {
                input = poll_fn(|cx| self.transport.poll_input(cx)) => match input {
                    TransportInput::EventsOpen => self.greet(),
                    TransportInput::Message(ClientMessage::UserText { .. }) => self.speak("beep"),
                    TransportInput::Message(ClientMessage::HangUp {}) => return self.end(),
                    TransportInput::Closed { .. } => return,
                    TransportInput::Connected
                    | TransportInput::Message(_)
                    | TransportInput::BadMessage(_)
                    | TransportInput::Stalled
                    | TransportInput::Revived => {}
                },
                _ = clock.tick() => self.tick(),
            }
        }
    }

    fn greet(&mut self) {
        self.event(Event::SessionStarted {
            session: SessionId::from("s"),
            agent: AgentId::from("cal"),
            agent_name: "Cal".to_owned(),
            recognizer: RecognizerView {
                name: "level".to_owned(),
                advice: None,
            },
            resumed: false,
            history: vec![],
        });
        self.speak("hello");
    }

    fn speak(&mut self, words: &'static str) {
        self.words = words;
        self.speaking = ANSWER_FRAMES;
        self.event(Event::AgentState {
            state: AgentState::Speaking,
        });
    }

    fn tick(&mut self) {
        let now = Instant::now();
        let mut heard = [0; CALLER_FRAME_SAMPLES];
        let pulled = self.transport.pull_audio(now, &mut heard);
        self.listen(pulled == Pulled::Audio && dbfs(&heard) > LOUD_DBFS);
        let speaks = self.speaking > 0;
        let tone = |n: usize| (((n + self.frames * 960) as f32 * 0.05).sin() * 8_000.0) as i16;
        let frame: Vec<i16> = (0..960).map(tone).collect();
        self.transport.send_audio(now, speaks.then_some(&frame));
        self.frames += 1;
        if speaks {
            self.speaking -= 1;
            if self.speaking == 0 {
                self.spoken();
            }
        }
    }

    fn listen(&mut self, loud: bool) {
        self.quiet_frames = if loud { 0 } else { self.quiet_frames + 1 };
        self.heard_loud |= loud;
        if self.heard_loud && self.quiet_frames >= ENDPOINTING_FRAMES && self.answers {
            self.heard_loud = false;
            let (turn, text) = (TurnId(1), "tone".to_owned());
            self.event(Event::UserTranscript {
                turn,
                text,
                is_final: true,
            });
            self.speak("beep");
        }
    }

    fn spoken(&mut self) {
        let message = Message {
            turn: TurnId(1),
            role: Role::Agent,
            text: self.words.to_owned(),
            interrupted: false,
            at_ms: 0,
            tool: None,
        };
        self.event(Event::MessageCommitted { message });
        self.event(Event::AgentState {
            state: AgentState::Listening,
        });
    }

    fn end(&mut self) {
        self.event(Event::SessionEnded {
            speculation: Default::default(),
            reason: CloseReason::UserHungUp,
            seconds: 7,
        });
        self.transport.close(Instant::now());
    }

    fn event(&mut self, event: Event) {
        self.seq += 1;
        let envelope = EventEnvelope {
            seq: self.seq,
            at_ms: 0,
            event,
        };
        let json: Arc<str> = serde_json::to_string(&envelope).unwrap().into();
        self.transport.send_event(Instant::now(), &json);
    }
}
