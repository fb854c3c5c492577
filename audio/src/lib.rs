//! PCM frames, resampling, Opus, G.711, voice activity, jitter buffer, audio files.
//!
//! Everything here is pure: no clock, no IO, no threads. Times come in as microseconds, audio as
//! 16-bit mono samples. The caller's side runs at [`CALLER_RATE_HZ`] throughout.

pub mod caller;
pub mod fade;
pub mod file;
pub mod g711;
pub mod jitter;
pub mod level;
pub mod opus;
pub mod overlap;
pub mod preroll;
pub mod prosody;
pub mod resample;
pub mod vad;

/// Sample rate of everything on the caller's side (VAD, recognizer), in Hz.
pub const CALLER_RATE_HZ: u32 = 16_000;

/// Samples of one 20 ms frame at [`CALLER_RATE_HZ`].
pub const CALLER_FRAME_SAMPLES: usize = 320;

/// Length of one frame, in milliseconds.
pub const FRAME_MS: u32 = 20;

/// Rate of RTP timestamps of Opus, in Hz, whatever the audio's own rate (RFC 7587, 4.1).
pub const RTP_RATE_HZ: u32 = 48_000;
