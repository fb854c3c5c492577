//! The best recognizer of this machine: the best installed Whisper model, or the one that is always
//! there. A model that is installed or removed is noticed without a restart.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;

use super::{Hear, HearCapabilities, HearContext, HearEvent, HearStream};

#[cfg(feature = "whisper")]
mod watch;

#[cfg(feature = "whisper")]
pub use watch::{HEAR_MODEL_VARIABLE, Watch};

/// Chooses for each call.
pub struct LocalHear {
    last_resort: Arc<dyn Hear>,
    chosen: Arc<Chosen>,
    /// Dropped with this recognizer, which ends the thread that watches.
    #[cfg(feature = "whisper")]
    watching: std::sync::Mutex<Option<std::sync::mpsc::Sender<()>>>,
}

/// What is better than the last resort, at the moment.
#[derive(Default)]
struct Chosen(RwLock<Option<Arc<dyn Hear>>>);

impl Chosen {
    fn now(&self) -> Option<Arc<dyn Hear>> {
        let chosen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        chosen.clone()
    }
}

impl LocalHear {
    /// Uses `last_resort` until something better is installed.
    pub fn new(last_resort: Arc<dyn Hear>) -> Self {
        Self {
            last_resort,
            chosen: Arc::default(),
            #[cfg(feature = "whisper")]
            watching: std::sync::Mutex::default(),
        }
    }

    /// What a call would get now.
    pub fn current(&self) -> Arc<dyn Hear> {
        self.chosen
            .now()
            .unwrap_or_else(|| Arc::clone(&self.last_resort))
    }
}

impl Hear for LocalHear {
    fn name(&self) -> &'static str {
        self.current().name()
    }

    fn advice(&self) -> Option<String> {
        self.current().advice()
    }

    fn trust_permille(&self) -> u16 {
        self.current().trust_permille()
    }

    fn capabilities(&self) -> HearCapabilities {
        self.current().capabilities()
    }

    fn for_call(&self) -> Option<Arc<dyn Hear>> {
        Some(self.current())
    }

    fn open(&self, context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        self.current().open(context, events)
    }
}
