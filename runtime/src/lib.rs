//! Drives one engine per session on tokio: the only clock read, the channels, the meter tick.

mod transport;

pub use transport::{CALLER_FRAME_SAMPLES, Pulled, Transport, TransportInput};
