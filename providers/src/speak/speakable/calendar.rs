//! Dates and times of day.

use super::context::{Context, Phrase, is_capitalized, is_in};
use super::number::{Number, cardinal, is_digits, leading_digits, ordinal, year};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_SHORT: [&str; 13] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Sept",
];
const DAYS: [(&str, &str); 10] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Tues", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Thur", "Thursday"),
    ("Thurs", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];
/// Words before a date written as `3/4`.
const BEFORE_DATE: &[&str] = &[
    "on",
    "by",
    "since",
    "until",
    "till",
    "before",
    "after",
    "due",
    "dated",
    "date",
    "starting",
    "effective",
    "through",
    "thru",
];

/// `March 3rd, 2024`, `3 March 2024`, `Mar. 3`, `March 2024`, `Mon.`, `Mon-Fri`.
pub(super) fn written(context: &Context<'_>) -> Option<Phrase> {
    weekday(context)
        .or_else(|| month_first(context))
        .or_else(|| day_first(context))
}

fn month(word: &str) -> Option<usize> {
    if !is_capitalized(word) {
        return None;
    }
    let long = MONTHS
        .iter()
        .position(|month| month.eq_ignore_ascii_case(word));
    long.or_else(|| {
        MONTHS_SHORT
            .iter()
            .position(|month| *month == word)
            .map(|at| if at == 12 { 8 } else { at })
    })
}

fn month_first(context: &Context<'_>) -> Option<Phrase> {
    let name = MONTHS[month(context.core())?];
    let first = Phrase::one(name);
    let dotted = matches!(context.token().trail, "" | ".");
    let next = context
        .ahead(1)
        .filter(|token| dotted && token.lead.is_empty());
    let Some(next) = next else {
        return (context.core() != name && context.token().trail.starts_with('.'))
            .then(|| first.dotted(super::context::Dot::Both));
    };
    if let Some(year) = year_number(next.core) {
        return Some(first.then(super::number::year(year)));
    }
    let Some(day) = days(next.core) else {
        let short = !MONTHS.contains(&context.core());
        let abbreviated = short && context.token().trail == ".";
        return abbreviated.then(|| first.dotted(super::context::Dot::Abbreviates));
    };
    let phrase = first.then(day);
    let after = context
        .ahead(2)
        .filter(|token| token.lead.is_empty() && matches!(next.trail, "" | ","));
    Some(match after.and_then(|token| year_number(token.core)) {
        Some(value) => phrase.then(year(value)),
        None => phrase,
    })
}

fn day_first(context: &Context<'_>) -> Option<Phrase> {
    let day = day_number(context.core())?;
    let named = month(context.joined(1)).filter(|_| context.core().len() <= 4)?;
    // "Section 3 May apply"
    if context.joined(1) == "May"
        && !(context.after_any(1, BEFORE_DATE) || year_number(context.joined(2)).is_some())
    {
        return None;
    }
    let the = if context.back(1).eq_ignore_ascii_case("the") {
        ""
    } else {
        "the "
    };
    let phrase = Phrase::one(format!("{the}{} of", ordinal(day))).then(MONTHS[named]);
    let third = context.ahead(2).filter(|token| {
        token.lead.is_empty()
            && context
                .ahead(1)
                .is_some_and(|month| matches!(month.trail, "" | "," | "."))
    });
    Some(match third.and_then(|token| year_number(token.core)) {
        Some(value) => phrase.then(year(value)),
        None => phrase,
    })
}

fn weekday(context: &Context<'_>) -> Option<Phrase> {
    let full = |short: &str| {
        DAYS.iter()
            .find(|(known, _)| *known == short)
            .map(|&(_, full)| full)
    };
    if let Some((first, last)) = context.core().split_once(['-', '–']) {
        return Some(Phrase::one(format!("{} to {}", full(first)?, full(last)?)));
    }
    let day = full(context.core())?;
    let next = context.next();
    let sure = context.token().trail.starts_with('.') || context.token().trail == ",";
    let dated = month(next).is_some() || next.starts_with(|c: char| c.is_ascii_digit());
    let named = !matches!(context.core(), "Sat" | "Sun" | "Wed");
    ((sure && (named || dated)) || (dated && named))
        .then(|| Phrase::one(day).dotted(super::context::Dot::Both))
}

/// `3`, `3rd`, `3-5`.
fn days(text: &str) -> Option<String> {
    if let Some((first, last)) = text.split_once(['-', '–']) {
        return Some(format!(
            "{} to {}",
            ordinal(day_number(first)?),
            ordinal(day_number(last)?)
        ));
    }
    day_number(text).map(ordinal)
}

fn day_number(text: &str) -> Option<u64> {
    let digits = leading_digits(text);
    let suffix = &text[digits..];
    let fits = (1..=2).contains(&digits)
        && (suffix.is_empty() || is_in(suffix, &["st", "nd", "rd", "th"]));
    text[..digits]
        .parse()
        .ok()
        .filter(|day| fits && (1..=31).contains(day))
}

fn year_number(text: &str) -> Option<u64> {
    let year = text
        .parse()
        .ok()
        .filter(|_| text.len() == 4 && is_digits(text))?;
    (1_000..3_000).contains(&year).then_some(year)
}

