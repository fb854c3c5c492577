//! `antiphon replay`: feeds the log of a call to the engine again, proves that it puts out the same
//! bytes, and shows what happened and why. `docs/replay.md` is the manual.

mod explain;
mod facts;
mod page;
mod story;
mod timeline;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use antiphon_proto::Moment;
use antiphon_runtime::log::{
    Difference, Ending, LogError, LogReader, Replayed, Step, Verdict, replay,
};
use clap::Args;

use explain::Explainer;
use facts::{kind, seconds};
use story::StoryTeller;

/// Replay the log of a call.
#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// The log: a file of the folder logs in the data folder of `antiphon serve`
    #[arg(value_name = "LOG")]
    pub log: PathBuf,
    /// Stop so many seconds after the session's creation
    #[arg(long, value_name = "SECONDS", value_parser = whole_microseconds)]
    pub until: Option<Moment>,
    /// Print each decision with its reason and the inputs that led to it
    #[arg(long, conflicts_with_all = ["json", "verify"])]
    pub explain: bool,
    /// Print every output as a JSON line: {"at_ms":…,"output":…}
    #[arg(long, conflicts_with = "verify")]
    pub json: bool,
    /// Write one page with everything on a common time axis
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print only whether the outputs are those of the recorded call
    #[arg(long)]
    pub verify: bool,
}

fn whole_microseconds(text: &str) -> Result<Moment, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    // The longest call is hours; what does not fit is no time of a call.
    if (0.0..1e9).contains(&seconds) {
        Ok(Moment((seconds * 1e6).round() as u64))
    } else {
        Err("not a number of seconds from 0 on".to_owned())
    }
}

#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error("{0}")]
    Log(#[from] LogError),
    #[error("cannot open {path}: {source}")]
    Open { path: PathBuf, source: io::Error },
    #[error("cannot write {path}: {source}")]
    Html { path: PathBuf, source: io::Error },
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Runs the command: status 0 where nothing differs, 1 where an output does or the log cannot be
/// read.
pub fn replay_command(args: &ReplayArgs) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = replay_to(args, &mut out).and_then(|same| Ok(out.flush().map(|()| same)?));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // `| head` has seen enough.
        Err(ReplayError::Print(fault)) if fault.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(fault) => {
            // What was understood up to the fault is of use; a second fault is not.
            let _ = out.flush();
            eprintln!("antiphon: {}: {fault}", args.log.display());
            ExitCode::FAILURE
        }
    }
}

/// True where nothing differs.
fn replay_to(args: &ReplayArgs, out: &mut impl Write) -> Result<bool, ReplayError> {
    let file = File::open(&args.log).map_err(|source| ReplayError::Open {
        path: args.log.clone(),
        source,
    })?;
    let mut log = LogReader::open(file)?;
    let mut teller = args
        .html
        .is_some()
        .then(|| StoryTeller::new(log.header().clone()));
    let mut explainer = Explainer::default();
    let lines = !(args.json || args.verify || args.explain);
    if lines || args.explain {
        writeln!(out, "{}", timeline::title(log.header()))?;
    }
    let mut printed = Ok(());
    let replayed = replay(&mut log, args.until, |step| {
        if let Some(teller) = &mut teller {
            teller.take(step);
        }
        if printed.is_err() {
            return;
        }
        printed = if args.json {
            print_json(step, out)
        } else if args.explain {
            explainer.print(step, out)
        } else if lines {
            timeline::print(step, out)
        } else {
            Ok(())
        };
    })?;
    printed?;
    if args.explain {
        explainer.end(out)?;
    }
    if let (Some(path), Some(teller)) = (&args.html, teller) {
        let page = page::page(&teller.story(&replayed));
        std::fs::write(path, page).map_err(|source| ReplayError::Html {
            path: path.clone(),
            source,
        })?;
    }
    let same = !matches!(replayed.verdict(), Verdict::Different(_));
    let said = verdict_text(&replayed);
    if args.json {
        // Standard output is for the outputs.
        eprintln!("{said}");
    } else {
        writeln!(out, "{said}")?;
    }
    Ok(same)
}

fn print_json(step: &Step, out: &mut impl Write) -> io::Result<()> {
    for output in &step.outputs {
        write!(out, "{{\"at_ms\":{},\"output\":", step.at.ms())?;
        serde_json::to_writer(&mut *out, output)?;
        writeln!(out, "}}")?;
    }
    Ok(())
}

/// What the replay proved, in one to three lines.
fn verdict_text(replayed: &Replayed) -> String {
    let counts = format!(
        "{} inputs, {} outputs, sha256 {}",
        replayed.inputs, replayed.outputs, replayed.sha256
    );
    let mut text = match replayed.verdict() {
        Verdict::Identical => format!("outputs: identical ({counts})"),
        Verdict::IdenticalSoFar => format!(
            "outputs: identical up to {} s, by the check of each input ({counts})",
            seconds(replayed.last_at)
        ),
        Verdict::Different(Difference::At(step)) => different_at(&step, &counts),
        Verdict::Different(Difference::Somewhere) => format!(
            "outputs: DIFFERENT ({counts}): the hash over all is another, though the check of each input is the same"
        ),
    };
    match &replayed.ending {
        Some(Ending::Whole(trailer)) => {
            if let Some(why) = &trailer.incomplete {
                let why = facts::printable(why);
                text += &format!("\nnote: the call went on behind the end of this log: {why}");
            }
        }
        Some(Ending::Cut { partial }) => {
            let dropped = if *partial {
                "; its last, partial record was dropped"
            } else {
                ""
            };
            text += &format!(
                "\nnote: the log has no trailer: the process ended in the middle of the call, or the call is running{dropped}"
            );
        }
        None => text += "\nnote: stopped before the end of the log, as asked",
    }
    text
}

fn different_at(step: &Step, counts: &str) -> String {
    let input = kind(&facts::json(&step.input)).to_owned();
    let mut text = format!(
        "outputs: DIFFERENT ({counts}): first at input {} ({input}) at {} s, which now gives rise to ",
        step.record,
        seconds(step.at)
    );
    if step.outputs.is_empty() {
        text += "no output";
    } else {
        let now: Vec<String> = step
            .outputs
            .iter()
            .map(|output| facts::json(output).to_string())
            .collect();
        text += &now.join("\n  ");
    }
    text
}

#[cfg(test)]
mod tests;
