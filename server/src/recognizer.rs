//! What `antiphon serve` hears with: the best installed Whisper model, or PocketSphinx.

use std::path::Path;
use std::sync::Arc;

use antiphon_providers::hear::local::LocalHear;
use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};
use antiphon_providers::hear::{Hear, HearContext};

use crate::ServeError;

/// The recognizer of the server.
pub(crate) struct Recognizer {
    last_resort: Arc<PocketSphinx>,
    local: Arc<LocalHear>,
}

impl Recognizer {
    /// Finds and loads the recognizers there are. Blocks, for a second at most.
    ///
    /// # Errors
    /// [`ServeError::Provider`] where even the last resort cannot be used.
    pub(crate) fn open(data: &Path) -> Result<Self, ServeError> {
        let last_resort = PocketSphinx::new(PocketSphinxConfig::default())
            .map_err(|fault| ServeError::Provider(fault.to_string()))?;
        let last_resort = Arc::new(last_resort);
        let local = Arc::new(LocalHear::new(last_resort.clone()));
        watch(&local, data);
        Ok(Self { last_resort, local })
    }

    /// What sessions are made with.
    pub(crate) fn hear(&self) -> Arc<dyn Hear> {
        self.local.clone()
    }

    /// What a person who starts the server should know of it.
    pub(crate) fn startup_line(&self) -> Option<String> {
        self.local.advice()
    }

    /// Makes ready what calls are heard with at the start. Blocks for seconds.
    pub(crate) fn warm_up(&self, contexts: &[HearContext]) {
        // A loaded model is warm already, and the last resort needs 100 MB for each core.
        if self.local.name() != self.last_resort.name() {
            return;
        }
        if let Err(error) = self.last_resort.warm_up(contexts) {
            tracing::error!(%error, "the recognizer is not ready; typing works");
        }
    }
}

#[cfg(feature = "whisper")]
fn watch(local: &LocalHear, data: &Path) {
    use antiphon_providers::hear::local::{HEAR_MODEL_VARIABLE, Watch};
    use antiphon_providers::models::ModelsFolder;

    let folder = ModelsFolder::of_data(data);
    let wanted = std::env::var(HEAR_MODEL_VARIABLE)
        .ok()
        .filter(|wanted| !wanted.is_empty());
    if let Some(wanted) = wanted.as_ref()
        && !folder.all().iter().any(|found| found.model.name == *wanted)
    {
        tracing::warn!(
            "{HEAR_MODEL_VARIABLE} names {wanted}, which is not installed; `antiphon models pull \
             {wanted}` fetches it"
        );
    }
    local.watch(Watch::new(folder, wanted));
}

#[cfg(not(feature = "whisper"))]
fn watch(_local: &LocalHear, _data: &Path) {}
