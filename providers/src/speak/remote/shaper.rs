//! From the bytes and times of a voice to pieces of audio and marks in front of them.

use std::collections::VecDeque;

use super::super::SpeakEventKind;
use super::super::spoken_form::SpokenForm;
use super::marks::Marker;

/// Longest piece of audio.
const PIECE_MS: u32 = 100;
/// Kept back until more comes or the end is known, so that the last mark comes before the last
/// audio.
const TAIL_MS: u32 = 20;
/// Audio that is read ahead of the listener, ms; then the voice is left waiting.
const AHEAD_MS_MAX: u32 = 30_000;
/// Longest audio of one sentence, ms: more is no sentence.
pub(super) const SENTENCE_MS_MAX: u32 = 300_000;

/// Something that a voice made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Made {
    /// 16 bit little endian samples; may end in the middle of one.
    Audio(Vec<u8>),
    /// The voice says `text` in this part of the audio.
    Timed {
        /// Characters or words of the spoken text.
        text: String,
        /// From the sentence's first sample.
        start_ms: f64,
        /// From the sentence's first sample.
        end_ms: f64,
    },
    /// All of it was made.
    Done,
}

/// One sentence's audio and marks.
pub(super) struct Shaper {
    rate_hz: u32,
    syllable_ms: f32,
    /// The voice tells when words end.
    is_exact: bool,
    odd: Option<u8>,
    pcm: VecDeque<i16>,
    released: u64,
    marker: Marker,
    end: Option<End>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    /// All was made.
    Whole,
    /// The voice broke off: words behind it were not said.
    Broken,
}

/// What can be handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// Something.
    Yes,
    /// Audio whose marks have not come yet.
    NeedsMarks,
    /// Nothing yet.
    No,
    /// Nothing more.
    Over,
}

impl Shaper {
    pub(super) fn new(form: SpokenForm, rate_hz: u32, syllable_ms: f32, is_exact: bool) -> Self {
        Self {
            rate_hz,
            syllable_ms,
            is_exact,
            odd: None,
            pcm: VecDeque::new(),
            released: 0,
            marker: Marker::new(form),
            end: None,
        }
    }

    fn samples(&self, ms: u32) -> usize {
        (u64::from(self.rate_hz) * u64::from(ms) / 1_000) as usize
    }

    fn ms(&self, samples: u64) -> u32 {
        u32::try_from(samples * 1_000 / u64::from(self.rate_hz)).unwrap_or(u32::MAX)
    }

    /// Length of all audio that came, ms.
    pub(super) fn received_ms(&self) -> u32 {
        self.ms(self.released + self.pcm.len() as u64)
    }

    /// True where the voice is left waiting.
    pub(super) fn is_full(&self) -> bool {
        self.ms(self.pcm.len() as u64) >= AHEAD_MS_MAX
    }

    /// True where nothing more is expected of the voice.
    pub(super) fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Syllables of the sentence.
    pub(super) fn syllables(&self) -> f32 {
        self.marker.estimate().total()
    }

    pub(super) fn take(&mut self, made: Made) {
        match made {
            Made::Audio(bytes) => self.take_audio(&bytes),
            Made::Timed {
                text,
                start_ms,
                end_ms,
            } => self.marker.align(&text, start_ms, end_ms),
            Made::Done => self.end = Some(End::Whole),
        }
    }

    /// The voice broke off.
    pub(super) fn break_off(&mut self) {
        self.end.get_or_insert(End::Broken);
    }

    fn take_audio(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.iter().copied();
        if let Some(low) = self.odd.take() {
            match bytes.next() {
                Some(high) => self.pcm.push_back(i16::from_le_bytes([low, high])),
                None => self.odd = Some(low),
            }
        }
        while let Some(low) = bytes.next() {
            match bytes.next() {
                Some(high) => self.pcm.push_back(i16::from_le_bytes([low, high])),
                None => self.odd = Some(low),
            }
        }
    }

    /// Samples of the next piece.
    fn piece(&self) -> usize {
        let kept = if self.is_ended() {
            0
        } else {
            self.samples(TAIL_MS)
        };
        let free = self.pcm.len().saturating_sub(kept);
        free.min(self.samples(PIECE_MS))
    }

    /// What [`Shaper::pop`] would do.
    pub(super) fn ready(&self) -> Ready {
        let piece = self.piece();
        match (piece, self.end) {
            (0, Some(_)) => Ready::Over,
            (0, None) => Ready::No,
            (_, None) if self.is_exact => {
                let end_ms = self.ms(self.released + piece as u64);
                if self.marker.covers(end_ms) {
                    Ready::Yes
                } else {
                    Ready::NeedsMarks
                }
            }
            (_, _) => Ready::Yes,
        }
    }

