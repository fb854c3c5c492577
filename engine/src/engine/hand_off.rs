//! Another agent takes the call over, with its history.

use antiphon_proto::{AgentId, Event, NoticeCode};

use super::Engine;
use crate::config::AgentProfile;
use crate::{Decision, Output};

impl Engine {
    /// Asked for from outside: said first, unless the agent is in the middle of something, which is
    /// then said to its end.
    pub(super) fn on_hand_off(&mut self, agent: AgentId) {
        if self.ending.is_some() || !self.connected {
            return;
        }
        if self.reply.is_none() {
            let turn = self.allocate_turn();
            let words = self.config.words.hand_off.clone();
            self.say(turn, &words);
        }
        match &mut self.reply {
            Some(reply) => reply.hand_off = Some(agent),
            None => self.switch_agent(agent),
        }
    }

    /// Everything was said: the other agent may come.
    pub(super) fn switch_agent(&mut self, agent: AgentId) {
        self.decided(Decision::HandOff, format!("{agent} takes over"));
        self.emit(Output::SwitchAgent { agent });
    }

    pub(super) fn on_agent_switched(&mut self, profile: AgentProfile) {
        self.discard_draft("another agent takes over");
        let greeting = profile.words.greeting.clone();
        self.config.adopt(profile);
        self.unsaid.clear();
        self.publish(Event::AgentChanged {
            agent: self.config.agent.clone(),
            agent_name: self.config.agent_name.clone(),
        });
        // A person who speaks already is answered by the new agent instead of greeted.
        if self.reply.is_none() && self.user.is_none() && self.unchecked.is_none() {
            let turn = self.allocate_turn();
            self.say(turn, &greeting);
        }
    }

    pub(super) fn on_hand_off_failed(&mut self) {
        let message = "The other agent is not here; this one goes on.".to_owned();
        self.publish(Event::Notice {
            code: NoticeCode::HandOffTrouble,
            message,
        });
        if self.reply.is_none() && self.user.is_none() {
            let turn = self.allocate_turn();
            let words = self.config.words.apology.clone();
            self.say(turn, &words);
        }
    }
}
