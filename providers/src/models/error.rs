//! Why a model was not fetched, in sentences that say what to do.

use std::path::PathBuf;
use std::time::Duration;

/// Why a model was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// No file of it is for this machine.
    #[error("{model} is not made for this machine ({machine})")]
    NotForThisMachine {
        /// The model.
        model: String,
        /// This machine.
        machine: String,
    },
    /// Another process is fetching or removing it.
    #[error("{model} is being fetched or removed by another process: wait until it is done")]
    Locked {
        /// The model.
        model: String,
    },
    /// The disk has not enough room.
    #[error(
        "not enough room in {folder}: {need_mb} MB are needed, {free_mb} MB are free. Make room, \
         or choose another folder with --data"
    )]
    NoRoom {
        /// Where.
        folder: PathBuf,
        /// Megabytes needed, with some spare.
        need_mb: u64,
        /// Megabytes free.
        free_mb: u64,
    },
    /// The disk became full.
    #[error(
        "the disk is full: {path} could not be written. Make room and run the command again; it \
         goes on where it stopped"
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The server cannot be reached.
    #[error(
        "{host} cannot be reached ({reason}): connect this machine to the network and run the \
         command again, or fetch {url} elsewhere and put it at {path}"
    )]
    Unreachable {
        /// The server.
        host: String,
        /// What happened.
        reason: String,
        /// What was wanted.
        url: String,
        /// Where it may be put by hand; it is checked like a download.
        path: PathBuf,
    },
    /// The server refused.
    #[error(
        "{url} was refused with status {status}: the file may have moved; see if there is a newer antiphon"
    )]
    Refused {
        /// What was wanted.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection broke again and again.
    #[error(
        "the download broke {times} times without getting further ({reason}); {kept} of {bytes} \
         bytes are kept: run the command again to go on"
    )]
    Broken {
        /// How often.
        times: u32,
        /// The last time.
        reason: String,
        /// Bytes on disk.
        kept: u64,
        /// Bytes wanted.
        bytes: u64,
    },
    /// The server is busy and stayed so.
    #[error("{host} is too busy (status {status}, {times} times): try again in {wait:?}")]
    Busy {
        /// The server.
        host: String,
        /// The HTTP status.
        status: u16,
        /// How often it said so.
        times: u32,
        /// A sensible time to wait, its own where it named one.
        wait: Duration,
    },
    /// What is there is of another size.
    #[error(
        "{url} has {got} bytes where {expected} were expected: it is not the file that this \
         version of antiphon knows; nothing was installed"
    )]
    WrongSize {
        /// What was wanted.
        url: String,
        /// Bytes expected.
        expected: u64,
        /// Bytes found, or at least that many.
        got: u64,
    },
    /// What was fetched is something else.
    #[error(
        "{url} is not what was expected: its SHA-256 is {got} and should be {expected}. The \
         download was removed and nothing was installed"
    )]
    WrongHash {
        /// What was wanted.
        url: String,
        /// The hash expected.
        expected: String,
        /// The hash found.
        got: String,
    },
    /// The server sent us on to an address that is not https.
    #[error("{url} was redirected to an address that is not https; nothing was fetched from there")]
    InsecureRedirect {
        /// What was wanted.
        url: String,
    },
    /// The archive does not hold what it should.
    #[error("{archive} does not hold {member} as it should: {reason}")]
    Archive {
        /// The archive's address.
        archive: String,
        /// The file wanted of it.
        member: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of our own could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No HTTP client could be made.
    #[error("no HTTP client could be made: {0}")]
    Client(String),
}

impl PullError {
    /// A fault of the disk.
    pub(super) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        let path = path.into();
        if source.kind() == std::io::ErrorKind::StorageFull {
            return Self::DiskFull { path };
        }
        Self::File { path, source }
    }
}
