use std::time::Duration;

use antiphon_proto::{Event, EventEnvelope, NoticeCode, SessionCreated};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::TestServer;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(server: &TestServer, session: &SessionCreated, token: &str) -> Result<Socket, Error> {
    let url = server.url.replace("http", "ws");
    let url = format!("{url}{}?token={token}", session.events_url);
    connect_async(url).await.map(|(socket, _)| socket)
}

async fn next(socket: &mut Socket) -> Option<Event> {
    let message = timeout(Duration::from_secs(10), socket.next())
        .await
        .expect("an event in time")?;
    let Ok(Message::Text(text)) = message else {
        return None;
    };
    let envelope: EventEnvelope = serde_json::from_str(&text).expect("events are as documented");
    Some(envelope.event)
}

#[tokio::test]
async fn begins_with_the_whole_picture_and_ends_with_the_session() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let mut socket = open(&server, &session, &session.token).await.unwrap();
    assert!(matches!(
        next(&mut socket).await,
        Some(Event::SessionStarted { resumed: false, .. })
    ));
    socket
        .send(Message::text("{\"type\":\"hang_up\"}"))
        .await
        .unwrap();
    assert!(matches!(
        next(&mut socket).await,
        Some(Event::SessionEnded { seconds: 0, .. })
    ));
    assert!(next(&mut socket).await.is_none());
}

#[tokio::test]
async fn garbage_is_answered_and_the_socket_stays_open() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let mut socket = open(&server, &session, &session.token).await.unwrap();
    next(&mut socket).await;
    for garbage in [
        "",
        "{",
        "{\"type\":\"launch\"}",
        "{\"type\":\"user_text\"}",
        "[1,2,3]",
    ] {
        socket.send(Message::text(garbage)).await.unwrap();
        let event = next(&mut socket).await;
        assert!(
            matches!(
                event,
                Some(Event::Notice {
                    code: NoticeCode::BadMessage,
                    ..
                })
            ),
            "{garbage:?}: {event:?}"
        );
    }
    socket.send(Message::binary(vec![0, 1, 2])).await.unwrap();
    assert!(matches!(
        next(&mut socket).await,
        Some(Event::Notice { .. })
    ));
    socket
        .send(Message::text("{\"type\":\"ping\"}"))
        .await
        .unwrap();
    socket
        .send(Message::text("{\"type\":\"hang_up\"}"))
        .await
        .unwrap();
    assert!(matches!(
        next(&mut socket).await,
        Some(Event::SessionEnded { .. })
    ));
}

#[tokio::test]
async fn a_wrong_token_opens_nothing() {
    let server = TestServer::start().await;
    let session = server.create().await;
    let Err(Error::Http(response)) = open(&server, &session, "call_wrong").await else {
        panic!("it opened")
    };
    assert_eq!(response.status(), 401);
}
