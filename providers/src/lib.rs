//! Adapters that hear (speech to text), think (language) and speak (text to speech).
//!
//! Every adapter streams into a bounded channel that the session reads, and stops its work at
//! once when the task handle it gave out is dropped.

pub mod hear;
pub mod models;
pub mod net;
pub mod route;
pub mod speak;
pub mod think;

mod task;

pub use net::{Fault, FaultKind};
pub use task::{CancelFlag, TaskHandle};
