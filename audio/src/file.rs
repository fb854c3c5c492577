//! Audio files: WAV and FLAC in, WAV out.

mod flac;
mod wav;

pub use wav::write_wav;

/// Largest file read, in bytes.
pub const FILE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Longest clip read, in seconds.
pub const CLIP_S_MAX: u32 = 3_600;

/// Most channels read; they are averaged to one.
pub const CHANNELS_MAX: u16 = 32;

/// A recording, mono.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// Samples per second.
    pub rate_hz: u32,
    /// The samples, all channels averaged.
    pub pcm: Vec<i16>,
}

impl Clip {
    /// Its length, in milliseconds, rounded down.
    pub fn duration_ms(&self) -> u64 {
        self.pcm.len() as u64 * 1_000 / u64::from(self.rate_hz.max(1))
    }
}

/// Why a file cannot be read as audio. The words say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioFileError {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Too many bytes.
    #[error("the file has {bytes} bytes; the most that is read is {FILE_BYTES_MAX}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Audio in a format that is not read.
    #[error("this is {what}; only WAV and FLAC are read. Convert it with: sox in.{ending} out.wav")]
    OtherAudio {
        /// The format, with its article, e.g. `an MP3`.
        what: &'static str,
        /// Its usual file ending.
        ending: &'static str,
    },
    /// Not audio.
    #[error("this is {what}, not audio; WAV and FLAC are read")]
    NotAudio {
        /// What it looks like, e.g. `a text file`.
        what: &'static str,
    },
    /// A WAV or FLAC file that says it has nothing to play.
    #[error("the {format} file has no audio in it")]
    NoSamples {
        /// `WAV` or `FLAC`.
        format: &'static str,
    },
    /// It ends before the audio it announces.
    #[error("the {format} file is cut short: copy or download it again")]
    Truncated {
        /// `WAV` or `FLAC`.
        format: &'static str,
    },
    /// An encoding, rate or channel count that is not read.
    #[error(
        "the {format} file has {what}, which is not read. Convert it with: sox in.{ending} -b 16 -e signed -r 16000 -c 1 out.wav"
    )]
    Unsupported {
        /// `WAV` or `FLAC`.
        format: &'static str,
        /// What it has.
        what: String,
        /// `wav` or `flac`.
        ending: &'static str,
    },
    /// Its structure is broken.
    #[error("the {format} file is damaged: {why}")]
    Damaged {
        /// `WAV` or `FLAC`.
        format: &'static str,
        /// Where and how.
        why: String,
    },
    /// Too long.
    #[error("the recording is longer than {CLIP_S_MAX} s, the most that is read")]
    TooLong,
}

/// Reads a WAV (8, 16, 24, 32 bit integer, 32 and 64 bit float, plain or extensible) or FLAC file
/// of any rate from 1 Hz to 768 kHz and averages its channels.
///
/// # Errors
/// [`AudioFileError`], whose words are meant for the person who gave the file.
pub fn read_audio_file(bytes: &[u8]) -> Result<Clip, AudioFileError> {
    if bytes.is_empty() {
        return Err(AudioFileError::Empty);
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(AudioFileError::TooLarge { bytes: bytes.len() });
    }
    match kind(bytes) {
        Kind::Wav => wav::read(bytes),
        Kind::Flac => flac::read(bytes),
        Kind::OtherAudio(what, ending) => Err(AudioFileError::OtherAudio { what, ending }),
        Kind::NotAudio(what) => Err(AudioFileError::NotAudio { what }),
    }
}

enum Kind {
    Wav,
    Flac,
    OtherAudio(&'static str, &'static str),
    NotAudio(&'static str),
}

/// Highest rate believed, in Hz; the highest in use is 768 kHz.
const FILE_RATE_HZ_MAX: u32 = 768_000;

fn kind(bytes: &[u8]) -> Kind {
    let tag = |at: usize, what: &[u8]| bytes.get(at..at + what.len()) == Some(what);
    if (tag(0, b"RIFF") || tag(0, b"RF64")) && tag(8, b"WAVE") {
        return Kind::Wav;
    }
    if tag(0, b"fLaC") {
        return Kind::Flac;
    }
    if tag(0, b"ID3") {
        // FLAC files with an ID3 tag in front exist too, but are not to the standard.
        return Kind::OtherAudio("an MP3", "mp3");
    }
    if tag(0, b"OggS") {
        return Kind::OtherAudio("an Ogg file", "ogg");
    }
    if tag(4, b"ftyp") {
        return Kind::OtherAudio("an MP4 or M4A", "m4a");
    }
    if tag(0, b"FORM") {
        return Kind::OtherAudio("an AIFF", "aiff");
    }
    if tag(0, b".snd") {
        return Kind::OtherAudio("a Sun audio file", "au");
    }
    if tag(0, b"RIFX") {
        return Kind::OtherAudio("a big-endian WAV", "wav");
    }
    if tag(0, &[0x1a, 0x45, 0xdf, 0xa3]) {
        return Kind::OtherAudio("a WebM or Matroska file", "webm");
    }
    // An MPEG audio frame: 11 set bits, layer III, version and rate not reserved.
    if bytes.len() > 3 && bytes[0] == 0xff && bytes[1] & 0xe6 == 0xe2 && bytes[2] >> 4 != 0xf {
        return Kind::OtherAudio("an MP3", "mp3");
    }
    if bytes.len() > 3 && bytes[0] == 0xff && bytes[1] & 0xf6 == 0xf0 {
        return Kind::OtherAudio("an AAC file", "aac");
    }
    let head = &bytes[..bytes.len().min(1_024)];
    let printable = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    let text = head.iter().all(printable)
        && std::str::from_utf8(&head[..head.len() / 2]).is_ok_and(|_| true);
    Kind::NotAudio(if text {
        "a text file"
    } else {
        "a file of an unknown kind"
    })
}

fn check_shape(
    format: &'static str,
    ending: &'static str,
    rate_hz: u32,
    channels: u32,
) -> Result<(), AudioFileError> {
    let unsupported = |what: String| {
        Err(AudioFileError::Unsupported {
            format,
            what,
            ending,
        })
    };
    if rate_hz == 0 || rate_hz > FILE_RATE_HZ_MAX {
        return unsupported(format!("a rate of {rate_hz} Hz"));
    }
    if channels == 0 || channels > u32::from(CHANNELS_MAX) {
        return unsupported(format!("{channels} channels"));
    }
    Ok(())
}

/// Averages the channels of one moment, given in full-scale units of 2^31.
fn mix_down(sum: i64, channels: u32) -> i16 {
    let mean = sum / i64::from(channels.max(1));
    // Rounds to the nearest 16-bit step.
    ((mean + (1 << 15)) >> 16).clamp(-32_768, 32_767) as i16
}

#[cfg(test)]
mod tests;
