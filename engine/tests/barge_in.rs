//! Speech over the agent.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{EngineConfig, Input, InterruptionMode, Output, OverlapKind, SafetyAction};
use antiphon_proto::{Event, SafetyState, SegmentId, UtteranceId};
use common::{Call, generations, spoken};

const ANSWER: &str = "One two three four five six.";

/// The agent is in the middle of [`ANSWER`]; two words were heard.
fn speaking() -> Call {
    speaking_with(|_| {})
}

fn speaking_with(change: impl FnOnce(&mut EngineConfig)) -> Call {
    let mut call = Call::with(change);
    call.input(Input::Connected);
    call.input(Input::UserText {
        text: "count for me".into(),
    })
    .answers(1, ANSWER)
    .begins_playing(1, ANSWER);
    call.wait_ms(450).heard(1, 450).take();
    call
}

impl Call {
    fn starts_speaking(&mut self) -> &mut Self {
        let onset = self.now;
        self.input(Input::SpeechStarted { onset })
    }

    fn partial(&mut self, text: &str) -> &mut Self {
        self.input(Input::TranscriptPartial {
            utterance: UtteranceId(1),
            text: text.into(),
        })
    }

    fn judged(&mut self, kind: OverlapKind) -> &mut Self {
        self.input(Input::OverlapJudged { kind })
    }

    fn said(&self) -> Vec<String> {
        self.history().into_iter().map(|(text, _)| text).collect()
    }
}

#[test]
fn speech_ducks_at_once_holds_when_it_goes_on_and_stops_for_words() {
    let mut call = speaking();
    call.starts_speaking();
    let outputs = call.take();
    assert!(outputs.contains(&Output::DuckPlayout) && !outputs.contains(&Output::PausePlayout));
    call.wait_ms(249);
    assert!(!call.take().contains(&Output::PausePlayout));
    call.wait_ms(1);
    assert!(call.take().contains(&Output::PausePlayout));
    call.wait_ms(100).partial("no wait");
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
    call.starts_speaking().wait_ms(240);
    call.input(Input::SpeechStopped {
        end: onset.plus_ms(100),
        prosody: None,
    });
    let outputs = call.take();
    assert!(outputs.contains(&Output::UnduckPlayout));
    assert!(!outputs.contains(&Output::PausePlayout));
    call.wait_ms(810).heard(1, 1_200);
    call.input(Input::SegmentPlayed {
        segment: SegmentId(1),
    })
    .wait_ms(3_000);
    assert_eq!(
        call.history(),
        [("count for me".into(), false), (ANSWER.into(), false)]
    );
    assert_eq!(generations(&call.take()), 0, "the sound is no turn");
}

#[test]
fn a_short_word_that_wants_the_turn_stops_the_agent_when_it_is_known() {
    let mut call = speaking();
    call.speaks(1, 200, "stop");
    assert!(call.take().contains(&Output::StopPlayout));
    call.wait_ms(1_000);
    assert_eq!(call.said(), ["count for me", "One two", "stop"]);
}

#[test]
fn a_sign_of_listening_is_no_interruption() {
    for text in ["uh huh", "yeah", "right", "okay"] {
        let mut call = speaking();
        call.speaks(1, 450, text);
        let outputs = call.take();
        assert!(outputs.contains(&Output::ResumePlayout), "{text}");
        call.wait_ms(5_000).input(Input::SegmentPlayed {
            segment: SegmentId(1),
        });
        call.wait_ms(3_000);
        assert_eq!(call.said(), ["count for me", ANSWER], "{text}");
    }
}

#[test]
fn a_noise_holds_the_agent_and_then_it_goes_on() {
    let mut call = speaking_with(|config| config.interruption.false_alarm_ms = 2_000);
    call.speaks(1, 1_000, "").wait_ms(1_799);
    let outputs = call.take();
    assert!(outputs.contains(&Output::PausePlayout));
    assert!(!outputs.contains(&Output::ResumePlayout));
    call.wait_ms(1);
    assert!(call.take().contains(&Output::ResumePlayout));
}

