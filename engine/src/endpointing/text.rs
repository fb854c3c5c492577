//! What the words so far say about whether the turn is over. Works on lower-case text without
//! punctuation, as recognizers give it, and takes punctuation as a hint where there is some.

use super::words::{
    ASKING, AUXILIARIES, CLOSING, DETERMINERS, DIGITS, DOMAIN_ENDS, FILLERS, GOING_ON, JOINING,
    NUMBERS, PREPOSITIONS, SUBJECTS, WHOLE,
};

/// Words looked at from the end: longer reaching back is never needed, and a long turn costs no
/// more than a short one.
const TAIL_WORDS: usize = 24;
/// Tokens longer than this are cut: nothing in the lists is as long.
const WORD_CHARS_MAX: usize = 32;
/// Digits or letters in a row from which a number or a spelled word is being given.
const RUN_MIN: usize = 2;

/// How the text ends. The order is that of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tail {
    /// No text.
    Nothing,
    /// "um".
    Filler,
    /// "and", "because".
    Joining,
    /// "the", "my".
    Determiner,
    /// "of", "with".
    Preposition,
    /// "I", "it's".
    Subject,
    /// "would", "is".
    Auxiliary,
    /// "i want", "do you".
    GoingOn,
    /// A comma or a dash.
    Comma,
    /// Digits or letters one by one.
    Spelling,
    /// "j o h n at": an address without its end.
    Address,
    /// A clause was opened ("if you", "when we get there") and its main clause has not come.
    OpenClause,
    /// Any other word.
    Content,
    /// "please", "thanks", "it".
    Closing,
    /// A full stop, question mark or exclamation mark.
    FullStop,
    /// "yes", "thank you", "that's right" as all that was said.
    Whole,
}

/// Number of ways in which a text can end.
pub const TAILS: usize = 16;

/// Names of the ways in which a text can end, in the order of [`tail_index`].
pub const TAIL_NAMES: [&str; TAILS] = [
    "nothing",
    "filler",
    "joining word",
    "determiner",
    "preposition",
    "subject",
    "auxiliary",
    "phrase that goes on",
    "comma",
    "digits or letters",
    "open address",
    "open clause",
    "other word",
    "closing word",
    "full stop",
    "whole answer",
];

/// How `text` ends, as an index into [`TAIL_NAMES`].
pub fn tail_index(text: &str) -> usize {
    read(text).tail as usize
}

/// The log odds of "over" after this end where they are set by hand: for what written requests do
/// not have (fillers, punctuation) and what has rules of its own (numbers, addresses). None where
/// they are counted in training.
pub fn given_log_odds(tail_index: usize) -> Option<f64> {
    const FILLER: usize = Tail::Filler as usize;
    const COMMA: usize = Tail::Comma as usize;
    const OPEN_CLAUSE: usize = Tail::OpenClause as usize;
    const FULL_STOP: usize = Tail::FullStop as usize;
    const WHOLE: usize = Tail::Whole as usize;
    const BY_RULE: [usize; 3] = [
        Tail::Nothing as usize,
        Tail::Spelling as usize,
        Tail::Address as usize,
    ];
    match tail_index {
        FILLER => Some(-2.5),
        COMMA => Some(-1.5),
        OPEN_CLAUSE => Some(-1.0),
        FULL_STOP | WHOLE => Some(1.5),
        ruled if BY_RULE.contains(&ruled) => Some(0.0),
        _counted => None,
    }
}

/// The reading of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// How it ends.
    pub(super) tail: Tail,
    /// The words that the kind was read from, for the reason.
    pub(super) shown: String,
    /// Digits given one after the other at the end (spoken or written).
    pub(super) digits: usize,
    /// Single letters one after the other at the end.
    pub(super) letters: usize,
    /// True for a question or a request with all its parts: "how do i choose a name".
    pub(super) asks: bool,
    /// Words in all, counted up to [`TAIL_WORDS`].
    pub(super) words: usize,
}

/// Reads the end of `text`.
pub(super) fn read(text: &str) -> Reading {
    let raw: Vec<&str> = {
        let mut last: Vec<&str> = text.split_whitespace().rev().take(TAIL_WORDS).collect();
        last.reverse();
        last
    };
    let words: Vec<String> = raw.iter().map(|word| plain(word)).collect();
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    let digits = digits_at_end(&words);
    let letters = words
        .iter()
        .rev()
        .take_while(|word| is_letter(word))
        .count();
    let (tail, shown) = tail(
        &words,
        raw.last().copied().unwrap_or_default(),
        digits,
        letters,
    );
    Reading {
        tail,
        shown,
        digits,
        letters,
        asks: complete_request(&words, tail),
        words: words.len(),
    }
}

