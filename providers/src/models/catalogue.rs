//! What can be fetched.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Environment variable that names an own catalogue.
pub const CATALOGUE_VARIABLE: &str = "ANTIPHON_MODELS_CATALOGUE";

/// The built-in catalogue.
const BUILT_IN: &str = include_str!("catalogue.toml");

/// Longest name of a model or file, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// The models that can be fetched.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    #[serde(rename = "model", default)]
    models: Vec<Model>,
}

/// A model: some files under one name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its name, e.g. `whisper-base.en`; also its folder's.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Among the installed models of a kind, the one of the highest rank is used.
    #[serde(default)]
    pub rank: u32,
    /// One line of what it is.
    pub what: String,
    /// Codes of its languages; `many` where there are dozens, `any` where it does not matter.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Its licence.
    pub licence: Licence,
    /// Its files.
    #[serde(rename = "file")]
    pub files: Vec<ModelFile>,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Speech recognition.
    Hear,
    /// Voice activity.
    Vad,
    /// A voice.
    Voice,
    /// The library that runs others.
    Runtime,
    /// End of turn.
    Turn,
}

impl Kind {
    /// Its name in the catalogue and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hear => "hear",
            Self::Vad => "vad",
            Self::Voice => "voice",
            Self::Runtime => "runtime",
            Self::Turn => "turn",
        }
    }
}

/// A licence.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// SPDX identifier where there is one.
    pub name: String,
    /// Where it can be read.
    pub url: String,
}

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Its name in the model's folder.
    pub name: String,
    /// The machine it is for, `ARCH-OS` as in [`this_machine`]; every machine where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Where it is fetched from: `https`, or `http` for an own server.
    pub url: String,
    /// Size of the download, in bytes.
    pub bytes: u64,
    /// SHA-256 of the download, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Where hash and size were found.
    #[serde(default)]
    pub source: String,
    /// What is kept of a download that is a zip archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Member>,
}

/// A file within a zip archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its path in the archive.
    pub path: String,
    /// Its size unpacked, in bytes.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("the catalogue {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is not a catalogue.
    #[error("{name}: {source}")]
    Syntax {
        /// Its name.
        name: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// An entry cannot be right.
    #[error("{name}: model {model}: {what}")]
    Entry {
        /// The catalogue's name.
        name: String,
        /// The model.
        model: String,
        /// What is wrong.
        what: String,
    },
}

/// This machine as [`ModelFile::platform`] names it, e.g. `x86_64-linux`.
pub fn this_machine() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

impl Catalogue {
    /// The built-in catalogue.
    ///
    /// # Panics
    /// Never: a test parses it.
    pub fn built_in() -> Self {
        match Self::parse("the built-in catalogue", BUILT_IN) {
            Ok(catalogue) => catalogue,
            Err(fault) => unreachable!("{fault}"),
        }
    }

