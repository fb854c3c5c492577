//! Speech over the agent: duck at once, hold when it goes on, then stop or go on as if nothing had
//! happened.

use antiphon_proto::Moment;

use super::Engine;
use crate::input::OverlapKind;
use crate::phrases::{is_backchannel, word_count};
use crate::{Decision, InterruptionMode, Output};

/// How long the playout stays ducked after the first sign of a sound that the detector does not
/// confirm.
const SOUND_MS_MAX: u64 = 400;
/// Speech that was taken for no interruption is one after all when it goes on this long.
const DISMISSED_MS_MAX: u64 = 1_000;
/// Words that a recognizer made of a noise or an echo count only from this many on.
const DOUBTFUL_WORDS_MIN: usize = 3;

/// Speech over an audible reply, while it is undecided.
#[derive(Clone, Debug)]
pub(super) struct Overlap {
    onset: Moment,
    /// When the speech ended.
    ended: Option<Moment>,
    /// What it sounds like.
    kind: Option<OverlapKind>,
}

impl Overlap {
    fn lasted_ms(&self, now: Moment) -> u64 {
        self.ended.unwrap_or(now).ms_since(self.onset)
    }
}

impl Engine {
    /// Something may have begun: play more quietly until it is known what.
    pub(super) fn on_sound_started(&mut self) {
        let audible = self
            .reply
            .as_ref()
            .is_some_and(|reply| reply.sounding() && reply.interruptible && !reply.held);
        let off = self.config.interruption.mode == InterruptionMode::Off;
        if !audible || off || self.overlap.is_some() || self.ending.is_some() {
            return;
        }
        if self.ducked_until.is_none() {
            self.emit(Output::DuckPlayout);
            self.decided(Decision::Duck, "a sound began");
        }
        self.ducked_until = Some(self.now.plus_ms(SOUND_MS_MAX));
    }

    fn unduck(&mut self) {
        if self.ducked_until.take().is_some() {
            self.emit(Output::UnduckPlayout);
        }
    }

    /// Speech has begun while a reply is audible.
    pub(super) fn begin_overlap(&mut self, onset: Moment) {
        if let Some(overlap) = &mut self.overlap {
            // The same person goes on after a pause.
            overlap.ended = None;
            return;
        }
        self.overlap = Some(Overlap {
            onset,
            ended: None,
            kind: None,
        });
        if self.ducked_until.is_none() {
            self.emit(Output::DuckPlayout);
            self.decided(Decision::Duck, "speech over the agent");
        }
        // Held open until the overlap is decided.
        self.ducked_until = Some(Moment(u64::MAX));
        // The sound may have been judged before the detector was sure that it is speech.
        let judged = self.sound.filter(|(at, _)| *at >= onset);
        if let Some((_, kind)) = judged {
            self.on_overlap_judged(kind);
        }
    }

    fn hold(&mut self, why: &str) {
        let Some(reply) = self.reply.as_mut().filter(|reply| !reply.held) else {
            return;
        };
        reply.held = true;
        self.emit(Output::PausePlayout);
        self.decided(Decision::Hold, why);
    }

    pub(super) fn on_overlap_judged(&mut self, kind: OverlapKind) {
        self.sound = Some((self.now, kind));
        let Some(overlap) = &mut self.overlap else {
            // Not even speech by the detector: back to full level.
            if kind != OverlapKind::Interruption {
                self.unduck();
            }
            return;
        };
        if overlap.kind == Some(kind) {
            return;
        }
        overlap.kind = Some(kind);
        match kind {
            OverlapKind::Interruption if self.config.interruption.words_min > 1 => {}
            OverlapKind::Interruption => match self.config.interruption.mode {
                InterruptionMode::Off | InterruptionMode::Polite => {}
                InterruptionMode::Normal => self.hold("it sounds like an interruption"),
                InterruptionMode::Eager => self.stop_for("it sounds like an interruption"),
            },
            OverlapKind::Backchannel | OverlapKind::Noise | OverlapKind::Echo => {
                self.let_go_on(format!("it sounds like {}", named(kind)));
            }
        }
    }

    /// When speech over the agent has gone on long enough to hold it.
    pub(super) fn interruption_due(&self) -> Option<Moment> {
        let overlap = self.overlap.as_ref()?;
        let settings = &self.config.interruption;
        let held = self.reply.as_ref().is_none_or(|reply| reply.held);
        if held || overlap.ended.is_some() {
            return None;
        }
        match settings.mode {
            InterruptionMode::Off | InterruptionMode::Polite => None,
            InterruptionMode::Normal | InterruptionMode::Eager if settings.words_min > 1 => None,
            InterruptionMode::Normal | InterruptionMode::Eager => {
                let after_ms = match overlap.kind {
                    None | Some(OverlapKind::Interruption) => settings.ms_min,
                    Some(OverlapKind::Backchannel) => DISMISSED_MS_MAX.max(settings.ms_min),
                    // Only words tell that there is more to it.
                    Some(OverlapKind::Noise | OverlapKind::Echo) => return None,
                };
                Some(overlap.onset.plus_ms(after_ms))
            }
        }
    }

