//! Cuts a stream of words into pieces to speak.
//!
//! Only the first piece of a reply is cut short ([`crate::clause`]): every piece is a synthesis of
//! its own, and a voice that gets half a sentence does not know how it goes on.

use antiphon_proto::Moment;

use crate::clause::{WORDS_MAX, first_cut};

/// From the first words of a reply on, its first piece waits at most this long for a good end.
const FIRST_PIECE_MS: u64 = 400;
/// A piece never grows beyond this: it is cut at a space, or anywhere where there is none.
const PIECE_BYTES_MAX: usize = 400;
/// Of a sentence cut in pieces, this much is checked again with each further one.
const BEFORE_BYTES_MAX: usize = 1_000;
/// Abbreviations whose full stop ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "mr.", "mrs.", "ms.", "dr.", "st.", "e.g.", "i.e.", "etc.", "vs.", "no.", "prof.", "gen.",
    "sgt.", "capt.", "lt.", "col.", "rev.", "gov.", "sen.", "rep.", "mt.", "approx.", "fig.",
    "ave.", "jan.", "feb.", "aug.", "sept.", "oct.", "nov.", "dec.",
];

/// Words to speak in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Which sentence of the reply it belongs to.
    pub(crate) sentence: u32,
    /// What of that sentence came before: it is checked together with this.
    pub(crate) before: String,
}

impl Piece {
    /// The sentence so far, with this piece.
    pub(crate) fn in_context(&self) -> String {
        if self.before.is_empty() {
            return self.text.clone();
        }
        format!("{} {}", self.before, self.text)
    }
}

/// Collects deltas and gives out sentences; the first piece may be a clause.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentenceSplitter {
    buffer: String,
    pieces_cut: usize,
    /// When the first words in the buffer came.
    since: Option<Moment>,
    sentence: u32,
    /// What of the sentence under way was given out.
    before: String,
    /// True where only the end of a line parts what was given out from what follows.
    line_broken: bool,
}

/// How a piece ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Sentence,
    Line,
    /// In mid-sentence.
    Cut,
}

impl SentenceSplitter {
    /// Adds words that came at `now`; returns the pieces that are complete.
    pub(crate) fn push(&mut self, delta: &str, now: Moment) -> Vec<Piece> {
        if self.buffer.trim().is_empty() {
            self.since = (!delta.trim().is_empty()).then_some(now);
        }
        self.buffer.push_str(delta);
        let mut pieces = Vec::new();
        while let Some((end, how)) = self.cut_point(self.is_late(now)) {
            pieces.extend(self.cut(end, how));
        }
        pieces
    }

    /// Words that are all known: whole sentences, the first one too.
    pub(crate) fn whole(&mut self, text: &str) -> Vec<Piece> {
        self.buffer.push_str(text);
        let mut pieces = Vec::new();
        while let Some((end, how)) = self.sentence_end() {
            pieces.extend(self.cut(end, how));
        }
        pieces.extend(self.finish());
        pieces
    }

    /// The words left at the end of the stream.
    pub(crate) fn finish(&mut self) -> Option<Piece> {
        self.cut(self.buffer.len(), End::Sentence)
    }

    /// When the first piece is to be cut off of the words that are there.
    pub(crate) fn due(&self) -> Option<Moment> {
        let due = self.since?.plus_ms(FIRST_PIECE_MS);
        let cuttable = self.pieces_cut == 0 && first_cut(&self.buffer, true).is_some();
        cuttable.then_some(due)
    }

    fn is_late(&self, now: Moment) -> bool {
        self.since
            .is_some_and(|since| now >= since.plus_ms(FIRST_PIECE_MS))
    }

    fn cut(&mut self, end: usize, how: End) -> Option<Piece> {
        let rest = self.buffer.split_off(end);
        let text = std::mem::replace(&mut self.buffer, rest);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let spoken = text.chars().any(char::is_alphanumeric);
        // A new line that begins with a small letter goes on with the sentence.
        let goes_on = text.chars().next().is_some_and(char::is_lowercase);
        if std::mem::take(&mut self.line_broken) && !goes_on {
            self.end_sentence();
        }
        let piece = spoken.then(|| Piece {
            text: text.clone(),
            sentence: self.sentence,
            before: self.before.clone(),
        });
        self.pieces_cut += usize::from(spoken);
        match how {
            End::Sentence => self.end_sentence(),
            End::Line | End::Cut => self.keep_before(&text),
        }
        self.line_broken = how == End::Line;
        piece
    }

