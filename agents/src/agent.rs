//! What a personality consists of, once read and checked.

use std::sync::Arc;

use crate::{Pronunciations, Route, Turn};

/// A personality, as loaded from its file.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// Its id: the file's name without the ending.
    pub id: String,
    /// Its name as people say it, e.g. `Cal`.
    pub name: String,
    /// Its role in two or three words, e.g. `Web Wizard`.
    pub title: String,
    /// One sentence for its card.
    pub tagline: String,
    /// Accent colour of its card, `#rrggbb` in lower case.
    pub color: String,
    /// An emoji for its card.
    pub emoji: String,
    /// Questions a caller may ask.
    pub suggestions: Vec<String>,
    /// How it sounds.
    pub voice: Voice,
    /// How it says words that a voice would get wrong.
    pub pronounce: Arc<Pronunciations>,
    /// Its first words in a call.
    pub greeting: String,
    /// What it says when a stage of the call fails.
    pub apology: String,
    /// Its last words in a call.
    pub farewell: String,
    /// How it talks.
    pub manner: Manner,
    /// What callers ask for, and its answers.
    pub intents: Vec<Intent>,
    /// What it knows.
    pub knowledge: Vec<Passage>,
    /// Talk that every agent must master; the defaults with this file's own answers over them.
    pub small_talk: Vec<Intent>,
    /// Values that examples and answers name as `{slot}`.
    pub slots: Vec<Slot>,
    /// Names and words that callers are likely to say beyond those in the texts above.
    pub vocabulary: Vec<String>,
    /// Said one after the other while an answer takes long; the engine's own where empty.
    pub fillers: Vec<String>,
    /// Seconds of silence of both sides after which the agent asks whether the person is
    /// there; 0 for never.
    pub away_seconds: u64,
    /// When it takes and yields the turn.
    pub turn: Turn,
    /// Which providers it may use and how they are chosen.
    pub route: Route,
    /// Longest call, seconds.
    pub call_seconds_max: u64,
}

/// How an agent sounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// The synthesizer: `flite`.
    pub backend: String,
    /// The synthesizer's voice: `rms`, `slt`, `awb` or `kal16` for flite.
    pub name: String,
    /// Speaking rate, 1.0 as recorded; 1.1 is a tenth faster.
    pub pace: f32,
    /// Its voices in other backends, by backend: used where that backend speaks for it.
    pub others: std::sync::Arc<std::collections::BTreeMap<String, String>>,
}

impl Default for Voice {
    fn default() -> Self {
        Self {
            backend: "flite".to_owned(),
            name: "rms".to_owned(),
            pace: 1.0,
            others: std::sync::Arc::default(),
        }
    }
}

/// How an agent talks, where its answers leave that open.
///
/// `{topic}`, `{other}`, `{words}`, `{caller}` and `{name}` in a template stand for a topic it
/// knows, a second one, the person's own words, the person's name and the agent's name.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Instruction to a language model about tone, in the second person.
    pub style: String,
    /// Short phrases that may precede an answer, e.g. `Good question.`
    pub openers: Vec<String>,
    /// Phrases that show that the person was heard, e.g. `Got it.`
    pub acknowledgements: Vec<String>,
    /// Said before an answer that may not be what was asked; uses `{topic}`.
    pub checks: Vec<String>,
    /// Said when nothing fits but the words are clear; uses `{words}`, `{topic}` and `{other}`.
    pub reflections: Vec<String>,
    /// Said when nothing fits and the words are unclear; uses `{topic}` and `{other}`.
    pub fallbacks: Vec<String>,
    /// Questions that keep the talk going when an answer brings none of its own.
    pub follow_ups: Vec<String>,
}

/// Something that callers ask for or say, and the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intent {
    /// Unique within the file, `snake_case`.
    pub name: String,
    /// Ways to say it; `{slot}` stands for any value of a slot.
    pub examples: Vec<String>,
    /// Ways to answer; one is chosen that was not said lately.
    pub answers: Vec<String>,
    /// A question asked after the answer.
    pub follow_up: Option<FollowUp>,
    /// The answer to a `why?` that follows.
    pub why: Option<String>,
    /// Title of the passage that `tell me more` leads to.
    pub topic: Option<String>,
    /// True where the call is over once the answer has been spoken.
    pub ends_call: bool,
    /// The agent that takes the call over once the answer has been spoken.
    pub hand_off: Option<String>,
}

/// A question that an agent asks, and what it says to the reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowUp {
    /// The question.
    pub ask: String,
    /// Said to a yes.
    pub yes: Option<String>,
    /// Said to a no.
    pub no: Option<String>,
    /// Said to a reply in the person's own words; may use `{words}`.
    pub open: Option<String>,
}

/// A piece of knowledge, short enough to be spoken in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// Its subject as one would name it in a sentence (`page speed`), unique within the file.
    pub title: String,
    /// One to three sentences.
    pub text: String,
    /// Questions that it answers.
    pub asks: Vec<String>,
    /// The answer to a `why?` that follows.
    pub why: Option<String>,
}

/// A kind of value that callers name, e.g. `size`: small, medium, large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// As written between braces in examples and answers.
    pub name: String,
    /// What callers say.
    pub values: Vec<String>,
}

impl Agent {
    /// The built-in agent of that id.
    pub fn built_in(id: &str) -> Option<Arc<Self>> {
        crate::library().into_iter().find(|agent| agent.id == id)
    }

    /// The agents that this one passes calls on to, each once.
    pub fn colleagues(&self) -> Vec<&str> {
        let mut colleagues: Vec<&str> = Vec::new();
        for intent in &self.intents {
            if let Some(id) = intent
                .hand_off
                .as_deref()
                .filter(|id| !colleagues.contains(id))
            {
                colleagues.push(id);
            }
        }
        colleagues
    }

    /// The small talk of that name, e.g. `goodbye`.
    pub fn small_talk(&self, name: &str) -> Option<&Intent> {
        self.small_talk.iter().find(|intent| intent.name == name)
    }

    /// The passage of that title.
    pub fn passage(&self, title: &str) -> Option<&Passage> {
        self.knowledge.iter().find(|passage| passage.title == title)
    }
}
