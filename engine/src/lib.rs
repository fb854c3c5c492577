//! One conversation as a pure, sans-IO state machine: turns, barge-in, history, timers.
//!
//! The driver (in `antiphon-runtime`) takes one [`Input`] with its time, calls
//! [`Engine::handle_input`], drains [`Engine::poll_output`] and sleeps until
//! [`Engine::poll_timeout`]. The engine reads no clock, awaits nothing, locks nothing and spawns
//! nothing (`clippy.toml` bans it), so the log of its inputs replays to identical outputs.

mod clause;
mod config;
mod endpointing;
mod engine;
mod input;
mod output;
mod phrases;
mod reply;
mod sentence;
mod user_turn;

pub use config::{
    AgentProfile, Endpointing, EndpointingMode, EngineConfig, Interruption, InterruptionMode,
    Limits, Patience, Speculation, SpeculationMode, Words,
};
pub use endpointing::{
    EndOfTurn, Evidence, FEATURE_NAMES, FEATURES, Model, PauseHabit, Policy, Prosody, QuestionKind,
    TAIL_NAMES, TAILS, TRUST_EMBEDDED_PERMILLE, TRUST_GOOD_PERMILLE, decide, decide_with, features,
    given_log_odds, question_kind, tail_index,
};
pub use engine::{Engine, TimerReason};
pub use input::{Input, Mark, OverlapKind, SafetyAction};
pub use output::{Decision, Output, Subject};
