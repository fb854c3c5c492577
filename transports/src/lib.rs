//! Adapters between the network and a session: each implements [`antiphon_runtime::Transport`].
//!
//! [`webrtc`] is the one that browsers use.

pub mod webrtc;
