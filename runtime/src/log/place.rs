//! The folder that logs are written to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::encoder::pack;
use super::retention::{Retention, tidy};
use super::{FILE_ENDING, PACKING_ENDING};

/// Files of one session in one second; more is a fault of whoever gives out the ids.
const SAME_NAME_MAX: u32 = 9;
/// Longest part of a session's id in a file name.
const ID_CHARS_MAX: usize = 64;

/// Where logs are written to.
pub(super) trait Place: Send + 'static {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Disk>>;
    fn tidy(&mut self);
}

/// A file, for all that the writer knows.
pub(super) trait Disk: Write + Send {
    /// Makes it last.
    fn close(self: Box<Self>) -> io::Result<()>;
}

/// The plain log of a running call.
pub(super) struct LiveFile {
    pub(super) file: File,
    pub(super) path: PathBuf,
}

/// A folder of the file system.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) retention: Retention,
}

impl Place for Folder {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Disk>> {
        let mut taken = None;
        for nth in 1..=SAME_NAME_MAX {
            let name = if nth == 1 {
                format!("{name}.{FILE_ENDING}")
            } else {
                format!("{name}.{nth}.{FILE_ENDING}")
            };
            let path = self.path.join(name);
            match create_private(&path) {
                Ok(file) => return Ok(Box::new(LiveFile { file, path })),
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => taken = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        Err(taken.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
    }

    fn tidy(&mut self) {
        if let Err(fault) = tidy(&self.path, self.retention, std::time::SystemTime::now()) {
            tracing::warn!(%fault, "old logs of sessions cannot be removed");
        }
    }
}

impl Write for LiveFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Disk for LiveFile {
    /// Packs it; where that fails the plain one stays, which can be read as well.
    fn close(self: Box<Self>) -> io::Result<()> {
        let packing = self.path.with_extension(PACKING_ENDING);
        let packed = pack_file(&self.path, &packing);
        if packed.is_err() {
            self.file.sync_all()?;
            // It may not even be there.
            let _ = std::fs::remove_file(&packing);
        }
        packed
    }
}

fn pack_file(from: &Path, packing: &Path) -> io::Result<()> {
    let to = pack(BufReader::new(File::open(from)?), create_private(packing)?)?;
    to.sync_all()?;
    std::fs::rename(packing, from)
}

fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// `20261121T093229Z-sess_…`, whatever the id holds.
pub(super) fn file_name(now: OffsetDateTime, session: &str) -> String {
    let plain = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => character,
        _ => '_',
    };
    let id: String = session.chars().take(ID_CHARS_MAX).map(plain).collect();
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z-{id}",
        now.year(),
        u8::from(now.month()),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    )
}
