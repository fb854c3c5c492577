//! Reading one log, a record at a time. Trusts nothing in the file.

use std::io::{self, BufRead, BufReader, Read};

use antiphon_engine::{EngineConfig, Input};
use antiphon_proto::{AgentId, Moment, SessionId};
use flate2::bufread::GzDecoder;
use serde_json::Value;

use super::{
    Ending, FIRST_LINE_BYTES_MAX, FORMAT_VERSION, Header, LINE_BYTES_MAX, LOG_BYTES_MAX, LogError,
    MAGIC, Trailer,
};

/// One input of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When the engine was given it.
    pub at: Moment,
    /// What.
    pub input: Input,
    /// Check of the outputs of the input before; 0 where it had none.
    pub check: u16,
}

/// A log that is being read.
pub struct LogReader<R: Read> {
    lines: Lines<R>,
    line: Vec<u8>,
    header: Header,
    records: u64,
    bytes: u64,
    ending: Option<Ending>,
}

/// A log of a call that runs, or ran when its process was killed, is plain; others are packed.
enum Lines<R: Read> {
    Plain(BufReader<R>),
    Packed(BufReader<GzDecoder<BufReader<R>>>),
}

impl<R: Read> Lines<R> {
    /// First byte of a gzip stream (RFC 1952, 2.3.1); a plain header begins with `{`.
    const GZIP: u8 = 0x1f;

    fn of(mut file: BufReader<R>) -> io::Result<Self> {
        let packed = file.fill_buf()?.first() == Some(&Self::GZIP);
        Ok(if packed {
            Self::Packed(BufReader::new(GzDecoder::new(file)))
        } else {
            Self::Plain(file)
        })
    }

    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(plain) => plain.fill_buf(),
            Self::Packed(packed) => packed.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Self::Plain(plain) => plain.consume(bytes),
            Self::Packed(packed) => packed.consume(bytes),
        }
    }
}

/// What the next line is.
enum Line {
    Whole,
    /// The file ends here; true where it ends within a line.
    End(bool),
}

impl<R: Read> LogReader<R> {
    /// Reads the version and the header.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(file: R) -> Result<Self, LogError> {
        let mut file = BufReader::new(file);
        read_version(&mut file)?;
        let mut reader = Self {
            lines: Lines::of(file)?,
            line: Vec::new(),
            header: Header::new(
                EngineConfig::new(SessionId::from(""), AgentId::from(""), ""),
                String::new(),
            ),
            records: 0,
            bytes: 0,
            ending: None,
        };
        match reader.next_line() {
            Ok(Line::Whole) => {}
            Ok(Line::End(_)) => return Err(LogError::NoHeader),
            Err(LogError::Malformed { reason, .. }) => {
                return Err(LogError::BadHeader { reason });
            }
            Err(fault) => return Err(fault),
        }
        reader.header = parse_header(&reader.line)?;
        Ok(reader)
    }

    /// The first line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How it ended, once [`LogReader::next_record`] has given `None`.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The next record; `None` at the end, whole or cut.
    ///
    /// # Errors
    /// [`LogError`]; nothing can be read behind it.
    pub fn next_record(&mut self) -> Result<Option<Record>, LogError> {
        if self.ending.is_some() {
            return Ok(None);
        }
        if let Line::End(partial) = self.next_line()? {
            self.ending = Some(Ending::Cut { partial });
            return Ok(None);
        }
        if self.line.first() == Some(&b'{') {
            let trailer = self.parse_trailer()?;
            self.ending = Some(Ending::Whole(trailer));
            return Ok(None);
        }
        let record = parse_record(&self.line).map_err(|fault| self.malformed(&fault))?;
        self.records += 1;
        Ok(Some(record))
    }

    fn parse_trailer(&mut self) -> Result<Trailer, LogError> {
        let trailer: Trailer =
            serde_json::from_slice(&self.line).map_err(|fault| self.malformed(&fault))?;
        if trailer.inputs != self.records {
            let reason = format!(
                "the trailer counts {} inputs, the log has {}",
                trailer.inputs, self.records
            );
            return Err(self.malformed_because(reason));
        }
        // To the end of the packed stream, where its check sum is.
        match self.next_line()? {
            Line::End(false) => Ok(trailer),
            Line::Whole | Line::End(true) => {
                Err(self.malformed_because("something follows the trailer".to_owned()))
            }
        }
    }

    /// Reads a line into `self.line`, without its end.
    fn next_line(&mut self) -> Result<Line, LogError> {
        self.line.clear();
        loop {
            let available = match self.lines.fill_buf() {
                Ok(available) => available,
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
                Err(fault) => return self.broken_off(fault),
            };
            if available.is_empty() {
                return Ok(Line::End(!self.line.is_empty()));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(available.len());
            let consumed = end.map_or(taken, |end| end + 1);
            self.line.extend_from_slice(&available[..taken]);
            self.lines.consume(consumed);
            self.bytes += consumed as u64;
            if self.bytes > LOG_BYTES_MAX {
                return Err(LogError::TooLong {
                    record: self.records + 1,
                });
            }
            if self.line.len() > LINE_BYTES_MAX {
                return Err(self.malformed_because(format!("longer than {LINE_BYTES_MAX} bytes")));
            }
            if end.is_some() {
                return Ok(Line::Whole);
            }
        }
    }

    fn broken_off(&self, fault: io::Error) -> Result<Line, LogError> {
        let kind = fault.kind();
        if kind == io::ErrorKind::UnexpectedEof {
            return Ok(Line::End(!self.line.is_empty()));
        }
        // What flate2 says of a stream that is not what its encoder made.
        if matches!(
            kind,
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        ) {
            return Err(self.malformed_because(format!("the file is damaged: {fault}")));
        }
        Err(LogError::Io(fault))
    }

    fn malformed(&self, fault: &serde_json::Error) -> LogError {
        self.malformed_because(said_without_quotes(fault))
    }

    fn malformed_because(&self, reason: String) -> LogError {
        LogError::Malformed {
            record: self.records + 1,
            reason,
        }
    }
}

