//! The inline safety check: a small rule set and the state machine over it. Pure.
//!
//! The trained classifier takes the place of [`rules`] later; the state machine, its floor and the
//! reviewed words stay.

mod monitor;
mod rules;
mod script;

pub use monitor::{Decision, Monitor};
pub use rules::{Finding, Severity, check_agent, check_user};
