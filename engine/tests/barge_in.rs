//! Speech over the agent.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{Input, Output};
use antiphon_proto::{Event, UtteranceId};
use common::{Call, generations};

const ANSWER: &str = "One two three four five six.";

/// The agent is in the middle of [`ANSWER`]; two words were heard.
fn speaking() -> Call {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "count for me".into(),
    })
    .answers(1, ANSWER)
    .begins_playing(1, ANSWER);
    call.wait_ms(450).heard(1, 450).take();
    call
}

#[test]
fn speech_pauses_at_once_and_stops_when_it_goes_on() {
    let mut call = speaking();
    call.input(Input::SpeechStarted { onset: call.now });
    assert!(call.take().contains(&Output::PausePlayout));
    call.wait_ms(449);
    assert!(!call.take().contains(&Output::StopPlayout));
    call.wait_ms(1);
    assert!(call.take().contains(&Output::StopPlayout));
    assert_eq!(
        call.history(),
        [("count for me".into(), false), ("One two".into(), true)]
    );
}

#[test]
fn a_short_sound_lets_the_agent_go_on() {
    let mut call = speaking();
    let onset = call.now;
    call.input(Input::SpeechStarted { onset }).wait_ms(300);
    call.input(Input::SpeechStopped {
        end: onset.plus_ms(100),
    });
    let outputs = call.take();
    assert!(outputs.contains(&Output::ResumePlayout));
    assert!(outputs.contains(&Output::CancelUtterance {
        utterance: UtteranceId(1)
    }));
    call.wait_ms(750).heard(1, 1_200).input(Input::SegmentMade {
        segment: antiphon_proto::SegmentId(1),
        duration_ms: 1_200,
    });
    call.input(Input::SegmentPlayed {
        segment: antiphon_proto::SegmentId(1),
    })
    .wait_ms(2_000);
    assert_eq!(
        call.history(),
        [("count for me".into(), false), (ANSWER.into(), false)]
    );
    assert_eq!(generations(&call.take()), 0, "the sound is no turn");
}

#[test]
fn an_interruption_becomes_the_next_turn() {
    let mut call = speaking();
    call.speaks(1, 700, "no stop").wait_ms(300);
    assert_eq!(generations(&call.take()), 1);
    let said: Vec<String> = call.history().into_iter().map(|(text, _)| text).collect();
    assert_eq!(said, ["count for me", "One two", "no stop"]);
}

#[test]
fn nothing_of_an_undecided_interruption_is_shown() {
    let mut call = speaking();
    call.input(Input::SpeechStarted { onset: call.now });
    call.input(Input::TranscriptPartial {
        utterance: UtteranceId(1),
        text: "uh".into(),
    });
    let shown = call.events();
    assert!(
        !shown
            .iter()
            .any(|event| matches!(event, Event::UserTranscript { .. })),
        "{shown:?}"
    );
    call.wait_ms(450);
    let shown = call.events();
    assert!(
        shown
            .iter()
            .any(|event| matches!(event, Event::UserTranscript { .. })),
        "shown once decided"
    );
}

#[test]
fn speech_before_the_answer_is_audible_reopens_the_turn() {
    let mut call = Call::connected();
    call.speaks(1, 800, "i want a site").wait_ms(300);
    assert_eq!(generations(&call.take()), 1);
    call.speaks(2, 800, "for my bakery");
    let outputs = call.take();
    assert!(outputs.contains(&Output::CancelGeneration {
        generation: antiphon_proto::GenerationId(1)
    }));
    call.wait_ms(300);
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(
        call.history(),
        [("i want a site for my bakery".into(), false)]
    );
}

#[test]
fn an_answer_of_which_no_word_was_heard_leaves_no_trace() {
    let mut call = Call::connected();
    call.speaks(1, 800, "i want a site")
        .wait_ms(300)
        .answers(1, ANSWER)
        .begins_playing(1, ANSWER);
    call.wait_ms(50);
    call.speaks(2, 800, "for my bakery").wait_ms(300);
    assert_eq!(
        call.history(),
        [("i want a site for my bakery".into(), false)]
    );
}

#[test]
fn an_uninterruptible_agent_finishes_and_then_answers() {
    let mut call = Call::with(|config| config.allow_interruptions = false);
    call.input(Input::Connected);
    call.input(Input::UserText {
        text: "count for me".into(),
    })
    .answers(1, ANSWER)
    .begins_playing(1, ANSWER);
    call.wait_ms(200).take();
    call.speaks(1, 500, "wait a moment").wait_ms(300);
    let outputs = call.take();
    assert!(!outputs.contains(&Output::PausePlayout) && !outputs.contains(&Output::StopPlayout));
    assert_eq!(generations(&outputs), 0);
    call.input(Input::SegmentPlayed {
        segment: antiphon_proto::SegmentId(1),
    });
    assert_eq!(generations(&call.take()), 1);
}

#[test]
fn the_interrupt_button_stops_and_asks_nothing_again() {
    let mut call = speaking();
    call.input(Input::InterruptRequested).wait_ms(3_000);
    let outputs = call.take();
    assert!(outputs.contains(&Output::StopPlayout));
    assert_eq!(generations(&outputs), 0);
    let mut call = Call::connected();
    call.speaks(1, 500, "tell me more").wait_ms(300).take();
    call.input(Input::InterruptRequested).wait_ms(3_000);
    assert_eq!(
        generations(&call.take()),
        0,
        "not even where nothing was heard yet"
    );
}

#[test]
fn typing_interrupts_at_once() {
    let mut call = speaking();
    call.input(Input::UserText {
        text: "thanks".into(),
    });
    let outputs = call.take();
    assert!(outputs.contains(&Output::StopPlayout));
    assert_eq!(generations(&outputs), 1);
}
