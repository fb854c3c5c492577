//! From settings to the providers that calls are made with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_agents::Agent;
#[cfg(feature = "whisper")]
use antiphon_providers::hear::installed::{HEAR_MODEL_VARIABLE, InstalledHear, Watch};
use antiphon_providers::hear::known::{KNOWN_HEAR, KnownHear, hear_by_name};
use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};
use antiphon_providers::hear::{Hear, HearContext};
#[cfg(any(feature = "whisper", feature = "onnx"))]
use antiphon_providers::models::ModelsFolder;
use antiphon_providers::net::ConfigError;
use antiphon_providers::route::{Judge, Prices, Router, RouterBuilder, RouterConfig, Stage};
use antiphon_providers::speak::flite::Flite;
use antiphon_providers::speak::known::{KNOWN_SPEAK, speak_by_name};
#[cfg(feature = "onnx")]
use antiphon_providers::speak::onnx::{OnnxConfig, OnnxVoices};
use antiphon_providers::think::RemoteThink;
use antiphon_providers::think::known::{KNOWN, OFFLINE, all_configured, think_by_name};
use antiphon_providers::think::offline::Offline;

use crate::ServeError;

/// Recognizers in the order in which they are tried, e.g. `deepgram,whisper,pocketsphinx`.
pub(crate) const HEAR_VARIABLE: &str = "ANTIPHON_HEAR";
/// Responders, e.g. `anthropic:claude-haiku-4-5,openai,offline`.
pub(crate) const THINK_VARIABLE: &str = "ANTIPHON_THINK";
/// Voice backends, e.g. `elevenlabs,flite`.
pub(crate) const SPEAK_VARIABLE: &str = "ANTIPHON_SPEAK";
/// Who judges a sample of the replies, e.g. `openai:gpt-5.4-mini`; nobody where it is not set.
const JUDGE_VARIABLE: &str = "ANTIPHON_JUDGE";
/// One reply in so many is judged.
const JUDGE_ONE_IN_VARIABLE: &str = "ANTIPHON_JUDGE_ONE_IN";
const JUDGE_ONE_IN: u64 = 20;
/// The best model in the data folder.
const INSTALLED: &str = "whisper";
const POCKETSPHINX: &str = "pocketsphinx";
const FLITE: &str = "flite";
const ONNX: &str = "onnx";
/// File of own prices.
pub(crate) const PRICES_VARIABLE: &str = "ANTIPHON_PRICES";

/// All providers that are configured, the embedded ones behind them.
pub(crate) struct Configured {
    pub(crate) router: Arc<Router>,
    recognizer: Arc<PocketSphinx>,
    offline: Arc<Offline>,
}

impl Configured {
    /// From the environment and the models in the data folder. Must be called within a tokio
    /// runtime. Blocks until the best model is loaded, for a second at most.
    ///
    /// # Errors
    /// Where a variable is set but cannot be used.
    pub(crate) fn from_env(data: &Path) -> Result<Self, ServeError> {
        let fault = |fault: &dyn std::fmt::Display| ServeError::Provider(fault.to_string());
        let prices = match std::env::var_os(PRICES_VARIABLE).filter(|file| !file.is_empty()) {
            Some(file) => Prices::with_file(&PathBuf::from(file)).map_err(|error| fault(&error))?,
            None => Prices::embedded(),
        };
        let recognizer =
            PocketSphinx::new(PocketSphinxConfig::default()).map_err(|error| fault(&error))?;
        let mut parts = Parts {
            builder: RouterBuilder::new(prices, RouterConfig::default()),
            recognizer: Arc::new(recognizer),
            offline: Arc::new(Offline::default()),
            data: data.to_owned(),
        };
        parts.add_hear()?;
        parts.add_think()?;
        parts.add_speak()?;
        parts.add_judge()?;
        let Parts {
            builder,
            recognizer,
            offline,
            ..
        } = parts;
        let router = builder.build().map_err(|error| fault(&error))?;
        Ok(Self {
            router,
            recognizer,
            offline,
        })
    }

