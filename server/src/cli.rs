//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use antiphon_agents::{Agent, lint};
use clap::{Parser, Subcommand};

use crate::caller::{CallArgs, LoadArgs};
use crate::doctor::{DoctorArgs, doctor_command};
use crate::models::ModelsArgs;
use crate::providers::Configured;
use crate::replay::ReplayArgs;
use crate::serve::data_folder;
use crate::{ServeArgs, ServeError, Server, caller, models, replay, telemetry};

/// Antiphon: talk with an agent that answers within a breath.
#[derive(Parser, Debug)]
#[command(name = "antiphon", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Start the engine with its page and API
    Serve(ServeArgs),
    /// Call an agent from the command line with recorded speech
    Call(CallArgs),
    /// Place many calls at once and print latency percentiles
    Load(LoadArgs),
    /// List, fetch, check and remove models: better recognizers, voices and more
    Models(ModelsArgs),
    /// Replay the log of a call: what was said, what was decided and why
    Replay(ReplayArgs),
    /// Check settings, keys, providers, models, ports, disk and clock, and say what to do
    Doctor(DoctorArgs),
    /// Check personality files: errors with line and column, and advice
    Lint {
        /// Files to check
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Runs the command line of this process.
pub async fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => {
            telemetry::start_logging();
            match serve(args).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(fault) => {
                    eprintln!("antiphon: {fault}");
                    ExitCode::FAILURE
                }
            }
        }
        Command::Call(args) => caller::call_command(args).await,
        Command::Load(args) => caller::load_command(args).await,
        Command::Models(args) => models::models_command(args).await,
        Command::Replay(args) => replay::replay_command(&args),
        Command::Doctor(args) => doctor_command(&args).await,
        Command::Lint { files } => lint_files(&files),
    }
}

async fn serve(args: ServeArgs) -> Result<(), ServeError> {
    let fault = |fault: &dyn std::fmt::Display| ServeError::Provider(fault.to_string());
    let prometheus = telemetry::start_metrics().map_err(|error| fault(&error))?;
    let data = data_folder(args.data.as_deref())?;
    let providers = tokio::task::block_in_place(|| Configured::from_env(&data))?;
    let (version, summary) = (env!("CARGO_PKG_VERSION"), providers.summary());
    println!("antiphon {version}: {summary}");
    if let Some(advice) = providers.advice() {
        println!("{advice}");
    }
    let router = Arc::clone(&providers.router);
    let server = Server::start(&args, router, Some(prometheus)).await?;
    let (contexts, agents, warm) = (server.hear_contexts(), server.agents(), server.warm_mark());
    // A thread of its own: it works for seconds, and stopping the server must not wait for it.
    std::thread::spawn(move || {
        providers.warm_up(&agents, &contexts);
        warm();
    });
    println!(
        "Open http://{} and press Call. Ctrl-C stops.",
        server.addr()
    );
    server.run(stop_signal()).await?;
    println!("antiphon: stopped; all calls are settled");
    Ok(())
}

/// Ctrl-C or SIGTERM. A second one ends the process at once.
async fn stop_signal() {
    wait_for_signal().await;
    tokio::spawn(async {
        wait_for_signal().await;
        eprintln!("antiphon: stopped at once; running calls were cut");
        std::process::exit(130);
    });
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(fault) => {
            tracing::error!(%fault, "cannot listen for SIGTERM");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn lint_files(files: &[PathBuf]) -> ExitCode {
    let mut broken = 0;
    for file in files {
        let name = file.display().to_string();
        let id = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(fault) => {
                eprintln!("{name}: cannot be read: {fault}");
                broken += 1;
                continue;
            }
        };
        match Agent::parse(id, &name, &text) {
            Ok(agent) => {
                let advice = lint(&agent);
                for line in &advice {
                    println!("{name}: {}: {}", line.place, line.message);
                }
                println!(
                    "{name}: {} can be called ({} remarks)",
                    agent.name,
                    advice.len()
                );
            }
            Err(fault) => {
                eprintln!("{fault}");
                broken += 1;
            }
        }
    }
    if broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
