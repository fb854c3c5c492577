//! Datagrams that nobody asked for.

use antiphon_runtime::TransportInput;

use crate::client::{Do, USUAL, connect, endpoint};
use crate::session::Session;

/// One of each class of RFC 7983 and some that are none, whole and cut short.
fn garbage() -> Vec<Vec<u8>> {
    let stun = [
        &[0x00, 0x01, 0x00, 0x10][..],
        &[0x21, 0x12, 0xA4, 0x42],
        &[9; 12],
        &[0x00, 0x06, 0x00, 0x09],
        b"none:none",
        &[0, 0, 0],
    ]
    .concat();
    let dtls = [
        &[22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40][..],
        &[1; 40],
    ]
    .concat();
    let rtp = [&[0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9][..], &[0xAB; 60]].concat();
    let rtcp = [&[0x80, 201, 0, 7][..], &[0xCD; 28]].concat();
    let whole = [stun, dtls, rtp, rtcp, vec![0xFF; 30], vec![64; 30]];
    let cut = |bytes: &Vec<u8>| [1, 2, 3, 5, 12, 20].map(|length| bytes[..length].to_vec());
    whole
        .iter()
        .flat_map(cut)
        .chain(whole.clone())
        .chain([vec![0x80; 1_500]])
        .collect()
}

#[tokio::test]
async fn strangers_garbage_is_counted_and_dropped() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::Connected).await;
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let sent = garbage();
    for bytes in &sent {
        stranger.send_to(bytes, endpoint.candidates()[0]).unwrap();
    }
    let dropped = || endpoint.metrics().snapshot().dropped_unknown;
    session
        .run("drops", |_| dropped() >= sent.len() as u64)
        .await;
    let before = client.see(|seen| seen.rtp.len());
    session
        .run("audio", |_| {
            client.see(|seen| seen.rtp.len()) >= before + 20
        })
        .await;
}

#[tokio::test]
async fn a_callers_own_garbage_does_not_end_the_call() {
    let endpoint = endpoint();
    let (client, transport) = connect(&endpoint, USUAL).await;
    let mut session = Session::new(transport);
    session.until(TransportInput::EventsOpen).await;
    for bytes in garbage() {
        client.tell(Do::Raw(bytes));
    }
    let malformed = || endpoint.metrics().snapshot().dropped_malformed;
    session.run("malformed packets", |_| malformed() >= 5).await;
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

#[tokio::test]
async fn garbage_before_the_handshake_does_not_prevent_it() {
    let endpoint = endpoint();
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for bytes in garbage() {
        stranger.send_to(&bytes, endpoint.candidates()[0]).unwrap();
    }
    let (_client, transport) = connect(&endpoint, USUAL).await;
    Session::new(transport)
        .until(TransportInput::Connected)
        .await;
}
