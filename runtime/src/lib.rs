//! Drives one engine per session on tokio: the only clock read, the channels, the meter tick.
//!
//! [`Session::spawn`] starts a session; [`Session::attach`] gives it a [`Transport`]; the session
//! ends by itself. An app that embeds the engine needs this crate, `antiphon-agents` and
//! `antiphon-providers`, and a transport of its own or one of `antiphon-transports`.

mod clock;
mod driver;
mod ears;
pub mod log;
pub mod measure;
mod mouth;
mod overlap;
mod playout;
mod session;
mod tools;
mod transport;

pub use ears::engine_prosody;
pub use playout::output_rate_hz;
pub use session::{
    Colleagues, LiveView, NoColleagues, Session, SessionGone, SessionLimits, SessionParts,
    Subscription,
};
pub use tools::{NoTools, ToolOutcome, Tools};
pub use transport::{CALLER_FRAME_SAMPLES, Pulled, Transport, TransportInput};
