//! The tables of `docs/endpointing.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use antiphon_engine::Model;

use crate::Folds;
use crate::curve::{self, Point, WAIT_MS_MAX, at_cut, at_delay, dealt_out, ours, plain, point};
use crate::material::{REPORTED_ON, TRAINED_ON};
use crate::pauses::{Pause, Words};

const BEGIN: &str = "<!-- begin: endpointing -->";
const END: &str = "<!-- end: endpointing -->";
/// The bars: the rate and the delay at which the two are held against each other.
const CUT_BAR: f64 = 0.05;
const DELAY_BAR_MS: f64 = 300.0;
/// Times that waits are dealt out at random.
const DEALS: u64 = 20;
/// Draws of the recordings, with replacement, for the range of the bars.
const RESAMPLES: u64 = 300;

/// A way of deciding, with its curve.
pub(crate) struct Row {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// Its operating points.
    pub(crate) curve: Vec<Point>,
}

/// All ways of deciding on `pauses`; the first is the fixed silence.
pub(crate) fn rows(pauses: &[&Pause], folds: &Folds) -> Vec<Row> {
    let shipped = Model::trained();
    let with = |words| ours(pauses, words, |_| &shipped);
    let row = |name, curve| Row { name, curve };
    vec![
        row("fixed silence", plain(pauses)),
        row("ours, words of the embedded recognizer", with(Words::Heard)),
        row("ours, no words (sound and habit alone)", with(Words::None)),
        row("ours, words as said where known", with(Words::Said)),
        row(
            "ours, cross-validated by set",
            ours(pauses, Words::Heard, |pause| folds.without(pause.set)),
        ),
    ]
}

/// Everything between the markers.
pub(crate) fn tables(pauses: &[&Pause], training: &[&Pause], folds: &Folds) -> String {
    let rows = rows(pauses, folds);
    let mut text = String::new();
    headline(&mut text, &rows);
    text.push('\n');
    by_delay(&mut text, &rows);
    text.push('\n');
    chance(&mut text, pauses);
    text.push('\n');
    by_maximum(&mut text, pauses);
    text.push('\n');
    by_set(&mut text, pauses);
    text.push('\n');
    resampled(&mut text, pauses);
    text.push('\n');
    sets(&mut text, training);
    text
}

fn headline(text: &mut String, rows: &[Row]) {
    let fixed = &rows[0].curve;
    let bar_ms = at_cut(fixed, CUT_BAR).map_or(f64::NAN, |p| p.median_ms);
    let bar_cut = at_delay(fixed, DELAY_BAR_MS).map_or(f64::NAN, |p| p.cut);
    line(
        text,
        "| | median delay at 5 % false cutoffs | of the fixed silence's | mean, p90 there | false cutoffs at 300 ms median | of the fixed silence's | mean, p90 there |",
    );
    line(text, "|---|---|---|---|---|---|---|");
    for row in rows {
        let (at_bar, at_300) = (
            at_cut(&row.curve, CUT_BAR),
            at_delay(&row.curve, DELAY_BAR_MS),
        );
        let delay =
            |p: Option<Point>| p.map_or("never".into(), |p| format!("{:.0} ms", p.median_ms));
        let share = |value: Option<f64>, of: f64| {
            value.map_or("–".to_owned(), |value| {
                format!("{:.0} %", 100.0 * value / of)
            })
        };
        let spread = |p: Option<Point>| {
            p.map_or("–".to_owned(), |p| {
                format!("{:.0}, {:.0} ms", p.mean_ms, p.p90_ms)
            })
        };
        let cut = at_300.map_or("never".into(), |p| format!("{:.1} %", 100.0 * p.cut));
        let cells = [
            row.name.to_owned(),
            delay(at_bar),
            share(at_bar.map(|p| p.median_ms), bar_ms),
            spread(at_bar),
            cut,
            share(at_300.map(|p| p.cut), bar_cut),
            spread(at_300),
        ];
        line(text, &format!("| {} |", cells.join(" | ")));
    }
}

fn by_delay(text: &mut String, rows: &[Row]) {
    let delays = [300.0, 400.0, 500.0, 700.0, 900.0, 1_200.0, 1_500.0, 2_000.0];
    let heads: Vec<String> = delays.iter().map(|ms| format!("{ms:.0} ms")).collect();
    line(
        text,
        &format!(
            "| false cutoffs at a median delay of at most | {} |",
            heads.join(" | ")
        ),
    );
    line(text, &format!("|---|{}", "---|".repeat(delays.len())));
    for row in rows {
        let cells = delays.map(|ms| {
            at_delay(&row.curve, ms).map_or("–".to_owned(), |p| format!("{:.1} %", 100.0 * p.cut))
        });
        line(text, &format!("| {} | {} |", row.name, cells.join(" | ")));
    }
}

/// What the same waits would do if they were dealt out at random: the median alone can be had
/// cheaply, by making some waits short and the others long.
fn chance(text: &mut String, pauses: &[&Pause]) {
    let model = Model::trained();
    line(
        text,
        "| `endpointing_ms_min` | median, mean, p90 delay | false cutoffs | the same waits dealt out at random | mean, fixed silence with as many cutoffs |",
    );
    line(text, "|---|---|---|---|---|");
    let fixed = plain(pauses);
    for min_ms in [200, 300, 500, 800, 1_000, 1_200, 1_500] {
        let waits = curve::waits(pauses, (min_ms, WAIT_MS_MAX), &model);
        let at = point(pauses, &waits);
        let random: f64 = (0..DEALS)
            .map(|seed| point(pauses, &dealt_out(&waits, seed)).cut)
            .sum::<f64>()
            / DEALS as f64;
        let same =
            at_cut(&fixed, at.cut).map_or("–".to_owned(), |p| format!("{:.0} ms", p.mean_ms));
        line(
            text,
            &format!(
                "| {min_ms} ms | {:.0}, {:.0}, {:.0} ms | {:.1} % | {:.1} % | {same} |",
                at.median_ms,
                at.mean_ms,
                at.p90_ms,
                100.0 * at.cut,
                100.0 * random,
            ),
        );
    }
}

