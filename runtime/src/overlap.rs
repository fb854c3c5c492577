//! Listening to the caller while the agent speaks: what the sound itself tells the engine.

use antiphon_audio::CALLER_RATE_HZ;
use antiphon_audio::overlap::{OverlapDecision, OverlapJudge, OverlapSettings, OverlapView};
use antiphon_audio::resample::Resampler;
use antiphon_engine::{Input, InterruptionMode, OverlapKind};

use crate::CALLER_FRAME_SAMPLES;

/// The judge of one call, asleep while the agent is silent.
pub(crate) struct Overlap {
    judge: Box<OverlapJudge>,
    mode: InterruptionMode,
    /// From the rate of the agent's audio to the caller's; none where they are the same.
    resampler: Option<Resampler>,
    /// The agent's audio of this tick, at the caller's rate.
    agent: Vec<i16>,
    last: OverlapDecision,
}

impl Overlap {
    /// For agent audio at `agent_hz`.
    pub(crate) fn new(mode: InterruptionMode, agent_hz: u32) -> Self {
        Self {
            judge: Box::new(OverlapJudge::new(settings(mode))),
            mode,
            resampler: (agent_hz != CALLER_RATE_HZ)
                .then(|| Resampler::new(agent_hz, CALLER_RATE_HZ).ok())
                .flatten(),
            agent: Vec::new(),
            last: OverlapDecision::Quiet,
        }
    }

    pub(crate) fn set_mode(&mut self, mode: InterruptionMode) {
        self.mode = mode;
        self.judge.set_settings(settings(mode));
    }

    /// What is sent to the caller in this tick.
    pub(crate) fn sent(&mut self, frame: &[i16]) {
        match &mut self.resampler {
            None => self.agent.extend_from_slice(frame),
            Some(resampler) => resampler.process(frame, &mut self.agent),
        }
    }

    /// Judges the caller's frame of this tick; `speaking` where the agent is audible or held.
    /// Returns what the engine must know: changes only.
    pub(crate) fn hear(
        &mut self,
        frame: &[i16; CALLER_FRAME_SAMPLES],
        speaking: bool,
    ) -> Option<Input> {
        if !speaking || self.mode == InterruptionMode::Off {
            self.agent.clear();
            self.last = OverlapDecision::Quiet;
            return None;
        }
        let whole = self.agent.len() >= CALLER_FRAME_SAMPLES;
        self.judge
            .push(frame, whole.then(|| &self.agent[..CALLER_FRAME_SAMPLES]));
        if whole {
            // A resampler is a little early or late; more than a frame is never kept.
            self.agent.drain(..CALLER_FRAME_SAMPLES);
            self.agent.truncate(CALLER_FRAME_SAMPLES);
        }
        let view = self.judge.view();
        let before = std::mem::replace(&mut self.last, view.decision);
        if before == view.decision {
            return None;
        }
        match view.decision {
            // That it is over is known from the detector.
            OverlapDecision::Quiet => None,
            OverlapDecision::Undecided => Some(Input::SoundStarted),
            OverlapDecision::Continue => Some(Input::OverlapJudged { kind: kind(&view) }),
            OverlapDecision::Stop => Some(Input::OverlapJudged {
                kind: OverlapKind::Interruption,
            }),
        }
    }
}

/// Why the agent may go on.
fn kind(view: &OverlapView) -> OverlapKind {
    /// More than half of the sound is the agent's own.
    const ECHO_PERMILLE_MIN: u16 = 500;
    if view.echo_permille >= ECHO_PERMILLE_MIN {
        OverlapKind::Echo
    } else if view.backchannel_permille >= view.noise_permille {
        OverlapKind::Backchannel
    } else {
        OverlapKind::Noise
    }
}

fn settings(mode: InterruptionMode) -> OverlapSettings {
    match mode {
        InterruptionMode::Off | InterruptionMode::Polite => OverlapSettings::POLITE,
        InterruptionMode::Normal => OverlapSettings::NORMAL,
        InterruptionMode::Eager => OverlapSettings::EAGER,
    }
}
