//! Text as flite can read it: printable ASCII, with the way back to the sentence it came from.

/// Longest text taken at once, in bytes. A sentence has 50 to 300; more is a mistake upstream.
pub(super) const TEXT_BYTES_MAX: usize = 20_000;

/// Longest run without a space that is read as one token; longer ones (URLs, keyboard smashing)
/// are broken up, because flite works on a token as a whole.
const TOKEN_CHARS_MAX: usize = 48;

/// Characters of text that are synthesized together. Clustergen voices work out a whole utterance
/// before its first sample, so this bounds the time to first audio of a long text.
const PART_CHARS_MAX: usize = 240;

/// A part of the text, ready to be spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Printable ASCII, words separated by single spaces.
    pub(super) ascii: String,
    /// For each byte of `ascii`: the byte offset in the original just behind what it stands for.
    ends: Vec<usize>,
}

impl Part {
    /// The offset in the original text just behind the first `len` bytes of `ascii`.
    pub(super) fn original_end(&self, len: usize) -> usize {
        len.checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .copied()
            .unwrap_or(0)
    }

    /// True where there is nothing to say: no letter, no digit.
    pub(super) fn is_mute(&self) -> bool {
        !self.ascii.bytes().any(|b| b.is_ascii_alphanumeric())
    }

    fn push(&mut self, text: &str, end: usize) {
        for byte in text.bytes() {
            let space = byte == b' ';
            if space
                && self
                    .ascii
                    .as_bytes()
                    .last()
                    .is_none_or(|&last| last == b' ')
            {
                continue;
            }
            self.ascii.push(char::from(byte));
            self.ends.push(end);
        }
    }

    /// Attaches punctuation to the word before.
    fn attach(&mut self, text: &str, end: usize) {
        while self.ascii.ends_with(' ') {
            self.ascii.pop();
            self.ends.pop();
        }
        if !self.ascii.is_empty() {
            self.push(text, end);
        }
    }

    fn split_off(&mut self, at: usize) -> Self {
        Self {
            ascii: self.ascii.split_off(at),
            ends: self.ends.split_off(at),
        }
    }

    fn trim(&mut self) {
        let kept = self.ascii.trim_end().len();
        self.ascii.truncate(kept);
        self.ends.truncate(kept);
        let leading = self.ascii.len() - self.ascii.trim_start().len();
        self.ascii.drain(..leading);
        self.ends.drain(..leading);
    }
}

/// Makes `text` readable and cuts it into parts at sentence ends, else at commas, else at spaces.
/// Parts with nothing to say are left out.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut rest = break_long_tokens(readable(text));
    let mut parts = Vec::new();
    while rest.ascii.len() > PART_CHARS_MAX {
        let tail = rest.split_off(cut_at(&rest.ascii));
        parts.push(std::mem::replace(&mut rest, tail));
    }
    parts.push(rest);
    parts.iter_mut().for_each(Part::trim);
    parts.retain(|part| !part.is_mute());
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

fn readable(text: &str) -> Part {
    let mut part = Part::default();
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    for (i, &(at, c)) in chars.iter().enumerate() {
        let end = at + c.len_utf8();
        let before = i.checked_sub(1).map_or(' ', |p| chars[p].1);
        let after = chars.get(i + 1).map_or(' ', |next| next.1);
        let in_number = before.is_ascii_digit() && after.is_ascii_digit();
        match c {
            '–' | '−' if in_number => part.push(" to ", end),
            '–' | '—' | '―' => {
                part.attach(",", end);
                part.push(" ", end);
            }
            '-' if before.is_whitespace() && after.is_whitespace() => {
                part.attach(",", end);
                part.push(" ", end);
            }
            '#' if after.is_ascii_digit() => part.push(" number ", end),
            '/' if !in_number => part.push(" ", end),
            _ => part.push(spelled(c), end),
        }
    }
    part
}