/// serde quotes unknown variants and values, which may be words of a call. The place is enough.
fn said_without_quotes(fault: &serde_json::Error) -> String {
    let what = match fault.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "not an input that this build knows",
        serde_json::error::Category::Eof => "not a whole line",
    };
    format!("{what} (column {})", fault.column())
}

fn read_version(file: &mut impl BufRead) -> Result<(), LogError> {
    let mut line = Vec::new();
    file.take(FIRST_LINE_BYTES_MAX as u64)
        .read_until(b'\n', &mut line)?;
    let Some(version) = line.strip_prefix(MAGIC.as_bytes()) else {
        let cut = MAGIC.as_bytes().starts_with(&line) && !line.is_empty();
        return Err(if cut {
            LogError::NoHeader
        } else {
            LogError::NotALog
        });
    };
    let Some(version) = version.strip_suffix(b"\n") else {
        let digits = version.len() < 20 && version.iter().all(u8::is_ascii_digit);
        return Err(if digits {
            LogError::NoHeader
        } else {
            LogError::NotALog
        });
    };
    let version: u64 = std::str::from_utf8(version)
        .ok()
        .and_then(|version| version.parse().ok())
        .ok_or(LogError::NotALog)?;
    match version {
        0 => Err(LogError::NotALog),
        found if found > u64::from(FORMAT_VERSION) => Err(LogError::NewerVersion { found }),
        _ => Ok(()),
    }
}

/// Settings that the writer did not know yet get this build's defaults.
fn parse_header(line: &[u8]) -> Result<Header, LogError> {
    let bad = |fault: serde_json::Error| LogError::BadHeader {
        reason: fault.to_string(),
    };
    let mut header: Value = serde_json::from_slice(line).map_err(bad)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(Value::Object(recorded)) = header.get_mut("config") {
        let known = EngineConfig::new(
            SessionId(recorded.get("session").map(text).unwrap_or_default()),
            AgentId(recorded.get("agent").map(text).unwrap_or_default()),
            String::new(),
        );
        if let Value::Object(defaults) = serde_json::to_value(known).map_err(bad)? {
            for (name, default) in defaults {
                recorded.entry(name).or_insert(default);
            }
        }
    }
    serde_json::from_value(header).map_err(bad)
}

fn parse_record(line: &[u8]) -> Result<Record, serde_json::Error> {
    // Which of the two forms it is stands at its end: `…}]` or `…},check]`.
    if line.ends_with(b"}]") {
        let (at, input) = serde_json::from_slice(line)?;
        Ok(Record {
            at,
            input,
            check: 0,
        })
    } else {
        let (at, input, check) = serde_json::from_slice(line)?;
        Ok(Record { at, input, check })
    }
}
