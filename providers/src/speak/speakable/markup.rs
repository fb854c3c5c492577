//! What is written for the eye is taken away: Markdown, HTML, control characters, emoji. What stays
//! remembers where it stood.

mod inline;
mod line;

use super::symbol;

/// The text without its markup.
#[derive(Debug, Default)]
pub(super) struct Plain {
    pub(super) text: String,
    /// Where the original's last character that is no space ends.
    pub(super) whole_end: usize,
    /// For each byte of `text`: the byte offset in the original just behind what it stands for.
    ends: Vec<usize>,
}

impl Plain {
    fn push(&mut self, c: char, end: usize) {
        if c == ' ' && (self.text.is_empty() || self.text.ends_with(' ')) {
            return;
        }
        self.text.push(c);
        self.ends.resize(self.text.len(), end);
    }

    fn push_str(&mut self, text: &str, end: usize) {
        for c in text.chars() {
            self.push(c, end);
        }
    }

    /// The offset in the original behind the first `len` bytes.
    pub(super) fn original_end(&self, len: usize) -> usize {
        len.checked_sub(1)
            .and_then(|last| self.ends.get(last))
            .copied()
            .unwrap_or(0)
    }

    /// What was dropped up to `end` belongs to the last thing kept.
    fn covers(&mut self, end: usize) {
        if let Some(last) = self.ends.last_mut() {
            *last = (*last).max(end);
        }
    }

    /// Ends a line that stands by itself: what has no punctuation gets a full stop.
    fn end_block(&mut self, end: usize) {
        let trimmed = self.text.trim_end().len();
        self.text.truncate(trimmed);
        self.ends.truncate(trimmed);
        match self.text.chars().next_back() {
            None => return,
            Some('.' | '!' | '?' | ':' | ';' | ',' | '…' | '"' | '\'') => {}
            Some(_) => self.push('.', end),
        }
        self.push(' ', end);
    }
}

/// Takes the markup off.
pub(super) fn plain(text: &str) -> Plain {
    let mut plain = Plain {
        whole_end: text.trim_end().len(),
        ..Plain::default()
    };
    let mut lines = text.split_inclusive('\n').peekable();
    let mut start = 0;
    while let Some(line) = lines.next() {
        let end = start + line.len();
        let (kind, from) = line::kind(line);
        let body = line[from..].trim_end();
        match kind {
            line::Kind::Nothing => plain.covers(start + line.trim_end().len()),
            line::Kind::Text | line::Kind::Block | line::Kind::Row => {
                inline::push(&mut plain, body, start + from, kind == line::Kind::Row);
            }
        }
        let alone = kind != line::Kind::Text
            || lines
                .peek()
                .is_some_and(|next| line::kind(next).0 != line::Kind::Text);
        if !body.is_empty() && line.ends_with('\n') && alone && kind != line::Kind::Nothing {
            plain.end_block(start + from + body.len());
        } else {
            plain.push(' ', start + from + body.len());
        }
        start = end;
    }
    plain
}

/// The plain character that is read for `c`; `None` where nothing is.
fn folded(c: char) -> Option<char> {
    Some(match c {
        '\t'
        | '\n'
        | '\r'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => ' ',
        '‘' | '’' | '‚' | '‛' | 'ʼ' | '´' | '′' => '\'',
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' => '"',
        '‐' | '‑' => '-',
        '⁄' | '∕' => '/',
        '‹' | '›' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0)?,
        // Mathematical letters and digits, which some write for bold and italics.
        '\u{1d400}'..='\u{1d6a3}' => {
            let nth = (c as u32 - 0x1d400) % 52;
            char::from_u32(if nth < 26 { 65 + nth } else { 71 + nth })?
        }
        '\u{1d7ce}'..='\u{1d7ff}' => char::from_u32(48 + (c as u32 - 0x1d7ce) % 10)?,
        _ if c.is_control() || symbol::is_invisible(c) => return None,
        _ if symbol::is_emoji(c) => ' ',
        _ => c,
    })
}
