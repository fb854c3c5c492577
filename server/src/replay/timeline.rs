//! The conversation as lines of text.

use std::io::{self, Write};

use antiphon_proto::Moment;
use antiphon_runtime::log::{Header, Step};
use serde_json::Value;

use super::facts::{self, json, kind, number, printable, seconds, text};

/// The first line.
pub(super) fn title(header: &Header) -> String {
    printable(&format!(
        "{} with {}, {} (antiphon {})",
        header.session, header.config.agent_name, header.started_at, header.engine
    ))
}

/// The lines of a step.
pub(super) fn print(step: &Step, out: &mut impl Write) -> io::Result<()> {
    let mut say = |who: &str, what: &str| {
        let (at, what) = (seconds(step.at), printable(what));
        writeln!(out, "{at:>9}  {who:<8} {what}")
    };
    if let Some((who, what)) = of_input(&json(&step.input)) {
        say(who, &what)?;
    }
    for output in &step.outputs {
        if let Some((who, what)) = of_output(&json(output)) {
            say(who, &what)?;
        }
    }
    Ok(())
}

fn of_input(input: &Value) -> Option<(&'static str, String)> {
    let at = |name| seconds(Moment(number(input, name)));
    let line = match kind(input) {
        "speech_started" => ("caller", format!("speaks, since {}", at("onset"))),
        "speech_stopped" => ("caller", format!("is silent, since {}", at("end"))),
        "transcript_failed" => ("caller", "could not be understood".to_owned()),
        "user_text" => ("caller", format!("types: {}", text(input, "text"))),
        "dtmf" => ("caller", format!("presses {}", text(input, "key"))),
        "talk_pressed" | "talk_released" | "turn_committed" => {
            ("caller", kind(input).replace('_', " "))
        }
        "overlap_judged" => ("caller", format!("sounds like: {}", text(input, "kind"))),
        "tool_done" => ("agent", "has the result of a tool".to_owned()),
        "interrupt_requested" => ("caller", "asks for silence by a button".to_owned()),
        "connected" | "disconnected" => ("call", kind(input).to_owned()),
        "generation_failed" => ("agent", "the responder failed".to_owned()),
        "segment_failed" => ("agent", "a sentence could not be spoken".to_owned()),
        _ => return None,
    };
    Some(line)
}

fn of_output(output: &Value) -> Option<(&'static str, String)> {
    let line = match kind(output) {
        "decided" => (
            "decided",
            format!("{}: {}", text(output, "decision"), text(output, "why")),
        ),
        "run_tool" => {
            let name = output.get("call").map_or("", |call| text(call, "name"));
            ("agent", format!("runs the tool {name}"))
        }
        "pause_playout" => ("agent", "pauses".to_owned()),
        "resume_playout" => ("agent", "goes on".to_owned()),
        "stop_playout" => ("agent", "is stopped".to_owned()),
        "publish" => return of_event(output.get("envelope")?),
        "close" => ("call", format!("over: {}", text(output, "reason"))),
        _ => return None,
    };
    Some(line)
}

fn of_event(event: &Value) -> Option<(&'static str, String)> {
    let line = match kind(event) {
        "user_transcript" if event.get("final") == Some(&Value::Bool(true)) => {
            ("caller", format!("said: {}", text(event, "text")))
        }
        "agent_state" => ("agent", format!("is {}", text(event, "state"))),
        "agent_text" => ("agent", format!("says: {}", text(event, "text"))),
        "message_committed" => return of_message(event.get("message")?),
        "turn_timeline" => ("turn", stages(event.get("timeline")?)),
        "user_away" => ("call", "nobody has said anything for long".to_owned()),
        "safety" => ("safety", text(event, "state").to_owned()),
        "notice" => (
            "notice",
            format!("{}: {}", text(event, "code"), text(event, "message")),
        ),
        "session_ending" => (
            "call",
            format!(
                "ends in {} ms: {}",
                number(event, "in_ms"),
                text(event, "reason")
            ),
        ),
        _ => return None,
    };
    Some(line)
}

fn of_message(message: &Value) -> Option<(&'static str, String)> {
    let cut = match message.get("interrupted") {
        Some(Value::Bool(true)) => " (interrupted)",
        _ => "",
    };
    // What the caller said stands there already.
    (text(message, "role") == "agent").then(|| {
        (
            "agent",
            format!("was heard: {}{cut}", text(message, "text")),
        )
    })
}

/// The stages of a turn that have a time: `transcript_final 120, endpointing 500 ms`.
fn stages(timeline: &Value) -> String {
    let stages: Vec<String> = facts::stages(timeline)
        .into_iter()
        .map(|(name, ms)| format!("{name} {ms}"))
        .collect();
    format!("{} ms after the caller's end", stages.join(", "))
}
