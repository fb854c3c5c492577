//! Replies begun before the turn is over.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{Decision, Input, Output, SafetyAction, SpeculationMode, Subject};
use antiphon_proto::{
    CloseReason, Event, GenerationId, SafetyState, SegmentId, SpeculationView, TurnId, UtteranceId,
};
use common::{Call, generations, spoken};

fn call(mode: SpeculationMode) -> Call {
    let mut call = Call::with(|config| config.speculation.mode = mode);
    call.input(Input::Connected).take();
    call
}

fn held(outputs: &[Output]) -> Vec<(String, bool)> {
    let speaks = outputs.iter().filter_map(|output| match output {
        Output::Speak { text, hold, .. } => Some((text.clone(), *hold)),
        _ => None,
    });
    speaks.collect()
}

fn decided(outputs: &[Output], wanted: Decision) -> bool {
    outputs
        .iter()
        .any(|output| matches!(output, Output::Decided { decision, .. } if *decision == wanted))
}

fn shown(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| {
        matches!(output, Output::Publish { envelope } if matches!(envelope.event, Event::AgentText { .. }))
    })
}

#[test]
fn a_reply_is_made_in_the_wait_held_back_and_released_at_the_end_of_the_turn() {
    let mut call = call(SpeculationMode::Speak);
    call.speaks(1, 800, "what is css");
    assert_eq!(generations(&call.take()), 1, "begun with the final");
    call.answers(1, "A style sheet. It makes pages pretty.");
    let outputs = call.take();
    assert_eq!(
        held(&outputs),
        [("A style sheet.".to_owned(), true)],
        "only the first sentence, and held"
    );
    assert!(!shown(&outputs), "nothing of it is shown");
    call.wait_ms(300);
    let outputs = call.take();
    assert!(outputs.contains(&Output::ReleasePlayout));
    assert!(shown(&outputs) && decided(&outputs, Decision::Confirm));
    assert_eq!(generations(&outputs), 0, "not asked twice");
    assert_eq!(
        held(&outputs),
        [("It makes pages pretty.".to_owned(), false)]
    );
    call.plays_whole(1, "A style sheet.")
        .plays_whole(2, "It makes pages pretty.");
    assert_eq!(call.history()[1].0, "A style sheet. It makes pages pretty.");
}

#[test]
fn thinking_ahead_alone_makes_no_sound() {
    let mut call = call(SpeculationMode::Think);
    call.speaks(1, 800, "what is css")
        .answers(1, "A style sheet.");
    assert!(spoken(&call.take()).is_empty());
    call.wait_ms(300);
    assert_eq!(held(&call.take()), [("A style sheet.".to_owned(), false)]);
}

#[test]
fn going_on_discards_it_without_a_trace() {
    let mut call = call(SpeculationMode::Speak);
    call.speaks(1, 800, "what is css")
        .answers(1, "A style sheet.");
    call.take();
    call.speaks(2, 800, "and what is html");
    let outputs = call.take();
    assert!(outputs.contains(&Output::StopPlayout) && decided(&outputs, Decision::Discard));
    assert!(!outputs.contains(&Output::ReleasePlayout));
    call.answers(2, "Two languages.").wait_ms(1_600);
    assert!(call.take().contains(&Output::ReleasePlayout));
    call.plays_whole(2, "Two languages.");
    let said: Vec<String> = call.history().into_iter().map(|(text, _)| text).collect();
    assert_eq!(said, ["what is css and what is html", "Two languages."]);
    call.input(Input::Close {
        reason: CloseReason::UserHungUp,
    });
    let view = call.events().into_iter().find_map(|event| match event {
        Event::SessionEnded { speculation, .. } => Some(speculation),
        _ => None,
    });
    assert_eq!(
        view,
        Some(SpeculationView {
            started: 2,
            confirmed: 1,
            wasted_chars: 14,
            wasted_sentences: 1
        })
    );
}

#[test]
fn other_words_discard_it() {
    let mut call = call(SpeculationMode::Speak);
    let onset = call.now;
    call.wait_ms(80).input(Input::SpeechStarted { onset });
    let utterance = UtteranceId(1);
    let partial = |text: &str| Input::TranscriptPartial {
        utterance,
        text: text.into(),
    };
    call.wait_ms(700).input(partial("what is the"));
    let end = call.now;
    call.wait_ms(200)
        .input(Input::SpeechStopped { end, prosody: None });
    call.wait_ms(200);
    assert_eq!(generations(&call.take()), 1, "the partial is stable");
    call.input(Input::TranscriptFinal {
        utterance,
        text: "what is css".into(),
    });
    let outputs = call.take();
    assert!(outputs.contains(&Output::CancelGeneration {
        generation: GenerationId(1)
    }));
    assert_eq!(generations(&outputs), 1, "and begun anew");
    call.wait_ms(2_000);
    assert_eq!(call.history(), [("what is css".into(), false)]);
}

#[test]
fn the_cost_is_bounded() {
    let mut call = call(SpeculationMode::Speak);
    for nth in 1..=10 {
        call.speaks(nth, 300, &format!("word {nth} and"));
    }
    assert_eq!(generations(&call.take()), 3);
}

#[test]
fn a_draft_of_worrying_words_is_not_begun() {
    let mut call = call(SpeculationMode::Speak);
    call.auto_verdicts = false;
    call.speaks(1, 800, "worrying");
    let verdict = |subject| Input::Verdict {
        subject,
        state: SafetyState::HighRisk,
        action: SafetyAction::Replace {
            text: "I am worried about you.".into(),
        },
    };
    let turn = TurnId(1);
    call.input(verdict(Subject::Draft { turn })).wait_ms(300);
    call.input(verdict(Subject::User { turn }));
    let outputs = call.take();
    assert_eq!(generations(&outputs), 0);
    assert_eq!(spoken(&outputs), ["I am worried about you."]);
}

#[test]
fn a_verdict_at_the_end_of_the_turn_stands_above_the_draft() {
    let mut call = call(SpeculationMode::Speak);
    call.speaks(1, 800, "fine so far").answers(1, "An answer.");
    call.take();
    call.auto_verdicts = false;
    call.wait_ms(300);
    call.input(Input::Verdict {
        subject: Subject::User { turn: TurnId(1) },
        state: SafetyState::HighRisk,
        action: SafetyAction::Replace {
            text: "I am worried about you.".into(),
        },
    });
    let outputs = call.take();
    assert!(outputs.contains(&Output::StopPlayout));
    assert_eq!(spoken(&outputs), ["I am worried about you."]);
    call.begins_playing(2, "I am worried about you.");
    call.input(Input::SegmentPlayed {
        segment: SegmentId(2),
    });
    assert_eq!(call.history()[1].0, "I am worried about you.");
}

#[test]
fn a_draft_that_fails_is_asked_again_at_the_end_of_the_turn() {
    let mut call = call(SpeculationMode::Speak);
    call.speaks(1, 800, "what is css");
    call.input(Input::GenerationFailed {
        generation: GenerationId(1),
    });
    call.take();
    call.wait_ms(300);
    assert_eq!(generations(&call.take()), 1);
}
