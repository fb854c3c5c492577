//! Words that the agent's dictionary knows.

use antiphon_agents::{Pronunciation, Pronunciations};

use super::context::Context;

/// Endings that a known word may have.
const ENDINGS: [&str; 3] = ["'s", "s", "'"];

/// What is said for the words at a token, one entry a token, with its sound where the dictionary
/// gives one. The longest entry wins.
pub(super) fn look_up(
    context: &Context<'_>,
    pronounce: &Pronunciations,
) -> Option<Vec<(String, Option<String>)>> {
    (1..=pronounce.words_max())
        .rev()
        .find_map(|count| entry(context, pronounce, count))
}

fn entry(
    context: &Context<'_>,
    pronounce: &Pronunciations,
    count: usize,
) -> Option<Vec<(String, Option<String>)>> {
    let mut words: Vec<&str> = Vec::with_capacity(count);
    for nth in 0..count {
        let word = if nth == 0 {
            context.core()
        } else {
            context.joined(nth)
        };
        words.push(Some(word).filter(|word| !word.is_empty())?);
    }
    let written = words.join(" ");
    let (known, ending) = pronounce
        .find(&written)
        .map(|known| (known, ""))
        .or_else(|| {
            ENDINGS.iter().find_map(|&ending| {
                let stem = written.strip_suffix(ending)?;
                Some((pronounce.find(stem)?, ending))
            })
        })?;
    let mut said: Vec<(String, Option<String>)> = match known {
        Pronunciation::Respelled(respelled) => {
            let mut parts = vec![(String::new(), None); count];
            parts[count - 1].0 = format!("{respelled}{ending}");
            parts
        }
        Pronunciation::Ipa(ipa) => {
            let mut parts: Vec<_> = words
                .iter()
                .map(|word| ((*word).to_owned(), None))
                .collect();
            // The sound of several words is that of the last; the others are silent.
            parts[..count - 1]
                .iter_mut()
                .for_each(|part| part.1 = Some(String::new()));
            parts[count - 1].1 = Some(format!("{ipa}{}", sibilant(ipa, ending)));
            parts
        }
    };
    said.shrink_to_fit();
    Some(said)
}

/// How a plural or possessive ends in sound.
fn sibilant(ipa: &str, ending: &str) -> &'static str {
    match ipa.chars().next_back() {
        _ if !ending.contains('s') => "",
        Some('s' | 'z' | 'ʃ' | 'ʒ') => "ɪz",
        Some('p' | 't' | 'k' | 'f' | 'θ') => "s",
        Some(_) | None => "z",
    }
}