/// A question or request that has its parts: it opens as one, is long enough to hold a verb and an
/// object, and ends in a word that can end it.
fn complete_request(words: &[&str], tail: Tail) -> bool {
    /// Shorter ones ("what is", "can you tell") lack their object.
    const WORDS_MIN: usize = 4;
    let opening = words
        .iter()
        .find(|word| !FILLERS.contains(word) && !JOINING.contains(word) && **word != "well");
    let can_end = matches!(tail, Tail::Content | Tail::Closing | Tail::FullStop);
    can_end
        && (WORDS_MIN..TAIL_WORDS).contains(&words.len())
        && opening.is_some_and(|word| ASKING.contains(word))
}

fn tail(words: &[&str], raw_last: &str, digits: usize, letters: usize) -> (Tail, String) {
    let Some(&last) = words.last() else {
        return (Tail::Nothing, String::new());
    };
    let shown = |text: &str| text.to_owned();
    if FILLERS.contains(&last) {
        return (Tail::Filler, shown(last));
    }
    let all = words.join(" ");
    if raw_last.ends_with(['.', '?', '!']) && !raw_last.ends_with("..") {
        return (Tail::FullStop, shown(last));
    }
    if WHOLE.contains(&all.as_str()) {
        return (Tail::Whole, all);
    }
    if raw_last.ends_with([',', '-', '–', '—', ';', ':', '…']) || raw_last.ends_with("..") {
        return (Tail::Comma, shown(last));
    }
    if let Some(address) = open_address(words) {
        return (Tail::Address, address);
    }
    if digits >= RUN_MIN || letters >= RUN_MIN || (digits > 0 && letters > 0) {
        return (Tail::Spelling, shown(last));
    }
    if let Some(phrase) = phrase_at_end(words) {
        return (Tail::GoingOn, phrase);
    }
    for (list, kind) in [
        (JOINING, Tail::Joining),
        (DETERMINERS, Tail::Determiner),
        (PREPOSITIONS, Tail::Preposition),
        (SUBJECTS, Tail::Subject),
        (AUXILIARIES, Tail::Auxiliary),
    ] {
        if list.contains(&last) {
            return (kind, shown(last));
        }
    }
    if let Some(opening) = open_clause(words) {
        return (Tail::OpenClause, opening);
    }
    if CLOSING.contains(&last) {
        return (Tail::Closing, shown(last));
    }
    (Tail::Content, shown(last))
}

/// Lower case, without marks around it.
fn plain(word: &str) -> String {
    word.chars()
        .take(WORD_CHARS_MAX)
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect::<String>()
        .trim_matches(|c: char| !c.is_alphanumeric() && c != '@')
        .to_owned()
}

/// "a" and "i" count only where other letters or digits precede them.
fn is_letter(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

/// Digits in the run of digits, number words, letters and joints at the end.
fn digits_at_end(words: &[&str]) -> usize {
    let mut digits = 0;
    for (back, word) in words.iter().rev().enumerate() {
        let written = word.chars().filter(char::is_ascii_digit).count();
        if written > 0
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || !c.is_alphabetic())
        {
            digits += written;
        } else if DIGITS.contains(word) || NUMBERS.contains(word) {
            digits += 1;
        } else if back == 0 || !matches!(*word, "and" | "dash" | "point" | "area" | "code") {
            break;
        }
    }
    // "the first one", "that one": no number.
    if digits == 1 && words.last() == Some(&"one") {
        return 0;
    }
    digits
}

/// "my email is john at", "w w w dot": from the sign of an address to the end without a domain.
fn open_address(words: &[&str]) -> Option<String> {
    let joint = |word: &str| matches!(word, "dot" | "underscore" | "slash" | "@");
    let last = *words.last()?;
    if joint(last) {
        return Some(last.to_owned());
    }
    let says_address = words
        .iter()
        .any(|word| matches!(*word, "email" | "e-mail" | "mail" | "website" | "address"));
    let at = words.iter().rposition(|word| matches!(*word, "at" | "@"))?;
    let spelled_before = words[..at]
        .iter()
        .rev()
        .take_while(|w| is_letter(w))
        .count()
        >= RUN_MIN;
    if !says_address && !spelled_before {
        return None;
    }
    let ended = words[at..]
        .iter()
        .any(|word| DOMAIN_ENDS.contains(word) || word.contains('.'));
    (!ended).then(|| words[at..].join(" "))
}

