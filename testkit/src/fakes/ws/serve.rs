//! One connection.

use std::collections::VecDeque;
use std::io;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message};

use super::record::{EndedHow, Received, Shared};
use super::{Door, Fault, Say, Treatment, Upgrade};

/// What a garbage server says.
const GARBAGE: &[u8] = b"\x00\x01 not HTTP at all \xff\xfe\r\n\r\n";

pub(super) async fn serve<S>(mut socket: S, number: usize, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let treatment = shared.treatment(number);
    match treatment.door {
        Door::Open | Door::Refuse { .. } => {}
        Door::Never => {
            let mut rest = Vec::new();
            let _ = socket.read_to_end(&mut rest).await;
            return shared.end(number, EndedHow::ClientGone);
        }
        Door::Garbage => {
            let _ = socket.read(&mut [0; 4_096]).await;
            let _ = socket.write_all(GARBAGE).await;
            return shared.end(number, EndedHow::Server);
        }
    }
    let mut upgrade = None;
    let door = treatment.door.clone();
    let opened = accept(socket, door, &mut upgrade).await;
    let Some(upgrade) = upgrade else {
        return shared.end(number, EndedHow::ClientGone);
    };
    let mut peer = shared.peer(&upgrade);
    shared.note(number, |connection| connection.upgrade = Some(upgrade));
    let Ok(stream) = opened else {
        return shared.end(number, EndedHow::Server);
    };
    let mut line = Line {
        stream,
        treatment,
        said: 0,
        stalled: false,
        queue: VecDeque::new(),
    };
    line.say(peer.opened());
    let mut cuts = shared.cuts();
    let how = loop {
        let due = line.queue.front().map(|(due, _)| *due);
        let next = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = cuts.changed() => break EndedHow::Server,
            message = line.stream.next() => match received(message) {
                Ok(Some(message)) => {
                    let answers = peer.take(&message);
                    shared.note(number, |one| one.received.push((Instant::now(), message)));
                    line.say(answers);
                }
                Ok(None) => {}
                Err(how) => break how,
            },
            () = next => {
                let Some((_, say)) = line.queue.pop_front() else { continue };
                match line.speak(say).await {
                    Ok(true) => shared.note(number, |one| one.said += 1),
                    Ok(false) | Err(_) => break EndedHow::Server,
                }
            }
        }
    };
    shared.end(number, how);
}

async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    door: Door,
    upgrade: &mut Option<Upgrade>,
) -> Result<WebSocketStream<S>, tungstenite::Error> {
    // The type is the library's.
    #[allow(clippy::result_large_err)]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let headers = request.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        *upgrade = Some(Upgrade {
            target: request.uri().to_string(),
            headers: headers.collect(),
        });
        let Door::Refuse {
            status,
            retry_after_s,
        } = door
        else {
            return Ok(response);
        };
        let mut refusal = ErrorResponse::new(Some("no".to_owned()));
        *refusal.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        if let Some(seconds) = retry_after_s {
            let value = HeaderValue::from(seconds);
            refusal.headers_mut().insert(RETRY_AFTER, value);
        }
        Err(refusal)
    };
    tokio_tungstenite::accept_hdr_async(socket, look).await
}

fn received(
    message: Option<Result<Message, tungstenite::Error>>,
) -> Result<Option<Received>, EndedHow> {
    match message {
        Some(Ok(Message::Text(text))) => Ok(Some(Received::Text(text.to_string()))),
        Some(Ok(Message::Binary(bytes))) => Ok(Some(Received::Binary(bytes.to_vec()))),
        Some(Ok(Message::Ping(_))) => Ok(Some(Received::Ping)),
        Some(Ok(Message::Pong(_) | Message::Frame(_))) => Ok(None),
        Some(Ok(Message::Close(_))) => Err(EndedHow::ClientClosed),
        Some(Err(_)) | None => Err(EndedHow::ClientGone),
    }
}

