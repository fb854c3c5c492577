//! Text as flite can read it: printable ASCII, with the way back to the sentence it came from.

use antiphon_agents::Pronunciations;

use crate::speak::speakable::Speakable;

/// Longest text taken at once, in bytes. A sentence has 50 to 300; more is a mistake upstream.
pub(super) const TEXT_BYTES_MAX: usize = 20_000;

/// Characters of text that are synthesized together. Clustergen voices work out a whole utterance
/// before its first sample, so this bounds the time to first audio of a long text.
const PART_CHARS_MAX: usize = 240;

/// A part of the text, ready to be spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Printable ASCII, words separated by single spaces.
    pub(super) ascii: String,
    /// For each word, its end in `ascii`, and the byte offset in the original that has been said
    /// with it.
    words: Vec<(usize, usize)>,
    /// The offset in the original said before this part.
    from: usize,
}

impl Part {
    /// How much of the original has been said with the first `len` bytes of `ascii`.
    pub(super) fn said_with(&self, len: usize) -> usize {
        let said = self.words.partition_point(|&(end, _)| end <= len);
        said.checked_sub(1)
            .map_or(self.from, |last| self.words[last].1)
    }

    /// True where the word that ends there is the last of its group: `dollars` in "three dollars".
    pub(super) fn completes(&self, end: usize) -> bool {
        let said = self.words.partition_point(|&(behind, _)| behind <= end);
        let before = said
            .checked_sub(2)
            .map_or(self.from, |before| self.words[before].1);
        self.said_with(end) > before
    }

    /// How much of the original had been said before.
    pub(super) fn from(&self) -> usize {
        self.from
    }

    fn push(&mut self, word: &str, heard_end: usize) {
        if !word.bytes().any(|b| b.is_ascii_alphanumeric()) {
            // Nothing that flite could say: it goes by with the word before.
            if let Some(last) = self.words.last_mut() {
                last.1 = last.1.max(heard_end);
            }
            return;
        }
        if !self.ascii.is_empty() {
            self.ascii.push(' ');
        }
        self.ascii.push_str(word);
        self.words.push((self.ascii.len(), heard_end));
    }

    /// Cuts behind a space.
    fn split_off(&mut self, at: usize) -> Self {
        let ascii = self.ascii.split_off(at);
        let kept = self.words.partition_point(|&(end, _)| end <= at);
        let words = self.words.split_off(kept);
        self.ascii.truncate(self.ascii.trim_end().len());
        Self {
            ascii,
            words: words
                .into_iter()
                .map(|(end, heard)| (end - at, heard))
                .collect(),
            from: self.said_with(at),
        }
    }
}

/// Makes `text` readable and cuts it into parts at sentence ends, else at commas, else at spaces.
/// There are none where there is nothing to say.
pub(super) fn parts(text: &str, pronounce: &Pronunciations) -> Vec<Part> {
    let mut rest = readable(text, pronounce);
    let mut parts = Vec::new();
    while rest.ascii.len() > PART_CHARS_MAX {
        let tail = rest.split_off(cut_at(&rest.ascii));
        parts.push(std::mem::replace(&mut rest, tail));
    }
    parts.push(rest);
    parts.retain(|part| !part.words.is_empty());
    parts
}

/// Where to cut a text that is too long, at most [`PART_CHARS_MAX`].
fn cut_at(ascii: &str) -> usize {
    let head = &ascii[..PART_CHARS_MAX];
    let behind = |marks: &[&str]| {
        marks
            .iter()
            .filter_map(|mark| head.rfind(mark).map(|at| at + mark.len()))
            .max()
    };
    let late = |at: &usize| *at > PART_CHARS_MAX / 3;
    behind(&[". ", "! ", "? "])
        .filter(late)
        .or_else(|| behind(&[", ", "; ", ": "]).filter(late))
        .or_else(|| behind(&[" "]))
        .unwrap_or(PART_CHARS_MAX)
}

/// Speakable text in ASCII. What cannot be written so (other scripts) is left out.
fn readable(text: &str, pronounce: &Pronunciations) -> Part {
    let made = Speakable::new(text, pronounce);
    let mut part = Part::default();
    let starts = made.words().iter().skip(1).map(|word| word.start);
    let ends = starts.chain([made.spoken().len()]);
    for (word, end) in made.words().iter().zip(ends) {
        let written = made.spoken()[word.start..end].trim_end();
        // Alone, an A would be read as the article.
        let letter = word.letter && written.starts_with('A');
        let said = if letter && made.words().len() > 1 && !part.ascii.is_empty() {
            written.replacen('A', "ay", 1)
        } else {
            written.chars().map(ascii).collect()
        };
        part.push(&said, word.heard_end);
    }
    part
}

