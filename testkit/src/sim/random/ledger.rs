//! What was truly heard, against what the engine says of it.

use antiphon_proto::{SegmentId, TurnId};

/// A sentence given to the voice.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    pub(super) id: SegmentId,
    pub(super) turn: TurnId,
    pub(super) text: String,
    /// Not to be heard before it is released.
    pub(super) held: bool,
    /// Milliseconds of it that were played.
    pub(super) played_ms: u64,
    /// Its length, were it made whole; 0 before anything was made.
    pub(super) audio_ms: u64,
    /// The voice says where words end.
    pub(super) marks: bool,
    /// The engine was told its length.
    pub(super) told_length: bool,
    /// Played to its end, or failed: nothing more will be heard of it.
    pub(super) over: bool,
    /// The voice broke off within it.
    pub(super) broken: bool,
}

impl Spoken {
    pub(super) fn new(id: SegmentId, turn: TurnId, text: String, held: bool) -> Self {
        Self {
            id,
            turn,
            text,
            held,
            played_ms: 0,
            audio_ms: 0,
            marks: true,
            told_length: false,
            over: false,
            broken: false,
        }
    }

    /// Words of it that were heard to their end.
    pub(super) fn heard_words(&self) -> usize {
        let total = self.text.len().max(1) as u64;
        let ends = self.text.match_indices(' ').map(|(at, _)| at);
        ends.chain([self.text.len()])
            .filter(|end| self.audio_ms * *end as u64 / total <= self.played_ms)
            .count()
            .min(if self.played_ms == 0 { 0 } else { usize::MAX })
    }

    /// By how many words an honest account may differ. One at the cut; where the voice does not say
    /// where words end they are told by the length, and before the length is known by the pace of
    /// people.
    fn words_off_max(&self) -> usize {
        let words = self.text.split(' ').count();
        if self.played_ms == 0 || (self.over && !self.broken) {
            return 0;
        }
        match (self.marks, self.told_length) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 2 + words / 2,
        }
    }
}

/// Compares what history says with what was heard of `spoken`, sentence by sentence.
pub(super) fn compare(spoken: &[Spoken], said: &[String]) -> Result<(), String> {
    let said: Vec<&str> = said
        .iter()
        .flat_map(|text| text.split_whitespace())
        .collect();
    if fits(spoken, &said) {
        return Ok(());
    }
    let heard = |segment: &Spoken| {
        let words = segment.text.split(' ').take(segment.heard_words());
        words.collect::<Vec<_>>().join(" ")
    };
    let truth: Vec<String> = spoken.iter().map(heard).collect();
    Err(format!("heard {truth:?}, history has {:?}", said.join(" ")))
}

fn fits(spoken: &[Spoken], said: &[&str]) -> bool {
    let Some((first, rest)) = spoken.split_first() else {
        return said.is_empty();
    };
    let words: Vec<&str> = first.text.split(' ').collect();
    let (heard, off_max) = (first.heard_words(), first.words_off_max());
    let most = (heard + off_max).min(words.len()).min(said.len());
    (heard.saturating_sub(off_max)..=most)
        .any(|count| said[..count] == words[..count] && fits(rest, &said[count..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(text: &str, played_ms: u64) -> Spoken {
        let mut spoken = Spoken::new(SegmentId(1), TurnId(1), text.to_owned(), false);
        spoken.audio_ms = 1_000;
        spoken.played_ms = played_ms;
        spoken
    }

    #[test]
    fn history_may_be_one_word_off() {
        let heard = [spoken("one two three four", 500)];
        assert_eq!(heard[0].heard_words(), 2);
        for (said, fine) in [
            ("one two", true),
            ("one", true),
            ("one two three", true),
            ("", false),
            ("one two three four", false),
            ("one too", false),
        ] {
            assert_eq!(compare(&heard, &[said.into()]).is_ok(), fine, "{said}");
        }
    }
}
