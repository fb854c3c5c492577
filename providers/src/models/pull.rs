//! Fetching a model.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};

use super::catalogue::{Model, ModelFile, this_machine};
use super::error::PullError;
use super::fetch::Fetch;
use super::folder::{FolderError, ModelsFolder};
use super::unpack::unpack;

/// Room that is left on the disk beside what is fetched, in bytes.
const SPARE_BYTES: u64 = 64 << 20;

/// Redirects followed at most.
const REDIRECTS_MAX: usize = 10;

/// Says how many bytes are free for the file system of a folder.
pub type FreeSpace = Arc<dyn Fn(&Path) -> io::Result<u64> + Send + Sync>;

/// How models are fetched.
#[derive(Clone)]
pub struct PullOptions {
    /// Failures in a row, without a byte got, after which a file is given up.
    pub failures_max: u32,
    /// The same where the server was never reached: nobody waits long to be told of no network.
    pub unreached_max: u32,
    /// Wait after the first failure; it doubles with each, with up to a half more by chance.
    pub backoff: Duration,
    /// Longest wait, also where the server asks for more.
    pub backoff_max: Duration,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the next byte.
    pub stall_timeout: Duration,
    /// Where the free space is read.
    pub free_space: FreeSpace,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            failures_max: 6,
            unreached_max: 2,
            backoff: Duration::from_millis(500),
            backoff_max: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            free_space: Arc::new(free_space),
        }
    }
}

/// How far a pull is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A file is begun.
    File {
        /// Its name.
        name: &'a str,
        /// Its size, in bytes.
        bytes: u64,
    },
    /// So many of its bytes are on disk.
    Got {
        /// Bytes, those of earlier runs included.
        bytes: u64,
    },
    /// What was on disk did not fit, and the file is fetched from its start.
    StartedOver,
    /// Something failed and is tried again.
    Waiting {
        /// What failed.
        reason: &'a str,
        /// When it is tried again.
        wait: Duration,
    },
    /// What was fetched is unpacked.
    Unpacking,
}

/// How a pull ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// The model was installed already.
    Already,
    /// It has been fetched, checked and installed.
    Installed,
}

/// Fetches models.
pub struct Puller {
    client: reqwest::Client,
    options: PullOptions,
}

