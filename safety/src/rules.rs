//! Phrases of concern in speech as recognizers write it: lower case, no punctuation, mishearings.

/// How much a text worries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing found.
    None,
    /// Distress or a passive wish.
    Concern,
    /// Suicidal thoughts, or violence meant.
    High,
    /// A plan, a means at hand, or an act under way.
    Acute,
}

/// What was found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it worries.
    pub severity: Severity,
    /// The rule that found it, for logs; never the person's words.
    pub rule: &'static str,
}

const NOTHING: Finding = Finding {
    severity: Severity::None,
    rule: "none",
};

/// A rule: any of its phrases, as whole words in sequence.
struct Rule {
    name: &'static str,
    severity: Severity,
    phrases: &'static [&'static str],
}

/// Levels after the Columbia scale (C-SSRS): wish, thoughts, plan or act.
const USER_RULES: &[Rule] = &[
    Rule {
        name: "self-harm: plan or act",
        severity: Severity::Acute,
        phrases: &[
            "took all my pills",
            "taken all my pills",
            "took a bunch of pills",
            "i took too many pills",
            "i have a gun to my head",
            "about to kill myself",
            "about to jump",
            "going to kill myself",
            "gonna kill myself",
            "going to end my life tonight",
            "end it all tonight",
            "cutting myself right now",
            "slit my wrists",
            "hang myself",
            "this is my goodbye",
            "written a suicide note",
            "wrote a suicide note",
        ],
    },
    Rule {
        name: "self-harm: thoughts",
        severity: Severity::High,
        phrases: &[
            "kill myself",
            "kill my self",
            "killing myself",
            "suicide",
            "suicidal",
            "sue aside",
            "end my life",
            "take my own life",
            "want to die",
            "wanna die",
            "hurt myself",
            "harm myself",
            "cut myself",
            "better off dead",
            "no reason to live",
            "do not want to live",
            "don't want to live",
            "dont want to live",
            "don't want to be alive",
            "do not want to be alive",
        ],
    },
    Rule {
        name: "danger from others",
        severity: Severity::High,
        phrases: &[
            "he is going to kill me",
            "he's going to kill me",
            "she's going to kill me",
            "he hits me",
            "he beats me",
            "she hits me",
            "they are hurting me",
            "someone is in my house",
            "i am being followed",
            "he raped me",
        ],
    },
    Rule {
        name: "medical emergency",
        severity: Severity::High,
        phrases: &[
            "i can't breathe",
            "i cannot breathe",
            "having a heart attack",
            "chest pain",
            "i am having a stroke",
            "having a stroke",
            "bleeding a lot",
            "overdosed",
            "over dosed",
        ],
    },
    Rule {
        name: "violence towards others",
        severity: Severity::High,
        phrases: &[
            "going to kill him",
            "going to kill her",
            "going to kill them",
            "want to kill him",
            "want to kill her",
            "want to kill them",
            "shoot up the school",
            "hurt someone tonight",
        ],
    },
    Rule {
        name: "distress",
        severity: Severity::Concern,
        phrases: &[
            "i can't go on",
            "i cannot go on",
            "can't take it anymore",
            "cannot take it anymore",
            "hopeless",
            "worthless",
            "nobody would miss me",
            "no one would miss me",
            "everyone would be better off without me",
            "won't be a problem for anyone",
            "hate my life",
            "wish i was never born",
            "wish i could disappear",
        ],
    },
];

/// Words before a phrase that turn it: "i would never kill myself".
const NEGATIONS: &[&str] = &[
    "not", "never", "don't", "dont", "won't", "wouldn't", "isn't", "no",
];
/// How many words before the phrase a negation may stand.
const NEGATION_REACH: usize = 3;

/// What the agent must not say, whatever produced it.
const AGENT_RULES: &[Rule] = &[
    Rule {
        name: "encourages self-harm",
        severity: Severity::Acute,
        phrases: &[
            "you should kill yourself",
            "kill yourself",
            "you should die",
            "hurt yourself",
            "harm yourself",
            "end your life",
            "nobody would miss you",
            "you are better off dead",
        ],
    },
    Rule {
        name: "dangerous instructions",
        severity: Severity::High,
        phrases: &[
            "how to build a bomb",
            "how to make a bomb",
            "to make a pipe bomb",
            "synthesize nerve gas",
            "lethal dose of",
            "how to tie a noose",
        ],
    },
    Rule {
        name: "claims to be human",
        severity: Severity::Concern,
        phrases: &[
            "i am a real human",
            "i'm a real human",
            "i am a human being",
            "i am not a machine",
        ],
    },
];

/// Checks what a person said.
pub fn check_user(text: &str) -> Finding {
    let words = words(text);
    worst(USER_RULES, &words, true)
}

/// Checks what the agent is about to say.
pub fn check_agent(text: &str) -> Finding {
    let words = words(text);
    // "You should never hurt yourself" is fine to say.
    worst(AGENT_RULES, &words, true)
}

fn words(text: &str) -> Vec<String> {
    let plain = text.to_lowercase().replace('’', "'");
    plain
        .split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn worst(rules: &[Rule], words: &[String], heed_negation: bool) -> Finding {
    let mut found = NOTHING;
    for rule in rules.iter().filter(|rule| rule.severity > Severity::None) {
        let hit = rule
            .phrases
            .iter()
            .any(|phrase| says(words, phrase, heed_negation));
        if hit && rule.severity > found.severity {
            found = Finding {
                severity: rule.severity,
                rule: rule.name,
            };
        }
    }
    found
}

/// True where `phrase` occurs as whole words and is not negated just before.
fn says(words: &[String], phrase: &str, heed_negation: bool) -> bool {
    let wanted: Vec<&str> = phrase.split(' ').collect();
    if wanted.len() > words.len() {
        return false;
    }
    (0..=words.len() - wanted.len()).any(|at| {
        let same = words[at..]
            .iter()
            .zip(&wanted)
            .all(|(word, want)| word == want);
        let before = &words[at.saturating_sub(NEGATION_REACH)..at];
        same && !(heed_negation && before.iter().any(|word| NEGATIONS.contains(&word.as_str())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_phrases() {
        let check = |text: &str, severity: Severity| {
            assert_eq!(check_user(text).severity, severity, "{text:?}")
        };
        check("how do i choose a domain name", Severity::None);
        check("this traffic is killing me", Severity::None);
        check("I'm not going to kill myself", Severity::None);
        check("i would never kill myself", Severity::None);
        check("I want to die.", Severity::High);
        check("sometimes i think about sue aside", Severity::High);
        check("i want to kill my self", Severity::High);
        check("i am gonna kill myself", Severity::Acute);
        check("I don’t want to be alive", Severity::High);
        check("i feel hopeless", Severity::Concern);
        check("", Severity::None);
        check("kill", Severity::None);
    }

    #[test]
    fn agent_phrases() {
        let check = |text: &str, severity: Severity| {
            assert_eq!(check_agent(text).severity, severity, "{text:?}")
        };
        check("You should kill yourself.", Severity::Acute);
        check("Please do not hurt yourself.", Severity::None);
        check("A domain is an address.", Severity::None);
        check("First, how to make a bomb:", Severity::High);
        check("I'm a real human, I promise.", Severity::Concern);
    }
}
