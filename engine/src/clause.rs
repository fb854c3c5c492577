//! Where a reply's first words may be cut off, so that speech begins before its first sentence is
//! complete.

/// Fewer words are not spoken by themselves where a clause ends.
const WORDS_MIN: usize = 3;
/// Fewer words are not cut off where no clause ends.
const WORDS_MIN_UNFORCED: usize = 4;
/// Most words of a first piece.
pub(crate) const WORDS_MAX: usize = 12;

/// Words before which a clause begins for certain.
const BEFORE_STRONG: &[&str] = &[
    "but", "because", "although", "though", "while", "whereas", "which", "unless", "until", "so",
    "since", "then", "however",
];
/// Words before which one may pause.
const BEFORE_WEAK: &[&str] = &[
    "and", "or", "if", "when", "where", "who", "that", "as", "to", "for", "with", "without", "in",
    "on", "at", "from", "by", "into", "about", "after", "before", "during", "through", "than",
];
/// Words that lean on what follows: nobody pauses behind them.
const LEANING: &[&str] = &[
    "a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "this", "these", "those",
    "some", "any", "no", "every", "each", "very", "more", "most", "too", "not", "is", "are", "was",
    "were", "be", "been", "am", "will", "would", "can", "could", "should", "may", "might", "must",
    "do", "does", "did", "have", "has", "had", "i", "you", "he", "she", "it", "we", "they", "let",
    "i'm", "you're", "it's", "we're", "i'll", "you'll", "don't", "can't", "is", "just", "about",
];

/// A place to cut, the better the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Between two words that nothing parts.
    Words,
    /// Before a word at which one may pause.
    Pause,
    /// Before a word that begins a clause.
    Conjunction,
    /// Behind a comma, a colon or a dash.
    Punctuation,
}

/// The byte offset behind the first piece of `text`, which holds no sentence's end; `None` while
/// more words should come first. `late` is true once the person has waited long enough.
///
/// What ends `text` without a space behind it may still be part of a word and is left.
pub(crate) fn first_cut(text: &str, late: bool) -> Option<usize> {
    let words = words(text);
    let full = words.len() > WORDS_MAX;
    let places = places(text, &words);
    let at_once = |&&(place, count, _): &&(Place, usize, usize)| {
        place >= Place::Conjunction && count >= WORDS_MIN_UNFORCED
    };
    if !late && !full {
        return places.iter().find(at_once).map(|&(_, _, end)| end);
    }
    let possible = places.iter().filter(|(place, count, _)| match place {
        Place::Punctuation => *count >= WORDS_MIN,
        Place::Conjunction | Place::Pause | Place::Words => *count >= WORDS_MIN_UNFORCED,
    });
    let best = possible.max_by_key(|&&(place, count, _)| (place, count));
    // Words that all lean on each other, or a quotation, are cut all the same, but not sooner.
    let forced = || {
        words
            .get(WORDS_MAX - 1)
            .filter(|_| full)
            .map(|word| word.end)
    };
    best.map(|&(_, _, end)| end).or_else(forced)
}

/// A word with the offsets of its ends, and whether it lies within quotes or brackets at its end.
struct Word<'a> {
    text: &'a str,
    end: usize,
    enclosed: bool,
}

/// The words that have a space behind them.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let (mut start, mut quoted, mut depth) = (0, false, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '“' | '«' => quoted = true,
            '”' | '»' => quoted = false,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = (depth - 1).max(0),
            _ if c.is_whitespace() => {
                let word = &text[start..at];
                if word.chars().any(char::is_alphanumeric) {
                    words.push(Word {
                        text: word,
                        end: at,
                        enclosed: quoted || depth > 0,
                    });
                } else if let Some(last) = words.last_mut().filter(|_| !word.is_empty()) {
                    // A dash by itself goes with the word before it.
                    last.text = &text[last.end - last.text.len()..at];
                    last.end = at;
                    last.enclosed = quoted || depth > 0;
                }
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    words
}

