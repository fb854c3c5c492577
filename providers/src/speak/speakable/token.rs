//! Words as they stand between spaces, with the marks around them.

/// Longest run without a space that is taken as one token, in bytes; the rest is the next.
/// Bounds the work that each rule does.
const TOKEN_BYTES_MAX: usize = 512;

/// A word with the marks around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    /// Quotes and brackets before it.
    pub(super) lead: &'a str,
    /// The word. Empty where there are only marks.
    pub(super) core: &'a str,
    /// Punctuation, quotes and brackets behind it.
    pub(super) trail: &'a str,
    /// Byte offset in the plain text behind `core`.
    pub(super) core_end: usize,
    /// Byte offset in the plain text behind `trail`.
    pub(super) end: usize,
    /// True where a double quote is open before it.
    pub(super) quoted: bool,
}

impl Token<'_> {
    /// True where the word is followed by nothing but a space, so that the next one may belong to it.
    pub(super) fn joins(&self) -> bool {
        self.trail.is_empty()
    }
}

/// Cuts a plain text into its tokens.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut quoted = false;
    let mut at = 0;
    for run in text.split(' ') {
        let mut rest = run;
        while !rest.is_empty() {
            let (word, tail) = rest.split_at(cut(rest));
            let token = token(word, at + run.len() - rest.len(), quoted);
            quoted ^= word.bytes().filter(|&b| b == b'"').count() % 2 == 1;
            tokens.push(token);
            rest = tail;
        }
        at += run.len() + 1;
    }
    tokens
}

fn cut(run: &str) -> usize {
    let mut at = run.len().min(TOKEN_BYTES_MAX);
    while !run.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn token(word: &str, start: usize, quoted: bool) -> Token<'_> {
    let opens = |c: char| {
        matches!(
            c,
            '"' | '\'' | '(' | '[' | '{' | '¿' | '¡' | ',' | ';' | '!'
        )
    };
    let closes = |c: char| {
        matches!(
            c,
            '"' | '\''
                | ')'
                | ']'
                | '}'
                | '.'
                | ','
                | '!'
                | '?'
                | ';'
                | ':'
                | '…'
                | '。'
                | '、'
                | '！'
        )
    };
    let body = word.trim_start_matches(opens);
    let core = body.trim_end_matches(closes);
    let lead = &word[..word.len() - body.len()];
    Token {
        lead,
        core,
        trail: &body[core.len()..],
        core_end: start + lead.len() + core.len(),
        end: start + word.len(),
        quoted: quoted ^ (lead.bytes().filter(|&b| b == b'"').count() % 2 == 1),
    }
}
