//! The data channel.

use std::sync::Arc;
use std::time::Instant;

use antiphon_proto::ClientMessage;
use antiphon_runtime::{Transport, TransportInput};
use antiphon_transports::webrtc::{CLIENT_MESSAGE_BYTES_MAX, EVENTS_QUEUED_MAX};

use crate::client::{Do, USUAL, connect, endpoint};
use crate::session::Session;

fn text(n: usize) -> Arc<str> {
    format!(r#"{{"seq":{n}}}"#).into()
}

fn bad_messages(session: &Session) -> Vec<&str> {
    let bad = session.inputs.iter().filter_map(|input| match input {
        TransportInput::BadMessage(reason) => Some(reason.as_str()),
        TransportInput::Connected
        | TransportInput::EventsOpen
        | TransportInput::Message(_)
        | TransportInput::Stalled
        | TransportInput::Revived
        | TransportInput::Closed { .. } => None,
    });
    bad.collect()
}

#[tokio::test]
async fn events_arrive_in_order_also_those_sent_before_the_channel_opened() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    for n in 0..10 {
        session.transport.send_event(Instant::now(), &text(n));
    }
    session.until(TransportInput::EventsOpen).await;
    for n in 10..500 {
        session.transport.send_event(Instant::now(), &text(n));
    }
    session
        .run("all events", |_| {
            client.see(|seen| seen.messages.len()) >= 500
        })
        .await;
    client.see(|seen| {
        for (n, message) in seen.messages.iter().enumerate() {
            assert_eq!(**message, *text(n));
        }
    });
    assert_eq!(endpoint.metrics().snapshot().events_dropped, 0);
}

#[tokio::test]
async fn the_oldest_event_is_dropped_where_the_queue_is_full() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    for n in 0..EVENTS_QUEUED_MAX + 3 {
        session.transport.send_event(Instant::now(), &text(n));
    }
    assert_eq!(endpoint.metrics().snapshot().events_dropped, 3);
    let all = |seen: &crate::client::Seen| seen.messages.len() >= EVENTS_QUEUED_MAX;
    session.run("the queue", |_| client.see(all)).await;
    assert_eq!(*client.see(|seen| seen.messages[0].clone()), *text(3));
}

#[tokio::test]
async fn large_events_wait_for_room_and_arrive_whole() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    let large: Arc<str> = "x".repeat(60_000).into();
    for _ in 0..10 {
        session.transport.send_event(Instant::now(), &large);
    }
    session
        .run("large events", |_| {
            client.see(|seen| seen.messages.len()) >= 10
        })
        .await;
    assert!(client.see(|seen| seen.messages.iter().all(|message| message.len() == 60_000)));
}

#[tokio::test]
async fn messages_are_read() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    client.tell(Do::Text(
        r#"{"type":"user_text","text":"hello"}"#.to_owned(),
    ));
    client.tell(Do::Text(r#"{"type":"hang_up"}"#.to_owned()));
    session
        .until(TransportInput::Message(ClientMessage::HangUp {}))
        .await;
    let hello = ClientMessage::UserText {
        text: "hello".to_owned(),
    };
    assert!(session.inputs.contains(&TransportInput::Message(hello)));
}

#[tokio::test]
async fn garbage_is_answered_with_a_reason_and_the_call_goes_on() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    client.tell(Do::Text("not json".to_owned()));
    client.tell(Do::Binary(vec![0xFF; 100]));
    client.tell(Do::Text(" ".repeat(CLIENT_MESSAGE_BYTES_MAX + 1)));
    client.tell(Do::Text(r#"{"type":"ping"}"#.to_owned()));
    session
        .until(TransportInput::Message(ClientMessage::Ping {}))
        .await;
    let reasons = bad_messages(&session);
    let expected = ["not JSON", "binary", "bytes: send at most"];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(
            reason.contains(expected),
            "{reason:?} should say {expected:?}"
        );
    }
}

#[tokio::test]
async fn a_flood_of_garbage_is_counted_and_ignored() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    for _ in 0..300 {
        client.tell(Do::Text("garbage".to_owned()));
    }
    client.tell(Do::Text(r#"{"type":"ping"}"#.to_owned()));
    session
        .until(TransportInput::Message(ClientMessage::Ping {}))
        .await;
    let answered = bad_messages(&session).len() as u64;
    assert!(
        (1..=20).contains(&answered),
        "{answered} of 300 were answered"
    );
    let dropped = endpoint.metrics().snapshot().messages_dropped;
    assert_eq!(dropped + answered, 300);
}
