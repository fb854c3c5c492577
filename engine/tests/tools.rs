//! Tools within a turn.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{Input, Output};
use antiphon_proto::{GenerationId, Message, Role, ToolCall, ToolCallId};
use common::{Call, generations, spoken};

fn call() -> Call {
    let mut call = Call::with(|config| config.tools = vec!["weather".into(), "clock".into()]);
    call.input(Input::Connected);
    call.input(Input::UserText {
        text: "how is it outside".into(),
    })
    .take();
    call
}

fn tool(id: &str, name: &str) -> ToolCall {
    ToolCall {
        id: ToolCallId::from(id),
        name: name.into(),
        arguments: "{}".into(),
    }
}

fn calls(generation: u32, calls: &[ToolCall]) -> Input {
    Input::ToolCalls {
        generation: GenerationId(generation),
        calls: calls.to_vec(),
    }
}

fn done(id: &str, result: &str) -> Input {
    Input::ToolDone {
        id: ToolCallId::from(id),
        result: result.into(),
    }
}

fn asked_with(outputs: &[Output]) -> Vec<(Role, String)> {
    let history = outputs.iter().find_map(|output| match output {
        Output::StartGeneration { history, .. } => Some(history.clone()),
        _ => None,
    });
    let entry = |message: Message| (message.role, message.text);
    history.unwrap_or_default().into_iter().map(entry).collect()
}

fn roles(call: &Call) -> Vec<Role> {
    call.engine.history().map(|message| message.role).collect()
}

fn running(outputs: &[Output]) -> usize {
    let runs = |output: &&Output| matches!(output, Output::RunTool { .. });
    outputs.iter().filter(runs).count()
}

#[test]
fn a_preamble_is_spoken_while_tools_run_at_once_and_their_results_are_read() {
    let mut call = call();
    call.input(Input::GenerationDelta {
        generation: GenerationId(1),
        text: "Let me look.".into(),
    });
    call.input(calls(1, &[tool("a", "weather"), tool("b", "clock")]));
    let outputs = call.take();
    assert_eq!(spoken(&outputs), ["Let me look."]);
    assert_eq!(running(&outputs), 2);
    call.begins_playing(1, "Let me look.");
    call.input(done("b", "noon"));
    assert_eq!(generations(&call.take()), 0, "both are waited for");
    call.input(done("a", "sunny"));
    assert_eq!(
        asked_with(&call.take()),
        [
            (Role::User, "how is it outside".into()),
            (Role::Agent, "Let me look.".into()),
            (Role::ToolCall, "{}".into()),
            (Role::ToolCall, "{}".into()),
            (Role::ToolResult, "sunny".into()),
            (Role::ToolResult, "noon".into()),
        ]
    );
    call.answers(2, "It is sunny.");
    call.plays_whole(1, "Let me look.")
        .plays_whole(2, "It is sunny.");
    assert_eq!(
        roles(&call),
        [
            Role::User,
            Role::Agent,
            Role::ToolCall,
            Role::ToolCall,
            Role::ToolResult,
            Role::ToolResult,
            Role::Agent
        ]
    );
}

#[test]
fn a_tool_outlives_an_interruption_and_its_result_is_kept_once() {
    let mut call = call();
    call.input(calls(1, &[tool("a", "weather")]));
    call.speaks(1, 700, "never mind").take();
    assert_eq!(roles(&call), [Role::User, Role::ToolCall]);
    call.input(done("a", "sunny")).input(done("a", "rain"));
    call.wait_ms(1_000);
    let results: Vec<&Message> = call
        .engine
        .history()
        .filter(|message| message.role == Role::ToolResult)
        .collect();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].text, "sunny");
}

#[test]
fn a_tool_that_still_runs_is_told_to_the_responder() {
    let mut call = call();
    call.input(calls(1, &[tool("a", "weather")]));
    call.input(Input::UserText {
        text: "hello?".into(),
    });
    let asked = asked_with(&call.take());
    assert!(
        asked.contains(&(Role::ToolResult, "(still running)".into())),
        "{asked:?}"
    );
}

#[test]
fn an_unknown_tool_is_an_error_that_the_responder_reads() {
    let mut call = call();
    call.input(calls(1, &[tool("a", "rocket")]));
    let outputs = call.take();
    assert_eq!(running(&outputs), 0);
    let asked = asked_with(&outputs);
    let (_, text) = asked.last().expect("a result");
    assert!(text.contains("no tool of that name") && text.contains("weather, clock"));
}

#[test]
fn steps_are_limited() {
    let mut call = call();
    for step in 1..=5 {
        call.input(calls(step, &[tool(&format!("c{step}"), "clock")]));
        call.input(done(&format!("c{step}"), "noon"));
    }
    let offered: Vec<bool> = call
        .take()
        .iter()
        .filter_map(|output| match output {
            Output::StartGeneration { tools, .. } => Some(*tools),
            _ => None,
        })
        .collect();
    assert_eq!(offered, [true, true, true, true, false]);
    // One that calls all the same is told so, and then ends.
    call.input(calls(6, &[tool("again", "clock")]));
    assert_eq!(running(&call.take()), 0);
}

#[test]
fn a_tool_that_does_not_answer_is_given_up() {
    let mut call = call();
    call.input(calls(1, &[tool("a", "weather")]))
        .wait_ms(30_000);
    let outputs = call.take();
    assert!(outputs.contains(&Output::CancelTool {
        id: ToolCallId::from("a")
    }));
    assert_eq!(generations(&outputs), 1);
    assert_eq!(
        spoken(&outputs)[0],
        "One moment.",
        "meanwhile the person is told"
    );
}
