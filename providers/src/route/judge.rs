//! A language model that judges a sample of replies, beside the calls and never in their way.

use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::{Agent, Manner};
use antiphon_proto::{GenerationId, Message, Role, TurnId};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use crate::think::{Think, ThinkEventKind, ThinkLimits, ThinkRequest};

/// Judgements at a time; more are left out.
const AT_ONCE_MAX: usize = 4;
/// Longest wait for one.
const WITHIN: Duration = Duration::from_secs(20);
/// Tokens of a judgement: a number.
const TOKENS_MAX: u32 = 20;
const INSTRUCTIONS: &str = "You judge replies of a voice agent. You are shown what the person said \
    and what the agent answered. Answer with one whole number from 0 to 10 and nothing else: 10 for \
    a reply that is right, helpful, short enough to listen to and in character; 0 for a useless one.";

/// Judges one reply in so many.
pub struct Judge {
    think: Arc<dyn Think>,
    agent: Arc<Agent>,
    one_in: u64,
    permits: Arc<Semaphore>,
}

impl Judge {
    /// `think` judges one reply in `one_in`.
    pub fn new(think: Arc<dyn Think>, one_in: u64) -> Self {
        let agent = Agent {
            id: "judge".to_owned(),
            name: "Judge".to_owned(),
            manner: Manner {
                style: INSTRUCTIONS.to_owned(),
                ..Manner::default()
            },
            ..Agent::default()
        };
        Self {
            think,
            agent: Arc::new(agent),
            one_in: one_in.max(1),
            permits: Arc::new(Semaphore::new(AT_ONCE_MAX)),
        }
    }

    /// Judges the reply in the background, where its turn has come; `judged` gets 0 to 1.
    pub(super) fn consider(
        &self,
        nth: u64,
        asked: &str,
        reply: &str,
        judged: impl FnOnce(f64) + Send + 'static,
    ) {
        if !nth.is_multiple_of(self.one_in) || reply.trim().is_empty() {
            return;
        }
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return;
        };
        let text = format!("The person said: {asked}\nThe agent answered: {reply}");
        let request = ThinkRequest {
            generation: GenerationId(1),
            agent: Arc::clone(&self.agent),
            history: vec![Message {
                turn: TurnId(1),
                role: Role::User,
                text,
                interrupted: false,
                at_ms: 0,
                tool: None,
            }],
            tools: Vec::new(),
            limits: ThinkLimits {
                tokens_max: TOKENS_MAX,
                stop: Vec::new(),
            },
            already_said: None,
        };
        let (sender, mut events) = mpsc::channel(8);
        let task = self.think.start(request, sender);
        tokio::spawn(async move {
            let _held = (permit, task);
            let mut said = String::new();
            let all = async {
                while let Some(event) = events.recv().await {
                    match event.kind {
                        ThinkEventKind::Delta { text } => said.push_str(&text),
                        ThinkEventKind::Done { .. } | ThinkEventKind::Failed { .. } => break,
                        ThinkEventKind::ToolCalls { .. } => {}
                    }
                }
            };
            // A judge that is late or silent judges nothing.
            let _ = timeout(WITHIN, all).await;
            if let Some(mark) = mark_in(&said) {
                judged(mark);
            }
        });
    }
}

/// The number in a judgement, as a share.
fn mark_in(said: &str) -> Option<f64> {
    let digits: String = said
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    let mark: u32 = digits.parse().ok()?;
    (mark <= 10).then(|| f64::from(mark) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::mark_in;

    #[test]
    fn only_a_number_from_0_to_10_is_a_judgement() {
        for (said, mark) in [
            ("7", Some(0.7)),
            ("Score: 10.", Some(1.0)),
            ("0/10", Some(0.0)),
            ("eleven", None),
            ("11", None),
            ("", None),
            ("99999999999999", None),
        ] {
            assert_eq!(mark_in(said), mark, "{said:?}");
        }
    }
}
