//! From a voice's times to word marks: exact where the voice tells them, estimated where not.

use std::collections::VecDeque;

use super::super::WordMark;
use super::super::estimate::Estimate;
use super::super::spoken_form::SpokenForm;

/// How far ahead a character of the voice's alignment is looked for in the text, in characters:
/// voices leave out or add some.
const LOOK_AHEAD_CHARS: usize = 12;

/// Marks of one sentence.
pub(super) struct Marker {
    form: SpokenForm,
    /// Byte offsets in the spoken text behind its words.
    ends: Vec<usize>,
    estimate: Estimate,
    /// The next word without a mark.
    next: usize,
    /// Where the voice's alignment is in the spoken text.
    aligned: usize,
    /// Words of the alignment that are not yet told, with their ends.
    known: VecDeque<(usize, u32)>,
    /// The alignment reaches so far into the audio.
    covered_ms: u32,
    told_text: usize,
    told_ms: u32,
}

impl Marker {
    pub(super) fn new(form: SpokenForm) -> Self {
        let ends = form.word_ends();
        let estimate = Estimate::new(form.words());
        Self {
            ends,
            estimate,
            form,
            next: 0,
            aligned: 0,
            known: VecDeque::new(),
            covered_ms: 0,
            told_text: 0,
            told_ms: 0,
        }
    }

    pub(super) fn estimate(&self) -> &Estimate {
        &self.estimate
    }

    /// The voice said `text` from `start_ms` to `end_ms`.
    pub(super) fn align(&mut self, text: &str, start_ms: f64, end_ms: f64) {
        let count = text.chars().count().max(1) as f64;
        for (nth, said) in text.chars().enumerate() {
            let ms = start_ms + (end_ms - start_ms).max(0.0) * (nth + 1) as f64 / count;
            // `as` saturates.
            self.align_char(said, ms.round() as u32);
        }
    }

    fn align_char(&mut self, said: char, ms: u32) {
        self.covered_ms = self.covered_ms.max(ms);
        if said.is_whitespace() {
            return;
        }
        let rest = &self.form.spoken()[self.aligned..];
        let found = rest
            .char_indices()
            .filter(|(_, c)| !c.is_whitespace())
            .take(LOOK_AHEAD_CHARS)
            .find(|(_, c)| *c == said || c.to_lowercase().eq(said.to_lowercase()));
        let Some((at, c)) = found else {
            return;
        };
        self.aligned += at + c.len_utf8();
        let reached = self.ends.partition_point(|end| *end <= self.aligned);
        let told = self.known.back().map_or(self.next, |(word, _)| word + 1);
        for word in told..reached {
            self.known.push_back((word, ms));
        }
    }

    /// True where the voice told all that happens up to `ms`.
    pub(super) fn covers(&self, ms: u32) -> bool {
        self.covered_ms >= ms || self.aligned >= self.ends.last().copied().unwrap_or(0)
    }

    /// Marks that the voice told, of words that end up to `until_ms`.
    pub(super) fn exact(&mut self, until_ms: u32) -> Vec<WordMark> {
        let mut marks = Vec::new();
        while let Some(&(word, ms)) = self.known.front().filter(|(_, ms)| *ms <= until_ms) {
            self.known.pop_front();
            if word >= self.next {
                self.next = word + 1;
                marks.extend(self.mark(word, ms));
            }
        }
        marks
    }

    /// Marks of words that end up to `until_ms` at a tempo of `syllable_ms`. Never the last one's:
    /// that is told when the end is known.
    pub(super) fn estimated(&mut self, until_ms: u32, syllable_ms: f32) -> Vec<WordMark> {
        let mut marks = self.exact(until_ms);
        while self.known.is_empty() && self.next + 1 < self.ends.len() {
            let end_ms = self.estimate.end_ms(self.next, syllable_ms) as u32;
            if end_ms > until_ms {
                break;
            }
            let word = self.next;
            self.next += 1;
            marks.extend(self.mark(word, end_ms));
        }
        marks
    }

