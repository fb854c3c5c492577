//! The agent's audio between the voice and the transport: 20 ms frames, what was sent, what was
//! heard. No clock of its own; the session's ticks move it.

use std::collections::VecDeque;

use antiphon_audio::{fade, resample::Resampler};
use antiphon_proto::{Moment, SegmentId};

/// No more audio is taken from the voice while this much waits to be sent. Bounds memory, and what
/// is thrown away at an interruption.
const QUEUE_MS_MAX: u64 = 1_500;
/// Frames sent whose hearing is still to come; more than the largest receiver buffer.
const UNHEARD_FRAMES_MAX: usize = 100;
/// What was sent is kept this long, in milliseconds: longer than a word.
const RECENT_MS_MAX: usize = 1_200;
/// Gain while the person may be speaking: 14 dB down, still there but clearly stepping back.
const DUCKED_GAIN: f32 = 0.2;
/// Heard positions are reported every so many frames, between segment ends.
const REPORT_EVERY_FRAMES: u32 = 3;

/// The rate to send a voice of `voice_hz` at: its own where Opus takes it, else full band.
pub const fn output_rate_hz(voice_hz: u32) -> u32 {
    match voice_hz {
        8_000 | 12_000 | 16_000 | 24_000 | 48_000 => voice_hz,
        _ => 48_000,
    }
}

/// Audio queued for one call.
pub(crate) struct Playout {
    rate_hz: u32,
    frame_samples: usize,
    segments: VecDeque<SegmentAudio>,
    unheard: VecDeque<SentFrame>,
    /// A sentence whose last frame was heard, and told: its end is told next.
    ended: Option<SegmentId>,
    resampler: Option<Resampler>,
    paused: bool,
    /// The last frame sent had sound: silence after it is faded into.
    sounding: bool,
    fade_in: bool,
    /// Made ahead of time: not to be played yet.
    held: bool,
    /// The gain to be reached, and the one of the last sample sent.
    gain_wanted: f32,
    gain: f32,
    frame: Vec<i16>,
    frames_since_report: u32,
}

struct SegmentAudio {
    id: SegmentId,
    pcm: VecDeque<i16>,
    sent_samples: u64,
    complete: bool,
    /// The frame that carries the end was sent.
    end_sent: bool,
    /// Where words end, in milliseconds, in order.
    word_ends_ms: Vec<u64>,
    /// What was sent last, for a word that is said again.
    recent: VecDeque<i16>,
}

#[derive(Clone, Copy)]
struct SentFrame {
    segment: SegmentId,
    sent_at: Moment,
    heard_ms: u64,
    last: bool,
}

/// What happened to the playout in a tick, for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlayoutFact {
    FirstFrameSent(SegmentId),
    Heard(SegmentId, u64),
    Played(SegmentId),
}

/// What the next 20 ms are.
pub(crate) enum NextFrame<'a> {
    Sound(&'a [i16], Option<PlayoutFact>),
    Silence,
    /// Silence in the middle of a sentence, because its audio is not made yet.
    Underrun,
}

impl Playout {
    /// For a voice that makes audio at `voice_hz`.
    pub(crate) fn new(voice_hz: u32) -> Self {
        let rate_hz = output_rate_hz(voice_hz);
        let resampler = (rate_hz != voice_hz)
            .then(|| Resampler::new(voice_hz, rate_hz).ok())
            .flatten();
        Self {
            rate_hz,
            frame_samples: (rate_hz / 50) as usize,
            segments: VecDeque::new(),
            unheard: VecDeque::new(),
            ended: None,
            resampler,
            paused: false,
            sounding: false,
            fade_in: false,
            held: false,
            gain_wanted: 1.0,
            gain: 1.0,
            frame: Vec::new(),
            frames_since_report: 0,
        }
    }

    /// Takes audio at another rate from now on; what is sent keeps its own.
    pub(crate) fn change_voice(&mut self, voice_hz: u32) {
        self.resampler = (self.rate_hz != voice_hz)
            .then(|| Resampler::new(voice_hz, self.rate_hz).ok())
            .flatten();
    }

    /// A sentence will come behind what is queued.
    pub(crate) fn begin(&mut self, id: SegmentId) {
        self.segments.push_back(SegmentAudio {
            id,
            pcm: VecDeque::new(),
            sent_samples: 0,
            complete: false,
            end_sent: false,
            word_ends_ms: Vec::new(),
            recent: VecDeque::new(),
        });
    }

    /// Adds audio of the newest sentence.
    pub(crate) fn push(&mut self, id: SegmentId, pcm: &[i16]) {
        let Some(segment) = self
            .segments
            .iter_mut()
            .find(|segment| segment.id == id && !segment.complete)
        else {
            return;
        };
        match &mut self.resampler {
            None => segment.pcm.extend(pcm),
            Some(resampler) => {
                let mut out = Vec::new();
                resampler.process(pcm, &mut out);
                segment.pcm.extend(out);
            }
        }
    }

