//! Inputs and outputs as JSON: what is shown of them goes by their names, so that a kind that is
//! added to the engine later is shown as it is instead of not at all.

use antiphon_proto::Moment;
use serde::Serialize;
use serde_json::Value;

/// The JSON of an input, an output or an event.
pub(super) fn json(of: &impl Serialize) -> Value {
    // Structs of strings and numbers: there is no way to fail.
    serde_json::to_value(of).unwrap_or_default()
}

/// Its `type`.
pub(super) fn kind(of: &Value) -> &str {
    text(of, "type")
}

/// A text in it; empty where there is none.
pub(super) fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number in it; 0 where there is none.
pub(super) fn number(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// The stages of a turn's timeline that it had, with their milliseconds, in order of time.
pub(super) fn stages(timeline: &Value) -> Vec<(String, u64)> {
    let mut stages: Vec<(String, u64)> = timeline
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, ms)| {
            let name = name
                .strip_suffix("_ms")
                .filter(|name| *name != "user_end_at")?;
            Some((name.replace('_', " "), ms.as_u64()?))
        })
        .collect();
    stages.sort_by_key(|(_, ms)| *ms);
    stages
}

/// Seconds with milliseconds.
pub(super) fn seconds(at: Moment) -> String {
    format!("{}.{:03}", at.ms() / 1_000, at.ms() % 1_000)
}

/// Text of a call, safe to print: a caller may type what a terminal obeys.
pub(super) fn printable(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || turns(character) {
            plain.extend(character.escape_unicode());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// True for the characters that turn the direction of writing around.
pub(super) fn turns(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first `utf16` code units of a text, at a character's end.
pub(super) fn prefix_utf16(text: &str, utf16: u64) -> &str {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        units += character.len_utf16() as u64;
        if units > utf16 {
            return &text[..at];
        }
    }
    text
}
