//! One agent's file, prepared for matching.

use std::collections::HashMap;

use antiphon_agents::{Agent, Intent};

use super::sound::{PhraseSound, Word};
use super::words::{is_function_word, normalize};

/// Weight of a function word beside a word of the subject.
const FUNCTION_WEIGHT: f32 = 0.22;

/// Something the agent can say: which intent, passage or small talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Index into `Agent::intents`.
    Intent(usize),
    /// Index into `Agent::knowledge`.
    Passage(usize),
    /// Index into `Agent::small_talk`.
    SmallTalk(usize),
}

/// A way to ask for a topic.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) topic: Topic,
    /// Indices into [`AgentIndex::words`].
    pub(crate) words: Vec<usize>,
    pub(crate) weight: f32,
    pub(crate) sound: PhraseSound,
}

/// Words of a passage, each once.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) topic: Topic,
    /// Word and how telling its place is: title, question or text.
    pub(crate) words: Vec<(usize, f32)>,
}

/// A sentence the agent may have said, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) topic: Topic,
    pub(crate) part: Part,
    /// Which sentence of the part.
    pub(crate) sentence: usize,
}

/// Which text of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Of several answers, this one; a passage has only answer 0.
    Answer(usize),
    /// The question that follows.
    Ask,
    /// Said to a yes, a no or anything else.
    Yes,
    /// Said to a no.
    No,
    /// Said to a reply in the person's own words.
    Open,
    /// The answer to `why?`.
    Why,
}

/// The index.
#[derive(Debug)]
pub(crate) struct AgentIndex {
    pub(crate) words: Vec<Word>,
    /// Weight of each word: how few topics it occurs in.
    pub(crate) weights: Vec<f32>,
    by_text: HashMap<String, usize>,
    pub(crate) examples: Vec<Example>,
    pub(crate) documents: Vec<Document>,
    /// Sentences by their plain words.
    sentences: HashMap<String, Origin>,
    /// The same in order, for sentences that were cut off or filled in.
    pub(crate) sentence_list: Vec<(Vec<String>, Origin)>,
}

impl AgentIndex {
    pub(crate) fn new(agent: &Agent) -> Self {
        let mut builder = Builder::default();
        for (nth, intent) in agent.intents.iter().enumerate() {
            builder.add_intent(agent, Topic::Intent(nth), intent);
        }
        for (nth, intent) in agent.small_talk.iter().enumerate() {
            builder.add_intent(agent, Topic::SmallTalk(nth), intent);
        }
        for (nth, passage) in agent.knowledge.iter().enumerate() {
            let topic = Topic::Passage(nth);
            for ask in &passage.asks {
                builder.add_example(agent, topic, ask);
            }
            for question in ["tell me about", "what about", "what is", "what does"] {
                let mean = if question == "what does" { " mean" } else { "" };
                builder.add_example(agent, topic, &format!("{question} {}{mean}", passage.title));
            }
            builder.add_example(agent, topic, &passage.title);
            builder.add_document(topic, &passage.title, &passage.asks, &passage.text);
            builder.add_sentences(topic, Part::Answer(0), &passage.text);
            builder.add_optional(topic, Part::Why, passage.why.as_ref());
        }
        builder.finish()
    }

    pub(crate) fn word(&self, text: &str) -> Option<usize> {
        self.by_text.get(text).copied()
    }

    /// Where a whole sentence comes from.
    pub(crate) fn origin(&self, sentence: &[String]) -> Option<Origin> {
        self.sentences.get(&sentence.join(" ")).copied()
    }

    /// Weight of a word that occurs in no topic, which may as well be a recognition error.
    pub(crate) fn unknown_weight(&self, word: &str) -> f32 {
        if is_function_word(word) {
            FUNCTION_WEIGHT
        } else {
            1.0
        }
    }
}

#[derive(Default)]
struct Builder {
    words: Vec<Word>,
    by_text: HashMap<String, usize>,
    /// Topics each word occurs in.
    topics: Vec<Vec<Topic>>,
    examples: Vec<Example>,
    documents: Vec<Document>,
    sentence_list: Vec<(Vec<String>, Origin)>,
}

impl Builder {
    fn intern(&mut self, text: &str, topic: Topic) -> usize {
        let nth = match self.by_text.get(text) {
            Some(nth) => *nth,
            None => {
                self.by_text.insert(text.to_owned(), self.words.len());
                self.words.push(Word::new(text));
                self.topics.push(Vec::new());
                self.words.len() - 1
            }
        };
        if !self.topics[nth].contains(&topic) {
            self.topics[nth].push(topic);
        }
        nth
    }

