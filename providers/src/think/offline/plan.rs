//! From what was said to what is answered.

use antiphon_agents::{Agent, Intent, Passage};

use super::acts::{Act, begins_with_no, begins_with_yes, is_distress};
use super::compose::{Fill, pick, reflect, render, seed};
use super::index::{AgentIndex, Topic, sentences};
use super::matching::{Ranking, rank};
use super::memory::Memory;
use super::names::introduction;
use super::words::normalize;

/// Score from which a topic is answered as asked. This and the scores below were tuned on the
/// phrases and confusions in `providers/tests/offline/matching.rs`.
const ANSWER: f32 = 0.60;
/// Score from which it is answered with a word that it may not be what was asked.
const CHECK: f32 = 0.46;
/// Score that a topic needs to be heard as anything but the reply to the agent's own question.
const OVER_QUESTION: f32 = 0.74;
/// Share of the subject words that must be known for the words to be given back.
const CLEAR: f32 = 0.34;

/// A reply and how it came about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reply {
    /// Sentences, in order.
    pub(crate) pieces: Vec<String>,
    /// `intent domain_price`, `passage page speed`, `small talk thanks`, `more page speed`, ….
    pub(crate) used: String,
    pub(crate) score: f32,
    pub(crate) ends_call: bool,
    /// Who takes the call over after it.
    pub(crate) hand_off: Option<String>,
}

/// The reply to the last entry of the history.
pub(crate) fn reply(agent: &Agent, index: &AgentIndex, memory: &Memory) -> Reply {
    let planner = Planner {
        agent,
        index,
        memory,
        seed: seed(memory.turn, &memory.text),
    };
    let mut reply = planner.decide();
    if reply.pieces.is_empty() {
        reply = planner.fallback(&Ranking::default());
    }
    reply
}

pub(super) struct Planner<'a> {
    pub(super) agent: &'a Agent,
    pub(super) index: &'a AgentIndex,
    pub(super) memory: &'a Memory,
    pub(super) seed: u64,
}

