//! Choosing among providers by what is measured of them, and going on with the next where one
//! fails.
//!
//! A [`Router`] is shared by all calls: it knows every provider's breaker, times, errors, quality
//! and cost. [`Router::session`] gives one call its own `Hear`, `Think` and `Speak`, which choose by
//! the agent's policy, fall back without repeating, and count what is spent.

mod breaker;
mod candidate;
mod choose;
mod clips;
mod continuation;
mod facts;
mod hear;
mod judge;
mod prices;
mod quality;
mod router;
mod speak;
mod stats;
mod think;

pub use breaker::{Breaker, BreakerConfig, BreakerState};
pub use candidate::{Candidate, CandidateReport, MinuteReport};
pub use choose::{CANDIDATES_MAX, Choice, Moment, View, Why, choose};
pub use continuation::Continuation;
pub use facts::{CallFacts, Costs, Fact, FactReceiver, Stage};
pub use judge::Judge;
pub use prices::{PICODOLLARS_A_DOLLAR, Price, Prices, PricesError, tokens_about};
pub use quality::{Signals, quality};
pub use router::{Deadlines, Routed, Router, RouterBuilder, RouterConfig};
pub use stats::{Share, Stats, Times};
