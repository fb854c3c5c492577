//! When to say what: pure, in milliseconds since the call stood.

use antiphon_proto::AgentState;

/// How long to wait for an agent that greets.
const GREETING_WAIT_MS: u64 = 4_000;
/// An agent that listens has finished once it was silent for this long: its last audio may still
/// be on the way when it says that it listens.
const FINISHED_QUIET_MS: u64 = 600;
/// How long to wait for an answer before the next thing is said.
const ANSWER_WAIT_MS: u64 = 20_000;
/// How long the agent speaks before it is interrupted.
const BARGE_IN_AFTER_MS: u64 = 1_200;
/// Sound after so much silence begins something new: an answer rather than the rest of what was
/// interrupted. Pauses between words are shorter.
const ONSET_QUIET_MS: u64 = 200;

/// One thing to say, as far as time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cue {
    /// How long it takes.
    pub(crate) duration_ms: u64,
    /// When its speech ends.
    pub(crate) speech_end_ms: u64,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Go on as before.
    Wait,
    /// Begin with this one.
    Say(usize),
    /// All is said and answered.
    Finish,
}

/// One thing said and the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// When its speech ended.
    pub(crate) user_end_ms: u64,
    /// When the agent's answer was first heard.
    pub(crate) agent_first_audio_ms: Option<u64>,
}

/// The course of one call.
#[derive(Debug)]
pub(crate) struct Script {
    cues: Vec<Cue>,
    repeat: bool,
    barge_in: bool,
    next: usize,
    step: Step,
    agent: AgentState,
    /// First and last moment of the agent's latest stretch of sound.
    sound: Option<(u64, u64)>,
    turns: Vec<Turn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The greeting is under way or yet to come.
    Greeting,
    /// Something is being said until then.
    Saying {
        until_ms: u64,
    },
    /// The answer is awaited.
    Answer {
        since_ms: u64,
    },
    Finished,
}

impl Script {
    pub(crate) fn new(cues: Vec<Cue>, repeat: bool, barge_in: bool) -> Self {
        Self {
            cues,
            repeat,
            barge_in,
            next: 0,
            step: Step::Greeting,
            agent: AgentState::Thinking,
            sound: None,
            turns: Vec::new(),
        }
    }

    /// What was said so far.
    pub(crate) fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// The agent said what it does.
    pub(crate) fn agent_is(&mut self, state: AgentState) {
        self.agent = state;
    }

    /// Sound of the agent was heard.
    pub(crate) fn agent_sounds(&mut self, now_ms: u64) {
        let begun = match self.sound {
            Some((since, last)) if now_ms < last + ONSET_QUIET_MS => {
                self.sound = Some((since, now_ms));
                return;
            }
            Some(_) | None => now_ms,
        };
        self.sound = Some((begun, now_ms));
        if let Some(turn) = self.turns.last_mut()
            && turn.agent_first_audio_ms.is_none()
            && begun >= turn.user_end_ms
        {
            turn.agent_first_audio_ms = Some(begun);
        }
    }

    /// What to do at `now_ms`.
    pub(crate) fn tick(&mut self, now_ms: u64) -> Action {
        match self.step {
            Step::Greeting => {
                let greeted = self.sound.is_some() && self.agent_finished(now_ms);
                let silent = self.sound.is_none()
                    && self.agent != AgentState::Speaking
                    && now_ms >= GREETING_WAIT_MS;
                if greeted || silent || self.may_interrupt(now_ms) {
                    self.go_on(now_ms)
                } else {
                    Action::Wait
                }
            }
            Step::Saying { until_ms } if now_ms >= until_ms => {
                self.step = Step::Answer { since_ms: now_ms };
                Action::Wait
            }
            Step::Answer { since_ms } => {
                let answered = self
                    .turns
                    .last()
                    .is_some_and(|turn| turn.agent_first_audio_ms.is_some());
                let given_up = now_ms >= since_ms + ANSWER_WAIT_MS;
                let over = (answered || given_up) && self.agent_finished(now_ms);
                if over || self.may_interrupt(now_ms) {
                    self.go_on(now_ms)
                } else {
                    Action::Wait
                }
            }
            Step::Saying { .. } | Step::Finished => Action::Wait,
        }
    }

    fn agent_finished(&self, now_ms: u64) -> bool {
        let quiet = self
            .sound
            .is_none_or(|(_, last)| now_ms >= last + FINISHED_QUIET_MS);
        self.agent == AgentState::Listening && quiet
    }

    fn may_interrupt(&self, now_ms: u64) -> bool {
        let answering = match self.step {
            Step::Greeting => true,
            Step::Answer { .. } => self
                .turns
                .last()
                .is_some_and(|turn| turn.agent_first_audio_ms.is_some()),
            Step::Saying { .. } | Step::Finished => false,
        };
        self.barge_in
            && answering
            && self.next < self.cues.len()
            && self.agent == AgentState::Speaking
            && self
                .sound
                .is_some_and(|(since, _)| now_ms >= since + BARGE_IN_AFTER_MS)
    }

