//! From flite's audio to a segment's: silence trimmed, loudness levelled, cut into pieces, and the
//! marks put on the resulting time line.

use super::synth::{Plan, Sink, Voice};
use super::text::Part;
use crate::speak::WordMark;

/// Rate of all four voices, in Hz.
pub(super) const RATE_HZ: u32 = 16_000;

/// Longest piece, in milliseconds (the promise of [`crate::speak::Speak::start`]).
const PIECE_MS_MAX: u32 = 100;
/// Silence kept before the first sound, in milliseconds; flite makes 180 to 240.
const LEAD_MS: u32 = 60;
/// Silence kept behind the last sound, in milliseconds.
const TAIL_MS: u32 = 100;
/// From this share of full scale on, peaks are bent rather than clipped.
const KNEE: f32 = 0.8;

/// What comes out, in the order to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Made {
    /// Words of this part, on the segment's time line.
    Marks(Vec<WordMark>),
    /// At most [`PIECE_MS_MAX`] of audio.
    Audio(Vec<i16>),
}

/// Shapes one part of a segment.
pub(super) struct Shaper<'a, F: FnMut(Made) -> bool> {
    part: &'a Part,
    voice: Voice,
    /// Samples of the segment before this part.
    base: usize,
    /// Takes what is made; false stops the work.
    send: F,
    /// Range of flite's samples that is kept, once known.
    keep: std::ops::Range<usize>,
    seen: usize,
    kept: usize,
    piece: Vec<i16>,
    /// Set while the length is not known beforehand: everything is collected first.
    collected: Option<(Option<Plan>, Vec<i16>)>,
}

impl<'a, F: FnMut(Made) -> bool> Shaper<'a, F> {
    pub(super) fn new(part: &'a Part, voice: Voice, base: usize, send: F) -> Self {
        // The diphone voice rounds each pitch period, so its audio is some percent shorter than
        // its segments say. It takes a millisecond or two: wait for it and scale.
        let collected = (voice == Voice::Kal16).then(|| (None, Vec::new()));
        Self {
            part,
            voice,
            base,
            send,
            keep: 0..usize::MAX,
            seen: 0,
            kept: 0,
            piece: Vec::new(),
            collected,
        }
    }

    /// Sends what is left and returns the number of samples made.
    pub(super) fn finish(mut self) -> usize {
        if let Some((plan, pcm)) = self.collected.take() {
            let plan = plan.unwrap_or_default();
            let said = (plan.end_s * RATE_HZ as f32).max(1.0);
            if self.begin(&plan, pcm.len() as f32 / said) {
                self.shape(&pcm);
            }
        }
        if !self.piece.is_empty() {
            self.send_piece();
        }
        self.kept
    }

    /// Sets what is kept and sends the marks. Times of `plan` are multiplied by `scale`.
    fn begin(&mut self, plan: &Plan, scale: f32) -> bool {
        let at = |seconds: f32| (seconds * scale * RATE_HZ as f32).max(0.0) as usize;
        let samples = |ms: u32| (ms * RATE_HZ / 1_000) as usize;
        let from = at(plan.sound_from_s).saturating_sub(samples(LEAD_MS));
        let to = (at(plan.sound_to_s) + samples(TAIL_MS)).min(at(plan.end_s));
        // No known sound: keep all.
        self.keep = if to > from { from..to } else { 0..usize::MAX };
        let ends = token_ends(self.part, plan);
        let spoken = plan.words.iter().zip(ends).map(|(word, end)| {
            let at = at(word.end_s).clamp(self.keep.start, self.keep.end) - self.keep.start;
            let at_ms = (self.base + at) as u64 * 1_000 / u64::from(RATE_HZ);
            (end, at_ms as u32)
        });
        let marks = marks(self.part, spoken);
        (self.send)(Made::Marks(marks))
    }

    fn shape(&mut self, pcm: &[i16]) -> bool {
        let offset = self.seen;
        self.seen += pcm.len();
        let from = self.keep.start.saturating_sub(offset).min(pcm.len());
        let to = self.keep.end.saturating_sub(offset).min(pcm.len());
        let gain = gain(self.voice);
        for &sample in &pcm[from..to.max(from)] {
            self.piece.push(limit(f32::from(sample) * gain));
            self.kept += 1;
            // The first piece goes out as soon as it fills a frame.
            let first = self.kept == (RATE_HZ / 50) as usize;
            let full = self.piece.len() == (RATE_HZ * PIECE_MS_MAX / 1_000) as usize;
            if (first || full) && !self.send_piece() {
                return false;
            }
        }
        // Behind the last sound there is nothing to wait for.
        offset < self.keep.end
    }

