//! Whisper with the best model that is installed. A model that is installed, replaced or removed
//! is noticed without a restart, and loaded on a thread of its own: calls that open meanwhile are
//! heard with what there was.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use antiphon_proto::UtteranceId;
use tokio::sync::mpsc;

use super::whisper::{Whisper, WhisperConfig, WhisperFault};
use super::{Hear, HearCapabilities, HearContext, HearEvent, HearEventKind, HearStream};
use crate::models::{Installed, Kind, ModelsFolder};
use crate::{Fault, FaultKind};

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

/// The recognizer of the best installed model.
pub struct InstalledHear {
    chosen: Arc<Chosen>,
    /// Dropped with this recognizer, which ends the thread that watches.
    _watching: Sender<()>,
}

/// The model that calls are heard with from now on.
#[derive(Default)]
struct Chosen(RwLock<Option<Arc<Whisper>>>);

impl InstalledHear {
    /// Loads the best installed model, if there is one, and watches for others as long as this
    /// recognizer lives. Blocks until that model is loaded.
    pub fn watching(watch: Watch) -> Self {
        let chosen = Arc::new(Chosen::default());
        let mut watcher = Watcher {
            watch,
            chosen: Arc::downgrade(&chosen),
            current: None,
            unusable: Vec::new(),
        };
        watcher.look();
        let every = watcher.watch.every;
        let (alive, ended) = channel();
        let spawned = thread::Builder::new()
            .name("models".to_owned())
            .spawn(move || watcher.run(every, &ended));
        if let Err(error) = spawned {
            tracing::error!(%error, "new models are noticed only after a restart");
        }
        Self {
            chosen,
            _watching: alive,
        }
    }

    fn current(&self) -> Option<Arc<Whisper>> {
        let chosen = self.chosen.0.read();
        chosen.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Hear for InstalledHear {
    fn name(&self) -> &'static str {
        "whisper"
    }

    fn is_available(&self) -> bool {
        self.current().is_some()
    }

    fn trust_permille(&self) -> u16 {
        let trust = |whisper: Arc<Whisper>| whisper.trust_permille();
        self.current().map_or(0, trust)
    }

    fn capabilities(&self) -> HearCapabilities {
        let capabilities = |whisper: Arc<Whisper>| whisper.capabilities();
        self.current().map(capabilities).unwrap_or_default()
    }

    fn open(&self, context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        match self.current() {
            Some(whisper) => whisper.open(context, events),
            None => Box::new(Nobody {
                events,
                utterance: None,
            }),
        }
    }
}

/// What a call gets that opens just after the model was removed: every utterance fails at once, so
/// that another recognizer takes it.
struct Nobody {
    events: mpsc::Sender<HearEvent>,
    utterance: Option<UtteranceId>,
}

impl HearStream for Nobody {
    fn begin(&mut self, utterance: UtteranceId) {
        self.utterance = Some(utterance);
    }

    fn push(&mut self, _pcm: &[i16]) {
        self.finish();
    }

    fn finish(&mut self) {
        let Some(utterance) = self.utterance.take() else {
            return;
        };
        let fault = Fault::new(FaultKind::Refused, "no speech model is installed any more");
        let kind = HearEventKind::Failed { fault };
        // One event for each utterance: a channel that is full of them has told it already.
        let _ = self.events.try_send(HearEvent { utterance, kind });
    }

    fn cancel(&mut self) {
        self.utterance = None;
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
            tracing::info!("no model is installed any more");
            self.set(None);
        }
    }

    fn set(&self, whisper: Option<Arc<Whisper>>) {
        if let Some(chosen) = self.chosen.upgrade() {
            *chosen.0.write().unwrap_or_else(PoisonError::into_inner) = whisper;
        }
    }
}