    fn end_sentence(&mut self) {
        self.sentence += 1;
        self.before.clear();
    }

    fn keep_before(&mut self, text: &str) {
        if !self.before.is_empty() {
            self.before.push(' ');
        }
        self.before.push_str(text);
        let mut from = self.before.len().saturating_sub(BEFORE_BYTES_MAX);
        while !self.before.is_char_boundary(from) {
            from += 1;
        }
        self.before.drain(..from);
    }

    /// Byte offset behind the first complete piece, and how it ends.
    fn cut_point(&self, late: bool) -> Option<(usize, End)> {
        let sentence = self.sentence_end();
        if self.pieces_cut > 0 {
            return sentence;
        }
        let head = &self.buffer[..sentence.map_or(self.buffer.len(), |(end, _)| end)];
        if sentence.is_some() && head.split_whitespace().count() <= WORDS_MAX {
            return sentence;
        }
        // A sentence that is there whole, but too long, is cut like one that comes slowly.
        let late = late || sentence.is_some();
        first_cut(head, late)
            .map(|end| (end, End::Cut))
            .or(sentence)
    }

    /// Byte offset behind the first complete sentence, and how it ends.
    fn sentence_end(&self) -> Option<(usize, End)> {
        let text = self.buffer.as_str();
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            if c == '\n' && at > 0 {
                let ended = text[..at].trim_end().ends_with(['.', '!', '?', '…', ':']);
                return Some((end, if ended { End::Sentence } else { End::Line }));
            }
            // Only a following space shows that "3." is not the start of "3.5".
            if matches!(c, '.' | '!' | '?' | '…') {
                let closing = closing_marks(&text[end..]);
                let behind = end + closing;
                let followed = text[behind..].starts_with(char::is_whitespace);
                if followed && !is_abbreviation(&text[..end]) && !is_list_number(&text[..end]) {
                    return Some((behind, End::Sentence));
                }
            }
            if end >= PIECE_BYTES_MAX {
                let cut = text[..end].rfind(' ').map_or(end, |space| space + 1);
                return Some((cut, End::Cut));
            }
        }
        None
    }
}

/// Bytes of quotes, brackets and emphasis that close behind the end of a sentence.
fn closing_marks(text: &str) -> usize {
    let closes = |c: char| matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '*' | '_');
    text.len() - text.trim_start_matches(closes).len()
}

/// "1." at the beginning of a piece numbers what follows.
fn is_list_number(text: &str) -> bool {
    let number = text.trim().strip_suffix('.').unwrap_or_default();
    !number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit())
}