    fn send_piece(&mut self) -> bool {
        (self.send)(Made::Audio(std::mem::take(&mut self.piece)))
    }
}

impl<F: FnMut(Made) -> bool> Sink for Shaper<'_, F> {
    fn plan(&mut self, plan: Plan) {
        match &mut self.collected {
            Some((collected, _)) => *collected = Some(plan),
            None => {
                self.begin(&plan, 1.0);
            }
        }
    }

    fn audio(&mut self, pcm: &[i16]) -> bool {
        match &mut self.collected {
            Some((_, collected)) => {
                collected.extend_from_slice(pcm);
                true
            }
            None => self.shape(pcm),
        }
    }
}

/// For each word of the plan: the end of its token in the part's text, with the punctuation that
/// follows.
fn token_ends(part: &Part, plan: &Plan) -> Vec<usize> {
    let ascii = part.ascii.as_str();
    let mut cursor = 0;
    plan.words
        .iter()
        .map(|word| {
            let at = ascii[cursor..]
                .find(word.name.as_str())
                .map_or(cursor, |at| cursor + at);
            let end = ascii[at..]
                .find(' ')
                .map_or(ascii.len(), |space| at + space);
            cursor = (end + 1).min(ascii.len());
            end
        })
        .collect()
}

/// One mark for each word of the original, when it has been said whole. flite may make two tokens
/// of one run of characters: the later counts.
fn marks(part: &Part, spoken: impl Iterator<Item = (usize, u32)>) -> Vec<WordMark> {
    let mut marks: Vec<WordMark> = Vec::new();
    let mut said_ms = 0;
    for (end, at_ms) in spoken {
        said_ms = at_ms.max(said_ms);
        let text_end = part.said_with(end);
        match marks.last_mut() {
            Some(last) if last.text_end >= text_end => {
                // Words of a group that is not complete are none of the last one's.
                if part.completes(end) {
                    last.end_ms = said_ms;
                }
            }
            Some(_) | None if text_end > part.from() => marks.push(WordMark {
                text_end,
                end_ms: said_ms,
            }),
            Some(_) | None => {}
        }
    }
    marks
}

/// Brings each voice to about -20 dBFS of active speech, measured by the test
/// `voices_are_equally_loud`.
fn gain(voice: Voice) -> f32 {
    match voice {
        Voice::Rms => 1.15,
        Voice::Slt => 0.54,
        Voice::Awb => 1.0,
        Voice::Kal16 => 2.34,
    }
}

/// Bends what exceeds [`KNEE`] so that it stays below full scale.
fn limit(sample: f32) -> i16 {
    // A little headroom, for the overshoot of codecs.
    let full = 32_000.0;
    let level = sample.abs() / full;
    if level <= KNEE {
        return sample as i16;
    }
    let bent = KNEE + (1.0 - KNEE) * ((level - KNEE) / (1.0 - KNEE)).tanh();
    (bent * full).copysign(sample) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limiter_never_clips_and_leaves_quiet_alone() {
        assert_eq!(limit(10_000.0), 10_000);
        assert_eq!(limit(-10_000.0), -10_000);
        let mut last = 0;
        for step in 0..200 {
            let out = limit(step as f32 * 1_000.0);
            assert!(out >= last && out <= 32_000, "{step}");
            last = out;
        }
    }

    #[test]
    fn words_are_marked_when_they_are_said_whole() {
        let words = antiphon_agents::Pronunciations::default();
        let part = &crate::speak::flite::text::parts("Pay $3 x-y", &words)[0];
        assert_eq!(part.ascii, "Pay three dollars x-y");
        let mark = |text_end, end_ms| WordMark { text_end, end_ms };
        let spoken = [(3, 100), (9, 200), (17, 300), (21, 290), (21, 400)];
        let marked = marks(part, spoken.into_iter());
        assert_eq!(marked, [mark(3, 100), mark(6, 300), mark(10, 400)]);
    }
}
