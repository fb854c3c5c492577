//! Cheap signals of how good a reply was; no model is asked.

use std::collections::HashSet;

use antiphon_proto::{Message, Role};

/// Words that can be said in about twenty seconds: longer replies lose listeners.
const WORDS_SPOKEN_MAX: usize = 60;
/// Share of common words from which one text repeats the other.
const SAME_SHARE: f64 = 0.7;
/// Texts shorter than this say too little to compare, words.
const COMPARABLE_WORDS_MIN: usize = 3;

/// Openings of replies that refuse or step out of the part.
const REFUSALS: [&str; 8] = [
    "i can't help with",
    "i cannot help with",
    "i can't assist",
    "i cannot assist",
    "i'm unable to",
    "i am unable to",
    "as an ai",
    "as a language model",
];

/// What is known of a reply once the person has reacted to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Its words.
    pub words: usize,
    /// It says what the reply before it said.
    pub repeats: bool,
    /// It refuses, or steps out of the part.
    pub refuses: bool,
    /// It called tools that reported errors.
    pub tool_failed: bool,
    /// The person cut in.
    pub cut_off: bool,
    /// The person said the same again in other words.
    pub rephrased: bool,
    /// The safety check replaced a sentence of it.
    pub blocked: bool,
}

impl Signals {
    /// Reads them off a history whose last entry is what the person said next. None where nothing
    /// was answered before that.
    pub fn of(history: &[Message]) -> Option<Self> {
        let (now, before) = history.split_last()?;
        if now.role != Role::User {
            return None;
        }
        let reply = before.iter().rposition(|m| m.role == Role::Agent)?;
        let asked = before[..reply].iter().rposition(|m| m.role == Role::User)?;
        let answered = &before[reply];
        let earlier = before[..asked].iter().rev().find(|m| m.role == Role::Agent);
        let text = answered.text.to_lowercase();
        Some(Self {
            words: answered.text.split_whitespace().count(),
            repeats: earlier.is_some_and(|earlier| same(&earlier.text, &answered.text)),
            refuses: REFUSALS.iter().any(|refusal| text.contains(refusal)),
            tool_failed: before[asked..]
                .iter()
                .any(|m| m.role == Role::ToolResult && m.text.starts_with("error")),
            cut_off: answered.interrupted,
            rephrased: same(&before[asked].text, &now.text),
            blocked: false,
        })
    }
}

/// From 0 (useless) to 1.
pub fn quality(signals: Signals) -> f64 {
    let mut quality: f64 = 1.0;
    let over = signals.words.saturating_sub(WORDS_SPOKEN_MAX);
    quality -= (over as f64 / WORDS_SPOKEN_MAX as f64).min(1.0) * 0.3;
    if signals.words == 0 {
        quality -= 0.5;
    }
    for (signal, cost) in [
        (signals.repeats, 0.3),
        (signals.refuses, 0.4),
        (signals.tool_failed, 0.2),
        (signals.cut_off, 0.15),
        (signals.rephrased, 0.4),
        (signals.blocked, 0.6),
    ] {
        if signal {
            quality -= cost;
        }
    }
    quality.max(0.0)
}

fn same(one: &str, other: &str) -> bool {
    let words = |text: &str| -> HashSet<String> {
        text.split(|c: char| !c.is_alphanumeric() && c != '\'')
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (one, other) = (words(one), words(other));
    if one.len().min(other.len()) < COMPARABLE_WORDS_MIN {
        return false;
    }
    let common = one.intersection(&other).count() as f64;
    common / one.len().max(other.len()) as f64 >= SAME_SHARE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use antiphon_proto::TurnId;

    use super::*;

    fn message(role: Role, text: &str, interrupted: bool) -> Message {
        Message {
            turn: TurnId(1),
            role,
            text: text.to_owned(),
            interrupted,
            at_ms: 0,
            tool: None,
        }
    }

    #[test]
    fn the_reaction_of_the_person_is_read_off_the_history() {
        let history = [
            message(Role::Agent, "Hello there.", false),
            message(Role::User, "how do i move my domain", false),
            message(Role::Agent, "As an AI I cannot", true),
            message(Role::User, "how do i move my own domain", false),
        ];
        let signals = Signals::of(&history).unwrap();
        assert!(signals.cut_off && signals.rephrased && signals.refuses);
        assert!(!signals.repeats && !signals.tool_failed);
        assert!(quality(signals) < 0.2);
        assert_eq!(Signals::of(&history[..2]), None, "nothing was answered yet");
    }

    #[test]
    fn a_good_short_answer_is_full_marks_and_each_fault_costs() {
        let good = Signals {
            words: 25,
            ..Signals::default()
        };
        assert_eq!(quality(good), 1.0);
        let check = |worse: Signals| assert!(quality(worse) < 1.0, "{worse:?}");
        check(Signals { words: 120, ..good });
        check(Signals { words: 0, ..good });
        check(Signals {
            repeats: true,
            ..good
        });
        check(Signals {
            refuses: true,
            ..good
        });
        check(Signals {
            tool_failed: true,
            ..good
        });
        check(Signals {
            cut_off: true,
            ..good
        });
        check(Signals {
            rephrased: true,
            ..good
        });
        check(Signals {
            blocked: true,
            ..good
        });
    }

    #[test]
    fn saying_yes_twice_is_no_rephrasing() {
        assert!(!same("yes please", "yes please"));
        assert!(same("what does it cost now", "what does it cost"));
    }
}
