//! What is wrong with a personality file, where, and what to write instead.

use std::ops::Range;

/// A personality file that cannot be used. Displays as
/// `cal.toml:12:5: unknown key `gretting`; did you mean `greeting`?`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}; {advice}")]
pub struct AgentFileError {
    /// The file's name as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub advice: String,
}

/// A problem at a place in the text, before the place is counted out in lines.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) span: Range<usize>,
    pub(crate) problem: String,
    pub(crate) advice: String,
}

impl Fault {
    pub(crate) fn new(
        span: Range<usize>,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            span,
            problem: problem.into(),
            advice: advice.into(),
        }
    }

    pub(crate) fn in_file(self, file: &str, text: &str) -> AgentFileError {
        let (line, column) = line_and_column(text, self.span.start);
        AgentFileError {
            file: file.to_owned(),
            line,
            column,
            problem: self.problem,
            advice: self.advice,
        }
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::line_and_column;

    #[test]
    fn counts_lines_and_characters_from_one() {
        let text = "a\nüb\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 2), (2, 1));
        assert_eq!(line_and_column(text, 4), (2, 2));
        assert_eq!(line_and_column(text, 3), (2, 1), "inside a character");
        assert_eq!(line_and_column(text, 99), (3, 1));
    }
}
