//! Where the acoustic model, dictionary and general language model are.

use std::path::{Path, PathBuf};

use super::PocketSphinxError;

/// Names the folder that holds `en-us/`, `cmudict-en-us.dict` and `en-us.lm.bin`.
pub const MODEL_VARIABLE: &str = "ANTIPHON_POCKETSPHINX_MODEL";

/// Where Debian's `pocketsphinx-en-us` and other builds put the model, in order of preference.
const KNOWN_FOLDERS: [&str; 3] = [
    "/usr/share/pocketsphinx/model/en-us",
    "/usr/local/share/pocketsphinx/model/en-us",
    "/opt/homebrew/share/pocketsphinx/model/en-us",
];

/// The model's files, all found to exist.
#[derive(Clone, Debug)]
pub(super) struct ModelPaths {
    pub(super) acoustic_model: PathBuf,
    pub(super) fillers: PathBuf,
    pub(super) dictionary: PathBuf,
    pub(super) language_model: PathBuf,
}

impl ModelPaths {
    /// The model in `folder`, or else in the folder that [`MODEL_VARIABLE`] names, or else in the
    /// first known folder that exists.
    pub(super) fn find(folder: Option<&Path>) -> Result<Self, PocketSphinxError> {
        if let Some(folder) = folder {
            return Self::in_folder(folder);
        }
        if let Some(folder) = std::env::var_os(MODEL_VARIABLE) {
            return Self::in_folder(Path::new(&folder));
        }
        let known = KNOWN_FOLDERS
            .iter()
            .map(Path::new)
            .find(|folder| folder.is_dir());
        Self::in_folder(known.unwrap_or(Path::new(KNOWN_FOLDERS[0])))
    }

    fn in_folder(folder: &Path) -> Result<Self, PocketSphinxError> {
        let there = |name: &str| {
            let path = folder.join(name);
            if path.exists() {
                Ok(path)
            } else {
                Err(PocketSphinxError::ModelMissing { missing: path })
            }
        };
        Ok(Self {
            acoustic_model: there("en-us")?,
            fillers: there("en-us/noisedict")?,
            dictionary: there("cmudict-en-us.dict")?,
            language_model: there("en-us.lm.bin")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_model_names_the_file_the_package_and_the_variable() {
        let error = ModelPaths::find(Some(Path::new("/nonexistent/model")))
            .map(|_| ())
            .expect_err("no model");
        let text = error.to_string();
        for part in [
            "/nonexistent/model/en-us",
            "pocketsphinx-en-us",
            MODEL_VARIABLE,
        ] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }
}
