//! Another agent takes the call over.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{
    AgentProfile, Endpointing, Input, Interruption, Output, Speculation, SpeculationMode, Words,
};
use antiphon_proto::{AgentId, Event, GenerationId, NoticeCode};
use common::{Call, generations, spoken};

fn riven() -> AgentId {
    AgentId::from("riven")
}

fn switched() -> Input {
    let profile = AgentProfile {
        agent: riven(),
        agent_name: "Riven".into(),
        words: Words {
            greeting: "Riven here.".into(),
            ..Words::default()
        },
        endpointing: Endpointing {
            ms_min: 300,
            ..Endpointing::default()
        },
        interruption: Interruption::default(),
        speculation: Speculation {
            mode: SpeculationMode::Off,
            ..Speculation::default()
        },
        tools: Vec::new(),
    };
    Input::AgentSwitched {
        profile: Box::new(profile),
    }
}

fn switches(outputs: &[Output]) -> bool {
    outputs.contains(&Output::SwitchAgent { agent: riven() })
}

fn passed_on() -> Call {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "can i talk to riven".into(),
    });
    call.input(Input::GenerationDelta {
        generation: GenerationId(1),
        text: "Sure, here is Riven.".into(),
    });
    call.input(Input::GenerationDone {
        generation: GenerationId(1),
        hang_up: false,
        hand_off: Some(riven()),
    });
    call
}

#[test]
fn the_other_agent_comes_when_the_transition_was_heard_and_keeps_the_history() {
    let mut call = passed_on();
    assert!(!switches(&call.take()));
    call.plays_whole(1, "Sure, here is Riven.");
    assert!(switches(&call.take()));
    call.input(switched());
    let outputs = call.take();
    assert_eq!(spoken(&outputs), ["Riven here."]);
    let told = outputs.iter().any(|output| {
        matches!(output, Output::Publish { envelope }
            if matches!(&envelope.event, Event::AgentChanged { agent_name, .. } if agent_name == "Riven"))
    });
    assert!(told);
    call.plays_whole(2, "Riven here.");
    // Its own settings hold, and it knows what was said.
    call.speaks(1, 500, "hello riven").wait_ms(100);
    let outputs = call.take();
    assert_eq!(generations(&outputs), 1);
    let known = outputs.iter().find_map(|output| match output {
        Output::StartGeneration { history, .. } => Some(history.len()),
        _ => None,
    });
    assert_eq!(known, Some(4));
}

#[test]
fn a_person_who_cuts_in_keeps_the_agent() {
    let mut call = passed_on();
    call.begins_playing(1, "Sure, here is Riven.")
        .wait_ms(300)
        .heard(1, 300);
    call.speaks(1, 700, "no wait stay").wait_ms(2_000);
    assert!(!switches(&call.take()));
}

#[test]
fn a_hand_off_from_outside_is_said_first() {
    let mut call = Call::connected();
    call.input(Input::HandOff { agent: riven() });
    let outputs = call.take();
    let words = spoken(&outputs);
    assert_eq!(words, ["One moment, I am passing you on."]);
    assert!(!switches(&outputs));
    call.plays_whole(1, "One moment, I am passing you on.");
    assert!(switches(&call.take()));
}

#[test]
fn an_agent_that_is_not_there_leaves_the_first_one_in_the_call() {
    let mut call = passed_on();
    call.plays_whole(1, "Sure, here is Riven.").take();
    call.input(Input::HandOffFailed);
    let outputs = call.take();
    let told = outputs.iter().any(|output| {
        matches!(output, Output::Publish { envelope }
            if matches!(envelope.event, Event::Notice { code: NoticeCode::HandOffTrouble, .. }))
    });
    assert!(told);
    assert!(spoken(&outputs)[0].contains("Sorry"));
}
