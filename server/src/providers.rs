//! From settings to the providers that calls are made with.

use std::path::PathBuf;
use std::sync::Arc;

use antiphon_agents::Agent;
use antiphon_providers::hear::HearContext;
use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};
use antiphon_providers::route::{Prices, Router, RouterBuilder, RouterConfig, Stage};
use antiphon_providers::speak::flite::Flite;
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
    /// From the environment. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where a variable is set but cannot be used.
    pub(crate) fn from_env() -> Result<Self, ServeError> {
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
