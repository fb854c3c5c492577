//! Markup within a line.

use super::{Plain, folded};

/// How far the end of a tag, a link or an entity is looked for, in characters: what is longer is
/// no markup. Bounds the work on texts full of openings.
const LOOK_AHEAD_CHARS: usize = 300;

/// Adds the words of `body`, which begins `offset` bytes into the original.
pub(super) fn push(plain: &mut Plain, body: &str, offset: usize, row: bool) {
    let chars: Vec<(usize, char)> = body
        .char_indices()
        .map(|(at, c)| (offset + at, c))
        .collect();
    let mut line = Line {
        chars,
        end: offset + body.len(),
        row,
        hidden: None,
    };
    let mut at = 0;
    while at < line.chars.len() {
        at = line.take(at, plain);
    }
}

struct Line {
    chars: Vec<(usize, char)>,
    end: usize,
    row: bool,
    /// The target of a link whose words are being read: from its `]` to behind its `)`.
    hidden: Option<(usize, usize)>,
}

impl Line {
    fn c(&self, at: usize) -> char {
        self.chars.get(at).map_or(' ', |&(_, c)| c)
    }

    fn before(&self, at: usize) -> char {
        at.checked_sub(1).map_or(' ', |at| self.c(at))
    }

    /// The offset in the original of a character.
    fn offset(&self, at: usize) -> usize {
        self.chars.get(at).map_or(self.end, |&(offset, _)| offset)
    }

    fn find(&self, from: usize, wanted: char) -> Option<usize> {
        let to = (from + LOOK_AHEAD_CHARS).min(self.chars.len());
        (from..to).find(|&at| self.c(at) == wanted)
    }

    fn run(&self, at: usize) -> usize {
        let c = self.c(at);
        (at..self.chars.len())
            .take_while(|&at| self.c(at) == c)
            .count()
    }

    /// Takes the character at `at`, or all of the markup that begins there; returns what is next.
    fn take(&mut self, at: usize, plain: &mut Plain) -> usize {
        // Other markup may have swallowed the end of a link.
        self.hidden = self.hidden.filter(|&(from, _)| from >= at);
        if let Some((_, to)) = self.hidden.filter(|&(from, _)| from == at) {
            plain.covers(self.offset(to));
            self.hidden = None;
            return to;
        }
        let (c, next) = (self.c(at), self.c(at + 1));
        match c {
            '\\' if next.is_ascii_punctuation() => self.escaped(at, plain),
            '`' => self.drop(at + 1, plain),
            '*' => self.star(at, plain),
            '_' => self.underscore(at, plain),
            '~' if next == '~' => self.drop(at + 2, plain),
            '[' => self.bracket(at, plain),
            '!' if next == '[' && self.before(at).is_whitespace() => at + 1,
            '<' => self.tag(at, plain),
            '&' => self.entity(at, plain),
            '|' => {
                let pause = if self.row { ", " } else { " " };
                plain.push_str(pause, self.offset(at + 1));
                at + 1
            }
            '.' | '…' => self.dots(at, plain),
            '—' | '―' | '–' | '−' => self.dash(at, plain),
            _ => {
                match folded(c) {
                    Some(c) => plain.push(c, self.offset(at + 1)),
                    None => plain.covers(self.offset(at + 1)),
                }
                at + 1
            }
        }
    }

    fn drop(&self, to: usize, plain: &mut Plain) -> usize {
        // An opening mark belongs to what follows it.
        if plain
            .text
            .chars()
            .next_back()
            .is_some_and(|c| !c.is_whitespace())
        {
            plain.covers(self.offset(to));
        }
        to
    }

    fn escaped(&self, at: usize, plain: &mut Plain) -> usize {
        let c = self.c(at + 1);
        // What the mark-up languages of mathematics open and close.
        let c = if matches!(c, '(' | ')' | '[' | ']' | '{' | '}') {
            ' '
        } else {
            c
        };
        plain.push(c, self.offset(at + 2));
        at + 2
    }

    /// Emphasis, or a multiplication.
    fn star(&self, at: usize, plain: &mut Plain) -> usize {
        let stars = self.run(at);
        let operand = |c: char| c.is_ascii_digit() || matches!(c, '(' | ')');
        let spaces = |from: usize| usize::from(self.c(from) == ' ');
        let after = self.c(at + stars + spaces(at + stars));
        let before = at.checked_sub(1).map_or(' ', |last| {
            if self.c(last) == ' ' {
                self.before(last)
            } else {
                self.c(last)
            }
        });
        if operand(before) && operand(after) && stars <= 2 {
            let sign = if stars == 2 { "^" } else { " × " };
            plain.push_str(sign, self.offset(at + stars));
            return at + stars;
        }
        self.drop(at + stars, plain)
    }

