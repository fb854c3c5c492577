//! The tables of `docs/bargein.md`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::echo::EchoRow;
use crate::material::{BACKCHANNEL, COMMAND};
use crate::trial::{Row, spread};

const BEGIN: &str = "<!-- bargein: begin -->";
const END: &str = "<!-- bargein: end -->";

fn times(values: &[f32]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let [median, p95, worst] = spread(values);
    format!("{median:.0} / {p95:.0} / {worst:.0}")
}

/// One table of sounds: what became of them.
pub(crate) fn sounds(title: &str, rows: &[Row]) -> String {
    let mut out = format!(
        "\n**{title}**\n\n| sounds | kind | n | stop the agent | judged rightly | stop ms, median / p95 / worst | duck ms, median / p95 / worst |\n|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let kind = match row.kind {
            COMMAND => "command",
            BACKCHANNEL => "backchannel",
            _ => "noise",
        };
        let _ = writeln!(
            out,
            "| {} | {kind} | {} | {} | {:.1} % | {} | {} |",
            row.name,
            row.count,
            row.stopped,
            row.right(),
            times(&row.stop_ms),
            times(&row.duck_ms),
        );
    }
    out
}

/// Recordings of noise played through.
pub(crate) fn steady(rows: &[(String, f32, f32, usize)]) -> String {
    let mut out = String::from(
        "\n**Noise played through, as recorded**\n\n| recording | minutes | time ducked | stops |\n|---|---|---|---|\n",
    );
    for (name, minutes, ducked, stops) in rows {
        let _ = writeln!(out, "| {name} | {minutes:.2} | {ducked:.1} % | {stops} |");
    }
    out
}

/// The agent's echo.
pub(crate) fn echoes(title: &str, rows: &[EchoRow]) -> String {
    let mut out = format!(
        "\n**{title}**\n\n| guard | minutes of agent | self-interruptions | time ducked | barge-ins that stop it | median ms | guard µs a frame | judge µs a frame |\n|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let barge_ins = match row.barge_ins {
            0 => String::new(),
            count => format!("{} of {count}", row.stopped),
        };
        let median = if row.stopped > 0 {
            format!("{:.0}", row.median_ms)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "| {} | {:.1} | {} | {:.1} % | {barge_ins} | {median} | {:.0} | {:.0} |",
            row.name, row.minutes, row.stops, row.ducked_percent, row.guard_us, row.judge_us,
        );
    }
    out
}

/// Puts `tables` between the markers of the page at `path`.
pub(crate) fn write(path: &Path, tables: &str) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let page = fs::read_to_string(path).map_err(|error| told(&error))?;
    let begin = page.find(BEGIN).ok_or_else(|| told(&"no begin marker"))? + BEGIN.len();
    let end = page.find(END).ok_or_else(|| told(&"no end marker"))?;
    let page = format!("{}\n{tables}{}", &page[..begin], &page[end..]);
    fs::write(path, page).map_err(|error| told(&error))
}
