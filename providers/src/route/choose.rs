//! The choice among providers: a pure function of what is known of them.

use antiphon_agents::{Prefer, Route};

use super::breaker::BreakerState;

/// Most providers of one stage.
pub const CANDIDATES_MAX: usize = 16;
/// Latency of a provider that was never measured, milliseconds: tried, but not before good ones.
const UNKNOWN_MS: f64 = 600.0;
/// Advantage of the provider that answered the last turn: changing costs its prompt cache, and the
/// agent's manner with it.
const STICKY: f64 = 0.05;
/// One turn in so many may try a provider of which little is known.
const EXPLORE_EVERY: u64 = 20;
/// Measurements from which a provider counts as known.
const KNOWN_FROM: u64 = 5;
/// Least latency that differences are counted from, milliseconds: nobody hears less.
const LATENCY_MS_MIN: f64 = 50.0;
/// More than any score.
const LAST_RESORT: f64 = 10.0;
/// Share of a call's budget from which the cheapest is taken.
const THRIFTY_FROM: f64 = 0.8;

/// What is known of one provider when a choice is made.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// `provider/model`.
    pub id: &'a str,
    /// Where it works: `local`, `eu`, `us`, or empty where unknown.
    pub region: &'a str,
    /// True where it is asked only when all others fail, however fast and cheap it is.
    pub last_resort: bool,
    /// Its breaker.
    pub breaker: BreakerState,
    /// False where the breaker is half-open and its trial is under way.
    pub admits: bool,
    /// Median time to the first output, milliseconds.
    pub first_ms: f64,
    /// Measurements of it.
    pub measured: u64,
    /// Share of failures, 0 to 1.
    pub errors: f64,
    /// Quality, 0 to 1.
    pub quality: f64,
    /// Price of a typical piece of work, picodollars; `None` where unknown.
    pub price: Option<u64>,
}

/// The turn that a choice is for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// Counts the choices of a session.
    pub nth: u64,
    /// A number that differs between sessions, so that they do not all explore at once.
    pub seed: u64,
    /// Which of the views did the last turn.
    pub last: Option<usize>,
    /// Spent in this call so far, picodollars.
    pub spent: u64,
}

/// The choice: whom to ask, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    order: [u8; CANDIDATES_MAX],
    count: u8,
    /// Why the first of them.
    pub why: Why,
}

/// Why a provider was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is the only one that may be used.
    Only,
    /// The order in which they were configured decides.
    FirstListed,
    /// Cheapest by policy.
    Cheapest,
    /// Fastest by policy.
    Fastest,
    /// Best by policy.
    Best,
    /// Best by weights.
    Balanced,
    /// It did the last turn, and no other is clearly better.
    Stayed,
    /// Little is known of it.
    Explored,
    /// The call's budget is nearly spent.
    BudgetNearlySpent,
    /// Nobody may be used.
    Nobody,
}

impl Why {
    /// A few words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Only => "the only one available",
            Self::FirstListed => "first in the list; nothing measured yet",
            Self::Cheapest => "cheapest",
            Self::Fastest => "fastest",
            Self::Best => "best answers",
            Self::Balanced => "best balance of speed, cost and quality",
            Self::Stayed => "answered the last turn, and none is clearly better",
            Self::Explored => "tried, because little is known of it",
            Self::BudgetNearlySpent => "cheapest, because the call's budget is nearly spent",
            Self::Nobody => "nobody is available",
        }
    }
}

impl Choice {
    /// Indices into the views, best first.
    pub fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.order[..usize::from(self.count)]
            .iter()
            .map(|&index| usize::from(index))
    }
}

