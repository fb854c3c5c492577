//! Did you mean?

/// The candidate nearest to what was written, where one is near enough to be meant.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                edit_distance(&written, &candidate.to_lowercase()),
                candidate,
            )
        })
        // A third of the letters may be wrong; beyond that a guess misleads.
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance with neighbouring letters swapped counted as one.
pub(crate) fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(COMPARED_CHARS_MAX).collect();
    let b: Vec<char> = b.chars().take(COMPARED_CHARS_MAX).collect();
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Keys are short; a longer text is no misspelling of one.
const COMPARED_CHARS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{edit_distance, nearest};

    #[test]
    fn counts_edits() {
        assert_eq!(edit_distance("greeting", "gretting"), 1);
        assert_eq!(edit_distance("greeting", "greeitng"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
    }

    #[test]
    fn guesses_only_what_is_near() {
        assert_eq!(
            nearest("gretting", ["greeting", "farewell"]),
            Some("greeting")
        );
        assert_eq!(nearest("RMS", ["rms", "slt"]), Some("rms"));
        assert_eq!(nearest("banana", ["greeting", "farewell"]), None);
    }
}