    /// Who does what, for people.
    pub(crate) fn summary(&self) -> String {
        let names = |stage| self.router.names(stage).join(", then ");
        format!(
            "hears with {}, thinks with {}, speaks with {}",
            names(Stage::Hear),
            names(Stage::Think),
            names(Stage::Speak)
        )
    }

    /// What a person who starts the server should know of its recognizer.
    pub(crate) fn advice(&self) -> Option<String> {
        let first = self.router.names(Stage::Hear).into_iter().next()?;
        (first == self.recognizer.name()).then(|| self.recognizer.advice())?
    }

    /// Makes the first call as quick as the next: works for seconds.
    pub(crate) fn warm_up(&self, agents: &[Arc<Agent>], contexts: &[HearContext]) {
        for agent in agents {
            self.offline.prepare(agent);
        }
        if let Err(error) = self.recognizer.warm_up(contexts) {
            tracing::error!(%error, "the recognizer is not ready; typing works");
        }
    }
}

/// Providers as they are put together.
struct Parts {
    builder: RouterBuilder,
    recognizer: Arc<PocketSphinx>,
    offline: Arc<Offline>,
    data: PathBuf,
}

impl Parts {
    fn add(&mut self, with: impl FnOnce(RouterBuilder) -> RouterBuilder) {
        let empty = RouterBuilder::new(Prices::embedded(), RouterConfig::default());
        self.builder = with(std::mem::replace(&mut self.builder, empty));
    }

    /// Recognizers: those listed; else those whose keys are set, then the installed model, then
    /// the embedded one.
    fn add_hear(&mut self) -> Result<(), ServeError> {
        let remote = KNOWN_HEAR.iter().map(|known| known.name);
        let names: Vec<&str> = remote.chain([INSTALLED, POCKETSPHINX]).collect();
        for wish in wishes(HEAR_VARIABLE, &names)? {
            match wish.name.as_str() {
                POCKETSPHINX => {
                    let recognizer = self.recognizer.clone();
                    self.add(|builder| builder.hear(recognizer, ""));
                }
                INSTALLED => self.add_installed(),
                name => {
                    let found = hear_by_name(name, wish.model.as_deref(), &var).map_err(config)?;
                    if let Some(hear) = wish.checked(found, key_of(&KNOWN_HEAR, name))? {
                        let known = KNOWN_HEAR.iter().find(|known| known.name == name);
                        let model = known.map_or_else(String::new, |known| {
                            billed(&wish, known.vars.model_var, known.vars.model)
                        });
                        self.add(|builder| builder.hear(hear, &model));
                    }
                }
            }
        }
        Ok(())
    }

    fn add_installed(&mut self) {
        #[cfg(feature = "whisper")]
        {
            let hear = Arc::new(installed(&self.data));
            self.add(|builder| builder.hear(hear, ""));
        }
        #[cfg(not(feature = "whisper"))]
        let _ = &self.data;
    }

    /// Responders: those listed; else those that are set up, and the offline one behind them.
    fn add_think(&mut self) -> Result<(), ServeError> {
        let names: Vec<&str> = KNOWN
            .iter()
            .map(|known| known.name)
            .chain([OFFLINE])
            .collect();
        let listed = wishes(THINK_VARIABLE, &names)?;
        if listed.iter().all(|wish| !wish.listed) {
            for remote in
                all_configured(&var).map_err(|error| ServeError::Provider(error.to_string()))?
            {
                self.add_remote(remote);
            }
            let offline = self.offline.clone();
            self.add(|builder| builder.think_last_resort(offline));
            return Ok(());
        }
        for wish in listed {
            if wish.name == OFFLINE {
                let offline = self.offline.clone();
                self.add(|builder| builder.think_last_resort(offline));
                continue;
            }
            let known = KNOWN.iter().find(|known| known.name == wish.name);
            let Some(known) = known else { continue };
            let fault = |error: &dyn std::fmt::Display| ServeError::Provider(error.to_string());
            let config = known.config(wish.model.as_deref(), &var);
            let config = config.map_err(|error| fault(&error))?;
            let key = known.key_vars.first().copied().unwrap_or(known.url_var);
            if let Some(config) = wish.checked(config, key)? {
                self.add_remote(known.with(config).map_err(|error| fault(&error))?);
            }
        }
        Ok(())
    }

