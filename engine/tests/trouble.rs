//! Silence and trouble.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{EndpointingMode, Input, Output};
use antiphon_proto::{CloseReason, Event, GenerationId, NoticeCode, SegmentId, UtteranceId};
use common::{Call, closed, generations, spoken};

fn asks(call: &mut Call) {
    call.input(Input::UserText {
        text: "hello".into(),
    });
}

#[test]
fn a_slow_answer_is_bridged_and_follows() {
    let mut call = Call::connected();
    asks(&mut call);
    call.wait_ms(699);
    assert!(spoken(&call.take()).is_empty());
    call.wait_ms(1);
    assert_eq!(spoken(&call.take()), ["One moment."]);
    call.plays_whole(1, "One moment.").wait_ms(2_499);
    assert!(spoken(&call.take()).is_empty());
    call.wait_ms(1);
    assert_eq!(
        spoken(&call.take()).len(),
        1,
        "not more than 3 s of silence"
    );
    call.plays_whole(2, "I am still looking into it.");
    call.answers(1, "Here it is.").plays_whole(3, "Here it is.");
    assert_eq!(
        call.history()[1].0,
        "One moment. I am still looking into it. Here it is."
    );
    assert_eq!(
        call.engine
            .poll_timeout()
            .map(|(_, why)| format!("{why:?}")),
        Some("Away".into())
    );
}

#[test]
fn a_quick_answer_needs_no_filler() {
    let mut call = Call::connected();
    asks(&mut call);
    call.wait_ms(600).answers(1, "Here it is.").wait_ms(5_000);
    assert_eq!(spoken(&call.take()), ["Here it is."]);
}

#[test]
fn a_responder_that_fails_is_asked_once_more() {
    let mut call = Call::connected();
    asks(&mut call);
    call.input(Input::GenerationFailed {
        generation: GenerationId(1),
    });
    let outputs = call.take();
    assert_eq!(generations(&outputs), 2);
    assert!(spoken(&outputs).is_empty());
    call.answers(2, "There.");
    assert_eq!(spoken(&call.take()), ["There."]);
}

#[test]
fn too_many_failures_end_the_call() {
    let mut call = Call::connected();
    for turn in 0..3 {
        asks(&mut call);
        for generation in [2 * turn + 1, 2 * turn + 2] {
            call.input(Input::GenerationFailed {
                generation: GenerationId(generation),
            });
        }
        if turn < 2 {
            assert_eq!(closed(&call.outputs), None);
        }
    }
    call.wait_ms(20_000);
    assert_eq!(closed(&call.take()), Some(CloseReason::TooManyFailures));
}

#[test]
fn a_silent_person_is_asked_for_and_then_the_call_ends() {
    let mut call = Call::connected();
    call.wait_ms(14_999);
    assert!(call.take().is_empty());
    call.wait_ms(1);
    let outputs = call.take();
    assert_eq!(spoken(&outputs), ["Are you still there?"]);
    call.plays_whole(1, "Are you still there?").wait_ms(10_000);
    let outputs = call.take();
    assert!(
        spoken(&outputs)[0].contains("hang up"),
        "{:?}",
        spoken(&outputs)
    );
    call.wait_ms(10_000);
    assert_eq!(closed(&call.take()), Some(CloseReason::UserAway));
}

#[test]
fn a_person_who_answers_is_not_away() {
    let mut call = Call::connected();
    call.wait_ms(15_000).plays_whole(1, "Are you still there?");
    call.speaks(1, 500, "yes i am").wait_ms(300);
    call.answers(1, "Good.").plays_whole(2, "Good.").take();
    call.wait_ms(14_999);
    assert!(spoken(&call.take()).is_empty(), "the patience starts anew");
    call.wait_ms(1);
    assert_eq!(spoken(&call.take()), ["Are you still there?"]);
}

#[test]
fn a_turn_without_end_is_answered() {
    let mut call = Call::with(|config| config.limits.turn_ms_max = 30_000);
    call.input(Input::Connected);
    let onset = call.now;
    call.wait_ms(80).input(Input::SpeechStarted { onset });
    call.input(Input::TranscriptPartial {
        utterance: UtteranceId(1),
        text: "and then and then".into(),
    })
    .take();
    call.wait_ms(29_900);
    assert_eq!(generations(&call.take()), 0);
    call.wait_ms(3_000);
    assert_eq!(generations(&call.take()), 1);
}

