//! A playout without sound: how far each sentence was played, in frames of 20 ms.

use std::collections::VecDeque;

use antiphon_engine::Input;
use antiphon_proto::SegmentId;

/// Length of a frame, in milliseconds.
pub(super) const FRAME_MS: u64 = 20;
/// Heard positions are reported every so many frames.
const REPORT_EVERY_FRAMES: u64 = 3;

/// Sentences in line, and how much of the first was played.
#[derive(Clone, Debug, Default)]
pub struct SimPlayout {
    segments: VecDeque<Queued>,
    paused: bool,
    held: bool,
    /// True where the last frame had sound.
    pub(super) sounding: bool,
    /// Milliseconds of sound since the playout was last silent.
    pub(super) played_ms: u64,
}

#[derive(Clone, Debug)]
struct Queued {
    id: SegmentId,
    /// What was made of it.
    audio_ms: u64,
    /// True where nothing more will be made.
    complete: bool,
    played_ms: u64,
    word_ends_ms: Vec<u64>,
}

impl SimPlayout {
    pub(super) fn begin(&mut self, id: SegmentId, hold: bool) {
        self.held |= hold;
        self.segments.push_back(Queued {
            id,
            audio_ms: 0,
            complete: false,
            played_ms: 0,
            word_ends_ms: Vec::new(),
        });
    }

    pub(super) fn made(&mut self, id: SegmentId, audio_ms: u64, word_ends_ms: Vec<u64>) {
        if let Some(queued) = self.segments.iter_mut().find(|queued| queued.id == id) {
            queued.audio_ms = audio_ms;
            queued.complete = true;
            queued.word_ends_ms = word_ends_ms;
        }
    }

    /// A part of a sentence was made: so much of it is there now.
    pub(super) fn grow(&mut self, id: SegmentId, audio_ms: u64, word_ends_ms: Vec<u64>) {
        if let Some(queued) = self.segments.iter_mut().find(|queued| queued.id == id) {
            queued.audio_ms = audio_ms;
            queued.word_ends_ms.extend(word_ends_ms);
        }
    }

    /// No more of a sentence will be made.
    pub(super) fn complete(&mut self, id: SegmentId) {
        if let Some(queued) = self.segments.iter_mut().find(|queued| queued.id == id) {
            queued.complete = true;
        }
    }

    pub(super) fn forget(&mut self, id: SegmentId) {
        self.segments.retain(|queued| queued.id != id);
    }

    pub(super) fn has(&self, id: SegmentId) -> bool {
        self.segments.iter().any(|queued| queued.id == id)
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    /// Goes on at the beginning of the word that was cut.
    pub(super) fn resume(&mut self) {
        if std::mem::take(&mut self.paused)
            && let Some(front) = self.segments.front_mut()
        {
            let played_ms = front.played_ms;
            let begins = front.word_ends_ms.iter().filter(|end| **end <= played_ms);
            if let Some(begin) = begins.max() {
                front.played_ms = *begin;
            }
        }
    }

    pub(super) fn release(&mut self) {
        self.held = false;
    }

    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    /// True where a tick may change something.
    pub(super) fn is_active(&self) -> bool {
        let ready = self
            .segments
            .front()
            .is_some_and(|front| front.complete || front.played_ms < front.audio_ms);
        self.sounding || (ready && !self.paused && !self.held)
    }

    /// Plays a frame. Returns what the engine is to be told.
    pub(super) fn tick(&mut self) -> Vec<Input> {
        let mut told = Vec::new();
        self.sounding = false;
        if self.paused || self.held {
            return told;
        }
        let Some(front) = self.segments.front_mut() else {
            self.played_ms = 0;
            return told;
        };
        let segment = front.id;
        let audio_ms = front.audio_ms;
        if front.played_ms >= audio_ms {
            if front.complete {
                self.segments.pop_front();
                told.push(Input::SegmentPlayed { segment });
            }
            return told;
        }
        if front.played_ms == 0 {
            told.push(Input::FirstFrameSent { segment });
        }
        self.sounding = true;
        self.played_ms += FRAME_MS;
        front.played_ms = (front.played_ms + FRAME_MS).min(audio_ms);
        let last = front.complete && front.played_ms == audio_ms;
        if last || (front.played_ms / FRAME_MS).is_multiple_of(REPORT_EVERY_FRAMES) {
            told.push(Input::Heard {
                segment,
                heard_ms: front.played_ms,
            });
        }
        told
    }

    /// The sentence in front and how much of it was played.
    pub(super) fn progress(&self) -> Option<(SegmentId, u64)> {
        let front = self.segments.front()?;
        Some((front.id, front.played_ms))
    }

    /// Whether it waits for a release, and whether it is paused.
    pub(super) fn stopped_by(&self) -> (bool, bool) {
        (self.held, self.paused)
    }

    /// How far the sentence that plays was played, to be told before a decision.
    pub(super) fn position(&self) -> Option<Input> {
        let front = self.segments.front().filter(|front| front.played_ms > 0)?;
        Some(Input::Heard {
            segment: front.id,
            heard_ms: front.played_ms,
        })
    }
}
