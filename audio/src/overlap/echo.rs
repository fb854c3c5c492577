//! What part of the microphone's signal is the agent's own voice, band by band.
//!
//! Nothing is cancelled: the level that the echo can have is predicted from what was sent, and the
//! judge takes that level for a noise floor. Until a delay is found (*locked*), the prediction is
//! an upper bound over every delay: the microphone was no louder than this after the agent spoke.

use super::spectrum::{BANDS, Bands};

/// Hops of 10 ms that are remembered of both streams.
const HOPS: usize = 64;
/// Delays that are considered, in hops: network, jitter buffer, device and room.
const LAG_MIN: usize = 1;
const LAG_MAX: usize = 58;
/// Below this the agent is silent, in dBFS (loudest band).
const AGENT_DBFS_MIN: f32 = -60.0;
/// Weight of a hop in the correlation: a memory of 0.8 s.
const CORRELATION_WEIGHT: f32 = 0.0125;
/// Weight of a hop in the means that the correlation is taken about: 2 s.
const MEAN_WEIGHT: f32 = 0.005;
/// Weight of a hop in the correlation that lets the gain rise: 0.15 s.
const FAST_WEIGHT: f32 = 0.06;
/// Correlation from which a delay is believed, and hops it must last. Unrelated speech reached
/// 0.36 at its best delay.
const LOCK_CORRELATION: f32 = 0.5;
const LOCK_HOPS: u32 = 12;
/// Hops of the agent's speech before any delay is believed.
const LEARN_HOPS: u32 = 30;
/// The most that an unknown echo is taken to be, in dB of what was sent.
const GAIN_DB_MAX: f32 = -3.0;
/// Steps of the gain in one hop, in dB: it settles where one hop in four lies above.
const GAIN_UP_DB: f32 = 0.24;
const GAIN_DOWN_DB: f32 = 0.08;
/// A room's echo fades by this in a hop, in dB: 60 dB in 0.75 s.
const FADE_DB: f32 = 0.8;
/// How far above the prediction a band must be to be somebody else's, in dB.
const MARGIN_LOCKED_DB: f32 = 6.0;
const MARGIN_DB: f32 = 6.0;
/// No echo, in dBFS.
const NOTHING_DBFS: f32 = -120.0;

/// Watches both streams of one call.
#[derive(Debug)]
pub(super) struct EchoWatch {
    agent: [Bands; HOPS],
    caller: [Bands; HOPS],
    /// Deviation from the mean of the agent's bands, for the correlation.
    shapes: [Bands; HOPS],
    at: usize,
    agent_mean: Bands,
    caller_mean: Bands,
    products: [f32; LAG_MAX + 1],
    agent_powers: [f32; LAG_MAX + 1],
    caller_power: f32,
    /// Product, agent's and caller's power at the locked delay, short memory.
    fast: [f32; 3],
    /// Hops since the agent was last heard, and hops of its speech in all.
    silent_hops: u32,
    spoken_hops: u32,
    candidate: (usize, u32),
    lag: Option<usize>,
    gain: Bands,
    bound: Bands,
    tail: Bands,
    predicted: Bands,
}

impl EchoWatch {
    pub(super) fn new() -> Self {
        Self {
            agent: [[NOTHING_DBFS; BANDS]; HOPS],
            caller: [[NOTHING_DBFS; BANDS]; HOPS],
            shapes: [[0.0; BANDS]; HOPS],
            at: 0,
            agent_mean: [AGENT_DBFS_MIN; BANDS],
            caller_mean: [0.0; BANDS],
            products: [0.0; LAG_MAX + 1],
            agent_powers: [0.0; LAG_MAX + 1],
            caller_power: 0.0,
            fast: [0.0; 3],
            silent_hops: HOPS as u32,
            spoken_hops: 0,
            candidate: (0, 0),
            lag: None,
            gain: [GAIN_DB_MAX; BANDS],
            bound: [GAIN_DB_MAX; BANDS],
            tail: [NOTHING_DBFS; BANDS],
            predicted: [NOTHING_DBFS; BANDS],
        }
    }

    /// Takes one hop of what was sent (none where nothing was) and of the microphone, with the
    /// microphone's noise floor.
    pub(super) fn push(&mut self, agent: Option<&Bands>, caller: &Bands, floor: &Bands) {
        let agent = agent.copied().unwrap_or([NOTHING_DBFS; BANDS]);
        let loudest = agent.iter().copied().fold(NOTHING_DBFS, f32::max);
        if loudest > AGENT_DBFS_MIN {
            self.silent_hops = 0;
            self.spoken_hops = self.spoken_hops.saturating_add(1);
        } else {
            self.silent_hops = self.silent_hops.saturating_add(1);
        }
        self.at = (self.at + 1) % HOPS;
        self.agent[self.at] = agent;
        self.caller[self.at] = *caller;
        if self.silent_hops as usize >= HOPS {
            self.shapes[self.at] = [0.0; BANDS];
            self.predicted = [NOTHING_DBFS; BANDS];
            self.tail = [NOTHING_DBFS; BANDS];
            return;
        }
        self.correlate(&agent, caller, floor);
        self.lower_bound();
        self.find_lag();
        self.predict(caller, floor);
    }