impl Planner<'_> {
    fn decide(&self) -> Reply {
        let all = self.memory.words(self.agent, &self.memory.text);
        let all = self.without_vocative(all);
        if is_distress(&all) {
            return self.small_talk(Act::Distress.name(), 1.0);
        }
        if let Some(found) = introduction(&self.memory.text, false) {
            return self.introduce(&found.rest);
        }
        let words = self.without_lead(&all);
        let mut ranking = rank(self.index, words);
        if words.len() < all.len() {
            // `hi there` is more than its lead.
            let whole = rank(self.index, &all);
            let score = |ranking: &Ranking| ranking.best().map_or(0.0, |(_, score)| score);
            if score(&whole) > score(&ranking) {
                ranking = whole;
            }
        }
        if let Some(reply) = self.reply_to_question(words, &ranking) {
            return reply;
        }
        self.by_ranking(&ranking)
    }

    /// Without what people say before they say something: `okay so`, `hey Cal`.
    fn without_lead<'w>(&self, words: &'w [String]) -> &'w [String] {
        let name = self.agent.name.to_lowercase();
        let lead = |word: &String| LEADS.contains(&word.as_str()) || *word == name;
        let count = words.iter().take_while(|word| lead(word)).count();
        if count == words.len() {
            words
        } else {
            &words[count..]
        }
    }

    /// `hello Riven` is a hello; `are you Riven` is not `are you`.
    fn without_vocative(&self, mut words: Vec<String>) -> Vec<String> {
        if let [.., before, last] = words.as_slice() {
            let asked = ["r", "you", "is", "be", "to", "am"].contains(&before.as_str());
            if *last == self.agent.name.to_lowercase() && !asked {
                words.pop();
            }
        }
        words
    }

    fn introduce(&self, rest: &str) -> Reply {
        let words = normalize(rest);
        let words = self.without_lead(&words);
        let hello = self.small_talk(Act::TellName.name(), 1.0);
        let ranking = rank(self.index, words);
        if words.len() < 3 || ranking.best().is_none_or(|(_, score)| score < ANSWER) {
            return hello;
        }
        let mut reply = self.by_ranking(&ranking);
        reply.pieces.splice(0..0, hello.pieces.into_iter().take(1));
        reply
    }

    /// The agent has asked; this is what it was told.
    fn reply_to_question(&self, words: &[String], ranking: &Ranking) -> Option<Reply> {
        let topic = self.memory.last.open_question()?;
        let intent = self.intent(topic)?;
        let follow_up = intent.follow_up.as_ref()?;
        let best = ranking.best().filter(|(_, score)| *score >= ANSWER);
        let act = best.and_then(|(topic, _)| Act::of(self.agent, topic));
        let strong = best.is_some_and(|(_, score)| score >= OVER_QUESTION);
        let said_no = act == Some(Act::No) || begins_with_no(words);
        let said_yes = act == Some(Act::Yes) || begins_with_yes(words);
        if said_no && (act == Some(Act::No) || !strong) {
            return self.told(follow_up.no.as_ref(), intent, "no");
        }
        if said_yes && (act == Some(Act::Yes) || !strong) {
            return self
                .told(follow_up.yes.as_ref(), intent, "yes")
                .or_else(|| Some(self.more()));
        }
        // A long reply to a question is told, not asked, unless it meets a topic squarely.
        if act.is_some() || strong || words.is_empty() {
            return None;
        }
        self.told(follow_up.open.as_ref(), intent, "open")
    }

    fn told(&self, text: Option<&String>, intent: &Intent, how: &str) -> Option<Reply> {
        let fill = Fill {
            words: reflect(&self.memory.text),
            ..Fill::default()
        };
        let text = render(text?, self.agent, self.memory, &fill)?;
        (!self.memory.last.text.contains(&text)).then(|| Reply {
            pieces: split(&text),
            used: format!("{how} to {}", intent.name),
            score: 1.0,
            ends_call: false,
            hand_off: None,
        })
    }

    fn by_ranking(&self, ranking: &Ranking) -> Reply {
        let Some((topic, score)) = ranking.best().filter(|(_, score)| *score >= CHECK) else {
            return self.fallback(ranking);
        };
        let act = Act::of(self.agent, topic);
        if score < ANSWER {
            // Small talk half understood is better asked about than answered.
            return match topic {
                Topic::SmallTalk(_) => self.second_choice(ranking),
                Topic::Intent(_) | Topic::Passage(_) => self.checked(topic, score),
            };
        }
        match act {
            Some(act) => self.act(act, score),
            None => self.answer(topic, score),
        }
    }

    fn second_choice(&self, ranking: &Ranking) -> Reply {
        let subject = ranking.topics.iter().find(|(topic, score)| {
            *score >= CHECK && matches!(topic, Topic::Intent(_) | Topic::Passage(_))
        });
        match subject {
            Some((topic, score)) => self.checked(*topic, *score),
            None => self.fallback(ranking),
        }
    }

    fn act(&self, act: Act, score: f32) -> Reply {
        match act {
            Act::Yes => match self.offered().first() {
                Some(nth) => self.answer(Topic::Passage(*nth), score),
                None => self.more(),
            },
            Act::First | Act::Second => {
                let offered = self.offered();
                let taken = if act == Act::First {
                    offered.first()
                } else {
                    offered.last()
                };
                match taken {
                    Some(nth) => self.answer(Topic::Passage(*nth), score),
                    None => self.more(),
                }
            }
            Act::More => self.more(),
            Act::Why => self.why(),
            Act::Repeat | Act::Confused => self.repeat(act),
            Act::Continue => self.go_on(),
            Act::AskName if self.memory.caller.is_none() => self.small_talk("name_unknown", score),
            Act::No | Act::AskName | Act::TellName | Act::Distress => {
                self.small_talk(act.name(), score)
            }
        }
    }

    fn answer(&self, topic: Topic, score: f32) -> Reply {
        match topic {
            Topic::SmallTalk(nth) => self.small_talk(&self.agent.small_talk[nth].name, score),
            Topic::Intent(nth) => self.answer_intent(&self.agent.intents[nth], score),
            Topic::Passage(nth) => self.answer_passage(&self.agent.knowledge[nth], score),
        }
    }

    fn answer_intent(&self, intent: &Intent, score: f32) -> Reply {
        let used = format!("intent {}", intent.name);
        let Some(text) = pick(
            &intent.answers,
            self.agent,
            self.memory,
            &Fill::default(),
            self.seed,
        ) else {
            return Reply {
                used,
                score,
                ..self.more()
            };
        };
        let mut pieces = Vec::new();
        if self.memory.has_said(&text) {
            pieces.extend(self.phrase("said_before"));
        }
        pieces.extend(split(&text));
        let ask = intent
            .follow_up
            .as_ref()
            .map(|follow_up| follow_up.ask.as_str());
        match ask.filter(|ask| !self.memory.has_said(ask)) {
            Some(ask) => pieces.extend(split(ask)),
            None if !text.ends_with('?') && !intent.ends_call && intent.hand_off.is_none() => {
                pieces.extend(self.generic_question())
            }
            None => {}
        }
        Reply {
            pieces,
            used,
            score,
            ends_call: intent.ends_call,
            hand_off: intent.hand_off.clone(),
        }
    }

    pub(super) fn answer_passage(&self, passage: &Passage, score: f32) -> Reply {
        let used = format!("passage {}", passage.title);
        let mut pieces = Vec::new();
        if self.memory.last.text.contains(&passage.text) {
            return Reply {
                used,
                score,
                ..self.more()
            };
        }
        if self.memory.has_said(&passage.text) {
            pieces.extend(self.phrase("said_before"));
        } else if self.memory.turn % 3 == 1 {
            pieces.extend(pick(
                &self.agent.manner.openers,
                self.agent,
                self.memory,
                &Fill::default(),
                self.seed,
            ));
        }
        pieces.extend(split(&passage.text));
        pieces.extend(self.generic_question());
        Reply {
            pieces,
            used,
            score,
            ends_call: false,
            hand_off: None,
        }
    }

    fn checked(&self, topic: Topic, score: f32) -> Reply {
        let mut reply = self.answer(topic, score);
        let first = match topic {
            Topic::Passage(nth) => {
                let fill = Fill {
                    topic: Some(self.agent.knowledge[nth].title.clone()),
                    ..Fill::default()
                };
                pick(
                    &self.agent.manner.checks,
                    self.agent,
                    self.memory,
                    &fill,
                    self.seed,
                )
            }
            Topic::Intent(_) | Topic::SmallTalk(_) => pick(
                &self.agent.manner.acknowledgements,
                self.agent,
                self.memory,
                &Fill::default(),
                self.seed,
            ),
        };
        reply.pieces.splice(0..0, first);
        reply
    }

    pub(super) fn small_talk(&self, name: &str, score: f32) -> Reply {
        let used = format!("small talk {name}");
        let Some(intent) = self.agent.small_talk(name) else {
            return Reply {
                used,
                score,
                ..Reply::default()
            };
        };
        let fill = self.offer(&Ranking::default());
        let text = pick(&intent.answers, self.agent, self.memory, &fill, self.seed);
        let mut pieces: Vec<String> = text.iter().flat_map(|text| split(text)).collect();
        if let Some(follow_up) = intent
            .follow_up
            .as_ref()
            .filter(|follow_up| !self.memory.has_said(&follow_up.ask))
        {
            pieces.extend(split(&follow_up.ask));
        }
        Reply {
            pieces,
            used,
            score,
            ends_call: intent.ends_call,
            hand_off: intent.hand_off.clone(),
        }
    }

    fn fallback(&self, ranking: &Ranking) -> Reply {
        let mut fill = self.offer(ranking);
        let manner = &self.agent.manner;
        let clear = ranking.understood >= CLEAR && ranking.subject_words > 0;
        fill.words = clear.then(|| reflect(&self.memory.text)).flatten();
        let reflected = match fill.words {
            Some(_) => pick(
                &manner.reflections,
                self.agent,
                self.memory,
                &fill,
                self.seed,
            ),
            None => None,
        };
        let used = if reflected.is_some() {
            "reflection"
        } else {
            "fallback"
        };
        let text = reflected
            .or_else(|| pick(&manner.fallbacks, self.agent, self.memory, &fill, self.seed));
        // An agent without knowledge has no topics to offer.
        let text = text.unwrap_or_else(|| self.agent.apology.clone());
        let score = ranking.best().map_or(0.0, |(_, score)| score);
        Reply {
            pieces: split(&text),
            used: used.to_owned(),
            score,
            ends_call: false,
            hand_off: None,
        }
    }
}

pub(super) fn split(text: &str) -> Vec<String> {
    sentences(text).into_iter().map(str::to_owned).collect()
}

const LEADS: &[&str] = &[
    "hello", "hi", "hey", "ok", "so", "and", "but", "now", "alright", "right", "then", "great",
    "cool",
];