    /// No more audio of that sentence will come. Returns its length in milliseconds.
    pub(crate) fn complete(&mut self, id: SegmentId) -> u64 {
        let Some(segment) = self.segments.iter_mut().find(|segment| segment.id == id) else {
            return 0;
        };
        if let Some(resampler) = &mut self.resampler {
            let mut out = Vec::new();
            resampler.flush(&mut out);
            segment.pcm.extend(out);
        }
        segment.complete = true;
        (segment.sent_samples + segment.pcm.len() as u64) * 1_000 / u64::from(self.rate_hz)
    }

    pub(crate) fn wants_audio(&self) -> bool {
        self.queued_ms() < QUEUE_MS_MAX
    }

    pub(crate) fn queued_ms(&self) -> u64 {
        let samples: usize = self.segments.iter().map(|segment| segment.pcm.len()).sum();
        samples as u64 * 1_000 / u64::from(self.rate_hz)
    }

    /// True where sound waits and silence is being sent.
    pub(crate) fn begins(&self) -> bool {
        let ready = |front: &SegmentAudio| {
            front.pcm.len() >= self.frame_samples || (front.complete && !front.pcm.is_empty())
        };
        !self.sounding && !self.paused && !self.held && self.segments.front().is_some_and(ready)
    }

    pub(crate) fn pause(&mut self) {
        self.paused = true;
    }

    /// Goes on from the beginning of the word that was cut.
    pub(crate) fn resume(&mut self) {
        self.fade_in |= self.paused;
        if std::mem::take(&mut self.paused)
            && let Some(front) = self.segments.front_mut()
        {
            front.rewind_to_word(self.rate_hz);
        }
    }

    /// Plays more quietly, or at full level again.
    pub(crate) fn duck(&mut self, ducked: bool) {
        self.gain_wanted = if ducked { DUCKED_GAIN } else { 1.0 };
    }

    /// What is queued waits for [`Playout::release`] or [`Playout::stop`].
    pub(crate) fn hold(&mut self) {
        self.held = true;
    }

    /// Plays what was held.
    pub(crate) fn release(&mut self) {
        self.held = false;
    }