    /// Level below which each band may be echo, margin included, in dBFS.
    pub(super) fn bands(&self) -> &Bands {
        &self.predicted
    }

    /// Delay of the echo in milliseconds, once it is known.
    pub(super) fn delay_ms(&self) -> Option<u32> {
        self.lag.map(|lag| lag as u32 * 10)
    }

    fn agent_ago(&self, hops: usize) -> &Bands {
        &self.agent[(self.at + HOPS - hops) % HOPS]
    }

    fn correlate(&mut self, agent: &Bands, caller: &Bands, floor: &Bands) {
        let mut heard = [0.0; BANDS];
        let mut shape = [0.0; BANDS];
        for band in 0..BANDS {
            let excess = (caller[band] - floor[band]).clamp(0.0, 40.0);
            heard[band] = excess - self.caller_mean[band];
            self.caller_mean[band] += MEAN_WEIGHT * heard[band];
            let level = agent[band].max(AGENT_DBFS_MIN - 20.0);
            shape[band] = level - self.agent_mean[band];
            self.agent_mean[band] += MEAN_WEIGHT * shape[band];
        }
        self.shapes[self.at] = shape;
        let weigh = |to: &mut f32, value: f32| *to += CORRELATION_WEIGHT * (value - *to);
        weigh(&mut self.caller_power, product(&heard, &heard));
        for lag in LAG_MIN..=LAG_MAX {
            let sent = &self.shapes[(self.at + HOPS - lag) % HOPS];
            weigh(&mut self.products[lag], product(&heard, sent));
            weigh(&mut self.agent_powers[lag], product(sent, sent));
        }
        if let Some(lag) = self.lag {
            let sent = &self.shapes[(self.at + HOPS - lag) % HOPS];
            let now = [
                product(&heard, sent),
                product(sent, sent),
                product(&heard, &heard),
            ];
            for (to, value) in self.fast.iter_mut().zip(now) {
                *to += FAST_WEIGHT * (value - *to);
            }
        }
    }

    fn correlation(&self, lag: usize) -> f32 {
        self.products[lag] / (self.caller_power * self.agent_powers[lag] + 1.0).sqrt()
    }

    /// Whatever the delay, what was sent 450 ms ago has been heard by now.
    fn lower_bound(&mut self) {
        const BACK: usize = 45;
        let mut loudest = [NOTHING_DBFS; BANDS];
        for ago in 0..=BACK {
            let heard = &self.caller[(self.at + HOPS - ago) % HOPS];
            for (most, level) in loudest.iter_mut().zip(heard) {
                *most = most.max(*level);
            }
        }
        let sent = *self.agent_ago(BACK);
        for ((bound, loudest), sent) in self.bound.iter_mut().zip(loudest).zip(sent) {
            if sent > AGENT_DBFS_MIN {
                *bound = bound.min(loudest - sent);
            }
        }
    }

    fn find_lag(&mut self) {
        if self.spoken_hops < LEARN_HOPS {
            return;
        }
        let mut best = (0.0, LAG_MIN);
        for lag in LAG_MIN..=LAG_MAX {
            let correlation = self.correlation(lag);
            if correlation > best.0 {
                best = (correlation, lag);
            }
        }
        let (correlation, lag) = best;
        if correlation < LOCK_CORRELATION {
            self.candidate.1 = 0;
            return;
        }
        if lag.abs_diff(self.candidate.0) <= 1 {
            self.candidate.1 += 1;
        } else {
            self.candidate.1 = 1;
        }
        self.candidate.0 = lag;
        let moved = self.lag.is_none_or(|old| old.abs_diff(lag) > 2);
        if self.candidate.1 >= LOCK_HOPS && moved {
            self.lag = Some(lag);
            self.gain = self.bound.map(|bound| bound.min(GAIN_DB_MAX));
            self.fast = [0.0; 3];
        }
    }

    fn predict(&mut self, caller: &Bands, floor: &Bands) {
        let (first, last, margin) = match self.lag {
            Some(lag) => (lag.saturating_sub(2), lag + 2, MARGIN_LOCKED_DB),
            None => (LAG_MIN, 45, MARGIN_DB),
        };
        let rising = self.fast[0] > 0.4 * (self.fast[1] * self.fast[2] + 1.0).sqrt();
        for band in 0..BANDS {
            let mut sent = NOTHING_DBFS;
            for lag in first..=last {
                sent = sent.max(self.agent_ago(lag)[band]);
            }
            self.tail[band] = sent.max(self.tail[band] - FADE_DB);
            if self.lag.is_none() {
                self.predicted[band] = self.tail[band] + self.bound[band] + margin;
                continue;
            }
            let echo = self.tail[band] + self.gain[band];
            let above = caller[band] > floor[band] + 3.0;
            if above && caller[band] > echo && rising {
                self.gain[band] = (self.gain[band] + GAIN_UP_DB).min(12.0);
            } else if caller[band] < echo && echo > floor[band] {
                self.gain[band] -= GAIN_DOWN_DB;
            }
            self.predicted[band] = self.tail[band] + self.gain[band] + margin;
        }
    }
}

fn product(a: &Bands, b: &Bands) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
