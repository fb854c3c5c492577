//! Which topic was meant.

use super::index::{AgentIndex, Example, Topic};
use super::sound::{PhraseSound, Word};
use super::words::{WORDS_MAX, is_function_word};

/// Share of the score that the sound of the whole phrase has beside its words.
const SOUND_SHARE: f32 = 0.22;
/// How much covering the example counts against covering what was said: people say more than
/// an example does.
const RECALL_POWER: f32 = 0.6;
/// The same for small talk, which must be all that was said: `what does hosting mean` is not
/// `what does that mean`.
const SMALL_TALK_RECALL_POWER: f32 = 0.4;
/// Weight of words that a passage must have in common with what was said to score half: one
/// common word of its text is no reason to recite it.
const EVIDENCE_HALF: f32 = 0.45;
/// Similarity from which a word counts as understood.
const UNDERSTOOD: f32 = 0.7;

/// How well each topic fits, best first.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    pub(crate) topics: Vec<(Topic, f32)>,
    /// Share of the said subject words that the agent knows at all, 0 to 1.
    pub(crate) understood: f32,
    /// Count of subject words said.
    pub(crate) subject_words: usize,
}

impl Ranking {
    pub(crate) fn best(&self) -> Option<(Topic, f32)> {
        self.topics.first().copied()
    }

    pub(crate) fn score(&self, topic: Topic) -> f32 {
        self.topics
            .iter()
            .find(|(ranked, _)| *ranked == topic)
            .map_or(0.0, |(_, score)| *score)
    }

    pub(crate) fn best_passage(&self) -> Option<(usize, f32)> {
        self.topics.iter().find_map(|(topic, score)| match topic {
            Topic::Passage(nth) => Some((*nth, *score)),
            Topic::Intent(_) | Topic::SmallTalk(_) => None,
        })
    }
}

/// Ranks all topics against the words said, which are already normalized.
pub(crate) fn rank(index: &AgentIndex, said: &[String]) -> Ranking {
    let heard = Heard::new(index, &said[..said.len().min(WORDS_MAX)]);
    let mut best: Vec<(Topic, f32)> = Vec::new();
    let mut put =
        |topic: Topic, score: f32| match best.iter_mut().find(|(known, _)| *known == topic) {
            Some((_, known)) => *known = known.max(score),
            None => best.push((topic, score)),
        };
    for example in &index.examples {
        put(
            example.topic,
            heard.against(index, example) * preference(example.topic),
        );
    }
    for document in &index.documents {
        put(document.topic, heard.coverage(&document.words));
    }
    best.retain(|(_, score)| *score > 0.05);
    best.sort_by(|(a_topic, a), (b_topic, b)| b.total_cmp(a).then(a_topic.cmp(b_topic)));
    let subject: Vec<f32> = heard.subject().map(|word| word.best).collect();
    let known = subject.iter().filter(|best| **best >= UNDERSTOOD).count();
    Ranking {
        topics: best,
        understood: known as f32 / subject.len().max(1) as f32,
        subject_words: subject.len(),
    }
}

/// Authors write intents and small talk for the very thing; a passage only knows about it.
fn preference(topic: Topic) -> f32 {
    match topic {
        Topic::Intent(_) | Topic::SmallTalk(_) => 1.0,
        Topic::Passage(_) => 0.98,
    }
}

/// What was said, compared once with every word of the index.
struct Heard {
    words: Vec<HeardWord>,
    weight: f32,
    sound: PhraseSound,
    /// For each word of the index, its best similarity to a word said.
    reached: Vec<f32>,
    /// For each word of the index, the words said that are similar to it, and how much.
    reached_by: Vec<Vec<(usize, f32)>>,
}

struct HeardWord {
    /// Similarity to the nearest word of the index.
    best: f32,
    weight: f32,
    is_subject: bool,
}

impl Heard {
    fn new(index: &AgentIndex, said: &[String]) -> Self {
        let mut prepared: Vec<Word> = Vec::with_capacity(said.len());
        for word in said {
            // A word said twice means nothing new.
            if !prepared.iter().any(|known| known.text == *word) {
                prepared.push(Word::new(word));
            }
        }
        let mut heard = Self {
            words: Vec::with_capacity(prepared.len()),
            weight: 0.0,
            sound: PhraseSound::new(&prepared),
            reached: vec![0.0; index.words.len()],
            reached_by: vec![Vec::new(); index.words.len()],
        };
        for word in &prepared {
            heard.hear(index, word);
        }
        heard.weight = heard.words.iter().map(|word| word.weight).sum();
        heard
    }

    fn hear(&mut self, index: &AgentIndex, word: &Word) {
        let mut best = 0.0_f32;
        for (nth, known) in index.words.iter().enumerate() {
            let similarity = word.similarity(known);
            if similarity > 0.0 {
                best = best.max(similarity);
                self.reached[nth] = self.reached[nth].max(similarity);
                self.reached_by[nth].push((self.words.len(), similarity));
            }
        }
        let weight = match index.word(&word.text) {
            Some(nth) => index.weights[nth],
            None => index.unknown_weight(&word.text) * if best > 0.0 { 1.0 } else { 0.6 },
        };
        self.words.push(HeardWord {
            best,
            weight,
            is_subject: !is_function_word(&word.text),
        });
    }

    fn subject(&self) -> impl Iterator<Item = &HeardWord> {
        self.words.iter().filter(|word| word.is_subject)
    }

    fn against(&self, index: &AgentIndex, example: &Example) -> f32 {
        let words = example.words.iter();
        let covered: f32 = words
            .map(|word| self.reached[*word] * index.weights[*word])
            .sum();
        let recall = covered / example.weight.max(f32::EPSILON);
        if recall < 0.2 {
            return 0.0;
        }
        let met = self.met(example.words.iter().map(|word| (*word, 1.0)));
        let used: f32 = self
            .words
            .iter()
            .zip(met)
            .map(|(word, met)| word.weight * met)
            .sum();
        let precision = used / self.weight.max(f32::EPSILON);
        let power = match example.topic {
            Topic::SmallTalk(_) => SMALL_TALK_RECALL_POWER,
            Topic::Intent(_) | Topic::Passage(_) => RECALL_POWER,
        };
        let by_words = recall.powf(power) * precision.powf(1.0 - power);
        (1.0 - SOUND_SHARE) * by_words + SOUND_SHARE * self.sound.similarity(&example.sound)
    }

    /// Share of the said subject that a passage covers, weighted; a passage that has only one
    /// common word of a long utterance is no answer to it.
    fn coverage(&self, document: &[(usize, f32)]) -> f32 {
        let met = self.met(document.iter().copied());
        let subject = self
            .words
            .iter()
            .zip(met)
            .filter(|(word, _)| word.is_subject);
        let (covered, all) = subject.fold((0.0, 0.0), |(covered, all), (word, met)| {
            (covered + word.weight * met, all + word.weight)
        });
        if all <= 0.0 {
            0.0
        } else {
            covered / all * covered / (covered + EVIDENCE_HALF)
        }
    }

    /// For each word said, how near it comes to any of the words, each of which counts as told.
    fn met(&self, words: impl Iterator<Item = (usize, f32)>) -> [f32; WORDS_MAX] {
        let mut met = [0.0_f32; WORDS_MAX];
        for (word, telling) in words {
            for (nth, similarity) in &self.reached_by[word] {
                met[*nth] = met[*nth].max(similarity * telling);
            }
        }
        met
    }
}