fn phrase_at_end(words: &[&str]) -> Option<String> {
    (2..=4_usize)
        .rev()
        .filter(|&length| words.len() >= length)
        .map(|length| words[words.len() - length..].join(" "))
        .find(|phrase| GOING_ON.contains(&phrase.as_str()))
}

/// A subordinate clause at the very beginning or after "and"/"but"/"so", with too few words behind
/// it to hold a main clause as well.
fn open_clause(words: &[&str]) -> Option<String> {
    const OPENING: [&str; 8] = [
        "if", "when", "because", "since", "while", "unless", "although", "whenever",
    ];
    /// A clause of up to so many words has room for no second one.
    const CLAUSE_WORDS_MAX: usize = 5;
    let at = words.iter().rposition(|word| OPENING.contains(word))?;
    let begins = at == 0 || matches!(words[at - 1], "and" | "but" | "so" | "well" | "um" | "uh");
    // "When" and "because" at the start of a turn ask and answer.
    let asks = at == 0 && matches!(words[at], "when" | "because");
    let short = words.len() - at <= CLAUSE_WORDS_MAX;
    (begins && !asks && short).then(|| words[at].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_questions_are_known() {
        let check = |text: &str, asks: bool| assert_eq!(read(text).asks, asks, "{text:?}");
        check("how do i choose a domain name", true);
        check("um so what belongs on a home page", true);
        check("can you tell me about hosting", true);
        check("tell me about search engines", true);
        check("what is css", false);
        check("can you tell me about the", false);
        check("i would like to know more", false);
    }

    #[test]
    fn ends_are_told_apart() {
        let check = |text: &str, tail: Tail| assert_eq!(read(text).tail, tail, "{text:?}");
        check("", Tail::Nothing);
        check(" ,. ", Tail::Nothing);
        check("so um", Tail::Filler);
        check("i would like to and", Tail::Joining);
        check("I went to the store and,", Tail::Comma);
        check("can you give me the", Tail::Determiner);
        check("a glass of", Tail::Preposition);
        check("so i", Tail::GoingOn);
        check("i want to", Tail::GoingOn);
        check("tell me what it's", Tail::Subject);
        check("the weather is", Tail::Auxiliary);
        check("if you have time", Tail::OpenClause);
        check("and if we go there", Tail::OpenClause);
        check("call me if you have time tomorrow", Tail::Closing);
        check("my number is four two", Tail::Spelling);
        check("it is 5 5 5", Tail::Spelling);
        check("j o h n", Tail::Spelling);
        check("j o h n at", Tail::Address);
        check("my email is john at example", Tail::Address);
        check("my email is john at example dot", Tail::Address);
        check("my email is john at example dot com", Tail::Content);
        check("meet me at the station", Tail::Content);
        check("how do i choose a domain name", Tail::Content);
        check("give me two", Tail::Content);
        check("i'll take that one", Tail::Content);
        check("that would be great thanks", Tail::Closing);
        check("Tell me about Paris.", Tail::FullStop);
        check("well...", Tail::Comma);
        check("Yes.", Tail::FullStop);
        check("yes", Tail::Whole);
        check("That's right", Tail::Whole);
        check("yes i do", Tail::Whole);
        check("don’t", Tail::Auxiliary);
    }

    #[test]
    fn digits_and_letters_are_counted() {
        let count = |text: &str| (read(text).digits, read(text).letters);
        assert_eq!(count("it's four one five"), (3, 0));
        assert_eq!(count("415 555"), (6, 0));
        assert_eq!(count("five five five dash one two"), (5, 0));
        assert_eq!(count("s m i t h"), (0, 5));
        assert_eq!(count("the other one"), (0, 0));
        assert_eq!(count("twenty five"), (2, 0));
        assert_eq!(count("in 2,000"), (4, 0));
    }

    #[test]
    fn a_long_text_is_read_from_its_end() {
        let long = "word ".repeat(10_000) + "and";
        let reading = read(&long);
        assert_eq!((reading.tail, reading.words), (Tail::Joining, TAIL_WORDS));
    }
}
