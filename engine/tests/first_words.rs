//! The first words of a reply are spoken before its first sentence is complete, and a sentence that
//! may not be said does not pass in parts.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod common;

use antiphon_engine::{Input, Output, SafetyAction, Subject, TimerReason};
use antiphon_proto::{GenerationId, SafetyState, SegmentId};
use common::{Call, closed, pass, spoken};

/// The first generation of a call that asked something.
fn asked() -> Call {
    let mut call = Call::connected();
    call.input(Input::UserText {
        text: "tell me".into(),
    })
    .take();
    call
}

fn delta(call: &mut Call, text: &str) {
    call.input(Input::GenerationDelta {
        generation: GenerationId(1),
        text: text.into(),
    });
}

fn block(segment: u32) -> Input {
    Input::Verdict {
        subject: Subject::Agent {
            segment: SegmentId(segment),
        },
        state: SafetyState::Normal,
        action: SafetyAction::Replace {
            text: "I would rather not say that.".into(),
        },
    }
}

fn let_pass(segment: u32) -> Input {
    pass(Subject::Agent {
        segment: SegmentId(segment),
    })
}

fn checked(outputs: &[Output]) -> Vec<String> {
    let of_agent = outputs.iter().filter_map(|output| match output {
        Output::Classify {
            subject: Subject::Agent { .. },
            text,
        } => Some(text.clone()),
        _ => None,
    });
    of_agent.collect()
}

#[test]
fn words_that_come_slowly_are_spoken_after_400_ms() {
    let mut call = asked();
    delta(&mut call, "You should open the window and ");
    call.wait_ms(100);
    delta(&mut call, "let some air ");
    assert!(spoken(&call.take()).is_empty());
    let (due, reason) = call.engine.poll_timeout().unwrap();
    assert_eq!(reason, TimerReason::FirstPiece);
    assert_eq!(due.ms_since(call.now), 300);
    call.wait_ms(299);
    assert!(spoken(&call.take()).is_empty());
    call.wait_ms(1);
    assert_eq!(spoken(&call.take()), ["You should open the window"]);
    // What follows waits for the end of its sentence, however long that takes.
    call.wait_ms(500);
    delta(
        &mut call,
        "in, because it is very stuffy in here, I think, ",
    );
    call.wait_ms(650);
    assert!(spoken(&call.take()).is_empty());
    delta(&mut call, "today. ");
    let rest = "and let some air in, because it is very stuffy in here, I think, today.";
    assert_eq!(spoken(&call.take()), [rest]);
}

#[test]
fn too_few_words_are_waited_for_without_a_timer() {
    let mut call = asked();
    delta(&mut call, "You should ");
    call.wait_ms(450);
    let timer = call.engine.poll_timeout().map(|(_, reason)| reason);
    assert_ne!(timer, Some(TimerReason::FirstPiece));
    // Late already: the first good place is taken as soon as it is there.
    delta(&mut call, "open the window at ");
    assert_eq!(spoken(&call.take()), ["You should open the window"]);
}

#[test]
fn a_later_part_is_checked_with_the_sentence_so_far() {
    let mut call = asked();
    call.auto_verdicts = false;
    delta(
        &mut call,
        "If it gets too much, you could just end it. Next one. ",
    );
    assert_eq!(
        checked(&call.take()),
        ["If it gets too much, you could just end it.", "Next one."],
        "ten words and a sentence's end need no cut"
    );
    let mut call = asked();
    call.auto_verdicts = false;
    delta(&mut call, "If it gets too much, you could ");
    delta(&mut call, "just end it. Next one. ");
    let want = [
        "If it gets too much,",
        "If it gets too much, you could just end it.",
        "Next one.",
    ];
    assert_eq!(checked(&call.take()), want);
}

/// Verdicts in any order: what stood in the sentence behind the part that was blocked is never
/// spoken, and the reviewed words are said once.
#[test]
fn nothing_more_of_a_blocked_sentence_is_said() {
    const REVIEWED: &str = "I would rather not say that.";
    for (verdicts, want) in [
        // The first clause is on its way when the second is blocked.
        (
            vec![let_pass(1), block(2), let_pass(3)],
            vec!["If it gets too much,", REVIEWED, "Next one."],
        ),
        // It is not: then it is not said either.
        (
            vec![block(2), let_pass(1), let_pass(3)],
            vec![REVIEWED, "Next one."],
        ),
        // The first clause itself is blocked; the sentence holds it too.
        (
            vec![block(1), block(2), let_pass(3)],
            vec![REVIEWED, "Next one."],
        ),
        (
            vec![block(1), let_pass(2), let_pass(3)],
            vec![REVIEWED, "Next one."],
        ),
    ] {
        let mut call = asked();
        call.auto_verdicts = false;
        delta(&mut call, "If it gets too much, you could ");
        delta(&mut call, "just end it. Next one. ");
        call.take();
        for verdict in verdicts.clone() {
            call.input(verdict);
        }
        let outputs = call.take();
        assert_eq!(spoken(&outputs), want, "{verdicts:?}");
        assert_eq!(closed(&outputs), None);
    }
}

#[test]
fn reviewed_words_and_greetings_are_not_cut_short() {
    let greeting =
        "Hello and welcome, this is Cal, and I can help you with anything about your site today.";
    let mut call = Call::with(|config| config.words.greeting = greeting.into());
    call.input(Input::Connected);
    assert_eq!(spoken(&call.take()), [greeting]);
}
