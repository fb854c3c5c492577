//! Which topic was meant.

use super::index::{AgentIndex, Example, Topic};
use super::sound::{PhraseSound, Word};
use super::words::is_function_word;

/// Share of the score that the sound of the whole phrase has beside its words.
const SOUND_SHARE: f32 = 0.22;
/// How much covering the example counts against covering what was said: people say more than
/// an example does.
const RECALL_POWER: f32 = 0.6;
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
    let heard = Heard::new(index, said);
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
}

struct HeardWord {
    /// Similarity to each word of the index that is similar at all.
    similar: Vec<(usize, f32)>,
    best: f32,
    weight: f32,
    is_subject: bool,
}

impl Heard {
    fn new(index: &AgentIndex, said: &[String]) -> Self {
        let mut reached = vec![0.0_f32; index.words.len()];
        let prepared: Vec<Word> = said.iter().map(|word| Word::new(word)).collect();
        let words: Vec<HeardWord> = prepared
            .iter()
            .map(|word| hear(index, word, &mut reached))
            .collect();
        Self {
            weight: words.iter().map(|word| word.weight).sum(),
            sound: PhraseSound::new(&prepared),
            words,
            reached,
        }
    }

    fn subject(&self) -> impl Iterator<Item = &HeardWord> {
        self.words.iter().filter(|word| word.is_subject)
    }

    fn against(&self, index: &AgentIndex, example: &Example) -> f32 {
        let covered: f32 = example
            .words
            .iter()
            .map(|word| self.reached[*word] * index.weights[*word])
            .sum();
        let recall = covered / example.weight.max(f32::EPSILON);
        if recall < 0.2 {
            return 0.0;
        }
        let used: f32 = self
            .words
            .iter()
            .map(|word| word.weight * word.best_of(&example.words))
            .sum();
        let precision = used / self.weight.max(f32::EPSILON);
        let by_words = recall.powf(RECALL_POWER) * precision.powf(1.0 - RECALL_POWER);
        (1.0 - SOUND_SHARE) * by_words + SOUND_SHARE * self.sound.similarity(&example.sound)
    }

    /// Share of the said subject that a passage covers, weighted; a passage that has only one
    /// common word of a long utterance is no answer to it.
    fn coverage(&self, document: &[(usize, f32)]) -> f32 {
        let mut covered = 0.0;
        let mut all = 0.0;
        for word in self.subject() {
            all += word.weight;
            let best = word
                .similar
                .iter()
                .filter_map(|(nth, similarity)| {
                    document
                        .iter()
                        .find(|(known, _)| known == nth)
                        .map(|(_, telling)| similarity * telling)
                })
                .fold(0.0_f32, f32::max);
            covered += best * word.weight;
        }
        if all <= 0.0 {
            0.0
        } else {
            0.85 * covered / all
        }
    }
}

impl HeardWord {
    fn best_of(&self, words: &[usize]) -> f32 {
        self.similar
            .iter()
            .filter(|(nth, _)| words.contains(nth))
            .map(|(_, similarity)| *similarity)
            .fold(0.0, f32::max)
    }
}

fn hear(index: &AgentIndex, word: &Word, reached: &mut [f32]) -> HeardWord {
    let mut similar = Vec::new();
    let mut best = 0.0_f32;
    for (nth, known) in index.words.iter().enumerate() {
        let similarity = word.similarity(known);
        if similarity > 0.0 {
            similar.push((nth, similarity));
            best = best.max(similarity);
            reached[nth] = reached[nth].max(similarity);
        }
    }
    let weight = match index.word(&word.text) {
        Some(nth) => index.weights[nth],
        None => index.unknown_weight(&word.text) * if best > 0.0 { 1.0 } else { 0.6 },
    };
    HeardWord {
        similar,
        best,
        weight,
        is_subject: !is_function_word(&word.text),
    }
}
