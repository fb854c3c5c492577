//! A call with a built-in agent, as the responder sees it.

use std::sync::{Arc, LazyLock};

use antiphon_agents::Agent;
use antiphon_proto::{Message, Role, TurnId};
use antiphon_providers::think::offline::{Explanation, Offline};

static OFFLINE: LazyLock<Offline> = LazyLock::new(Offline::default);

pub(crate) struct Call {
    pub(crate) agent: Arc<Agent>,
    pub(crate) history: Vec<Message>,
}

impl Call {
    pub(crate) fn to(id: &str) -> Self {
        Self::with(Agent::built_in(id).unwrap())
    }

    pub(crate) fn with(agent: Arc<Agent>) -> Self {
        let mut call = Self {
            agent,
            history: Vec::new(),
        };
        let greeting = call.agent.greeting.clone();
        call.push(Role::Agent, &greeting, false);
        call
    }

    /// Says something; the answer is heard whole.
    pub(crate) fn say(&mut self, text: &str) -> Explanation {
        self.push(Role::User, text, false);
        let explanation = OFFLINE.explain(&self.agent, &self.history);
        self.push(Role::Agent, &explanation.text, false);
        explanation
    }

    /// Cuts the last answer off after `words` words.
    pub(crate) fn cut_after(&mut self, words: usize) {
        let last = self.history.last_mut().unwrap();
        last.text = last
            .text
            .split(' ')
            .take(words)
            .collect::<Vec<_>>()
            .join(" ");
        last.interrupted = true;
    }

    pub(crate) fn push(&mut self, role: Role, text: &str, interrupted: bool) {
        let turn = TurnId(self.history.len() as u32 / 2);
        self.history.push(Message {
            tool: None,
            turn,
            role,
            text: text.to_owned(),
            interrupted,
            at_ms: 0,
        });
    }
}