    fn underscore(&self, at: usize, plain: &mut Plain) -> usize {
        let run = self.run(at);
        let inside = self.before(at).is_alphanumeric() && self.c(at + run).is_alphanumeric();
        if !inside {
            return self.drop(at + run, plain);
        }
        plain.push('_', self.offset(at + run));
        at + run
    }

    /// `[words](target)`, `[words][reference]`, `[^1]`, `[1]`.
    fn bracket(&mut self, at: usize, plain: &mut Plain) -> usize {
        let offset = self.offset(at + 1);
        let Some(close) = self.find(at + 1, ']') else {
            plain.push('[', offset);
            return at + 1;
        };
        let inner = (at + 1..close).map(|at| self.c(at));
        let cited = self.c(at + 1) == '^'
            || (close - at <= 4
                && close > at + 1
                && inner.clone().all(|c| c.is_ascii_digit())
                && !self.before(at).is_whitespace());
        if cited {
            return self.drop(close + 1, plain);
        }
        let target = match self.c(close + 1) {
            '(' => self.find(close + 2, ')'),
            '[' => self.find(close + 2, ']'),
            _ => None,
        };
        match target {
            Some(end) if self.hidden.is_none() => self.hidden = Some((close, end + 1)),
            Some(_) | None => plain.push('[', offset),
        }
        at + 1
    }

    /// A tag, a comment, an address in angle brackets; else a sign.
    fn tag(&self, at: usize, plain: &mut Plain) -> usize {
        let first = self.c(at + 1);
        let opens = first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?');
        let close = if opens { self.find(at + 1, '>') } else { None };
        let Some(close) = close else {
            plain.push('<', self.offset(at + 1));
            return at + 1;
        };
        let inner: String = (at + 1..close).map(|at| self.c(at)).collect();
        if !inner.contains(' ') && (inner.contains("://") || inner.contains('@')) {
            return at + 1;
        }
        let name: String = inner
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if matches!(
            name.as_str(),
            "br" | "p" | "li" | "tr" | "td" | "div" | "h1" | "h2" | "h3"
        ) {
            plain.push(' ', self.offset(close + 1));
        }
        self.drop(close + 1, plain)
    }

    fn entity(&self, at: usize, plain: &mut Plain) -> usize {
        let close = (at + 2..at + 10).find(|&at| self.c(at) == ';');
        let decoded = close.and_then(|close| {
            let name: String = (at + 1..close).map(|at| self.c(at)).collect();
            Some((close + 1, decode(&name)?))
        });
        let (next, c) = decoded.unwrap_or((at + 1, '&'));
        match folded(c) {
            Some(c) => plain.push(c, self.offset(next)),
            None => plain.covers(self.offset(next)),
        }
        next
    }

    /// Two dots and more are one pause.
    fn dots(&self, at: usize, plain: &mut Plain) -> usize {
        let more = (at..self.chars.len())
            .take_while(|&at| matches!(self.c(at), '.' | '…'))
            .count();
        let (end, next) = (self.offset(at + more), self.c(at + more));
        let path = matches!(next, '/' | '\\');
        if path || (more == 1 && self.c(at) == '.') {
            (0..more).for_each(|_| plain.push('.', end));
        } else {
            plain.push('…', end);
            if next.is_alphanumeric() {
                plain.push(' ', end);
            }
        }
        at + more
    }

    /// A dash between digits means a range or a sign, anywhere else a pause.
    fn dash(&self, at: usize, plain: &mut Plain) -> usize {
        let end = self.offset(at + 1);
        let (c, before, after) = (self.c(at), self.before(at), self.c(at + 1));
        let joins = before.is_alphanumeric() || matches!(before, '%' | '°' | '$' | '€' | '£');
        let number = after.is_ascii_digit() || matches!(after, '$' | '€' | '£' | '.');
        if c == '−' {
            plain.push('−', end);
        } else if c == '–' && joins && after.is_alphanumeric() || joins && number {
            plain.push('–', end);
        } else {
            plain.push_str(" — ", end);
        }
        at + 1
    }
}

fn decode(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" | "ldquo" | "rdquo" => '"',
        "apos" | "lsquo" | "rsquo" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "copy" => '©',
        "deg" => '°',
        "times" => '×',
        "euro" => '€',
        "pound" => '£',
        _ => return None,
    })
}
