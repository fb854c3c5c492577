//! The router: all providers, shared by all calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use antiphon_agents::Agent;

use super::breaker::BreakerConfig;
use super::candidate::{Candidate, CandidateReport};
use super::choose::{self, Choice};
use super::clips::Clips;
use super::facts::{CallFacts, Costs, Stage, Teller};
use super::hear::RoutedHear;
use super::judge::Judge;
use super::prices::{Price, Prices};
use super::speak::RoutedSpeak;
use super::think::RoutedThink;
use crate::hear::Hear;
use crate::speak::Speak;
use crate::think::Think;

/// How long a provider is waited for where another one could go on in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Until the first words of a reply.
    pub think_first: Duration,
    /// Between two pieces of a reply.
    pub think_idle: Duration,
    /// Until the first audio of a sentence.
    pub speak_first: Duration,
    /// Between two pieces of audio.
    pub speak_idle: Duration,
    /// From the end of the person's speech to its transcript.
    pub hear_final: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            think_first: Duration::from_millis(2_000),
            think_idle: Duration::from_millis(2_000),
            speak_first: Duration::from_millis(1_000),
            speak_idle: Duration::from_millis(1_000),
            hear_final: Duration::from_millis(1_500),
        }
    }
}

/// Settings of a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterConfig {
    /// When a provider is left alone.
    pub breaker: BreakerConfig,
    /// How long a provider is waited for.
    pub deadlines: Deadlines,
}

/// All providers with what is known of them.
pub struct Router {
    pub(super) hear: Vec<Candidate<dyn Hear>>,
    pub(super) think: Vec<Candidate<dyn Think>>,
    pub(super) speak: Vec<Candidate<dyn Speak>>,
    pub(super) config: RouterConfig,
    pub(super) started: Instant,
    pub(super) clips: Clips,
    pub(super) judge: Option<Judge>,
    replies: AtomicU64,
    sessions: AtomicU64,
}

/// One call's providers.
pub struct Routed {
    /// The recognizer.
    pub hear: Arc<dyn Hear>,
    /// The responder.
    pub think: Arc<dyn Think>,
    /// The voice backend.
    pub speak: Arc<dyn Speak>,
    /// What the call reads of them.
    pub facts: CallFacts,
}

/// Providers in the order in which they are preferred while nothing is measured.
pub struct RouterBuilder {
    router: Router,
    prices: Prices,
}

impl RouterBuilder {
    /// No providers yet.
    pub fn new(prices: Prices, config: RouterConfig) -> Self {
        Self {
            router: Router {
                hear: Vec::new(),
                think: Vec::new(),
                speak: Vec::new(),
                config,
                started: Instant::now(),
                clips: Clips::default(),
                judge: None,
                replies: AtomicU64::new(0),
                sessions: AtomicU64::new(0),
            },
            prices,
        }
    }

    fn price(&self, id: &str, remote: bool) -> Option<Price> {
        match self.prices.of(id) {
            Some(price) => Some(price.clone()),
            None if !remote => Some(Price::local()),
            None => None,
        }
    }

    /// Adds a recognizer. `model` is what it is billed as.
    #[must_use]
    pub fn hear(mut self, provider: Arc<dyn Hear>, model: &str) -> Self {
        let id = format!("{}/{model}", provider.name());
        let price = self.price(&id, provider.capabilities().remote);
        let breaker = self.router.config.breaker;
        let candidate = Candidate::new(Stage::Hear, id, provider, price, breaker);
        self.router.hear.push(candidate);
        self
    }

    /// Adds a responder.
    #[must_use]
    pub fn think(mut self, provider: Arc<dyn Think>) -> Self {
        let id = format!("{}/{}", provider.name(), provider.model());
        let price = self.price(&id, provider.capabilities().remote);
        let breaker = self.router.config.breaker;
        let candidate = Candidate::new(Stage::Think, id, provider, price, breaker);
        self.router.think.push(candidate);
        self
    }

    /// Adds a responder that is asked only when all others fail.
    #[must_use]
    pub fn think_last_resort(self, provider: Arc<dyn Think>) -> Self {
        let mut with = self.think(provider);
        if let Some(candidate) = with.router.think.last_mut() {
            candidate.last_resort = true;
        }
        with
    }

    /// Lets a model judge a sample of the replies.
    #[must_use]
    pub fn judge(mut self, judge: Judge) -> Self {
        self.router.judge = Some(judge);
        self
    }

    /// Adds a voice backend. `model` is what it is billed as.
    #[must_use]
    pub fn speak(mut self, provider: Arc<dyn Speak>, model: &str) -> Self {
        let id = format!("{}/{model}", provider.name());
        let price = self.price(&id, provider.capabilities().remote);
        let breaker = self.router.config.breaker;
        let candidate = Candidate::new(Stage::Speak, id, provider, price, breaker);
        self.router.speak.push(candidate);
        self
    }

