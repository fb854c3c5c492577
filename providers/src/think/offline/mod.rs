//! The responder that needs no model: it answers from the agent's own file.
//!
//! What was said is compared with every example phrase, question and passage of the file by
//! words, by letters and by sound, because a recognizer of last resort mishears. Everything it
//! knows about the call it reads from the history, so the same history gives the same words.

mod acts;
mod compose;
mod continuation;
mod index;
mod matching;
mod memory;
mod moves;
mod names;
mod plan;
mod sound;
mod words;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use antiphon_agents::Agent;
use antiphon_proto::{AgentId, Message};
use tokio::sync::mpsc;

use self::index::AgentIndex;
use self::memory::Memory;
use super::{Think, ThinkEvent, ThinkEventKind, ThinkRequest};
use crate::TaskHandle;

/// Agents whose index is kept; a server with more builds some again (a few milliseconds each).
const INDEXES_MAX: usize = 64;

/// The offline responder, shared by all calls.
#[derive(Debug, Default)]
pub struct Offline {
    indexes: Mutex<VecDeque<(Arc<Agent>, Arc<AgentIndex>)>>,
}

/// How a reply came about, for tests and for authors.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What was used: `intent NAME`, `passage TITLE`, `small talk NAME`, `more TITLE`, `why NAME`,
    /// `yes to NAME`, `no to NAME`, `open to NAME`, `repeat`, `confused`, `continue`,
    /// `reflection` or `fallback`.
    pub used: String,
    /// How well it fits what was said, 0 to 1.
    pub score: f32,
    /// The reply's words.
    pub text: String,
    /// True where the agent's file ends the call after this reply.
    pub ends_call: bool,
    /// Who takes the call over after this reply.
    pub hand_off: Option<String>,
}

impl Offline {
    /// Builds the agent's index now, so that the first reply of its first call is as quick as
    /// the others.
    pub fn prepare(&self, agent: &Arc<Agent>) {
        let _ = self.index(agent);
    }

    /// The reply that [`Think::start`] would stream, and how it came about.
    pub fn explain(&self, agent: &Arc<Agent>, history: &[Message]) -> Explanation {
        let index = self.index(agent);
        let memory = Memory::read(agent, &index, history);
        let reply = plan::reply(agent, &index, &memory);
        Explanation {
            used: reply.used,
            score: reply.score,
            text: reply.pieces.join(" "),
            ends_call: reply.ends_call,
            hand_off: reply.hand_off,
        }
    }

    fn index(&self, agent: &Arc<Agent>) -> Arc<AgentIndex> {
        let find = |indexes: &VecDeque<(Arc<Agent>, Arc<AgentIndex>)>| {
            indexes
                .iter()
                .find(|(known, _)| Arc::ptr_eq(known, agent))
                .map(|(_, index)| index.clone())
        };
        if let Some(index) = find(&self.indexes.lock().unwrap_or_else(PoisonError::into_inner)) {
            return index;
        }
        // Built outside the lock: other calls go on meanwhile.
        let index = Arc::new(AgentIndex::new(agent));
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        if indexes.len() >= INDEXES_MAX {
            indexes.pop_front();
        }
        indexes.push_back((agent.clone(), index.clone()));
        index
    }
}

impl Think for Offline {
    fn name(&self) -> &'static str {
        "offline"
    }

    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle {
        let Explanation {
            text,
            ends_call,
            hand_off,
            ..
        } = self.explain(&request.agent, &request.history);
        let generation = request.generation;
        let task = tokio::spawn(async move {
            for sentence in index::sentences(&text) {
                let kind = ThinkEventKind::Delta {
                    text: format!("{sentence} "),
                };
                if events.send(ThinkEvent { generation, kind }).await.is_err() {
                    return;
                }
            }
            // A closed channel means that nobody waits for the end either.
            let _ = events
                .send(ThinkEvent {
                    generation,
                    kind: ThinkEventKind::Done {
                        usage: None,
                        hang_up: ends_call,
                        hand_off: hand_off.map(AgentId),
                    },
                })
                .await;
        });
        TaskHandle::from_task(task.abort_handle())
    }
}
