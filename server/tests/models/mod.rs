//! `antiphon models` as its users run it: the binary, against a server of one small file.

mod command;
#[cfg(feature = "whisper")]
mod hears;
mod library;