/// How flite reads one character; empty where it does not.
fn ascii(c: char) -> &'static str {
    const ASCII: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    match c {
        ' '..='~' => {
            let at = c as usize - ' ' as usize;
            &ASCII[at..=at]
        }
        'ß' => "ss",
        'Æ' | 'æ' => "ae",
        'Œ' | 'œ' => "oe",
        'Þ' | 'þ' => "th",
        _ => base_letter(c).unwrap_or(""),
    }
}

/// The plain letter under an accent.
fn base_letter(c: char) -> Option<&'static str> {
    const LETTERS: [(&str, &str); 20] = [
        ("a", "àáâãäåāăąÀÁÂÃÄÅĀĂĄ"),
        ("c", "çćĉċčÇĆĈĊČ"),
        ("d", "ðďđÐĎĐ"),
        ("e", "èéêëēĕėęěÈÉÊËĒĔĖĘĚ"),
        ("g", "ĝğġģĜĞĠĢ"),
        ("h", "ĥħĤĦ"),
        ("i", "ìíîïĩīĭįıÌÍÎÏĨĪĬĮİ"),
        ("j", "ĵĴ"),
        ("k", "ķĶ"),
        ("l", "ĺļľŀłĹĻĽĿŁ"),
        ("n", "ñńņňÑŃŅŇ"),
        ("o", "òóôõöøōŏőÒÓÔÕÖØŌŎŐ"),
        ("r", "ŕŗřŔŖŘ"),
        ("s", "śŝşšșŚŜŞŠȘ"),
        ("t", "ţťŧțŢŤŦȚ"),
        ("u", "ùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ"),
        ("w", "ŵŴ"),
        ("y", "ýÿŷÝŶŸ"),
        ("z", "źżžŹŻŽ"),
        ("", "ªº"),
    ];
    LETTERS
        .iter()
        .find(|(_, accented)| accented.contains(c))
        .map(|&(base, _)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        super::parts(text, &Pronunciations::default())
    }

    fn one(text: &str) -> String {
        let parts = parts(text).into_iter().map(|part| part.ascii);
        parts.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn what_flite_cannot_read_is_folded_or_dropped() {
        for (text, want) in [
            ("Zoë’s “naïve” café", "Zoe's naive cafe"),
            ("Straße", "Strasse"),
            ("cafe\u{301}", "cafe"),
            ("hi 🙂 you 日本", "hi you"),
            ("pages 10–12", "pages ten to twelve"),
            ("code A4X-92", "code ay four X nine two"),
            ("A dog.", "A dog."),
            ("", ""),
            ("?!... — 🙂", ""),
        ] {
            assert_eq!(one(text), want, "{text:?}");
        }
    }

    #[test]
    fn every_word_leads_back_into_the_text() {
        let text = "Zoë — 🙂 said “no”… 10–12";
        let part = parts(text).remove(0);
        let mut last = 0;
        for len in 0..=part.ascii.len() {
            let end = part.said_with(len);
            assert!(end >= last && text.is_char_boundary(end));
            last = end;
        }
        assert_eq!(last, text.len());
        let said = part.ascii.find("said").expect("it is there") + 4;
        let want = text.find("said").expect("it is there") + 4;
        assert_eq!(part.said_with(said), want);
    }

    #[test]
    fn long_text_is_cut_where_one_would_breathe() {
        let text = "This is a sentence of some length, with a comma in it. ".repeat(40);
        let parts = parts(&text);
        assert!(parts.len() > 8);
        let whole = |part: &Part| part.ascii.len() <= 240 && part.ascii.ends_with('.');
        assert!(parts.iter().all(whole));
        let words: usize = parts.iter().map(|part| part.ascii.split(' ').count()).sum();
        assert_eq!(words, 40 * 12);
        for pair in parts.windows(2) {
            assert_eq!(pair[1].from(), pair[0].said_with(usize::MAX));
        }
        let smash = super::parts(&"x".repeat(1_000), &Pronunciations::default());
        let said: usize = smash
            .iter()
            .map(|part| part.ascii.matches('x').count())
            .sum();
        assert_eq!(said, 1_000);
    }
}
