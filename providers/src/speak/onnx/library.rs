//! ONNX Runtime's library: found once, loaded once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::OnnxConfig;
use super::error::OnnxError;

/// The library's name on this system.
const NAME: &str = if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// The folder of `antiphon models pull onnxruntime`.
const PULLED: &str = "onnxruntime";

/// Where systems keep libraries.
const SYSTEM: &[&str] = &[
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/opt/homebrew/lib",
];

/// Loads the library where that was not done before. A process loads one.
///
/// # Errors
/// Where there is none, or it cannot be used; asked again, it is looked for again.
pub(super) fn load(config: &OnnxConfig) -> Result<Environment, OnnxError> {
    static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = loaded.as_ref() {
        return Ok(environment.clone());
    }
    let fail = |reason: String| OnnxError::NoLibrary { reason };
    let path = find(config).ok_or_else(|| fail("it is not there".into()))?;
    let environment = ort::init_from(&path).map_err(|error| fail(error.to_string()))?;
    // Nothing is to be told to anyone.
    let environment = environment.with_name("antiphon").with_telemetry(false);
    let environment = environment
        .build()
        .map_err(|error| fail(error.to_string()))?;
    tracing::info!(path = %path.display(), "ONNX Runtime is loaded");
    *loaded = Some(environment.clone());
    Ok(environment)
}

fn find(config: &OnnxConfig) -> Option<PathBuf> {
    let named = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty());
    let given = config.library.clone().or(named.map(PathBuf::from));
    if given.is_some() {
        // Named, it is this one or none.
        return given.filter(|path| path.is_file());
    }
    let pulled = config.models.join(PULLED);
    let folders = [pulled.as_path()]
        .into_iter()
        .chain(SYSTEM.iter().map(Path::new));
    folders
        .map(|folder| folder.join(NAME))
        .find(|path| path.is_file())
}
