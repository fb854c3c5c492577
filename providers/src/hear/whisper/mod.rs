//! Whisper by whisper.cpp, in this process: the recognizer that one pulled model gives.
//!
//! ```text
//! HearStream -> Utterance (audio, when a partial is due) -> Pool (finals first)
//!            -> Decoder (whisper.cpp) -> Transcript (cleaned, with times) -> HearEvent
//! ```
//!
//! Whisper knows no streaming: a partial decodes the utterance again from its start, when that is
//! cheap enough, and a final decodes all of it once its end is known. The encoder's context is cut
//! to the utterance, else the shortest word would cost as much as 30 s. A cancelled utterance is
//! silent at once; its work stops at the next token or at the end of the encoder's pass.

mod decoder;
mod pool;
mod transcript;
mod utterance;

use std::path::PathBuf;
use std::sync::Arc;

use antiphon_proto::UtteranceId;
use tokio::sync::mpsc;

use super::ggml::ModelFileError;
use super::{Hear, HearCapabilities, HearContext, HearEvent, HearStream};
use decoder::Model;
use pool::Pool;
use utterance::{Call, Utterance};

pub use pool::WAITING_UTTERANCES_MAX;
pub use utterance::UTTERANCE_S_MAX;

/// Threads of a decoder at most: more make one utterance little faster and all others slower.
pub const THREADS_MAX: usize = 2;

/// How much of its context the encoder works on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AudioContext {
    /// As much as the utterance needs, and a margin.
    #[default]
    Cut,
    /// All of it, 30 s, whatever the utterance.
    Full,
}

/// How the recognizer is set up.
#[derive(Clone, Debug)]
pub struct WhisperConfig {
    /// Decoders at once. Where absent, as many as the processor's cores serve.
    pub decoders_max: Option<usize>,
    /// Threads of a decoder. Where absent, [`THREADS_MAX`], or one where there are fewer than four
    /// cores.
    pub threads: Option<usize>,
    /// The encoder's context.
    pub audio_context: AudioContext,
    /// Whether there are partials.
    pub partials: bool,
    /// Tokens of an utterance at most, in place of what its length allows; for measurements.
    pub tokens_max: Option<usize>,
}

impl Default for WhisperConfig {
    fn default() -> Self {
        Self {
            decoders_max: None,
            threads: None,
            audio_context: AudioContext::Cut,
            partials: true,
            tokens_max: None,
        }
    }
}

/// The recognizer, shared by all calls.
pub struct Whisper {
    pool: Arc<Pool>,
}

/// What can go wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum WhisperFault {
    /// The file is no model, or not a whole one.
    #[error("{path}: {source}. Fetch it again with `antiphon models pull`")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelFileError,
    },
    /// The library refused it.
    #[error("{path}: whisper.cpp could not load it. Is there enough memory?")]
    Load {
        /// The file.
        path: PathBuf,
    },
    /// The processor is too old.
    #[error("this processor has no {feature}, which the recognizer is built for")]
    Processor {
        /// What it lacks.
        feature: &'static str,
    },
    /// A decoding failed.
    #[error("whisper.cpp failed: {reason}")]
    Decode {
        /// The library's reason.
        reason: String,
    },
}

impl Whisper {
    /// Checks and loads a model, which takes a second for the larger ones. Blocks.
    ///
    /// # Errors
    /// [`WhisperFault`].
    pub fn load(model: impl Into<PathBuf>, config: WhisperConfig) -> Result<Self, WhisperFault> {
        let model = Model::load(&model.into())?;
        Ok(Self {
            pool: Arc::new(Pool::new(model, config)),
        })
    }

    /// Decodes once, so that the first caller does not wait for memory. Blocks.
    ///
    /// # Errors
    /// [`WhisperFault::Decode`].
    pub fn warm_up(&self) -> Result<(), WhisperFault> {
        self.pool.warm_up()
    }

    /// Decoders made for utterances so far.
    pub fn decoders_made(&self) -> usize {
        self.pool.decoders_made()
    }
}

impl Hear for Whisper {
    fn name(&self) -> &'static str {
        "whisper"
    }

    fn trust_permille(&self) -> u16 {
        // Published word error rates of tiny to small on clean English are 3 to 8 %; on the
        // telephone more. Not measured here.
        900
    }

    fn capabilities(&self) -> HearCapabilities {
        HearCapabilities {
            word_times: true,
            multilingual: self.pool.model().is_multilingual(),
            remote: false,
        }
    }

    fn open(&self, context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        Box::new(Stream {
            pool: self.pool.clone(),
            call: Arc::new(Call::new(context, events)),
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
    finished: bool,
}

impl HearStream for Stream {
    fn begin(&mut self, utterance: UtteranceId) {
        if let Some(left) = self.current.take().filter(|current| !current.finished) {
            left.utterance.cancel();
        }
        self.current = Some(Current {
            utterance: Arc::new(Utterance::new(utterance, self.call.clone())),
            finished: false,
        });
    }

    fn push(&mut self, pcm: &[i16]) {
        let Some(current) = self.current.as_ref().filter(|current| !current.finished) else {
            return;
        };
        current.utterance.push(pcm);
        if self.pool.wants_partials()
            && current.utterance.wants_partial()
            && !self.pool.submit_partial(current.utterance.clone())
        {
            current.utterance.skip_partial();
        }
    }

    fn finish(&mut self) {
        let Some(current) = self.current.as_mut().filter(|current| !current.finished) else {
            return;
        };
        current.finished = true;
        current.utterance.finish();
        self.pool.submit_final(current.utterance.clone());
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
