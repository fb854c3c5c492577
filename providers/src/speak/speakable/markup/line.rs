//! What a line is, by how it begins.

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words that go on from the line before.
    Text,
    /// A heading or a list item: it stands by itself.
    Block,
    /// A row of a table.
    Row,
    /// Nothing to say: empty, a rule, a fence, the line under a table's head.
    Nothing,
}

/// What `line` is, and where what it says begins.
pub(super) fn kind(line: &str) -> (Kind, usize) {
    let mut from = indent(line, 0);
    let mut quoted = false;
    while line[from..].starts_with('>') && spaced(line, from + 1) {
        from = indent(line, from + 1);
        quoted = true;
    }
    let rest = line[from..].trim_end();
    if rest.is_empty() || is_rule(rest) || rest.starts_with("```") || rest.starts_with("~~~") {
        return (Kind::Nothing, from);
    }
    if rest.starts_with('|') {
        return (Kind::Row, from + 1);
    }
    let hashes = rest.bytes().take_while(|&b| b == b'#').count();
    if (1..=6).contains(&hashes) && spaced(line, from + hashes) {
        return (Kind::Block, indent(line, from + hashes));
    }
    if let Some(bullet) = bullet(rest).filter(|&len| spaced(line, from + len)) {
        let from = indent(line, from + bullet);
        return (Kind::Block, from + checkbox(&line[from..]));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = (1..=3).contains(&digits) && rest[digits..].starts_with(['.', ')']);
    if numbered && rest[digits + 1..].starts_with(' ') {
        return (Kind::Block, from);
    }
    (if quoted { Kind::Block } else { Kind::Text }, from)
}

fn indent(line: &str, from: usize) -> usize {
    let rest = &line[from..];
    from + rest.len() - rest.trim_start_matches([' ', '\t']).len()
}

fn spaced(line: &str, at: usize) -> bool {
    line[at..].chars().next().is_none_or(char::is_whitespace)
}

fn bullet(rest: &str) -> Option<usize> {
    rest.chars()
        .next()
        .filter(|c| matches!(c, '-' | '*' | '+' | '•' | '◦' | '▪' | '‣' | '·'))
        .map(char::len_utf8)
}

fn checkbox(rest: &str) -> usize {
    let boxed = ["[ ] ", "[x] ", "[X] "];
    if boxed.iter().any(|mark| rest.starts_with(mark)) {
        4
    } else {
        0
    }
}

/// `---`, `***`, `___`, `===`, `|---|:-:|`.
fn is_rule(rest: &str) -> bool {
    let strokes = rest
        .bytes()
        .filter(|b| matches!(b, b'-' | b'*' | b'_' | b'='))
        .count();
    let only = |c: char| matches!(c, '-' | '*' | '_' | '=' | '|' | ':' | ' ' | '+');
    strokes >= 3 && rest.chars().all(only)
}