    /// All marks that are left of a sentence of `total_ms`, of which `released_ms` are gone; the
    /// last is at the text's end.
    pub(super) fn rest(&mut self, released_ms: u32, total_ms: u32) -> Vec<WordMark> {
        let mut marks = self.exact(u32::MAX);
        let (from, from_ms) = (self.next, self.told_ms.max(released_ms));
        while self.next < self.ends.len() {
            let word = self.next;
            self.next += 1;
            let end_ms = self
                .estimate
                .end_within_ms(word, from, from_ms as f32, total_ms as f32);
            marks.extend(self.mark(word, end_ms as u32));
        }
        // What follows the last word (quotes, emoji) counts as said with it.
        let text_end = self.form.text_len();
        if self.told_text < text_end {
            match marks.last_mut() {
                Some(last) => last.text_end = text_end,
                None if self.told_text > 0 || !self.ends.is_empty() => marks.push(WordMark {
                    text_end,
                    end_ms: self.told_ms.max(total_ms),
                }),
                None => {}
            }
            self.told_text = text_end;
        }
        marks
    }

    fn mark(&mut self, word: usize, end_ms: u32) -> Option<WordMark> {
        let text_end = self.form.text_end(self.ends[word]);
        self.told_ms = self.told_ms.max(end_ms);
        if text_end <= self.told_text {
            return None;
        }
        self.told_text = text_end;
        Some(WordMark {
            text_end,
            end_ms: self.told_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(marks: &[WordMark]) -> Vec<(usize, u32)> {
        marks
            .iter()
            .map(|mark| (mark.text_end, mark.end_ms))
            .collect()
    }

    #[test]
    fn exact_times_become_marks() {
        let mut marker = Marker::new(SpokenForm::plain("Hello there, you. "));
        for (nth, c) in "Hello the".chars().enumerate() {
            marker.align(&c.to_string(), nth as f64 * 10.0, nth as f64 * 10.0 + 10.0);
        }
        assert_eq!(marks(&marker.exact(u32::MAX)), [(5, 50)]);
        assert!(marker.covers(90) && !marker.covers(91));
        // Words at once, without punctuation, with something added.
        marker.align("re [breath] you", 100.0, 400.0);
        assert_eq!(marks(&marker.exact(u32::MAX)), [(12, 140), (17, 400)]);
        assert_eq!(marks(&marker.rest(0, 500)), []);
    }

    #[test]
    fn estimates_are_put_right_at_the_end() {
        let mut marker = Marker::new(SpokenForm::plain("one two six ten"));
        assert_eq!(marks(&marker.estimated(450, 200.0)), [(3, 200), (7, 400)]);
        assert_eq!(marks(&marker.rest(0, 1_000)), [(11, 700), (15, 1_000)]);
        assert_eq!(marks(&marker.rest(0, 1_000)), []);
    }

    #[test]
    fn the_last_mark_is_at_the_end_of_the_text() {
        for (text, count) in [("", 0), ("  ", 0), ("one", 1), ("one \u{1F600} ", 1)] {
            let mut marker = Marker::new(SpokenForm::plain(text));
            let told = marker.rest(0, 100);
            assert_eq!(told.len(), count, "{text:?}");
            let end = told.last().map_or(0, |mark| mark.text_end);
            assert_eq!(end, text.trim_end().len(), "{text:?}");
        }
    }

    #[test]
    fn times_never_run_backwards() {
        let mut marker = Marker::new(SpokenForm::plain("one two three"));
        marker.align("one", 0.0, 500.0);
        marker.align("two", 100.0, 200.0);
        marker.align("three", f64::NAN, -7.0);
        let told = marker.exact(u32::MAX);
        assert!(
            told.windows(2).all(|pair| pair[0].end_ms <= pair[1].end_ms),
            "{told:?}"
        );
        let rest = marker.rest(0, 50);
        assert!(rest.iter().all(|mark| mark.end_ms >= 500), "{rest:?}");
    }
}
