//! What a call is told of the providers that serve it: choices, fallbacks, costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_proto::GenerationId;
use tokio::sync::mpsc;

use crate::FaultKind;

/// Facts that wait to be read; more are dropped, because they only explain.
const FACTS_MAX: usize = 32;

/// A stage of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Speech to text.
    Hear,
    /// Language.
    Think,
    /// Text to speech.
    Speak,
}

impl Stage {
    /// Its name in events and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hear => "hear",
            Self::Think => "think",
            Self::Speak => "speak",
        }
    }
}

/// Something that a call should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A provider was chosen for a reply.
    Chosen {
        /// The reply.
        generation: GenerationId,
        /// `provider/model`.
        id: Arc<str>,
        /// Why, for people.
        why: &'static str,
    },
    /// A provider failed, and another goes on in its place.
    FellBack {
        /// The stage.
        stage: Stage,
        /// Who failed, `provider/model`.
        from: Arc<str>,
        /// Who goes on; none where nobody is left.
        to: Option<Arc<str>>,
        /// How it failed.
        kind: FaultKind,
    },
}

/// Where a call reads its facts.
pub type FactReceiver = mpsc::Receiver<Fact>;

/// What a call reads of its providers.
#[derive(Debug)]
pub struct CallFacts {
    /// Choices and fallbacks, as they happen.
    pub facts: FactReceiver,
    /// What the call has cost so far.
    pub costs: Arc<Costs>,
}

/// Where they are told.
#[derive(Clone, Debug)]
pub(super) struct Teller(mpsc::Sender<Fact>);

impl Teller {
    pub(super) fn new() -> (Self, FactReceiver) {
        let (sender, receiver) = mpsc::channel(FACTS_MAX);
        (Self(sender), receiver)
    }

    pub(super) fn tell(&self, fact: Fact) {
        // A call that does not read them any more is over; a full channel loses an explanation.
        let _ = self.0.try_send(fact);
    }
}

/// What a call has cost so far, by stage; integers.
#[derive(Debug, Default)]
pub struct Costs {
    hear: AtomicU64,
    think: AtomicU64,
    speak: AtomicU64,
}

impl Costs {
    pub(super) fn add(&self, stage: Stage, picodollars: u64) {
        self.of(stage).fetch_add(picodollars, Ordering::Relaxed);
    }

    /// Spent on a stage, picodollars (10⁻¹² US dollars).
    pub fn picodollars(&self, stage: Stage) -> u64 {
        self.of(stage).load(Ordering::Relaxed)
    }

    /// Spent on all stages, picodollars.
    pub fn total_picodollars(&self) -> u64 {
        [Stage::Hear, Stage::Think, Stage::Speak]
            .map(|stage| self.picodollars(stage))
            .iter()
            .fold(0, |sum, cost| sum.saturating_add(*cost))
    }

    fn of(&self, stage: Stage) -> &AtomicU64 {
        match stage {
            Stage::Hear => &self.hear,
            Stage::Think => &self.think,
            Stage::Speak => &self.speak,
        }
    }
}