#[test]
fn what_it_sounds_like_decides_before_the_words_are_there() {
    let mut call = speaking();
    call.starts_speaking()
        .wait_ms(200)
        .judged(OverlapKind::Interruption);
    assert!(
        call.take().contains(&Output::PausePlayout),
        "silent at once"
    );
    // Words of listening take that back.
    let end = call.wait_ms(100).now;
    call.wait_ms(200)
        .input(Input::SpeechStopped { end, prosody: None });
    call.input(Input::TranscriptFinal {
        utterance: UtteranceId(1),
        text: "yeah".into(),
    });
    assert!(call.take().contains(&Output::ResumePlayout));
    for kind in [
        OverlapKind::Backchannel,
        OverlapKind::Noise,
        OverlapKind::Echo,
    ] {
        let mut call = speaking();
        call.starts_speaking()
            .wait_ms(200)
            .judged(kind)
            .wait_ms(700);
        let outputs = call.take();
        assert!(outputs.contains(&Output::UnduckPlayout), "{kind:?}");
        assert!(!outputs.contains(&Output::PausePlayout), "{kind:?}");
    }
}

#[test]
fn what_sounds_like_listening_but_goes_on_is_an_interruption() {
    let mut call = speaking();
    call.starts_speaking()
        .wait_ms(200)
        .judged(OverlapKind::Backchannel);
    call.wait_ms(800);
    assert!(call.take().contains(&Output::PausePlayout));
    call.partial("yeah but what about the cost");
    assert!(call.take().contains(&Output::StopPlayout));
}

#[test]
fn words_made_of_an_echo_do_not_stop_the_agent() {
    let mut call = speaking();
    call.starts_speaking()
        .wait_ms(200)
        .judged(OverlapKind::Echo);
    call.wait_ms(400).partial("two three");
    assert!(!call.take().contains(&Output::StopPlayout));
}

#[test]
fn a_first_sign_ducks_and_comes_to_nothing() {
    let mut call = speaking();
    call.input(Input::SoundStarted);
    assert!(call.take().contains(&Output::DuckPlayout));
    call.wait_ms(400);
    assert!(call.take().contains(&Output::UnduckPlayout));
    assert_eq!(
        call.engine.poll_timeout().map(|(due, _)| due > call.now),
        Some(true)
    );
}

#[test]
fn fewer_words_than_asked_for_do_not_stop_the_agent() {
    let mut call = speaking_with(|config| config.interruption.words_min = 3);
    call.speaks(1, 700, "Stop!").wait_ms(2_000);
    let outputs = call.take();
    assert!(!outputs.contains(&Output::StopPlayout) && !outputs.contains(&Output::PausePlayout));
    assert_eq!(call.said(), ["count for me"]);
    call.speaks(2, 700, "ok, stop now");
    assert!(call.take().contains(&Output::StopPlayout));
}

#[test]
fn modes_differ_in_what_stops_the_agent() {
    let check = |mode, with_words: bool, held: bool, stopped: bool| {
        let mut call = speaking_with(|config| config.interruption.mode = mode);
        call.starts_speaking().wait_ms(400);
        if with_words {
            call.partial("what about the price");
        }
        let outputs = call.take();
        assert_eq!(outputs.contains(&Output::PausePlayout), held, "{mode:?}");
        assert_eq!(outputs.contains(&Output::StopPlayout), stopped, "{mode:?}");
    };
    check(InterruptionMode::Off, true, false, false);
    check(InterruptionMode::Polite, false, false, false);
    check(InterruptionMode::Polite, true, false, true);
    check(InterruptionMode::Normal, false, true, false);
    check(InterruptionMode::Normal, true, true, true);
    check(InterruptionMode::Eager, false, false, true);
}

#[test]
fn an_interruption_becomes_the_next_turn() {
    let mut call = speaking();
    call.speaks(1, 700, "no stop").wait_ms(300);
    assert_eq!(generations(&call.take()), 1);
    assert_eq!(call.said(), ["count for me", "One two", "no stop"]);
}

#[test]
fn go_on_says_what_was_left_unsaid() {
    let mut call = speaking();
    call.speaks(1, 700, "wait a second").wait_ms(300).take();
    call.answers(2, "Of course.").plays_whole(2, "Of course.");
    assert_eq!(call.said().last().map(String::as_str), Some("Of course."));
    let mut call = speaking();
    call.speaks(1, 700, "Please continue.").wait_ms(300);
    let outputs = call.take();
    assert_eq!(generations(&outputs), 0);
    assert_eq!(spoken(&outputs), ["three four five six."]);
}

