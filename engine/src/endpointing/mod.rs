//! When the person's turn is over: evidence from words, sound, the question asked and their habit.
//!
//! [`decide`] weighs the [`Evidence`] to a probability that the turn is over and from it derives how
//! long to wait after the end of speech. It is a pure function, evaluated again whenever the
//! evidence changes (a partial or final transcript). `docs/endpointing.md` has the measurements,
//! `docs/adr/0004-endpointing.md` why it is built so.

mod habit;
mod model;
mod policy;
mod question;
mod reason;
mod text;
mod weights;
mod words;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use habit::PauseHabit;
pub use model::{FEATURE_NAMES, FEATURES, Model, features};
pub use policy::Policy;
pub use question::{QuestionKind, question_kind};
pub use text::{TAIL_NAMES, TAILS, given_log_odds, tail_index};

/// How an utterance sounded at its end: the engine's copy of `antiphon_audio::prosody::Prosody`,
/// which documents how each field is measured. Whole numbers, so that a log holds it exactly. All
/// are 0 where nothing voiced was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prosody {
    /// Change of pitch over the last voiced 300 ms, in tenths of a semitone; negative where it
    /// falls.
    pub pitch_slope_st10: i16,
    /// Last pitch less the speaker's low (tenth percentile), in tenths of a semitone.
    pub pitch_floor_st10: i16,
    /// Last level less the speaker's usual, in tenths of a dB.
    pub level_db10: i16,
    /// Last periodicity less the speaker's usual, in thousandths: low in creaky or breathy voice.
    pub periodicity_permille: i16,
    /// Length of the last voiced stretch, in milliseconds.
    pub last_voiced_ms: u16,
    /// From the last voiced frame to the end of speech, in milliseconds.
    pub unvoiced_tail_ms: u16,
}

/// Chance that the last words of a good recognizer are right, in thousandths.
pub const TRUST_GOOD_PERMILLE: u16 = 950;
/// The same of the embedded recognizer, in thousandths: it mishears a third to two thirds of the
/// words of a conversation.
pub const TRUST_EMBEDDED_PERMILLE: u16 = 500;

/// All that is known when the person has fallen silent.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Words of the turn so far; empty where none have come.
    pub text: &'a str,
    /// True where `text` is final. A partial may lack its last words and counts for less.
    pub is_final: bool,
    /// Chance that the last words are right, in thousandths (1000 at most): a property of the
    /// recognizer, as [`TRUST_GOOD_PERMILLE`].
    pub text_trust_permille: u16,
    /// How the last utterance ended; none where the driver has no tracker.
    pub prosody: Option<Prosody>,
    /// What the agent's last words asked for.
    pub question: QuestionKind,
    /// How this speaker pauses.
    pub habit: &'a PauseHabit,
    /// From the onset of the turn to the end of speech, pauses included, in milliseconds; 0 where
    /// it is not known.
    pub turn_ms: u64,
}

/// When to take the turn for over, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOfTurn {
    /// Probability that the turn is over, judged at the end of speech, in thousandths.
    pub probability_permille: u16,
    /// Silence that ends the turn, in milliseconds after the end of speech.
    pub wait_ms: u64,
    /// What moved it most, for people.
    pub reason: String,
}

/// Decides with the trained [`Model`]. The wait lies within `min_ms` and `max_ms`; where `min_ms`
/// is the greater it is the wait. The larger the minimum, the surer the model has to be before it
/// waits no longer than that (see [`Policy`]).
pub fn decide(evidence: &Evidence<'_>, min_ms: u64, max_ms: u64) -> EndOfTurn {
    decide_with(&Model::trained(), evidence, min_ms, max_ms)
}

/// Decides with another model: the bench trains some.
pub fn decide_with(model: &Model, evidence: &Evidence<'_>, min_ms: u64, max_ms: u64) -> EndOfTurn {
    let judged = model.judge(evidence);
    EndOfTurn {
        probability_permille: policy::permille(judged.logit),
        wait_ms: model
            .policy
            .wait_ms(judged.logit, min_ms, max_ms, evidence.habit),
        reason: reason::reason(&judged, evidence),
    }
}
