//! Writing one log.

use std::io::{self, BufRead, BufWriter, Write};

use antiphon_engine::{Engine, Input};
use antiphon_proto::Moment;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::proof::Proof;
use super::{FIRST_LINE_BYTES_MAX, FORMAT_VERSION, Header, MAGIC, Trailer};

/// Bytes of lines kept before they go to the file; a second of a call is about one kilobyte.
const LIVE_BYTES: usize = 2_048;

/// Writes the lines of one log.
pub struct LogEncoder<W: Write> {
    lines: Lines<W>,
}

enum Lines<W: Write> {
    Plain(BufWriter<W>),
    Packed(GzEncoder<W>),
}

impl<W: Write> LogEncoder<W> {
    /// Begins a log of a call that is over, packed.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn packed(mut to: W, header: &Header) -> io::Result<Self> {
        writeln!(to, "{MAGIC}{FORMAT_VERSION}")?;
        Self::begin(
            Lines::Packed(GzEncoder::new(to, Compression::default())),
            header,
        )
    }

    /// Begins a log of a call that runs, plain: a packer takes 300 kB for each, and what is flushed
    /// can be read whatever happens to the process. [`pack`] makes the other form of it.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn live(mut to: W, header: &Header) -> io::Result<Self> {
        writeln!(to, "{MAGIC}{FORMAT_VERSION}")?;
        Self::begin(
            Lines::Plain(BufWriter::with_capacity(LIVE_BYTES, to)),
            header,
        )
    }

    fn begin(lines: Lines<W>, header: &Header) -> io::Result<Self> {
        let mut encoder = Self { lines };
        let mut line = serde_json::to_vec(header)?;
        line.push(b'\n');
        encoder.line(&line)?;
        encoder.flush()?;
        Ok(encoder)
    }

    /// Appends an input; `check` is that of the outputs of the one before, 0 where it had none.
    ///
    /// # Errors
    /// Those of the file.
    pub fn record(&mut self, at: Moment, input: &Input, check: u16) -> io::Result<()> {
        self.line(&record_line(at, input, check))
    }

    /// Appends a line as made by [`record_line`].
    pub(super) fn line(&mut self, line: &[u8]) -> io::Result<()> {
        match &mut self.lines {
            Lines::Plain(plain) => plain.write_all(line),
            Lines::Packed(packed) => packed.write_all(line),
        }
    }

    /// Hands everything so far to the file, so that a reader finds it there.
    ///
    /// # Errors
    /// Those of the file.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.lines {
            Lines::Plain(plain) => plain.flush(),
            Lines::Packed(packed) => packed.flush(),
        }
    }

    /// Ends the log.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self, trailer: &Trailer) -> io::Result<W> {
        let mut line = serde_json::to_vec(trailer)?;
        line.push(b'\n');
        self.line(&line)?;
        self.into_file()
    }

    /// Ends the log without a trailer.
    ///
    /// # Errors
    /// Those of the file.
    pub fn into_file(self) -> io::Result<W> {
        match self.lines {
            Lines::Plain(plain) => plain.into_inner().map_err(|fault| fault.into_error()),
            Lines::Packed(packed) => packed.finish(),
        }
    }

    /// The file, which lacks what was not flushed.
    pub fn file(&self) -> &W {
        match &self.lines {
            Lines::Plain(plain) => plain.get_ref(),
            Lines::Packed(packed) => packed.get_ref(),
        }
    }
}

/// Makes a packed log of a plain one.
///
/// # Errors
/// Those of both; `InvalidData` where `plain` is no log.
pub fn pack<W: Write>(mut plain: impl BufRead, mut to: W) -> io::Result<W> {
    let mut first = Vec::new();
    io::Read::take(&mut plain, FIRST_LINE_BYTES_MAX as u64).read_until(b'\n', &mut first)?;
    if !first.starts_with(MAGIC.as_bytes()) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    to.write_all(&first)?;
    let mut packed = GzEncoder::new(to, Compression::default());
    io::copy(&mut plain, &mut packed)?;
    packed.finish()
}

/// The line of a record: `[at_us,input]`, or `[at_us,input,check]` where the input before it had
/// outputs.
pub(super) fn record_line(at: Moment, input: &Input, check: u16) -> Vec<u8> {
    /// Most records are shorter.
    const USUAL_BYTES: usize = 160;
    let mut line = Vec::with_capacity(USUAL_BYTES);
    // Structs of strings and numbers into memory: there is no way to fail.
    let written = if check == 0 {
        serde_json::to_writer(&mut line, &(at, input))
    } else {
        serde_json::to_writer(&mut line, &(at, input, check))
    };
    debug_assert!(written.is_ok(), "an input is JSON");
    line.push(b'\n');
    line
}

/// Writes a whole log of these inputs, with the proof of what this build's engine puts out. For
/// tests and simulators; a session uses a [`super::Recorder`].
///
/// # Errors
/// Those of `to`.
pub fn write_log<W: Write>(
    to: W,
    header: &Header,
    records: impl IntoIterator<Item = (Moment, Input)>,
) -> io::Result<W> {
    let mut encoder = LogEncoder::packed(to, header)?;
    let mut engine = Engine::new(header.config.clone());
    let mut proof = Proof::new();
    let mut inputs = 0;
    for (at, input) in records {
        encoder.record(at, &input, proof.take_check())?;
        inputs += 1;
        engine.handle_input(input, at);
        while let Some(output) = engine.poll_output() {
            proof.add(&output);
        }
    }
    encoder.finish(&trailer(inputs, &mut proof, None))
}

pub(super) fn trailer(inputs: u64, proof: &mut Proof, incomplete: Option<String>) -> Trailer {
    Trailer {
        inputs,
        outputs: proof.outputs(),
        check: proof.take_check(),
        sha256: proof.sha256(),
        incomplete,
    }
}