impl Puller {
    /// A puller.
    ///
    /// # Errors
    /// [`PullError::Client`].
    pub fn new(options: PullOptions) -> Result<Self, PullError> {
        let client = reqwest::Client::builder()
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.stall_timeout)
            .redirect(Policy::custom(follow))
            .user_agent(concat!("antiphon/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|fault| PullError::Client(fault.to_string()))?;
        Ok(Self { client, options })
    }

    /// Fetches a model into its folder, going on where an earlier pull was broken off, checks it
    /// and installs it.
    ///
    /// # Errors
    /// [`PullError`]. What was got is kept wherever going on with it makes sense.
    pub async fn pull(
        &self,
        folder: &ModelsFolder,
        model: &Model,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Pulled, PullError> {
        let files = model.files_here();
        if files.is_empty() {
            return Err(PullError::NotForThisMachine {
                model: model.name.clone(),
                machine: this_machine(),
            });
        }
        let _lock = folder.lock(&model.name).map_err(PullError::from)?;
        if is_installed_as(folder, model) {
            return Ok(Pulled::Already);
        }
        let home = folder.folder(&model.name);
        std::fs::create_dir_all(&home).map_err(|fault| PullError::file(&home, fault))?;
        folder
            .unmark_installed(&model.name)
            .map_err(|fault| PullError::file(&home, fault))?;
        self.check_room(&home, &files)?;
        for file in files {
            self.install(&home, file, progress).await?;
        }
        folder
            .mark_installed(model)
            .map_err(|fault| PullError::file(&home, fault))?;
        Ok(Pulled::Installed)
    }

    /// Fetches one file and puts it in its place.
    async fn install(
        &self,
        home: &Path,
        file: &ModelFile,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<(), PullError> {
        let place = home.join(&file.name);
        if holds(&place, file.installed_bytes(), file.installed_sha256()).await {
            return Ok(());
        }
        progress(Progress::File {
            name: &file.name,
            bytes: file.bytes,
        });
        let part = part_of(&place);
        let fetch = Fetch {
            client: &self.client,
            options: &self.options,
            file,
            place: &place,
            part: part.clone(),
        };
        fetch.run(progress).await?;
        let ready = match &file.member {
            None => part.clone(),
            Some(member) => {
                progress(Progress::Unpacking);
                let unpacked = home.join(format!(".{}.unpacked", file.name));
                let (url, member) = (file.url.clone(), member.clone());
                let (from, to) = (part.clone(), unpacked.clone());
                let done = tokio::task::spawn_blocking(move || unpack(&url, &member, &from, &to));
                let done = done.await.unwrap_or_else(|fault| {
                    Err(PullError::file(&unpacked, io::Error::other(fault)))
                });
                if done.is_err() {
                    let _ = std::fs::remove_file(&unpacked);
                }
                done?;
                unpacked
            }
        };
        std::fs::rename(&ready, &place).map_err(|fault| PullError::file(&place, fault))?;
        for left in [&part, &etag_of(&part)] {
            let _ = std::fs::remove_file(left);
        }
        Ok(())
    }

    /// Refuses before anything is fetched where the disk has not enough room.
    fn check_room(&self, home: &Path, files: &[&ModelFile]) -> Result<(), PullError> {
        let have = |path: PathBuf| std::fs::metadata(path).map_or(0, |found| found.len());
        let mut need = SPARE_BYTES;
        for file in files {
            let place = home.join(&file.name);
            if have(place.clone()) == file.installed_bytes() {
                continue;
            }
            need += file.bytes.saturating_sub(have(part_of(&place)));
            need += file.member.as_ref().map_or(0, |member| member.bytes);
        }
        let free = (self.options.free_space)(home).map_err(|fault| PullError::file(home, fault))?;
        if free >= need {
            return Ok(());
        }
        Err(PullError::NoRoom {
            folder: home.to_owned(),
            need_mb: need.div_ceil(1_000_000),
            free_mb: free / 1_000_000,
        })
    }
}

impl From<FolderError> for PullError {
    fn from(fault: FolderError) -> Self {
        match fault {
            FolderError::Locked { model } => Self::Locked { model },
            FolderError::File { path, source } => Self::file(path, source),
        }
    }
}

/// The file in which a download grows.
pub(super) fn part_of(place: &Path) -> PathBuf {
    with_more(place, ".part")
}

/// The file that holds the ETag of a download that was broken off.
pub(super) fn etag_of(part: &Path) -> PathBuf {
    with_more(part, ".etag")
}

fn with_more(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    PathBuf::from(name)
}

/// True where the model is installed with the very files that the catalogue names.
fn is_installed_as(folder: &ModelsFolder, model: &Model) -> bool {
    folder.installed(&model.name).is_some_and(|installed| {
        let hashes = |model: &Model| -> Vec<String> {
            let files = model.files_here();
            let hash = |file: &&ModelFile| file.installed_sha256().to_owned();
            files.iter().map(hash).collect()
        };
        hashes(&installed.model) == hashes(model)
    })
}

/// True where the file is there already and right: put there by hand, or by a pull that was broken
/// off between two files.
async fn holds(place: &Path, bytes: u64, sha256: &str) -> bool {
    if !std::fs::metadata(place).is_ok_and(|found| found.is_file() && found.len() == bytes) {
        return false;
    }
    let path = place.to_owned();
    let hash = tokio::task::spawn_blocking(move || super::folder::hash_of(&path, &mut |_| {}));
    hash.await
        .is_ok_and(|hashed| hashed.is_ok_and(|hasher| super::folder::hex(hasher) == sha256))
}

/// Follows redirects, but never from https to anything else.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let was_https = attempt
        .previous()
        .iter()
        .any(|before| before.scheme() == "https");
    if was_https && attempt.url().scheme() != "https" {
        return attempt.error(NotHttps);
    }
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error("too many redirects");
    }
    attempt.follow()
}

/// Marks, within a client's error, a redirect that left https.
#[derive(Debug, thiserror::Error)]
#[error("redirected to an address that is not https")]
pub(super) struct NotHttps;

/// Bytes that an ordinary user may still write.
///
/// # Errors
/// Those of the system.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