    /// Where words of a sentence end, in milliseconds of its audio.
    pub(crate) fn mark_words(&mut self, id: SegmentId, ends_ms: impl Iterator<Item = u64>) {
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.id == id) {
            segment.word_ends_ms.extend(ends_ms);
        }
    }

    /// Forgets everything that was not sent. What was sent will still be heard, but of a reply that
    /// is over nothing is reported.
    pub(crate) fn stop(&mut self) {
        // One more frame is sent, faded out, so that the cut does not click.
        let tail = self
            .segments
            .front_mut()
            .filter(|_| self.sounding && !self.paused)
            .map(|front| {
                front
                    .pcm
                    .iter()
                    .take(self.frame_samples)
                    .copied()
                    .collect::<Vec<_>>()
            });
        self.segments.clear();
        self.unheard.clear();
        self.ended = None;
        self.paused = false;
        self.fade_in = false;
        self.held = false;
        let gain = std::mem::replace(&mut self.gain, 1.0);
        self.gain_wanted = 1.0;
        if let Some(mut tail) = tail.filter(|tail| tail.len() == self.frame_samples) {
            fade::ramp(&mut tail, gain, gain);
            self.segments.push_back(SegmentAudio {
                id: SegmentId(0),
                pcm: faded_out(tail, self.rate_hz),
                sent_samples: 1,
                complete: true,
                end_sent: true,
                word_ends_ms: Vec::new(),
                recent: VecDeque::new(),
            });
        }
    }

    /// The next 20 ms to send at `now`.
    pub(crate) fn next_frame(&mut self, now: Moment) -> NextFrame<'_> {
        if (self.paused && !self.sounding) || self.held {
            return NextFrame::Silence;
        }
        self.drop_finished(now);
        let Some(front) = self.segments.front_mut() else {
            self.sounding = false;
            return NextFrame::Silence;
        };
        if front.pcm.len() < self.frame_samples && !front.complete {
            let started = front.sent_samples > 0;
            self.sounding = false;
            return if started && !self.paused {
                NextFrame::Underrun
            } else {
                NextFrame::Silence
            };
        }
        // A pause takes only what fades: the rest is heard after it.
        let wanted = if self.paused {
            fade::fade_samples(self.rate_hz)
        } else {
            self.frame_samples
        };
        let take = front.pcm.len().min(wanted);
        self.frame.clear();
        self.frame.extend(front.pcm.drain(..take));
        self.frame.resize(self.frame_samples, 0);
        let first = front.sent_samples == 0;
        front.remember(&self.frame[..take], self.rate_hz);
        front.sent_samples += take as u64;
        let heard_ms = front.sent_samples * 1_000 / u64::from(self.rate_hz);
        let (segment, last) = (front.id, front.complete && front.pcm.is_empty());
        front.end_sent |= last;
        self.shape();
        if segment != SegmentId(0) {
            if self.unheard.len() >= UNHEARD_FRAMES_MAX {
                self.unheard.pop_front();
            }
            self.unheard.push_back(SentFrame {
                segment,
                sent_at: now,
                heard_ms,
                last,
            });
        }
        NextFrame::Sound(
            &self.frame,
            first.then_some(PlayoutFact::FirstFrameSent(segment)),
        )
    }

    /// Drops sentences whose audio was sent whole. Where their end was learned only after the last
    /// frame had gone out, the end is noted now.
    fn drop_finished(&mut self, now: Moment) {
        while let Some(front) = self
            .segments
            .front()
            .filter(|front| front.complete && front.pcm.is_empty())
        {
            if !front.end_sent {
                let heard_ms = front.sent_samples * 1_000 / u64::from(self.rate_hz);
                self.unheard.push_back(SentFrame {
                    segment: front.id,
                    sent_at: now,
                    heard_ms,
                    last: true,
                });
            }
            self.segments.pop_front();
        }
    }

    /// Fades the frame where sound stops or starts again.
    fn shape(&mut self) {
        if self.fade_in {
            fade::fade_in(&mut self.frame, self.rate_hz);
            self.fade_in = false;
        }
        if self.gain != 1.0 || self.gain_wanted != 1.0 {
            fade::ramp(&mut self.frame, self.gain, self.gain_wanted);
            self.gain = self.gain_wanted;
        }
        if self.paused {
            fade::cut(&mut self.frame, self.rate_hz);
        }
        self.sounding = !self.paused;
    }

    /// What has become heard by `now`, given how long sent audio stays unheard.
    pub(crate) fn poll_heard(
        &mut self,
        now: Moment,
        unheard_ms: u32,
        flush: bool,
    ) -> Option<PlayoutFact> {
        let due = |frame: &SentFrame| frame.sent_at.plus_ms(u64::from(unheard_ms)) <= now;
        if let Some(segment) = self.ended.take() {
            return Some(PlayoutFact::Played(segment));
        }
        let mut newest = None;
        while let Some(frame) = self.unheard.front().copied().filter(due) {
            self.unheard.pop_front();
            self.frames_since_report += 1;
            newest = Some(frame);
            if frame.last {
                // How far it went first: a sentence that broke off was not heard whole.
                self.frames_since_report = 0;
                if frame.heard_ms == 0 {
                    return Some(PlayoutFact::Played(frame.segment));
                }
                self.ended = Some(frame.segment);
                return Some(PlayoutFact::Heard(frame.segment, frame.heard_ms));
            }
        }
        let frame = newest?;
        if flush || self.frames_since_report >= REPORT_EVERY_FRAMES {
            self.frames_since_report = 0;
            return Some(PlayoutFact::Heard(frame.segment, frame.heard_ms));
        }
        None
    }
}

impl SegmentAudio {
    /// Keeps what is sent for a while.
    fn remember(&mut self, sent: &[i16], rate_hz: u32) {
        self.recent.extend(sent);
        let keep = (rate_hz / 1_000) as usize * RECENT_MS_MAX;
        let surplus = self.recent.len().saturating_sub(keep);
        self.recent.drain(..surplus);
    }

    /// Puts the part of the current word that was sent back to the front. Where nothing is known
    /// of words, or the word began too long ago, nothing is said again.
    fn rewind_to_word(&mut self, rate_hz: u32) {
        let samples = |ms: u64| ms * u64::from(rate_hz) / 1_000;
        let ends = self.word_ends_ms.iter().map(|ms| samples(*ms));
        let in_a_word = ends.clone().any(|end| end > self.sent_samples);
        if !in_a_word {
            return;
        }
        let begins = ends
            .filter(|end| *end <= self.sent_samples)
            .max()
            .unwrap_or(0);
        let back = usize::try_from(self.sent_samples - begins).unwrap_or(usize::MAX);
        if back > self.recent.len() {
            return;
        }
        for sample in self.recent.drain(self.recent.len() - back..).rev() {
            self.pcm.push_front(sample);
        }
        self.sent_samples = begins;
    }
}

fn faded_out(mut tail: Vec<i16>, rate_hz: u32) -> VecDeque<i16> {
    fade::cut(&mut tail, rate_hz);
    tail.into()
}

#[cfg(test)]
mod tests;
