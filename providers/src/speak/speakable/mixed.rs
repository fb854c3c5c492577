//! Words that no rule knows: letters, digits and signs, each by itself.

use super::number::{cardinal, digits, pairs};
use super::{symbol, word};

/// Runs of letters, digits and signs, each by itself. Digits within a code are said one by one.
pub(super) fn mixed(core: &str) -> String {
    let mut said = String::new();
    let math = core.contains(['=', '×', '÷', '^', '²', '³', '√', '≤', '≥', '±']);
    let changes = changes(core);
    let mut rest = core;
    while let Some(first) = rest.chars().next() {
        let kind = kind(first);
        let end = rest.find(|c| self::kind(c) != kind).unwrap_or(rest.len());
        let (run, tail) = match kind {
            Kind::Sign => rest.split_at(first.len_utf8()),
            Kind::Digits | Kind::Letters => rest.split_at(end),
        };
        rest = tail;
        let words = match kind {
            Kind::Digits => run_of_digits(run, changes, math, said.is_empty()),
            Kind::Letters => word::piece(run, math, changes > 0),
            Kind::Sign => sign(first, &said, tail, math).to_owned(),
        };
        let glue = first == '\''
            || said.ends_with('\'')
            || (first == '-' || said.ends_with('-')) && words != "minus";
        if !said.is_empty() && !words.is_empty() && !glue {
            said.push(' ');
        }
        said.push_str(&words);
    }
    said.trim_matches(['-', ' ', '\'']).to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Digits,
    Letters,
    Sign,
}

fn kind(c: char) -> Kind {
    if c.is_ascii_digit() {
        Kind::Digits
    } else if c.is_alphabetic() && !is_named_letter(c) || symbol_of_letters(c) {
        Kind::Letters
    } else {
        Kind::Sign
    }
}

/// Greek letters that stand for themselves in formulas are told by name.
fn is_named_letter(c: char) -> bool {
    matches!(c, 'π' | 'Ω' | 'µ' | 'Δ')
}

/// Accents that stand behind their letter.
fn symbol_of_letters(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// How often letters and digits take turns.
fn changes(core: &str) -> usize {
    let kinds: Vec<Kind> = core
        .chars()
        .map(kind)
        .filter(|&kind| kind != Kind::Sign)
        .collect();
    kinds.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

fn run_of_digits(run: &str, changes: usize, math: bool, begins: bool) -> String {
    match run.parse::<u64>() {
        Ok(value) if math && run.len() <= 15 => cardinal(value),
        _ if run.starts_with('0') && run.len() > 1 => digits(run),
        Ok(value) if run.len() <= 2 && (changes <= 2 || run.len() == 1) => cardinal(value),
        Ok(value) if changes == 0 && run.len() <= 3 => cardinal(value),
        Ok(_) if run.len() <= 4 && (changes == 1 || begins && changes == 0) => pairs(run),
        Ok(_) | Err(_) => digits(run),
    }
}

fn sign<'a>(c: char, before: &str, tail: &str, math: bool) -> &'a str {
    let next = tail.chars().next().unwrap_or(' ');
    match c {
        '-' | '–' if math => "minus",
        '-' if before.ends_with(char::is_lowercase) && next.is_lowercase() => "-",
        '\'' if !before.is_empty() && next.is_alphabetic() => "'",
        '/' if math => "over",
        '#' | '$' | '^' if !math => "",
        '.' if before.ends_with(char::is_lowercase) && next.is_ascii_digit() => "point",
        '@' if before.is_empty() => "at",
        '<' | '>' | '~' if !math => "",
        _ => symbol::name(c).unwrap_or(""),
    }
}
