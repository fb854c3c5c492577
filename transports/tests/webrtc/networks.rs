//! Bad networks: a whole session called through a proxy that drops, delays, doubles, reorders and
//! cuts.
//!
//! These tests wait in real time: sockets, retransmissions and patience with a silent line all
//! run on the real clock, and what is shown is that their times fit together. They run beside each
//! other, so that all take as long as the longest, about 12 s.

use std::net::UdpSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_agents::Agent;
use antiphon_proto::{CloseReason, Event, EventEnvelope, Role, SessionId, SessionStatus};
use antiphon_providers::hear::HearContext;
use antiphon_runtime::{Session, SessionLimits, SessionParts};
use antiphon_testkit::{Faults, ScriptedHear, ScriptedSpeak, ScriptedThink, UdpProxy};
use antiphon_transports::webrtc::Endpoint;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::client::{Client, Do, PATIENCE, USUAL, endpoint};
use crate::session::tone_packets;

const QUESTION: &str = "what do you say";
const ANSWER: &str = "Quite so.";
/// Within this a caller who is gone must be noticed.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A call of a session through a proxy. The caller sends silence, 50 packets a second, and types.
struct Call {
    endpoint: Endpoint,
    proxy: UdpProxy,
    session: Session,
    client: Arc<Client>,
    talker: JoinHandle<()>,
}

fn session() -> Session {
    let agent = Agent {
        id: "test".into(),
        name: "Test".into(),
        call_seconds_max: 3_600,
        ..Agent::default()
    };
    Session::spawn(SessionParts {
        id: SessionId::from("sess_test"),
        agent: Arc::new(agent),
        hear: Arc::new(ScriptedHear::new(&[QUESTION], Duration::from_millis(100))),
        hear_context: HearContext::default(),
        think: Arc::new(ScriptedThink::new(&[ANSWER], Duration::from_millis(20))),
        speak: Arc::new(ScriptedSpeak::new(Duration::from_millis(10))),
        tools: Arc::new(antiphon_runtime::NoTools),
        colleagues: Arc::new(antiphon_runtime::NoColleagues),
        limits: SessionLimits::default(),
        facts: None,
        recorder: None,
    })
    .unwrap()
}

/// Sends a packet of silence every 20 ms, as a browser does.
fn talk(client: Arc<Client>) -> JoinHandle<()> {
    let silence = tone_packets(0.0)();
    tokio::spawn(async move {
        let mut clock = tokio::time::interval(Duration::from_millis(20));
        loop {
            clock.tick().await;
            client.tell(Do::Audio {
                payload: silence.clone(),
                skip: 0,
            });
        }
    })
}

