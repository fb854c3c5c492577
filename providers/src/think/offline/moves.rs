//! Moves that depend on what was said before: more, why, again, go on, and what to offer next.

use antiphon_agents::Intent;

use super::acts::Act;
use super::compose::{Fill, pick};
use super::continuation::rest_of;
use super::index::Topic;
use super::matching::{Ranking, rank};
use super::plan::{Planner, Reply, split};
use super::words::normalize;

/// Score from which a passage is related to what was just said.
const RELATED: f32 = 0.12;

impl Planner<'_> {
    pub(super) fn more(&self) -> Reply {
        let nth = match self.memory.subject() {
            None => self.unsaid().first().copied(),
            Some(topic) => self.leads_to(topic),
        };
        let Some(nth) = nth else {
            return Reply {
                used: "more nothing".to_owned(),
                ..self.small_talk("nothing_more", 1.0)
            };
        };
        let passage = &self.agent.knowledge[nth];
        let reply = self.answer_passage(passage, 1.0);
        Reply {
            used: format!("more {}", passage.title),
            ..reply
        }
    }

    /// The passage that comes after a topic: the one its author names, else the most related
    /// one that was not said yet, else any.
    pub(super) fn leads_to(&self, topic: Topic) -> Option<usize> {
        let unsaid = self.unsaid();
        let named = self.intent(topic).and_then(|intent| intent.topic.as_ref());
        let named = named.and_then(|title| {
            self.agent
                .knowledge
                .iter()
                .position(|passage| passage.title == *title)
        });
        if let Some(nth) = named.filter(|nth| unsaid.contains(nth)) {
            return Some(nth);
        }
        let text = match topic {
            Topic::Passage(nth) => {
                let passage = &self.agent.knowledge[nth];
                format!("{} {}", passage.title, passage.text)
            }
            Topic::Intent(nth) => self.agent.intents[nth].answers.join(" "),
            Topic::SmallTalk(_) => String::new(),
        };
        let ranking = rank(self.index, &normalize(&text));
        let related = unsaid
            .iter()
            .copied()
            .filter(|nth| ranking.score(Topic::Passage(*nth)) >= RELATED);
        related
            .max_by(|a, b| {
                ranking
                    .score(Topic::Passage(*a))
                    .total_cmp(&ranking.score(Topic::Passage(*b)))
            })
            .or_else(|| unsaid.first().copied())
    }

    pub(super) fn why(&self) -> Reply {
        let Some(topic) = self.memory.subject() else {
            return self.small_talk("why", 1.0);
        };
        let (why, name) = match topic {
            Topic::Intent(nth) => (
                &self.agent.intents[nth].why,
                self.agent.intents[nth].name.as_str(),
            ),
            Topic::Passage(nth) => (
                &self.agent.knowledge[nth].why,
                self.agent.knowledge[nth].title.as_str(),
            ),
            Topic::SmallTalk(_) => (&None, ""),
        };
        if let Some(why) = why.as_ref().filter(|why| !self.memory.has_said(why)) {
            return Reply {
                pieces: split(why),
                used: format!("why {name}"),
                score: 1.0,
                ends_call: false,
                hand_off: None,
            };
        }
        let more = self.more();
        let mut pieces: Vec<String> = self.phrase("why").into_iter().collect();
        pieces.extend(more.pieces);
        Reply {
            pieces,
            used: format!("why then {}", more.used),
            score: 1.0,
            ends_call: false,
            hand_off: None,
        }
    }

    pub(super) fn repeat(&self, act: Act) -> Reply {
        let last = &self.memory.last;
        let said = last.sentences.iter().filter(|(_, origin)| {
            let act = origin.and_then(|origin| Act::of(self.agent, origin.topic));
            !matches!(act, Some(Act::Repeat | Act::Confused))
        });
        let said: Vec<String> = said.map(|(sentence, _)| sentence.clone()).collect();
        let mut pieces: Vec<String> = self.phrase(act.name()).into_iter().collect();
        if said.is_empty() {
            pieces = split(&self.agent.greeting);
        }
        pieces.extend(said);
        Reply {
            pieces,
            used: act.name().to_owned(),
            score: 1.0,
            ends_call: false,
            hand_off: None,
        }
    }

    pub(super) fn go_on(&self) -> Reply {
        let rest = rest_of(self.agent, &self.memory.last);
        if rest.is_empty() {
            return self.more();
        }
        let mut pieces: Vec<String> = self.phrase("resume").into_iter().collect();
        pieces.extend(rest);
        Reply {
            pieces,
            used: "continue".to_owned(),
            score: 1.0,
            ends_call: false,
            hand_off: None,
        }
    }

    /// Two topics to offer: near to what was said if anything is, and not yet talked about.
    pub(super) fn offer(&self, ranking: &Ranking) -> Fill {
        let mut candidates = self.unsaid();
        let count = candidates.len();
        if count > 0 {
            candidates.rotate_left((self.seed % count as u64) as usize);
        } else {
            candidates = (0..self.agent.knowledge.len()).collect();
        }
        // A topic offered a moment ago and not taken is not offered again while there are others.
        let offered = self.offered();
        candidates.sort_by_key(|nth| offered.contains(nth));
        if let Some((near, _)) = ranking
            .best_passage()
            .filter(|(nth, score)| *score > 0.2 && candidates.contains(nth))
        {
            candidates.retain(|nth| *nth != near);
            candidates.insert(0, near);
        }
        let title = |at: usize| {
            candidates
                .get(at)
                .map(|nth| self.agent.knowledge[*nth].title.clone())
        };
        Fill {
            topic: title(0),
            other: title(1),
            words: None,
        }
    }

    /// Passages that were not talked about yet.
    pub(super) fn unsaid(&self) -> Vec<usize> {
        let said = |nth: &usize| self.memory.topics.contains(&Topic::Passage(*nth));
        (0..self.agent.knowledge.len())
            .filter(|nth| !said(nth))
            .collect()
    }

    /// Passages that the agent's last words named without telling them, in the order named.
    pub(super) fn offered(&self) -> Vec<usize> {
        let last = self.memory.last.text.to_lowercase();
        let mut found: Vec<(usize, usize)> = self
            .agent
            .knowledge
            .iter()
            .enumerate()
            .filter(|(_, passage)| !self.memory.last.text.contains(&passage.text))
            .filter_map(|(nth, passage)| {
                last.find(&passage.title.to_lowercase()).map(|at| (at, nth))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, nth)| nth).collect()
    }

    /// Every second answer ends with a question, so that the talk goes on without a quiz.
    pub(super) fn generic_question(&self) -> Option<String> {
        if self.memory.turn.is_multiple_of(2) {
            return None;
        }
        let fill = self.offer(&Ranking::default());
        pick(
            &self.agent.manner.follow_ups,
            self.agent,
            self.memory,
            &fill,
            self.seed,
        )
    }

    /// One of the wordings of a piece of small talk, to stand before something else.
    pub(super) fn phrase(&self, name: &str) -> Option<String> {
        let intent = self.agent.small_talk(name)?;
        pick(
            &intent.answers,
            self.agent,
            self.memory,
            &Fill::default(),
            self.seed,
        )
    }

    pub(super) fn intent(&self, topic: Topic) -> Option<&Intent> {
        match topic {
            Topic::Intent(nth) => self.agent.intents.get(nth),
            Topic::SmallTalk(nth) => self.agent.small_talk.get(nth),
            Topic::Passage(_) => None,
        }
    }
}
