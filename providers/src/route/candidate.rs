//! One provider as the router knows it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::breaker::{Breaker, BreakerConfig};
use super::choose::View;
use super::facts::Stage;
use super::prices::Price;
use super::stats::{Share, Stats, Times};
use crate::{Fault, FaultKind};

/// Quality of a provider that was never judged.
const QUALITY_UNKNOWN: f64 = 0.5;
/// Minutes that the report goes back.
const MINUTES_KEPT: usize = 180;

/// A provider with what is known of it.
pub struct Candidate<P: ?Sized> {
    /// `provider/model`; `provider/` where it names no model.
    pub id: Arc<str>,
    /// The provider.
    pub provider: Arc<P>,
    pub(super) stage: Stage,
    pub(super) price: Option<Price>,
    /// Asked only when all others fail.
    pub(super) last_resort: bool,
    live: Mutex<Live>,
}

struct Live {
    breaker: Breaker,
    stats: Stats,
    minutes: VecDeque<Minute>,
}

/// One minute of a provider's work.
#[derive(Clone, Debug)]
struct Minute {
    since_start_min: u64,
    asked: u64,
    failed: u64,
    first: Times,
    spent_picodollars: u64,
    quality: Share,
}

/// A provider in the report.
#[derive(Clone, Debug, Serialize)]
pub struct CandidateReport {
    /// `provider/model`.
    pub id: String,
    /// `hear`, `think` or `speak`.
    pub stage: &'static str,
    /// Where it works.
    pub region: String,
    /// `closed`, `open` or `half_open`.
    pub breaker: &'static str,
    /// Requests begun.
    pub asked: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Moving share of failures, 0 to 1.
    pub error_rate: f64,
    /// Moving average of the time to the first output, milliseconds.
    pub first_ms_average: f64,
    /// Its median.
    pub first_ms_p50: f64,
    /// Its 95th percentile.
    pub first_ms_p95: f64,
    /// Moving quality, 0 to 1; none where it was never judged.
    pub quality: Option<f64>,
    /// Spent on it, US dollars.
    pub spent_usd: f64,
    /// Price of a typical piece of work, US dollars; none where unknown.
    pub typical_usd: Option<f64>,
    /// Its last fault.
    pub last_fault: Option<&'static str>,
    /// The last three hours, a minute each that had any work, oldest first.
    pub minutes: Vec<MinuteReport>,
}

/// One minute in the report.
#[derive(Clone, Debug, Serialize)]
pub struct MinuteReport {
    /// Minutes ago.
    pub minutes_ago: u64,
    /// Requests begun.
    pub asked: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Median time to the first output, milliseconds.
    pub first_ms_p50: f64,
    /// Its 95th percentile.
    pub first_ms_p95: f64,
    /// Spent, US dollars.
    pub spent_usd: f64,
    /// Mean quality, 0 to 1.
    pub quality: Option<f64>,
}

impl<P: ?Sized> Candidate<P> {
    pub(super) fn new(
        stage: Stage,
        id: impl Into<Arc<str>>,
        provider: Arc<P>,
        price: Option<Price>,
        breaker: BreakerConfig,
    ) -> Self {
        Self {
            id: id.into(),
            provider,
            stage,
            price,
            last_resort: false,
            live: Mutex::new(Live {
                breaker: Breaker::new(breaker),
                stats: Stats::default(),
                minutes: VecDeque::new(),
            }),
        }
    }

