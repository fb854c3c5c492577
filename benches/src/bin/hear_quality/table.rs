//! The table, and its place in `docs/quality.md`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::sets::Row;

const BEGIN: &str = "<!-- hear-quality: begin -->";
const END: &str = "<!-- hear-quality: end -->";

/// The rows as a Markdown table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| set | files | words | WER | bar | RTF | final, median / p95 / worst | first partial, median |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let (words, quality) = match row.slots {
            Some((said, got)) => (
                format!("{said} slots"),
                format!("{:.1} % slot recall", share(got, said)),
            ),
            None => (
                row.words.to_string(),
                format!("{:.1} %", share(row.errors, row.words)),
            ),
        };
        let bar = row
            .bar
            .map_or_else(String::new, |bar| format!("{bar:.0} %"));
        writeln!(
            out,
            "| {} | {} | {words} | {quality} | {bar} | {:.2} | {:.0} / {:.0} / {:.0} ms | {:.0} ms |",
            row.name,
            row.files,
            row.real_time_factor,
            quantile(&row.final_ms, 0.5),
            quantile(&row.final_ms, 0.95),
            quantile(&row.final_ms, 1.0),
            quantile(&row.first_partial_ms, 0.5),
        )
        .expect("invariant: writing to a string does not fail");
    }
    out
}

/// Puts `table` between the marks in the document at `path`.
pub(crate) fn write(path: &Path, table: &str) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let marks = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        marks.ok_or_else(|| format!("{}: no '{BEGIN}' and '{END}'", path.display()))?;
    fs::write(path, format!("{before}{BEGIN}\n{table}{END}{after}"))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The value below which `share` of the sorted values lie (nearest rank); 0 where there is none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), 10.0);
        assert_eq!(quantile(&values, 0.95), 19.0);
        assert_eq!(quantile(&values, 1.0), 20.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}
