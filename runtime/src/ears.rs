//! From frames of caller audio to voice activity and the recognizer.

use antiphon_audio::preroll::Preroll;
use antiphon_audio::prosody::{self, ProsodyTracker};
use antiphon_audio::vad::{VadEdge, VoiceActivity};
use antiphon_engine::{Input, Prosody};
use antiphon_proto::{Moment, UtteranceId};
use antiphon_providers::hear::HearStream;

use crate::{CALLER_FRAME_SAMPLES, Pulled};

/// Audio kept for the recognizer from before the detector was sure.
const PREROLL_MS: u32 = 600;
/// Audio given to the recognizer from before the onset: words begin softer than the detector hears.
const BEFORE_ONSET_MS: u64 = 220;
/// After this many frames without any audio the detector is not run until audio comes: it has long
/// decided on silence.
const IDLE_FRAMES: u32 = 50;
const FRAME_MS: u64 = 20;
const SAMPLES_PER_MS: u64 = 16;

/// The listening side of one call.
pub(crate) struct Ears {
    vad: Box<VoiceActivity>,
    preroll: Preroll,
    prosody: Box<ProsodyTracker>,
    stream: Box<dyn HearStream>,
    /// Used from the next utterance on.
    next_stream: Option<Box<dyn HearStream>>,
    current: Option<UtteranceId>,
    muted: bool,
    quiet_frames: u32,
}

impl Ears {
    pub(crate) fn new(stream: Box<dyn HearStream>) -> Self {
        Self {
            vad: Box::new(VoiceActivity::default()),
            preroll: Preroll::new(PREROLL_MS),
            prosody: Box::new(ProsodyTracker::new()),
            stream,
            next_stream: None,
            current: None,
            muted: false,
            quiet_frames: 0,
        }
    }

    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Takes the 20 ms of audio that end at `now`; returns what it means to the engine.
    pub(crate) fn hear(
        &mut self,
        now: Moment,
        pulled: Pulled,
        frame: &mut [i16; CALLER_FRAME_SAMPLES],
    ) -> Option<Input> {
        if self.muted {
            frame.fill(0);
        }
        if self.muted || pulled == Pulled::Nothing {
            self.quiet_frames = self.quiet_frames.saturating_add(1);
            if self.quiet_frames > IDLE_FRAMES {
                return None;
            }
        } else {
            self.quiet_frames = 0;
        }
        self.preroll.push(frame);
        self.prosody.push(frame);
        if self.current.is_some() {
            self.stream.push(frame);
        }
        let edge = self.vad.push(frame)?;
        Some(match edge {
            VadEdge::Started { onset_samples_ago } => {
                self.prosody.begin_speech(onset_samples_ago);
                Input::SpeechStarted {
                    onset: now.minus_ms(onset_samples_ago as u64 / SAMPLES_PER_MS),
                }
            }
            VadEdge::Stopped { end_samples_ago } => Input::SpeechStopped {
                end: now.minus_ms(end_samples_ago as u64 / SAMPLES_PER_MS),
                prosody: Some(engine_prosody(self.prosody.end_of_speech(end_samples_ago))),
            },
        })
    }

    pub(crate) fn begin(&mut self, utterance: UtteranceId, onset: Moment, now: Moment) {
        if let Some(next) = self.next_stream.take() {
            self.stream = next;
        }
        let back_ms = now.ms_since(onset) + BEFORE_ONSET_MS + FRAME_MS;
        self.stream.begin(utterance);
        let back_samples = usize::try_from(back_ms * SAMPLES_PER_MS).unwrap_or(usize::MAX);
        let earlier = self
            .preroll
            .last(back_samples.min(PREROLL_MS as usize * SAMPLES_PER_MS as usize));
        self.stream.push(&earlier);
        self.current = Some(utterance);
    }

    /// Listens through another stream from the next utterance on; what the old one was given is
    /// still recognized until then.
    pub(crate) fn change_stream(&mut self, stream: Box<dyn HearStream>) {
        self.next_stream = Some(stream);
    }

    pub(crate) fn finish(&mut self, utterance: UtteranceId) {
        if self.current == Some(utterance) {
            self.current = None;
            self.stream.finish();
        }
    }

    /// Forgets an utterance that is still being spoken. One that is finished keeps its stream's
    /// final; the engine ignores it.
    pub(crate) fn cancel(&mut self, utterance: UtteranceId) {
        if self.current == Some(utterance) {
            self.current = None;
            self.stream.cancel();
        }
    }
}

/// The engine's copy of the tracker's figures.
pub fn engine_prosody(heard: prosody::Prosody) -> Prosody {
    Prosody {
        pitch_slope_st10: heard.pitch_slope_st10,
        pitch_floor_st10: heard.pitch_floor_st10,
        level_db10: heard.level_db10,
        periodicity_permille: heard.periodicity_permille,
        last_voiced_ms: heard.last_voiced_ms,
        unvoiced_tail_ms: heard.unvoiced_tail_ms,
    }
}