    /// The router.
    ///
    /// # Errors
    /// [`NoProvider`] where a stage has none.
    pub fn build(self) -> Result<Arc<Router>, NoProvider> {
        let router = self.router;
        for (stage, count) in [
            (Stage::Hear, router.hear.len()),
            (Stage::Think, router.think.len()),
            (Stage::Speak, router.speak.len()),
        ] {
            if count == 0 {
                return Err(NoProvider(stage));
            }
        }
        Ok(Arc::new(router))
    }
}

/// A stage without any provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no provider to {} with", .0.name())]
pub struct NoProvider(pub Stage);

impl Router {
    /// One of each, always the same ones.
    pub fn single(hear: Arc<dyn Hear>, think: Arc<dyn Think>, speak: Arc<dyn Speak>) -> Arc<Self> {
        let builder = RouterBuilder::new(Prices::embedded(), RouterConfig::default());
        let builder = builder.hear(hear, "").think(think).speak(speak, "");
        Arc::new(builder.router)
    }

    /// The providers of one call with `agent`.
    pub fn session(self: &Arc<Self>, agent: &Arc<Agent>) -> Routed {
        let (teller, facts) = Teller::new();
        let costs = Arc::new(Costs::default());
        let call = Arc::new(Call {
            router: Arc::clone(self),
            seed: self.sessions.fetch_add(1, Ordering::Relaxed),
            choices: AtomicU64::new(0),
            last_think: AtomicUsize::new(usize::MAX),
            teller,
            costs: Arc::clone(&costs),
        });
        Routed {
            hear: Arc::new(RoutedHear::new(Arc::clone(&call), agent)),
            think: Arc::new(RoutedThink::new(Arc::clone(&call))),
            speak: Arc::new(RoutedSpeak::new(call, agent)),
            facts: CallFacts { facts, costs },
        }
    }

    /// Lets the judge look at a reply of responder `index`, where there is one.
    pub(super) fn consider(self: &Arc<Self>, index: usize, asked: &str, reply: &str) {
        let Some(judge) = &self.judge else { return };
        let nth = self.replies.fetch_add(1, Ordering::Relaxed);
        let router = Arc::clone(self);
        judge.consider(nth, asked, reply, move |mark| {
            router.think[index].judged(mark, Instant::now(), router.started);
        });
    }

    /// Every provider with what is known of it.
    pub fn report(&self) -> Vec<CandidateReport> {
        let now = Instant::now();
        let hear = self.hear.iter().map(|each| each.report(now, self.started));
        let think = self.think.iter().map(|each| each.report(now, self.started));
        let speak = self.speak.iter().map(|each| each.report(now, self.started));
        hear.chain(think).chain(speak).collect()
    }

    /// The names of a stage's providers, preferred ones first; recognizers only where they are
    /// available now.
    pub fn names(&self, stage: Stage) -> Vec<String> {
        let hear = self.hear.iter().filter(|each| each.provider.is_available());
        let ids: Vec<&str> = match stage {
            Stage::Hear => hear.map(|each| &*each.id).collect(),
            Stage::Think => self.think.iter().map(|each| &*each.id).collect(),
            Stage::Speak => self.speak.iter().map(|each| &*each.id).collect(),
        };
        ids.iter()
            .map(|id| id.trim_end_matches('/').to_owned())
            .collect()
    }
}

/// What one call's routed providers share.
pub(super) struct Call {
    pub(super) router: Arc<Router>,
    pub(super) seed: u64,
    choices: AtomicU64,
    last_think: AtomicUsize,
    pub(super) teller: Teller,
    pub(super) costs: Arc<Costs>,
}

impl Call {
    /// Chooses among `candidates` by the agent's policy.
    pub(super) fn choose<P: ?Sized>(
        &self,
        candidates: &[Candidate<P>],
        agent: &Agent,
        last: Option<usize>,
        now: Instant,
    ) -> Choice {
        let views: Vec<_> = candidates.iter().map(|each| each.view(now)).collect();
        let moment = choose::Moment {
            nth: self.choices.fetch_add(1, Ordering::Relaxed),
            seed: self.seed,
            last,
            spent: self.costs.total_picodollars(),
        };
        choose::choose(&views, &agent.route, moment)
    }

    pub(super) fn last_think(&self) -> Option<usize> {
        let last = self.last_think.load(Ordering::Relaxed);
        (last != usize::MAX).then_some(last)
    }

    pub(super) fn answered(&self, index: usize) {
        self.last_think.store(index, Ordering::Relaxed);
    }

    /// Counts what was spent, in the call and for the provider.
    pub(super) fn spend<P: ?Sized>(&self, candidate: &Candidate<P>, picodollars: u64) {
        if picodollars > 0 {
            self.costs.add(candidate.stage, picodollars);
            candidate.spent(picodollars, Instant::now(), self.router.started);
        }
    }
}