    fn add_intent(&mut self, agent: &Agent, topic: Topic, intent: &Intent) {
        for example in &intent.examples {
            self.add_example(agent, topic, example);
        }
        for (nth, answer) in intent.answers.iter().enumerate() {
            self.add_sentences(topic, Part::Answer(nth), answer);
        }
        self.add_optional(topic, Part::Why, intent.why.as_ref());
        if let Some(follow_up) = &intent.follow_up {
            self.add_optional(topic, Part::Ask, Some(&follow_up.ask));
            self.add_optional(topic, Part::Yes, follow_up.yes.as_ref());
            self.add_optional(topic, Part::No, follow_up.no.as_ref());
            self.add_optional(topic, Part::Open, follow_up.open.as_ref());
        }
    }

    fn add_example(&mut self, agent: &Agent, topic: Topic, example: &str) {
        let mut text = example.replace("{name}", &agent.name);
        for slot in &agent.slots {
            text = text.replace(&format!("{{{}}}", slot.name), &slot_word(&slot.name));
        }
        let mut words: Vec<usize> = normalize(&text)
            .iter()
            .map(|word| self.intern(word, topic))
            .collect();
        words.dedup();
        if !words.is_empty() {
            self.examples.push(Example {
                topic,
                words,
                weight: 0.0,
                sound: PhraseSound::default(),
            });
        }
    }

    fn add_document(&mut self, topic: Topic, title: &str, asks: &[String], text: &str) {
        let mut words: Vec<(usize, f32)> = Vec::new();
        let fields = [
            (title.to_owned(), 1.0),
            (asks.join(" . "), 0.9),
            (text.to_owned(), 0.7),
        ];
        for (field, telling) in fields {
            for sentence in field.split('.') {
                for word in normalize(sentence)
                    .iter()
                    .filter(|word| !is_function_word(word))
                {
                    let nth = self.intern(word, topic);
                    if !words.iter().any(|(known, _)| *known == nth) {
                        words.push((nth, telling));
                    }
                }
            }
        }
        self.documents.push(Document { topic, words });
    }

    fn add_optional(&mut self, topic: Topic, part: Part, text: Option<&String>) {
        if let Some(text) = text {
            self.add_sentences(topic, part, text);
        }
    }

    fn add_sentences(&mut self, topic: Topic, part: Part, text: &str) {
        for (sentence, piece) in sentences(text).into_iter().enumerate() {
            let words = sentence_key(piece);
            self.sentence_list.push((
                words,
                Origin {
                    topic,
                    part,
                    sentence,
                },
            ));
        }
    }

    fn finish(mut self) -> AgentIndex {
        let weights: Vec<f32> = self
            .words
            .iter()
            .zip(&self.topics)
            .map(|(word, topics)| weigh(word, topics))
            .collect();
        for example in &mut self.examples {
            example.weight = example.words.iter().map(|word| weights[*word]).sum();
            example.sound = PhraseSound::new(example.words.iter().map(|word| &self.words[*word]));
        }
        let mut sentences = HashMap::new();
        for (words, origin) in &self.sentence_list {
            sentences.entry(words.join(" ")).or_insert(*origin);
        }
        AgentIndex {
            words: self.words,
            weights,
            by_text: self.by_text,
            examples: self.examples,
            documents: self.documents,
            sentences,
            sentence_list: self.sentence_list,
        }
    }
}

/// Inverse document frequency, scaled so that a word of one topic weighs 1.
fn weigh(word: &Word, topics: &[Topic]) -> f32 {
    if is_function_word(&word.text) {
        return FUNCTION_WEIGHT;
    }
    (1.0 / (1.0 + (topics.len().max(1) as f32).ln() * 0.35)).max(FUNCTION_WEIGHT)
}

/// What an example's `{slot}` is matched by: the same word takes the place of the value.
pub(crate) fn slot_word(slot: &str) -> String {
    let letters: String = slot.chars().filter(char::is_ascii_alphabetic).collect();
    format!("slotq{}", letters.to_ascii_lowercase())
}

/// The sentences of a text, with their punctuation.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let last = text[end..].chars().next().is_none_or(char::is_whitespace);
        if matches!(c, '.' | '!' | '?') && last {
            sentences.push(text[start..end].trim());
            start = end;
        }
    }
    sentences.push(text[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

/// The plain words of a sentence without what is filled in.
pub(crate) fn sentence_key(sentence: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut depth = 0_usize;
    for c in sentence.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    antiphon_agents::plain_words(&plain)
}

#[cfg(test)]
mod tests {
    use super::{sentence_key, sentences};

    #[test]
    fn cuts_sentences() {
        assert_eq!(
            sentences("One. Two? Three 3.5 four"),
            ["One.", "Two?", "Three 3.5 four"]
        );
        assert!(sentences("  ").is_empty());
    }

    #[test]
    fn keys_leave_placeholders_out() {
        assert_eq!(
            sentence_key("Nice to meet you, {caller}.").join(" "),
            "nice to meet you"
        );
    }
}
