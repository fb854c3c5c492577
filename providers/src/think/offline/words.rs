//! From what was said to comparable words.

use antiphon_agents::plain_words;

/// Characters of one utterance that are looked at; a minute of speech has 900.
pub(crate) const TEXT_CHARS_MAX: usize = 2_000;
/// Words of one utterance that are looked at.
pub(crate) const WORDS_MAX: usize = 48;
/// Letters of a word that are looked at.
const WORD_BYTES_MAX: usize = 32;

/// Lower-case words with contractions opened, spelled letters joined, homophones made one and
/// hesitations dropped.
pub(crate) fn normalize(text: &str) -> Vec<String> {
    let cut: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let mut words = Vec::new();
    for word in plain_words(&cut) {
        open_contraction(&word, &mut words);
    }
    words.retain(|word| !FILLERS.contains(&word.as_str()));
    let mut words = join_letters(words);
    for word in &mut words {
        word.truncate(WORD_BYTES_MAX);
        if let Some((_, canonical)) = HOMOPHONES.iter().find(|(variant, _)| variant == word) {
            *word = (*canonical).to_owned();
        }
    }
    words.truncate(WORDS_MAX);
    words
}

/// True for words that say little about the subject.
pub(crate) fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.binary_search(&word).is_ok()
}

/// The word without its commonest endings, so that `websites` meets `website`.
pub(crate) fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    if stem.len() > 4 && stem.ends_with("ies") {
        stem.truncate(stem.len() - 3);
        stem.push('y');
    } else if stem.len() > 3
        && stem.ends_with('s')
        && !["ss", "us", "is"].iter().any(|end| stem.ends_with(end))
    {
        stem.pop();
    }
    for ending in ["ing", "ed", "er", "ly"] {
        if stem.len() >= ending.len() + 3 && stem.ends_with(ending) {
            stem.truncate(stem.len() - ending.len());
            undouble(&mut stem);
            break;
        }
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

fn undouble(stem: &mut String) {
    let bytes = stem.as_bytes();
    let [.., before, last] = bytes else {
        return;
    };
    if before == last && !matches!(last, b'l' | b's' | b'a' | b'e' | b'i' | b'o' | b'u') {
        stem.pop();
    }
}

fn open_contraction(word: &str, words: &mut Vec<String>) {
    if let Some((_, opened)) = CONTRACTIONS.iter().find(|(short, _)| *short == word) {
        words.extend(opened.split(' ').map(str::to_owned));
        return;
    }
    let Some((head, tail)) = word.split_once('\'') else {
        words.push(word.to_owned());
        return;
    };
    let (head, more) = match tail {
        "t" => (head.strip_suffix('n').unwrap_or(head), Some("not")),
        "re" => (head, Some("are")),
        "ll" => (head, Some("will")),
        "ve" => (head, Some("have")),
        "d" => (head, Some("would")),
        "m" => (head, Some("am")),
        "s" if BEFORE_IS.contains(&head) => (head, Some("is")),
        _ => (head, None),
    };
    words.extend(
        [Some(head), more]
            .into_iter()
            .flatten()
            .filter(|word| !word.is_empty())
            .map(str::to_owned),
    );
}

/// `h t m l` becomes `html`: abbreviations come spelled from a recognizer.
fn join_letters(words: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    let mut run = String::new();
    for word in words {
        if word.len() == 1 && !matches!(word.as_str(), "a" | "i")
            || word.len() == 1 && !run.is_empty()
        {
            run.push_str(&word);
            continue;
        }
        if !run.is_empty() {
            joined.push(std::mem::take(&mut run));
        }
        joined.push(word);
    }
    if !run.is_empty() {
        joined.push(run);
    }
    joined
}

const FILLERS: &[&str] = &[
    "um",
    "uh",
    "er",
    "erm",
    "hmm",
    "mhm",
    "ah",
    "oh",
    "well",
    "please",
    "actually",
    "basically",
];

const BEFORE_IS: &[&str] = &[
    "what", "who", "how", "where", "when", "that", "it", "there", "here", "he", "she", "name",
];

const CONTRACTIONS: &[(&str, &str)] = &[
    ("can't", "can not"),
    ("cannot", "can not"),
    ("won't", "will not"),
    ("let's", "let us"),
    ("wanna", "want to"),
    ("gonna", "going to"),
    ("gotta", "have to"),
    ("gimme", "give me"),
    ("lemme", "let me"),
    ("dunno", "do not know"),
    ("whats", "what is"),
    ("im", "i am"),
    ("dont", "do not"),
    ("ya", "you"),
    ("yeah", "yes"),
    ("yep", "yes"),
    ("yup", "yes"),
    ("nope", "no"),
    ("nah", "no"),
    ("okay", "ok"),
    ("goodbye", "good bye"),
];

/// Words that sound alike, or nearly, and are too short for their sound to tell.
const HOMOPHONES: &[(&str, &str)] = &[
    ("too", "to"),
    ("two", "to"),
    ("four", "for"),
    ("write", "right"),
    ("know", "no"),
    ("hear", "here"),
    ("your", "you"),
    ("their", "there"),
    ("won", "one"),
    ("sight", "site"),
    ("cite", "site"),
    ("sell", "cell"),
    ("week", "weak"),
    ("our", "hour"),
    ("are", "r"),
    ("u", "you"),
    ("y", "why"),
    ("high", "hi"),
    ("wear", "where"),
    ("ware", "where"),
    ("add", "ad"),
];

/// Sorted, for the search.
const FUNCTION_WORDS: &[&str] = &[
    "a",
    "about",
    "all",
    "also",
    "am",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "been",
    "but",
    "by",
    "can",
    "could",
    "did",
    "do",
    "does",
    "for",
    "from",
    "get",
    "give",
    "go",
    "going",
    "got",
    "had",
    "has",
    "have",
    "he",
    "her",
    "here",
    "him",
    "his",
    "how",
    "i",
    "if",
    "in",
    "is",
    "it",
    "its",
    "just",
    "know",
    "let",
    "like",
    "me",
    "more",
    "much",
    "my",
    "need",
    "no",
    "not",
    "of",
    "ok",
    "on",
    "one",
    "or",
    "out",
    "r",
    "really",
    "say",
    "she",
    "should",
    "so",
    "some",
    "something",
    "tell",
    "than",
    "that",
    "the",
    "them",
    "then",
    "there",
    "these",
    "they",
    "thing",
    "things",
    "think",
    "this",
    "to",
    "up",
    "us",
    "very",
    "want",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "will",
    "with",
    "would",
    "yes",
    "you",
];

#[cfg(test)]
mod tests {
    use super::{FUNCTION_WORDS, normalize, stem};

    #[test]
    fn normalizes_speech() {
        for (text, words) in [
            ("What's HTML?", "what is html"),
            ("um, what is h t m l", "what is html"),
            ("I don't know", "i do not no"),
            ("I can't, you're right", "i can not you r right"),
            ("", ""),
            ("😀 ¿", ""),
        ] {
            assert_eq!(normalize(text).join(" "), words, "{text}");
        }
    }

    #[test]
    fn stems_meet() {
        for (a, b) in [
            ("websites", "website"),
            ("planning", "plan"),
            ("making", "make"),
            ("stories", "story"),
            ("selling", "sell"),
            ("designer", "design"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
    }

    #[test]
    fn function_words_are_sorted() {
        assert!(FUNCTION_WORDS.is_sorted());
    }
}
