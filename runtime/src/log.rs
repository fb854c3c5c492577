//! The log of a call: every input of its engine with its time, and a proof of what the engine put
//! out. `docs/replay.md` describes the format for readers; `docs/adr/0006-session-log.md` says why
//! it is so.
//!
//! [`Recorder`] writes the logs of running sessions from a thread of its own, [`LogReader`] reads
//! one, and [`replay`] feeds it to an engine of the same settings and compares.

mod encoder;
mod place;
mod proof;
mod reader;
mod recorder;
mod replay;
mod retention;

use antiphon_engine::EngineConfig;
use antiphon_proto::SessionId;
use serde::{Deserialize, Serialize};

pub use encoder::{LogEncoder, pack, write_log};
pub use reader::{LogReader, Record};
pub use recorder::{Recorder, SessionLog};
pub use replay::{Difference, Replayed, Step, Verdict, replay};
pub use retention::Retention;

/// Version of the format that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;
/// Ending of the names of log files.
pub const FILE_ENDING: &str = "alog";
/// Ending of a log that is being packed. One that stays was left by a killed process.
const PACKING_ENDING: &str = "packing";
/// What every log begins with; the version and a line end follow.
const MAGIC: &str = "antiphon-log ";
/// Longest line within a log, in bytes. The longest inputs are word marks and typed texts, a few
/// kilobytes; the header holds an agent's settings.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Longest first line: the magic, a version of any size that fits, a line end.
const FIRST_LINE_BYTES_MAX: usize = MAGIC.len() + 21;
/// Most bytes of a log before packing. The recorder stops at an eighth of it; a file that
/// unpacks to more is none of ours.
pub const LOG_BYTES_MAX: u64 = 256 << 20;

/// First line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the engine that wrote it.
    pub engine: String,
    /// The session.
    pub session: SessionId,
    /// When the session was created, RFC 3339. For people; nothing depends on it.
    pub started_at: String,
    /// What the engine was told about its session.
    pub config: EngineConfig,
}

impl Header {
    /// The header of a session that is created now by this build.
    pub fn new(config: EngineConfig, started_at: String) -> Self {
        Self {
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            session: config.session.clone(),
            started_at,
            config,
        }
    }
}

/// Last line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Inputs recorded.
    pub inputs: u64,
    /// Outputs that they gave rise to.
    pub outputs: u64,
    /// Check of the outputs of the last input; see [`Record::check`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub check: u16,
    /// SHA-256 over the outputs, each as JSON with a line end, in hexadecimal.
    pub sha256: String,
    /// Why the session went on without its log, where it did: the counts and the hash are those of
    /// what was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(check: &u16) -> bool {
    *check == 0
}

/// How a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its trailer.
    Whole(Trailer),
    /// In the middle: the process was killed, or the disk was full.
    Cut {
        /// True where the last record was there in part; it was dropped.
        partial: bool,
    },
}

/// Why a log cannot be read or replayed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("the log cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Something else than a log.
    #[error("this is not a log of a call: it does not begin with \"antiphon-log\"")]
    NotALog,
    /// Written by a newer build.
    #[error(
        "the log has format version {found}; this build reads up to version {FORMAT_VERSION}. Use the antiphon that wrote it, or a newer one"
    )]
    NewerVersion {
        /// Its version.
        found: u64,
    },
    /// Cut before its first line was complete.
    #[error("the log was cut before its header; there is nothing to replay")]
    NoHeader,
    /// The header is not as this build knows it.
    #[error("the header of the log cannot be read: {reason}")]
    BadHeader {
        /// What was wrong.
        reason: String,
    },
    /// A line that is no record.
    #[error("record {record} of the log cannot be read: {reason}")]
    Malformed {
        /// Which, from 1.
        record: u64,
        /// What was wrong; quotes nothing of it.
        reason: String,
    },
    /// More than [`LOG_BYTES_MAX`].
    #[error("the log is longer than {LOG_BYTES_MAX} bytes unpacked, at record {record}")]
    TooLong {
        /// Which, from 1.
        record: u64,
    },
    /// The engine itself failed on an input.
    #[error("the engine panicked at record {record}: the fault that this log shows")]
    EnginePanicked {
        /// Which, from 1.
        record: u64,
    },
}