    /// Reads a catalogue from a file, or takes the built-in one.
    ///
    /// # Errors
    /// [`CatalogueError`].
    pub fn load(own: Option<&Path>) -> Result<Self, CatalogueError> {
        let Some(path) = own else {
            return Ok(Self::built_in());
        };
        let text = std::fs::read_to_string(path).map_err(|source| CatalogueError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Parses a catalogue; `name` is for errors.
    ///
    /// # Errors
    /// [`CatalogueError::Syntax`] and [`CatalogueError::Entry`].
    pub fn parse(name: &str, text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = toml::from_str(text).map_err(|source| CatalogueError::Syntax {
            name: name.to_owned(),
            source: Box::new(source),
        })?;
        let mut names = HashSet::new();
        for model in &catalogue.models {
            let wrong = if names.insert(&model.name) {
                fault_of(model)
            } else {
                Some("it is there twice".to_owned())
            };
            if let Some(what) = wrong {
                return Err(CatalogueError::Entry {
                    name: name.to_owned(),
                    model: model.name.clone(),
                    what,
                });
            }
        }
        Ok(catalogue)
    }

    /// Its models, in order.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model of that name.
    pub fn find(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// Names of which `asked` may be a slip, best first.
    pub fn near(&self, asked: &str) -> Vec<&str> {
        let asked = asked.to_lowercase();
        let near = |name: &str| name.contains(&asked) || asked.contains(name);
        self.models
            .iter()
            .map(|model| model.name.as_str())
            .filter(|name| near(&name.to_lowercase()))
            .collect()
    }
}

impl Model {
    /// Its files for this machine.
    pub fn files_here(&self) -> Vec<&ModelFile> {
        let here = this_machine();
        let fits = |file: &&ModelFile| file.platform.as_ref().is_none_or(|for_| *for_ == here);
        self.files.iter().filter(fits).collect()
    }

    /// Bytes that are downloaded for this machine.
    pub fn download_bytes(&self) -> u64 {
        self.files_here().iter().map(|file| file.bytes).sum()
    }
}

impl ModelFile {
    /// Its size where it is installed, in bytes.
    pub fn installed_bytes(&self) -> u64 {
        self.member
            .as_ref()
            .map_or(self.bytes, |member| member.bytes)
    }

    /// The SHA-256 of the installed file.
    pub fn installed_sha256(&self) -> &str {
        self.member
            .as_ref()
            .map_or(&self.sha256, |member| &member.sha256)
    }
}

/// What cannot be right with an entry.
fn fault_of(model: &Model) -> Option<String> {
    if !is_name(&model.name) {
        return Some("a name has letters, digits, '.', '_' and '-' only".to_owned());
    }
    if model.files.is_empty() {
        return Some("it has no file".to_owned());
    }
    let mut names = HashSet::new();
    for file in &model.files {
        if !is_name(&file.name) || file.name == super::folder::MANIFEST {
            return Some(format!("{:?} cannot be the name of a file", file.name));
        }
        if !names.insert((&file.name, &file.platform)) {
            return Some(format!("the file {} is there twice", file.name));
        }
        if !file.url.starts_with("https://") && !file.url.starts_with("http://") {
            return Some(format!("{} is no http(s) address", file.url));
        }
        let hashes = [Some(&file.sha256), file.member.as_ref().map(|m| &m.sha256)];
        if let Some(hash) = hashes.into_iter().flatten().find(|hash| !is_sha256(hash)) {
            return Some(format!("{hash:?} is no SHA-256"));
        }
        if file.bytes == 0 || file.installed_bytes() == 0 {
            return Some(format!("the file {} has no size", file.name));
        }
    }
    None
}

/// A name that is safe as that of a file: no separator, and no dot in front.
fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.starts_with('.')
        && !name.ends_with(".part")
        && name.chars().all(fine)
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[model]]
name = "tiny"
kind = "hear"
what = "x"
licence = { name = "MIT", url = "https://example.org" }
[[model.file]]
name = "a.bin"
url = "https://example.org/a.bin"
bytes = 3
sha256 = "be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21"
"#;

    #[test]
    fn the_built_in_catalogue_is_sound() {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.models().len(), 18 + 2 + 4 + 1 + 1);
        let base = catalogue.find("whisper-base.en").expect("the advised one");
        assert_eq!(
            (base.kind, base.download_bytes()),
            (Kind::Hear, 147_964_211)
        );
        for file in catalogue.models().iter().flat_map(|model| &model.files) {
            assert!(file.url.starts_with("https://") && !file.source.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        for (from, to, said) in [
            ("\"tiny\"", "\"../tiny\"", "a name has"),
            ("\"a.bin\"", "\"model.json\"", "cannot be the name"),
            ("\"a.bin\"", "\"a/b\"", "cannot be the name"),
            ("https://example.org/a.bin", "ftp://a", "no http(s) address"),
            ("be07", "BE07", "no SHA-256"),
            ("bytes = 3", "bytes = 0", "no size"),
            ("bytes = 3", "bytes = -3", "invalid value"),
            ("\"hear\"", "\"see\"", "unknown variant"),
        ] {
            let fault = Catalogue::parse("own", &GOOD.replace(from, to)).expect_err(to);
            assert!(fault.to_string().contains(said), "{to}: {fault}");
        }
        let twice = Catalogue::parse("own", &GOOD.repeat(2)).expect_err("twice");
        assert!(twice.to_string().contains("twice"), "{twice}");
    }
}
