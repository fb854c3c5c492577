//! Silence and trouble: fillers, retries, apologies, the person who is away, keys of a telephone.

use antiphon_proto::{CloseReason, Event, Moment, NoticeCode, TurnId};

use super::{Engine, lifecycle};
use crate::phrases::is_voicemail;
use crate::{Decision, Output};

/// Times that a responder which failed before its first word is asked again in one reply.
const RETRIES_MAX: u32 = 1;
/// Wait for a further key.
const DTMF_MS_MAX: u64 = 2_000;
/// Longest number that is keyed in.
const DTMF_KEYS_MAX: usize = 64;
/// A machine speaks at the beginning of a call.
const VOICEMAIL_TURN_MAX: TurnId = TurnId(2);

/// Silence of both sides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quiet {
    since: Option<Moment>,
    /// True where the person was asked for since they were last heard.
    asked: bool,
}

impl Quiet {
    pub(super) fn heard_someone(&mut self) {
        *self = Self::default();
    }
}

impl Engine {
    /// Nobody speaks, thinks or runs.
    fn is_quiet(&self) -> bool {
        self.connected
            && self.ending.is_none()
            && self.reply.is_none()
            && self.user.is_none()
            && self.unchecked.is_none()
            && self.orphans.is_empty()
            && self.dtmf.is_empty()
    }

    /// Silence begins when the last thing has ended, and is over when anything begins.
    pub(super) fn note_activity(&mut self) {
        if self.is_quiet() {
            self.quiet.since.get_or_insert(self.now);
        } else {
            self.quiet.since = None;
        }
    }

    pub(super) fn away_due(&self) -> Option<Moment> {
        let since = self.quiet.since.filter(|_| self.is_quiet())?;
        let patience = &self.config.patience;
        if patience.away_ms == 0 {
            return None;
        }
        Some(since.plus_ms(if self.quiet.asked {
            patience.away_again_ms
        } else {
            patience.away_ms
        }))
    }

    /// Asks for the person; the second time, ends the call.
    pub(super) fn on_away(&mut self) {
        let asked = std::mem::replace(&mut self.quiet.asked, true);
        self.quiet.since = None;
        if asked {
            self.decided(Decision::End, "the person did not answer the question");
            self.begin_ending(CloseReason::UserAway, lifecycle::GOODBYE_MS_MAX);
            return;
        }
        self.decided(Decision::Fill, "nobody has said anything for long");
        self.publish(Event::UserAway {});
        let question = self.config.words.away_question.clone();
        let turn = self.allocate_turn();
        self.say(turn, &question);
    }

    /// When the person has waited too long in silence.
    pub(super) fn filler_due(&self) -> Option<Moment> {
        let reply = self.reply.as_ref()?;
        let working = reply.generation.is_some() || reply.awaits_tools();
        let fillers = &self.config.words.fillers;
        if !working || reply.scripted || reply.held || !reply.silent() || fillers.is_empty() {
            return None;
        }
        let patience = &self.config.patience;
        let wait_ms = match reply.fillers {
            0 => patience.filler_ms,
            _ => patience.filler_again_ms,
        };
        Some(reply.waiting_since.plus_ms(wait_ms))
    }

    pub(super) fn fill(&mut self) {
        let now = self.now;
        let Some(reply) = &mut self.reply else { return };
        let nth = reply.fillers as usize;
        reply.fillers += 1;
        reply.waiting_since = now;
        let fillers = &self.config.words.fillers;
        let Some(text) = fillers
            .get(nth.min(fillers.len().saturating_sub(1)))
            .cloned()
        else {
            return;
        };
        self.decided(Decision::Fill, "the person waits for an answer");
        self.queue_cleared(text, true);
        self.advance_reply();
    }

    /// When a responder that says nothing is given up: none while the person still hears what it
    /// said before.
    pub(super) fn first_words_due(&self) -> Option<Moment> {
        let reply = self.reply.as_ref()?;
        let begun = reply.has_words() || reply.last_token_at >= Some(reply.started_at);
        if reply.generation.is_none() || (begun && !reply.silent()) {
            return None;
        }
        let since = reply
            .last_token_at
            .map_or(reply.started_at, |at| at.max(reply.started_at));
        Some(since.plus_ms(self.config.patience.first_words_ms_max))
    }

    pub(super) fn on_responder_too_slow(&mut self) {
        let Some(reply) = &mut self.reply else { return };
        let Some(generation) = reply.generation.take() else {
            return;
        };
        let rest = reply.splitter.finish();
        let silent = rest.is_none() && !reply.has_words();
        self.emit(Output::CancelGeneration { generation });
        self.check_pieces(false, rest.into_iter().collect());
        if silent {
            self.apologize("the responder was silent for too long");
        } else {
            self.tell_responder_trouble();
        }
        self.advance_reply();
    }

    /// Asks once more; a second failure is apologized for.
    pub(super) fn retry_or_apologize(&mut self, why: &str) {
        let Some(reply) = &mut self.reply else { return };
        if reply.retries < RETRIES_MAX {
            reply.retries += 1;
            self.decided(Decision::Retry, why);
            return self.ask_responder();
        }
        self.apologize(why);
    }

    fn apologize(&mut self, why: &str) {
        self.tell_responder_trouble();
        self.failures += 1;
        self.decided(Decision::Fill, why);
        if let Some(reply) = &mut self.reply {
            reply.scripted = true;
        }
        let apology = self.config.words.apology.clone();
        self.speak_script(&apology);
        if self.failures >= self.config.limits.failures_max {
            self.decided(Decision::End, "too many turns could not be answered");
            self.begin_ending(CloseReason::TooManyFailures, lifecycle::GOODBYE_MS_MAX);
        }
    }

    /// The person said something that could not be recognized.
    pub(super) fn apologize_for(&mut self, turn: TurnId) {
        self.decided(Decision::Fill, "the recognizer failed");
        let apology = self.config.words.apology.clone();
        self.say(turn, &apology);
    }

    pub(super) fn on_dtmf(&mut self, key: char) {
        if !self.connected || self.ending.is_some() {
            return;
        }
        let key = key.to_ascii_uppercase();
        if !matches!(key, '0'..='9' | '*' | '#' | 'A'..='D') {
            return;
        }
        self.quiet.heard_someone();
        if key == '#' && !self.dtmf.is_empty() {
            return self.end_dtmf();
        }
        if !self.dtmf.is_empty() {
            self.dtmf.push(' ');
        }
        self.dtmf.push(key);
        self.dtmf_due = Some(self.now.plus_ms(DTMF_MS_MAX));
        if self.dtmf.len() >= 2 * DTMF_KEYS_MAX - 1 {
            self.end_dtmf();
        }
    }

    /// What was keyed in is what the person says.
    pub(super) fn end_dtmf(&mut self) {
        self.dtmf_due = None;
        let keys = std::mem::take(&mut self.dtmf);
        self.on_user_text(&keys);
    }

    /// True where a machine answered and the call ends for it.
    pub(super) fn voicemail_answered(&mut self, text: &str) -> bool {
        let first_turn = self.next_turn <= VOICEMAIL_TURN_MAX.next();
        if !first_turn || !is_voicemail(text) {
            return false;
        }
        let message = "The call seems to have reached a voicemail.".to_owned();
        self.publish(Event::Notice {
            code: NoticeCode::Voicemail,
            message,
        });
        if self.config.limits.hang_up_on_voicemail {
            self.decided(Decision::End, "a voicemail answered");
            self.close(CloseReason::Voicemail);
        }
        self.closed
    }
}
