//! When an agent takes and yields the turn: the `[turn]` table.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::error::Fault;

/// Longest silence that may be waited for, in milliseconds.
const ENDPOINTING_MS_MAX: u64 = 10_000;
/// Most replies begun early in one turn.
const SPECULATIONS_MAX: u32 = 10;

/// How the end of a caller's turn is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnEnds {
    /// By silence, words and prosody.
    #[default]
    Auto,
    /// By a fixed silence, the shortest one.
    Fixed,
    /// When the client says so.
    Manual,
    /// The caller holds a button while they talk.
    PushToTalk,
}

/// How readily an agent yields to speech over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interruptible {
    /// Never: it finishes what it says.
    Off,
    /// Only to words that are more than a sign of listening.
    Polite,
    /// It holds when speech goes on, and stops for words.
    #[default]
    Normal,
    /// Any speech that goes on stops it.
    Eager,
}

/// How far a reply is prepared before the caller's turn is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speculate {
    /// Not at all.
    Off,
    /// Its words.
    Think,
    /// Its words, and the sound of its first sentence.
    #[default]
    Speak,
}

/// When an agent takes and yields the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How the end of a turn is found.
    pub endpointing: TurnEnds,
    /// Milliseconds of silence after which a turn that sounds finished is over.
    pub endpointing_ms_min: u64,
    /// Milliseconds of silence after which any turn is over.
    pub endpointing_ms_max: u64,
    /// How readily it yields to speech over it.
    pub interruption: Interruptible,
    /// Milliseconds a person must speak over the agent to make it hold.
    pub interruption_ms_min: u64,
    /// Words they must say to stop it; 0 for any.
    pub interruption_words_min: u32,
    /// Milliseconds of silence after which a held reply goes on where no words came of it.
    pub false_interruption_ms: u64,
    /// How far a reply is prepared before the turn is over.
    pub speculation: Speculate,
    /// Most replies begun early in one turn.
    pub speculations_max: u32,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            endpointing: TurnEnds::Auto,
            endpointing_ms_min: 400,
            endpointing_ms_max: 1_800,
            interruption: Interruptible::Normal,
            interruption_ms_min: 250,
            interruption_words_min: 0,
            false_interruption_ms: 800,
            speculation: Speculate::Speak,
            speculations_max: 3,
        }
    }
}

/// The table as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TurnTable {
    endpointing: Option<TurnEnds>,
    endpointing_ms_min: Option<Spanned<u64>>,
    endpointing_ms_max: Option<Spanned<u64>>,
    interruption: Option<Interruptible>,
    interruption_ms_min: Option<u64>,
    interruption_words_min: Option<u32>,
    false_interruption_ms: Option<u64>,
    speculation: Option<Speculate>,
    speculations_max: Option<Spanned<u32>>,
}

impl TurnTable {
    /// The settings, with defaults for what is not written.
    pub(crate) fn read(self) -> Result<Turn, Fault> {
        let or = Turn::default();
        let (ms_min, ms_max, span) = self.endpointing_range(&or);
        if let Some(max) = &self.speculations_max
            && *max.get_ref() > SPECULATIONS_MAX
        {
            return Err(Fault::new(
                max.span(),
                format!("{} replies begun early in one turn", max.get_ref()),
                format!("write at most {SPECULATIONS_MAX}"),
            ));
        }
        if ms_min > ms_max || ms_max > ENDPOINTING_MS_MAX {
            return Err(Fault::new(
                span,
                format!("endpointing from {ms_min} to {ms_max} ms"),
                format!(
                    "write `endpointing_ms_min` no greater than `endpointing_ms_max`, both at most {ENDPOINTING_MS_MAX}"
                ),
            ));
        }
        Ok(Turn {
            endpointing: self.endpointing.unwrap_or(or.endpointing),
            endpointing_ms_min: ms_min,
            endpointing_ms_max: ms_max,
            interruption: self.interruption.unwrap_or(or.interruption),
            interruption_ms_min: self.interruption_ms_min.unwrap_or(or.interruption_ms_min),
            interruption_words_min: self
                .interruption_words_min
                .unwrap_or(or.interruption_words_min),
            false_interruption_ms: self
                .false_interruption_ms
                .unwrap_or(or.false_interruption_ms),
            speculation: self.speculation.unwrap_or(or.speculation),
            speculations_max: self
                .speculations_max
                .map_or(or.speculations_max, Spanned::into_inner),
        })
    }

    fn endpointing_range(&self, or: &Turn) -> (u64, u64, Range<usize>) {
        let given = [&self.endpointing_ms_min, &self.endpointing_ms_max];
        let span = given
            .into_iter()
            .flatten()
            .next_back()
            .map_or(0..0, Spanned::span);
        let value = |given: &Option<Spanned<u64>>, or: u64| {
            given.as_ref().map_or(or, |value| *value.get_ref())
        };
        (
            value(&self.endpointing_ms_min, or.endpointing_ms_min),
            value(&self.endpointing_ms_max, or.endpointing_ms_max),
            span,
        )
    }
}
