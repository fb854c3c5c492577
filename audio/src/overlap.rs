//! Sound from the caller while the agent speaks: an interruption, a backchannel, noise or echo?
//!
//! [`OverlapJudge`] is fed every 20 ms and judges by the sound alone, since a recognizer is too
//! slow for it: an onset after 20 to 40 ms (duck), a decision by 400 ms (stop or go on), and a
//! later word for speech that turns out to go on. `docs/bargein.md` says how well.

mod echo;
mod features;
mod fft;
mod floor;
mod model;
mod spectrum;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::FRAME_MS;
use echo::EchoWatch;
use features::{Heard, Memory, VOICED};
use floor::NoiseFloor;
use model::{KINDS, Model};
use spectrum::{Analyzer, BANDS, Bands, Frame};

pub use spectrum::dot;

/// Numbers that the model is given for each frame; for training.
pub const OVERLAP_INPUTS: usize = model::INPUTS;
/// Cells of the model's recurrent layer; for training.
pub const OVERLAP_CELLS: usize = model::CELLS;
/// Kinds of sound that the model tells apart, in this order: command, backchannel, noise.
pub const OVERLAP_KINDS: usize = KINDS;

/// How far above the floor counts, in dB, before it is averaged over the bands of speech.
const EXCESS_DB_MIN: f32 = 4.0;
/// Mean excess (dB) that is an onset at once, and that is one if the next 10 ms agree.
const ONSET_AT_ONCE: f32 = 4.0;
const ONSET: f32 = 1.6;
/// An event is over after this much quiet, in hops of 10 ms: longer than a stop consonant, and
/// than the gap in "uh-huh".
const QUIET_HOPS_MAX: u32 = 24;
/// Hops before the floor is known at all.
const SETTLE_HOPS: u32 = 10;
/// Frames before the onset that the model also sees: the onset is found late.
const LEAD_FRAMES: usize = 2;

/// Weight of a frame in an event's part of echo: 100 ms.
const ECHO_WEIGHT: f32 = 0.2;
/// An event of which the echo explains more than this does not stop the agent: a caller who speaks
/// up covers it in most bands, a misjudged echo only stands out in a few.
const ECHO_PART_MAX: f32 = 0.5;

/// When speech over the agent stops it. Probabilities in permille.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverlapSettings {
    /// Nothing is decided before this, in milliseconds from the onset.
    pub early_ms: u32,
    /// Command score that stops the agent at once between `early_ms` and `decide_ms`.
    pub early_stop_permille: u16,
    /// Command score below which the agent goes on, between `early_ms` and `decide_ms`.
    pub early_continue_permille: u16,
    /// Time of the decision, in milliseconds from the onset.
    pub decide_ms: u32,
    /// Command score that stops the agent at `decide_ms`.
    pub stop_permille: u16,
    /// After the agent was let go on: command score that stops it all the same.
    pub late_stop_permille: u16,
    /// For how long speech must have that score, in milliseconds.
    pub late_ms: u32,
}

impl OverlapSettings {
    /// The agent is hard to stop by sound; words decide more often.
    pub const POLITE: Self = Self {
        early_ms: 280,
        early_stop_permille: 970,
        early_continue_permille: 60,
        decide_ms: 380,
        stop_permille: 900,
        late_stop_permille: 930,
        late_ms: 240,
    };
    /// The default.
    pub const NORMAL: Self = Self {
        early_ms: 180,
        early_stop_permille: 900,
        early_continue_permille: 60,
        decide_ms: 360,
        stop_permille: 620,
        late_stop_permille: 780,
        late_ms: 140,
    };
    /// The agent yields soon, to some backchannels as well.
    pub const EAGER: Self = Self {
        early_ms: 160,
        early_stop_permille: 880,
        early_continue_permille: 30,
        decide_ms: 340,
        stop_permille: 500,
        late_stop_permille: 700,
        late_ms: 100,
    };
}

impl Default for OverlapSettings {
    fn default() -> Self {
        Self::NORMAL
    }
}

/// What to do about the sound that is being heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverlapDecision {
    /// Nothing is heard, or no longer.
    #[default]
    Quiet,
    /// Something began; not yet known what. Duck.
    Undecided,
    /// Not an interruption so far: go on. May still become [`OverlapDecision::Stop`] if it goes on.
    Continue,
    /// An interruption: stop. Stays until quiet.
    Stop,
}

/// What is heard at the moment. Scores are permille; command, backchannel and noise add up to
/// about 1000 while something is heard and are 0 otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverlapView {
    /// Milliseconds since the sound began, none where nothing is heard.
    pub onset_ms_ago: Option<u32>,
    /// The decision at this moment.
    pub decision: OverlapDecision,
    /// Speech of any kind: command and backchannel together.
    pub speech_permille: u16,
    /// Speech that wants the floor.
    pub command_permille: u16,
    /// "uh-huh", "mm", a short "yeah".
    pub backchannel_permille: u16,
    /// Coughs, laughter, breaths, clatter, hum.
    pub noise_permille: u16,
    /// Part of the sound that the agent's own voice explains.
    pub echo_permille: u16,
    /// Voiced speech since the onset, in milliseconds.
    pub voiced_ms: u32,
}