#[test]
fn what_could_not_be_recognized_is_apologized_for() {
    let mut call = Call::connected();
    let onset = call.now;
    call.wait_ms(80).input(Input::SpeechStarted { onset });
    let end = call.wait_ms(800).now;
    call.wait_ms(200)
        .input(Input::SpeechStopped { end, prosody: None });
    call.input(Input::TranscriptFailed {
        utterance: UtteranceId(1),
    })
    .wait_ms(1_000);
    let words = spoken(&call.take()).concat();
    assert!(words.contains("say that again"), "{words:?}");
}

#[test]
fn keys_are_what_the_person_says() {
    let mut call = Call::connected();
    for key in ['4', '2', 'x', '*'] {
        call.input(Input::Dtmf { key }).wait_ms(500);
    }
    assert_eq!(generations(&call.take()), 0);
    call.wait_ms(1_500);
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(call.history(), [("4 2 *".into(), false)]);
    // A hash ends the number at once; a flood is cut.
    call.input(Input::Dtmf { key: '7' })
        .input(Input::Dtmf { key: '#' });
    assert_eq!(call.history()[1].0, "7");
    for _ in 0..10_000 {
        call.input(Input::Dtmf { key: '1' });
    }
    assert!(call.history().iter().all(|(text, _)| text.len() <= 128));
}

#[test]
fn a_voicemail_is_noticed_and_left_where_the_agent_is_told_so() {
    let check = |hang_up: bool| {
        let mut call = Call::with(|config| config.limits.hang_up_on_voicemail = hang_up);
        call.input(Input::Connected);
        call.speaks(1, 900, "please leave a message after the tone")
            .wait_ms(1_600);
        let outputs = call.take();
        let noticed = outputs.iter().any(|output| {
            matches!(output, Output::Publish { envelope }
                if matches!(envelope.event, Event::Notice { code: NoticeCode::Voicemail, .. }))
        });
        assert!(noticed);
        assert_eq!(closed(&outputs).is_some(), hang_up);
    };
    check(true);
    check(false);
}

#[test]
fn manual_turns_end_when_the_client_says_so() {
    let mut call = Call::with(|config| config.endpointing.mode = EndpointingMode::Manual);
    call.input(Input::Connected);
    call.speaks(1, 500, "one").wait_ms(5_000);
    call.speaks(2, 500, "two").wait_ms(5_000);
    assert_eq!(generations(&call.take()), 0);
    call.input(Input::TurnCommitted);
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(call.history(), [("one two".into(), false)]);
}

#[test]
fn a_held_button_is_the_turn() {
    let mut call = Call::with(|config| config.endpointing.mode = EndpointingMode::PushToTalk);
    call.input(Input::Connected);
    call.input(Input::SpeechStarted { onset: call.now });
    assert!(
        call.take()
            .iter()
            .all(|output| !matches!(output, Output::BeginUtterance { .. }))
    );
    call.input(Input::TalkPressed).wait_ms(3_000);
    call.input(Input::TalkReleased).wait_ms(100);
    assert_eq!(generations(&call.take()), 0, "the words are not there yet");
    call.input(Input::TranscriptFinal {
        utterance: UtteranceId(1),
        text: "hello there".into(),
    });
    assert_eq!(generations(&call.take()), 1, "and then at once");
    // Pressing it stops the agent.
    call.answers(1, "A long answer.")
        .begins_playing(1, "A long answer.");
    call.take();
    call.input(Input::TalkPressed);
    assert!(call.take().contains(&Output::StopPlayout));
}

#[test]
fn a_voice_that_fails_says_so_and_the_turn_ends() {
    let mut call = Call::connected();
    asks(&mut call);
    call.answers(1, "An answer.");
    call.input(Input::SegmentFailed {
        segment: SegmentId(1),
    });
    let notice = call.events().into_iter().any(|event| {
        matches!(
            event,
            Event::Notice {
                code: NoticeCode::VoiceTrouble,
                ..
            }
        )
    });
    assert!(notice);
    assert_eq!(
        call.engine.agent_state(),
        antiphon_proto::AgentState::Listening
    );
}