    /// Pulled voices: an agent uses one that its file names under `[voice]`, `others`.
    fn add_onnx(&mut self) {
        #[cfg(feature = "onnx")]
        {
            let config = OnnxConfig {
                models: ModelsFolder::of_data(&self.data).path().to_owned(),
                ..OnnxConfig::default()
            };
            let voices = Arc::new(OnnxVoices::new(config));
            self.add(|builder| builder.speak(voices, ""));
        }
    }

    fn add_remote(&mut self, remote: RemoteThink) {
        let remote = Arc::new(remote);
        let warming = Arc::clone(&remote);
        tokio::spawn(async move { warming.warm().await });
        self.add(|builder| builder.think(remote));
    }

    /// The judge of a sample of the replies, where one is named.
    fn add_judge(&mut self) -> Result<(), ServeError> {
        let Some(named) = var(JUDGE_VARIABLE).filter(|named| !named.trim().is_empty()) else {
            return Ok(());
        };
        let fault = |error: &dyn std::fmt::Display| ServeError::Provider(error.to_string());
        let one_in = match var(JUDGE_ONE_IN_VARIABLE) {
            None => JUDGE_ONE_IN,
            Some(number) => number.trim().parse().map_err(|_| {
                fault(&format!(
                    "{JUDGE_ONE_IN_VARIABLE} is `{number}`; write a whole number such as 20"
                ))
            })?,
        };
        let (name, model) = match named.split_once(':') {
            Some((name, model)) => (name, Some(model)),
            None => (named.as_str(), None),
        };
        let found = think_by_name(name.trim(), model, &var).map_err(|error| fault(&error))?;
        let think = found.ok_or_else(|| {
            fault(&format!(
                "{JUDGE_VARIABLE} names `{name}`, which is not set up; see docs/providers.md"
            ))
        })?;
        self.add(|builder| builder.judge(Judge::new(think, one_in)));
        Ok(())
    }

    /// Voices: those listed; else those whose keys are set, then the embedded ones.
    fn add_speak(&mut self) -> Result<(), ServeError> {
        let remote = KNOWN_SPEAK.iter().map(|known| known.name);
        let names: Vec<&str> = remote.chain([ONNX, FLITE]).collect();
        for wish in wishes(SPEAK_VARIABLE, &names)? {
            if wish.name == ONNX {
                self.add_onnx();
                continue;
            }
            if wish.name == FLITE {
                self.add(|builder| builder.speak(Arc::new(Flite::new()), ""));
                continue;
            }
            let found = speak_by_name(&wish.name, wish.model.as_deref(), &var).map_err(config)?;
            let known = KNOWN_SPEAK.iter().find(|known| known.name == wish.name);
            let key = known.map_or("its key", |known| known.vars.key);
            if let Some(speak) = wish.checked(found, key)? {
                let model = known.map_or_else(String::new, |known| {
                    billed(&wish, known.vars.model_var, known.vars.model)
                });
                self.add(|builder| builder.speak(speak, &model));
            }
        }
        Ok(())
    }
}

/// One entry of a list such as `deepgram,whisper` or `openai:gpt-4o-mini,anthropic`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    name: String,
    model: Option<String>,
    /// True where a person listed it; else it is used only where it is set up.
    listed: bool,
}