/// A sound that is being heard.
#[derive(Debug)]
struct Event {
    memory: Memory,
    frames: u32,
    voiced_frames: u32,
    quiet_hops: u32,
    /// Part of the recent sound that the agent's echo explains, 0 to 1.
    echo_part: f32,
    /// Frames in a row that the command score has been high after a [`OverlapDecision::Continue`].
    late_frames: u32,
    kinds: [f32; KINDS],
    decision: OverlapDecision,
}

/// Judges one call's audio. Memory is fixed, about 60 kB.
pub struct OverlapJudge {
    settings: OverlapSettings,
    caller: Analyzer,
    agent: Analyzer,
    /// Frames since the agent's last, so that its analysis can rest.
    agent_rest: u32,
    floor: NoiseFloor,
    echo: Box<EchoWatch>,
    model: Model,
    hops: u32,
    /// Mean excess of the hop before, in dB.
    strength: f32,
    lead: [Option<Heard>; LEAD_FRAMES],
    event: Option<Event>,
    echo_part: f32,
    /// What the model was given in this frame, oldest first.
    given: Vec<[f32; OVERLAP_INPUTS]>,
}

impl fmt::Debug for OverlapJudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverlapJudge")
            .field("view", &self.view())
            .finish_non_exhaustive()
    }
}

impl Default for OverlapJudge {
    fn default() -> Self {
        Self::new(OverlapSettings::default())
    }
}

impl OverlapJudge {
    /// A judge that has heard nothing, with the model that is built in.
    pub fn new(settings: OverlapSettings) -> Self {
        Self::of(settings, Model::trained())
    }

    /// The same with other weights, for training; see [`overlap_weight_count`] for how many.
    pub fn with_weights(settings: OverlapSettings, weights: Vec<f32>) -> Self {
        Self::of(settings, Model::new(weights))
    }

    fn of(settings: OverlapSettings, model: Model) -> Self {
        Self {
            settings,
            caller: Analyzer::new(),
            agent: Analyzer::new(),
            agent_rest: u32::MAX,
            floor: NoiseFloor::new(),
            echo: Box::new(EchoWatch::new()),
            model,
            hops: 0,
            strength: 0.0,
            lead: [None; LEAD_FRAMES],
            event: None,
            echo_part: 0.0,
            given: Vec::with_capacity(LEAD_FRAMES + 1),
        }
    }

    /// Changes what stops the agent, from the next frame on.
    pub fn set_settings(&mut self, settings: OverlapSettings) {
        self.settings = settings;
    }

    /// Takes 20 ms of the caller (16 kHz, 320 samples; shorter is padded with silence, longer cut)
    /// and, where the agent was speaking, the 20 ms that were sent in the same tick.
    pub fn push(&mut self, caller: &[i16], agent: Option<&[i16]>) {
        self.given.clear();
        let frame = self.caller.push(caller);
        let sent = self.analyze_agent(agent);
        let mut began = false;
        for (half, bands) in frame.halves.iter().enumerate() {
            self.floor.push(bands);
            self.hops = self.hops.saturating_add(1);
            let agent_bands = sent.as_ref().map(|sent| &sent.halves[half]);
            self.echo.push(agent_bands, bands, self.floor.bands());
            began |= self.watch(bands);
        }
        let mut heard = Heard {
            frame,
            floor: self.total_floor(),
        };
        self.echo_part = self.echo_part_of(&heard);
        if began {
            self.begin();
        }
        if self.event.is_some() {
            (heard.frame.voicing, heard.frame.pitch_hz) = self.caller.voicing();
            self.judge(&heard);
        }
        self.lead.rotate_left(1);
        self.lead[LEAD_FRAMES - 1] = Some(heard);
    }

    /// What is heard after the last frame.
    pub fn view(&self) -> OverlapView {
        let Some(event) = &self.event else {
            return OverlapView::default();
        };
        let [command, backchannel, noise] = event.kinds.map(permille);
        OverlapView {
            onset_ms_ago: Some(event.frames * FRAME_MS),
            decision: event.decision,
            speech_permille: (command + backchannel).min(1_000),
            command_permille: command,
            backchannel_permille: backchannel,
            noise_permille: noise,
            echo_permille: permille(self.echo_part),
            voiced_ms: event.voiced_frames * FRAME_MS,
        }
    }

    /// Delay of the agent's echo in the caller's audio in milliseconds, once one was found.
    pub fn echo_delay_ms(&self) -> Option<u32> {
        self.echo.delay_ms()
    }

