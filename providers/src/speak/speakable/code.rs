//! Words with digits in them, and whatever no other rule knows.

use super::context::{Context, Phrase, is_in};
use super::mixed::mixed;
use super::number::{Number, cardinal, digits, is_digits, ordinal, pairs, plural, year};
use super::{calendar, measure, symbol, unit};

/// What the number behind is a code, said digit by digit.
const CODES: &[&str] = &[
    "code",
    "pin",
    "zip",
    "extension",
    "ext",
    "passcode",
    "password",
    "otp",
    "account",
    "id",
    "number's",
    "call",
    "dial",
    "text",
    "phone",
    "ring",
    "digits",
    "postcode",
    "serial",
];
/// What the number behind is a name, said in pairs.
const NAMED: &[&str] = &[
    "room",
    "flight",
    "suite",
    "apartment",
    "apt",
    "channel",
    "boeing",
    "airbus",
    "rtx",
    "gtx",
    "rx",
    "error",
    "http",
    "highway",
    "interstate",
    "bus",
    "form",
];

/// A word that holds a digit.
pub(super) fn number(context: &Context<'_>) -> Option<Phrase> {
    let core = context.core();
    let counts = |c: char| {
        c.is_ascii_digit() || matches!(c, '½' | '¼' | '¾' | '⅓' | '⅔' | '⅛' | '⅜' | '⅝' | '⅞' | '⅕')
    };
    if !core.contains(counts) {
        return None;
    }
    let first = core.chars().next()?;
    if matches!(
        first,
        '#' | '~' | '<' | '>' | '≤' | '≥' | '≈' | '±' | '+' | '@' | '№' | '§' | '=' | '×'
    ) && core[first.len_utf8()..].starts_with(|c: char| c.is_ascii_digit() || c == '.')
    {
        let name = symbol::name(first).unwrap_or("");
        let rest = &core[first.len_utf8()..];
        return Some(Phrase::one(format!("{name} {}", value(context, rest))));
    }
    Some(Phrase::one(value(context, core)))
}

fn value(context: &Context<'_>, core: &str) -> String {
    special(context, core)
        .or_else(|| measure::phone_number(core))
        .or_else(|| dotted(context, core))
        .or_else(|| calendar::digits(context, core))
        .or_else(|| calendar::clock(core))
        .or_else(|| fraction(context, core))
        .or_else(|| range(context, core))
        .or_else(|| counted(context, core))
        .or_else(|| code_after(context, core))
        .unwrap_or_else(|| mixed(core))
}

fn special(context: &Context<'_>, core: &str) -> Option<String> {
    let said = match core {
        "007" => "double oh seven",
        "24/7" => "twenty four seven",
        "9/11" if !context.after_any(1, &["on", "by", "due"]) => "nine eleven",
        "50/50" | "50-50" => "fifty fifty",
        "20/20" => "twenty twenty",
        "911" => "nine one one",
        "747" | "737" | "767" | "777" | "787" if context.after_any(1, &["a", "boeing", "the"]) => {
            return Some(pairs(core));
        }
        _ => return None,
    };
    Some(said.to_owned())
}

/// Versions and addresses of machines.
fn dotted(context: &Context<'_>, core: &str) -> Option<String> {
    let versioned = core
        .strip_prefix(['v', 'V'])
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let body = versioned.unwrap_or(core);
    let (host, tail) = body.split_at(body.find([':', '/', '-', '+']).unwrap_or(body.len()));
    let fields: Vec<&str> = host.split('.').collect();
    if fields.len() > 8
        || !fields
            .iter()
            .all(|field| is_digits(field) && field.len() <= 10)
    {
        return None;
    }
    let octets = fields
        .iter()
        .all(|field| field.parse::<u16>().is_ok_and(|value| value < 256));
    if fields.len() == 4 && octets && versioned.is_none() {
        let fields: Vec<String> = fields.iter().map(|field| pairs(field)).collect();
        let tail = match tail.chars().next() {
            Some(':') => format!(" port {}", pairs(&tail[1..])),
            Some('/') => format!(" slash {}", mixed(&tail[1..])),
            Some(_) => format!(" {}", mixed(tail)),
            None => String::new(),
        };
        return Some(fields.join(" dot ") + &tail);
    }
    let named = context.after_any(
        1,
        &[
            "version", "python", "ios", "macos", "android", "java", "node", "release", "ubuntu",
        ],
    );
    if versioned.is_none()
        && (fields.len() < 3 && !(named && fields.len() == 2) || !tail.is_empty())
    {
        return None;
    }
    // 31.12.2024 is a date.
    if versioned.is_none() && calendar::digits(context, core).is_some() {
        return None;
    }
    let fields: Vec<String> = fields
        .iter()
        .map(|field| match field.parse::<u64>() {
            Ok(value) if field.len() < 4 => cardinal(value),
            Ok(_) | Err(_) => digits(field),
        })
        .collect();
    let tail = if tail.is_empty() {
        String::new()
    } else {
        format!(" {}", mixed(tail))
    };
    let version = if versioned.is_some() { "version " } else { "" };
    Some(format!("{version}{}{tail}", fields.join(" point ")))
}

