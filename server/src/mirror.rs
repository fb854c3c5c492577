//! Chat by text over the router: the same agents, safety checks and choice of provider as in a
//! call.

use std::sync::Arc;
use std::time::Instant;

use antiphon_agents::Agent;
use antiphon_proto::{GenerationId, Message, MirrorChat, MirrorReply, MirrorRole, Role, TurnId};
use antiphon_providers::TaskHandle;
use antiphon_providers::route::{CallFacts, Fact, Router, Signals, Stage, quality};
use antiphon_providers::think::{ThinkEvent, ThinkEventKind, ThinkLimits, ThinkRequest};
use antiphon_safety::{Decision, Monitor};
use tokio::sync::mpsc;

use crate::ApiError;

/// Longest message, characters.
const MESSAGE_CHARS_MAX: usize = 4_000;
/// Most entries of a history.
const HISTORY_MAX: usize = 100;
/// Longest reply, tokens: text is read faster than it is spoken.
const TOKENS_MAX: u32 = 1_000;
/// Longest sentence that is held back to be checked; a longer one is checked in parts.
const SENTENCE_BYTES_MAX: usize = 600;
/// Events between the responder and the reply.
const EVENTS_MAX: usize = 64;

/// A reply as it comes.
pub(crate) enum Piece {
    /// Checked words.
    Words(String),
    /// The end.
    Done(Box<MirrorReply>),
    /// Nobody could answer.
    Failed(String),
}

/// One reply under way. Dropping it stops the provider.
pub(crate) struct Chat {
    events: mpsc::Receiver<ThinkEvent>,
    facts: CallFacts,
    monitor: Monitor,
    /// Reviewed words in place of a reply.
    script: Option<&'static str>,
    pending: String,
    reply: String,
    began: Instant,
    first_ms: Option<u64>,
    blocked: bool,
    over: bool,
    _task: Option<TaskHandle>,
}

impl Chat {
    /// Checks the message and asks whoever is chosen.
    pub(crate) fn start(
        router: &Arc<Router>,
        agent: &Arc<Agent>,
        request: &MirrorChat,
    ) -> Result<Self, ApiError> {
        check(request, router)?;
        let mut agent = (**agent).clone();
        if let Some(provider) = &request.provider {
            agent.route.allow = vec![match &request.model {
                Some(model) => format!("{provider}/{model}"),
                None => provider.clone(),
            }];
        }
        let agent = Arc::new(agent);
        let mut monitor = Monitor::default();
        let history = history_of(request);
        let mut script = None;
        for said in history.iter().filter(|said| said.role == Role::User) {
            script = match monitor.user_turn(&said.text) {
                Decision::Pass => None,
                Decision::Replace(words) => Some(words),
            };
        }
        let routed = router.session(&agent);
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let task = script.is_none().then(|| {
            let request = ThinkRequest {
                generation: GenerationId(1),
                agent,
                history,
                tools: Vec::new(),
                limits: ThinkLimits {
                    tokens_max: TOKENS_MAX,
                    ..ThinkLimits::default()
                },
                already_said: None,
            };
            routed.think.start(request, sender)
        });
        Ok(Self {
            events,
            facts: routed.facts,
            monitor,
            script,
            pending: String::new(),
            reply: String::new(),
            began: Instant::now(),
            first_ms: None,
            blocked: false,
            over: false,
            _task: task,
        })
    }