/// What the agent's maximum does: it bounds the wait after an end that does not sound like one.
fn by_maximum(text: &mut String, pauses: &[&Pause]) {
    let model = Model::trained();
    line(
        text,
        "| `endpointing_ms_min`, `_max` | median, mean, p90 delay | false cutoffs | mean, fixed silence with as many cutoffs |\n|---|---|---|---|",
    );
    let fixed = plain(pauses);
    for min_ms in [300, 500] {
        for max_ms in [1_000, 1_600, 2_000, 3_000] {
            let at = point(pauses, &curve::waits(pauses, (min_ms, max_ms), &model));
            let same =
                at_cut(&fixed, at.cut).map_or("–".to_owned(), |p| format!("{:.0} ms", p.mean_ms));
            line(
                text,
                &format!(
                    "| {min_ms}, {max_ms} ms | {:.0}, {:.0}, {:.0} ms | {:.1} % | {same} |",
                    at.median_ms,
                    at.mean_ms,
                    at.p90_ms,
                    100.0 * at.cut,
                ),
            );
        }
    }
}

fn by_set(text: &mut String, pauses: &[&Pause]) {
    let model = Model::trained();
    line(
        text,
        "| set | pauses within turns | ends | false cutoffs with 300 ms: fixed, ours | median, mean delay | with 1000 ms: fixed, ours | median, mean delay |",
    );
    line(text, "|---|---|---|---|---|---|---|");
    for set in REPORTED_ON {
        let own: Vec<&Pause> = pauses.iter().copied().filter(|p| p.set == set).collect();
        let over = own.iter().filter(|p| p.is_over()).count();
        let cells = [300, 1_000].map(|ms| {
            let fixed = point(&own, &vec![ms; own.len()]);
            let ours = point(&own, &curve::waits(&own, (ms, WAIT_MS_MAX), &model));
            format!(
                "{:.0} %, {:.0} % | {:.0}, {:.0} ms",
                100.0 * fixed.cut,
                100.0 * ours.cut,
                ours.median_ms,
                ours.mean_ms
            )
        });
        line(
            text,
            &format!(
                "| {set} | {} | {over} | {} |",
                own.len() - over,
                cells.join(" | ")
            ),
        );
    }
}

/// How far the two bars depend on which recordings there happen to be.
fn resampled(text: &mut String, pauses: &[&Pause]) {
    let clips: Vec<&[&Pause]> = pauses.chunk_by(|a, b| a.clip == b.clip).collect();
    let model = Model::trained();
    let (mut delays, mut cuts) = (Vec::new(), Vec::new());
    let draws: Vec<u64> = (0..clips.len() as u64).collect();
    for seed in 0..RESAMPLES {
        // With replacement: the first of a shuffled pile, as often as there are clips.
        let drawn: Vec<&Pause> = (0..clips.len() as u64)
            .map(|i| dealt_out(&draws, seed * 100_003 + i)[0] as usize)
            .flat_map(|clip| clips[clip].iter().copied())
            .collect();
        let fixed = plain(&drawn);
        let ours = ours(&drawn, Words::Heard, |_| &model);
        if let (Some(a), Some(b)) = (at_cut(&ours, CUT_BAR), at_cut(&fixed, CUT_BAR)) {
            delays.push(a.median_ms / b.median_ms);
        }
        if let (Some(a), Some(b)) = (
            at_delay(&ours, DELAY_BAR_MS),
            at_delay(&fixed, DELAY_BAR_MS),
        ) {
            cuts.push(a.cut / b.cut);
        }
    }
    let range = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let at = |share| 100.0 * curve::quantile(values, share);
        format!("{:.0} % ({:.0} to {:.0} %)", at(0.5), at(0.05), at(0.95))
    };
    let (delay, cut) = (range(&mut delays), range(&mut cuts));
    line(
        text,
        &format!(
            "Resampled {RESAMPLES} times by clip, median and 90 % range: of the fixed silence's delay at 5 % false cutoffs {delay}; of its false cutoffs at 300 ms {cut}."
        ),
    );
}

fn sets(text: &mut String, training: &[&Pause]) {
    let count = |set: &str, all: &[&Pause]| {
        let own = || all.iter().filter(|p| p.set == set);
        let over = own().filter(|p| p.is_over()).count();
        (own().count() - over, over)
    };
    line(
        text,
        "| trained on (never reported) | pauses within turns | ends |\n|---|---|---|",
    );
    for set in TRAINED_ON {
        let (on, over) = count(set, training);
        line(text, &format!("| {set} | {on} | {over} |"));
    }
    line(text, &format!("\nLongest wait allowed: {WAIT_MS_MAX} ms."));
}

fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}");
}

/// Replaces what stands between the markers in `path`.
pub(crate) fn write(path: &Path, tables: &str) -> Result<(), String> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(named)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or_else(|| format!("{}: no {BEGIN}", path.display()))?;
    let (_, after) = rest
        .split_once(END)
        .ok_or_else(|| format!("{}: no {END}", path.display()))?;
    fs::write(path, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}")).map_err(named)
}