/// Chooses. At most [`CANDIDATES_MAX`] views are looked at. Providers whose breaker is open, or
/// that the policy forbids, are left out; where that leaves nobody, those with an open breaker are
/// tried after all: a slim chance is better than an apology.
pub fn choose(views: &[View<'_>], route: &Route, moment: Moment) -> Choice {
    let mut scored = [(0_u8, 0.0_f64); CANDIDATES_MAX];
    let mut count = 0;
    let permitted = |view: &View<'_>| route.permits(view.id, view.region);
    let anyone = views.iter().any(|view| view.admits && permitted(view));
    let thrifty = is_thrifty(route, moment.spent);
    let best = Best::of(views, permitted);
    for (index, view) in views.iter().enumerate().take(CANDIDATES_MAX) {
        if !permitted(view) || (anyone && !view.admits) {
            continue;
        }
        let mut score = score(view, route, thrifty, &best);
        if moment.last == Some(index) && !thrifty {
            score *= 1.0 + STICKY;
        }
        if view.last_resort {
            score -= LAST_RESORT;
        }
        scored[count] = (index as u8, score);
        count += 1;
    }
    let scored = &mut scored[..count];
    // Stable: of equals, the one that was configured first.
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut why = why(views, route, moment, scored, thrifty);
    if why != Why::Only && !thrifty && explore(views, moment, scored) {
        why = Why::Explored;
    }
    let mut order = [0; CANDIDATES_MAX];
    for (slot, (index, _)) in order.iter_mut().zip(scored.iter()) {
        *slot = *index;
    }
    Choice {
        order,
        count: count as u8,
        why,
    }
}

fn is_thrifty(route: &Route, spent: u64) -> bool {
    route
        .call_budget_microusd
        .is_some_and(|budget| spent as f64 >= budget as f64 * 1e6 * THRIFTY_FROM)
}

/// The best of each property among those that may be used.
struct Best {
    latency_ms: f64,
    price: f64,
}

impl Best {
    fn of(views: &[View<'_>], permitted: impl Fn(&View<'_>) -> bool) -> Self {
        let mut best = Self {
            latency_ms: f64::INFINITY,
            price: f64::INFINITY,
        };
        let compared = |view: &&View<'_>| view.admits && !view.last_resort && permitted(view);
        for view in views.iter().filter(compared) {
            best.latency_ms = best.latency_ms.min(latency_ms(view));
            best.price = best.price.min(price(view));
        }
        best
    }
}

fn latency_ms(view: &View<'_>) -> f64 {
    match view.measured {
        0 => UNKNOWN_MS,
        _ => view.first_ms.max(LATENCY_MS_MIN),
    }
}

/// One more than the price, so that a free one can be compared too. An unknown price is taken for
/// a dear one.
fn price(view: &View<'_>) -> f64 {
    view.price.map_or(1e12, |price| price as f64) + 1e6
}

fn score(view: &View<'_>, route: &Route, thrifty: bool, best: &Best) -> f64 {
    let speed = (best.latency_ms / latency_ms(view)).min(1.0);
    let cost = (best.price / price(view)).min(1.0);
    let reliable = 1.0 - view.errors;
    let merit = if thrifty {
        cost + speed * 1e-3
    } else {
        match route.prefer {
            Prefer::Cheapest => cost + speed * 1e-3,
            Prefer::Fastest => speed,
            Prefer::Best => view.quality + speed * 1e-3,
            Prefer::Balanced => {
                let weights = route.weights;
                let sum = weights.speed + weights.cost + weights.quality;
                (weights.speed * speed + weights.cost * cost + weights.quality * view.quality) / sum
            }
        }
    };
    merit * reliable
}

fn why(
    views: &[View<'_>],
    route: &Route,
    moment: Moment,
    scored: &[(u8, f64)],
    thrifty: bool,
) -> Why {
    let Some(&(first, _)) = scored.first() else {
        return Why::Nobody;
    };
    if scored.len() == 1 {
        return Why::Only;
    }
    if thrifty {
        return Why::BudgetNearlySpent;
    }
    if scored
        .iter()
        .all(|&(index, _)| views[usize::from(index)].measured == 0)
        && first
            == scored
                .iter()
                .map(|&(index, _)| index)
                .min()
                .unwrap_or(first)
    {
        return Why::FirstListed;
    }
    if moment.last == Some(usize::from(first)) {
        return Why::Stayed;
    }
    match route.prefer {
        Prefer::Cheapest => Why::Cheapest,
        Prefer::Fastest => Why::Fastest,
        Prefer::Best => Why::Best,
        Prefer::Balanced => Why::Balanced,
    }
}

/// Puts one of which little is known first, every so many turns.
fn explore(views: &[View<'_>], moment: Moment, scored: &mut [(u8, f64)]) -> bool {
    if (moment.nth.wrapping_add(moment.seed)) % EXPLORE_EVERY != EXPLORE_EVERY - 1 {
        return false;
    }
    let unknown = scored.iter().skip(1).position(|&(index, _)| {
        let view = &views[usize::from(index)];
        view.measured < KNOWN_FROM && view.breaker == BreakerState::Closed && !view.last_resort
    });
    match unknown {
        Some(at) => {
            scored[..at + 2].rotate_right(1);
            true
        }
        None => false,
    }
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
