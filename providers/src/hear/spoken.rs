//! Written text as it is spoken: what a recognizer's vocabulary and its scoring are made of.

use antiphon_agents::{ONES, TENS};

/// Words of one phrase at most; what follows is dropped. Far above any sentence.
const WORDS_MAX: usize = 400;

/// The words of `text` as spoken: lower case, numbers in words, punctuation gone, apostrophes
/// within words kept. Text in other scripts has no words.
///
/// `2:30 p.m.` is `two thirty p m`, `1984` is `nineteen eighty four`, `API` is `a p i` where
/// `is_word` does not know `api`.
pub fn spoken_words(text: &str, is_word: impl Fn(&str) -> bool) -> Vec<String> {
    let mut words = Vec::new();
    let plain: String = text.chars().map(plain_char).collect();
    for token in plain.split_whitespace() {
        let token =
            token.trim_matches(|c: char| !c.is_alphanumeric() && c != '%' && c != '$' && c != '&');
        speak_token(token, &is_word, &mut words);
        if words.len() >= WORDS_MAX {
            words.truncate(WORDS_MAX);
            break;
        }
    }
    words
}

/// Typographic variants as the plain character, separators as spaces.
fn plain_char(c: char) -> char {
    match c {
        '\u{2019}' | '\u{2018}' | '\u{02bc}' => '\'',
        'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'ö' | 'õ' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        '-' | '\u{2010}'..='\u{2015}' | '/' | '_' | '+' | '=' | '|' => ' ',
        other => other,
    }
}

fn speak_token(token: &str, is_word: &impl Fn(&str) -> bool, words: &mut Vec<String>) {
    match token {
        "" => return,
        "&" => return words.push("and".to_owned()),
        "%" => return words.push("percent".to_owned()),
        _ => {}
    }
    if token.bytes().any(|b| b.is_ascii_digit()) {
        return speak_number_token(token, is_word, words);
    }
    if is_abbreviation(token) {
        words.extend(letters(token).map(|c| c.to_string()));
        return;
    }
    for part in token.split(|c: char| !c.is_ascii_alphabetic() && c != '\'') {
        let part = part.trim_matches('\'');
        let lower = part.to_ascii_lowercase();
        if lower.is_empty() {
            continue;
        }
        let shouted =
            part.len() >= 2 && part.len() <= 5 && part.bytes().all(|b| b.is_ascii_uppercase());
        if shouted && !is_word(&lower) {
            words.extend(lower.chars().map(|c| c.to_string()));
        } else {
            words.push(lower);
        }
    }
}

/// Letters with a full stop after each, e.g. `p.m` (the last stop is trimmed) or `U.S.A`.
fn is_abbreviation(token: &str) -> bool {
    let mut parts = token.split('.').filter(|part| !part.is_empty()).peekable();
    token.contains('.')
        && parts.peek().is_some()
        && parts.all(|part| part.len() == 1 && part.bytes().all(|b| b.is_ascii_alphabetic()))
}

fn letters(token: &str) -> impl Iterator<Item = char> + '_ {
    token
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|c| c.to_ascii_lowercase())
}

/// A token with digits: `18th`, `2:30`, `3.5`, `$20`, `90%`, `1,000`, `h264`.
fn speak_number_token(token: &str, is_word: &impl Fn(&str) -> bool, words: &mut Vec<String>) {
    let dollars = token.starts_with('$');
    let percent = token.ends_with('%');
    let bare = token
        .trim_matches(|c| c == '$' || c == '%')
        .replace(',', "");
    if let Some(number) = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|end| bare.strip_suffix(end))
        && let Ok(value) = number.parse::<u64>()
    {
        speak_cardinal(value, words);
        if let Some(last) = words.last_mut() {
            *last = ordinal(last);
        }
    } else if let Some((whole, decimals)) = bare
        .split_once('.')
        .filter(|(w, d)| is_digits(w) && is_digits(d))
    {
        speak_digits(whole, words);
        words.push("point".to_owned());
        words.extend(decimals.bytes().map(|b| digit_word(b).to_owned()));
    } else if let Some((hour, minute)) = bare
        .split_once(':')
        .filter(|(h, m)| is_digits(h) && is_digits(m))
    {
        speak_digits(hour, words);
        match minute.as_bytes() {
            b"00" => {}
            [b'0', digit] => words.extend(["oh".to_owned(), digit_word(*digit).to_owned()]),
            _ => speak_digits(minute, words),
        }
    } else {
        speak_mixed(&bare, is_word, words);
    }
    if dollars {
        words.push("dollars".to_owned());
    }
    if percent {
        words.push("percent".to_owned());
    }
}

