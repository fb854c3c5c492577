//! HTTP/2: one task per stream, so that resets of one do not touch the others.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::record::{EndedHow, Shared};
use super::{Answer, End, Head, REQUEST_BYTES_MAX, Request, Step};

pub(super) async fn serve<S>(socket: S, connection: usize, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut client) = h2::server::handshake(socket).await else {
        return;
    };
    let mut streams = JoinSet::new();
    while let Some(Ok((request, respond))) = client.accept().await {
        while streams.try_join_next().is_some() {}
        streams.spawn(answer_one(
            request,
            respond,
            connection,
            Arc::clone(&shared),
        ));
    }
}

async fn answer_one(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    connection: usize,
    shared: Arc<Shared>,
) {
    let Some(request) = read_request(request, connection).await else {
        return;
    };
    let (number, answer) = shared.begin(request);
    let how = answer_with(&mut respond, &answer, &shared, number).await;
    shared.end(number, how.unwrap_or(EndedHow::ClientGone));
}

async fn read_request(request: http::Request<RecvStream>, connection: usize) -> Option<Request> {
    let (parts, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data.ok()?;
        let _ = stream.flow_control().release_capacity(data.len());
        body.extend_from_slice(&data);
        if body.len() > REQUEST_BYTES_MAX {
            return None;
        }
    }
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter();
    let target = parts.uri.path_and_query();
    Some(Request {
        method: parts.method.to_string(),
        target: target.map_or_else(String::new, ToString::to_string),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body,
        connection,
    })
}

async fn answer_with(
    respond: &mut SendResponse<Bytes>,
    answer: &Answer,
    shared: &Shared,
    number: usize,
) -> Result<EndedHow, h2::Error> {
    tokio::select! {
        () = sleep(answer.after) => {}
        _ = poll_fn(|cx| respond.poll_reset(cx)) => return Ok(EndedHow::ClientGone),
    }
    match answer.head {
        Head::Never => {
            let _ = poll_fn(|cx| respond.poll_reset(cx)).await;
            return Ok(EndedHow::ClientGone);
        }
        Head::Raw(_) => {
            respond.send_reset(Reason::PROTOCOL_ERROR);
            return Ok(EndedHow::Cut);
        }
        Head::Http => {}
    }
    let mut head = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        head = head.header(name, value);
    }
    let Ok(head) = head.body(()) else {
        respond.send_reset(Reason::INTERNAL_ERROR);
        return Ok(EndedHow::Cut);
    };
    let stream = respond.send_response(head, false)?;
    let mut out = Out {
        stream,
        packet_bytes_max: answer.packet_bytes_max,
        shared,
        number,
    };
    out.body(answer).await
}

struct Out<'a> {
    stream: SendStream<Bytes>,
    packet_bytes_max: Option<usize>,
    shared: &'a Shared,
    number: usize,
}

impl Out<'_> {
    async fn body(&mut self, answer: &Answer) -> Result<EndedHow, h2::Error> {
        for step in &answer.steps {
            match step {
                Step::Send(bytes) => self.send(bytes).await?,
                Step::Wait(duration) => {
                    tokio::select! {
                        () = sleep(*duration) => {}
                        _ = poll_fn(|cx| self.stream.poll_reset(cx)) => return Ok(EndedHow::ClientGone),
                    }
                }
            }
        }
        match &answer.end {
            End::Whole => {
                self.stream.send_data(Bytes::new(), true)?;
                Ok(EndedHow::Answered)
            }
            End::Cut => {
                self.stream.send_reset(Reason::INTERNAL_ERROR);
                Ok(EndedHow::Cut)
            }
            End::Stall => {
                let _ = poll_fn(|cx| self.stream.poll_reset(cx)).await;
                Ok(EndedHow::ClientGone)
            }
            End::Flood { bytes, every } => loop {
                self.send(bytes).await?;
                tokio::select! {
                    () = sleep(*every) => {}
                    _ = poll_fn(|cx| self.stream.poll_reset(cx)) => return Ok(EndedHow::ClientGone),
                }
            },
        }
    }

    /// Waits for the client's window: what it does not read is not sent.
    async fn send(&mut self, bytes: &[u8]) -> Result<(), h2::Error> {
        let size = self.packet_bytes_max.unwrap_or(bytes.len()).max(1);
        for packet in bytes.chunks(size) {
            let mut rest = Bytes::copy_from_slice(packet);
            while !rest.is_empty() {
                self.stream.reserve_capacity(rest.len());
                let room = poll_fn(|cx| self.stream.poll_capacity(cx)).await;
                let room = room.unwrap_or(Err(Reason::CANCEL.into()))?;
                let part = rest.split_to(room.min(rest.len()));
                self.shared.wrote(self.number, part.len());
                self.stream.send_data(part, false)?;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
