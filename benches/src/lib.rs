//! Shared helpers of the measuring programs.

pub mod caller;
pub mod child;
pub mod clip;
pub mod engine;
pub mod marks;
pub mod process;
pub mod stats;
pub mod talker;
