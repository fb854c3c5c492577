//! Cuts a stream of words into pieces to speak.

/// A first piece may end at a comma once it has this many bytes, so that speech begins sooner.
const FIRST_CLAUSE_BYTES: usize = 48;
/// A piece never grows beyond this: it is cut at a space, or anywhere where there is none.
const PIECE_BYTES_MAX: usize = 400;
/// Abbreviations whose full stop ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "mr.", "mrs.", "ms.", "dr.", "st.", "e.g.", "i.e.", "etc.", "vs.", "no.", "prof.",
];

/// Collects deltas and gives out sentences (the first piece may be a clause).
#[derive(Clone, Debug, Default)]
pub(crate) struct SentenceSplitter {
    buffer: String,
    pieces_cut: usize,
}

impl SentenceSplitter {
    /// Adds words; returns the pieces that are complete now.
    pub(crate) fn push(&mut self, delta: &str) -> Vec<String> {
        self.buffer.push_str(delta);
        let mut pieces = Vec::new();
        while let Some(end) = self.cut_point() {
            let rest = self.buffer.split_off(end);
            let piece = std::mem::replace(&mut self.buffer, rest);
            self.keep(piece, &mut pieces);
        }
        pieces
    }

    /// The words left at the end of the stream.
    pub(crate) fn finish(&mut self) -> Option<String> {
        let mut pieces = Vec::new();
        let piece = std::mem::take(&mut self.buffer);
        self.keep(piece, &mut pieces);
        pieces.pop()
    }

    fn keep(&mut self, piece: String, pieces: &mut Vec<String>) {
        let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
        if piece.chars().any(char::is_alphanumeric) {
            self.pieces_cut += 1;
            pieces.push(piece);
        }
    }

    /// Byte offset behind the first complete piece.
    fn cut_point(&self) -> Option<usize> {
        let text = self.buffer.as_str();
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let end = at + c.len_utf8();
            if c == '\n' && at > 0 {
                return Some(end);
            }
            // Only a following space shows that "3." is not the start of "3.5".
            let followed_by_space = chars.peek().is_some_and(|(_, next)| next.is_whitespace());
            let sentence_end = matches!(c, '.' | '!' | '?' | '…') && !is_abbreviation(&text[..end]);
            let clause_end =
                matches!(c, ',' | ';' | ':') && self.pieces_cut == 0 && end >= FIRST_CLAUSE_BYTES;
            if followed_by_space && (sentence_end || clause_end) {
                return Some(end);
            }
            if end >= PIECE_BYTES_MAX {
                return Some(text[..end].rfind(' ').map_or(end, |space| space + 1));
            }
        }
        None
    }
}

fn is_abbreviation(text: &str) -> bool {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    // "J. R. R. Tolkien": a single capital and a full stop is an initial, but "I." ends a sentence.
    let initial = last.len() == 2 && last.as_bytes()[0].is_ascii_uppercase() && last != "I.";
    initial
        || ABBREVIATIONS
            .iter()
            .any(|abbreviation| last.eq_ignore_ascii_case(abbreviation))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(deltas: &[&str]) -> Vec<String> {
        let mut splitter = SentenceSplitter::default();
        let mut pieces: Vec<String> = deltas
            .iter()
            .flat_map(|delta| splitter.push(delta))
            .collect();
        pieces.extend(splitter.finish());
        pieces
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
    fn first_piece_may_be_a_clause() {
        let text = "A domain name is the address people type to reach your site, so choose it well, and soon.";
        assert_eq!(
            split(&[text]),
            [
                "A domain name is the address people type to reach your site,",
                "so choose it well, and soon."
            ]
        );
    }

    #[test]
    fn long_text_without_an_end_is_cut_and_loses_nothing() {
        let words = "word ".repeat(300);
        let pieces = split(&[&words]);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES_MAX));
        assert_eq!(pieces.join(" "), words.trim());
        let solid = "ä".repeat(1_000);
        assert_eq!(split(&[&solid]).concat(), solid);
    }

    #[test]
    fn speaks_no_bare_punctuation() {
        assert_eq!(split(&["... ! - ", "\n\n", "Fine."]), ["Fine."]);
    }
}
