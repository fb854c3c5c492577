//! Printing: a transcript with a timeline for people, one JSON object a line for programs.

use antiphon_proto::{Event, EventEnvelope, Role, TurnTimeline};

use super::line::Line;
use super::summary::{CallSummary, LoadSummary, Percentiles};

/// Prints a call as it goes.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    agent: String,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            agent: "agent".to_owned(),
        }
    }

    pub(crate) fn connected(&self, line: &Line) {
        if self.json {
            let connected = serde_json::json!({
                "type": "connected",
                "session": line.session.id,
                "connect_ms": line.connect_ms,
            });
            println!("{connected}");
        } else {
            let (id, took) = (&line.session.id, line.connect_ms);
            println!(
                "connected to {} in {took} ms, session {id}",
                line.session.agent
            );
        }
    }

    /// The recording or text number `index` begins.
    pub(crate) fn saying(&self, now_ms: u64, index: usize) {
        if self.json {
            let saying = serde_json::json!({"type": "saying", "at_ms": now_ms, "item": index});
            println!("{saying}");
        } else {
            self.line(now_ms, &format!("(you begin with number {})", index + 1));
        }
    }

    /// An event as it came; `envelope` where it is understood.
    pub(crate) fn event(&mut self, now_ms: u64, json: &str, envelope: Option<&EventEnvelope>) {
        if self.json {
            println!("{json}");
        } else if let Some(envelope) = envelope {
            self.for_people(now_ms, &envelope.event);
        }
    }

    fn for_people(&mut self, now_ms: u64, event: &Event) {
        match event {
            Event::SessionStarted {
                agent_name,
                recognizer,
                ..
            } => {
                self.agent.clone_from(agent_name);
                self.line(
                    now_ms,
                    &format!("({agent_name} hears with {})", recognizer.name),
                );
                if let Some(advice) = &recognizer.advice {
                    self.line(now_ms, &format!("({advice})"));
                }
            }
            Event::UserTranscript {
                text,
                is_final: true,
                ..
            } => {
                self.line(now_ms, &format!("you: {text}"));
            }
            Event::AgentText { text, .. } => self.line(now_ms, &format!("{}: {text}", self.agent)),
            Event::MessageCommitted { message }
                if message.interrupted && message.role == Role::Agent =>
            {
                let heard = format!("({} was cut off after: {})", self.agent, message.text);
                self.line(now_ms, &heard);
            }
            Event::TurnTimeline { timeline } => self.line(now_ms, &stages(timeline)),
            Event::Notice { message, .. } => self.line(now_ms, &format!("({message})")),
            Event::Safety { state } => self.line(now_ms, &format!("(safety: {state:?})")),
            Event::SessionEnding { reason, in_ms } => {
                self.line(
                    now_ms,
                    &format!("(the session ends in {in_ms} ms: {reason:?})"),
                );
            }
            Event::AgentChanged { agent_name, .. } => {
                self.agent.clone_from(agent_name);
                self.line(now_ms, &format!("({agent_name} takes over)"));
            }
            Event::UserAway {} => self.line(now_ms, "(nobody says anything)"),
            Event::Tool { name, running, .. } => {
                let what = if *running { "runs" } else { "has run" };
                self.line(now_ms, &format!("(the tool {name} {what})"));
            }
            Event::ProviderChanged {
                stage,
                from,
                to,
                fault,
            } => {
                self.line(now_ms, &replaced(stage, from, to.as_deref(), fault));
            }
            Event::SessionEnded {
                reason, seconds, ..
            } => {
                self.line(now_ms, &format!("(ended: {reason:?}; {seconds} s counted)"));
            }
            Event::AgentState { .. }
            | Event::UserSpeech { .. }
            | Event::UserTranscript { .. }
            | Event::AgentHeard { .. }
            | Event::MessageCommitted { .. }
            | Event::Cost { .. }
            | Event::Meter { .. } => {}
        }
    }

    fn line(&self, now_ms: u64, text: &str) {
        println!("{:>7.2} s  {text}", now_ms as f64 / 1_000.0);
    }
}

/// A provider that another one goes on for.
fn replaced(stage: &str, from: &str, to: Option<&str>, fault: &str) -> String {
    let to = to.unwrap_or("nobody");
    format!("({stage}: {from} failed, {fault}; {to} goes on)")
}

/// Where the time of a turn went, in one line.
fn stages(timeline: &TurnTimeline) -> String {
    let stages = [
        ("transcript", timeline.transcript_final_ms),
        ("end of turn", timeline.endpointing_ms),
        ("first word", timeline.first_token_ms),
        ("first audio made", timeline.first_audio_made_ms),
        ("sent", timeline.first_audio_sent_ms),
    ];
    let known: Vec<String> = stages
        .into_iter()
        .filter_map(|(name, ms)| ms.map(|ms| format!("{name} {ms}")))
        .collect();
    format!(
        "(turn {}, ms after you stopped: {})",
        timeline.turn.0,
        known.join(", ")
    )
}

/// Prints the end of a call.
pub(crate) fn print_summary(summary: &CallSummary, json: bool) {
    if json {
        print_json(summary);
        return;
    }
    println!();
    for (index, turn) in summary.turns.iter().enumerate() {
        let number = index + 1;
        match turn.latency_ms {
            Some(ms) => println!("turn {number}: answered {ms} ms after you stopped"),
            None => println!("turn {number}: not answered"),
        }
    }
    println!(
        "{:.1} s of speech heard, {} packets lost, {} s counted",
        summary.agent_audio_ms as f64 / 1_000.0,
        summary.lost_packets,
        summary.billed_seconds
    );
}

/// Prints the end of a load run.
pub(crate) fn print_load(summary: &LoadSummary, json: bool) {
    if json {
        print_json(summary);
        return;
    }
    println!("{} calls, {} failed", summary.calls, summary.failed);
    for (reason, count) in &summary.failures {
        println!("  {count} x {reason}");
    }
    let row = |name: &str, values: &Percentiles| {
        println!(
            "{name:<16} {:>7} {:>7} {:>7} {:>7}   of {}",
            values.p50, values.p90, values.p99, values.max, values.count
        );
    };
    println!(
        "{:<16} {:>7} {:>7} {:>7} {:>7}",
        "ms", "p50", "p90", "p99", "max"
    );
    row("connect", &summary.connect_ms);
    row("turn latency", &summary.latency_ms);
    let sent = summary.packets + summary.lost_packets;
    let lost_percent = summary.lost_packets as f64 * 100.0 / (sent.max(1)) as f64;
    println!(
        "{} of {sent} packets lost ({lost_percent:.2} %)",
        summary.lost_packets
    );
    println!("{} turns not answered", summary.unanswered_turns);
}

fn print_json(value: &impl serde::Serialize) {
    let json = serde_json::to_string(value).expect("a summary has no map keys or failing fields");
    println!("{json}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_shows_the_stages_that_there_were() {
        let timeline = TurnTimeline {
            transcript_final_ms: Some(180),
            first_audio_sent_ms: Some(520),
            ..TurnTimeline::default()
        };
        assert_eq!(
            stages(&timeline),
            "(turn 0, ms after you stopped: transcript 180, sent 520)"
        );
    }
}
