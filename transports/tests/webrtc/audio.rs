//! Audio both ways.

use antiphon_runtime::{Pulled, TransportInput};
use str0m::media::Direction;

use crate::client::{Client, Do, OfferShape, USUAL, connect, endpoint};
use crate::session::{Session, pitch_of, tone_packets};

/// Sends a packet each tick, as a caller does; some are lost on the way.
fn talk(client: &Client, lose: impl Fn(usize) -> bool) -> impl FnMut(usize) {
    let mut packet = tone_packets(440.0);
    let mut skip = 0;
    move |tick| {
        let payload = packet();
        if lose(tick) {
            skip += 1;
        } else {
            client.tell(Do::Audio { payload, skip });
            skip = 0;
        }
    }
}

fn loud(session: &Session) -> usize {
    session
        .pulled
        .iter()
        .filter(|(kind, dbfs)| *kind == Pulled::Audio && *dbfs > -30.0)
        .count()
}

#[tokio::test]
async fn the_caller_is_heard() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::Connected).await;
    session
        .run_each("audio", talk(&client, |_| false), |session| {
            loud(session) >= 50
        })
        .await;
    let concealed = session
        .pulled
        .iter()
        .filter(|(kind, _)| *kind == Pulled::Concealed)
        .count();
    assert!(
        concealed <= 5,
        "{concealed} frames concealed on a quiet loopback"
    );
}

#[tokio::test]
async fn lost_packets_are_concealed() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::Connected).await;
    let every_fifth = |tick| tick % 5 == 4;
    session
        .run_each("audio", talk(&client, every_fifth), |session| {
            loud(session) >= 80
        })
        .await;
    let concealed: Vec<f32> = session
        .pulled
        .iter()
        .filter(|(kind, _)| *kind == Pulled::Concealed)
        .map(|(_, dbfs)| *dbfs)
        .collect();
    assert!(
        concealed.len() >= 15,
        "{} of about 20 losses concealed",
        concealed.len()
    );
    let audible = concealed.iter().filter(|dbfs| **dbfs > -40.0).count();
    assert!(
        audible * 10 >= concealed.len() * 8,
        "{audible} of {} audible",
        concealed.len()
    );
}

#[tokio::test]
async fn the_agent_is_heard_without_gaps_in_sequence_and_time() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::Connected).await;
    // Silence first: it must be sent too.
    session
        .run("silence", |_| client.see(|seen| seen.rtp.len()) >= 10)
        .await;
    session.tone_hz = Some(1_000.0);
    session
        .run("a tone", |_| client.see(|seen| seen.rtp.len()) >= 60)
        .await;
    client.see(|seen| {
        assert!(seen.rtp[0].2, "the first packet starts a talk spurt");
        for pair in seen.rtp.windows(2) {
            assert_eq!(pair[1].0, pair[0].0 + 1, "sequence");
            assert_eq!(pair[1].1, pair[0].1.wrapping_add(960), "timestamp");
            assert!(!pair[1].2, "one talk spurt");
        }
        let packets: Vec<Vec<u8>> = seen.rtp.iter().map(|packet| packet.3.clone()).collect();
        assert_eq!(
            pitch_of(&packets, &[300.0, 440.0, 1_000.0, 2_000.0]),
            1_000.0
        );
    });
}

#[tokio::test]
async fn a_caller_without_microphone_and_channel_hears_the_agent() {
    let endpoint = endpoint();
    let shape = OfferShape {
        direction: Direction::RecvOnly,
        channel: false,
        ..USUAL
    };
    let (client, transport) = connect(&endpoint, shape).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::Connected).await;
    session
        .run("audio", |_| client.see(|seen| seen.rtp.len()) >= 20)
        .await;
    assert!(
        session
            .pulled
            .iter()
            .all(|(kind, _)| *kind == Pulled::Nothing)
    );
    assert!(!session.inputs.contains(&TransportInput::EventsOpen));
}

#[tokio::test]
async fn video_is_refused_and_audio_works_beside_it() {
    let endpoint = endpoint();
    let (client, transport) = connect(
        &endpoint,
        OfferShape {
            video: true,
            ..USUAL
        },
    )
    .await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    session
        .run_each("audio", talk(&client, |_| false), |session| {
            loud(session) >= 20
        })
        .await;
    assert!(client.see(|seen| seen.rtp.len()) >= 20);
}

#[tokio::test]
async fn padding_is_no_audio() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::Connected).await;
    let padding = |_| {
        client.tell(Do::Audio {
            payload: Vec::new(),
            skip: 0,
        })
    };
    let padded = || endpoint.metrics().snapshot().padding_packets;
    session
        .run_each("padding", padding, |_| padded() >= 10)
        .await;
    assert!(
        session
            .pulled
            .iter()
            .all(|(kind, _)| *kind == Pulled::Nothing)
    );
}

#[tokio::test]
async fn two_calls_do_not_hear_each_other() {
    let endpoint = endpoint();
    let (high, high_transport) = connect(&endpoint, USUAL).await;
    let (low, low_transport) = connect(&endpoint, USUAL).await;
    let mut sessions = [Session::new(high_transport), Session::new(low_transport)];
    sessions[0].tone_hz = Some(2_000.0);
    sessions[1].tone_hz = Some(300.0);
    let [first, second] = &mut sessions;
    let heard = |client: &Client| client.see(|seen| seen.rtp.len()) >= 60;
    tokio::join!(
        first.run("audio of the first", |_| heard(&high)),
        second.run("audio of the second", |_| heard(&low)),
    );
    for (client, expected) in [(&high, 2_000.0), (&low, 300.0)] {
        let packets: Vec<Vec<u8>> =
            client.see(|seen| seen.rtp.iter().map(|packet| packet.3.clone()).collect());
        assert_eq!(pitch_of(&packets, &[300.0, 2_000.0]), expected);
    }
    assert_eq!(endpoint.metrics().snapshot().connected, 2);
}
