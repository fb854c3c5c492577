//! The caller that our side is given: what it says, when, and what it notes.
//!
//! The same rules as in `benches/peers/caller.py`, where they are explained; change both or
//! neither.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use antiphon_audio::file::read_audio_file;
use antiphon_audio::vad::{VadEdge, VoiceActivity};
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ};

/// Length of a frame, in seconds.
pub(crate) const FRAME_S: f64 = 0.02;
const GRID_FRAMES: u64 = 8;
const SPEECH_PEAK: u16 = 520;
const ANSWER_OVER_S: f64 = 0.7;
const ANSWER_WITHIN_S: f64 = 8.0;
const REST_S: f64 = 0.3;
const BARGE_AFTER_S: f64 = 1.0;
const STOPPED_S: f64 = 0.1;
const ALONE_BEFORE_FRAMES: usize = 80;
const ALONE_AFTER_FRAMES: usize = 75;

type Frame = [i16; CALLER_FRAME_SAMPLES];

/// A phrase, cut to whole frames behind its last sound.
pub(crate) struct Clip {
    frames: Vec<Frame>,
    onset_s: f64,
    end_s: f64,
    /// From the end of speech to where our detector dates it, and to when it says so, in seconds.
    pub(crate) dated_s: f64,
    pub(crate) told_s: f64,
}

impl Clip {
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let fault = |why: String| format!("{}: {why}", path.display());
        let bytes = fs::read(path).map_err(|error| fault(error.to_string()))?;
        let read = read_audio_file(&bytes).map_err(|error| fault(error.to_string()))?;
        if read.rate_hz != CALLER_RATE_HZ {
            return Err(fault(format!("{} Hz, not {CALLER_RATE_HZ}", read.rate_hz)));
        }
        let pcm = read.pcm;
        let loud = |sample: &i16| sample.unsigned_abs() > SPEECH_PEAK;
        let (Some(onset), Some(last)) = (pcm.iter().position(loud), pcm.iter().rposition(loud))
        else {
            return Err(fault("there is no speech in it".to_owned()));
        };
        let frames = pcm[..=last]
            .chunks(CALLER_FRAME_SAMPLES)
            .map(|chunk| {
                let mut frame = [0; CALLER_FRAME_SAMPLES];
                frame[..chunk.len()].copy_from_slice(chunk);
                frame
            })
            .collect();
        let mut clip = Self {
            frames,
            onset_s: onset as f64 / f64::from(CALLER_RATE_HZ),
            end_s: (last + 1) as f64 / f64::from(CALLER_RATE_HZ),
            dated_s: 0.0,
            told_s: 0.0,
        };
        (clip.dated_s, clip.told_s) = clip.vad_stop().map_err(fault)?;
        Ok(clip)
    }

    /// What our detector makes of the end of this speech, run over the clip between silences.
    fn vad_stop(&self) -> Result<(f64, f64), String> {
        let mut vad = VoiceActivity::default();
        let silence = [0; CALLER_FRAME_SAMPLES];
        let before = std::iter::repeat_n(&silence, ALONE_BEFORE_FRAMES);
        let after = std::iter::repeat_n(&silence, ALONE_AFTER_FRAMES);
        let end_s = ALONE_BEFORE_FRAMES as f64 * FRAME_S + self.end_s;
        let mut stops = Vec::new();
        for (nth, frame) in before.chain(&self.frames).chain(after).enumerate() {
            if let Some(VadEdge::Stopped { end_samples_ago }) = vad.push(frame) {
                let told_s = (nth + 1) as f64 * FRAME_S;
                let ago_s = end_samples_ago as f64 / f64::from(CALLER_RATE_HZ);
                stops.push((told_s - ago_s - end_s, told_s - end_s));
            }
        }
        match stops[..] {
            [stop] => Ok(stop),
            _ => Err(format!("{} stretches of speech, not one", stops.len())),
        }
    }
}

/// One question and its answer, in seconds.
pub(crate) struct Turn {
    pub(crate) clip: usize,
    pub(crate) reply_s: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Rest { until: f64 },
    Talk { clip: usize, at: usize },
    Wait,
    Hear { answered_at: f64 },
}

/// Index of the clip that is spoken over an answer; those before it are questions.
const BARGE: usize = 3;

