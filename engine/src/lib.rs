//! One conversation as a pure, sans-IO state machine: turns, barge-in, history, timers.
//!
//! The driver (in `antiphon-runtime`) takes one [`Input`] with its time, calls
//! [`Engine::handle_input`], drains [`Engine::poll_output`] and sleeps until
//! [`Engine::poll_timeout`]. The engine reads no clock, awaits nothing, locks nothing and spawns
//! nothing (`clippy.toml` bans it), so the log of its inputs replays to identical outputs.

mod config;
mod endpointing;
mod engine;
mod input;
mod output;
mod reply;
mod sentence;
mod user_turn;

pub use config::EngineConfig;
pub use endpointing::{
    Decision, Evidence, FEATURE_NAMES, FEATURES, Model, PauseHabit, Policy, Prosody, QuestionKind,
    TAIL_NAMES, TAILS, TRUST_EMBEDDED_PERMILLE, TRUST_GOOD_PERMILLE, Wait, decide, decide_with,
    features, given_log_odds, question_kind, tail_index, wait_after,
};
pub use engine::{Engine, TimerReason};
pub use input::{Input, Mark, SafetyAction};
pub use output::{Output, Subject};
