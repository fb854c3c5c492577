//! `antiphon doctor`: is everything there that calls need, and what to do where it is not.

mod here;
mod reach;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::ServeArgs;
use crate::serve::data_folder;

/// Settings of `antiphon doctor`.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// The settings that `antiphon serve` would be started with
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Print JSON: an array of checks
    #[arg(long)]
    pub json: bool,
    /// Check nothing over the network
    #[arg(long)]
    pub offline: bool,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// Calls work, but something is worth knowing.
    Note,
    /// Something that was asked for does not work.
    Fault,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, e.g. `disk`.
    pub what: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do, where there is something to do.
    pub advice: Option<String>,
    /// How long the answer of something remote took, milliseconds.
    pub took_ms: Option<u64>,
}

impl Check {
    fn new(what: &str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            verdict,
            found: found.into(),
            advice: None,
            took_ms: None,
        }
    }

    fn ok(what: &str, found: impl Into<String>) -> Self {
        Self::new(what, Verdict::Ok, found)
    }

    fn note(what: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..Self::new(what, Verdict::Note, found)
        }
    }

    fn fault(what: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(advice.into()),
            ..Self::new(what, Verdict::Fault, found)
        }
    }
}

/// Runs the checks and prints them. Fails where any of them is a fault.
pub(crate) async fn doctor_command(args: &DoctorArgs) -> ExitCode {
    let checks = examine(args).await;
    if args.json {
        // Strings and numbers: they always serialize.
        println!(
            "{}",
            serde_json::to_string_pretty(&checks).unwrap_or_default()
        );
    } else {
        print!("{}", table::table(&checks));
    }
    if checks.iter().any(|check| check.verdict == Verdict::Fault) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// All checks, in the order in which they are read best.
pub async fn examine(args: &DoctorArgs) -> Vec<Check> {
    let mut checks = Vec::new();
    let data: Option<PathBuf> = match data_folder(args.serve.data.as_deref()) {
        Ok(data) => Some(data),
        Err(fault) => {
            checks.push(Check::fault("data folder", fault.to_string(), "see above"));
            None
        }
    };
    if let Some(data) = &data {
        checks.extend(here::folder(data));
        checks.push(here::agents(data));
        checks.extend(here::models(data));
        checks.push(here::providers(data));
    }
    checks.push(here::prices());
    checks.extend(here::ports(&args.serve));
    checks.extend(here::libraries());
    checks.push(here::clock());
    checks.push(here::database());
    if !args.offline {
        checks.extend(reach::all(&|name| std::env::var(name).ok()).await);
    }
    checks
}
