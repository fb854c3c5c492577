//! Numbers in words.

use antiphon_agents::{ONES, TENS};

/// Digits said one by one at most; what follows is left out. Nobody follows more.
const DIGITS_MAX: usize = 40;

const SCALES: [(u64, &str); 7] = [
    (1_000_000_000_000_000_000, "quintillion"),
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
    (100, "hundred"),
];

/// `one hundred twenty three`.
pub(super) fn cardinal(value: u64) -> String {
    let mut words = Vec::new();
    push_cardinal(value, &mut words);
    words.join(" ")
}

fn push_cardinal(value: u64, words: &mut Vec<&'static str>) {
    if value < 20 {
        words.push(ONES[value as usize]);
    } else if value < 100 {
        words.push(TENS[(value / 10) as usize]);
        if !value.is_multiple_of(10) {
            words.push(ONES[(value % 10) as usize]);
        }
    } else if let Some(&(scale, name)) = SCALES.iter().find(|(scale, _)| value >= *scale) {
        push_cardinal(value / scale, words);
        words.push(name);
        if !value.is_multiple_of(scale) {
            push_cardinal(value % scale, words);
        }
    }
}

/// `one hundred twenty third`.
pub(super) fn ordinal(value: u64) -> String {
    with_last(&cardinal(value), |last| match last {
        "one" => "first".into(),
        "two" => "second".into(),
        "three" => "third".into(),
        "five" => "fifth".into(),
        "eight" => "eighth".into(),
        "nine" => "ninth".into(),
        "twelve" => "twelfth".into(),
        _ => match last.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{last}th"),
        },
    })
}

/// `nineteen sixties`, from `nineteen sixty`.
pub(super) fn plural(words: &str) -> String {
    with_last(words, |last| match last {
        _ if last.ends_with('x') => format!("{last}es"),
        _ => match last.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{last}s"),
        },
    })
}

fn with_last(words: &str, change: impl Fn(&str) -> String) -> String {
    match words.rsplit_once(' ') {
        Some((head, last)) => format!("{head} {}", change(last)),
        None => change(words),
    }
}

/// One by one: `nine one one`.
pub(super) fn digits(text: &str) -> String {
    let named = text.bytes().filter(u8::is_ascii_digit).take(DIGITS_MAX);
    let words: Vec<&str> = named.map(|b| ONES[usize::from(b - b'0')]).collect();
    words.join(" ")
}

/// A year: `nineteen oh five`, `two thousand`, `twenty twenty four`.
pub(super) fn year(year: u64) -> String {
    let (century, rest) = (year / 100, year % 100);
    match (year, rest) {
        (2_000..=2_009, _) | (0..=1_009, _) | (10_000.., _) => cardinal(year),
        (_, 0) if century.is_multiple_of(10) => cardinal(year),
        (_, 0) => format!("{} hundred", cardinal(century)),
        (_, 1..=9) => format!("{} oh {}", cardinal(century), cardinal(rest)),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

/// Numbers of rooms, flights and models: `four oh four`, `seven forty seven`, `forty ninety`.
pub(super) fn pairs(text: &str) -> String {
    let value: u64 = text.parse().unwrap_or(0);
    if text.starts_with('0') || text.len() > 4 {
        return digits(text);
    }
    match (value, value % 100) {
        (0..=99, _) => cardinal(value),
        (_, 0) if value < 1_000 || value.is_multiple_of(1_000) => cardinal(value),
        (_, 0) => format!("{} hundred", cardinal(value / 100)),
        (_, 1..=9) => format!("{} oh {}", cardinal(value / 100), cardinal(value % 100)),
        _ => format!("{} {}", cardinal(value / 100), cardinal(value % 100)),
    }
}

/// A number as written: `1,234.56`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) negative: bool,
    /// Without its commas; empty in `.5`.
    pub(super) whole: String,
    /// Digits behind the point.
    pub(super) fraction: Option<String>,
    pub(super) commas: bool,
}

impl Number {
    /// Reads the number that `text` begins with; returns what follows it.
    pub(super) fn read(text: &str) -> Option<(Self, &str)> {
        let signed = text.strip_prefix(['-', '−']);
        let mut rest = signed.unwrap_or(text);
        let mut whole = String::new();
        let mut commas = false;
        let run = leading_digits(rest);
        whole.push_str(&rest[..run]);
        rest = &rest[run..];
        while (1..=3).contains(&run)
            && rest.starts_with(',')
            && leading_digits(&rest[1..]) == 3
            && whole.len() < 30
        {
            whole.push_str(&rest[1..4]);
            rest = &rest[4..];
            commas = true;
        }
        let decimals = rest.strip_prefix('.').map_or(0, leading_digits);
        let fraction = (decimals > 0).then(|| rest[1..=decimals].to_owned());
        if whole.is_empty() && fraction.is_none() {
            return None;
        }
        if fraction.is_some() {
            rest = &rest[decimals + 1..];
        }
        let number = Self {
            negative: signed.is_some(),
            whole,
            fraction,
            commas,
        };
        Some((number, rest))
    }

    /// Exactly one: what it counts stands in the singular.
    pub(super) fn is_one(&self) -> bool {
        self.whole == "1" && self.fraction.is_none()
    }

    /// True for digits alone.
    pub(super) fn is_plain(&self) -> bool {
        !self.negative && !self.commas && self.fraction.is_none()
    }

    /// The whole part, where it has a name.
    pub(super) fn value(&self) -> Option<u64> {
        self.whole.parse().ok()
    }

    /// As one says it: `minus one thousand two hundred thirty four point five six`.
    pub(super) fn words(&self) -> String {
        let mut words = String::new();
        if self.negative {
            words.push_str("minus ");
        }
        words.push_str(&self.whole_words());
        if let Some(fraction) = &self.fraction {
            if !self.whole.is_empty() {
                words.push(' ');
            }
            words.push_str("point ");
            words.push_str(&digits(fraction));
        }
        words
    }

    fn whole_words(&self) -> String {
        let zeros = self.whole.len() > 1 && self.whole.starts_with('0');
        let long = self.whole.len() >= 10 && !self.commas && !self.whole.ends_with("000");
        match self.value() {
            Some(value) if !zeros && !long => cardinal(value),
            _ => digits(&self.whole),
        }
    }
}

/// How many digits `text` begins with.
pub(super) fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// True for digits and nothing else.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
