//! Measured tables in documents, between a pair of marks.

use std::fs;
use std::path::{Path, PathBuf};

/// The document that the tables of `calls` and `turn` are in.
pub fn performance_document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md")
}

/// Puts `table` between `<!-- NAME: begin -->` and `<!-- NAME: end -->` in the document at `path`.
///
/// # Errors
/// A sentence with the path, where it cannot be read or written or has no such marks.
pub fn write(path: &Path, name: &str, table: &str) -> Result<(), String> {
    let fault = |why: String| format!("{}: {why}", path.display());
    let text = fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let text = replaced(&text, name, table).map_err(fault)?;
    fs::write(path, text).map_err(|error| fault(error.to_string()))
}

fn replaced(text: &str, name: &str, table: &str) -> Result<String, String> {
    let (begin, end) = (
        format!("<!-- {name}: begin -->"),
        format!("<!-- {name}: end -->"),
    );
    let (before, after) = text
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)))
        .ok_or_else(|| format!("no '{begin}' followed by '{end}'"))?;
    Ok(format!("{before}{begin}\n{table}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = "a\n<!-- t: begin -->\nold\n<!-- t: end -->\nb\n";
        let expected = "a\n<!-- t: begin -->\nnew\n<!-- t: end -->\nb\n";
        assert_eq!(replaced(text, "t", "new").as_deref(), Ok(expected));
        assert!(replaced("a", "t", "new").is_err());
    }
}
