//! What can go wrong with a call, in words for the person at the command line.

use std::io;
use std::path::PathBuf;

use antiphon_audio::file::AudioFileError;
use antiphon_audio::opus::CodecError;

/// Exit status where no call could be made.
pub(crate) const EXIT_NOT_CONNECTED: u8 = 2;
/// Exit status where a call took too long.
const EXIT_TIMED_OUT: u8 = 3;

/// Why a call was not completed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// `--server` is no URL.
    #[error("--server {url:?} is not a URL: write it like http://127.0.0.1:8080")]
    BadUrl {
        /// What was given.
        url: String,
    },
    /// Nothing answers there.
    #[error("no server answers at {url} ({reason}): start one with `antiphon serve`")]
    Unreachable {
        /// The address tried.
        url: String,
        /// Why, in short.
        reason: String,
    },
    /// The server said no.
    #[error("the server refused ({status}): {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's own words.
        detail: String,
    },
    /// The server answered something else than this API.
    #[error("the server's answer to {what} is not understood: is {url} an antiphon server?")]
    NotUnderstood {
        /// The request.
        what: &'static str,
        /// The address tried.
        url: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is no audio.
    #[error("{}: {source}", path.display())]
    Audio {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        source: AudioFileError,
    },
    /// A recording has nothing in it to say.
    #[error("{}: there is no sound above {threshold_dbfs} dBFS in it", path.display())]
    SilentAudio {
        /// The file.
        path: PathBuf,
        /// The level below which all of it is.
        threshold_dbfs: f32,
    },
    /// The recording cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The audio could not be coded.
    #[error("audio: {0}")]
    Codec(#[from] CodecError),
    /// A sample rate could not be converted.
    #[error("audio: {0}")]
    Rate(#[from] antiphon_audio::resample::RateError),
    /// The WebRTC library failed.
    #[error("WebRTC: {0}")]
    WebRtc(#[from] webrtc::error::Error),
    /// Signalling worked, media does not get through.
    #[error(
        "no media connection to {candidates} within {seconds} s: is UDP blocked between here and \
         the server?"
    )]
    NoMedia {
        /// The server's UDP addresses.
        candidates: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The connection ended before the conversation did.
    #[error("the connection was lost after {at_ms} ms")]
    Lost {
        /// Milliseconds since it stood.
        at_ms: u64,
    },
    /// The time given is over.
    #[error("the call was not over after {seconds} s (--timeout)")]
    TimedOut {
        /// What was given.
        seconds: u64,
    },
    /// The person at the keyboard pressed Ctrl-C.
    #[error("stopped")]
    Interrupted,
}

impl CallError {
    /// The exit status that says it to scripts.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::TimedOut { .. } => EXIT_TIMED_OUT,
            Self::Interrupted => 130,
            Self::BadUrl { .. }
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::NotUnderstood { .. }
            | Self::Input { .. }
            | Self::Audio { .. }
            | Self::SilentAudio { .. }
            | Self::Output { .. }
            | Self::Codec(_)
            | Self::Rate(_)
            | Self::WebRtc(_)
            | Self::NoMedia { .. }
            | Self::Lost { .. } => EXIT_NOT_CONNECTED,
        }
    }
}