    /// What the model was given in the last frame, oldest first, for training: empty while nothing
    /// is heard, more than one where a sound began.
    pub fn model_inputs(&self) -> &[[f32; OVERLAP_INPUTS]] {
        &self.given
    }

    fn analyze_agent(&mut self, agent: Option<&[i16]>) -> Option<Frame> {
        // The echo of the last frame may come 600 ms later; after that there is none to expect.
        self.agent_rest = match agent {
            Some(_) => 0,
            None => self.agent_rest.saturating_add(1),
        };
        (self.agent_rest < 2).then(|| self.agent.push(agent.unwrap_or_default()))
    }

    fn total_floor(&self) -> Bands {
        let (noise, echo) = (self.floor.bands(), self.echo.bands());
        std::array::from_fn(|band| noise[band].max(echo[band]))
    }

    /// Looks for an onset or for quiet; true at an onset.
    fn watch(&mut self, bands: &Bands) -> bool {
        let floor = self.total_floor();
        // Without the lowest band (hum, wind) and those that a telephone does not carry.
        let strength = (1..BANDS - 2)
            .map(|band| (bands[band] - floor[band] - EXCESS_DB_MIN).clamp(0.0, 20.0))
            .sum::<f32>()
            / (BANDS - 3) as f32;
        let before = std::mem::replace(&mut self.strength, strength);
        if let Some(event) = &mut self.event {
            event.quiet_hops = if strength < ONSET {
                event.quiet_hops + 1
            } else {
                0
            };
            if event.quiet_hops > QUIET_HOPS_MAX {
                self.event = None;
            }
            return false;
        }
        let onset = strength >= ONSET_AT_ONCE || (strength >= ONSET && before >= ONSET);
        onset && self.hops > SETTLE_HOPS
    }

    fn begin(&mut self) {
        self.model.reset();
        let mut event = Event {
            memory: Memory::default(),
            frames: 0,
            voiced_frames: 0,
            quiet_hops: 0,
            echo_part: self.echo_part,
            late_frames: 0,
            kinds: [0.0; KINDS],
            decision: OverlapDecision::Undecided,
        };
        for heard in self.lead.iter().flatten() {
            let inputs = event.memory.inputs(heard);
            event.kinds = self.model.step(&inputs);
            self.given.push(inputs);
        }
        self.event = Some(event);
    }

    fn judge(&mut self, heard: &Heard) {
        let Some(event) = &mut self.event else {
            return;
        };
        let inputs = event.memory.inputs(heard);
        event.kinds = self.model.step(&inputs);
        self.given.push(inputs);
        event.frames = event.frames.saturating_add(1);
        if heard.frame.voicing > VOICED && event.quiet_hops == 0 {
            event.voiced_frames = event.voiced_frames.saturating_add(1);
        }
        event.echo_part += ECHO_WEIGHT * (self.echo_part - event.echo_part);
        event.decide(&self.settings);
    }

    /// Share of the bands with sound in them that the echo explains.
    fn echo_part_of(&self, heard: &Heard) -> f32 {
        let (noise, echo) = (self.floor.bands(), self.echo.bands());
        let (mut sounding, mut explained) = (0.0, 0.0);
        for band in 0..BANDS {
            let level = heard.frame.halves[1][band];
            if level > noise[band] + EXCESS_DB_MIN {
                sounding += 1.0;
                if level < echo[band] {
                    explained += 1.0;
                }
            }
        }
        if sounding < 3.0 {
            0.0
        } else {
            explained / sounding
        }
    }
}

impl Event {
    fn decide(&mut self, settings: &OverlapSettings) {
        let ms = self.frames * FRAME_MS;
        let command = if self.echo_part > ECHO_PART_MAX {
            0
        } else {
            permille(self.kinds[0])
        };
        match self.decision {
            OverlapDecision::Quiet | OverlapDecision::Stop => {}
            OverlapDecision::Undecided => {
                if ms >= settings.decide_ms {
                    self.decision = if command >= settings.stop_permille {
                        OverlapDecision::Stop
                    } else {
                        OverlapDecision::Continue
                    };
                } else if ms >= settings.early_ms {
                    if command >= settings.early_stop_permille {
                        self.decision = OverlapDecision::Stop;
                    } else if command < settings.early_continue_permille {
                        self.decision = OverlapDecision::Continue;
                    }
                }
            }
            OverlapDecision::Continue => {
                self.late_frames = if command >= settings.late_stop_permille {
                    self.late_frames + 1
                } else {
                    0
                };
                if self.late_frames * FRAME_MS >= settings.late_ms {
                    self.decision = OverlapDecision::Stop;
                }
            }
        }
    }
}

/// Weights of the model, for training.
pub const fn overlap_weight_count() -> usize {
    model::WEIGHTS
}

fn permille(part: f32) -> u16 {
    (part.clamp(0.0, 1.0) * 1_000.0).round() as u16
}