/// `1/2`, `3/4`, `5/16`, `10/10`, `½`, `2½`.
fn fraction(context: &Context<'_>, core: &str) -> Option<String> {
    if let Some(sign) = core.chars().next_back().filter(|c| !c.is_ascii()) {
        let name = symbol::name(sign)?;
        let whole = &core[..core.len() - sign.len_utf8()];
        return match (whole, sign) {
            ("", '½') if context.joined(1) == "an" || context.joined(1) == "a" => {
                Some("half".into())
            }
            ("", _) => Some(name.to_owned()),
            (_, '²' | '³' | '°') => None,
            _ => Some(format!(
                "{} and {}",
                Number::read(whole)?.0.words(),
                one_as_a(name)
            )),
        };
    }
    let (above, below) = core.split_once('/')?;
    let (top, bottom): (u64, u64) = (above.parse().ok()?, below.parse().ok()?);
    if !is_digits(above) || !is_digits(below) || above.len() > 4 || below.len() > 4 {
        return None;
    }
    let rated = is_in(context.joined(1), &["star", "stars", "points", "correct"])
        || context.after_any(2, &["scored", "rated", "score", "rating"]);
    Some(match (top, bottom) {
        _ if rated || top == bottom => format!("{} out of {}", cardinal(top), cardinal(bottom)),
        (_, 0) => format!("{} over zero", cardinal(top)),
        (1, 2) => "one half".into(),
        (_, 2) => format!("{} halves", cardinal(top)),
        (_, 4) => format!(
            "{} {}",
            cardinal(top),
            if top == 1 { "quarter" } else { "quarters" }
        ),
        (_, 3..=20 | 25 | 32 | 64 | 100 | 1_000) if top < bottom => {
            let part = ordinal(bottom);
            format!(
                "{} {}",
                cardinal(top),
                if top == 1 { part } else { plural(&part) }
            )
        }
        _ => format!("{} over {}", cardinal(top), cardinal(bottom)),
    })
}

/// "one half" behind "and" is "a half".
pub(super) fn one_as_a(words: &str) -> String {
    match words.strip_prefix("one ") {
        Some(rest) if !rest.starts_with("eighth") => format!("a {rest}"),
        Some(rest) => format!("an {rest}"),
        None => words.to_owned(),
    }
}

/// `10–12`, `9am-5pm`, `5-10%`, `1914–1918`, `3-2`, `2:1`.
fn range(context: &Context<'_>, core: &str) -> Option<String> {
    if let Some((first, second)) = core.split_once(':')
        && is_digits(first)
        && is_digits(second)
        && first.len() <= 4
        && second.len() <= 4
    {
        return Some(format!(
            "{} to {}",
            cardinal(first.parse().ok()?),
            cardinal(second.parse().ok()?)
        ));
    }
    let (first, last) = core.split_at(
        core.char_indices()
            .skip(1)
            .find(|(_, c)| matches!(c, '-' | '–'))?
            .0,
    );
    let last = last.trim_start_matches(['-', '–']);
    if last.contains(['-', '–'])
        || !last.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '$')
    {
        return None;
    }
    let zip = is_digits(first) && first.len() == 5 && is_digits(last) && last.len() == 4;
    if zip {
        return Some(format!("{} dash {}", digits(first), digits(last)));
    }
    if let (Some((low, "")), Some((high, ""))) = (Number::read(first), Number::read(last))
        && low.whole.len() == 4
        && calendar::is_year(context, &low)
    {
        let high_words = high.value().map(|value| {
            if high.whole.len() == 4 {
                year(value)
            } else {
                cardinal(value)
            }
        });
        return Some(format!("{} to {}", year(low.value()?), high_words?));
    }
    let side = |text: &str| {
        calendar::clock(text)
            .or_else(|| fraction(context, text))
            .or_else(|| counted(context, text))
    };
    Some(format!("{} to {}", side(first)?, side(last)?))
}

/// A number and what is written onto it: `1st`, `1960s`, `5%`, `10GB`, `2x`, `1h30m`.
fn counted(context: &Context<'_>, core: &str) -> Option<String> {
    let (number, rest) = Number::read(core)?;
    let lower = rest.to_ascii_lowercase();
    let said = match lower.as_str() {
        "" => return Some(plain(context, &number)),
        "st" | "nd" | "rd" | "th" if number.fraction.is_none() => ordinal(number.value()?),
        "s" | "'s" if number.fraction.is_none() && number.whole.len() != 1 => {
            let value = number.value()?;
            plural(&if (1_100..2_100).contains(&value) && value % 10 == 0 {
                year(value)
            } else {
                cardinal(value)
            })
        }
        "+" => format!("{} plus", number.words()),
        "x" | "×" => format!("{} times", number.words()),
        "bn" => format!("{} billion", number.words()),
        _ => match rest {
            "k" => format!("{} thousand", number.words()),
            "K" if number.fraction.is_some() => format!("{} thousand", number.words()),
            "M" => format!("{} million", number.words()),
            "B" => format!("{} billion", number.words()),
            _ => return attached(context, &number, rest),
        },
    };
    Some(said)
}

