//! Which pauses are within a turn and which end one: from labels, never from the sound.

use crate::listen::Stretch;

/// Longer silences of one speaker are neither: nobody can say whether the turn went on.
const PAUSE_MS_MAX: i64 = 3_000;
/// Speech of the other party shorter than this may be a backchannel and ends no turn.
const FLOOR_TAKEN_MS_MIN: i64 = 400;
/// The other party may come in this much before the end of speech (terminal overlap).
const OVERLAP_MS_MAX: i64 = 200;
/// How long an utterance that was broken off is held to pause: the label gives no length.
pub(crate) const BROKEN_OFF_MS: i64 = 1_500;
/// How far a labelled end and the detector's may differ to be the same.
const SAME_END_MS: i64 = 300;

/// What happened after a stretch of speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// The same speaker went on; the next speech was reported this long after the end.
    GoesOn {
        /// Silence, in milliseconds.
        pause_ms: i64,
    },
    /// The turn was over.
    Over,
}

/// A pause, found by the detector, and its truth.
#[derive(Clone, Debug)]
pub(crate) struct Labelled {
    /// Which stretch it follows.
    pub(crate) stretch: usize,
    /// First stretch of the same turn.
    pub(crate) turn_from: usize,
    /// What happened.
    pub(crate) truth: Truth,
    /// The detector's end less the labelled one, in milliseconds; 0 where there is none.
    pub(crate) late_ms: i64,
}

/// Who spoke when, in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Begin.
    pub(crate) from: i64,
    /// End.
    pub(crate) to: i64,
    /// The speaker.
    pub(crate) who: String,
}

/// What a single speaker's clip is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The turn is complete.
    Complete,
    /// The turn is known to be broken off.
    BrokenOff,
    /// Not known.
    Unknown,
}

/// One speaker, one turn: every pause but the last is within the turn.
pub(crate) fn single(stretches: &[Stretch], end: End, last_word_ms: Option<i64>) -> Vec<Labelled> {
    let mut found = Vec::new();
    for (i, stretch) in stretches.iter().enumerate() {
        let mut late_ms = 0;
        let truth = match (stretches.get(i + 1), end) {
            (Some(next), _) => pause(stretch, next),
            (None, End::Complete) => {
                late_ms = last_word_ms.map_or(0, |ms| bounded(stretch.end_ms - ms));
                Some(Truth::Over)
            }
            (None, End::BrokenOff) => Some(Truth::GoesOn {
                pause_ms: BROKEN_OFF_MS,
            }),
            (None, End::Unknown) => None,
        };
        found.extend(truth.map(|truth| Labelled {
            stretch: i,
            turn_from: 0,
            truth,
            late_ms,
        }));
    }
    found
}

/// One side of a call against the other.
pub(crate) fn two_channels(own: &[Stretch], other: &[Stretch]) -> Vec<Labelled> {
    let mut found = Vec::new();
    let mut turn_from = 0;
    for (i, stretch) in own.iter().enumerate() {
        let end = stretch.end_ms;
        let next = own.get(i + 1);
        let until = next.map_or(i64::MAX, |next| next.onset_ms);
        let overlapped = other
            .iter()
            .any(|o| o.onset_ms < end - OVERLAP_MS_MAX && o.end_ms > end);
        let answer = other
            .iter()
            .find(|o| o.onset_ms >= end - OVERLAP_MS_MAX && o.onset_ms < until);
        let truth = match (answer, next) {
            _ if overlapped => None,
            (Some(o), _) if o.end_ms - o.onset_ms >= FLOOR_TAKEN_MS_MIN => Some(Truth::Over),
            (Some(_), _) | (None, None) => None,
            (None, Some(next)) => pause(stretch, next),
        };
        found.extend(truth.map(|truth| Labelled {
            stretch: i,
            turn_from,
            truth,
            late_ms: 0,
        }));
        if !matches!(truth, Some(Truth::GoesOn { .. })) {
            turn_from = i + 1;
        }
    }
    found
}

/// Several speakers in one channel, with labelled spans.
pub(crate) fn diarized(stretches: &[Stretch], spans: &[Span]) -> Vec<Labelled> {
    let mut found = Vec::new();
    let mut turn_from = 0;
    let alone = |from: i64, to: i64| {
        let mut who: Vec<&str> = spans
            .iter()
            .filter(|span| span.from < to && span.to > from)
            .map(|span| span.who.as_str())
            .collect();
        who.sort_unstable();
        who.dedup();
        match who.as_slice() {
            [one] => Some((*one).to_owned()),
            _ => None,
        }
    };
    for (i, stretch) in stretches.iter().enumerate() {
        let before = alone(stretch.end_ms - 300, stretch.end_ms - 40);
        let next = stretches.get(i + 1);
        let after = next.and_then(|next| alone(next.onset_ms + 60, next.onset_ms + 360));
        let truth = match (before, after, next) {
            (Some(before), Some(after), Some(next)) if before == after => pause(stretch, next),
            (Some(_), Some(_), Some(_)) => Some(Truth::Over),
            _ => None,
        };
        let labelled_end = spans
            .iter()
            .map(|span| span.to)
            .filter(|to| (to - stretch.end_ms).abs() < SAME_END_MS)
            .min_by_key(|to| (to - stretch.end_ms).abs());
        found.extend(truth.map(|truth| Labelled {
            stretch: i,
            turn_from,
            truth,
            late_ms: labelled_end.map_or(0, |to| bounded(stretch.end_ms - to)),
        }));
        if !matches!(truth, Some(Truth::GoesOn { .. })) {
            turn_from = i + 1;
        }
    }
    found
}

