//! PocketSphinx from Debian: the recognizer that needs no key and no download.
//!
//! ```text
//! HearStream -> Utterance (bounded audio) -> Pool (a thread and a decoder each) -> HearEvent
//! ```
//!
//! `vocabulary` makes a language model of what an agent's callers say, `recognition` streams one
//! utterance through one decoder, `decoder` is all there is of C. What it achieves is in
//! `docs/quality.md`.

mod cmn;
mod decoder;
mod ffi;
mod g2p;
mod lm;
mod measure;
mod model;
mod pauses;
mod pool;
mod recognition;
mod tuning;
mod utterance;
mod vocabulary;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use antiphon_proto::UtteranceId;
use tokio::sync::mpsc;

use super::{HEAR_RATE_HZ, Hear, HearContext, HearEvent, HearStream};
use model::ModelPaths;
use pool::Pool;
use tuning::Tuning;
use utterance::{Call, Utterance};
use vocabulary::Vocabulary;

pub use measure::{Measured, Measurement};
pub use model::MODEL_VARIABLE;
pub use pool::WAITING_UTTERANCES_MAX;
pub use utterance::{UTTERANCE_S_MAX, WAITING_S_MAX};

/// Audio after which an utterance gets a decoder: noises shorter than this never take one.
const SUBMIT_SAMPLES: usize = HEAR_RATE_HZ as usize / 5;

/// How the recognizer is set up.
#[derive(Clone, Debug, Default)]
pub struct PocketSphinxConfig {
    /// Folder with `en-us/`, `cmudict-en-us.dict` and `en-us.lm.bin`. Where absent, the folder
    /// that [`MODEL_VARIABLE`] names, or else where Debian's `pocketsphinx-en-us` puts it.
    pub model: Option<PathBuf>,
    /// Most decoders at once, some 100 MB each. Where absent, one for each processor core.
    pub decoders_max: Option<usize>,
}

/// The recognizer, shared by all calls.
pub struct PocketSphinx {
    pool: Arc<Pool>,
}

/// What can go wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum PocketSphinxError {
    /// A file of the model is not there.
    #[error(
        "the speech model is incomplete: {missing} is missing. Install Debian's package \
         pocketsphinx-en-us, or let {MODEL_VARIABLE} name the folder that holds en-us/, \
         cmudict-en-us.dict and en-us.lm.bin"
    )]
    ModelMissing {
        /// The file.
        missing: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The library refused something at start; its files may be damaged.
    #[error("PocketSphinx could not load {what}")]
    Load {
        /// What.
        what: &'static str,
    },
    /// The library failed on an utterance.
    #[error("PocketSphinx failed at: {what}")]
    Decode {
        /// At what.
        what: &'static str,
    },
    /// A decoder could not be made ready.
    #[error("the recognizer could not be made ready: {reason}")]
    WarmUp {
        /// Why.
        reason: String,
    },
}

impl PocketSphinx {
    /// Finds the model and reads its dictionary (some tens of milliseconds). Decoders are loaded
    /// when first needed, or by [`PocketSphinx::warm_up`].
    ///
    /// # Errors
    /// [`PocketSphinxError::ModelMissing`] and [`PocketSphinxError::File`].
    pub fn new(config: PocketSphinxConfig) -> Result<Self, PocketSphinxError> {
        let vocabulary = Vocabulary::new(ModelPaths::find(config.model.as_deref())?)?;
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let decoders_max = config.decoders_max.unwrap_or(cores);
        Ok(Self {
            pool: Arc::new(Pool::new(vocabulary, Tuning::default(), decoders_max)),
        })
    }

    /// Loads all decoders and the language models of `contexts`, so that the first caller does not
    /// wait for it. Blocks for about a second for each decoder.
    ///
    /// # Errors
    /// Any [`PocketSphinxError`]; calls may still work, each trying again.
    pub fn warm_up(&self, contexts: &[HearContext]) -> Result<(), PocketSphinxError> {
        let models = contexts
            .iter()
            .map(|context| self.pool.vocabulary().prepare(context));
        self.pool.warm_up(models.collect::<Result<_, _>>()?)
    }

    /// A decoder outside the pool on a clock that counts only its own work, for measurements.
    ///
    /// # Errors
    /// Any [`PocketSphinxError`].
    pub fn measure(&self, context: &HearContext) -> Result<Measurement, PocketSphinxError> {
        Measurement::new(self.pool.clone(), context)
    }
}

impl Hear for PocketSphinx {
    fn name(&self) -> &'static str {
        "pocketsphinx"
    }

    fn trust_permille(&self) -> u16 {
        // A third to two thirds of the words of free conversation are wrong (docs/quality.md).
        500
    }

    fn advice(&self) -> Option<String> {
        Some(
            "This is the recognizer of last resort: it needs no download and mishears a good deal. \
             `antiphon models pull whisper-base.en` on the server gives a better one."
                .to_owned(),
        )
    }

    fn open(&self, context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        let call = Arc::new(Call::new(context, events));
        Box::new(Stream {
            pool: self.pool.clone(),
            call,
            current: None,
        })
    }
}

/// One call's stream.
struct Stream {
    pool: Arc<Pool>,
    call: Arc<Call>,
    current: Option<Current>,
}

struct Current {
    utterance: Arc<Utterance>,
    submitted: bool,
    finished: bool,
}

impl HearStream for Stream {
    fn begin(&mut self, utterance: UtteranceId) {
        if let Some(left) = self.current.take().filter(|current| !current.finished) {
            left.utterance.cancel();
        }
        let utterance = Arc::new(Utterance::new(utterance, self.call.clone()));
        self.current = Some(Current {
            utterance,
            submitted: false,
            finished: false,
        });
    }

    fn push(&mut self, pcm: &[i16]) {
        let Some(current) = self.current.as_mut().filter(|current| !current.finished) else {
            return;
        };
        let samples = current.utterance.push(pcm);
        if !current.submitted && samples >= SUBMIT_SAMPLES {
            current.submitted = true;
            self.pool.submit(current.utterance.clone());
        }
    }

    fn finish(&mut self) {
        let Some(current) = self.current.as_mut().filter(|current| !current.finished) else {
            return;
        };
        current.finished = true;
        current.utterance.finish();
        if !current.submitted {
            current.submitted = true;
            self.pool.submit(current.utterance.clone());
        }
    }

    fn cancel(&mut self) {
        if let Some(current) = self.current.take() {
            current.utterance.cancel();
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.call.close();
        self.cancel();
    }
}
