//! Faults that the simulator found, each by hand: what went wrong must not again.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{Input, Output, SpeculationMode};
use antiphon_proto::{CloseReason, GenerationId, SegmentId, ToolCall, ToolCallId, UtteranceId};
use common::{Call, closed, generations, spoken};

fn speculating() -> Call {
    let mut call = Call::with(|config| config.speculation.mode = SpeculationMode::Speak);
    call.input(Input::Connected).take();
    call
}

fn asks(call: &mut Call, text: &str) {
    call.input(Input::UserText { text: text.into() });
}

#[test]
fn what_a_draft_refuses_is_not_due_for_ever() {
    let mut call = speculating();
    let onset = call.now;
    call.wait_ms(80).input(Input::SpeechStarted { onset });
    call.input(Input::TranscriptPartial {
        utterance: UtteranceId(1),
        text: "go on".into(),
    });
    let end = call.wait_ms(300).now;
    call.wait_ms(100)
        .input(Input::SpeechStopped { end, prosody: None });
    let due = call.engine.poll_timeout().map(|(due, _)| due);
    assert!(
        due.is_some_and(|due| due > call.now),
        "the driver would spin"
    );
}

#[test]
fn a_draft_whose_voice_fails_leaves_nothing_held() {
    let mut call = speculating();
    call.speaks(1, 800, "what is css")
        .answers(1, "A style sheet.");
    call.input(Input::SegmentFailed {
        segment: SegmentId(1),
    });
    assert!(call.take().contains(&Output::StopPlayout));
    call.wait_ms(2_000);
    assert_eq!(generations(&call.take()), 1, "asked again");
}

#[test]
fn a_reply_that_ends_while_held_leaves_the_playout_going() {
    let mut call = Call::connected();
    asks(&mut call, "count");
    call.input(Input::GenerationDelta {
        generation: GenerationId(1),
        text: "One two. And".into(),
    });
    call.begins_playing(1, "One two.");
    call.input(Input::SpeechStarted { onset: call.now })
        .wait_ms(300);
    assert!(call.take().contains(&Output::PausePlayout));
    call.input(Input::SegmentPlayed {
        segment: SegmentId(1),
    });
    call.input(Input::GenerationFailed {
        generation: GenerationId(1),
    });
    call.input(Input::SegmentFailed {
        segment: SegmentId(2),
    });
    assert!(call.take().contains(&Output::ResumePlayout));
}

#[test]
fn a_cough_while_the_agent_thinks_does_not_lose_the_question() {
    let mut call = Call::connected();
    asks(&mut call, "who are you");
    call.take();
    call.speaks(1, 300, "").wait_ms(1_000);
    assert_eq!(generations(&call.take()), 1);
    // But a wish for silence is kept.
    call.input(Input::InterruptRequested).take();
    call.speaks(2, 300, "").wait_ms(3_000);
    assert_eq!(generations(&call.take()), 0);
}

#[test]
fn a_sentence_that_breaks_off_keeps_the_words_that_were_heard() {
    let mut call = Call::connected();
    asks(&mut call, "count");
    call.answers(1, "One two three four.")
        .begins_playing(1, "One two three four.");
    call.input(Input::SegmentFailed {
        segment: SegmentId(1),
    });
    call.wait_ms(450).heard(1, 450).input(Input::SegmentPlayed {
        segment: SegmentId(1),
    });
    assert_eq!(call.history()[1].0, "One two");
}

#[test]
fn a_call_that_ends_with_its_turn_leaves_no_responder_running() {
    let mut call = Call::with(|config| {
        config.speculation.mode = SpeculationMode::Speak;
        config.limits.hang_up_on_voicemail = true;
    });
    call.input(Input::Connected);
    call.speaks(1, 900, "please leave a message after the tone")
        .wait_ms(2_000);
    let outputs = call.take();
    assert_eq!(closed(&outputs), Some(CloseReason::Voicemail));
    assert!(outputs.contains(&Output::CancelGeneration {
        generation: GenerationId(1)
    }));
}

#[test]
fn nothing_said_after_a_tool_is_apologized_for() {
    let mut call = Call::with(|config| config.tools = vec!["clock".into()]);
    call.input(Input::Connected);
    asks(&mut call, "what time is it");
    call.input(Input::ToolCalls {
        generation: GenerationId(1),
        calls: vec![ToolCall {
            id: ToolCallId::from("a"),
            name: "clock".into(),
            arguments: "{}".into(),
        }],
    });
    call.input(Input::ToolDone {
        id: ToolCallId::from("a"),
        result: "noon".into(),
    });
    for generation in [2, 3] {
        call.input(Input::GenerationDone {
            generation: GenerationId(generation),
            hang_up: false,
            hand_off: None,
        });
    }
    assert!(spoken(&call.take()).concat().contains("Sorry"));
}

#[test]
fn a_sentence_told_twice_does_not_put_the_filler_off() {
    let mut call = Call::connected();
    asks(&mut call, "count");
    call.wait_ms(700).plays_whole(1, "One moment.");
    for _ in 0..5 {
        call.wait_ms(700).input(Input::SegmentPlayed {
            segment: SegmentId(1),
        });
    }
    assert_eq!(
        spoken(&call.take()).len(),
        2,
        "the next filler came after 3 s"
    );
}

#[test]
fn a_responder_that_stalls_after_its_first_words_is_given_up() {
    let mut call = Call::with(|config| config.words.fillers.clear());
    call.input(Input::Connected);
    asks(&mut call, "count");
    call.input(Input::GenerationDelta {
        generation: GenerationId(1),
        text: "It is".into(),
    });
    call.wait_ms(15_000);
    let outputs = call.take();
    assert!(outputs.contains(&Output::CancelGeneration {
        generation: GenerationId(1)
    }));
    assert_eq!(spoken(&outputs), ["It is"]);
}
