//! Numbers that span words: telephone numbers, mixed fractions, numbers with a unit behind a space.

use super::code::one_as_a;
use super::context::{Context, Phrase};
use super::number::{Number, cardinal, digits, is_digits, ordinal, plural};
use super::{symbol, unit};

/// Groups of a telephone number.
const GROUPS_MAX: usize = 6;
/// Digits of a telephone number: ITU-T E.164 allows fifteen.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A telephone number written with spaces: `(555) 123-4567`, `+44 20 7946 0958`, `555 123 4567`.
pub(super) fn phone(context: &Context<'_>) -> Option<Phrase> {
    let first = context.core().strip_prefix('+').unwrap_or(context.core());
    let international = first.len() < context.core().len();
    let bracketed = context.token().lead.ends_with('(') && context.token().trail == ")";
    let mut groups: Vec<Vec<&str>> = vec![first.split(['-', '.']).collect()];
    for nth in 1..GROUPS_MAX {
        let (Some(before), Some(token)) = (context.ahead(nth - 1), context.ahead(nth)) else {
            break;
        };
        let open =
            before.joins() && (token.lead.is_empty() || token.lead == "(") || before.trail == ")";
        let fields: Vec<&str> = token.core.split(['-', '.']).collect();
        if !open
            || !fields
                .iter()
                .all(|field| is_digits(field) && (2..=4).contains(&field.len()))
        {
            break;
        }
        groups.push(fields);
    }
    let fields: Vec<&str> = groups.iter().flatten().copied().collect();
    if !fields.iter().all(|field| is_digits(field)) || fields.len() > 8 {
        return None;
    }
    let lengths: Vec<usize> = fields.iter().map(|field| field.len()).collect();
    let count: usize = lengths.iter().sum();
    let national = matches!(lengths.as_slice(), [3, 3, 4] | [1, 3, 3, 4]) && groups.len() > 1;
    let fits = PHONE_DIGITS.contains(&count) && (international && groups.len() > 1 || national);
    if !fits || (!international && !bracketed && groups.len() > 1 && !national) {
        return None;
    }
    let said = groups.iter().map(|group| {
        group
            .iter()
            .map(|digits| spoken_group(digits))
            .collect::<Vec<_>>()
            .join(", ")
    });
    let mut parts: Vec<String> = said.collect();
    let last = parts.len() - 1;
    parts[..last].iter_mut().for_each(|part| part.push(','));
    if international {
        parts[0].insert_str(0, "plus ");
    }
    Some(Phrase {
        parts,
        ..Phrase::default()
    })
}

/// A telephone number in one word: `555-1234`, `555-123-4567`, `1-800-555-0199`, `+15551234567`,
/// `1-800-FLOWERS`.
pub(super) fn phone_number(core: &str) -> Option<String> {
    let body = core.strip_prefix('+').unwrap_or(core);
    let plus = if body.len() < core.len() { "plus " } else { "" };
    if !plus.is_empty() && is_digits(body) && PHONE_DIGITS.contains(&body.len()) {
        return Some(format!("plus {}", digits(body)));
    }
    let separator = body
        .chars()
        .find(|c| !c.is_ascii_digit())
        .filter(|c| matches!(c, '-' | '.' | ')'))?;
    let fields: Vec<&str> = body.split(['-', '.', ')']).take(8).collect();
    let (last, head) = fields.split_last()?;
    let lettered = last.len() >= 4 && last.bytes().all(|b| b.is_ascii_uppercase());
    if !head.iter().all(|field| is_digits(field)) || !(is_digits(last) || lettered) {
        return None;
    }
    let lengths: Vec<usize> = fields.iter().map(|field| field.len()).collect();
    let round = fields.iter().all(|field| field.ends_with('0'));
    let fits = match lengths.as_slice() {
        [3, 4] => separator == '-' && !round,
        [3, 3, 4] | [1, 3, 3, 4] => true,
        [3, 2, 4] => separator == '-',
        [1, 3, _] => lettered,
        _ => !plus.is_empty() && PHONE_DIGITS.contains(&lengths.iter().sum()),
    };
    let said = fields.iter().map(|field| {
        if is_digits(field) {
            spoken_group(field)
        } else {
            field.to_ascii_lowercase()
        }
    });
    fits.then(|| format!("{plus}{}", said.collect::<Vec<_>>().join(", ")))
}

fn spoken_group(group: &str) -> String {
    match group.as_bytes() {
        [first @ b'1'..=b'9', b'0', b'0'] => cardinal(u64::from(first - b'0') * 100),
        _ => digits(group),
    }
}

/// A number with what belongs to it behind a space: `1 1/2`, `5 km`, `1/2 km`.
pub(super) fn quantity(context: &Context<'_>) -> Option<Phrase> {
    let core = context.core();
    let next = context.joined(1);
    if next.is_empty() {
        return None;
    }
    if let Some(part) = part_of_one(core) {
        let unit = unit::name(next, true, false)?;
        return Some(match part.as_str() {
            "one half" => Phrase::one("half").then(format!("a {unit}")),
            _ => Phrase::one(part).then(format!("of a {unit}")),
        });
    }
    if let Some((above, below)) = core.split_once('/')
        && let (Some((above, "")), Some((below, ""))) = (Number::read(above), Number::read(below))
    {
        let unit = unit::name(next, false, false)?;
        return Some(Phrase::one(format!("{} over {}", above.words(), below.words())).then(unit));
    }
    let (number, rest) = Number::read(core)?;
    if let Some(part) = part_of_one(next)
        .filter(|_| rest.is_empty() && number.is_plain() && number.whole.len() <= 3)
    {
        let phrase = Phrase::one(number.words()).then(format!("and {}", one_as_a(&part)));
        return Some(match unit::name(context.joined(2), false, false) {
            Some(unit) => phrase.then(unit),
            None => phrase,
        });
    }
    if rest.is_empty() {
        let unit = unit::name(next, number.is_one(), false)?;
        return Some(Phrase::one(number.words()).then(unit));
    }
    // "5-10 km", "10–12 °C"
    let upper = rest.strip_prefix(['-', '–'])?;
    let (upper, "") = Number::read(upper)? else {
        return None;
    };
    let unit = unit::name(next, false, false)?;
    Some(Phrase::one(format!("{} to {}", number.words(), upper.words())).then(unit))
}

/// A proper fraction in words.
fn part_of_one(text: &str) -> Option<String> {
    let mut chars = text.chars();
    if let (Some(sign), None) = (chars.next(), chars.next()) {
        return symbol::name(sign)
            .filter(|_| matches!(sign, '¼'..='¾' | '⅓'..='⅞'))
            .map(str::to_owned);
    }
    let (above, below) = text.split_once('/')?;
    if !is_digits(above) || !is_digits(below) || above.len() > 2 || below.len() > 2 {
        return None;
    }
    let (top, bottom): (u64, u64) = (above.parse().ok()?, below.parse().ok()?);
    if top == 0 || top >= bottom {
        return None;
    }
    let part = match bottom {
        2 => "half".to_owned(),
        4 => "quarter".to_owned(),
        _ => ordinal(bottom),
    };
    Some(format!(
        "{} {}",
        cardinal(top),
        if top == 1 { part } else { plural(&part) }
    ))
}
