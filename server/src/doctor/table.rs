//! The checks as people read them.

use super::{Check, Verdict};

/// Widest column of what was looked at, characters.
const WHAT_CHARS_MAX: usize = 24;

/// A line a check, and under it what to do; last, how it came out as a whole.
pub(super) fn table(checks: &[Check]) -> String {
    let width = checks
        .iter()
        .map(|check| check.what.chars().count())
        .max()
        .unwrap_or(0)
        .min(WHAT_CHARS_MAX);
    let mut text = String::new();
    for check in checks {
        let mark = match check.verdict {
            Verdict::Ok => "ok   ",
            Verdict::Note => "note ",
            Verdict::Fault => "FAULT",
        };
        let took = check
            .took_ms
            .map_or_else(String::new, |ms| format!(" ({ms} ms)"));
        text += &format!("{mark}  {:<width$}  {}{took}\n", check.what, check.found);
        if let Some(advice) = &check.advice {
            text += &format!("       {:<width$}  → {advice}\n", "");
        }
    }
    let count = |verdict| {
        checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count()
    };
    let (faults, notes) = (count(Verdict::Fault), count(Verdict::Note));
    text += &match (faults, notes) {
        (0, 0) => "\nAll is well.\n".to_owned(),
        (0, notes) => format!("\nCalls will work; notes: {notes}.\n"),
        (faults, _) => format!("\nFaults to mend: {faults}.\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_do_under_each_fault() {
        let mut slow = Check::ok("openai", "answers");
        slow.took_ms = Some(120);
        let text = table(&[slow, Check::fault("disk", "12 MB free", "free some space")]);
        let wanted = "ok     openai  answers (120 ms)\nFAULT  disk    12 MB free\n               → free some space\n\nFaults to mend: 1.\n";
        assert_eq!(text, wanted);
        assert!(table(&[Check::ok("a", "b")]).ends_with("All is well.\n"));
    }
}
