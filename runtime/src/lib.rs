//! Drives one engine per session on tokio.
