//! How long to wait after the person fell silent.

use crate::EngineConfig;

/// How long to wait, and why, for the turn's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Silence that ends the turn, in milliseconds after the end of speech.
    pub ms: u64,
    /// The reason, for people.
    pub reason: String,
}

/// Words after which a sentence goes on. Function words that English does not end a turn with.
const HANGING: &[&str] = &[
    "a", "about", "an", "and", "are", "as", "at", "because", "but", "by", "for", "from", "i", "if",
    "in", "into", "is", "like", "my", "of", "on", "or", "our", "so", "than", "that's", "the",
    "their", "then", "to", "um", "uh", "was", "were", "when", "where", "which", "while", "who",
    "with", "your",
];

/// Extra wait between spelled letters or digits: people group them with pauses of this order.
const SPELLING_EXTRA_MS: u64 = 400;

/// Decides the wait from the transcript so far.
pub fn wait_after(text: &str, config: &EngineConfig) -> Wait {
    let clamp = |ms: u64| {
        ms.clamp(
            config.endpointing.ms_min,
            config.endpointing.ms_max.max(config.endpointing.ms_min),
        )
    };
    let Some(last) = text.split_whitespace().next_back() else {
        return Wait {
            ms: clamp(config.endpointing.ms_min),
            reason: "no words yet".into(),
        };
    };
    let last = last
        .trim_matches(|c: char| c.is_ascii_punctuation())
        .to_lowercase();
    if HANGING.contains(&last.as_str()) {
        return Wait {
            ms: clamp(config.endpointing.ms_max),
            reason: format!("transcript ends in '{last}'"),
        };
    }
    let spelled = |word: &str| {
        word.len() == 1 || word.chars().all(|c| c.is_ascii_digit()) || is_digit_word(word)
    };
    let tail = text
        .split_whitespace()
        .rev()
        .take(2)
        .filter(|word| spelled(&word.to_lowercase()))
        .count();
    if tail == 2 {
        let ms = clamp(config.endpointing.ms_min + SPELLING_EXTRA_MS);
        return Wait {
            ms,
            reason: "letters or digits may follow".into(),
        };
    }
    Wait {
        ms: clamp(config.endpointing.ms_min),
        reason: "the sentence may be complete".into(),
    }
}

fn is_digit_word(word: &str) -> bool {
    [
        "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ]
    .contains(&word)
}

#[cfg(test)]
mod tests {
    use antiphon_proto::{AgentId, SessionId};

    use super::*;

    #[test]
    fn waits_by_what_was_said() {
        let config = EngineConfig::new(SessionId::from("s"), AgentId::from("a"), "A");
        let check = |text: &str, ms: u64| assert_eq!(wait_after(text, &config).ms, ms, "{text:?}");
        check("", 500);
        check("how do i choose a domain name", 500);
        check("i would like to and", 1_600);
        check("so um", 1_600);
        check("my number is four two", 900);
        check("give me two", 500);
        check("Tell me about Paris.", 500);
    }

    #[test]
    fn a_minimum_above_the_maximum_wins() {
        let mut config = EngineConfig::new(SessionId::from("s"), AgentId::from("a"), "A");
        config.endpointing.ms_min = 2_000;
        config.endpointing.ms_max = 100;
        assert_eq!(wait_after("and", &config).ms, 2_000);
    }
}
