//! Which voices a models folder holds.

use std::path::{Path, PathBuf};

use super::{npz, piper};

/// Models looked at in a folder.
const MODELS_MAX: usize = 200;
/// Kokoro's rate, in Hz.
const KOKORO_RATE_HZ: u32 = 24_000;

/// The files of one voice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct VoiceFiles {
    pub(super) model: PathBuf,
    pub(super) kind: Kind,
    pub(super) rate_hz: u32,
    /// The name by which espeak-ng knows its language.
    pub(super) espeak_voice: String,
}

/// What kind of model speaks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// One voice and its settings.
    Piper(Box<piper::Settings>),
    /// Many voices in a file beside the model.
    Kokoro { styles: PathBuf },
}

/// The voice of that name: the folder of a Piper model (`piper-joe`), or one of Kokoro's
/// (`af_heart`).
pub(super) fn find(models: &Path, voice: &str) -> Option<VoiceFiles> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if voice.is_empty() || voice.starts_with('.') || !voice.chars().all(plain) {
        return None;
    }
    if let Some(files) = piper_in(&models.join(voice)) {
        return Some(files);
    }
    folders(models).into_iter().find_map(|folder| {
        let (model, styles) = kokoro_in(&folder)?;
        let known = npz::names(&styles).ok()?.iter().any(|name| name == voice);
        known.then(|| VoiceFiles {
            model,
            kind: Kind::Kokoro { styles },
            rate_hz: KOKORO_RATE_HZ,
            espeak_voice: language(voice).to_owned(),
        })
    })
}

/// All voices there are, by name.
pub(super) fn names(models: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for folder in folders(models) {
        if piper_in(&folder).is_some() {
            names.extend(
                folder
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        } else if let Some((_, styles)) = kokoro_in(&folder) {
            names.extend(npz::names(&styles).unwrap_or_default());
        }
    }
    names.sort();
    names
}

fn folders(models: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(models) else {
        return Vec::new();
    };
    let paths = entries
        .take(MODELS_MAX)
        .filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn files_with(folder: &Path, ending: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let paths = entries
        .take(MODELS_MAX)
        .filter_map(|entry| Some(entry.ok()?.path()));
    let named = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().ends_with(ending))
    };
    paths.filter(named).min()
}

/// A model with its settings beside it (`X.onnx`, `X.onnx.json`).
fn piper_in(folder: &Path) -> Option<VoiceFiles> {
    let settings = files_with(folder, ".onnx.json")?;
    let model = settings.with_extension("");
    let settings = piper::Settings::read(&settings)
        .ok()
        .filter(|_| model.is_file())?;
    Some(VoiceFiles {
        model,
        rate_hz: settings.rate_hz,
        espeak_voice: settings.espeak_voice.clone(),
        kind: Kind::Piper(Box::new(settings)),
    })
}

/// A model with the styles of its voices beside it (`kokoro….onnx`, `voices….bin`).
fn kokoro_in(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let styles = files_with(folder, ".bin")?;
    let model = files_with(folder, ".onnx")?;
    let named = styles.file_name()?.to_string_lossy().starts_with("voices");
    named.then_some((model, styles))
}

/// The language of one of Kokoro's voices, by the first letter of its name.
fn language(voice: &str) -> &'static str {
    match voice.as_bytes().first() {
        Some(b'b') => "en-gb",
        Some(b'e') => "es",
        Some(b'f') => "fr-fr",
        Some(b'h') => "hi",
        Some(b'i') => "it",
        Some(b'j') => "ja",
        Some(b'p') => "pt-br",
        Some(b'z') => "cmn",
        Some(_) | None => "en-us",
    }
}
