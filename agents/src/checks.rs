//! Checks of a file's intents and passages against one another.

use toml::Spanned;

use crate::error::Fault;
use crate::file::{AgentFile, PassageTable};
use crate::suggest::nearest;

pub(crate) fn check_intents(file: &AgentFile) -> Result<(), Fault> {
    let mut names: Vec<&str> = Vec::new();
    let slots: Vec<&str> = file.slots.keys().map(String::as_str).collect();
    for intent in &file.intents {
        let name = intent.name.get_ref().as_str();
        if names.contains(&name) {
            return Err(Fault::new(
                intent.name.span(),
                format!("a second intent named `{name}`"),
                "give it another name, or move its examples and answers into the first",
            ));
        }
        names.push(name);
        if intent.examples.is_empty() || intent.answers.is_empty() {
            return Err(Fault::new(
                intent.name.span(),
                format!("intent `{name}` cannot be reached or has nothing to say"),
                "give it `examples = [\"...\"]` and `answers = [\"...\"]`",
            ));
        }
        for example in &intent.examples {
            check_placeholders(example, &slots)?;
        }
        if let Some(topic) = &intent.topic {
            check_topic(topic, &file.knowledge)?;
        }
    }
    Ok(())
}

fn check_placeholders(example: &Spanned<String>, slots: &[&str]) -> Result<(), Fault> {
    for piece in example.get_ref().split('{').skip(1) {
        let slot = piece.split('}').next().unwrap_or_default();
        if !slots.contains(&slot) {
            let advice = match nearest(slot, slots.iter().copied()) {
                Some(near) => format!("did you mean `{{{near}}}`?"),
                None => format!(
                    "list its values under `[slots]`, e.g. `{slot} = [\"small\", \"large\"]`"
                ),
            };
            return Err(Fault::new(
                example.span(),
                format!("unknown slot `{{{slot}}}`"),
                advice,
            ));
        }
    }
    Ok(())
}

fn check_topic(topic: &Spanned<String>, knowledge: &[PassageTable]) -> Result<(), Fault> {
    let titles = || {
        knowledge
            .iter()
            .map(|passage| passage.title.get_ref().as_str())
    };
    if titles().any(|title| title == topic.get_ref()) {
        return Ok(());
    }
    let advice = match nearest(topic.get_ref(), titles()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write the `title` of one of the `[[knowledge]]` passages".to_owned(),
    };
    Err(Fault::new(
        topic.span(),
        format!("no passage is titled `{}`", topic.get_ref()),
        advice,
    ))
}

pub(crate) fn check_passages(file: &AgentFile) -> Result<(), Fault> {
    let mut titles: Vec<&str> = Vec::new();
    for passage in &file.knowledge {
        let title = passage.title.get_ref().as_str();
        if titles.contains(&title) {
            return Err(Fault::new(
                passage.title.span(),
                format!("a second passage titled `{title}`"),
                "give it another title, or join the two texts",
            ));
        }
        titles.push(title);
        if passage.text.get_ref().trim().is_empty() {
            return Err(Fault::new(
                passage.text.span(),
                format!("passage `{title}` says nothing"),
                "write one to three sentences",
            ));
        }
    }
    Ok(())
}
