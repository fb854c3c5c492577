//! Choosing among wordings and filling them in.

use antiphon_agents::{Agent, plain_words};

use super::memory::Memory;
use super::words::is_function_word;

/// Words of the person's that are given back to them.
const REFLECTED_WORDS_MAX: usize = 9;
/// Words that an agent does not repeat, even where a recognizer made them up.
const NOT_REFLECTED: &[&str] = &[
    "fuck", "fucking", "shit", "bitch", "cunt", "dick", "cock", "pussy", "ass", "asshole",
    "bastard", "whore", "slut", "porn", "sex", "rape", "nigger", "faggot", "kill", "murder",
    "bomb", "nazi",
];

/// What goes into a template.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fill {
    pub(crate) topic: Option<String>,
    pub(crate) other: Option<String>,
    pub(crate) words: Option<String>,
}

/// Fills a template in; nothing where a value is missing.
pub(crate) fn render(
    template: &str,
    agent: &Agent,
    memory: &Memory,
    fill: &Fill,
) -> Option<String> {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let close = open + rest[open..].find('}')?;
        text.push_str(&rest[..open]);
        text.push_str(value(&rest[open + 1..close], agent, memory, fill)?);
        rest = &rest[close + 1..];
    }
    text.push_str(rest);
    Some(capital_first(&text))
}

/// The wording to use: one that can be filled in and was not said before, else one that was not
/// said just now. `seed` decides among equals, so the same call gives the same words.
pub(crate) fn pick(
    texts: &[String],
    agent: &Agent,
    memory: &Memory,
    fill: &Fill,
    seed: u64,
) -> Option<String> {
    let count = texts.len();
    let start = (seed % count.max(1) as u64) as usize;
    let mut ordered: Vec<&String> = (0..count)
        .map(|nth| &texts[(start + nth) % count])
        .collect();
    // What the person ordered is best said back whole.
    let slots_of = |text: &str| {
        let named = agent
            .slots
            .iter()
            .filter(|slot| text.contains(&format!("{{{}}}", slot.name)));
        named.count()
    };
    ordered.sort_by_key(|text| std::cmp::Reverse(slots_of(text)));
    let ready: Vec<String> = ordered
        .into_iter()
        .filter_map(|text| render(text, agent, memory, fill))
        .collect();
    let fresh = ready.iter().find(|text| !memory.has_said_some(text));
    let other = || {
        ready
            .iter()
            .find(|text| !memory.last.text.contains(text.as_str()))
    };
    fresh.or_else(other).cloned()
}

/// A number that depends on the turn and the words alone (FNV-1a).
pub(crate) fn seed(turn: usize, text: &str) -> u64 {
    let bytes = (turn as u64).to_le_bytes();
    bytes
        .iter()
        .copied()
        .chain(text.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// The person's words as the agent would say them back: `my site is slow` becomes `your site is
/// slow`. Nothing where there is little to say back or it had better not be.
pub(crate) fn reflect(text: &str) -> Option<String> {
    let words = plain_words(text);
    if words
        .iter()
        .any(|word| NOT_REFLECTED.contains(&word.as_str()))
    {
        return None;
    }
    let subject = words.iter().filter(|word| !is_function_word(word)).count();
    if subject == 0 {
        return None;
    }
    let about_agent = words
        .iter()
        .any(|word| matches!(word.as_str(), "you" | "your"));
    if words.len() <= REFLECTED_WORDS_MAX && !about_agent && !is_question(&words) {
        let said: Vec<&str> = words.iter().map(|word| swapped(word)).collect();
        return Some(said.join(" "));
    }
    longest_subject_run(&words)
}

fn is_question(words: &[String]) -> bool {
    let first = words.first().map(String::as_str).unwrap_or_default();
    [
        "what", "what's", "who", "who's", "how", "how's", "where", "where's", "when", "why",
        "which", "can", "could", "do", "does", "did", "is", "are", "will", "would", "should",
        "tell", "give",
    ]
    .contains(&first)
}

fn longest_subject_run(words: &[String]) -> Option<String> {
    let run = words
        .split(|word| is_function_word(word) || word.contains('\''))
        .max_by_key(|run| run.len().min(4))
        .filter(|run| !run.is_empty())?;
    Some(run[..run.len().min(4)].join(" "))
}

fn swapped(word: &str) -> &str {
    match word {
        "i" | "me" => "you",
        "my" => "your",
        "mine" => "yours",
        "am" => "are",
        "i'm" => "you're",
        "i've" => "you've",
        "i'd" => "you'd",
        "i'll" => "you'll",
        "myself" => "yourself",
        "we" | "us" => "you",
        "our" => "your",
        other => other,
    }
}

fn value<'a>(name: &str, agent: &'a Agent, memory: &'a Memory, fill: &'a Fill) -> Option<&'a str> {
    match name {
        "name" => Some(&agent.name),
        "title" => Some(&agent.title),
        "farewell" => Some(&agent.farewell),
        "caller" => memory.caller.as_deref(),
        "topic" => fill.topic.as_deref(),
        "other" => fill.other.as_deref(),
        "words" => fill.words.as_deref(),
        slot => memory
            .slots
            .iter()
            .find(|(name, _)| name == slot)
            .map(|(_, value)| value.as_str()),
    }
}

fn capital_first(text: &str) -> String {
    super::names::capitalized(text)
}

#[cfg(test)]
mod tests {
    use super::reflect;

    #[test]
    fn gives_words_back() {
        for (text, back) in [
            ("my website is slow", Some("your website is slow")),
            ("I'm tired of my job", Some("you're tired of your job")),
            ("where do i buy goat milk", Some("buy goat milk")),
            ("you are an asshole", None),
            ("it is", None),
            ("", None),
        ] {
            assert_eq!(reflect(text).as_deref(), back, "{text}");
        }
    }
}
