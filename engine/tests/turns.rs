//! A turn from speech to answer.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{EndpointingMode, Input, Output, SafetyAction, Subject};
use antiphon_proto::{AgentState, Event, GenerationId, SafetyState, TurnId, UtteranceId};
use common::{Call, generations, spoken};

#[test]
fn speech_is_answered_after_the_endpointing_wait() {
    let mut call = Call::connected();
    call.speaks(1, 1_000, "how do i choose a name");
    assert_eq!(
        generations(&call.take()),
        0,
        "200 ms of silence are too little"
    );
    call.wait_ms(299);
    assert_eq!(generations(&call.take()), 0);
    call.wait_ms(1);
    assert_eq!(
        generations(&call.take()),
        1,
        "500 ms after the end of speech"
    );
    call.answers(1, "Choose a short one. Keep it plain.");
    assert_eq!(
        spoken(&call.take()),
        ["Choose a short one.", "Keep it plain."]
    );
    call.plays_whole(1, "Choose a short one.")
        .plays_whole(2, "Keep it plain.");
    assert_eq!(
        call.history(),
        [
            ("how do i choose a name".into(), false),
            ("Choose a short one. Keep it plain.".into(), false)
        ]
    );
}

#[test]
fn a_hanging_word_is_waited_for_and_what_follows_joins_the_turn() {
    let mut call = Call::with(|config| config.endpointing.mode = EndpointingMode::Auto);
    call.input(Input::Connected);
    call.speaks(1, 600, "i need a site and").wait_ms(700);
    assert_eq!(generations(&call.take()), 0);
    call.speaks(2, 600, "a name").wait_ms(1_600);
    let outputs = call.take();
    assert_eq!(generations(&outputs), 1);
    assert_eq!(call.history(), [("i need a site and a name".into(), false)]);
}

#[test]
fn a_late_final_is_waited_for_then_the_partial_is_taken() {
    let mut call = Call::connected();
    let onset = call.now;
    call.wait_ms(80).input(Input::SpeechStarted { onset });
    call.input(Input::TranscriptPartial {
        utterance: UtteranceId(1),
        text: "what is css".into(),
    });
    let end = call.wait_ms(1_000).now.minus_ms(200);
    call.input(Input::SpeechStopped { end, prosody: None });
    call.wait_ms(2_700);
    assert_eq!(generations(&call.take()), 0, "the final may still come");
    call.wait_ms(200);
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(call.history(), [("what is css".into(), false)]);
}

#[test]
fn noise_without_words_is_no_turn() {
    let mut call = Call::connected();
    call.speaks(1, 400, "").wait_ms(5_000);
    assert_eq!(generations(&call.take()), 0);
    assert!(call.history().is_empty());
}

#[test]
fn a_failed_recognition_is_said_and_the_words_so_far_are_used() {
    let mut call = Call::connected();
    let onset = call.now;
    call.wait_ms(80).input(Input::SpeechStarted { onset });
    call.input(Input::TranscriptPartial {
        utterance: UtteranceId(1),
        text: "hello".into(),
    });
    let end = call.wait_ms(400).now.minus_ms(200);
    call.input(Input::SpeechStopped { end, prosody: None });
    call.input(Input::TranscriptFailed {
        utterance: UtteranceId(1),
    })
    .wait_ms(1_000);
    assert!(call.outputs.iter().any(|output| matches!(
        output,
        Output::Publish { envelope } if matches!(envelope.event, Event::Notice { .. })
    )));
    assert_eq!(call.history(), [("hello".into(), false)]);
}

#[test]
fn typed_words_are_a_finished_turn() {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "  what\n is\u{7} css?  ".into(),
    });
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(call.history(), [("what is css?".into(), false)]);
    call.input(Input::UserText {
        text: " \n ".into(),
    });
    assert_eq!(
        generations(&call.take()),
        0,
        "nothing typed is nothing said"
    );
    call.input(Input::UserText {
        text: "x".repeat(50_000),
    });
    assert_eq!(call.history().last().expect("a message").0.len(), 2_000);
}

#[test]
fn the_timeline_says_where_the_time_went() {
    let mut call = Call::connected();
    call.speaks(1, 1_000, "what is css").wait_ms(300).take();
    call.wait_ms(10)
        .answers(1, "A style sheet.")
        .wait_ms(20)
        .begins_playing(1, "A style sheet.");
    let timeline = call
        .events()
        .into_iter()
        .find_map(|event| match event {
            Event::TurnTimeline { timeline } => Some(timeline),
            _ => None,
        })
        .expect("a timeline");
    assert_eq!(timeline.turn, TurnId(1));
    assert_eq!(
        (timeline.transcript_final_ms, timeline.endpointing_ms),
        (Some(200), Some(500))
    );
    assert_eq!(
        (timeline.first_token_ms, timeline.first_audio_made_ms),
        (Some(510), Some(530))
    );
    assert_eq!(timeline.first_audio_sent_ms, Some(530));
    assert_eq!(
        timeline.endpointing_reason.as_deref(),
        Some("waited 500 ms: a fixed silence")
    );
}