    fn go_on(&mut self, now_ms: u64) -> Action {
        if self.repeat && self.next >= self.cues.len() {
            self.next = 0;
        }
        let Some(cue) = self.cues.get(self.next).copied() else {
            self.step = Step::Finished;
            return Action::Finish;
        };
        let index = self.next;
        self.next += 1;
        self.step = Step::Saying {
            until_ms: now_ms + cue.duration_ms,
        };
        let user_end_ms = now_ms + cue.speech_end_ms;
        self.turns.push(Turn {
            user_end_ms,
            agent_first_audio_ms: None,
        });
        Action::Say(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUE: Cue = Cue {
        duration_ms: 1_000,
        speech_end_ms: 800,
    };

    /// An agent as seen from the caller: its states and its sound, by time.
    struct Agent {
        states: Vec<(u64, AgentState)>,
        sounds: Vec<std::ops::Range<u64>>,
    }

    /// Runs until `end_ms` and returns what was done and when.
    fn run(script: &mut Script, agent: &Agent, end_ms: u64) -> Vec<(u64, Action)> {
        let mut done = Vec::new();
        for now_ms in (0..end_ms).step_by(20) {
            for (at_ms, state) in &agent.states {
                if (now_ms..now_ms + 20).contains(at_ms) {
                    script.agent_is(*state);
                }
            }
            if agent.sounds.iter().any(|sound| sound.contains(&now_ms)) {
                script.agent_sounds(now_ms);
            }
            match script.tick(now_ms) {
                Action::Wait => {}
                action @ (Action::Say(_) | Action::Finish) => done.push((now_ms, action)),
            }
        }
        done
    }

    use AgentState::{Listening, Speaking, Thinking};

    #[test]
    fn the_greeting_is_heard_out_and_each_answer_awaited() {
        let mut script = Script::new(vec![CUE, CUE], false, false);
        let agent = Agent {
            states: vec![
                (100, Speaking),
                (1_950, Listening),
                (3_700, Thinking),
                (4_000, Speaking),
                (5_980, Listening),
                (7_900, Speaking),
                (8_900, Listening),
            ],
            // The first answer has a pause between two sentences.
            sounds: vec![200..2_000, 4_100..4_800, 5_200..6_000, 8_000..9_000],
        };
        let done = run(&mut script, &agent, 20_000);
        let expected = [
            (2_580, Action::Say(0)),
            (6_580, Action::Say(1)),
            (9_580, Action::Finish),
        ];
        assert_eq!(done, expected);
        let turns = script.turns();
        assert_eq!(
            turns[0],
            Turn {
                user_end_ms: 3_380,
                agent_first_audio_ms: Some(4_100)
            }
        );
        assert_eq!(
            turns[1],
            Turn {
                user_end_ms: 7_380,
                agent_first_audio_ms: Some(8_000)
            }
        );
    }

    #[test]
    fn an_agent_that_does_not_greet_or_answer_is_not_waited_for_for_ever() {
        let mut script = Script::new(vec![CUE], false, false);
        let agent = Agent {
            states: vec![(0, Listening)],
            sounds: vec![],
        };
        let done = run(&mut script, &agent, 60_000);
        assert_eq!(done, [(4_000, Action::Say(0)), (25_000, Action::Finish)]);
        assert_eq!(script.turns()[0].agent_first_audio_ms, None);
    }

    #[test]
    fn barge_in_interrupts_and_the_rest_of_the_old_answer_does_not_count() {
        let mut script = Script::new(vec![CUE, CUE], false, true);
        let agent = Agent {
            states: vec![
                (0, Speaking),
                (1_900, Listening),
                (3_000, Speaking),
                (9_000, Listening),
            ],
            // The interrupted greeting fades out while the caller speaks.
            sounds: vec![200..1_700, 2_600..9_000],
        };
        let done = run(&mut script, &agent, 30_000);
        assert_eq!(done[0], (1_400, Action::Say(0)));
        assert_eq!(script.turns()[0].user_end_ms, 2_200);
        assert_eq!(script.turns()[0].agent_first_audio_ms, Some(2_600));
        assert_eq!(
            done[1],
            (3_800, Action::Say(1)),
            "the answer is interrupted in turn"
        );
    }

    #[test]
    fn a_repeating_script_starts_over() {
        let mut script = Script::new(vec![CUE], true, false);
        let agent = Agent {
            states: vec![(0, Listening)],
            sounds: std::iter::once(100..200).collect(),
        };
        let said = run(&mut script, &agent, 50_000);
        assert!(said.len() >= 2 && said.iter().all(|(_, action)| *action == Action::Say(0)));
    }
}
