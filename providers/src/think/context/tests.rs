#![allow(clippy::unwrap_used)]

use antiphon_proto::{Message, Role, ToolCallId, ToolRef, TurnId};

use super::{Context, tokens_of};

fn message(turn: u32, role: Role, text: &str, tool: Option<&str>) -> Message {
    Message {
        turn: TurnId(turn),
        role,
        text: text.into(),
        interrupted: false,
        at_ms: u64::from(turn) * 1_000,
        tool: tool.map(|id| ToolRef {
            id: ToolCallId::from(id),
            name: "weather".into(),
        }),
    }
}

/// Turns of about 58 tokens each.
fn talk(turns: std::ops::Range<u32>) -> Vec<Message> {
    turns
        .flat_map(|turn| {
            let user = format!("statement {turn} {}", "a b c ".repeat(15));
            let agent = format!("answer {turn} {}", "x y z ".repeat(15));
            [
                message(turn, Role::User, &user, None),
                message(turn, Role::Agent, &agent, None),
            ]
        })
        .collect()
}

fn turns(messages: &[&Message]) -> Vec<u32> {
    let mut turns: Vec<u32> = messages.iter().map(|message| message.turn.0).collect();
    turns.dedup();
    turns
}

#[test]
fn a_short_call_is_sent_whole() {
    let history = talk(0..10);
    let context = Context::fit(&history, 6_000);
    assert_eq!(context.kept.len(), 20);
    assert_eq!(context.notes(None, 0), None);
}

#[test]
fn whole_turns_are_dropped_by_blocks() {
    // The cut stays where it is for eight turns, then moves by eight.
    for (last, from) in [(20, 8), (21, 8), (24, 16), (28, 16), (32, 24)] {
        let history = talk(0..last);
        let context = Context::fit(&history, 900);
        assert_eq!(
            turns(&context.kept),
            (from..last).collect::<Vec<_>>(),
            "{last} turns"
        );
        let cost: usize = context.kept.iter().map(|m| super::cost(m)).sum();
        assert!(cost <= 900, "{cost}");
        assert_eq!(turns(&context.dropped), (0..from).collect::<Vec<_>>());
    }
}

#[test]
fn the_cut_does_not_move_where_the_engine_forgets_the_oldest() {
    let all = talk(0..40);
    let from = |history: &[Message]| Context::fit(history, 900).kept[0].turn;
    assert_eq!(from(&all), from(&all[10..]));
    let (whole, front_gone) = (Context::fit(&all, 900), Context::fit(&all[10..], 900));
    assert_eq!(
        whole.blocks().last().unwrap().key(),
        front_gone.blocks().last().unwrap().key(),
        "the summary stays the same one"
    );
}

#[test]
fn a_budget_smaller_than_a_block_drops_turn_by_turn_and_keeps_the_last() {
    let history = talk(0..20);
    assert_eq!(turns(&Context::fit(&history, 150).kept), [18, 19]);
    assert_eq!(turns(&Context::fit(&history, 1).kept), [19]);
}

#[test]
fn open_calls_stay_and_finished_ones_are_noted() {
    let mut history = talk(0..20);
    let at = |turn: usize| turn * 2;
    let late = [message(
        15,
        Role::ToolResult,
        "storm over Bonn",
        Some("late"),
    )];
    history.splice(at(15)..at(15), late);
    let calls = [
        message(2, Role::ToolCall, r#"{"place":"Ulm"}"#, Some("done")),
        message(2, Role::ToolResult, "sunny in Ulm", Some("done")),
        message(2, Role::ToolCall, r#"{"place":"Bonn"}"#, Some("late")),
        message(2, Role::ToolCall, r#"{"place":"Kiel"}"#, Some("open")),
    ];
    history.splice(at(3)..at(3), calls);
    // As the engine tells of a tool that still runs: behind everything, with its own old turn.
    history.push(message(
        2,
        Role::ToolResult,
        "(still running)",
        Some("open"),
    ));
    let context = Context::fit(&history, 900);
    let kept = |role: Role| -> Vec<&str> {
        let of_role = context.kept.iter().filter(|message| message.role == role);
        of_role
            .map(|message| message.tool.as_ref().unwrap().id.as_str())
            .collect()
    };
    assert_eq!(
        kept(Role::ToolCall),
        ["late", "open"],
        "a pair is never separated"
    );
    assert_eq!(kept(Role::ToolResult), ["late", "open"]);
    let notes = context.notes(None, 0).unwrap();
    assert!(
        notes.contains(r#"weather({"place":"Ulm"}) answered: sunny in Ulm"#),
        "{notes}"
    );
    assert!(
        !notes.contains("Bonn") && !notes.contains("Kiel"),
        "{notes}"
    );
}

#[test]
fn no_result_is_lost_however_many_there_are() {
    let mut history = Vec::new();
    for turn in 0..100 {
        let id = format!("call{turn}");
        history.push(message(
            turn,
            Role::User,
            &format!("statement {turn}"),
            None,
        ));
        history.push(message(turn, Role::ToolCall, "{}", Some(&id)));
        let result = format!("result {turn} {}", "long ".repeat(200));
        history.push(message(turn, Role::ToolResult, &result, Some(&id)));
    }
    let context = Context::fit(&history, 3_000);
    let notes = context
        .notes(Some("They talked about the weather."), 0)
        .unwrap();
    for turn in 0..context.kept[0].turn.0 {
        assert!(
            notes.contains(&format!("result {turn} ")),
            "{turn} is missing"
        );
    }
    assert!(notes.contains("They talked about the weather."));
    assert!(tokens_of(&notes) < 3_000, "{} tokens", tokens_of(&notes));
}

#[test]
fn until_there_is_a_summary_the_callers_oldest_words_are_listed() {
    let history = talk(0..30);
    let context = Context::fit(&history, 900);
    let notes = context.notes(None, 0).unwrap();
    assert!(notes.contains("The caller said: statement 0 "), "{notes}");
    assert!(!notes.contains("answer 0"), "{notes}");
    // What the summary covers is not listed again.
    let notes = context.notes(Some("A talk."), 1).unwrap();
    assert!(
        !notes.contains("statement 7 ") && notes.contains("statement 8 "),
        "{notes}"
    );
}

#[test]
fn keys_name_words_and_times() {
    let history = talk(0..30);
    let mut other = history.clone();
    other[3].at_ms += 1;
    let key = |history: &[Message]| Context::fit(history, 900).blocks()[0].key();
    assert_eq!(key(&history), key(&history.clone()));
    assert_ne!(key(&history), key(&other));
}

#[test]
fn characters_beyond_ascii_count_more() {
    assert_eq!(tokens_of("hello you"), 3);
    assert_eq!(tokens_of("東京都"), 3);
}
