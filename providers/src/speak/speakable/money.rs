//! Amounts of money.

use super::context::{Context, Phrase, is_in};
use super::mixed::mixed;
use super::number::{Number, cardinal};
use super::unit;

/// A currency: one, many, and the hundredth of it (empty where it has none that is said).
#[derive(Clone, Copy, Debug)]
struct Currency {
    one: &'static str,
    many: &'static str,
    cent: &'static str,
    cents: &'static str,
}

const fn currency(
    one: &'static str,
    many: &'static str,
    cent: &'static str,
    cents: &'static str,
) -> Currency {
    Currency {
        one,
        many,
        cent,
        cents,
    }
}

/// Signs, longest first.
const SIGNS: &[(&str, Currency)] = &[
    ("US$", currency("US dollar", "US dollars", "cent", "cents")),
    (
        "CA$",
        currency("Canadian dollar", "Canadian dollars", "cent", "cents"),
    ),
    (
        "AU$",
        currency("Australian dollar", "Australian dollars", "cent", "cents"),
    ),
    (
        "NZ$",
        currency("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    ),
    (
        "HK$",
        currency("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    ),
    ("R$", currency("real", "reais", "centavo", "centavos")),
    (
        "A$",
        currency("Australian dollar", "Australian dollars", "cent", "cents"),
    ),
    (
        "C$",
        currency("Canadian dollar", "Canadian dollars", "cent", "cents"),
    ),
    (
        "S$",
        currency("Singapore dollar", "Singapore dollars", "cent", "cents"),
    ),
    ("$", currency("dollar", "dollars", "cent", "cents")),
    ("€", currency("euro", "euros", "cent", "cents")),
    ("£", currency("pound", "pounds", "penny", "pence")),
    ("¥", currency("yen", "yen", "", "")),
    ("₹", currency("rupee", "rupees", "paisa", "paise")),
    ("₩", currency("won", "won", "", "")),
    ("₽", currency("ruble", "rubles", "kopek", "kopeks")),
    ("₿", currency("bitcoin", "bitcoin", "", "")),
    ("₺", currency("lira", "lira", "", "")),
    ("₪", currency("shekel", "shekels", "", "")),
    ("₫", currency("dong", "dong", "", "")),
    ("₴", currency("hryvnia", "hryvnias", "", "")),
    ("฿", currency("baht", "baht", "", "")),
];

/// Codes of ISO 4217.
const CODES: &[(&str, Currency)] = &[
    ("USD", currency("US dollar", "US dollars", "cent", "cents")),
    ("EUR", currency("euro", "euros", "cent", "cents")),
    (
        "GBP",
        currency("British pound", "British pounds", "penny", "pence"),
    ),
    ("JPY", currency("yen", "yen", "", "")),
    (
        "CHF",
        currency("Swiss franc", "Swiss francs", "centime", "centimes"),
    ),
    (
        "CAD",
        currency("Canadian dollar", "Canadian dollars", "cent", "cents"),
    ),
    (
        "AUD",
        currency("Australian dollar", "Australian dollars", "cent", "cents"),
    ),
    (
        "NZD",
        currency("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    ),
    (
        "INR",
        currency("Indian rupee", "Indian rupees", "paisa", "paise"),
    ),
    ("CNY", currency("yuan", "yuan", "", "")),
    ("SEK", currency("Swedish krona", "Swedish kronor", "", "")),
    (
        "NOK",
        currency("Norwegian krone", "Norwegian kroner", "", ""),
    ),
    ("DKK", currency("Danish krone", "Danish kroner", "", "")),
    ("PLN", currency("zloty", "zlotys", "", "")),
    (
        "MXN",
        currency("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    ),
    ("BRL", currency("real", "reais", "centavo", "centavos")),
    ("ZAR", currency("rand", "rand", "cent", "cents")),
    ("BTC", currency("bitcoin", "bitcoin", "", "")),
];

const MAGNITUDES: &[(&str, &str)] = &[
    ("k", "thousand"),
    ("K", "thousand"),
    ("m", "million"),
    ("M", "million"),
    ("mn", "million"),
    ("MM", "million"),
    ("b", "billion"),
    ("B", "billion"),
    ("bn", "billion"),
    ("Bn", "billion"),
    ("t", "trillion"),
    ("T", "trillion"),
    ("tn", "trillion"),
];

/// `$3.50`, `€2.5M`, `$5 million`, `20 USD`, `$5–10`, `5 €`, `$5/month`.
pub(super) fn amount(context: &Context<'_>) -> Option<Phrase> {
    let core = context.core();
    let next = context.joined(1);
    if let Some((prefix, currency, rest)) = signed(core) {
        let (words, scaled) = after_sign(currency, rest)?;
        let words = [prefix, &words].concat();
        let magnitude = is_in(
            next,
            &["hundred", "thousand", "million", "billion", "trillion"],
        );
        if magnitude && scaled == Scaled::No {
            let (number, _) = Number::read(rest)?;
            let words = [prefix, &number.words()].concat();
            return Some(Phrase::one(words).then(format!(
                "{} {}",
                next.to_ascii_lowercase(),
                currency.many
            )));
        }
        return Some(Phrase::one(words));
    }
    if let Some((_, currency)) = CODES.iter().find(|(code, _)| *code == core)
        && let Some((number, "")) = Number::read(next)
    {
        return Some(Phrase::one("").then(value(*currency, &number)));
    }
    let (number, rest) = Number::read(core)?;
    let behind = |name: &str| {
        SIGNS
            .iter()
            .chain(CODES)
            .find(|(sign, _)| *sign == name)
            .map(|&(_, it)| it)
    };
    if let Some(currency) = behind(rest) {
        return Some(Phrase::one(value(currency, &number)));
    }
    if rest == "¢" {
        let unit = if number.is_one() { "cent" } else { "cents" };
        return Some(Phrase::one(format!("{} {unit}", number.words())));
    }
    let currency = behind(next).filter(|_| rest.is_empty())?;
    let unit = if number.is_one() {
        currency.one
    } else {
        currency.many
    };
    Some(Phrase::one(number.words()).then(unit))
}

/// What stands before the sign in words, the currency, and what follows its sign.
fn signed(core: &str) -> Option<(&'static str, Currency, &str)> {
    let (prefix, rest) = match core.chars().next()? {
        '-' | '−' => ("minus ", core.trim_start_matches(['-', '−'])),
        '~' | '≈' => ("about ", core.trim_start_matches(['~', '≈'])),
        '+' => ("plus ", &core[1..]),
        '<' => ("less than ", &core[1..]),
        '>' => ("more than ", &core[1..]),
        _ => ("", core),
    };
    let (sign, currency) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign))?;
    Some((prefix, *currency, &rest[sign.len()..]))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scaled {
    No,
    Yes,
}

/// What follows a sign: `3.50`, `2.5M`, `5-10`, `5-$10`, `5/month`, `10+`.
fn after_sign(currency: Currency, text: &str) -> Option<(String, Scaled)> {
    let (number, rest) = Number::read(text)?;
    if rest.is_empty() {
        return Some((value(currency, &number), Scaled::No));
    }
    if rest == "+" {
        return Some((format!("{} plus", value(currency, &number)), Scaled::Yes));
    }
    if let Some(upper) = rest.strip_prefix(['-', '–']) {
        let upper = signed(upper).map_or(upper, |(_, _, rest)| rest);
        if let Some((words, _)) = after_sign(currency, upper) {
            return Some((format!("{} to {words}", number.words()), Scaled::Yes));
        }
        let unit = mixed(&upper.replace('-', " "));
        return Some((
            format!("{} {} {unit}", number.words(), currency.one),
            Scaled::Yes,
        ));
    }
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (magnitude, tail) = rest.split_at(letters);
    let words = match MAGNITUDES.iter().find(|(sign, _)| *sign == magnitude) {
        Some((_, name)) => format!("{} {name} {}", number.words(), currency.many),
        None if magnitude.is_empty() => value(currency, &number),
        None => return None,
    };
    let words = match tail.strip_prefix('/') {
        Some(per) => format!(
            "{words} per {}",
            unit::one(per).unwrap_or_else(|| mixed(per))
        ),
        None if tail.is_empty() => words,
        None if tail == "+" => format!("{words} plus"),
        None => match tail.strip_prefix(['-', '–']) {
            Some(upper) => {
                let upper = signed(upper).map_or(upper, |(_, _, rest)| rest);
                let low = words
                    .strip_suffix(currency.many)
                    .unwrap_or(&words)
                    .trim_end();
                format!("{low} to {}", after_sign(currency, upper)?.0)
            }
            None => return None,
        },
    };
    Some((words, Scaled::Yes))
}

/// `three dollars and fifty cents`.
fn value(currency: Currency, number: &Number) -> String {
    let unit = if number.is_one() {
        currency.one
    } else {
        currency.many
    };
    let cents = number.fraction.as_deref().filter(|cents| cents.len() == 2);
    let cents = cents.filter(|_| !currency.cent.is_empty());
    let Some(cents) = cents.and_then(|cents| cents.parse::<u64>().ok()) else {
        return format!("{} {unit}", number.words());
    };
    let whole = Number {
        fraction: None,
        ..number.clone()
    };
    let unit = if whole.is_one() {
        currency.one
    } else {
        currency.many
    };
    let name = if cents == 1 {
        currency.cent
    } else {
        currency.cents
    };
    let nothing = whole.whole.bytes().all(|b| b == b'0');
    let sign = if number.negative { "minus " } else { "" };
    match (nothing, cents) {
        (_, 0) => format!("{} {unit}", whole.words()),
        (true, _) => format!("{sign}{} {name}", cardinal(cents)),
        (false, _) => format!("{} {unit} and {} {name}", whole.words(), cardinal(cents)),
    }
}
