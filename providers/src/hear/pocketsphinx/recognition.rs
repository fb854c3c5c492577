//! One utterance through one decoder, as its audio arrives.
//!
//! The search begins once enough has been heard to know the channel's mean, and catches up, which
//! it can because it runs several times faster than speech. Should the mean turn out to have been
//! wrong, the search is begun again as long as that is quick; a short utterance is decoded whole
//! at its end. A long utterance is settled piece by piece at its pauses, so that the work left
//! when the person stops does not grow with what they said.

use super::PocketSphinxError;
use super::cmn::{Channel, Mean, distance, normalized};
use super::decoder::{Decoder, FRAMES_PER_S, Frame};
use super::pauses::Pauses;
use super::tuning::Tuning;
use crate::hear::HEAR_RATE_HZ;

/// Samples in one frame.
const FRAME_SAMPLES: usize = HEAR_RATE_HZ as usize / FRAMES_PER_S;

/// Frames searched between two looks at what has arrived meanwhile (and at a cancel).
const CHUNK_FRAMES: usize = 25;

/// Quiet frames that a new search keeps before the first loud one: soft beginnings of words.
const LEAD_FRAMES: usize = 30;

/// How far the mean must have moved (root mean square) for a new search to be worth it.
const MEAN_MOVED: f32 = 0.3;

/// What the audio of an utterance comes out of.
pub(super) trait Feed {
    /// Moves the audio that has arrived to the end of `pcm`. Where none has and `wait` is set,
    /// waits for some or for the end.
    fn take(&mut self, pcm: &mut Vec<i16>, wait: bool) -> FeedState;

    /// Seconds on the feed's clock.
    fn now_s(&mut self) -> f64;

    /// The words so far.
    fn partial(&mut self, text: String);
}

/// Where a feed stands after a [`Feed::take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedState {
    /// More may come.
    Open,
    /// That was all of it.
    Finished,
    /// Nobody wants the result any more.
    Cancelled,
}

/// Seconds of work for each frame, measured on the feed's clock: how much fits into the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    search_s: f64,
    end_s: f64,
}

impl Default for Pace {
    fn default() -> Self {
        // A cautious start: real-time factors of 0.3 and 0.05.
        Self {
            search_s: 0.3 / FRAMES_PER_S as f64,
            end_s: 0.05 / FRAMES_PER_S as f64,
        }
    }
}

impl Pace {
    /// Share of a new measurement in the running one, for each second of audio.
    const SHARE_PER_S: f64 = 0.15;

    fn measured(running: &mut f64, seconds: f64, frames: usize) {
        if frames > 0 {
            let share = (Self::SHARE_PER_S * frames as f64 / FRAMES_PER_S as f64).min(0.5);
            *running += (seconds / frames as f64 - *running) * share;
        }
    }
}

/// One utterance under way.
pub(super) struct Recognition<'a, F: Feed> {
    decoder: &'a mut Decoder,
    feed: &'a mut F,
    pace: &'a mut Pace,
    tuning: &'a Tuning,
    channel: Channel,
    /// Frames of the current piece.
    frames: Vec<Frame>,
    /// How many of them the search has seen.
    searched: usize,
    /// The mean that the search under way works with, and the frames it was made of.
    mean: Option<(Frame, usize)>,
    /// Pieces that are settled.
    settled_heard: Mean,
    settled: Vec<String>,
    pauses: Pauses,
    dither: Dither,
    partial_at: usize,
    frames_before: usize,
    last_partial: String,
}

/// What an utterance came to.
pub(super) struct Recognized {
    /// The words.
    pub(super) text: String,
    /// The mean of its frames, for the caller's next utterance.
    pub(super) heard: Mean,
}

impl<'a, F: Feed> Recognition<'a, F> {
    /// An utterance of a caller whose channel is known as `channel` says.
    pub(super) fn new(
        decoder: &'a mut Decoder,
        feed: &'a mut F,
        pace: &'a mut Pace,
        tuning: &'a Tuning,
        channel: Channel,
    ) -> Self {
        Self {
            decoder,
            feed,
            pace,
            tuning,
            channel,
            frames: Vec::new(),
            searched: 0,
            mean: None,
            settled_heard: Mean::default(),
            settled: Vec::new(),
            pauses: Pauses::default(),
            dither: Dither::default(),
            partial_at: 0,
            frames_before: 0,
            last_partial: String::new(),
        }
    }