/// Places to cut within the first [`WORDS_MAX`] words: how good, behind how many words, and where.
fn places(text: &str, words: &[Word<'_>]) -> Vec<(Place, usize, usize)> {
    let mut places = Vec::new();
    for (nth, word) in words.iter().enumerate().take(WORDS_MAX) {
        // The word behind may still be growing, but its first letters tell enough.
        let next = text[word.end..]
            .split_whitespace()
            .next()
            .unwrap_or_default();
        let complete = words.get(nth + 1).is_some();
        if let Some(place) = place(word, next, complete) {
            places.push((place, nth + 1, word.end));
        }
    }
    places
}

fn place(word: &Word<'_>, next: &str, next_complete: bool) -> Option<Place> {
    if word.enclosed || crate::sentence::is_abbreviation(word.text) {
        return None;
    }
    if word.text.ends_with([',', ';', ':', '—', '–']) || word.text.ends_with(" -") {
        return Some(Place::Punctuation);
    }
    let bare = |word: &str| {
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'')
            .to_lowercase()
    };
    let (last, next_bare) = (bare(word.text), bare(next));
    if next_complete && BEFORE_STRONG.contains(&next_bare.as_str()) {
        return Some(Place::Conjunction);
    }
    if LEANING.contains(&last.as_str()) || BEFORE_WEAK.contains(&last.as_str()) {
        return None;
    }
    if next_complete && BEFORE_WEAK.contains(&next_bare.as_str()) {
        return Some(Place::Pause);
    }
    let digit = |c: char| c.is_ascii_digit() || matches!(c, '$' | '€' | '£' | '#');
    let numbers = word.text.ends_with(digit) || next.starts_with(digit);
    let capital = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    let name = capital(word.text) && (next.is_empty() || capital(next));
    (!numbers && !name && !next.is_empty()).then_some(Place::Words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_piece_ends_where_one_would_breathe() {
        for (text, late, want) in [
            // Not late: only where a clause ends behind four words.
            ("Sure, I can help ", false, None),
            ("Well, that depends, but I think ", false, None),
            (
                "Well, that depends a bit, but I ",
                false,
                Some("Well, that depends a bit,"),
            ),
            ("If you want that, then ", false, Some("If you want that,")),
            (
                "I would take the train because it ",
                false,
                Some("I would take the train"),
            ),
            ("I would take the train be", false, None),
            ("The first of them costs 3,500 dollars ", false, None),
            (
                "Please write to jane, doe@x.org, or ",
                false,
                Some("Please write to jane,"),
            ),
            ("You could ask Dr. Smith about it ", false, None),
            (
                "She said “go home, you, now” then ",
                false,
                Some("She said “go home, you, now”"),
            ),
            (
                "Take the second one - it ",
                false,
                Some("Take the second one -"),
            ),
            // Late: the best place among the words that are there.
            ("I like ", true, None),
            ("Sure, I can ", true, None),
            ("Yes, of course, I ", true, Some("Yes, of course,")),
            (
                "You should open the window at ",
                true,
                Some("You should open the window"),
            ),
            ("You should open the ", true, None),
            (
                "You should open the window and ask ",
                true,
                Some("You should open the window"),
            ),
            (
                "The meeting is on March 3 at ",
                true,
                Some("The meeting is on March 3"),
            ),
            (
                "The meeting is on March 3 at noon ",
                true,
                Some("The meeting is on March 3"),
            ),
            ("I think that New York ", true, None),
            ("You could ask Dr. Smith ", true, None),
            ("He said (and he knows, too ", true, None),
        ] {
            let got = first_cut(text, late).map(|end| &text[..end]);
            assert_eq!(got, want, "{text:?} {late}");
        }
    }

    #[test]
    fn twelve_words_are_never_exceeded() {
        for text in [
            "one two three four five six seven eight nine ten eleven twelve thirteen ",
            "the the the the the the the the the the the the the the ",
            "“one two three four five six seven eight nine ten eleven twelve thirteen ",
            "A B C D E F G H I J K L M N ",
            "I would like to tell you a very long story about the old king of ",
        ] {
            let end = first_cut(text, false).expect("thirteen words are enough");
            let count = text[..end].split_whitespace().count();
            assert!((4..=WORDS_MAX).contains(&count), "{text:?}: {count}");
        }
    }
}
