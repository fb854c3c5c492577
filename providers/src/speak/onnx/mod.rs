//! Neural voices on this machine, through ONNX Runtime: Piper (VITS) and Kokoro.
//!
//! ```text
//! text -> Speakable -> pieces -> espeak-ng (a process) -> IPA -> symbols -> model -> audio, marks
//! ```
//!
//! espeak-ng is under the GPL, so it is run and not linked. Neither it, nor the runtime's library,
//! nor a voice is needed to start: what is missing is told where a sentence is to be spoken, with
//! what to install.

mod audio;
mod error;
mod kokoro;
mod library;
mod model;
mod npz;
mod phonemes;
mod piper;
mod voices;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use self::audio::Shaped;
use self::error::OnnxError;
use self::model::Model;
use self::phonemes::{Sounds, Unit};
use self::voices::VoiceFiles;
use super::speakable::Speakable;
use super::{Speak, SpeakCapabilities, SpeakEvent, SpeakEventKind, SpeakRequest, UnknownVoice};
use crate::{Fault, FaultKind, TaskHandle};

/// Longest text taken at once, in bytes.
const TEXT_BYTES_MAX: usize = 20_000;
/// Models in memory; the one not used for longest goes first. A Piper voice takes some 100 MB,
/// Kokoro some 400 MB.
const MODELS_MAX: usize = 4;
/// Longest time that one unit (a sentence, or 400 symbols of it) may take to be made.
const UNIT_DEADLINE: Duration = Duration::from_secs(20);

/// Where things are. Every path may be absent.
#[derive(Clone, Debug, Default)]
pub struct OnnxConfig {
    /// The folder of the pulled models: a folder each.
    pub models: PathBuf,
    /// ONNX Runtime's library; searched for where not given ([`library`](self)).
    pub library: Option<PathBuf>,
    /// The program that tells how words sound; `espeak-ng` of the path where not given.
    pub espeak: Option<PathBuf>,
    /// Threads of one model; 0 for two.
    pub threads: usize,
}

/// The voices of a models folder. Cheap to make and to share; voices pulled later are found.
#[derive(Clone)]
pub struct OnnxVoices {
    inner: Arc<Inner>,
}

struct Inner {
    config: OnnxConfig,
    /// Syntheses at once: a model uses several threads, so more would only delay each other.
    permits: Arc<Semaphore>,
    loaded: Mutex<Vec<Arc<Model>>>,
}

impl OnnxVoices {
    /// The voices below `config.models`.
    pub fn new(config: OnnxConfig) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let at_once = (cores / config.threads.max(2)).max(1);
        Self {
            inner: Arc::new(Inner {
                config,
                permits: Arc::new(Semaphore::new(at_once)),
                loaded: Mutex::new(Vec::new()),
            }),
        }
    }

    /// The names of the voices that are there now.
    pub fn voices(&self) -> Vec<String> {
        voices::names(&self.inner.config.models)
    }

    fn files(&self, voice: &str) -> Result<VoiceFiles, UnknownVoice> {
        voices::find(&self.inner.config.models, voice).ok_or_else(|| UnknownVoice {
            asked: voice.to_owned(),
            there_are: match self.voices() {
                none if none.is_empty() => {
                    "none; `antiphon models pull piper-joe` fetches one".to_owned()
                }
                voices => voices.join(", "),
            },
        })
    }
}

impl Speak for OnnxVoices {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn capabilities(&self) -> SpeakCapabilities {
        SpeakCapabilities {
            word_marks: false,
            multilingual: true,
            remote: false,
        }
    }

    fn rate_hz(&self, voice: &str) -> Result<u32, UnknownVoice> {
        self.files(voice).map(|files| files.rate_hz)
    }

    /// Must be called within a tokio runtime.
    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let voices = self.clone();
        let task = tokio::spawn(async move {
            let segment = request.segment;
            let kind = match voices.speak(request, &events).await {
                Ok(()) => SpeakEventKind::Done,
                Err(OnnxError::Unheard) => return,
                Err(error) => SpeakEventKind::Failed {
                    fault: fault(&error),
                },
            };
            // Nobody listens any more: nothing to tell.
            let _ = events.send(SpeakEvent { segment, kind }).await;
        });
        TaskHandle::from_task(task.abort_handle())
    }
}