pub(crate) fn is_abbreviation(text: &str) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    let last = last.trim_start_matches(['(', '"', '“', '\'', '*', '_']);
    // "J. R. R. Tolkien": a single capital and a full stop is an initial, but "I." ends a sentence.
    let initial = last.len() == 2
        && last.as_bytes()[0].is_ascii_uppercase()
        && last.ends_with('.')
        && last != "I.";
    // "U.S.", "a.m.", "Ph.D."
    let dotted = last.strip_suffix('.').is_some_and(|stem| {
        stem.contains('.')
            && stem.split('.').all(|part| matches!(part.len(), 1 | 2))
            && stem.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.')
    });
    let known = |abbreviation: &&str| last.eq_ignore_ascii_case(abbreviation);
    initial || dotted || ABBREVIATIONS.iter().any(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(deltas: &[&str], ms_each: u64) -> Vec<Piece> {
        let mut splitter = SentenceSplitter::default();
        let mut now = Moment::from_ms(1_000);
        let mut pieces = Vec::new();
        for delta in deltas {
            pieces.extend(splitter.push(delta, now));
            now = now.plus_ms(ms_each);
        }
        pieces.extend(splitter.finish());
        pieces
    }

    fn split(deltas: &[&str]) -> Vec<String> {
        pieces(deltas, 0)
            .into_iter()
            .map(|piece| piece.text)
            .collect()
    }

    #[test]
    fn cuts_at_sentence_ends_whatever_the_deltas() {
        let text = "Hello there. It costs 3.5 dollars, Dr. Smith! Is that fine? Yes";
        let want = [
            "Hello there.",
            "It costs 3.5 dollars, Dr. Smith!",
            "Is that fine?",
            "Yes",
        ];
        assert_eq!(split(&[text]), want);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        assert_eq!(split(&letters), want);
    }

    #[test]
    fn what_ends_no_sentence_cuts_none() {
        for (text, want) in [
            (
                "Yes. We open at 9 a.m. on weekdays. Come.",
                vec!["Yes.", "We open at 9 a.m. on weekdays.", "Come."],
            ),
            (
                "Yes. He said “go.” Then he left.",
                vec!["Yes.", "He said “go.”", "Then he left."],
            ),
            (
                "Yes. In the U.S. (e.g. Texas) it is. So.",
                vec!["Yes.", "In the U.S. (e.g. Texas) it is.", "So."],
            ),
            (
                "Steps: 1. Sit. 2. Stand.",
                vec!["Steps: 1.", "Sit.", "2. Stand."],
            ),
        ] {
            assert_eq!(split(&[text]), want);
        }
    }

    #[test]
    fn only_the_first_piece_is_a_clause() {
        let text = "A domain name is the address people type to reach your site, so choose it well, and choose it soon.";
        let want = [
            "A domain name is the address people type to reach your site,",
            "so choose it well, and choose it soon.",
        ];
        assert_eq!(split(&[text]), want);
        let cut = pieces(&[text], 0);
        assert_eq!((cut[0].sentence, cut[1].sentence), (0, 0));
        assert_eq!(cut[1].before, want[0]);
        assert_eq!(cut[1].in_context(), text);
    }

    #[test]
    fn the_first_piece_comes_with_twelve_words_or_after_400_ms() {
        let text = "You might want to open all of the windows in your house every single morning before breakfast.";
        let words: Vec<String> = text.split(' ').map(|word| format!("{word} ")).collect();
        for ms_each in [0, 20, 50, 100, 150] {
            let mut splitter = SentenceSplitter::default();
            let mut now = Moment::from_ms(0);
            let mut first = None;
            for word in &words {
                // The engine is woken when it is due.
                if let Some(due) = splitter.due().filter(|due| *due < now) {
                    first = splitter.push("", due).pop().map(|piece| (piece, due));
                }
                first = first.or_else(|| splitter.push(word, now).pop().map(|piece| (piece, now)));
                if first.is_some() {
                    break;
                }
                now = now.plus_ms(ms_each);
            }
            let (piece, at) = first.expect("a first piece");
            let count = piece.text.split(' ').count();
            assert!((4..=WORDS_MAX).contains(&count), "{ms_each}: {piece:?}");
            let late = at.ms() > FIRST_PIECE_MS && at.ms() > FIRST_PIECE_MS + 3 * ms_each;
            assert!(!late, "{ms_each}: {at:?} {piece:?}");
        }
    }

    #[test]
    fn a_line_that_goes_on_is_the_same_sentence() {
        let cut = pieces(&["Yes.\nNever give\nup on it\nNext line\n"], 0);
        let got: Vec<(&str, u32)> = cut.iter().map(|p| (p.text.as_str(), p.sentence)).collect();
        assert_eq!(
            got,
            [
                ("Yes.", 0),
                ("Never give", 1),
                ("up on it", 1),
                ("Next line", 2)
            ]
        );
        assert_eq!(cut[2].in_context(), "Never give up on it");
    }

    #[test]
    fn long_text_without_an_end_is_cut_and_loses_nothing() {
        let words = "word ".repeat(600);
        let cut = pieces(&[&words], 0);
        assert!(cut.iter().all(|piece| piece.text.len() <= PIECE_BYTES_MAX));
        assert!(
            cut.iter()
                .all(|piece| piece.before.len() <= BEFORE_BYTES_MAX)
        );
        assert_eq!(split(&[&words]).join(" "), words.trim());
        let solid = "ä".repeat(1_000);
        assert_eq!(split(&[&solid]).concat(), solid);
    }

    #[test]
    fn what_is_known_whole_is_cut_at_sentences_only() {
        let text =
            "I have to tell you now that, as of today, our call will end very soon. Goodbye.";
        let cut = SentenceSplitter::default().whole(text);
        assert_eq!(cut.len(), 2);
    }

    #[test]
    fn speaks_no_bare_punctuation() {
        assert_eq!(split(&["... ! - ", "\n\n", "Fine."]), ["Fine."]);
    }
}