/// One caller. All times are seconds on one clock.
pub(crate) struct Caller {
    clips: Arc<Vec<Clip>>,
    window: (f64, f64),
    phase: Phase,
    turn: usize,
    asked: usize,
    speech_end: f64,
    onset: Option<f64>,
    sound_until: f64,
    over_barge: bool,
    pub(crate) turns: Vec<Turn>,
    pub(crate) barges_s: Vec<f64>,
    pub(crate) unanswered: usize,
    pub(crate) early: usize,
}

impl Caller {
    /// Notes what is asked within `window`.
    pub(crate) fn new(clips: Arc<Vec<Clip>>, window: (f64, f64)) -> Self {
        Self {
            clips,
            window,
            phase: Phase::Rest { until: 0.0 },
            turn: 0,
            asked: 0,
            speech_end: 0.0,
            onset: None,
            sound_until: -1.0,
            over_barge: false,
            turns: Vec::new(),
            barges_s: Vec::new(),
            unanswered: 0,
            early: 0,
        }
    }

    /// The agent's sound of so many seconds begins to be played.
    pub(crate) fn sound(&mut self, now: f64, seconds: f64) {
        if now >= self.sound_until + STOPPED_S {
            self.began(now);
        }
        self.sound_until = self.sound_until.max(now) + seconds;
    }

    fn began(&mut self, now: f64) {
        match self.phase {
            Phase::Talk { .. } if !self.over_barge => self.early += usize::from(self.counts()),
            Phase::Wait => {
                if !self.over_barge && self.counts() {
                    self.turns.push(Turn {
                        clip: self.asked,
                        reply_s: now - self.speech_end,
                    });
                }
                self.phase = Phase::Hear { answered_at: now };
            }
            Phase::Talk { .. } | Phase::Rest { .. } | Phase::Hear { .. } => {}
        }
    }

    fn counts(&self) -> bool {
        (self.window.0..=self.window.1).contains(&self.speech_end)
    }

    /// The `nth` frame since `began`; it is over now.
    pub(crate) fn frame(&mut self, now: f64, began: f64, nth: u64) -> Frame {
        self.watch_barge(now);
        let on_grid = nth.is_multiple_of(GRID_FRAMES);
        match self.phase {
            Phase::Hear { answered_at } => {
                let speaks_over = self.turn % BARGE == BARGE - 1 && !self.over_barge;
                if speaks_over && on_grid && now >= answered_at + BARGE_AFTER_S {
                    self.over_barge = true;
                    self.talk(BARGE, began, nth);
                    if now < self.sound_until {
                        let onset_s = self.clips[BARGE].onset_s;
                        self.onset = Some(began + nth as f64 * FRAME_S + onset_s);
                    }
                } else if now >= self.sound_until + ANSWER_OVER_S {
                    self.rest(now);
                }
            }
            Phase::Wait if now >= self.speech_end + ANSWER_WITHIN_S => {
                self.unanswered += usize::from(self.counts());
                self.rest(now);
            }
            Phase::Rest { until } if on_grid && now >= until => {
                self.asked = self.turn % BARGE;
                self.talk(self.asked, began, nth);
            }
            Phase::Rest { .. } | Phase::Wait | Phase::Talk { .. } => {}
        }
        let Phase::Talk { clip, at } = self.phase else {
            return [0; CALLER_FRAME_SAMPLES];
        };
        let frames = &self.clips[clip].frames;
        self.phase = if at + 1 == frames.len() {
            Phase::Wait
        } else {
            Phase::Talk { clip, at: at + 1 }
        };
        frames[at]
    }

    fn watch_barge(&mut self, now: f64) {
        let Some(onset) = self.onset else { return };
        if now < self.sound_until + STOPPED_S {
            return;
        }
        if self.counts() {
            self.barges_s.push(self.sound_until - onset);
        }
        self.onset = None;
    }

    fn talk(&mut self, clip: usize, began: f64, nth: u64) {
        self.phase = Phase::Talk { clip, at: 0 };
        self.speech_end = began + nth as f64 * FRAME_S + self.clips[clip].end_s;
    }

    fn rest(&mut self, now: f64) {
        self.phase = Phase::Rest {
            until: now + REST_S,
        };
        self.turn += 1;
        self.over_barge = false;
        self.onset = None;
    }
}
