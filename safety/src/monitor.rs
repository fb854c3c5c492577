//! The safety state of one session.

use antiphon_proto::SafetyState;

use crate::rules::{Severity, check_agent, check_user};
use crate::script;

/// Turns of the person without any finding after which the state falls by one step. SAFETY_MODE
/// does not fall within a call.
const CALM_TURNS_TO_FALL: u32 = 6;

/// What to do with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Pass,
    /// Say these reviewed words instead.
    Replace(&'static str),
}

/// Follows one session: rises at once, falls by rule.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    state: SafetyState,
    calm_turns: u32,
}

impl Monitor {
    /// The state now.
    pub fn state(&self) -> SafetyState {
        self.state
    }

    /// Takes what the person seems to be saying, before their turn is over: it raises the state,
    /// and counts as no turn.
    pub fn user_draft(&mut self, text: &str) -> Decision {
        self.rise(text, false)
    }

    /// Takes a finished turn of the person.
    pub fn user_turn(&mut self, text: &str) -> Decision {
        self.rise(text, true)
    }

    fn rise(&mut self, text: &str, is_turn: bool) -> Decision {
        let finding = check_user(text);
        let reached = match finding.severity {
            Severity::None => SafetyState::Normal,
            Severity::Concern => SafetyState::ElevatedConcern,
            Severity::High => SafetyState::HighRisk,
            Severity::Acute => SafetyState::SafetyMode,
        };
        if reached == SafetyState::Normal {
            if is_turn {
                self.calm_turn();
            }
        } else {
            self.calm_turns = 0;
            self.state = self.state.max(reached);
        }
        match (self.state, finding.severity) {
            (SafetyState::SafetyMode, _) => Decision::Replace(script::SAFETY_MODE),
            (SafetyState::HighRisk, Severity::High | Severity::Concern) => {
                Decision::Replace(script::HIGH_RISK)
            }
            (SafetyState::HighRisk | SafetyState::ElevatedConcern | SafetyState::Normal, _) => {
                Decision::Pass
            }
        }
    }

    /// Takes a sentence that the agent is about to say.
    pub fn agent_sentence(&self, text: &str) -> Decision {
        match check_agent(text).severity {
            Severity::None => Decision::Pass,
            Severity::Concern => Decision::Replace(script::NOT_HUMAN),
            Severity::High | Severity::Acute => Decision::Replace(script::BLOCKED_SENTENCE),
        }
    }

    /// What to do when the check itself failed or was late: never silence, never pass.
    pub fn cautious() -> Decision {
        Decision::Replace(script::CAUTIOUS)
    }

    fn calm_turn(&mut self) {
        self.calm_turns += 1;
        if self.calm_turns < CALM_TURNS_TO_FALL {
            return;
        }
        self.calm_turns = 0;
        self.state = match self.state {
            SafetyState::Normal | SafetyState::ElevatedConcern => SafetyState::Normal,
            SafetyState::HighRisk => SafetyState::ElevatedConcern,
            SafetyState::SafetyMode => SafetyState::SafetyMode,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_raise_the_state_and_count_as_no_turn() {
        let mut monitor = Monitor::default();
        assert_eq!(
            monitor.user_draft("i want to die"),
            Decision::Replace(script::HIGH_RISK)
        );
        for _ in 0..50 {
            monitor.user_draft("tell me about colors");
        }
        assert_eq!(monitor.state(), SafetyState::HighRisk);
    }

    #[test]
    fn rises_at_once_and_falls_by_calm_turns() {
        let mut monitor = Monitor::default();
        assert_eq!(monitor.user_turn("i feel hopeless"), Decision::Pass);
        assert_eq!(monitor.state(), SafetyState::ElevatedConcern);
        assert_eq!(
            monitor.user_turn("i want to die"),
            Decision::Replace(script::HIGH_RISK)
        );
        assert_eq!(monitor.state(), SafetyState::HighRisk);
        for _ in 0..CALM_TURNS_TO_FALL {
            assert_eq!(monitor.user_turn("tell me about colors"), Decision::Pass);
        }
        assert_eq!(monitor.state(), SafetyState::ElevatedConcern);
    }

    #[test]
    fn safety_mode_stays_and_speaks_only_the_script() {
        let mut monitor = Monitor::default();
        assert_eq!(
            monitor.user_turn("i took all my pills"),
            Decision::Replace(script::SAFETY_MODE)
        );
        for _ in 0..3 * CALM_TURNS_TO_FALL {
            assert_eq!(
                monitor.user_turn("what a nice day"),
                Decision::Replace(script::SAFETY_MODE)
            );
        }
        assert_eq!(monitor.state(), SafetyState::SafetyMode);
    }

    #[test]
    fn agent_sentences_are_replaced() {
        let monitor = Monitor::default();
        assert_eq!(
            monitor.agent_sentence("Choose a short name."),
            Decision::Pass
        );
        assert_eq!(
            monitor.agent_sentence("Just kill yourself."),
            Decision::Replace(script::BLOCKED_SENTENCE)
        );
        assert_eq!(
            monitor.agent_sentence("I am a human being."),
            Decision::Replace(script::NOT_HUMAN)
        );
    }

    #[test]
    fn reviewed_words_pass_the_check_themselves() {
        for words in [
            script::HIGH_RISK,
            script::SAFETY_MODE,
            script::BLOCKED_SENTENCE,
            script::NOT_HUMAN,
            script::CAUTIOUS,
        ] {
            assert_eq!(
                Monitor::default().agent_sentence(words),
                Decision::Pass,
                "{words}"
            );
        }
    }
}