/// Separate turns, each a labelled span: the end of a span is the end of a turn.
pub(crate) fn turns(stretches: &[Stretch], spans: &[Span]) -> Vec<Labelled> {
    let mut found = Vec::new();
    let mut turn_from = 0;
    for (i, stretch) in stretches.iter().enumerate() {
        let ended = spans
            .iter()
            .find(|span| (span.to - stretch.end_ms).abs() < SAME_END_MS);
        let within = spans
            .iter()
            .any(|span| span.from < stretch.end_ms && span.to - SAME_END_MS >= stretch.end_ms);
        let truth = match (ended, stretches.get(i + 1)) {
            (Some(_), _) => Some(Truth::Over),
            (None, Some(next)) if within => pause(stretch, next),
            (None, _) => None,
        };
        found.extend(truth.map(|truth| Labelled {
            stretch: i,
            turn_from,
            truth,
            late_ms: ended.map_or(0, |span| bounded(stretch.end_ms - span.to)),
        }));
        if !matches!(truth, Some(Truth::GoesOn { .. })) {
            turn_from = i + 1;
        }
    }
    found
}

fn pause(stretch: &Stretch, next: &Stretch) -> Option<Truth> {
    let pause_ms = next.reported_ms - stretch.end_ms;
    (next.onset_ms - stretch.end_ms <= PAUSE_MS_MAX).then_some(Truth::GoesOn { pause_ms })
}

fn bounded(late_ms: i64) -> i64 {
    late_ms.clamp(-SAME_END_MS, SAME_END_MS)
}

#[cfg(test)]
mod tests {
    use antiphon_audio::prosody::Prosody;

    use super::*;

    /// Speech from and to, in milliseconds; reported 100 ms after its onset.
    fn speech(spans: &[(i64, i64)]) -> Vec<Stretch> {
        spans
            .iter()
            .map(|&(onset_ms, end_ms)| Stretch {
                onset_ms,
                reported_ms: onset_ms + 100,
                end_ms,
                prosody: Prosody::default(),
            })
            .collect()
    }

    fn truths(labelled: &[Labelled]) -> Vec<(usize, usize, Truth)> {
        labelled
            .iter()
            .map(|l| (l.stretch, l.turn_from, l.truth))
            .collect()
    }

    fn span(from: i64, to: i64, who: &str) -> Span {
        Span {
            from,
            to,
            who: who.to_owned(),
        }
    }

    const ON: Truth = Truth::GoesOn { pause_ms: 600 };

    #[test]
    fn one_speaker_goes_on_until_the_end() {
        let own = speech(&[(0, 1_000), (1_500, 2_000), (9_000, 9_500)]);
        let found = single(&own, End::Complete, Some(9_400));
        // The silence of 7 s is neither.
        assert_eq!(truths(&found), [(0, 0, ON), (2, 0, Truth::Over)]);
        assert_eq!(found[1].late_ms, 100);
        assert_eq!(single(&own[..1], End::Unknown, None).len(), 0);
    }

    #[test]
    fn the_other_side_takes_the_floor() {
        let own = speech(&[(0, 1_000), (1_500, 2_000), (6_000, 7_000), (7_500, 8_000)]);
        let other = speech(&[(2_300, 5_500), (6_900, 9_000)]);
        let found = two_channels(&own, &other);
        // The third is spoken over at its end: from 100 ms before it, which is still an answer.
        assert_eq!(
            truths(&found),
            [(0, 0, ON), (1, 0, Truth::Over), (2, 2, Truth::Over)]
        );
        let backchannel = speech(&[(1_100, 1_300)]);
        assert!(two_channels(&own[..2], &backchannel).is_empty());
    }

    #[test]
    fn diarized_speech_changes_hands() {
        let all = speech(&[(0, 1_000), (1_500, 2_000), (2_500, 3_000)]);
        let spans = [
            span(0, 1_000, "A"),
            span(1_500, 2_000, "A"),
            span(2_500, 3_000, "B"),
        ];
        let found = diarized(&all, &spans);
        assert_eq!(truths(&found), [(0, 0, ON), (1, 0, Truth::Over)]);
    }

    #[test]
    fn labelled_turns_end_where_they_are_said_to() {
        let all = speech(&[(0, 500), (1_000, 1_500), (3_000, 3_500)]);
        let found = turns(&all, &[span(0, 1_480, "A"), span(3_000, 3_400, "A")]);
        assert_eq!(
            truths(&found),
            [(0, 0, ON), (1, 0, Truth::Over), (2, 2, Truth::Over)]
        );
        assert_eq!((found[1].late_ms, found[2].late_ms), (20, 100));
    }
}