fn break_long_tokens(part: Part) -> Part {
    let mut out = Part::default();
    let mut run = 0;
    for (byte, end) in part.ascii.bytes().zip(part.ends) {
        run = if byte == b' ' { 0 } else { run + 1 };
        if run > TOKEN_CHARS_MAX {
            out.push(" ", end);
            run = 1;
        }
        out.ascii.push(char::from(byte));
        out.ends.push(end);
    }
    out
}

/// How one character is read; empty where it is not.
fn spelled(c: char) -> &'static str {
    const ASCII: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    match c {
        '@' => " at ",
        '+' => " plus ",
        '=' => " equals ",
        '&' => " and ",
        // Mark-up and brackets that flite would name or stumble over.
        '*' | '`' | '~' => "",
        '_' | '|' | '\\' | '<' | '>' | '^' | '#' | '[' | ']' | '{' | '}' => " ",
        ' '..='~' => {
            let at = c as usize - ' ' as usize;
            &ASCII[at..=at]
        }
        '‘' | '’' | '‚' | 'ʼ' | '´' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '…' => "...",
        '‐' | '‑' => "-",
        '−' => " minus ",
        '×' => " times ",
        '÷' => " divided by ",
        '°' => " degrees ",
        '€' => " euros ",
        '£' => " pounds ",
        '½' => " one half ",
        '¼' => " one quarter ",
        '¾' => " three quarters ",
        'ß' => "ss",
        'Æ' | 'æ' => "ae",
        'Œ' | 'œ' => "oe",
        'Þ' | 'þ' => "th",
        // Joiners, variation selectors and combining accents belong to the character before.
        '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}' => "",
        _ => base_letter(c).unwrap_or(" "),
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

    fn one(text: &str) -> String {
        parts(text)
            .into_iter()
            .map(|part| part.ascii)
            .collect::<Vec<_>>()
            .join("|")
    }

    #[test]
    fn what_flite_cannot_read_is_spelled_or_dropped() {
        for (text, want) in [
            ("Hello  there.\n", "Hello there."),
            ("Zoë’s “naïve” café", "Zoe's \"naive\" cafe"),
            ("wait — what", "wait, what"),
            ("wait—what", "wait, what"),
            ("pages 10–12", "pages 10 to 12"),
            ("**bold** `code` #1", "bold code number 1"),
            ("well… C++ & a@b", "well... C plus plus and a at b"),
            ("3/4 and/or", "3/4 and or"),
            ("hi 🙂 you 日本", "hi you"),
            ("Straße", "Strasse"),
            ("cafe\u{301}", "cafe"),
            ("", ""),
            ("?!... — 🙂", ""),
        ] {
            assert_eq!(one(text), want, "{text:?}");
        }
    }

    #[test]
    fn every_byte_leads_back_into_the_text() {
        let text = "Zoë — 🙂 said “no”… 10–12";
        let part = parts(text).remove(0);
        let mut last = 0;
        for len in 0..=part.ascii.len() {
            let end = part.original_end(len);
            assert!(end >= last && text.is_char_boundary(end));
            last = end;
        }
        let said = part.ascii.find("said").expect("it is there") + 4;
        assert_eq!(
            part.original_end(said),
            text.find("said").expect("it is there") + 4
        );
    }

    #[test]
    fn long_text_is_cut_where_one_would_breathe() {
        let text = "This is a sentence of some length, with a comma in it. ".repeat(40);
        let parts = parts(&text);
        assert!(parts.len() > 8);
        assert!(
            parts
                .iter()
                .all(|part| part.ascii.len() <= 240 && part.ascii.ends_with('.'))
        );
        let words: usize = parts.iter().map(|part| part.ascii.split(' ').count()).sum();
        assert_eq!(words, 40 * 12);
        let smash = super::parts(&"x".repeat(1_000));
        let longest = smash
            .iter()
            .flat_map(|part| part.ascii.split(' '))
            .map(str::len)
            .max();
        assert_eq!(longest, Some(TOKEN_CHARS_MAX));
        assert_eq!(
            smash
                .iter()
                .map(|part| part.ascii.matches('x').count())
                .sum::<usize>(),
            1_000
        );
    }
}