struct Line<S> {
    stream: WebSocketStream<S>,
    treatment: Treatment,
    said: usize,
    stalled: bool,
    queue: VecDeque<(Instant, Say)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    fn say(&mut self, says: Vec<Say>) {
        if self.stalled {
            return;
        }
        let last = self
            .queue
            .back()
            .map(|(due, _)| *due - self.treatment.delay);
        let mut due = last.unwrap_or_else(Instant::now).max(Instant::now());
        for say in says {
            match say {
                Say::Wait(wait) => due += wait,
                Say::Forget => {
                    self.queue.clear();
                    due = Instant::now();
                }
                other @ (Say::Text(_) | Say::Binary(_) | Say::Close(_)) => {
                    due += self.treatment.every;
                    self.queue.push_back((due + self.treatment.delay, other));
                }
            }
        }
    }

    /// Says one thing; false where the connection is over.
    async fn speak(&mut self, say: Say) -> Result<bool, tungstenite::Error> {
        let number = self.said;
        self.said += 1;
        if let Some((at, fault)) = self.treatment.fault.clone()
            && at == number
        {
            return self.fail(fault, say).await;
        }
        match say {
            Say::Text(text) => self.send(Data::Text, text.into_bytes()).await?,
            Say::Binary(bytes) => self.send(Data::Binary, bytes).await?,
            Say::Close(code) => return self.close(code).await,
            Say::Wait(_) | Say::Forget => {}
        }
        Ok(true)
    }

    async fn send(&mut self, kind: Data, bytes: Vec<u8>) -> Result<(), tungstenite::Error> {
        let size = self.treatment.frame_bytes_max.unwrap_or(usize::MAX).max(1);
        let mut pieces = bytes.chunks(size).peekable();
        let mut kind = OpCode::Data(kind);
        if pieces.peek().is_none() {
            let frame = Frame::message(Vec::new(), kind, true);
            return self.stream.send(Message::Frame(frame)).await;
        }
        while let Some(piece) = pieces.next() {
            let is_last = pieces.peek().is_none();
            let frame = Frame::message(piece.to_vec(), kind, is_last);
            self.stream.feed(Message::Frame(frame)).await?;
            kind = OpCode::Data(Data::Continue);
        }
        self.stream.flush().await
    }

    async fn close(&mut self, code: u16) -> Result<bool, tungstenite::Error> {
        let frame = CloseFrame {
            code: code.into(),
            reason: "the words of a call, or a key".into(),
        };
        self.stream.send(Message::Close(Some(frame))).await?;
        Ok(false)
    }

    async fn fail(&mut self, fault: Fault, say: Say) -> Result<bool, tungstenite::Error> {
        match fault {
            Fault::Stall => {
                self.stalled = true;
                self.queue.clear();
            }
            Fault::Deaf => std::future::pending().await,
            Fault::Cut => return Ok(false),
            Fault::CutMidMessage => {
                let text = match say {
                    Say::Text(text) => text.into_bytes(),
                    Say::Binary(bytes) => bytes,
                    Say::Close(_) | Say::Wait(_) | Say::Forget => Vec::new(),
                };
                // A text frame announced as long as it is, and only half of it.
                let mut bytes = vec![0x81, 126];
                let length = u16::try_from(text.len().max(2)).unwrap_or(u16::MAX);
                bytes.extend(length.to_be_bytes());
                bytes.extend(&text[..text.len() / 2]);
                self.raw(bytes).await?;
                return Ok(false);
            }
            Fault::Close(code) => return self.close(code).await,
            Fault::Text(text) => self.send(Data::Text, text.into_bytes()).await?,
            Fault::Binary(bytes) => self.send(Data::Binary, bytes).await?,
            Fault::Oversize(length) => {
                let mut bytes = vec![0x81, 127];
                bytes.extend(length.to_be_bytes());
                bytes.extend(b"{\"type\":\"");
                self.raw(bytes).await?;
                self.stalled = true;
            }
            Fault::NotUtf8 => self.raw(vec![0x81, 4, 0xff, 0xfe, 0xfd, 0xfc]).await?,
            Fault::BadFrame => self.raw(vec![0xf1, 2, b'{', b'}']).await?,
        }
        Ok(true)
    }

    /// Bytes past the protocol.
    async fn raw(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let socket = self.stream.get_mut();
        socket.write_all(&bytes).await?;
        socket.flush().await
    }
}