    pub(super) fn on_speech_goes_on(&mut self) {
        match self.config.interruption.mode {
            InterruptionMode::Eager => self.stop_for("speech goes on"),
            InterruptionMode::Normal => {
                if self.enough_words() {
                    return self.stop_for("speech goes on and has words");
                }
                self.hold("speech over the agent goes on");
            }
            InterruptionMode::Off | InterruptionMode::Polite => {}
        }
    }

    /// When speech over the agent is taken for nothing, as no words came of it.
    pub(super) fn false_alarm_due(&self) -> Option<Moment> {
        let Some(overlap) = &self.overlap else {
            return self.ducked_until;
        };
        let settings = &self.config.interruption;
        overlap
            .ended
            .map(|ended| ended.plus_ms(settings.false_alarm_ms))
    }

    pub(super) fn on_false_alarm(&mut self) {
        let Some(overlap) = &self.overlap else {
            return self.unduck();
        };
        let held = self.reply.as_ref().is_some_and(|reply| reply.held);
        if held && overlap.kind == Some(OverlapKind::Interruption) {
            self.stop_and_ask();
        } else {
            self.dismiss("no words came of it");
        }
    }

    /// Speech over the agent has paused.
    pub(super) fn overlap_paused(&mut self, end: Moment) {
        let ms_min = self.config.interruption.ms_min;
        let Some(overlap) = &mut self.overlap else {
            return;
        };
        overlap.ended = Some(end);
        let convinced = overlap.kind == Some(OverlapKind::Interruption);
        if overlap.lasted_ms(end) < ms_min && !convinced {
            // Its words, if there are any, may still stop the agent.
            self.let_go_on("it was short".to_owned());
        }
        self.weigh_words(false);
    }

    /// The words of an undecided overlap have changed.
    pub(super) fn weigh_words(&mut self, is_final: bool) {
        let Some(overlap) = &self.overlap else { return };
        let over = overlap.ended.is_some();
        let long_enough = overlap.lasted_ms(self.now) >= self.config.interruption.ms_min;
        let settled = self.user.as_ref().is_some_and(|user| user.settled());
        if self.enough_words() && (is_final || long_enough) {
            return self.stop_for("its words want the turn");
        }
        let text = self.user.as_ref().map(|user| user.text());
        let text = text.unwrap_or_default();
        if over && settled && !text.is_empty() {
            let why = if is_backchannel(&text) {
                "the person only shows that they listen"
            } else {
                "too few words"
            };
            self.dismiss(why);
        }
    }

    fn enough_words(&self) -> bool {
        let Some((overlap, user)) = self.overlap.as_ref().zip(self.user.as_ref()) else {
            return false;
        };
        let text = user.text();
        let words = word_count(&text);
        let words_min = match overlap.kind {
            Some(OverlapKind::Noise | OverlapKind::Echo) => DOUBTFUL_WORDS_MIN,
            Some(OverlapKind::Interruption | OverlapKind::Backchannel) | None => 1,
        };
        words >= words_min.max(self.config.interruption.words_min as usize)
            && !is_backchannel(&text)
    }

    /// The agent stops for good.
    pub(super) fn stop_for(&mut self, why: &str) {
        self.decided(Decision::Stop, why);
        self.forget_overlap();
        self.interrupt_reply();
        self.publish_transcript(false);
    }

    /// It was an interruption by its sound, but nothing was understood.
    fn stop_and_ask(&mut self) {
        self.stop_for("it sounded like an interruption");
        self.drop_user_turn();
        let turn = self.allocate_turn();
        let words = self.config.words.pardon.clone();
        self.say(turn, &words);
    }

    /// The agent goes on, and what was said over it is forgotten.
    pub(super) fn dismiss(&mut self, why: &str) {
        self.let_go_on(why.to_owned());
        self.overlap = None;
        self.drop_user_turn();
    }

    /// The agent goes on at full level; the speech over it is still listened to.
    fn let_go_on(&mut self, why: String) {
        self.decided(Decision::Continue, why);
        self.unduck();
        if let Some(reply) = self.reply.as_mut().filter(|reply| reply.held) {
            reply.held = false;
            self.emit(Output::ResumePlayout);
        }
    }

    /// The reply is over or stopped: there is nothing left to decide.
    pub(super) fn forget_overlap(&mut self) {
        self.overlap = None;
        self.unduck();
    }
}

fn named(kind: OverlapKind) -> &'static str {
    match kind {
        OverlapKind::Interruption => "an interruption",
        OverlapKind::Backchannel => "a sign of listening",
        OverlapKind::Noise => "a noise",
        OverlapKind::Echo => "the agent's own echo",
    }
}
