//! A caller at the command line: `antiphon call` and `antiphon load`.
//!
//! Built on the `webrtc` crate, which shares no code with the server's `str0m`, so that every
//! call made here is also a test of what goes over the wire.

mod args;
mod clip;
mod conversation;
mod error;
mod line;
mod load;
mod peer;
mod report;
mod rest;
mod script;
mod summary;
#[cfg(test)]
mod tests;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

pub use args::{CallArgs, LoadArgs};
pub use error::CallError;
pub use load::load;
pub use summary::{CallSummary, LoadSummary, Percentiles, TurnLatency};

use clip::Item;
use conversation::{Conversation, Plan};
use line::Line;
use report::Report;

/// Makes one call, prints it as it goes, and returns what came of it.
///
/// # Errors
/// [`CallError`], whose words are fit for people.
pub async fn call(args: CallArgs) -> Result<CallSummary, CallError> {
    let mut items = Vec::new();
    for path in &args.audio {
        items.push(Arc::new(Item::from_file(path)?));
    }
    items.extend(
        args.text
            .iter()
            .map(|text| Arc::new(Item::Text(text.clone()))),
    );
    let timeout = Duration::from_secs(args.timeout);
    let report = Report::new(args.json);
    let connecting = Line::connect(&args.server, &args.agent);
    let line = tokio::time::timeout(timeout, connecting)
        .await
        .map_err(|_| CallError::TimedOut {
            seconds: args.timeout,
        })??;
    let plan = Plan {
        items,
        repeat: false,
        barge_in: args.barge_in,
        deadline: timeout,
    };
    let mut conversation = Conversation::new(line, plan, Some(report))?;
    if args.out.is_some() {
        conversation.record()?;
    }
    let outcome = conversation.run().await;
    let recording = conversation.take_recording();
    conversation.end().await;
    // A call that failed midway has a recording too, and it is then of most use.
    if let (Some(path), Some(pcm)) = (&args.out, recording) {
        let wav = antiphon_audio::file::write_wav(antiphon_audio::CALLER_RATE_HZ, &pcm);
        std::fs::write(path, wav).map_err(|source| CallError::Output {
            path: path.clone(),
            source,
        })?;
    }
    outcome?;
    Ok(conversation.summary())
}

/// `antiphon call`: exit status 0 where the call was completed, 2 where it could not be made, 3
/// where it took too long.
pub async fn call_command(args: CallArgs) -> ExitCode {
    let json = args.json;
    match call(args).await {
        Ok(summary) => {
            report::print_summary(&summary, json);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// `antiphon load`: exit status 0 where every call was completed, 2 where one was not.
pub async fn load_command(args: LoadArgs) -> ExitCode {
    let json = args.json;
    match load(args).await {
        Ok(summary) => {
            report::print_load(&summary, json);
            ExitCode::from(if summary.failed == 0 {
                0
            } else {
                error::EXIT_NOT_CONNECTED
            })
        }
        Err(error) => fail(&error),
    }
}

fn fail(error: &CallError) -> ExitCode {
    eprintln!("antiphon: {error}");
    ExitCode::from(error.exit_code())
}
