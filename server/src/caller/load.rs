//! Many calls at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::LoadArgs;
use super::clip::Item;
use super::conversation::{Conversation, Plan};
use super::error::CallError;
use super::line::Line;
use super::summary::{CallSummary, LoadSummary, Percentiles};

/// What is typed, again and again, where there is no recording.
const TYPED: &str = "What can you do for me?";

/// Places the calls and measures them. One call that fails does not end the others.
///
/// # Errors
/// [`CallError`] where the recording cannot be used.
pub async fn load(args: LoadArgs) -> Result<LoadSummary, CallError> {
    // Read and encoded once: a caller then costs one decoder and its encryption.
    let item = Arc::new(match &args.audio {
        Some(path) => Item::from_file(path)?,
        None => Item::Text(TYPED.to_owned()),
    });
    let mut calls = JoinSet::new();
    for index in 0..args.calls {
        let (args, item) = (args.clone(), item.clone());
        calls.spawn(async move {
            let wait = Duration::from_millis(args.ramp_ms * u64::from(index));
            tokio::time::sleep(wait).await;
            one(&args, item).await
        });
    }
    let mut summaries = Vec::new();
    let mut failures = HashMap::new();
    while let Some(joined) = calls.join_next().await {
        let failure = match joined {
            Ok(Ok(call)) => {
                summaries.push(call);
                continue;
            }
            Ok(Err(error)) => kind(&error),
            Err(panic) => panic.to_string(),
        };
        *failures.entry(failure).or_insert(0) += 1;
    }
    Ok(summarize(args.calls, &summaries, failures))
}

async fn one(args: &LoadArgs, item: Arc<Item>) -> Result<(CallSummary, u64), CallError> {
    let line = Line::connect(&args.server, &args.agent).await?;
    let deadline = Duration::from_secs(args.seconds);
    let plan = Plan {
        items: vec![item],
        repeat: true,
        barge_in: false,
        deadline,
    };
    let mut conversation = Conversation::new(line, plan, None)?;
    let outcome = conversation.run().await;
    conversation.end().await;
    outcome?;
    Ok((conversation.summary(), conversation.packets()))
}

/// An error without what differs from call to call, so that like can be counted with like.
fn kind(error: &CallError) -> String {
    match error {
        CallError::Lost { .. } => "the connection was lost".to_owned(),
        CallError::BadUrl { .. }
        | CallError::Unreachable { .. }
        | CallError::Refused { .. }
        | CallError::NotUnderstood { .. }
        | CallError::Input { .. }
        | CallError::Audio { .. }
        | CallError::SilentAudio { .. }
        | CallError::Output { .. }
        | CallError::Codec(_)
        | CallError::Rate(_)
        | CallError::WebRtc(_)
        | CallError::NoMedia { .. }
        | CallError::TimedOut { .. }
        | CallError::Interrupted => error.to_string(),
    }
}

fn summarize(
    calls: u32,
    summaries: &[(CallSummary, u64)],
    failures: HashMap<String, u32>,
) -> LoadSummary {
    let turns = || summaries.iter().flat_map(|(call, _)| &call.turns);
    // A turn cut short by the end of its call was not left unanswered by the server: the last one
    // of each call does not count as such.
    let unanswered = summaries.iter().map(|(call, _)| {
        let earlier = call.turns.len().saturating_sub(1);
        call.turns[..earlier]
            .iter()
            .filter(|turn| turn.latency_ms.is_none())
            .count() as u64
    });
    let mut failures: Vec<(String, u32)> = failures.into_iter().collect();
    failures.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    LoadSummary {
        calls,
        failed: failures.iter().map(|(_, count)| count).sum(),
        failures,
        connect_ms: Percentiles::of(summaries.iter().map(|(call, _)| call.connect_ms).collect()),
        latency_ms: Percentiles::of(turns().filter_map(|turn| turn.latency_ms).collect()),
        unanswered_turns: unanswered.sum(),
        packets: summaries.iter().map(|(_, packets)| packets).sum(),
        lost_packets: summaries.iter().map(|(call, _)| call.lost_packets).sum(),
        agent_audio_ms: summaries.iter().map(|(call, _)| call.agent_audio_ms).sum(),
    }
}
