//! What can go wrong with the voices of this machine.

use std::path::PathBuf;

/// Why nothing is spoken, and what to do. Never the words.
#[derive(Debug, thiserror::Error)]
pub(super) enum OnnxError {
    /// The listener is gone.
    #[error("nobody listens")]
    Unheard,
    #[error("{0}")]
    Voice(String),
    #[error("a text of {bytes} bytes; at most 20000 are spoken")]
    TooLong { bytes: usize },
    #[error(
        "ONNX Runtime's library cannot be loaded ({reason}); `antiphon models pull onnxruntime` \
         fetches it, or set ORT_DYLIB_PATH to libonnxruntime.so"
    )]
    NoLibrary { reason: String },
    #[error("{program} cannot be run ({reason}); install the package espeak-ng")]
    NoEspeak { program: String, reason: String },
    #[error("espeak-ng failed: {0}")]
    Espeak(String),
    #[error("the voice's file {path} cannot be used: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("the voice's model failed: {0}")]
    Model(String),
    #[error("the voice took too long")]
    TooSlow,
}

impl OnnxError {
    pub(super) fn file(path: &std::path::Path, reason: impl ToString) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl From<ort::Error> for OnnxError {
    fn from(error: ort::Error) -> Self {
        Self::Model(error.to_string())
    }
}