impl OnnxVoices {
    async fn speak(
        &self,
        request: SpeakRequest,
        events: &mpsc::Sender<SpeakEvent>,
    ) -> Result<(), OnnxError> {
        let segment = request.segment;
        let send = async |kind| {
            let event = SpeakEvent { segment, kind };
            events.send(event).await.map_err(|_| OnnxError::Unheard)
        };
        if request.text.len() > TEXT_BYTES_MAX {
            return Err(OnnxError::TooLong {
                bytes: request.text.len(),
            });
        }
        let files = self
            .files(&request.voice)
            .map_err(|unknown| OnnxError::Voice(unknown.to_string()))?;
        let rate_hz = files.rate_hz;
        let english = files.espeak_voice.starts_with("en");
        let made = match english {
            true => Speakable::new(&request.text, &request.pronounce),
            false => Speakable::as_written(&request.text, &request.pronounce),
        };
        if made.is_empty() {
            return send(SpeakEventKind::Marks { marks: Vec::new() }).await;
        }
        let espeak = self.inner.config.espeak.as_deref();
        let language = files.espeak_voice.clone();
        let sounds = phonemes::sounds(&made, espeak, &language);
        let (sounds, model) = tokio::join!(sounds, self.model(files));
        let (sounds, model): (Sounds, Arc<Model>) = (sounds?, model?);
        let pace = if request.pace.is_finite() {
            request.pace.clamp(0.5, 2.0)
        } else {
            1.0
        };
        let mut mapper = made.mapper();
        let mut base = 0;
        for unit in sounds.units() {
            let shaped = self.render(&model, unit, &request.voice, pace).await?;
            let at_ms =
                |sample: usize| ((base + sample) as u64 * 1_000 / u64::from(rate_hz)) as u32;
            let marks = shaped
                .word_ends
                .iter()
                .filter_map(|&(spoken_end, sample)| mapper.push(spoken_end, at_ms(sample)))
                .collect();
            send(SpeakEventKind::Marks { marks }).await?;
            base += shaped.pcm.len();
            for piece in shaped.pcm.chunks((rate_hz / 10).max(1) as usize) {
                let pcm = piece.to_vec();
                send(SpeakEventKind::Audio { pcm }).await?;
            }
        }
        Ok(())
    }

    /// Makes one unit on a thread of its own.
    async fn render(
        &self,
        model: &Arc<Model>,
        unit: Unit,
        voice: &str,
        pace: f32,
    ) -> Result<Shaped, OnnxError> {
        let permit = Arc::clone(&self.inner.permits).acquire_owned().await;
        let (model, voice) = (Arc::clone(model), voice.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            // Given back when the thread is done, not when nobody waits for it any more.
            let _permit = permit;
            model.speak(&unit, &voice, pace)
        });
        let made = tokio::time::timeout(UNIT_DEADLINE, work).await;
        made.map_err(|_| OnnxError::TooSlow)?
            .map_err(|_| OnnxError::Model("its thread failed".into()))?
    }

    /// The model of a voice, from memory or its file.
    async fn model(&self, files: VoiceFiles) -> Result<Arc<Model>, OnnxError> {
        let inner = Arc::clone(&self.inner);
        let work = tokio::task::spawn_blocking(move || {
            // One at a time: two calls that begin together load a model once.
            let mut loaded = inner.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = loaded.iter().position(|model| model.path() == files.model) {
                let model = loaded.remove(at);
                loaded.push(Arc::clone(&model));
                return Ok(model);
            }
            let environment = library::load(&inner.config)?;
            let threads = inner.config.threads.max(2);
            let model = Arc::new(Model::load(&environment, &files, threads)?);
            if loaded.len() >= MODELS_MAX {
                loaded.remove(0);
            }
            loaded.push(Arc::clone(&model));
            Ok(model)
        });
        work.await
            .map_err(|_| OnnxError::Model("loading it failed".into()))?
    }
}

fn fault(error: &OnnxError) -> Fault {
    let kind = match error {
        OnnxError::Voice(_) | OnnxError::TooLong { .. } => FaultKind::Refused,
        OnnxError::NoLibrary { .. } | OnnxError::NoEspeak { .. } => FaultKind::Unreachable,
        OnnxError::TooSlow => FaultKind::TooSlow,
        OnnxError::File { .. } => FaultKind::Malformed,
        OnnxError::Espeak(_) | OnnxError::Model(_) | OnnxError::Unheard => FaultKind::Internal,
    };
    Fault::new(kind, error.to_string())
}
