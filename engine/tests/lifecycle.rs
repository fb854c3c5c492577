//! Connecting, losing the connection, ending.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::Input;
use antiphon_proto::{CloseReason, Event, GenerationId, SegmentId};
use common::{Call, closed, generations, spoken};

fn greeting() -> Call {
    let mut call = Call::with(|config| {
        config.words.greeting = "Hello there friend.".into();
        config.words.farewell = "Goodbye now.".into();
    });
    call.input(Input::Connected);
    call
}

#[test]
fn the_agent_greets_once() {
    let mut call = greeting();
    assert_eq!(spoken(&call.take()), ["Hello there friend."]);
    call.plays_whole(1, "Hello there friend.");
    assert_eq!(call.history(), [("Hello there friend.".into(), false)]);
    call.input(Input::Disconnected).input(Input::Connected);
    assert!(spoken(&call.take()).is_empty());
}

#[test]
fn a_reconnected_client_gets_the_history() {
    let mut call = greeting();
    call.plays_whole(1, "Hello there friend.")
        .input(Input::Disconnected)
        .take();
    call.wait_ms(20_000).input(Input::Connected);
    let first = call.events().remove(0);
    let Event::SessionStarted {
        resumed, history, ..
    } = first
    else {
        panic!("not {first:?}")
    };
    assert!(resumed);
    assert_eq!(history.len(), 1);
}

#[test]
fn a_turn_cut_by_the_connection_is_answered_after_it() {
    let mut call = Call::connected();
    call.speaks(1, 600, "what is css")
        .input(Input::Disconnected)
        .wait_ms(10_000);
    assert_eq!(generations(&call.take()), 0, "nobody would hear it");
    call.input(Input::Connected).wait_ms(600);
    assert_eq!(generations(&call.take()), 1);
}

#[test]
fn an_answer_cut_before_it_was_heard_is_given_again() {
    let mut call = Call::connected();
    call.speaks(1, 600, "what is css").wait_ms(300).take();
    call.input(Input::Disconnected)
        .wait_ms(5_000)
        .input(Input::Connected)
        .wait_ms(600);
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(
        call.history(),
        [("what is css".into(), false)],
        "asked once"
    );
}

#[test]
fn a_drained_call_hears_goodbye_and_ends() {
    let mut call = greeting();
    call.plays_whole(1, "Hello there friend.").take();
    call.input(Input::Drain { limit_ms: 10_000 });
    let outputs = call.take();
    assert_eq!(spoken(&outputs), ["Goodbye now."]);
    assert_eq!(closed(&outputs), None);
    call.plays_whole(2, "Goodbye now.");
    assert_eq!(closed(&call.take()), Some(CloseReason::Drained));
}

#[test]
fn a_drained_call_that_does_not_finish_is_ended_at_the_limit() {
    let mut call = greeting();
    call.input(Input::Drain { limit_ms: 10_000 }).wait_ms(9_999);
    assert_eq!(closed(&call.take()), None);
    call.wait_ms(1);
    assert_eq!(closed(&call.take()), Some(CloseReason::Drained));
    assert_eq!(call.engine.poll_timeout(), None);
}

#[test]
fn a_call_nobody_hears_is_drained_at_once() {
    let mut call = greeting();
    call.input(Input::Disconnected)
        .input(Input::Drain { limit_ms: 10_000 });
    assert_eq!(closed(&call.take()), Some(CloseReason::Drained));
}

#[test]
fn the_longest_call_ends_with_a_goodbye() {
    let mut call = Call::with(|config| {
        config.limits.call_ms_max = 60_000;
        config.patience.away_ms = 600_000;
    });
    call.input(Input::Connected).wait_ms(60_000);
    let outputs = call.take();
    assert!(spoken(&outputs).concat().contains("Goodbye"));
    call.wait_ms(10_000);
    assert_eq!(closed(&call.take()), Some(CloseReason::TimeLimit));
}

#[test]
fn hanging_up_keeps_what_was_heard_and_then_nothing_happens() {
    let mut call = greeting();
    call.begins_playing(1, "Hello there friend.").heard(1, 400);
    call.input(Input::Close {
        reason: CloseReason::UserHungUp,
    });
    assert_eq!(closed(&call.take()), Some(CloseReason::UserHungUp));
    assert_eq!(call.history(), [("Hello there".into(), true)]);
    call.input(Input::UserText {
        text: "still there?".into(),
    })
    .input(Input::Connected)
    .wait_ms(100_000);
    assert!(call.take().is_empty());
}

#[test]
fn a_goodbye_of_the_agent_ends_the_call_once_it_was_heard() {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "goodbye".into(),
    });
    call.input(Input::GenerationDelta {
        generation: GenerationId(1),
        text: "See you.".into(),
    });
    call.input(Input::GenerationDone {
        generation: GenerationId(1),
        hang_up: true,
        hand_off: None,
    });
    assert_eq!(closed(&call.take()), None);
    call.plays_whole(1, "See you.");
    assert_eq!(closed(&call.take()), Some(CloseReason::AgentHungUp));
}

#[test]
fn a_sentence_that_could_not_be_spoken_was_not_heard() {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "hello".into(),
    })
    .answers(1, "First one. Second one.");
    call.input(Input::SegmentFailed {
        segment: SegmentId(1),
    });
    call.input(Input::SegmentPlayed {
        segment: SegmentId(1),
    })
    .plays_whole(2, "Second one.");
    assert_eq!(call.history()[1], ("Second one.".into(), false));
}

#[test]
fn a_typed_question_survives_a_lost_connection() {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "who are you?".into(),
    });
    call.take();
    call.input(Input::Disconnected);
    call.wait_ms(2_000).input(Input::Connected).wait_ms(600);
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(call.history(), [("who are you?".into(), false)]);
}
