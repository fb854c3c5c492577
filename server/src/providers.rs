//! From settings to the providers that calls are made with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_agents::Agent;
#[cfg(feature = "whisper")]
use antiphon_providers::hear::installed::{HEAR_MODEL_VARIABLE, InstalledHear, Watch};
use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};
use antiphon_providers::hear::{Hear, HearContext};
#[cfg(feature = "onnx")]
use antiphon_providers::models::MODELS_FOLDER;
#[cfg(feature = "whisper")]
use antiphon_providers::models::ModelsFolder;
use antiphon_providers::route::{Prices, Router, RouterBuilder, RouterConfig, Stage};
use antiphon_providers::speak::flite::Flite;
#[cfg(feature = "onnx")]
use antiphon_providers::speak::onnx::{OnnxConfig, OnnxVoices};
use antiphon_providers::think::known::all_configured;
use antiphon_providers::think::offline::Offline;

use crate::ServeError;

/// File of own prices.
const PRICES_VARIABLE: &str = "ANTIPHON_PRICES";

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
        let mut builder = RouterBuilder::new(prices, RouterConfig::default());
        let recognizer =
            PocketSphinx::new(PocketSphinxConfig::default()).map_err(|error| fault(&error))?;
        let recognizer = Arc::new(recognizer);
        let offline = Arc::new(Offline::default());
        let vars = |name: &str| std::env::var(name).ok();
        for remote in all_configured(&vars).map_err(|error| fault(&error))? {
            let remote = Arc::new(remote);
            let warming = Arc::clone(&remote);
            tokio::spawn(async move { warming.warm().await });
            builder = builder.think(remote);
        }
        #[cfg(feature = "whisper")]
        {
            builder = builder.hear(Arc::new(installed(data)), "");
        }
        #[cfg(feature = "onnx")]
        {
            // Speaks for the agents that name one of its voices under `[voice.others]`.
            let config = OnnxConfig {
                models: data.join(MODELS_FOLDER),
                ..OnnxConfig::default()
            };
            builder = builder.speak(Arc::new(OnnxVoices::new(config)), "");
        }
        #[cfg(not(any(feature = "whisper", feature = "onnx")))]
        let _ = data;
        let router = builder
            .hear(recognizer.clone(), "")
            .think_last_resort(offline.clone())
            .speak(Arc::new(Flite::new()), "")
            .build()
            .map_err(|error| fault(&error))?;
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
