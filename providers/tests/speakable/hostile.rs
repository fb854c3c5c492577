//! Any text is survived, in linear time and with bounded output.

use std::time::{Duration, Instant};

use antiphon_agents::Pronunciations;
use antiphon_providers::speak::speakable::{Speakable, WORD_CHARS_MAX};
use proptest::prelude::*;

/// Spoken bytes for each written byte, and a little for the shortest texts.
const GROWTH_MAX: usize = 30;

fn check(text: &str) {
    let mut words = Pronunciations::default();
    words.insert("word", "wurd").unwrap();
    words.insert("a b", "/eɪbi/").unwrap();
    let made = Speakable::new(text, &words);
    let spoken = made.spoken();
    assert!(
        spoken.len() <= GROWTH_MAX * text.len() + 64,
        "{} bytes from {text:?}",
        spoken.len()
    );
    assert_eq!(spoken.trim(), spoken, "{text:?}");
    assert!(
        !spoken.contains("  ") && !spoken.chars().any(char::is_control),
        "{text:?}: {spoken:?}"
    );
    assert!(
        !spoken.bytes().any(|b| b.is_ascii_digit()),
        "{text:?}: {spoken:?}"
    );
    let (mut said, mut heard) = (0, 0);
    for word in made.words() {
        assert!(
            word.start >= said && word.end > word.start,
            "{text:?}: {word:?}"
        );
        assert!(
            spoken[word.start..word.end].chars().count() <= WORD_CHARS_MAX,
            "{text:?}"
        );
        assert!(
            word.text_end <= text.len() && text.is_char_boundary(word.text_end),
            "{text:?}: {word:?}"
        );
        assert!(
            word.heard_end >= heard && word.heard_end <= word.text_end,
            "{text:?}: {word:?}"
        );
        (said, heard) = (word.end, word.heard_end);
    }
    let last = made.words().last();
    assert!(
        last.is_none_or(|last| last.heard_end == last.text_end),
        "{text:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,80}") {
        check(&text);
    }

    #[test]
    fn any_characters(text in proptest::collection::vec(any::<char>(), 0..60)) {
        check(&text.into_iter().collect::<String>());
    }

    #[test]
    fn signs_and_numbers(text in "[0-9.,:/+$€£%°'\"x#@*_`~<>()\\[\\]|&;=^²½–—-]{0,30}( [0-9A-Za-z.$/:-]{0,12}){0,6}") {
        check(&text);
    }

    #[test]
    fn pieces_of_the_table(picks in proptest::collection::vec((0usize..2_000, 0usize..40, 0usize..40), 1..8)) {
        let lines: Vec<&str> = include_str!("cases.tsv").lines().collect();
        let mut text = String::new();
        for (line, from, to) in picks {
            let line: Vec<char> = lines[line % lines.len()].chars().collect();
            let (from, to) = (from.min(line.len()), to.min(line.len()));
            text.extend(&line[from.min(to)..from.max(to)]);
        }
        check(&text);
    }
}

#[test]
fn texts_made_to_be_slow_are_not() {
    let openings = [
        "[",
        "<",
        "**",
        "`",
        "&",
        "((",
        "[a](",
        "<a ",
        "_",
        "~",
        "\"",
        "'",
        "1,",
        "1-",
        "1/",
        "1.",
        "+1 ",
        "5 ",
        "March ",
        "a.",
        "https://a/",
        "#a",
        "A ",
        "9",
        "XI ",
        "🙂",
        "| ",
        "\n",
        "> ",
        "- ",
        "\\",
        ". ",
        "! ",
        "a,",
        "½",
        "$1-",
        "1h",
        "A1",
        "-",
        "word ",
        "a b ",
        "\u{301}",
        "1:",
        "v1.",
        "@",
        "x^",
        "日",
    ];
    for opening in openings {
        let text = opening.repeat(100_000 / opening.len());
        let started = Instant::now();
        check(&text);
        let took = started.elapsed();
        // Some 10 ms; a square of the length would be minutes.
        assert!(took < Duration::from_secs(5), "{opening:?}: {took:?}");
    }
}
