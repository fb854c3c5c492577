//! A conversation in virtual time: the real engine, with a person, a recognizer, a responder, a
//! voice and a playout that do as a [`Script`] says. Nothing here reads a clock or draws a random
//! number, so the same script gives the same conversation.

mod playout;
pub mod random;
mod world;

pub use playout::SimPlayout;
pub use world::{Observed, World};

use antiphon_proto::{Moment, ToolCall};

/// A stretch of speech of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// When it begins.
    pub from: Moment,
    /// When it ends.
    pub to: Moment,
    /// What the recognizer makes of it; nothing for a noise.
    pub text: String,
    /// When the final comes, in milliseconds after the end.
    pub final_after_ms: u64,
    /// Partials: milliseconds after the beginning, and the words so far.
    pub partials: Vec<(u64, String)>,
    /// True where the recognizer fails instead.
    pub fails: bool,
}

impl Speech {
    /// Speech from `from_s` to `to_s` whose final comes `final_after_ms` after its end.
    pub fn new(from_s: f64, to_s: f64, text: &str, final_after_ms: u64) -> Self {
        Self {
            from: Moment((from_s * 1e6) as u64),
            to: Moment((to_s * 1e6) as u64),
            text: text.to_owned(),
            final_after_ms,
            partials: Vec::new(),
            fails: false,
        }
    }
}

/// What the responder does with one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyPlan {
    /// Words, each with its time after the request, in milliseconds.
    pub deltas: Vec<(u64, String)>,
    /// Tools called at the end.
    pub calls: Vec<ToolCall>,
    /// When it ends, in milliseconds after the request; `None` for never.
    pub ends_ms: Option<u64>,
    /// True where it ends by failing.
    pub fails: bool,
    /// True where the call is over after it.
    pub hang_up: bool,
}

impl ReplyPlan {
    /// The words in one piece after `first_ms`, the end after `ends_ms`.
    pub fn text(text: &str, first_ms: u64, ends_ms: u64) -> Self {
        Self {
            deltas: vec![(first_ms, text.to_owned())],
            ends_ms: Some(ends_ms),
            ..Self::default()
        }
    }
}

/// What the voice does with one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoicePlan {
    /// When the first audio is there, in milliseconds after the request; `None` for never.
    pub first_ms: Option<u64>,
    /// Length of the audio, in milliseconds.
    pub audio_ms: u64,
    /// True where it fails instead.
    pub fails: bool,
    /// True where it says where words end.
    pub marks: bool,
}

/// What everybody but the engine does.
pub trait Script {
    /// The person's speech, in order; asked for after each stretch with the time, so that a person
    /// may react.
    fn next_speech(&mut self, now: Moment) -> Option<Speech>;

    /// What the responder does, given the last words of the person.
    fn reply(&mut self, asked: &str) -> ReplyPlan;

    /// What the voice does with a sentence.
    fn voice(&mut self, text: &str) -> VoicePlan;

    /// A tool's result, and when it is there, in milliseconds; `None` for never.
    fn tool(&mut self, call: &ToolCall) -> Option<(u64, String)>;

    /// Detector delays: from the onset to its report, and from the end to its report, in
    /// milliseconds.
    fn detector_ms(&self) -> (u64, u64) {
        (50, 500)
    }
}
