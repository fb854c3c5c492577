//! Ends of calls: what the session is told, and that nothing stays behind.

use std::time::{Duration, Instant};

use antiphon_runtime::{Transport, TransportInput};
use antiphon_transports::webrtc::{CLOSED_AFTER_MS, HANDSHAKE_MS_MAX, STALLED_AFTER_MS};

use crate::client::{Client, Do, USUAL, connect, endpoint};
use crate::session::{Session, tone_packets};

#[tokio::test]
async fn a_goodbye_is_orderly_and_frees_the_addresses() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    assert_eq!(endpoint.routes(), (1, 1));
    client.tell(Do::Close);
    session
        .until(TransportInput::Closed { orderly: true })
        .await;
    assert_eq!(endpoint.routes(), (0, 0));
    assert_eq!(endpoint.metrics().snapshot().calls, 1);
    drop(session);
    assert_eq!(endpoint.metrics().snapshot().calls, 0);
}

#[tokio::test]
async fn closing_tells_the_caller() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    session.transport.close(Instant::now());
    let deadline = Instant::now() + crate::client::PATIENCE;
    while !client.see(|seen| seen.closed) || endpoint.routes() != (0, 0) {
        assert!(
            Instant::now() < deadline,
            "the caller was not told, or its addresses are kept"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_last_events_arrive_before_the_goodbye() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    let json: std::sync::Arc<str> = r#"{"seq":1}"#.into();
    session.transport.send_event(Instant::now(), &json);
    session.transport.close(Instant::now());
    drop(session);
    let deadline = Instant::now() + crate::client::PATIENCE;
    while !client.see(|seen| seen.closed) {
        assert!(Instant::now() < deadline, "the caller was not told");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(client.see(|seen| seen.messages.clone()), [json.as_ref()]);
    while endpoint.routes() != (0, 0) {
        assert!(Instant::now() < deadline, "the addresses are kept");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn dropping_a_transport_frees_its_addresses() {
    let endpoint = endpoint();
    for _ in 0..3 {
        let (_client, transport) = connect(&endpoint, USUAL).await;
        let mut session = Session::new(transport);
        session.until(TransportInput::Connected).await;
        assert_eq!(endpoint.routes(), (1, 1));
        drop(session);
        assert_eq!(endpoint.routes(), (0, 0));
    }
    assert_eq!(endpoint.metrics().snapshot().calls, 0);
}

#[tokio::test]
async fn silence_stalls_then_ends_a_call() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::Connected).await;
    let mut packet = tone_packets(440.0);
    let talk = |_| {
        client.tell(Do::Audio {
            payload: packet(),
            skip: 0,
        })
    };
    session
        .run_each("audio", talk, |session| session.pulled.len() > 25)
        .await;
    cut(&client).await;
    session.settle().await;
    let silent_since = Instant::now();
    let at = |ms| silent_since + Duration::from_millis(ms);
    session.tick(at(STALLED_AFTER_MS - 300));
    session.settle().await;
    assert!(
        !session.inputs.contains(&TransportInput::Stalled),
        "too early"
    );
    session.tick(at(STALLED_AFTER_MS));
    session.settle().await;
    assert!(session.inputs.contains(&TransportInput::Stalled));
    // A cut of three seconds is survived.
    session.tick(at(3_500));
    session.settle().await;
    client.tell(Do::Cut(false));
    session.until(TransportInput::Revived).await;
    cut(&client).await;
    session.settle().await;
    session.tick(Instant::now() + Duration::from_millis(CLOSED_AFTER_MS + 100));
    session.settle().await;
    assert_eq!(
        session.inputs.last(),
        Some(&TransportInput::Closed { orderly: false })
    );
    assert_eq!(endpoint.routes(), (0, 0));
}

/// Cuts the caller off, and waits until that is so.
async fn cut(client: &Client) {
    client.tell(Do::Cut(true));
    while !client.see(|seen| seen.cut) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_offer_that_nobody_follows_up_ends() {
    let endpoint = endpoint();
    let (_offering, answered) = Client::offer(&endpoint, USUAL).await;
    let mut session = Session::new(answered.unwrap().1);
    session.tick(Instant::now() + Duration::from_millis(HANDSHAKE_MS_MAX - 100));
    session.settle().await;
    assert_eq!(session.inputs, []);
    session.tick(Instant::now() + Duration::from_millis(HANDSHAKE_MS_MAX));
    session.settle().await;
    assert_eq!(session.inputs, [TransportInput::Closed { orderly: false }]);
    assert_eq!(endpoint.metrics().snapshot().handshake_failures, 1);
    assert_eq!(endpoint.routes(), (0, 0));
}

#[tokio::test]
async fn a_call_follows_the_caller_to_another_port() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    // What acknowledges the channel must not be lost by the move: its repetition takes seconds.
    session
        .run("the channel", |_| client.see(|seen| seen.channel_open))
        .await;
    client.tell(Do::Rebind);
    // The next connectivity check from the new port brings everything along.
    session
        .run("the new port", |_| endpoint.routes() == (1, 2))
        .await;
    let before = client.see(|seen| seen.rtp.len());
    session
        .run("audio", |_| {
            client.see(|seen| seen.rtp.len()) >= before + 20
        })
        .await;
    client.tell(Do::Text(r#"{"type":"ping"}"#.to_owned()));
    let ping = antiphon_proto::ClientMessage::Ping {};
    session.until(TransportInput::Message(ping)).await;
}
