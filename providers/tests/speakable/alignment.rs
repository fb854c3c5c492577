//! Spoken words lead back to the words of the text.

use antiphon_agents::Pronunciations;
use antiphon_providers::speak::speakable::Speakable;

/// What of the text has been said behind each spoken word where that is more than before.
fn check(text: &str, want: &[(&str, &str)]) {
    let made = Speakable::new(text, &Pronunciations::default());
    let mut last = 0;
    let mut got = Vec::new();
    let mut said = 0;
    for word in made.words() {
        let end = made.mark(word.end);
        if end > last {
            got.push((made.spoken()[said..word.end].trim(), text[last..end].trim()));
            (last, said) = (end, word.end);
        }
    }
    let trim = |c: char| c.is_ascii_punctuation() || c == ' ';
    let got: Vec<(&str, &str)> = got
        .into_iter()
        .map(|(spoken, text)| (spoken.trim_start_matches(trim), text))
        .collect();
    assert_eq!(got, want, "{text:?} → {:?}", made.spoken());
}

#[test]
fn what_was_heard_is_told_in_the_words_of_the_text() {
    check(
        "I paid $3.50 — on 12 May 2024 — for “42” cats… 🙂",
        &[
            ("I", "I"),
            ("paid", "paid"),
            ("three dollars and fifty cents", "$3.50 —"),
            ("on", "on"),
            ("the twelfth of", "12"),
            ("May", "May"),
            ("twenty twenty four", "2024 —"),
            ("for", "for"),
            ("forty two", "“42”"),
            ("cats", "cats… 🙂"),
        ],
    );
    check(
        "**Pay** $5 million (now).",
        &[
            ("Pay", "**Pay**"),
            ("five", "$5"),
            ("million dollars", "million"),
            ("now", "(now)."),
        ],
    );
    check(
        "See [the docs](https://example.com/very/long) now",
        &[
            ("See", "See"),
            ("the", "[the"),
            ("docs", "docs](https://example.com/very/long)"),
            ("now", "now"),
        ],
    );
    check(
        "5 km/h, Zoë!",
        &[
            ("five", "5"),
            ("kilometers per hour", "km/h,"),
            ("Zoë", "Zoë!"),
        ],
    );
    check(
        "&amp;&#39;s 🙂 hi",
        &[("and's", "&amp;&#39;s"), ("hi", "🙂 hi")],
    );
}

#[test]
fn a_word_is_heard_when_all_of_it_is() {
    let text = "It is $2.5M now";
    let made = Speakable::new(text, &Pronunciations::default());
    let behind = |word: &str| made.mark(made.spoken().find(word).unwrap() + word.len());
    assert_eq!(behind("two"), "It is".len());
    assert_eq!(behind("point five"), "It is".len());
    assert_eq!(behind("million dollars"), "It is $2.5M".len());
    assert_eq!(made.mark(0), 0);
    assert_eq!(made.mark(usize::MAX), text.len());
    let mut mapper = made.mapper();
    let marks: Vec<_> = made
        .words()
        .iter()
        .enumerate()
        .filter_map(|(nth, word)| mapper.push(word.end, nth as u32 * 100))
        .map(|mark| (mark.text_end, mark.end_ms))
        .collect();
    assert_eq!(marks, [(2, 0), (5, 100), (11, 600), (15, 700)]);
}

#[test]
fn other_languages_keep_their_numbers() {
    let mut words = Pronunciations::default();
    words.insert("Antiphon", "anntifonn").unwrap();
    let text = "**Antiphon** kostet 3,50 € – bis 12. Mai.";
    let made = Speakable::as_written(text, &words);
    assert_eq!(made.spoken(), "anntifonn kostet 3,50 €, bis 12. Mai.");
    assert_eq!(made.mark(usize::MAX), text.len());
}

#[test]
fn the_dictionary_is_applied_to_whole_words() {
    let mut words = Pronunciations::default();
    words.insert("Antiphon", "an-tih-fon").unwrap();
    words.insert("New Relic", "new rellick").unwrap();
    words.insert("SQL", "sequel").unwrap();
    words.insert("Nguyen", "/ŋwiən/").unwrap();
    for (text, spoken) in [
        ("Antiphon is here.", "an-tih-fon is here."),
        ("ANTIPHON's voice", "an-tih-fon's voice"),
        ("two antiphons, please", "two an-tih-fons, please"),
        ("Antiphonal music", "Antiphonal music"),
        ("New Relic's SQL", "new rellick's sequel"),
        ("a new, relic", "a new, relic"),
        ("“Antiphon”", "an-tih-fon"),
        ("Ms. Nguyen called", "Miz Nguyen called"),
    ] {
        assert_eq!(Speakable::new(text, &words).spoken(), spoken, "{text}");
    }
    let made = Speakable::new("Nguyen's dog", &words);
    assert_eq!(made.words()[0].ipa.as_deref(), Some("ŋwiənz"));
    assert_eq!(made.mark(made.words()[0].end), "Nguyen's".len());
}
