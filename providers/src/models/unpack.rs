//! Taking one file out of a zip archive.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::catalogue::Member;
use super::error::PullError;
use super::folder::hex;

/// Bytes unpacked at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Unpacks `member` of the archive at `from` into `to`, and checks it. Never writes more than the
/// member's size. Blocks.
pub(super) fn unpack(url: &str, member: &Member, from: &Path, to: &Path) -> Result<(), PullError> {
    let broken = |reason: String| PullError::Archive {
        archive: url.to_owned(),
        member: member.path.clone(),
        reason,
    };
    let archive = File::open(from).map_err(|fault| PullError::file(from, fault))?;
    let mut archive = zip::ZipArchive::new(archive).map_err(|fault| broken(fault.to_string()))?;
    let mut packed = archive
        .by_name(&member.path)
        .map_err(|fault| broken(fault.to_string()))?;
    let mut file = File::create(to).map_err(|fault| PullError::file(to, fault))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut done = 0;
    loop {
        let read = packed
            .read(&mut buffer)
            .map_err(|fault| broken(fault.to_string()))?;
        if read == 0 {
            break;
        }
        done += read as u64;
        if done > member.bytes {
            return Err(broken(format!("it has more than {} bytes", member.bytes)));
        }
        hasher.update(&buffer[..read]);
        file.write_all(&buffer[..read])
            .map_err(|fault| PullError::file(to, fault))?;
    }
    let got = hex(hasher);
    if got != member.sha256 {
        return Err(broken(format!(
            "its SHA-256 is {got}, not {}",
            member.sha256
        )));
    }
    file.sync_all().map_err(|fault| PullError::file(to, fault))
}
