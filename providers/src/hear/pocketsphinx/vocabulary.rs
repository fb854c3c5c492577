//! What agents' callers say, made into files that decoders load: one language model an agent and
//! one dictionary with every word that Debian's lacks. Built once, shared by all decoders.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::PocketSphinxError;
use super::decoder::{AgentModel, Decoder, GENERAL};
use super::g2p;
use super::lm::PhraseModel;
use super::model::ModelPaths;
use crate::hear::{HearContext, spoken_words};

/// Phrases of one agent that are read; what follows is ignored and logged.
const PHRASES_MAX: usize = 50_000;

/// Prepared models remembered; beyond it the memory starts afresh. Decoders bound what they load.
const MODELS_MAX: usize = 1_000;

/// Weight of an agent's own model against the general one where speech outside its phrases is
/// expected too.
pub(super) const OPEN_WEIGHT: f32 = 0.3;

/// Files and words that all decoders share.
pub(super) struct Vocabulary {
    paths: ModelPaths,
    dictionary_words: HashSet<Box<str>>,
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Words that the dictionary lacks and their pronunciations.
    added: BTreeMap<String, String>,
    /// Counts changes of `added`; 0 is Debian's own dictionary.
    version: u64,
    models: HashMap<u64, Arc<Prepared>>,
}

/// What a decoder needs before it can listen for an agent.
pub(super) struct Prepared {
    /// Name of the search.
    name: String,
    /// The agent's model and its weight; `None` for the general model alone.
    arpa: Option<(PathBuf, f32)>,
    /// The first dictionary with all its words.
    lexicon_version: u64,
}

impl Vocabulary {
    /// Reads the dictionary's words.
    pub(super) fn new(paths: ModelPaths) -> Result<Self, PocketSphinxError> {
        let text =
            fs::read_to_string(&paths.dictionary).map_err(|source| PocketSphinxError::File {
                path: paths.dictionary.clone(),
                source,
            })?;
        let dictionary_words = text
            .lines()
            .filter_map(|row| row.split_whitespace().next())
            .map(Box::from)
            .collect();
        let folder = scratch_folder()?;
        Ok(Self {
            paths,
            dictionary_words,
            folder,
            state: Mutex::default(),
        })
    }

    /// The model files.
    pub(super) fn paths(&self) -> &ModelPaths {
        &self.paths
    }

    /// The files for `context`, written unless they are there. Some milliseconds for a few hundred
    /// phrases; blocks.
    pub(super) fn prepare(
        &self,
        context: &HearContext,
    ) -> Result<Arc<Prepared>, PocketSphinxError> {
        let key = key(context);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = state.models.get(&key) {
            return Ok(prepared.clone());
        }
        let is_word = |word: &str| self.dictionary_words.contains(word);
        if context.phrases.len() > PHRASES_MAX {
            tracing::warn!(
                agent = context.agent,
                phrases = context.phrases.len(),
                "phrases left out of the model"
            );
        }
        let phrases: Vec<Vec<String>> = context
            .phrases
            .iter()
            .take(PHRASES_MAX)
            .map(|phrase| spoken_words(phrase, is_word))
            .collect();
        let (pronounced, added) = self.pronounced(phrases);
        let prepared = match PhraseModel::new(&pronounced) {
            None => Prepared {
                name: GENERAL.to_owned(),
                arpa: None,
                lexicon_version: 0,
            },
            Some(model) => {
                self.add_words(&mut state, added)?;
                let name = format!("agent-{key:016x}");
                let path = self.folder.join(format!("{name}.lm"));
                write_file(&path, model.to_arpa().as_bytes())?;
                let weight = if context.closed { 1.0 } else { OPEN_WEIGHT };
                tracing::debug!(
                    agent = context.agent,
                    words = model.vocabulary().len(),
                    "language model built"
                );
                Prepared {
                    name,
                    arpa: Some((path, weight)),
                    lexicon_version: state.version,
                }
            }
        };
        let prepared = Arc::new(prepared);
        if state.models.len() >= MODELS_MAX {
            state.models.clear();
        }
        state.models.insert(key, prepared.clone());
        Ok(prepared)
    }

    /// Makes `decoder` listen for what `prepared` describes.
    pub(super) fn load(
        &self,
        decoder: &mut Decoder,
        prepared: &Prepared,
    ) -> Result<(), PocketSphinxError> {
        if decoder.lexicon_version < prepared.lexicon_version {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let version = state.version;
            drop(state);
            decoder.load_dictionary(&self.paths, &self.dictionary_file(version))?;
            decoder.lexicon_version = version;
        }
        match &prepared.arpa {
            None => decoder.select(&prepared.name),
            Some((arpa, weight)) => decoder.use_agent(&AgentModel {
                name: &prepared.name,
                arpa,
                weight: *weight,
            }),
        }
    }

    /// The phrases without words that cannot be pronounced, and pronunciations of the words that
    /// the dictionary lacks.
    fn pronounced(
        &self,
        mut phrases: Vec<Vec<String>>,
    ) -> (Vec<Vec<String>>, BTreeMap<String, String>) {
        let mut added = BTreeMap::new();
        for phrase in &mut phrases {
            phrase.retain(|word| {
                if self.dictionary_words.contains(word.as_str()) || added.contains_key(word) {
                    return true;
                }
                match g2p::pronounce(word) {
                    Some(phones) => {
                        added.insert(word.clone(), phones);
                        true
                    }
                    None => false,
                }
            });
        }
        (phrases, added)
    }

    fn add_words(
        &self,
        state: &mut State,
        added: BTreeMap<String, String>,
    ) -> Result<(), PocketSphinxError> {
        let before = state.added.len();
        state.added.extend(added);
        if state.added.len() == before {
            return Ok(());
        }
        let mut text =
            fs::read(&self.paths.dictionary).map_err(|source| PocketSphinxError::File {
                path: self.paths.dictionary.clone(),
                source,
            })?;
        for (word, phones) in &state.added {
            text.extend_from_slice(format!("{word} {phones}\n").as_bytes());
        }
        write_file(&self.dictionary_file(state.version + 1), &text)?;
        state.version += 1;
        if state.version > 2 {
            // A decoder that is about to read the one before may still need it; older ones go.
            let _ = fs::remove_file(self.dictionary_file(state.version - 2));
        }
        Ok(())
    }

    fn dictionary_file(&self, version: u64) -> PathBuf {
        self.folder.join(format!("words-{version}.dict"))
    }
}

impl Drop for Vocabulary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "scratch folder left behind");
        }
    }
}

fn key(context: &HearContext) -> u64 {
    let mut hasher = DefaultHasher::new();
    context.agent.hash(&mut hasher);
    context.closed.hash(&mut hasher);
    context.phrases.hash(&mut hasher);
    hasher.finish()
}

/// A folder of our own under the system's folder for temporary files, removed with the vocabulary.
fn scratch_folder() -> Result<PathBuf, PocketSphinxError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("antiphon-hear-{}-{count}", std::process::id()));
    // What a process with the same number left behind is not trusted.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).map_err(|source| PocketSphinxError::File {
        path: folder.clone(),
        source,
    })?;
    Ok(folder)
}

fn write_file(path: &Path, content: &[u8]) -> Result<(), PocketSphinxError> {
    fs::File::create(path)
        .and_then(|mut file| file.write_all(content))
        .map_err(|source| PocketSphinxError::File {
            path: path.to_owned(),
            source,
        })
}