#[test]
fn states_follow_the_turn() {
    let mut call = Call::connected();
    call.speaks(1, 500, "hi there you")
        .wait_ms(300)
        .answers(1, "Hello.")
        .plays_whole(1, "Hello.");
    let states: Vec<AgentState> = call
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::AgentState { state } => Some(state),
            _ => None,
        })
        .collect();
    assert_eq!(
        states,
        [
            AgentState::Thinking,
            AgentState::Speaking,
            AgentState::Listening
        ]
    );
}

#[test]
fn nothing_is_spoken_before_its_verdict_and_a_blocked_sentence_is_replaced() {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "hello".into(),
    })
    .take();
    call.auto_verdicts = false;
    call.answers(1, "Bad words. Good words.");
    let outputs = call.take();
    assert!(spoken(&outputs).is_empty());
    let subjects: Vec<Subject> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Classify { subject, .. } => Some(*subject),
            _ => None,
        })
        .collect();
    // The second verdict comes first: order is kept.
    call.input(common::pass(subjects[1]));
    assert!(spoken(&call.take()).is_empty());
    let action = SafetyAction::Replace {
        text: "I would rather not.".into(),
    };
    call.input(Input::Verdict {
        subject: subjects[0],
        state: SafetyState::Normal,
        action,
    });
    let outputs = call.take();
    assert_eq!(spoken(&outputs), ["I would rather not.", "Good words."]);
    let shown = format!("{outputs:?}");
    assert!(
        !shown.contains("Bad words"),
        "a blocked sentence reaches no caption"
    );
}

#[test]
fn a_worrying_turn_is_answered_by_reviewed_words_without_a_model() {
    let mut call = Call::connected();
    call.auto_verdicts = false;
    call.input(Input::UserText { text: "…".into() })
        .input(Input::UserText {
            text: "worrying".into(),
        });
    call.take();
    let subject = Subject::User { turn: TurnId(2) };
    let action = SafetyAction::Replace {
        text: "I am worried about you.".into(),
    };
    call.input(Input::Verdict {
        subject,
        state: SafetyState::HighRisk,
        action,
    });
    let outputs = call.take();
    assert_eq!(generations(&outputs), 0);
    assert_eq!(spoken(&outputs), ["I am worried about you."]);
    assert_eq!(call.engine.safety(), SafetyState::HighRisk);
}

#[test]
fn a_responder_that_fails_or_says_nothing_is_apologized_for() {
    let check = |fail: &dyn Fn(&mut Call)| {
        let mut call = Call::connected();
        call.input(Input::UserText {
            text: "hello".into(),
        });
        fail(&mut call);
        let words = spoken(&call.take()).concat();
        assert!(words.contains("Sorry"), "said {words:?}");
    };
    // It is asked a second time before that.
    let both = |call: &mut Call, input: &dyn Fn(GenerationId) -> Input| {
        for generation in [1, 2] {
            assert!(spoken(&call.outputs).is_empty());
            call.input(input(GenerationId(generation)));
        }
    };
    check(&|call| both(call, &|generation| Input::GenerationFailed { generation }));
    check(&|call| {
        both(call, &|generation| Input::GenerationDone {
            generation,
            hang_up: false,
            hand_off: None,
        });
    });
    check(&|call| {
        call.wait_ms(15_000);
    });
}

#[test]
fn a_responder_that_breaks_off_keeps_what_it_said() {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "hello".into(),
    });
    call.input(Input::GenerationDelta {
        generation: GenerationId(1),
        text: "First part. And then".into(),
    });
    call.input(Input::GenerationFailed {
        generation: GenerationId(1),
    });
    assert_eq!(spoken(&call.take()), ["First part.", "And then"]);
}

#[test]
fn an_endless_responder_is_stopped() {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "hello".into(),
    });
    for _ in 0..1_000 {
        call.input(Input::GenerationDelta {
            generation: GenerationId(1),
            text: "More of it. ".into(),
        });
    }
    let outputs = call.take();
    assert!(outputs.contains(&Output::CancelGeneration {
        generation: GenerationId(1)
    }));
    assert!(spoken(&outputs).len() <= 3, "the voice is not flooded");
}

#[test]
fn deltas_of_a_cancelled_reply_are_not_heard() {
    let mut call = Call::connected();
    call.input(Input::UserText { text: "one".into() })
        .input(Input::UserText { text: "two".into() });
    call.take();
    call.answers(1, "Answer to one.");
    assert!(spoken(&call.take()).is_empty());
    call.answers(2, "Answer to two.");
    assert_eq!(spoken(&call.take()), ["Answer to two."]);
}