    /// Everything under the lock is a few numbers: a panic there leaves them usable.
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a choice needs of it.
    pub fn view(&self, now: Instant) -> View<'_> {
        let live = self.lock();
        View {
            id: &self.id,
            region: self.price.as_ref().map_or("", |price| &price.region),
            last_resort: self.last_resort,
            breaker: live.breaker.state(now),
            admits: live.breaker.would_admit(now),
            first_ms: live.stats.first.p50_ms(),
            measured: live.stats.first.count(),
            errors: live.stats.errors.or(0.0),
            quality: live.stats.quality.or(QUALITY_UNKNOWN),
            price: self.price.as_ref().map(|price| match self.stage {
                Stage::Hear => price.typical_utterance(),
                Stage::Think => price.typical_reply(),
                Stage::Speak => price.typical_sentence(),
            }),
        }
    }

    /// A request begins. `last_chance`: nobody else is left, so that an open breaker is passed.
    /// False where the breaker does not let it through.
    pub(super) fn begin(&self, now: Instant, start: Instant, last_chance: bool) -> bool {
        let mut live = self.lock();
        if !live.breaker.admit(now) && !last_chance {
            return false;
        }
        live.stats.asked += 1;
        live.stats.last_used = Some(now);
        live.minute(now, start).asked += 1;
        true
    }

    pub(super) fn first_output(&self, after: Duration, now: Instant, start: Instant) {
        let mut live = self.lock();
        live.stats.first.add(after);
        live.minute(now, start).first.add(after);
    }

    pub(super) fn succeeded(&self) {
        let mut live = self.lock();
        live.breaker.succeeded();
        live.stats.errors.add(0.0);
    }

    pub(super) fn failed(&self, fault: &Fault, now: Instant, start: Instant) {
        let mut live = self.lock();
        let wait = match fault.kind {
            FaultKind::RateLimited { retry_after } => retry_after,
            FaultKind::Unreachable
            | FaultKind::Refused
            | FaultKind::Overloaded
            | FaultKind::TooSlow
            | FaultKind::BrokenOff
            | FaultKind::Malformed
            | FaultKind::Internal => None,
        };
        live.breaker.failed(now, wait);
        live.stats.errors.add(1.0);
        live.stats.failed += 1;
        live.stats.last_fault = Some(fault.kind.name());
        live.minute(now, start).failed += 1;
    }

    pub(super) fn spent(&self, picodollars: u64, now: Instant, start: Instant) {
        let mut live = self.lock();
        live.stats.spent_picodollars = live.stats.spent_picodollars.saturating_add(picodollars);
        live.minute(now, start).spent_picodollars += picodollars;
    }

    pub(super) fn judged(&self, quality: f64, now: Instant, start: Instant) {
        let mut live = self.lock();
        live.stats.quality.add(quality);
        live.minute(now, start).quality.add(quality);
    }

    /// Its 95th percentile of the time to the first output, where enough is known of it.
    pub(super) fn p95(&self, measured_min: u64) -> Option<Duration> {
        let live = self.lock();
        (live.stats.first.count() >= measured_min)
            .then(|| Duration::from_secs_f64(live.stats.first.p95_ms() / 1e3))
    }

    /// For the report.
    pub fn report(&self, now: Instant, start: Instant) -> CandidateReport {
        let view = self.view(now);
        let (breaker, price, region) = (view.breaker.name(), view.price, view.region.to_owned());
        let live = self.lock();
        let stats = &live.stats;
        let now_min = minute_of(now, start);
        CandidateReport {
            id: self.id.to_string(),
            stage: self.stage.name(),
            region,
            breaker,
            asked: stats.asked,
            failed: stats.failed,
            error_rate: stats.errors.or(0.0),
            first_ms_average: stats.first.average_ms(),
            first_ms_p50: stats.first.p50_ms(),
            first_ms_p95: stats.first.p95_ms(),
            quality: judged_of(&stats.quality),
            spent_usd: usd(stats.spent_picodollars),
            typical_usd: price.map(usd),
            last_fault: stats.last_fault,
            minutes: live
                .minutes
                .iter()
                .map(|minute| MinuteReport {
                    minutes_ago: now_min.saturating_sub(minute.since_start_min),
                    asked: minute.asked,
                    failed: minute.failed,
                    first_ms_p50: minute.first.p50_ms(),
                    first_ms_p95: minute.first.p95_ms(),
                    spent_usd: usd(minute.spent_picodollars),
                    quality: judged_of(&minute.quality),
                })
                .collect(),
        }
    }
}

fn usd(picodollars: u64) -> f64 {
    picodollars as f64 / super::PICODOLLARS_A_DOLLAR as f64
}

fn judged_of(quality: &Share) -> Option<f64> {
    let value = quality.or(-1.0);
    (value >= 0.0).then_some(value)
}

fn minute_of(now: Instant, start: Instant) -> u64 {
    now.saturating_duration_since(start).as_secs() / 60
}

impl Live {
    fn minute(&mut self, now: Instant, start: Instant) -> &mut Minute {
        let since_start_min = minute_of(now, start);
        if self
            .minutes
            .back()
            .is_none_or(|last| last.since_start_min < since_start_min)
        {
            if self.minutes.len() >= MINUTES_KEPT {
                self.minutes.pop_front();
            }
            self.minutes.push_back(Minute {
                since_start_min,
                asked: 0,
                failed: 0,
                first: Times::default(),
                spent_picodollars: 0,
                quality: Share::default(),
            });
        }
        let last = self.minutes.len() - 1;
        &mut self.minutes[last]
    }
}
