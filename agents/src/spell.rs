//! From written text to plain spoken words.

/// The text as lower-case words with numbers spelled, the form in which a recognizer's language
/// model is written: letters and apostrophes within words only, abbreviations in capitals spelled
/// letter by letter (`HTML` becomes `h t m l`).
pub fn plain_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for piece in text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '%' | '&' | '.' | ',')))
    {
        push_piece(piece.trim_matches(['.', ',']), &mut words);
    }
    words
}

/// A whole number in words, e.g. `forty two`. Numbers of a million and more are said digit by
/// digit.
pub fn spell_number(number: u64) -> String {
    match number {
        0..=19 => ONES[number as usize].to_owned(),
        20..=99 => join(TENS[(number / 10) as usize], number % 10),
        100..=999 => join(
            &format!("{} hundred", ONES[(number / 100) as usize]),
            number % 100,
        ),
        1_000..=999_999 => join(
            &format!("{} thousand", spell_number(number / 1_000)),
            number % 1_000,
        ),
        _ => number
            .to_string()
            .bytes()
            .map(|digit| ONES[usize::from(digit - b'0')])
            .collect::<Vec<_>>()
            .join(" "),
    }
}

fn join(head: &str, rest: u64) -> String {
    if rest == 0 {
        head.to_owned()
    } else {
        format!("{head} {}", spell_number(rest))
    }
}

fn push_piece(piece: &str, words: &mut Vec<String>) {
    let digits: String = piece.chars().filter(|c| *c != ',').collect();
    if let Some(number) = digits
        .strip_suffix('%')
        .and_then(|number| number.parse().ok())
    {
        push_spelled(number, words);
        words.push("percent".to_owned());
    } else if let Ok(number) = digits.parse() {
        push_spelled(number, words);
    } else {
        for part in piece.split(['.', ',', '%']) {
            push_word(part, words);
        }
    }
}

fn push_spelled(number: u64, words: &mut Vec<String>) {
    words.extend(spell_number(number).split(' ').map(str::to_owned));
}

fn push_word(part: &str, words: &mut Vec<String>) {
    if part == "&" {
        words.push("and".to_owned());
        return;
    }
    let cleaned: String = part.chars().filter_map(plain_char).collect();
    let cleaned = cleaned.trim_matches('\'');
    if cleaned.bytes().any(|c| c.is_ascii_digit()) {
        push_mixed(cleaned, words);
    } else if is_abbreviation(cleaned) {
        words.extend(cleaned.chars().map(|c| c.to_ascii_lowercase().to_string()));
    } else if !cleaned.is_empty() {
        words.push(cleaned.to_ascii_lowercase());
    }
}

/// `404s`, `H2O`, `9am`: runs of digits as numbers, runs of letters as words.
fn push_mixed(text: &str, words: &mut Vec<String>) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let end = rest
            .find(|c: char| c.is_ascii_digit() != digit)
            .unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        match run.parse() {
            Ok(number) if digit => push_spelled(number, words),
            Err(_) if digit => {
                words.extend(run.bytes().map(|c| ONES[usize::from(c - b'0')].to_owned()))
            }
            Ok(_) | Err(_) => words.push(run.to_ascii_lowercase()),
        }
        rest = tail;
    }
}

fn is_abbreviation(word: &str) -> bool {
    (2..=ABBREVIATION_LETTERS_MAX).contains(&word.len())
        && word.bytes().all(|c| c.is_ascii_uppercase())
}

/// Longer words in capitals are shouted, not spelled.
const ABBREVIATION_LETTERS_MAX: usize = 4;

/// The ASCII letter that an English speaker would read, or nothing.
fn plain_char(c: char) -> Option<char> {
    Some(match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '\'' => c,
        '’' => '\'',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        _ => return None,
    })
}

/// The numbers below twenty, as spoken.
pub const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// The tens below a hundred by their first digit, as spoken; nothing for 0 and 1.
pub const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

#[cfg(test)]
mod tests {
    use super::{plain_words, spell_number};

    #[test]
    fn spells_numbers() {
        for (number, words) in [
            (0, "zero"),
            (15, "fifteen"),
            (42, "forty two"),
            (100, "one hundred"),
            (1_905, "one thousand nine hundred five"),
            (1_000_000, "one zero zero zero zero zero zero"),
        ] {
            assert_eq!(spell_number(number), words);
        }
    }

    #[test]
    fn writes_text_as_plain_words() {
        for (text, words) in [
            ("What's HTML?", "what's h t m l"),
            (
                "Save 25% of 1,000 hours — now!",
                "save twenty five percent of one thousand hours now",
            ),
            ("café & 9am", "cafe and nine am"),
            ("example.com", "example com"),
            ("'quoted' 😀", "quoted"),
            (
                "10000000000000000000000x",
                "one zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero x",
            ),
        ] {
            assert_eq!(plain_words(text).join(" "), words, "{text}");
        }
    }
}
