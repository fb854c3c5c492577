//! The rows and what they say.

use std::fmt::Write;

use antiphon_benches::process::{load_average, machine_name};
use antiphon_benches::stats::Samples;

use crate::fleet::{Measured, Speech};
use crate::scripted::SCRIPTED;

/// The bars of the engine, from the issue that asked for it.
const RATIO_MAX: f64 = 1.5;
const RATIO_CALLS: usize = 100;
const ADDED_MS_P99_MAX: f64 = 20.0;
const MEMORY_KIB_MAX: f64 = 1_024.0;
/// With less idle time than this the machine itself was late, whoever used it.
const IDLE_SHARE_MIN: f64 = 0.1;

/// Floor and engine with the same number of calls.
pub(crate) struct Row {
    pub(crate) floor: Measured,
    pub(crate) engine: Measured,
    /// As the row began.
    pub(crate) load: String,
}

/// What was added to the scripted times, in milliseconds.
struct Added {
    /// Between the end of speech as the engine dates it and the first audio sent, by its own
    /// account.
    engine: Samples,
    /// Between the last speech said and the first sound received, on the caller's clock.
    whole: Samples,
}

impl Row {
    fn added(&self, speech: &Speech) -> Added {
        let (from, to) = self.engine.window;
        let answered: Vec<_> = self
            .engine
            .notes
            .iter()
            .flat_map(|notes| &notes.answered)
            .filter(|answered| answered.answered_at >= from && answered.answered_at < to)
            .collect();
        let scripted_ms = SCRIPTED.as_secs_f64() * 1e3;
        let engine = answered.iter().filter_map(|answered| {
            let sent_ms = answered.timeline.as_ref()?.first_audio_sent_ms?;
            Some(sent_ms as f64 - scripted_ms)
        });
        let whole = answered.iter().filter_map(|answered| {
            let end = answered.began_at + speech.clips[answered.clip].vad_end?;
            let took = answered.answered_at.saturating_duration_since(end);
            Some(took.as_secs_f64() * 1e3 - scripted_ms)
        });
        Added {
            engine: engine.collect(),
            whole: whole.collect(),
        }
    }

    fn ratio(&self) -> f64 {
        self.engine.cpu_cores / self.floor.cpu_cores
    }

    fn gaps(measured: &Measured) -> usize {
        let (from, to) = measured.window;
        let gaps = measured.notes.iter().flat_map(|notes| &notes.gaps);
        gaps.filter(|at| **at >= from && **at < to).count()
    }

    fn saturated(&self) -> bool {
        self.engine.idle_share < IDLE_SHARE_MIN
    }
}

/// The rows as a Markdown table, with what they were measured on.
pub(crate) fn table(rows: &[Row], seconds: u64, speech: &Speech) -> String {
    let mut out = format!("{}; {seconds} s a row and side.\n\n", machine_name());
    out.push_str(
        "| calls | CPU a call: floor | engine | ratio | memory a call: floor | engine | \
         added by the engine, p50 / p99 / max | added on the whole path, p50 / p99 / max | turns | \
         underruns, skipped (floor) | gaps > 60 ms, lost | machine: callers, others, idle, load |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        line(&mut out, row, speech).expect("invariant: writing to a string does not fail");
    }
    out.push_str(
        "\n\\* less than 10 % of the machine was idle: its latencies and gaps are of a machine \
         without time, not of the engine.",
    );
    out
}

fn line(out: &mut String, row: &Row, speech: &Speech) -> std::fmt::Result {
    let (engine, floor) = (&row.engine, &row.floor);
    let per_call = |measured: &Measured, value: f64| value / measured.calls as f64;
    let added = row.added(speech);
    let lost: u64 = engine.notes.iter().map(|notes| notes.lost).sum();
    let mark = if row.saturated() { "\\*" } else { "" };
    writeln!(
        out,
        "| {}{mark} | {:.3} % | {:.3} % | {:.2} | {:.0} KiB | {:.0} KiB | {} ms | {} ms | {} | \
         {:.0}, {:.0} ({:.0}) | {}, {lost} | {:.2}, {:.2}, {:.0} %, {} |",
        engine.calls,
        per_call(floor, floor.cpu_cores) * 100.0,
        per_call(engine, engine.cpu_cores) * 100.0,
        row.ratio(),
        per_call(floor, floor.memory_kib),
        per_call(engine, engine.memory_kib),
        added.engine.summary(),
        added.whole.summary(),
        added.whole.count(),
        engine.underruns,
        engine.frames_skipped,
        floor.frames_skipped,
        Row::gaps(engine),
        engine.callers_cores,
        engine.others_cores,
        engine.idle_share * 100.0,
        row.load,
    )
}

/// What the rows say to the bars, a line each.
pub(crate) fn verdicts(rows: &[Row], speech: &Speech) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let engine = &row.engine;
        let mut missed = Vec::new();
        if engine.connected < engine.calls {
            missed.push(format!(
                "{} of {} calls connected",
                engine.connected, engine.calls
            ));
        }
        if engine.calls == RATIO_CALLS && row.ratio() > RATIO_MAX {
            missed.push(format!("CPU {:.2} times the floor", row.ratio()));
        }
        let skipped = engine.frames_skipped + row.floor.frames_skipped;
        if skipped > 0.0 {
            missed.push(format!(
                "{skipped:.0} frames skipped, so that the CPU figures are of less than the whole work"
            ));
        }
        let p99 = row.added(speech).engine.quantile(0.99);
        if p99.is_none_or(|ms| ms >= ADDED_MS_P99_MAX) {
            missed.push(format!("added latency {p99:?} ms at p99"));
        }
        if engine.underruns > 0.0 {
            missed.push(format!("{} underruns", engine.underruns));
        }
        // What is made once, whatever the number of calls, weighs on few.
        if engine.calls > 1 && engine.memory_kib / engine.calls as f64 > MEMORY_KIB_MAX {
            missed.push("more than 1 MiB a call".to_owned());
        }
        let unanswered: usize = engine.notes.iter().map(|notes| notes.unanswered).sum();
        if unanswered > 0 {
            missed.push(format!("{unanswered} questions without an answer"));
        }
        let saturated = if row.saturated() {
            " (the machine was saturated)"
        } else {
            ""
        };
        lines.push(if missed.is_empty() {
            format!("{} calls: every bar held{saturated}", engine.calls)
        } else {
            format!("{} calls{saturated}: {}", engine.calls, missed.join("; "))
        });
    }
    lines
}

/// Measures one row.
pub(crate) fn measure(
    calls: usize,
    window: std::time::Duration,
    speech: &Speech,
) -> Result<Row, String> {
    let load = load_average();
    let floor = crate::fleet::measure(crate::FLOOR, calls, window, speech)?;
    let engine = crate::fleet::measure(crate::ENGINE, calls, window, speech)?;
    Ok(Row {
        floor,
        engine,
        load,
    })
}