    /// Runs it to its end. `None` where it was cancelled.
    pub(super) fn run(mut self) -> Result<Option<Recognized>, PocketSphinxError> {
        self.decoder.features_start();
        self.quiet(self.tuning.lead_ms)?;
        let mut pcm = Vec::new();
        loop {
            pcm.clear();
            let idle = !self.work_waits();
            let state = self.feed.take(&mut pcm, idle);
            self.hear(&mut pcm)?;
            match state {
                FeedState::Cancelled => {
                    self.decoder.end()?;
                    return Ok(None);
                }
                FeedState::Finished => break,
                FeedState::Open => self.step()?,
            }
        }
        self.quiet(self.tuning.tail_ms)?;
        let mut last = Vec::new();
        self.decoder.features_end(&mut last);
        self.append(last);
        if !self.conclude()? {
            return Ok(None);
        }
        Ok(Some(Recognized {
            text: self.settled.join(" "),
            heard: self.settled_heard,
        }))
    }

    /// Adds silence as a microphone has it: the model expects some around the words, and sharply
    /// cut recordings have none.
    fn quiet(&mut self, ms: usize) -> Result<(), PocketSphinxError> {
        self.hear(&mut vec![0; ms * HEAR_RATE_HZ as usize / 1_000])
    }

    fn hear(&mut self, pcm: &mut [i16]) -> Result<(), PocketSphinxError> {
        self.dither.add(pcm);
        let mut frames = Vec::with_capacity(pcm.len() / FRAME_SAMPLES + 1);
        self.decoder.features(pcm, &mut frames)?;
        self.append(frames);
        Ok(())
    }

    fn append(&mut self, frames: Vec<Frame>) {
        frames.iter().for_each(|frame| self.pauses.add(frame[0]));
        self.frames.extend(frames);
    }

    /// True where the search is behind what was heard.
    fn work_waits(&self) -> bool {
        self.searched < self.frames.len()
            && (self.mean.is_some() || self.frames.len() >= self.tuning.start_frames)
    }

    /// A bit of work while the person still speaks.
    fn step(&mut self) -> Result<(), PocketSphinxError> {
        if self.mean.is_none() {
            if self.frames.len() < self.tuning.start_frames {
                return Ok(());
            }
            self.begin()?;
        }
        self.search_chunk()?;
        if self.searched < self.frames.len() {
            return Ok(());
        }
        self.tell_partial();
        if let Some(at) = self.pauses.split(self.frames.len(), self.tuning) {
            return self.settle_piece(at);
        }
        if self.mean_is_stale() && self.search_cost_s(self.spoken()) <= self.tuning.restart_s {
            self.restart()?;
        }
        Ok(())
    }

    /// True where twice as much is known of the channel as when the search began, and it differs.
    fn mean_is_stale(&self) -> bool {
        let now = self
            .channel
            .estimate(&Mean::of_speech(&self.frames), self.tuning.typical_frames);
        self.mean.is_some_and(|(mean, frames)| {
            self.frames.len() >= 2 * frames.max(1) && distance(&mean, &now) >= MEAN_MOVED
        })
    }

    /// Frames that a new search would go through.
    fn spoken(&self) -> usize {
        self.frames.len() - quiet_lead(&self.frames)
    }

    fn search_cost_s(&self, frames: usize) -> f64 {
        frames as f64 * self.pace.search_s
    }

    fn begin(&mut self) -> Result<(), PocketSphinxError> {
        let mean = self
            .channel
            .estimate(&Mean::of_speech(&self.frames), self.tuning.typical_frames);
        self.mean = Some((mean, self.frames.len()));
        self.searched = quiet_lead(&self.frames);
        self.decoder.start()
    }

    fn restart(&mut self) -> Result<(), PocketSphinxError> {
        self.decoder.end()?;
        self.begin()
    }

    fn search_chunk(&mut self) -> Result<(), PocketSphinxError> {
        let Some((mean, _)) = self.mean else {
            return Ok(());
        };
        let upto = (self.searched + CHUNK_FRAMES).min(self.frames.len());
        let mut chunk = normalized(&self.frames[self.searched..upto], &mean);
        let begun = self.feed.now_s();
        self.decoder.search(&mut chunk)?;
        let spent = self.feed.now_s() - begun;
        Pace::measured(&mut self.pace.search_s, spent, upto - self.searched);
        self.searched = upto;
        Ok(())
    }

    fn tell_partial(&mut self) {
        let heard = self.frames_before + self.frames.len();
        if heard < self.partial_at + self.tuning.partial_frames {
            return;
        }
        self.partial_at = heard;
        let mut words = self.settled.clone();
        words.push(self.decoder.hypothesis());
        let text = clean(&words.join(" "));
        if !text.is_empty() && text != self.last_partial {
            self.last_partial.clone_from(&text);
            self.feed.partial(text);
        }
    }

