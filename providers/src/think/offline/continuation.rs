//! The part of an interrupted answer that was not heard.

use antiphon_agents::{Agent, Intent};

use super::index::{Origin, Part, Topic, sentence_key, sentences};
use super::memory::LastReply;

/// The sentences that were not heard, the one that was cut off first: from its last comma before
/// the cut, or from its start, because half a clause is not understood. Empty where the last
/// answer was heard whole or is not one of the file's texts.
pub(crate) fn rest_of(agent: &Agent, last: &LastReply) -> Vec<String> {
    let Some((cut, Some(origin))) = last.sentences.last() else {
        return Vec::new();
    };
    if !last.interrupted {
        return Vec::new();
    }
    let Some(text) = text_of(agent, *origin) else {
        return Vec::new();
    };
    let source: Vec<&str> = sentences(text).into_iter().skip(origin.sentence).collect();
    let Some((first, following)) = source.split_first() else {
        return Vec::new();
    };
    let mut rest = Vec::new();
    if sentence_key(cut).len() < sentence_key(first).len() {
        rest.push(from_clause(first, cut.len()));
    }
    rest.extend(following.iter().map(|sentence| (*sentence).to_owned()));
    if matches!(origin.part, Part::Answer(_)) {
        rest.extend(ask_of(agent, origin.topic));
    }
    rest.retain(|sentence| !sentence.contains('{'));
    rest
}

fn text_of(agent: &Agent, origin: Origin) -> Option<&str> {
    let intent = match origin.topic {
        Topic::Passage(nth) => {
            let passage = agent.knowledge.get(nth)?;
            return match origin.part {
                Part::Answer(_) => Some(&passage.text),
                Part::Why => passage.why.as_deref(),
                Part::Ask | Part::Yes | Part::No | Part::Open => None,
            };
        }
        Topic::Intent(nth) => agent.intents.get(nth)?,
        Topic::SmallTalk(nth) => agent.small_talk.get(nth)?,
    };
    intent_text(intent, origin.part)
}

fn intent_text(intent: &Intent, part: Part) -> Option<&str> {
    let follow_up = intent.follow_up.as_ref();
    match part {
        Part::Answer(nth) => intent.answers.get(nth).map(String::as_str),
        Part::Why => intent.why.as_deref(),
        Part::Ask => follow_up.map(|follow_up| follow_up.ask.as_str()),
        Part::Yes => follow_up.and_then(|follow_up| follow_up.yes.as_deref()),
        Part::No => follow_up.and_then(|follow_up| follow_up.no.as_deref()),
        Part::Open => follow_up.and_then(|follow_up| follow_up.open.as_deref()),
    }
}

fn ask_of(agent: &Agent, topic: Topic) -> Vec<String> {
    let follow_up = match topic {
        Topic::Intent(nth) => agent
            .intents
            .get(nth)
            .and_then(|intent| intent.follow_up.as_ref()),
        Topic::SmallTalk(nth) => agent
            .small_talk
            .get(nth)
            .and_then(|intent| intent.follow_up.as_ref()),
        Topic::Passage(_) => None,
    };
    follow_up
        .map(|follow_up| {
            sentences(&follow_up.ask)
                .into_iter()
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default()
}

/// The sentence from the last comma before byte `cut`, or whole.
fn from_clause(sentence: &str, cut: usize) -> String {
    let mut cut = cut.min(sentence.len());
    while !sentence.is_char_boundary(cut) {
        cut -= 1;
    }
    let start = sentence[..cut].rfind(", ").map_or(0, |comma| comma + 2);
    super::names::capitalized(sentence[start..].trim())
}

#[cfg(test)]
mod tests {
    use super::from_clause;

    #[test]
    fn resumes_at_a_clause() {
        let sentence = "First pick a name, then buy the domain.";
        assert_eq!(from_clause(sentence, 26), "Then buy the domain.");
        assert_eq!(from_clause(sentence, 10), sentence);
        assert_eq!(from_clause(sentence, 999), "Then buy the domain.");
        assert_eq!(from_clause("Über uns.", 1), "Über uns.");
    }
}