    /// The next piece; none after the end.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        if self.over {
            return None;
        }
        if let Some(words) = self.script.take() {
            self.reply.push_str(words);
            self.blocked = true;
            return Some(Piece::Words(words.to_owned()));
        }
        loop {
            let event = self.events.recv().await.map(|event| event.kind);
            match event {
                Some(ThinkEventKind::Delta { text }) => {
                    self.note_first();
                    self.pending.push_str(&text);
                    let cleared = self.clear(false);
                    if !cleared.is_empty() {
                        return Some(Piece::Words(cleared));
                    }
                }
                Some(ThinkEventKind::ToolCalls { .. }) => {}
                Some(ThinkEventKind::Failed { fault }) => {
                    self.over = true;
                    tracing::warn!(%fault, "a chat could not be answered");
                    return Some(Piece::Failed(fault.reason));
                }
                Some(ThinkEventKind::Done { .. }) | None => {
                    let rest = self.clear(true);
                    if !rest.is_empty() {
                        return Some(Piece::Words(rest));
                    }
                    self.over = true;
                    return Some(Piece::Done(Box::new(self.finish())));
                }
            }
        }
    }

    fn note_first(&mut self) {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.first_ms.get_or_insert(ms);
    }

    /// Whole sentences that passed the check, or what stands in place of those that did not.
    fn clear(&mut self, over: bool) -> String {
        let mut cleared = String::new();
        loop {
            let end = match sentence_end(&self.pending) {
                Some(end) => end,
                None if over || self.pending.len() > SENTENCE_BYTES_MAX => self.pending.len(),
                None => break,
            };
            if end == 0 {
                break;
            }
            let sentence: String = self.pending.drain(..end).collect();
            match self.monitor.agent_sentence(&sentence) {
                Decision::Pass => cleared.push_str(&sentence),
                Decision::Replace(words) => {
                    self.blocked = true;
                    cleared.push_str(words);
                    cleared.push(' ');
                }
            }
        }
        self.reply.push_str(&cleared);
        cleared
    }

    fn finish(&mut self) -> MirrorReply {
        let (mut id, mut why) = (String::new(), String::new());
        while let Ok(fact) = self.facts.facts.try_recv() {
            match fact {
                Fact::Chosen {
                    id: chosen,
                    why: because,
                    ..
                } => (id, why) = (chosen.to_string(), because.to_owned()),
                Fact::FellBack {
                    to: Some(to), kind, ..
                } => {
                    id = to.to_string();
                    why = format!("went on after another failed ({})", kind.name());
                }
                Fact::FellBack { to: None, .. } => {}
            }
        }
        let (provider, model) = id.split_once('/').unwrap_or(("script", ""));
        if id.is_empty() {
            "reviewed words in place of a model's".clone_into(&mut why);
        }
        let signals = Signals {
            words: self.reply.split_whitespace().count(),
            blocked: self.blocked,
            ..Signals::default()
        };
        MirrorReply {
            reply: self.reply.trim().to_owned(),
            provider: provider.to_owned(),
            model: model.to_owned(),
            reason: why,
            cost_nanodollars: self.facts.costs.picodollars(Stage::Think) / 1_000,
            quality: quality(signals),
            first_token_ms: self.first_ms,
            latency_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            safety: self.monitor.state(),
        }
    }
}

fn check(request: &MirrorChat, router: &Router) -> Result<(), ApiError> {
    let length = request.message.chars().count();
    if request.message.trim().is_empty() || length > MESSAGE_CHARS_MAX {
        return Err(ApiError::Body(format!(
            "`message` has {length} characters; write 1 to {MESSAGE_CHARS_MAX}"
        )));
    }
    if request.history.len() > HISTORY_MAX {
        return Err(ApiError::Body(format!(
            "`history` has {} entries; send the last {HISTORY_MAX}",
            request.history.len()
        )));
    }
    if request.model.is_some() && request.provider.is_none() {
        return Err(ApiError::Body(
            "`model` stands without `provider`; name both, or neither".to_owned(),
        ));
    }
    let names = router.names(Stage::Think);
    if let Some(provider) = &request.provider {
        let wanted = |name: &String| match &request.model {
            Some(model) => *name == format!("{provider}/{model}"),
            None => name.split('/').next() == Some(provider),
        };
        if !names.iter().any(wanted) {
            return Err(ApiError::UnknownProvider {
                there_are: names.join(", "),
            });
        }
    }
    Ok(())
}

fn history_of(request: &MirrorChat) -> Vec<Message> {
    let message = |nth: usize, role, text: &str| Message {
        turn: TurnId(u32::try_from(nth).unwrap_or(u32::MAX)),
        role,
        text: text.to_owned(),
        interrupted: false,
        at_ms: 0,
        tool: None,
    };
    let said = request.history.iter().enumerate().map(|(nth, said)| {
        let role = match said.role {
            MirrorRole::User => Role::User,
            MirrorRole::Agent => Role::Agent,
        };
        message(nth, role, &said.text)
    });
    let last = message(request.history.len(), Role::User, &request.message);
    said.chain(std::iter::once(last)).collect()
}

/// Bytes up to and with the first end of a sentence that more text follows.
fn sentence_end(text: &str) -> Option<usize> {
    let mut ended = false;
    for (at, c) in text.char_indices() {
        if ended && c.is_whitespace() {
            return Some(at + c.len_utf8());
        }
        ended = matches!(c, '.' | '!' | '?' | '…' | '\n')
            || (ended && matches!(c, '"' | '\'' | ')' | '”'));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::sentence_end;

    #[test]
    fn sentences_end_where_more_follows() {
        for (text, end) in [
            ("Hello", None),
            ("Hello.", None),
            ("Hello. ", Some(7)),
            ("It costs 3.50 now", None),
            ("\"Yes!\" she said", Some(7)),
            ("Ä… ö", Some(6)),
        ] {
            assert_eq!(sentence_end(text), end, "{text:?}");
        }
    }
}