#[test]
fn nothing_of_an_undecided_interruption_is_shown() {
    let mut call = speaking();
    call.starts_speaking().partial("uh");
    let shown = call.events();
    let transcript = |event: &Event| matches!(event, Event::UserTranscript { .. });
    assert!(!shown.iter().any(transcript), "{shown:?}");
    call.wait_ms(450).partial("uh what was that");
    assert!(call.events().iter().any(transcript), "shown once decided");
}

#[test]
fn speech_before_the_answer_is_audible_takes_it_back() {
    let mut call = Call::connected();
    call.speaks(1, 800, "i want a site").wait_ms(300);
    assert_eq!(generations(&call.take()), 1);
    call.speaks(2, 800, "for my bakery");
    let outputs = call.take();
    assert!(outputs.contains(&Output::CancelGeneration {
        generation: antiphon_proto::GenerationId(1)
    }));
    call.wait_ms(300);
    let outputs = call.take();
    assert_eq!(generations(&outputs), 1);
    let checked = outputs.iter().find_map(|output| match output {
        Output::Classify { text, .. } => Some(text.clone()),
        _ => None,
    });
    assert_eq!(
        checked.as_deref(),
        Some("i want a site for my bakery"),
        "a thought cut in two is checked as one"
    );
    assert_eq!(call.said(), ["i want a site", "for my bakery"]);
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
    assert_eq!(call.said(), ["i want a site", "for my bakery"]);
}

#[test]
fn an_uninterruptible_agent_finishes_and_then_answers() {
    let mut call = speaking_with(|config| config.interruption.mode = InterruptionMode::Off);
    call.speaks(1, 500, "wait a moment").wait_ms(300);
    let outputs = call.take();
    assert!(!outputs.contains(&Output::PausePlayout) && !outputs.contains(&Output::StopPlayout));
    assert_eq!(generations(&outputs), 0);
    call.input(Input::SegmentPlayed {
        segment: SegmentId(1),
    });
    assert_eq!(generations(&call.take()), 1);
}

#[test]
fn reviewed_words_are_said_to_their_end_and_owed_until_they_are_heard() {
    let mut call = Call::connected();
    call.auto_verdicts = false;
    let script = |turn| Input::Verdict {
        subject: antiphon_engine::Subject::User {
            turn: antiphon_proto::TurnId(turn),
        },
        state: SafetyState::HighRisk,
        action: SafetyAction::Replace {
            text: "Please call for help.".into(),
        },
    };
    call.input(Input::UserText {
        text: "…1".into()
    })
    .input(script(1));
    call.begins_playing(1, "Please call for help.").take();
    call.speaks(1, 900, "no no no leave me alone").wait_ms(100);
    assert!(!call.take().contains(&Output::StopPlayout));
    // Typed words do stop it, but it is owed.
    let mut call = Call::connected();
    call.auto_verdicts = false;
    call.input(Input::UserText {
        text: "…1".into()
    })
    .input(script(1))
    .take();
    call.input(Input::UserText {
        text: "anyway".into(),
    });
    call.input(common::pass(antiphon_engine::Subject::User {
        turn: antiphon_proto::TurnId(2),
    }));
    let outputs = call.take();
    assert_eq!(spoken(&outputs), ["Please call for help."]);
    assert_eq!(generations(&outputs), 0);
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

#[test]
fn an_interruption_that_was_not_understood_is_asked_about() {
    let mut call = speaking();
    call.input(Input::SoundStarted).wait_ms(60);
    // Judged before the detector is sure.
    call.judged(OverlapKind::Interruption);
    let onset = call.now.minus_ms(40);
    call.input(Input::SpeechStarted { onset });
    call.input(Input::SpeechStarted { onset }).wait_ms(100);
    call.judged(OverlapKind::Interruption);
    let end = call.wait_ms(200).now;
    call.wait_ms(200)
        .input(Input::SpeechStopped { end, prosody: None });
    call.input(Input::TranscriptFinal {
        utterance: UtteranceId(1),
        text: String::new(),
    });
    assert!(!call.take().contains(&Output::StopPlayout));
    call.wait_ms(800);
    let outputs = call.take();
    assert!(outputs.contains(&Output::StopPlayout));
    assert_eq!(spoken(&outputs), ["Yes?"]);
    assert_eq!(call.said(), ["count for me", "One two"]);
}