/// A date in digits: `2024-03-05`, `2024-03-05T14:30:00Z`, `3/4/2024`, `31.12.2024`, and `3/4` where
/// the words before it say that it is one.
pub(super) fn digits(context: &Context<'_>, core: &str) -> Option<String> {
    if let Some((date, time)) = core.split_once('T')
        && let (Some(date), Some(time)) = (iso(date), clock(time.trim_end_matches('Z')))
    {
        return Some(format!("{date} at {time}"));
    }
    iso(core)
        .or_else(|| parts(core, '/'))
        .or_else(|| parts(core, '.'))
        .or_else(|| {
            let (month, day) = core
                .split_once('/')
                .filter(|_| context.after_any(1, BEFORE_DATE))?;
            date(month, day, None)
        })
}

fn iso(text: &str) -> Option<String> {
    let separator = text
        .chars()
        .find(|c| !c.is_ascii_digit())
        .filter(|c| matches!(c, '-' | '/' | '‑'))?;
    let mut parts = text.split(separator);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let usual = parts.next().is_none() && year.len() == 4;
    date(month, day, Some(year)).filter(|_| usual)
}

/// Month and day in the order of the United States, or day and month where that cannot be or dots
/// stand between.
fn parts(text: &str, separator: char) -> Option<String> {
    let mut parts = text.split(separator);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let usual = parts.next().is_none() && (year.len() == 4 || year.len() == 2 && separator == '/');
    let day_first = separator == '.' || first.parse::<u64>().is_ok_and(|first| first > 12);
    let (month, day) = if day_first {
        (second, first)
    } else {
        (first, second)
    };
    date(month, day, Some(year)).filter(|_| usual)
}

fn date(month: &str, day: &str, year: Option<&str>) -> Option<String> {
    if !is_digits(month) || !is_digits(day) || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let name = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let said = format!("{name} {}", ordinal(day));
    let Some(year) = year else { return Some(said) };
    if !is_digits(year) {
        return None;
    }
    let value: u64 = year.parse().ok()?;
    let value = match (year.len(), value) {
        (2, 0..=49) => value + 2_000,
        (2, _) => value + 1_900,
        _ => value,
    };
    Some(format!("{said} {}", self::year(value)))
}

/// A time of day or a length of time: `3:30`, `15:45`, `3pm`, `3:30pm`, `1:05:20`.
pub(super) fn clock(core: &str) -> Option<String> {
    let lower = core.to_ascii_lowercase();
    let half = ["a.m", "p.m", "am", "pm"]
        .into_iter()
        .find(|half| lower.ends_with(half));
    let time = &core[..core.len() - half.map_or(0, str::len)];
    let half = half.map(|half| {
        if half.starts_with('a') {
            " A M"
        } else {
            " P M"
        }
    });
    if is_digits(time) && time.len() <= 2 {
        let hour: u64 = time.parse().ok().filter(|hour| (0..=12).contains(hour))?;
        return half.map(|half| format!("{}{half}", cardinal(hour)));
    }
    let mut fields = time.split(':');
    let (hour, minute, second) = (fields.next()?, fields.next()?, fields.next());
    let second = second.map(|second| second.split_once('.').map_or(second, |(whole, _)| whole));
    let usual = fields.next().is_none()
        && is_digits(hour)
        && hour.len() <= 2
        && minute.len() == 2
        && is_digits(minute)
        && second.is_none_or(|second| second.len() == 2 && is_digits(second));
    if !usual {
        return None;
    }
    let (hour, minutes) = (hour.parse::<u64>().ok()?, minute.parse::<u64>().ok()?);
    if minutes > 59 || hour > 24 {
        return None;
    }
    let said = match (minutes, half) {
        (0, None) if (1..=12).contains(&hour) && second.is_none() => {
            return Some(format!("{} o'clock", cardinal(hour)));
        }
        (0, None) if second.is_none() => format!("{} hundred", cardinal(hour)),
        (0, _) if second.is_none() => cardinal(hour),
        (0..=9, _) => format!("{} oh {}", cardinal(hour), cardinal(minutes)),
        _ => format!("{} {}", cardinal(hour), cardinal(minutes)),
    };
    let seconds = second
        .and_then(|second| second.parse::<u64>().ok())
        .filter(|&second| second > 0);
    let seconds = seconds.map_or(String::new(), |second| {
        format!(
            " and {} {}",
            cardinal(second),
            if second == 1 { "second" } else { "seconds" }
        )
    });
    Some(format!("{said}{}{seconds}", half.unwrap_or_default()))
}

/// True for a number that is a year by its size or by the words before it.
pub(super) fn is_year(context: &Context<'_>, number: &Number) -> bool {
    const BEFORE: &[&str] = &[
        "in",
        "since",
        "year",
        "until",
        "till",
        "circa",
        "c",
        "ca",
        "early",
        "late",
        "mid",
        "summer",
        "winter",
        "spring",
        "fall",
        "autumn",
        "class",
        "election",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let Some(value) = number
        .value()
        .filter(|_| number.is_plain() && number.whole.len() == 4)
    else {
        return false;
    };
    match value {
        1_100..=1_999 | 2_010..=2_039 => true,
        1_000..=2_999 => context.after_any(1, BEFORE),
        _ => false,
    }
}
