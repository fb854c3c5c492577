//! What the person does, as the engine gets to know of it.

use antiphon_engine::{Input, OverlapKind};
use antiphon_proto::{CloseReason, Moment};

use super::call::{Call, Next};
use super::scenario::{Stretch, What};

/// From the beginning of a sound to the first sign of it, in milliseconds.
const SOUND_MS: u64 = 20;
/// From the beginning of a sound to its judgement, in milliseconds.
const JUDGED_MS: u64 = 200;

impl Call<'_> {
    /// Does the `nth` act. Time goes on with the next one when this is over.
    pub(super) fn perform(&mut self, nth: usize) {
        let what = self.scenario.acts[nth].what.clone();
        let mut lasts_ms = 0;
        match what {
            What::Say(stretches) => lasts_ms = self.say(stretches),
            What::Over(stretch, judged) => {
                self.counts.add("overlaps");
                self.judge(judged);
                lasts_ms = self.say(vec![stretch]);
            }
            What::Sound(judged) => {
                self.counts.add("sounds");
                self.in_ms(SOUND_MS, Next::Input(Input::SoundStarted));
                self.judge(judged);
            }
            What::Type(text) => self.act("typed", Input::UserText { text }),
            What::Key(key) => self.act("keys", Input::Dtmf { key }),
            What::Interrupt => self.act("interrupt button", Input::InterruptRequested),
            What::Press(stretch) => lasts_ms = self.press(stretch),
            What::CommitTurn => self.act("turns committed by the client", Input::TurnCommitted),
            What::Mute(ms) => self.mute(ms),
            What::Lose(ms) => {
                self.lose(ms);
                lasts_ms = ms;
            }
            What::Jump(ms) => self.jump(ms),
            What::Drain(limit_ms) => self.act("drains", Input::Drain { limit_ms }),
            What::HangUp => self.act(
                "hang-ups",
                Input::Close {
                    reason: CloseReason::UserHungUp,
                },
            ),
        }
        self.in_ms(lasts_ms, Next::Arm);
    }

    fn act(&mut self, counted: &'static str, input: Input) {
        self.counts.add(counted);
        self.tell_all(input);
    }

    /// Plans stretches of speech; how long they last in all, in milliseconds.
    fn say(&mut self, stretches: Vec<Stretch>) -> u64 {
        let (detect_ms, hangover_ms) = (self.scenario.detect_ms, self.scenario.hangover_ms);
        let mut from_ms = 0;
        let count = stretches.len();
        for (nth, stretch) in stretches.into_iter().enumerate() {
            let end_ms = from_ms + stretch.ms;
            self.in_ms(from_ms + SOUND_MS, Next::Input(Input::SoundStarted));
            let pause_ms = stretch.pause_ms;
            // Shorter ones the detector does not hear.
            if stretch.ms > detect_ms {
                let onset = self.now.plus_ms(from_ms);
                let next = Next::Detected(onset, Box::new(stretch));
                self.in_ms(from_ms + detect_ms, next);
                let end = self.now.plus_ms(end_ms);
                self.in_ms(end_ms + hangover_ms, Next::Undetected(end));
            }
            from_ms = if nth + 1 < count {
                end_ms + pause_ms
            } else {
                end_ms
            };
        }
        from_ms
    }

    fn judge(&mut self, judged: Option<OverlapKind>) {
        if let Some(kind) = judged {
            self.counts.add("overlaps judged");
            self.in_ms(JUDGED_MS, Next::Input(Input::OverlapJudged { kind }));
        }
    }

    pub(super) fn detected(&mut self, onset: Moment, stretch: Box<Stretch>) {
        if !self.connected || self.now < self.muted_until {
            return;
        }
        self.stretch = Some((onset, stretch));
        self.speaking = true;
        self.counts.add("stretches of speech");
        self.tell_all(Input::SpeechStarted { onset });
    }

    pub(super) fn undetected(&mut self, end: Moment) {
        if self.stretch.take().is_none() {
            return;
        }
        self.speaking = false;
        if self.connected {
            self.tell_all(Input::SpeechStopped { end, prosody: None });
        }
    }

    fn press(&mut self, stretch: Stretch) -> u64 {
        let ms = stretch.ms;
        self.stretch = Some((self.now, Box::new(stretch)));
        self.speaking = true;
        self.act("talk button", Input::TalkPressed);
        self.in_ms(ms, Next::Released);
        ms
    }

    /// While muted nothing is detected; what was being said ends.
    fn mute(&mut self, ms: u64) {
        self.counts.add("mutes");
        self.muted_until = self.now.plus_ms(ms);
        self.undetected(self.now);
    }

    fn lose(&mut self, ms: u64) {
        if self.connected {
            self.tell_all(Input::Disconnected);
            self.counts.add("connections lost");
            self.connected = false;
            self.speaking = false;
            self.stretch = None;
            self.in_ms(ms, Next::Reconnect);
        }
    }

    /// Everything that was due meanwhile happens late.
    fn jump(&mut self, ms: u64) {
        self.counts.add("clock jumps");
        self.now = self.now.plus_ms(ms);
        self.rules.slept(self.now);
    }
}
