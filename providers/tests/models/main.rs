//! Fetching models from a server over real sockets.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod archive;
mod broken;
mod disk;
mod fresh;
mod resume;
mod support;
