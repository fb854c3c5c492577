//! Text made speakable: the table, the way back to the text, and text that nobody would write.
#![allow(clippy::unwrap_used)]

mod alignment;
mod hostile;
mod table;