async fn until(what: &str, within: Duration, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !done() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

impl Call {
    /// Connected, over a network that is good so far.
    async fn place(seed: u64) -> Self {
        let endpoint = endpoint();
        let server = endpoint.candidates()[0];
        let proxy = UdpProxy::start(server, seed).await.unwrap();
        let session = session();
        let rate_hz = session.output_rate_hz();
        let (offering, answered) = Client::offer_at(&endpoint, USUAL, rate_hz).await;
        let (answer, transport) = answered.unwrap();
        session.attach(Box::new(transport)).await.unwrap();
        let to = |port: u16| format!("127.0.0.1 {port} typ host");
        assert!(answer.contains(&to(server.port())), "{answer}");
        offering.answer(&answer.replace(&to(server.port()), &to(proxy.addr().port())));
        let client = Arc::new(offering.client);
        let call = Self {
            talker: talk(client.clone()),
            endpoint,
            proxy,
            session,
            client,
        };
        let frames = || call.frames();
        until("agent audio", PATIENCE, || frames() >= 25).await;
        until("the history", PATIENCE, || !call.events().is_empty()).await;
        call
    }

    /// Agent audio that has arrived, in packets.
    fn frames(&self) -> usize {
        self.client.see(|seen| seen.rtp.len())
    }

    fn events(&self) -> Vec<EventEnvelope> {
        let parse = |json: &String| serde_json::from_str(json).unwrap();
        self.client
            .see(|seen| seen.messages.iter().map(parse).collect())
    }

    fn type_text(&self) {
        let text = r#"{"type":"user_text","text":"hello"}"#;
        self.client.tell(Do::Text(text.to_owned()));
    }

    /// Answers that the caller was told of and that were spoken to their end.
    fn answers(&self) -> usize {
        let is_answer = |event: &EventEnvelope| match &event.event {
            Event::MessageCommitted { message } => {
                message.role == Role::Agent && message.text == ANSWER
            }
            _ => false,
        };
        self.events()
            .iter()
            .filter(|event| is_answer(event))
            .count()
    }

    async fn until_answers(&self, answers: usize) {
        until("an answer", PATIENCE, || self.answers() >= answers).await;
    }

    /// A typed question is answered, once, and its audio arrives.
    async fn turn_works(&self) {
        let (answers, frames) = (self.answers(), self.frames());
        self.type_text();
        self.until_answers(answers + 1).await;
        assert_eq!(self.answers(), answers + 1);
        assert!(self.frames() >= frames + 10, "400 ms were spoken");
    }

    /// It is still the first connection, and every event came once and in order.
    fn assert_unbroken(&self, turns: usize) {
        let view = self.session.view();
        assert_eq!(view.status, SessionStatus::Connected);
        assert_eq!(self.endpoint.metrics().snapshot().connected, 1);
        let roles: Vec<Role> = view.history.iter().map(|message| message.role).collect();
        assert_eq!(roles, [Role::User, Role::Agent].repeat(turns));
        let events = self.events();
        let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
        let in_order = seqs.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(in_order, "{seqs:?}");
        let starts = events
            .iter()
            .filter(|event| matches!(event.event, Event::SessionStarted { .. }));
        assert_eq!(starts.count(), 1);
    }

    /// When each second began that was counted during `time`.
    async fn seconds_begun(&self, time: Duration) -> Vec<Instant> {
        let (end, mut counted) = (Instant::now() + time, self.session.view().seconds);
        let mut begun = Vec::new();
        while Instant::now() < end {
            let seconds = self.session.view().seconds;
            if seconds > counted {
                begun.push(Instant::now());
                counted = seconds;
            }
            sleep(Duration::from_millis(5)).await;
        }
        begun
    }
}

#[tokio::test]
async fn ten_seconds_of_thirty_percent_loss_are_survived() {
    let call = Call::place(1).await;
    let before = call.frames();
    call.proxy.set(Faults {
        drop: 0.3,
        ..Faults::default()
    });
    sleep(Duration::from_secs(3)).await;
    call.type_text();
    sleep(Duration::from_secs(7)).await;
    let heard = call.frames() - before;
    call.proxy.set(Faults::default());
    assert!((200..450).contains(&heard), "{heard} of 500 packets");
    call.until_answers(1).await;
    call.turn_works().await;
    call.assert_unbroken(2);
}

#[tokio::test]
async fn a_cut_of_three_seconds_is_survived_and_not_all_counted() {
    let call = Call::place(2).await;
    let cut = async {
        sleep(Duration::from_secs(1)).await;
        call.proxy.set(Faults {
            cut: true,
            ..Faults::default()
        });
        sleep(Duration::from_millis(200)).await;
        let before = call.frames();
        sleep(Duration::from_millis(2_800)).await;
        assert_eq!(call.frames(), before, "the line is cut");
        call.proxy.set(Faults::default());
    };
    let (begun, ()) = tokio::join!(call.seconds_begun(Duration::from_secs(6)), cut);
    // The caller is missed two seconds into the cut; the third is not counted.
    let longest = begun.windows(2).map(|pair| pair[1] - pair[0]).max();
    let longest = longest.expect("the counter runs before and after");
    assert!(
        longest >= Duration::from_millis(1_700),
        "the longest second took {longest:?}"
    );
    call.turn_works().await;
    call.assert_unbroken(1);
}

#[tokio::test]
async fn late_doubled_and_reordered_packets_are_survived() {
    let call = Call::place(3).await;
    let before = call.frames();
    call.proxy.set(Faults {
        duplicate: 0.3,
        reorder: 0.3,
        delay: Duration::from_millis(80),
        ..Faults::default()
    });
    call.turn_works().await;
    sleep(Duration::from_secs(4)).await;
    call.turn_works().await;
    assert!(call.frames() >= before + 150, "audio goes on");
    call.assert_unbroken(2);
}

/// `count` datagrams that look like RTP (version 2) and are random otherwise.
fn rtp_garbage(count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count)
        .map(|n| {
            let mut bytes: Vec<u8> = (0..1 + n * 7 % 300).map(|_| random()).collect();
            bytes[0] = 0x80 | (bytes[0] & 0x3F);
            bytes
        })
        .collect()
}

#[tokio::test]
async fn rtp_garbage_harms_nothing() {
    let call = Call::place(4).await;
    let server = call.endpoint.candidates()[0];
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for bytes in rtp_garbage(300) {
        stranger.send_to(&bytes, call.proxy.addr()).unwrap();
        stranger.send_to(&bytes, server).unwrap();
        call.client.tell(Do::Raw(bytes));
        sleep(Duration::from_millis(5)).await;
    }
    let seen = call.endpoint.metrics().snapshot();
    assert!(seen.dropped_unknown >= 500, "the stranger's: {seen:?}");
    // The caller's own reach the call, where nearly all are dropped without a count: packets of
    // an unknown stream may be ones that came before its announcement.
    assert!(seen.datagrams_in >= 850, "the caller's: {seen:?}");
    call.turn_works().await;
    call.assert_unbroken(1);
}

#[tokio::test]
async fn a_caller_who_vanishes_is_missed_and_not_counted() {
    let call = Call::place(5).await;
    let Call {
        endpoint,
        proxy,
        session,
        client,
        talker,
    } = call;
    talker.abort();
    let stopped = talker.await.unwrap_err();
    assert!(stopped.is_cancelled());
    let seconds = session.view().seconds;
    // Its socket goes without a word.
    drop(client);
    until("reconnecting", GONE_WITHIN, || {
        session.view().status == SessionStatus::Reconnecting
    })
    .await;
    let counted = session.view().seconds;
    assert!(counted <= seconds + 3, "{seconds} before, {counted} after");
    sleep(Duration::from_millis(2_500)).await;
    let view = session.view();
    assert_eq!(
        (view.status, view.seconds),
        (SessionStatus::Reconnecting, counted)
    );
    drop((endpoint, proxy));
}

#[tokio::test]
async fn a_goodbye_ends_the_session() {
    let call = Call::place(6).await;
    call.client.tell(Do::Close);
    let settled = timeout(GONE_WITHIN, call.session.ended()).await.unwrap();
    let view = call.session.view();
    assert_eq!(view.ended_because, Some(CloseReason::UserHungUp));
    assert_eq!(settled.seconds, view.seconds);
    assert!(settled.seconds <= 3, "{} s counted", settled.seconds);
}
