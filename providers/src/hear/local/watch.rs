//! Noticing which models are installed, and loading the best of them, on a thread of its own.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use super::{Chosen, LocalHear};
use crate::hear::Hear;
use crate::hear::whisper::{Whisper, WhisperConfig, WhisperFault};
use crate::models::{Installed, Kind, ModelsFolder};

/// Environment variable that names the installed model to hear with, in place of the best.
pub const HEAR_MODEL_VARIABLE: &str = "ANTIPHON_HEAR_MODEL";

/// How a models folder is watched.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The folder.
    pub folder: ModelsFolder,
    /// The name of the model to use; the installed one of the highest rank where absent.
    pub wanted: Option<String>,
    /// How often the folder is looked at. A look reads one small file for each model.
    pub every: Duration,
    /// How a model is run.
    pub config: WhisperConfig,
}

impl Watch {
    /// Looks once a second.
    pub fn new(folder: ModelsFolder, wanted: Option<String>) -> Self {
        Self {
            folder,
            wanted,
            every: Duration::from_secs(1),
            config: WhisperConfig::default(),
        }
    }

    /// The models that may be used, the best first.
    fn candidates(&self) -> Vec<Candidate> {
        let mut installed = self.folder.all();
        installed.retain(|installed| {
            let is_wanted = |wanted: &String| *wanted == installed.model.name;
            installed.model.kind == Kind::Hear && self.wanted.as_ref().is_none_or(is_wanted)
        });
        // Stable: of one rank the first by name, so that the choice is the same every time.
        installed.sort_by_key(|installed| std::cmp::Reverse(installed.model.rank));
        installed.iter().filter_map(Candidate::of).collect()
    }
}

impl LocalHear {
    /// Loads the best installed model, if there is one, and watches for others as long as this
    /// recognizer lives. Blocks until that model is loaded.
    pub fn watch(&self, watch: Watch) {
        let mut watcher = Watcher {
            watch,
            chosen: Arc::downgrade(&self.chosen),
            current: None,
            unusable: Vec::new(),
        };
        watcher.look();
        let every = watcher.watch.every;
        let (alive, ended) = channel();
        *self.watching.lock().unwrap_or_else(PoisonError::into_inner) = Some(alive);
        let spawned = thread::Builder::new()
            .name("models".to_owned())
            .spawn(move || watcher.run(every, &ended));
        if let Err(error) = spawned {
            tracing::error!(%error, "new models are noticed only after a restart");
        }
    }
}

/// A model that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    name: String,
    file: PathBuf,
    /// Of what it is, and when it was installed.
    sha256: String,
    installed: Option<SystemTime>,
}

impl Candidate {
    fn of(installed: &Installed) -> Option<Self> {
        let files = installed.model.files_here();
        let file = files.first()?;
        Some(Self {
            name: installed.model.name.clone(),
            file: installed.folder.join(&file.name),
            sha256: file.installed_sha256().to_owned(),
            installed: installed.since,
        })
    }

    fn load(&self, config: WhisperConfig) -> Result<Whisper, WhisperFault> {
        let whisper = Whisper::load(&self.file, config)?;
        whisper.warm_up()?;
        Ok(whisper)
    }
}

struct Watcher {
    watch: Watch,
    chosen: Weak<Chosen>,
    /// What calls are heard with.
    current: Option<Candidate>,
    /// What could not be loaded; not tried again until it is installed anew.
    unusable: Vec<Candidate>,
}

impl Watcher {
    fn run(&mut self, every: Duration, ended: &Receiver<()>) {
        while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            self.look();
        }
    }

    fn look(&mut self) {
        let candidates = self.watch.candidates();
        self.unusable.retain(|broken| candidates.contains(broken));
        for candidate in candidates {
            if self.current.as_ref() == Some(&candidate) {
                return;
            }
            if self.unusable.contains(&candidate) {
                continue;
            }
            let name = candidate.name.as_str();
            match candidate.load(self.watch.config.clone()) {
                Ok(whisper) => {
                    tracing::info!(model = name, "calls from now on are heard with this model");
                    self.current = Some(candidate);
                    return self.set(Some(Arc::new(whisper)));
                }
                Err(error) => {
                    tracing::error!(model = name, %error, "the model cannot be used");
                    self.unusable.push(candidate);
                }
            }
        }
        if self.current.take().is_some() {
            tracing::info!("no model is installed any more: calls are heard by the last resort");
            self.set(None);
        }
    }

    fn set(&self, hear: Option<Arc<dyn Hear>>) {
        if let Some(chosen) = self.chosen.upgrade() {
            *chosen.0.write().unwrap_or_else(PoisonError::into_inner) = hear;
        }
    }
}