fn attached(context: &Context<'_>, number: &Number, rest: &str) -> Option<String> {
    let words = number.words();
    if let Some(power) = rest.strip_prefix('e').or_else(|| rest.strip_prefix('E'))
        && let Some((power, "")) = Number::read(power.trim_start_matches('+'))
    {
        return Some(format!("{words} times ten to the {}", power.words()));
    }
    if let Some(inches) = rest.strip_prefix('\'') {
        let (inches, "" | "\"") = Number::read(inches)? else {
            return None;
        };
        let foot = if number.is_one() { "foot" } else { "feet" };
        let inch = if inches.is_one() { "inch" } else { "inches" };
        return Some(format!("{words} {foot} {} {inch}", inches.words()));
    }
    if let Some(side) = rest
        .strip_prefix(['x', '×'])
        .filter(|side| side.starts_with(|c: char| c.is_ascii_digit()))
    {
        let pixels = |text: &str| text.len() == 4 && is_digits(text);
        return Some(match (pixels(&number.whole), pixels(side)) {
            (true, true) => format!("{} by {}", pairs(&number.whole), pairs(side)),
            _ => format!("{words} by {}", counted(context, side)?),
        });
    }
    let bare = rest.trim_start_matches('-');
    if let Some(unit) = unit::name(bare, number.is_one() || bare.len() < rest.len(), true) {
        return Some(format!("{words} {unit}"));
    }
    if let Some(said) = duration(number, rest) {
        return Some(said);
    }
    if bare.len() < rest.len()
        && bare.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
        && bare.len() > 1
    {
        return Some(format!("{words} {}", mixed(bare)));
    }
    rest.strip_prefix('/')
        .and_then(unit::one)
        .map(|per| format!("{words} per {per}"))
}

/// `1h30m`, `2h30`, `5m30s`.
fn duration(first: &Number, rest: &str) -> Option<String> {
    let (mut said, mut number, mut rest) = (String::new(), first.clone(), rest);
    for _ in 0..4 {
        let sign = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (one, many) = match &rest[..sign] {
            "d" => ("day", "days"),
            "h" | "hr" => ("hour", "hours"),
            "m" | "min" => ("minute", "minutes"),
            "s" | "sec" => ("second", "seconds"),
            "" if rest.is_empty() && !said.is_empty() => ("", ""),
            _ => return None,
        };
        said = format!(
            "{said} {} {}",
            number.words(),
            if number.is_one() { one } else { many }
        );
        rest = &rest[sign..];
        if rest.is_empty() {
            return Some(said.trim().to_owned());
        }
        (number, rest) = Number::read(rest)?;
    }
    None
}

/// A number by itself: a year, a code, a room, or just how many.
fn plain(context: &Context<'_>, number: &Number) -> String {
    let token = context.token();
    let singular = number.is_one();
    if token.trail.starts_with('"') && !token.quoted {
        return format!(
            "{} {}",
            number.words(),
            if singular { "inch" } else { "inches" }
        );
    }
    if token.trail.starts_with('\'') && !token.lead.contains('\'') && number.whole.len() == 1 {
        return format!(
            "{} {}",
            number.words(),
            if singular { "foot" } else { "feet" }
        );
    }
    if number.is_plain() {
        let code =
            context.after_any(1, CODES) || context.after_any(4, CODES) && code_context(context);
        if code && is_code(context, number) {
            return digits(&number.whole);
        }
        let state = context.back(1);
        let zip = number.whole.len() == 5
            && state.len() == 2
            && state.bytes().all(|b| b.is_ascii_uppercase());
        if zip {
            return digits(&number.whole);
        }
        if number.whole.len() >= 3 && context.after_any(1, NAMED) {
            return pairs(&number.whole);
        }
        let unit = unit::name(context.joined(1), false, false).is_some();
        if let Some(value) = number
            .value()
            .filter(|_| !unit && calendar::is_year(context, number))
        {
            return year(value);
        }
    }
    number.words()
}

/// "Call 911 now", but not "call 20 people".
fn is_code(context: &Context<'_>, number: &Number) -> bool {
    const BEHIND: &[&str] = &[
        "", "now", "and", "or", "if", "for", "to", "on", "at", "in", "from", "today", "is",
    ];
    let counted = !is_in(context.joined(1), BEHIND);
    let zeros = number.whole.starts_with('0');
    zeros || number.whole.len() >= 3 && !counted
}

/// "Your code is 4821", "text HOME to 741741".
fn code_context(context: &Context<'_>) -> bool {
    (1..=4)
        .take_while(|&n| !is_in(context.back(n), CODES))
        .all(|n| {
            let word = context.back(n);
            is_in(
                word,
                &["is", "to", "at", "or", "the", "for", "home", "hello"],
            ) || is_digits(word)
        })
}

fn code_after(context: &Context<'_>, core: &str) -> Option<String> {
    let grouped = core.split('-').all(is_digits) && context.after_any(3, CODES);
    grouped.then(|| core.split('-').map(digits).collect::<Vec<_>>().join(", "))
}
