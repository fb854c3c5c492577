//! What is allowed in a personality file but makes a worse agent.

use std::collections::{BTreeSet, HashMap};

use crate::{Agent, Intent, Pronunciation, plain_words};

/// Examples below which an intent is found by luck.
const EXAMPLES_MIN: usize = 3;
/// Answers below which an intent sounds like a recording.
const ANSWERS_MIN: usize = 2;
/// Words of a greeting; at 150 words a minute this is 14 seconds, and callers want to speak.
const GREETING_WORDS_MAX: usize = 35;
/// Words of a passage or an answer; 28 seconds of speech.
const SPOKEN_WORDS_MAX: usize = 70;
/// Words of a sentence; longer ones are hard to follow by ear.
const SENTENCE_WORDS_MAX: usize = 32;
/// Share of words in common from which two examples are taken for each other.
const COLLISION_SHARE: f64 = 0.8;

/// Something to improve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// What kind.
    pub kind: LintKind,
    /// Where: `greeting`, `intent order`, `passage page speed`.
    pub place: String,
    /// What is wrong and what to do, for authors.
    pub message: String,
}

/// Kinds of [`Lint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LintKind {
    /// An intent has too few ways to say it.
    FewExamples,
    /// An intent has only one answer.
    FewAnswers,
    /// The greeting takes too long to say.
    LongGreeting,
    /// A passage or an answer takes too long to say.
    LongText,
    /// A sentence is hard to follow by ear.
    LongSentence,
    /// A character that a voice skips or reads out.
    Unspeakable,
    /// A pronunciation that changes nothing.
    IdlePronunciation,
    /// Two intents share an example, or nearly.
    Collision,
    /// The agent knows or understands very little.
    Thin,
}

/// Everything to improve, in the order of the file.
pub fn lint(agent: &Agent) -> Vec<Lint> {
    let mut lints = Vec::new();
    lint_outline(agent, &mut lints);
    for intent in &agent.intents {
        lint_intent(intent, &mut lints);
    }
    for passage in &agent.knowledge {
        lint_spoken(
            &passage.text,
            &format!("passage {}", passage.title),
            &mut lints,
        );
    }
    for intent in &agent.small_talk {
        for answer in &intent.answers {
            lint_spoken(answer, &format!("small talk {}", intent.name), &mut lints);
        }
    }
    lint_pronounce(agent, &mut lints);
    lint_collisions(agent, &mut lints);
    lints
}

fn push(lints: &mut Vec<Lint>, kind: LintKind, place: &str, message: String) {
    lints.push(Lint {
        kind,
        place: place.to_owned(),
        message,
    });
}

fn lint_outline(agent: &Agent, lints: &mut Vec<Lint>) {
    let words = plain_words(&agent.greeting).len();
    if words > GREETING_WORDS_MAX {
        let message =
            format!("{words} words; say who it is and ask, in at most {GREETING_WORDS_MAX}");
        push(lints, LintKind::LongGreeting, "greeting", message);
    }
    if agent.intents.len() + agent.knowledge.len() < EXAMPLES_MIN {
        let message =
            "fewer than three intents and passages; without a language model it has nothing to say";
        push(lints, LintKind::Thin, "file", message.to_owned());
    }
    for (text, place) in [
        (&agent.greeting, "greeting"),
        (&agent.apology, "apology"),
        (&agent.farewell, "farewell"),
    ] {
        lint_spoken(text, place, lints);
    }
    let manner = &agent.manner;
    for text in [
        &manner.openers,
        &manner.acknowledgements,
        &manner.checks,
        &manner.follow_ups,
    ]
    .into_iter()
    .chain([&manner.reflections, &manner.fallbacks])
    .flatten()
    {
        lint_spoken(text, "manner", lints);
    }
}

fn lint_intent(intent: &Intent, lints: &mut Vec<Lint>) {
    let place = format!("intent {}", intent.name);
    if intent.examples.len() < EXAMPLES_MIN {
        let message = format!(
            "{} examples; write at least {EXAMPLES_MIN}",
            intent.examples.len()
        );
        push(lints, LintKind::FewExamples, &place, message);
    }
    if intent.answers.len() < ANSWERS_MIN && !intent.ends_call {
        let message =
            "one answer; write a second, or a caller who asks twice hears a recording".to_owned();
        push(lints, LintKind::FewAnswers, &place, message);
    }
    let follow_up = intent.follow_up.iter().flat_map(|follow_up| {
        [
            Some(&follow_up.ask),
            follow_up.yes.as_ref(),
            follow_up.no.as_ref(),
            follow_up.open.as_ref(),
        ]
    });
    for text in intent
        .answers
        .iter()
        .chain(&intent.why)
        .chain(follow_up.flatten())
    {
        lint_spoken(text, &place, lints);
    }
}

fn lint_spoken(text: &str, place: &str, lints: &mut Vec<Lint>) {
    let words = plain_words(text).len();
    if words > SPOKEN_WORDS_MAX {
        let message =
            format!("{words} words in one go; at most {SPOKEN_WORDS_MAX}, or callers interrupt");
        push(lints, LintKind::LongText, place, message);
    }
    let longest = text
        .split(['.', '?', '!', ';'])
        .map(|sentence| plain_words(sentence).len())
        .max()
        .unwrap_or(0);
    if longest > SENTENCE_WORDS_MAX {
        let message = format!("a sentence of {longest} words; at most {SENTENCE_WORDS_MAX}");
        push(lints, LintKind::LongSentence, place, message);
    }
    if let Some(c) = text.chars().find(|c| !is_speakable(*c)) {
        let message = format!("`{}` is not spoken; write the word", c.escape_default());
        push(lints, LintKind::Unspeakable, place, message);
    }
}

fn lint_pronounce(agent: &Agent, lints: &mut Vec<Lint>) {
    for (word, said) in agent.pronounce.iter() {
        if matches!(said, Pronunciation::Respelled(said) if said.to_lowercase() == word) {
            let message = format!("`{word}` is said as it is written; leave it out, or respell it");
            push(lints, LintKind::IdlePronunciation, "pronounce", message);
        }
    }
}

/// Letters, digits and the punctuation that a voice turns into pauses. Braces hold placeholders.
fn is_speakable(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            ' ' | '.' | ',' | '?' | '!' | ';' | ':' | '\'' | '’' | '-' | '{' | '}' | '_'
        )
}

fn lint_collisions(agent: &Agent, lints: &mut Vec<Lint>) {
    let examples: Vec<(&str, BTreeSet<String>)> = agent
        .intents
        .iter()
        .flat_map(|intent| {
            let name = intent.name.as_str();
            intent
                .examples
                .iter()
                .map(move |example| (name, plain_words(example).into_iter().collect()))
        })
        .collect();
    let mut told: HashMap<(&str, &str), ()> = HashMap::new();
    for (nth, (name, words)) in examples.iter().enumerate() {
        for (other, other_words) in &examples[nth + 1..] {
            let shared = words.intersection(other_words).count() as f64;
            let all = words.union(other_words).count() as f64;
            if name != other
                && shared >= COLLISION_SHARE * all
                && told.insert((name, other), ()).is_none()
            {
                let message =
                    format!("shares an example with intent {other}; callers get either by chance");
                push(
                    lints,
                    LintKind::Collision,
                    &format!("intent {name}"),
                    message,
                );
            }
        }
    }
}
