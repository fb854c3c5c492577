//! The per-second meter; pure.
