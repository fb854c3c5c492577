//! The personality file: schema, loader, linter, built-in agents.
//!
//! A personality is one TOML file (`docs/agents.md` describes every key). [`Agent::parse`] reads
//! it and says what to write instead where it is wrong; [`library`] gives the built-in ones.

mod agent;
mod checks;
mod error;
mod file;
mod instructions;
mod library;
mod lint;
mod phrases;
mod pronounce;
mod route;
mod small_talk;
mod spell;
mod suggest;
mod turn;

pub use agent::{Agent, FollowUp, Intent, Manner, Passage, Slot, Voice};
pub use error::AgentFileError;
pub use file::{AGENT_FILE_BYTES_MAX, FLITE_VOICES, VOICE_BACKENDS};
pub use library::{AGENTS_MAX, library, load_folder};
pub use lint::{Lint, LintKind, lint};
pub use pronounce::{Pronunciation, PronunciationError, Pronunciations};
pub use route::{Prefer, Route, Weights};
pub use spell::{ONES, TENS, plain_words, spell_number};
pub use turn::{Interruptible, Speculate, Turn, TurnEnds};
