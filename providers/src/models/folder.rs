//! What is installed.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::catalogue::{Model, ModelFile};

/// Folder of the models within the data folder.
pub const MODELS_FOLDER: &str = "models";

/// The catalogue's entry in an installed model's folder; written last.
pub(super) const MANIFEST: &str = "model.json";

/// Installed models that are looked at; more is not a models folder.
const INSTALLED_MAX: usize = 1_000;

/// Largest `model.json`, in bytes.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// Bytes read at a time when hashing.
const HASH_BYTES: usize = 1 << 20;

/// The folder of the installed models.
#[derive(Clone, Debug)]
pub struct ModelsFolder {
    root: PathBuf,
}

/// An installed model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// What it is, as the catalogue had it when it was fetched.
    pub model: Model,
    /// Its folder.
    pub folder: PathBuf,
    /// When it was installed, where the file system tells.
    pub since: Option<SystemTime>,
}

/// What checking an installed file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is what was fetched.
    Sound,
    /// It is not there.
    Missing,
    /// It has changed.
    Changed {
        /// The hash that it should have.
        expected: String,
        /// The hash that it has.
        got: String,
    },
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process works on the model.
    #[error("{model} is being fetched or removed by another process: wait until it is done")]
    Locked {
        /// The model.
        model: String,
    },
    /// A file could not be read, written or removed.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A model locked against other processes, as long as it lives.
pub(super) struct Lock(#[expect(dead_code, reason = "it is held, not read")] File);

impl ModelsFolder {
    /// The models of a data folder. Nothing is created.
    pub fn of_data(data: &Path) -> Self {
        Self {
            root: data.join(MODELS_FOLDER),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The folder of a model.
    pub fn folder(&self, model: &str) -> PathBuf {
        self.root.join(model)
    }

    /// Where a file of a model is or will be.
    pub fn file(&self, model: &Model, file: &ModelFile) -> PathBuf {
        self.folder(&model.name).join(&file.name)
    }

    /// The installed model of that name: its files are there in full size.
    pub fn installed(&self, name: &str) -> Option<Installed> {
        let folder = self.folder(name);
        let mut text = String::new();
        let manifest = File::open(folder.join(MANIFEST)).ok()?;
        let since = manifest.metadata().and_then(|found| found.modified()).ok();
        let mut manifest = manifest.take(MANIFEST_BYTES_MAX);
        manifest.read_to_string(&mut text).ok()?;
        let model: Model = serde_json::from_str(&text).ok()?;
        let whole = |file: &&ModelFile| {
            std::fs::metadata(folder.join(&file.name))
                .is_ok_and(|found| found.is_file() && found.len() == file.installed_bytes())
        };
        let complete = model.name == name && model.files_here().iter().all(whole);
        complete.then_some(Installed {
            model,
            folder,
            since,
        })
    }

    /// All installed models, by name.
    pub fn all(&self) -> Vec<Installed> {
        let Ok(entries) = std::fs::read_dir(&self.root) else {
            return Vec::new();
        };
        let mut all: Vec<Installed> = entries
            .take(INSTALLED_MAX)
            .filter_map(|entry| self.installed(entry.ok()?.file_name().to_str()?))
            .collect();
        all.sort_by(|a, b| a.model.name.cmp(&b.model.name));
        all
    }

    /// Hashes a file of an installed model; `hashed` hears of the bytes done so far.
    ///
    /// # Errors
    /// [`FolderError::File`] where it cannot be read.
    pub fn verify(
        &self,
        installed: &Installed,
        file: &ModelFile,
        hashed: &mut dyn FnMut(u64),
    ) -> Result<Verified, FolderError> {
        let path = installed.folder.join(&file.name);
        let got = match hash_of(&path, hashed) {
            Ok(hasher) => hex(hasher),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Verified::Missing),
            Err(source) => return Err(FolderError::File { path, source }),
        };
        let expected = file.installed_sha256().to_owned();
        if got == expected {
            return Ok(Verified::Sound);
        }
        Ok(Verified::Changed { expected, got })
    }

    /// Removes a model, also one that was fetched in part. Answers the bytes freed; `None` where
    /// there was nothing of it.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn remove(&self, name: &str) -> Result<Option<u64>, FolderError> {
        let folder = self.folder(name);
        let fault = |source| FolderError::File {
            path: folder.clone(),
            source,
        };
        if !folder.exists() {
            return Ok(None);
        }
        let _lock = self.lock(name)?;
        let mut freed = 0;
        for entry in std::fs::read_dir(&folder).map_err(fault)?.flatten() {
            freed += entry.metadata().map_or(0, |found| found.len());
        }
        // The manifest first: what is half removed is not installed.
        let _ = std::fs::remove_file(folder.join(MANIFEST));
        std::fs::remove_dir_all(&folder).map_err(fault)?;
        Ok(Some(freed))
    }

    /// Locks a model against other processes.
    pub(super) fn lock(&self, name: &str) -> Result<Lock, FolderError> {
        let path = self.root.join(format!(".{name}.lock"));
        let fault = |source| FolderError::File {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(&self.root).map_err(fault)?;
        let file = File::create(&path).map_err(fault)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(FolderError::Locked {
                model: name.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(fault(source)),
        }
    }

    /// Marks a model as installed.
    pub(super) fn mark_installed(&self, model: &Model) -> io::Result<()> {
        let folder = self.folder(&model.name);
        let (new, manifest) = (folder.join(".model.json.new"), folder.join(MANIFEST));
        let text = serde_json::to_vec_pretty(model)?;
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&new, &manifest)
    }

    /// Marks a model as not installed, e.g. while it is fetched anew.
    pub(super) fn unmark_installed(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.folder(name).join(MANIFEST)) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Hashes a file.
pub(super) fn hash_of(path: &Path, hashed: &mut dyn FnMut(u64)) -> io::Result<Sha256> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; HASH_BYTES];
    let mut done = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher);
        }
        hasher.update(&buffer[..read]);
        done += read as u64;
        hashed(done);
    }
}

/// A digest in lower-case hexadecimal.
pub(super) fn hex(hasher: Sha256) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
