//! Shared helpers of the measuring programs.
