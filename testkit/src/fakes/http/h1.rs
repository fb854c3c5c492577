//! HTTP/1.1 by hand: a library would not send half a chunk.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::sleep;

use super::record::{EndedHow, Shared};
use super::{Answer, End, Head, REQUEST_BYTES_MAX, Request, Step};

/// Answers one request after the other, until the client or the script ends the connection.
pub(super) async fn serve<S>(socket: S, connection: usize, shared: &Shared)
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = split(socket);
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut reader, &mut buffer, connection).await {
        let (number, answer) = shared.begin(request);
        let how = tokio::select! {
            how = write_answer(&mut writer, &answer, shared, number) => how,
            () = gone(&mut reader, &mut buffer) => EndedHow::ClientGone,
        };
        shared.end(number, how);
        if how != EndedHow::Answered {
            return;
        }
    }
}

async fn read_request<R: AsyncRead + Unpin>(
    reader: &mut R,
    buffer: &mut Vec<u8>,
    connection: usize,
) -> Option<Request> {
    loop {
        if let Some((request, length)) = parse(buffer, connection) {
            buffer.drain(..length);
            return Some(request);
        }
        if buffer.len() > REQUEST_BYTES_MAX || reader.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// The first request in `bytes` and its length, once it is whole. Bodies need a content-length,
/// as all JSON clients send it.
fn parse(bytes: &[u8], connection: usize) -> Option<(Request, usize)> {
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..head_end]);
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    let end = head_end + 4 + length;
    let body = bytes.get(head_end + 4..end)?.to_vec();
    let request = Request {
        method,
        target,
        headers,
        body,
        connection,
    };
    Some((request, end))
}

async fn write_answer<W: AsyncWrite + Unpin>(
    writer: &mut W,
    answer: &Answer,
    shared: &Shared,
    number: usize,
) -> EndedHow {
    let mut out = Out {
        writer,
        packet_bytes_max: answer.packet_bytes_max,
        shared,
        number,
    };
    out.answer(answer).await.unwrap_or(EndedHow::ClientGone)
}

struct Out<'a, W> {
    writer: &'a mut W,
    packet_bytes_max: Option<usize>,
    shared: &'a Shared,
    number: usize,
}

impl<W: AsyncWrite + Unpin> Out<'_, W> {
    async fn answer(&mut self, answer: &Answer) -> std::io::Result<EndedHow> {
        sleep(answer.after).await;
        match &answer.head {
            Head::Never => return std::future::pending().await,
            Head::Raw(bytes) => self.write(bytes).await?,
            Head::Http => self.write(&head_of(answer)).await?,
        }
        for step in &answer.steps {
            match step {
                Step::Send(bytes) => self.write(&chunk(bytes)).await?,
                Step::Wait(duration) => sleep(*duration).await,
            }
        }
        match &answer.end {
            End::Whole => {
                self.write(b"0\r\n\r\n").await?;
                Ok(EndedHow::Answered)
            }
            End::Cut => {
                self.writer.flush().await?;
                Ok(EndedHow::Cut)
            }
            End::Stall => std::future::pending().await,
            End::Flood { bytes, every } => loop {
                self.write(&chunk(bytes)).await?;
                sleep(*every).await;
            },
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let size = self.packet_bytes_max.unwrap_or(bytes.len()).max(1);
        for packet in bytes.chunks(size) {
            self.writer.write_all(packet).await?;
            self.writer.flush().await?;
            self.shared.wrote(self.number, packet.len());
            // Lets the client read this packet before the next one.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

fn head_of(answer: &Answer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("transfer-encoding: chunked\r\n\r\n");
    head.into_bytes()
}

/// An empty chunk would end the body.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// Ends when the client is gone. What it sends meanwhile is kept for later.
async fn gone<R: AsyncRead + Unpin>(reader: &mut R, buffer: &mut Vec<u8>) {
    while buffer.len() <= REQUEST_BYTES_MAX {
        match reader.read_buf(buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
