//! Word errors and slots. The one place where text is made comparable.

use antiphon_providers::hear::spoken_words;

/// The words that are compared: spoken form (case and punctuation gone, digits in words), `pm`
/// and `p m` the same, possessives and contractions as they are.
pub(crate) fn words(text: &str) -> Vec<String> {
    let spoken = spoken_words(text, |_| true);
    let split = |word: String| match word.as_str() {
        "pm" => vec!["p".to_owned(), "m".to_owned()],
        _ => vec![word],
    };
    spoken.into_iter().flat_map(split).collect()
}

/// Fewest words to insert, delete or replace that make one into the other (Levenshtein).
pub(crate) fn word_errors(reference: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, expected) in reference.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, word) in heard.iter().enumerate() {
            let replaced = diagonal + usize::from(expected != word);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[heard.len()]
}

/// The slot values in a note, e.g. `slots={"size": "large"}`.
pub(crate) fn slots(note: &str) -> Vec<Vec<String>> {
    let Some((_, slots)) = note.split_once("slots={") else {
        return Vec::new();
    };
    slots
        .trim_end_matches('}')
        .split("\", \"")
        .filter_map(|pair| pair.split_once("\": \""))
        .map(|(_, value)| words(value))
        .collect()
}

/// True where `value`'s words stand next to each other in `heard`.
pub(crate) fn has_slot(heard: &[String], value: &[String]) -> bool {
    !value.is_empty() && heard.windows(value.len()).any(|window| window == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_in_words() {
        for (reference, heard, errors) in [
            ("a b c", "a b c", 0),
            ("a b c", "a c", 1),
            ("a b c", "a x b c", 1),
            ("a b c", "x y z", 3),
            ("a b", "", 2),
            ("", "a b", 2),
        ] {
            assert_eq!(
                word_errors(&words(reference), &words(heard)),
                errors,
                "{reference} | {heard}"
            );
        }
    }

    #[test]
    fn writing_does_not_count() {
        assert_eq!(words("2:30 p.m."), words("two thirty pm"));
        assert_eq!(words("Hello, World"), words("hello world"));
    }

    #[test]
    fn slots_are_found_in_the_note() {
        let slots = slots(
            r#"lossless slots={"coffeeDrink": "iced coffee", "sugarAmount": " brown sugar"}"#,
        );
        assert_eq!(slots, [vec!["iced", "coffee"], vec!["brown", "sugar"]]);
        assert!(has_slot(&words("an iced coffee please"), &slots[0]));
        assert!(!has_slot(&words("an iced large coffee"), &slots[0]));
    }
}
