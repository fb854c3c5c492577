//! What a language model is told about the agent whose words it makes.

use crate::Agent;

/// Characters of knowledge given to a language model; more would slow its first word.
const KNOWLEDGE_CHARS_MAX: usize = 12_000;

impl Agent {
    /// The system prompt for a language model: who the agent is, its manner, what it knows, and
    /// how words are written that will be spoken.
    pub fn instructions(&self) -> String {
        let mut text = format!(
            "You are {name}, {title}. {tagline}\n\
             You are an AI voice agent on a phone call. If asked, say honestly that you are an AI and not a person.\n\
             {style}\n\n\
             How to speak:\n\
             - Your words are spoken aloud. Answer in one to three short sentences, then stop or ask one question.\n\
             - Plain words only: no Markdown, no lists, no emoji, no links, no symbols. Write numbers as words.\n\
             - The caller's words come from a speech recognizer and may be misheard. Guess what was meant; \
             if you cannot, ask.\n\
             - An earlier answer of yours that breaks off was interrupted; the caller heard only what is there.\n\
             - If the caller may be in danger or wants to hurt themselves, be kind, tell them to call their local \
             emergency number or a crisis line now, and do not change the subject.\n\
             - Stay with your subject. Say so when you do not know something.\n",
            name = self.name,
            title = self.title,
            tagline = self.tagline,
            style = self.manner.style,
        );
        if !self.knowledge.is_empty() {
            text.push_str("\nWhat you know, to be used in your own words:\n");
        }
        let mut left = KNOWLEDGE_CHARS_MAX;
        for passage in &self.knowledge {
            let line = format!("- {}: {}\n", passage.title, passage.text);
            let Some(rest) = left.checked_sub(line.chars().count()) else {
                break;
            };
            left = rest;
            text.push_str(&line);
        }
        text
    }
}