    /// Settles the piece up to frame `at`, which lies in a pause, and goes on behind it.
    fn settle_piece(&mut self, at: usize) -> Result<(), PocketSphinxError> {
        let rest = self.frames.split_off(at.min(self.frames.len()));
        let piece = Mean::of_speech(&self.frames);
        // The search has seen a little of the pause behind `at`, which does no harm.
        self.end_piece()?;
        self.settled_heard.merge(&piece);
        self.channel.learn(&piece);
        self.frames_before += self.frames.len();
        self.frames = rest;
        self.pauses = Pauses::default();
        for frame in &self.frames {
            self.pauses.add(frame[0]);
        }
        self.searched = 0;
        self.mean = None;
        Ok(())
    }

    /// The person has stopped: the last piece. False where it was cancelled meanwhile.
    fn conclude(&mut self) -> Result<bool, PocketSphinxError> {
        let now = self
            .channel
            .estimate(&Mean::of_speech(&self.frames), self.tuning.typical_frames);
        let cost_s = self.search_cost_s(self.spoken()) + self.frames.len() as f64 * self.pace.end_s;
        match self.mean {
            None => self.begin()?,
            Some((mean, _))
                if distance(&mean, &now) >= MEAN_MOVED && cost_s <= self.tuning.final_s =>
            {
                self.restart()?;
            }
            Some(_) => {}
        }
        while self.searched < self.frames.len() {
            self.search_chunk()?;
            if self.feed.take(&mut Vec::new(), false) == FeedState::Cancelled {
                self.decoder.end()?;
                return Ok(false);
            }
        }
        self.end_piece()?;
        self.settled_heard.merge(&Mean::of_speech(&self.frames));
        Ok(true)
    }

    fn end_piece(&mut self) -> Result<(), PocketSphinxError> {
        let begun = self.feed.now_s();
        self.decoder.end()?;
        let spent = self.feed.now_s() - begun;
        Pace::measured(&mut self.pace.end_s, spent, self.frames.len());
        let text = clean(&self.decoder.hypothesis());
        if !text.is_empty() {
            self.settled.push(text);
        }
        Ok(())
    }
}

/// Frames at the beginning that are so much quieter than the average one that no word can be in
/// them, less a margin. They cost time and say nothing.
fn quiet_lead(frames: &[Frame]) -> usize {
    let loudness = frames.iter().map(|frame| frame[0]).sum::<f32>() / frames.len().max(1) as f32;
    let first = frames.iter().position(|frame| frame[0] >= loudness);
    first.unwrap_or(0).saturating_sub(LEAD_FRAMES)
}

/// Lower-case words, single spaces, and nothing that is no word.
fn clean(hypothesis: &str) -> String {
    let words = hypothesis
        .split_whitespace()
        .filter(|word| !word.starts_with(['<', '[', '+']));
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// Faint noise added to every sample. Digital silence and hard-gated recordings have frames
/// without any energy, whose logarithms wreck the mean; a few units of noise, far below any
/// microphone's own, keep them finite. The same for every utterance, so that results repeat.
#[derive(Clone, Copy)]
struct Dither(u32);

impl Default for Dither {
    fn default() -> Self {
        Self(0x9e37_79b9)
    }
}

impl Dither {
    /// Largest value of one of the four terms, whose sum is halved: about 4 units RMS.
    const TERM_MAX: i32 = 3;

    fn add(&mut self, pcm: &mut [i16]) {
        for sample in pcm {
            let noise: i32 = (0..4).map(|_| self.term()).sum::<i32>() / 2;
            *sample =
                (i32::from(*sample) + noise).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
    }

    fn term(&mut self) -> i32 {
        // Numerical Recipes' linear congruential generator; the high bits are the random ones.
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as i32 % (2 * Self::TERM_MAX + 1) - Self::TERM_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::super::decoder::CEPSTRA;
    use super::*;

    #[test]
    fn a_long_silence_before_the_words_is_searched_only_shortly() {
        let quiet = vec![[5.0; CEPSTRA]; 300];
        let loud = vec![[50.0; CEPSTRA]; 100];
        let padded = [quiet, loud.clone()].concat();
        assert_eq!(quiet_lead(&padded), 300 - LEAD_FRAMES);
        assert_eq!(quiet_lead(&loud), 0);
        assert_eq!(quiet_lead(&[]), 0);
    }
}
