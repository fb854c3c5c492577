//! Scripted providers, simulated callers and fault proxies for tests and measurements; and, as
//! tests of this crate, the rules that hold for the whole tree (`tests/layering.rs`,
//! `tests/tidy.rs`).

pub mod fakes;

mod line;
mod proxy;
mod recorded;
mod scripted;
pub mod sim;
mod whisper_model;

pub use line::{Caller, Line, line};
pub use proxy::{Faults, UdpProxy};
pub use recorded::{RecordedSpeak, Recording, flite_recordings};
pub use scripted::{ScriptedHear, ScriptedSpeak, ScriptedThink};
pub use whisper_model::WhisperModel;