/// Runs of digits and runs of letters, each spoken by itself.
fn speak_mixed(token: &str, is_word: &impl Fn(&str) -> bool, words: &mut Vec<String>) {
    let mut rest = token;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest
            .find(|c: char| c.is_ascii_digit() != digits)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if digits {
            speak_digits(run, words);
        } else {
            speak_token(run, is_word, words);
        }
        rest = after;
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A run of digits: years in pairs, long runs and those with a leading zero digit by digit, the
/// rest as a number.
fn speak_digits(digits: &str, words: &mut Vec<String>) {
    let one_by_one = |words: &mut Vec<String>| {
        words.extend(digits.bytes().map(|b| digit_word(b).to_owned()));
    };
    let Ok(value) = digits.parse::<u64>() else {
        // Longer than any number that has a name here.
        one_by_one(words);
        return;
    };
    if digits.len() > 4 && value % 1_000 != 0 || digits.len() > 1 && digits.starts_with('0') {
        one_by_one(words);
    } else if digits.len() == 4 && (1_100..2_000).contains(&value) && value % 100 != 0 {
        speak_cardinal(value / 100, words);
        if value % 100 < 10 {
            words.push("oh".to_owned());
        }
        speak_cardinal(value % 100, words);
    } else {
        speak_cardinal(value, words);
    }
}

fn digit_word(digit: u8) -> &'static str {
    ONES[usize::from(digit.saturating_sub(b'0')).min(9)]
}

fn speak_cardinal(value: u64, words: &mut Vec<String>) {
    const SCALES: [(u64, &str); 4] = [
        (1_000_000_000, "billion"),
        (1_000_000, "million"),
        (1_000, "thousand"),
        (100, "hundred"),
    ];
    if value < 20 {
        words.push(ONES[value as usize].to_owned());
        return;
    }
    if value < 100 {
        words.push(TENS[(value / 10) as usize].to_owned());
        if !value.is_multiple_of(10) {
            words.push(ONES[(value % 10) as usize].to_owned());
        }
        return;
    }
    for (scale, name) in SCALES {
        if value >= scale {
            // Beyond the billions nobody says it in one number; the words stay bounded.
            speak_cardinal((value / scale).min(999), words);
            words.push(name.to_owned());
            if !value.is_multiple_of(scale) {
                speak_cardinal(value % scale, words);
            }
            return;
        }
    }
}

fn ordinal(cardinal: &str) -> String {
    match cardinal {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        other => match other.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{other}th"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_spelled_as_it_is_spoken() {
        for (text, spoken) in [
            ("Hello, world!", "hello world"),
            (
                "It\u{2019}s Cal's \u{2014} twenty-one.",
                "it's cal's twenty one",
            ),
            ("2:30 p.m.", "two thirty p m"),
            ("at 9:05 or 10:00", "at nine oh five or ten"),
            (
                "December 18th, 1944",
                "december eighteenth nineteen forty four",
            ),
            (
                "1,000 people, 250 of 1905",
                "one thousand people two hundred fifty of nineteen oh five",
            ),
            ("15213", "one five two one three"),
            ("$20 is 3.5%", "twenty dollars is three point five percent"),
            ("the API of the WEB", "the a p i of the web"),
            ("H264 and R&B", "h two hundred sixty four and r b"),
            ("caf\u{e9} \u{65e5}\u{672c}", "cafe"),
            (
                "20th 42nd 99999999999999999999",
                "twentieth forty second nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine nine",
            ),
            ("", ""),
            ("... -- '", ""),
        ] {
            assert_eq!(
                spoken_words(text, |word| word == "web").join(" "),
                spoken,
                "{text}"
            );
        }
    }

    #[test]
    fn a_phrase_without_end_is_cut() {
        assert_eq!(
            spoken_words(&"word ".repeat(10_000), |_| true).len(),
            WORDS_MAX
        );
    }
}
