//! Talk that every agent must master, with a file's own answers over the defaults.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::Intent;
use crate::error::Fault;
use crate::file::IntentTable;
use crate::suggest::nearest;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SmallTalkFile {
    small_talk: Vec<IntentTable>,
}

static DEFAULTS: LazyLock<Vec<Intent>> = LazyLock::new(|| {
    let file: SmallTalkFile = toml::from_str(include_str!("small_talk.toml"))
        .expect("invariant: the built-in small talk is well formed, as a test shows");
    file.small_talk
        .into_iter()
        .map(IntentTable::into_intent)
        .collect()
});

/// The defaults; for a name the file has too, its examples are added and its answers replace.
pub(crate) fn merge_small_talk(own: Vec<IntentTable>) -> Result<Vec<Intent>, Fault> {
    let mut merged = DEFAULTS.clone();
    for table in own {
        let span = table.name.span();
        let intent = table.into_intent();
        if let Some(known) = merged.iter_mut().find(|known| known.name == intent.name) {
            known.examples.extend(intent.examples);
            if !intent.answers.is_empty() {
                known.answers = intent.answers;
            }
            known.follow_up = intent.follow_up.or(known.follow_up.take());
            known.why = intent.why.or(known.why.take());
        } else if intent.examples.is_empty() || intent.answers.is_empty() {
            let advice = match nearest(
                &intent.name,
                DEFAULTS.iter().map(|known| known.name.as_str()),
            ) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "give it `examples` and `answers`, or use a name listed in docs/agents.md"
                    .to_owned(),
            };
            return Err(Fault::new(
                span,
                format!("unknown small talk `{}`", intent.name),
                advice,
            ));
        } else {
            merged.push(intent);
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::DEFAULTS;

    #[test]
    fn built_in_small_talk_is_well_formed() {
        assert!(DEFAULTS.len() >= 20);
        for intent in DEFAULTS.iter() {
            let is_phrase = intent.examples.is_empty();
            assert!(is_phrase || intent.examples.len() >= 3, "{}", intent.name);
            assert!(!intent.answers.is_empty(), "{}", intent.name);
        }
    }
}