    /// The next piece, and the marks that come before it.
    pub(super) fn pop(&mut self, out: &mut VecDeque<SpeakEventKind>) {
        let piece = self.piece();
        let end_ms = self.ms(self.released + piece as u64);
        let marks = match self.end {
            Some(End::Whole) => {
                let released_ms = self.ms(self.released);
                self.marker.rest(released_ms, self.received_ms())
            }
            None if self.is_exact && self.marker.covers(end_ms) => self.marker.exact(end_ms),
            None | Some(End::Broken) => self.marker.estimated(end_ms, self.syllable_ms),
        };
        if !marks.is_empty() {
            out.push_back(SpeakEventKind::Marks { marks });
        }
        if piece > 0 {
            let pcm = self.pcm.drain(..piece).collect();
            self.released += piece as u64;
            out.push_back(SpeakEventKind::Audio { pcm });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::speak::WordMark;

    const TEXT: &str = "one two, three four five.";

    fn drain(shaper: &mut Shaper) -> VecDeque<SpeakEventKind> {
        let mut out = VecDeque::new();
        while shaper.ready() == Ready::Yes {
            shaper.pop(&mut out);
        }
        if shaper.ready() == Ready::Over {
            shaper.pop(&mut out);
        }
        out
    }

    fn split(events: &VecDeque<SpeakEventKind>) -> (Vec<i16>, Vec<WordMark>, bool) {
        let (mut pcm, mut marks, mut last_is_audio) = (Vec::new(), Vec::new(), false);
        for event in events {
            match event {
                SpeakEventKind::Audio { pcm: more } => {
                    pcm.extend_from_slice(more);
                    last_is_audio = true;
                }
                SpeakEventKind::Marks { marks: more } => {
                    marks.extend_from_slice(more);
                    last_is_audio = false;
                }
                SpeakEventKind::Done | SpeakEventKind::Failed { .. } => {}
            }
        }
        (pcm, marks, last_is_audio)
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_split(sizes in prop::collection::vec(1_usize..3_000, 1..40)) {
            let pcm: Vec<i16> = (0..8_000).map(|n| (n * 7 % 30_000) as i16).collect();
            let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            let mut shaper = Shaper::new(SpokenForm::plain(TEXT), 8_000, 220.0, false);
            let (mut out, mut rest, mut at) = (VecDeque::new(), bytes.as_slice(), 0);
            while !rest.is_empty() {
                let (now, later) = rest.split_at(sizes[at % sizes.len()].min(rest.len()));
                (rest, at) = (later, at + 1);
                shaper.take(Made::Audio(now.to_vec()));
                out.extend(drain(&mut shaper));
            }
            shaper.take(Made::Done);
            out.extend(drain(&mut shaper));
            for event in &out {
                if let SpeakEventKind::Audio { pcm } = event {
                    prop_assert!(!pcm.is_empty() && pcm.len() <= 800);
                }
            }
            let (heard, marks, last_is_audio) = split(&out);
            prop_assert_eq!(heard, pcm);
            prop_assert_eq!(marks.len(), 5);
            prop_assert!(marks.windows(2).all(|two| two[0].text_end < two[1].text_end));
            prop_assert!(marks.windows(2).all(|two| two[0].end_ms <= two[1].end_ms));
            prop_assert_eq!(marks.last().map(|mark| mark.text_end), Some(TEXT.len()));
            prop_assert!(marks.iter().all(|mark| mark.end_ms <= 1_000 || at == 1));
            prop_assert!(last_is_audio, "the last mark comes before the last audio");
        }
    }

    #[test]
    fn what_broke_off_was_not_said_to_its_end() {
        let mut shaper = Shaper::new(SpokenForm::plain(TEXT), 8_000, 220.0, false);
        shaper.take(Made::Audio(vec![1; 2 * 8_000 / 2]));
        shaper.break_off();
        let (pcm, marks, _) = split(&drain(&mut shaper));
        assert_eq!(pcm.len(), 4_000);
        assert!(marks.len() < 5, "{marks:?}");
        assert!(marks.iter().all(|mark| mark.end_ms <= 500), "{marks:?}");
    }

    #[test]
    fn marks_are_waited_for_where_the_voice_tells_them() {
        let mut shaper = Shaper::new(SpokenForm::plain("one two"), 8_000, 220.0, true);
        shaper.take(Made::Audio(vec![1; 2 * 8_000 / 2]));
        assert_eq!(shaper.ready(), Ready::NeedsMarks);
        shaper.take(Made::Timed {
            text: "one".into(),
            start_ms: 0.0,
            end_ms: 150.0,
        });
        let (pcm, marks, _) = split(&drain(&mut shaper));
        assert_eq!(
            (pcm.len(), marks.len()),
            (800, 0),
            "100 ms, the word ends later"
        );
        assert_eq!(shaper.ready(), Ready::NeedsMarks);
        // They do not come: an estimate must do.
        let mut out = VecDeque::new();
        shaper.pop(&mut out);
        let (pcm, marks, _) = split(&out);
        let told: Vec<_> = marks.iter().map(|mark| mark.end_ms).collect();
        assert_eq!((pcm.len(), told), (800, vec![150]));
    }
}