impl Wish {
    /// What was found for it. A listed one that is not set up is a fault.
    fn checked<T>(&self, found: Option<T>, needs: &str) -> Result<Option<T>, ServeError> {
        if found.is_none() && self.listed {
            return Err(ServeError::Provider(format!(
                "`{}` is listed but not set up: set {needs}, or take it off the list",
                self.name
            )));
        }
        Ok(found)
    }
}

/// The entries of a list variable; all of `names` where it is not set.
fn wishes(variable: &str, names: &[&str]) -> Result<Vec<Wish>, ServeError> {
    let list = var(variable).filter(|list| !list.trim().is_empty());
    let Some(list) = list else {
        let all = names.iter().map(|name| Wish {
            name: (*name).to_owned(),
            model: None,
            listed: false,
        });
        return Ok(all.collect());
    };
    parse_wishes(variable, &list, names)
}

fn parse_wishes(variable: &str, list: &str, names: &[&str]) -> Result<Vec<Wish>, ServeError> {
    let entries = list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let wish = |entry: &str| {
        let (name, model) = match entry.split_once(':') {
            Some((name, model)) => (name, Some(model.to_owned())),
            None => (entry, None),
        };
        if !names.contains(&name) {
            return Err(ServeError::Provider(format!(
                "{variable} names `{name}`, which there is not; there are: {}",
                names.join(", ")
            )));
        }
        Ok(Wish {
            name: name.to_owned(),
            model,
            listed: true,
        })
    };
    entries.map(wish).collect()
}

/// The model that a provider is billed as.
fn billed(wish: &Wish, model_var: &str, default: &str) -> String {
    let named = wish.model.clone().or_else(|| var(model_var));
    named
        .filter(|model| !model.trim().is_empty())
        .unwrap_or_else(|| default.to_owned())
}

fn key_of<'a>(known: &'a [KnownHear], name: &str) -> &'a str {
    let known = known.iter().find(|known| known.name == name);
    known.map_or("its key", |known| known.vars.key)
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn config(error: ConfigError) -> ServeError {
    ServeError::Provider(error.to_string())
}

/// The recognizer of the best installed model, which is watched for.
#[cfg(feature = "whisper")]
fn installed(data: &Path) -> InstalledHear {
    let folder = ModelsFolder::of_data(data);
    let wanted = std::env::var(HEAR_MODEL_VARIABLE)
        .ok()
        .filter(|wanted| !wanted.is_empty());
    if let Some(wanted) = wanted.as_ref()
        && folder.installed(wanted).is_none()
    {
        tracing::warn!(
            "{HEAR_MODEL_VARIABLE} names {wanted}, which is not installed; `antiphon models pull \
             {wanted}` fetches it"
        );
    }
    InstalledHear::watching(Watch::new(folder, wanted))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn lists_name_providers_and_models() {
        let read = |list: &str| parse_wishes("X", list, &["a", "b"]);
        let wish = |name: &str, model: Option<&str>| Wish {
            name: name.to_owned(),
            model: model.map(str::to_owned),
            listed: true,
        };
        assert_eq!(read("a").unwrap(), [wish("a", None)]);
        assert_eq!(
            read(" b:large , a,").unwrap(),
            [wish("b", Some("large")), wish("a", None)]
        );
        let told = read("a,c").unwrap_err().to_string();
        assert!(
            told.contains("X names `c`") && told.contains("a, b"),
            "{told}"
        );
    }

    #[test]
    fn a_listed_provider_that_is_not_set_up_is_a_fault() {
        let mut wish = Wish {
            name: "deepgram".to_owned(),
            model: None,
            listed: true,
        };
        let told = wish.checked(None::<()>, "DEEPGRAM_API_KEY").unwrap_err();
        assert!(told.to_string().contains("set DEEPGRAM_API_KEY"), "{told}");
        wish.listed = false;
        assert_eq!(wish.checked(None::<()>, "").unwrap(), None);
    }
}
