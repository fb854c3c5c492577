//! What the judge makes of a mix.

use antiphon_audio::overlap::{OverlapDecision, OverlapJudge, OverlapSettings};
use antiphon_audio::{CALLER_FRAME_SAMPLES, FRAME_MS};

use crate::material::{Sound, onset};
use crate::mix::{Mix, plain};

/// What happened while one sound was heard; times in milliseconds from its true onset.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// When the onset was told.
    pub(crate) duck_ms: Option<f32>,
    /// When the agent was stopped.
    pub(crate) stop_ms: Option<f32>,
}

/// The judge on trial: settings and weights (the built-in ones where none are given).
#[derive(Clone)]
pub(crate) struct Trial {
    pub(crate) settings: OverlapSettings,
    pub(crate) weights: Option<Vec<f32>>,
}

impl Trial {
    pub(crate) fn judge(&self) -> OverlapJudge {
        match &self.weights {
            Some(weights) => OverlapJudge::with_weights(self.settings, weights.clone()),
            None => OverlapJudge::new(self.settings),
        }
    }

    /// Lays `sound` at -26 dBFS over `bed`, 30 dB below it, and listens.
    pub(crate) fn hear(&self, sound: &Sound, bed: &[f32], bed_below_db: f32) -> Outcome {
        let at = onset(&sound.pcm).unwrap_or(0);
        self.listen(&plain(sound, bed, -26.0, bed_below_db), at)
    }

    /// Listens to `mix`, whose sound is heard from its sample `onset` on.
    pub(crate) fn listen(&self, mix: &Mix, onset: usize) -> Outcome {
        let mut judge = self.judge();
        let mut outcome = Outcome::default();
        let truth = mix.start + onset;
        for (at, frame) in mix.pcm.chunks_exact(CALLER_FRAME_SAMPLES).enumerate() {
            judge.push(frame, None);
            let end = (at + 1) * CALLER_FRAME_SAMPLES;
            if end <= mix.start || end > mix.end + 8_000 {
                continue;
            }
            let ms = (end as f32 - truth as f32) / 16.0;
            let view = judge.view();
            if view.onset_ms_ago.is_some() && outcome.duck_ms.is_none() {
                outcome.duck_ms = Some(ms);
            }
            if view.decision == OverlapDecision::Stop && outcome.stop_ms.is_none() {
                outcome.stop_ms = Some(ms.max(FRAME_MS as f32));
            }
        }
        outcome
    }
}

/// The value below which `part` of `values` lie.
pub(crate) fn quantile(values: &mut [f32], part: f32) -> f32 {
    values.sort_by(f32::total_cmp);
    match values.len() {
        0 => f32::NAN,
        n => values[((n - 1) as f32 * part).round() as usize],
    }
}
