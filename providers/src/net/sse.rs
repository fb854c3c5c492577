//! Server-sent events: bytes in, `data` fields out.

/// Longest line, bytes. Events of language models have some hundred (a final one with a whole
/// reply some thousand); a server that sends more is broken or hostile.
pub const LINE_BYTES_MAX: usize = 256 * 1_024;

/// A line grew beyond [`LINE_BYTES_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub struct LineTooLong;

/// Collects bytes until a line is whole, so that characters and lines may be split anywhere.
/// Each `data` line is one event, as every language model's server sends it.
#[derive(Debug, Default)]
pub struct SseLines {
    line: Vec<u8>,
}

impl SseLines {
    /// Adds bytes; calls `event` with the value of each `data` field that is complete.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut event: impl FnMut(&str),
    ) -> Result<(), LineTooLong> {
        while let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.grow(&bytes[..end])?;
            bytes = &bytes[end + 1..];
            if let Some(data) = data_of(&self.line) {
                event(&String::from_utf8_lossy(data));
            }
            self.line.clear();
        }
        self.grow(bytes)
    }

    /// The last line, where the stream ended without a line break.
    pub fn finish(&mut self, mut event: impl FnMut(&str)) {
        if let Some(data) = data_of(&self.line) {
            event(&String::from_utf8_lossy(data));
        }
        self.line.clear();
    }

    fn grow(&mut self, bytes: &[u8]) -> Result<(), LineTooLong> {
        if self.line.len() + bytes.len() > LINE_BYTES_MAX {
            return Err(LineTooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }
}

fn data_of(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let value = line.strip_prefix(b"data:")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES_MAX, LineTooLong, SseLines};

    #[test]
    fn finds_data_however_it_is_split() {
        let stream =
            "\u{feff}data: {\"a\":\"grüß\"}\r\n\r\n: comment\nevent: x\ndata:two\n\ndata: last"
                .as_bytes();
        for size in 1..stream.len() {
            let mut lines = SseLines::default();
            let mut events = Vec::new();
            for chunk in stream.chunks(size) {
                assert_eq!(
                    lines.push(chunk, |data| events.push(data.to_owned())),
                    Ok(())
                );
            }
            lines.finish(|data| events.push(data.to_owned()));
            assert_eq!(
                events,
                ["{\"a\":\"grüß\"}", "two", "last"],
                "chunks of {size}"
            );
        }
    }

    #[test]
    fn bounds_a_line() {
        let mut lines = SseLines::default();
        assert_eq!(lines.push(&vec![b'x'; LINE_BYTES_MAX], |_| {}), Ok(()));
        assert_eq!(lines.push(b"x", |_| {}), Err(LineTooLong));
    }
}
