//! Files of at most 500 lines, functions of at most 70.

use std::path::{Path, PathBuf};
use std::process::Command;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// Today's exceptions, `path` or `path:function`. Generated files only.
const EXCEPTIONS: &[&str] = &["web/src/wire.d.ts"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources() -> Vec<String> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
            "*.ts",
            "*.mjs",
            "*.css",
        ])
        .current_dir(root())
        .output()
        .expect("git runs");
    let text = String::from_utf8(output.stdout).expect("paths are UTF-8");
    text.lines()
        .filter(|path| root().join(path).exists() && !EXCEPTIONS.contains(path))
        .map(str::to_owned)
        .collect()
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter_map(|path| {
            let lines = std::fs::read_to_string(root().join(&path))
                .expect("a source")
                .lines()
                .count();
            (lines > FILE_LINES_MAX).then(|| format!("{path}: {lines} lines"))
        })
        .collect();
    assert!(
        long.is_empty(),
        "over {FILE_LINES_MAX} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for path in sources().into_iter().filter(|path| path.ends_with(".rs")) {
        let text = std::fs::read_to_string(root().join(&path)).expect("a source");
        long.extend(
            long_functions(&text)
                .into_iter()
                .map(|(name, lines)| format!("{path}:{name}: {lines} lines")),
        );
    }
    long.retain(|line| {
        !EXCEPTIONS
            .iter()
            .any(|exception| line.starts_with(exception))
    });
    assert!(
        long.is_empty(),
        "over {FUNCTION_LINES_MAX} lines:\n{}",
        long.join("\n")
    );
}

/// Functions by indentation, which rustfmt guarantees: the closing brace stands where `fn` does.
fn long_functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut long = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[at..].iter().position(|line| {
            *line == closing || (line.starts_with(&closing) && line.len() == indent + 1)
        });
        let length = end.map_or(1, |end| end + 1);
        if length > FUNCTION_LINES_MAX && lines[at].trim_end() != closing {
            long.push((name.to_owned(), length));
        }
    }
    long
}

fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let words = [
        "pub",
        "async",
        "const",
        "unsafe",
        "extern",
        "\"C\"",
        "pub(crate)",
        "pub(super)",
    ];
    let declares = before.split_whitespace().all(|word| words.contains(&word));
    let one_line = line.trim_end().ends_with(['}', ';']);
    let name = after.split(['(', '<']).next()?;
    (declares && !one_line && !name.is_empty()).then_some(name)
}

#[test]
fn the_measure_finds_a_long_function() {
    let body = "    x();\n".repeat(70);
    let text = format!(
        "impl A {{\n    pub fn short() {{\n        x();\n    }}\n}}\nfn long() {{\n{body}}}\n"
    );
    assert_eq!(long_functions(&text), [("long".to_owned(), 72)]);
}
