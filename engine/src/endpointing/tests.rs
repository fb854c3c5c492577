use proptest::prelude::*;

use super::*;

const MIN_MS: u64 = 300;
const MAX_MS: u64 = 3_000;

fn evidence<'a>(text: &'a str, habit: &'a PauseHabit) -> Evidence<'a> {
    Evidence {
        text,
        is_final: true,
        text_trust_permille: TRUST_GOOD_PERMILLE,
        prosody: None,
        question: QuestionKind::None,
        habit,
        turn_ms: 1_500,
    }
}

fn decided(change: impl FnOnce(&mut Evidence<'_>), text: &str) -> EndOfTurn {
    let habit = PauseHabit::new();
    let mut evidence = evidence(text, &habit);
    change(&mut evidence);
    decide(&evidence, MIN_MS, MAX_MS)
}

/// The end of a sentence: low, soft and hoarse.
const FALLING: Prosody = Prosody {
    pitch_slope_st10: -40,
    pitch_floor_st10: -10,
    level_db10: -110,
    periodicity_permille: -120,
    last_voiced_ms: 180,
    unvoiced_tail_ms: 40,
};
/// A drawn-out word, high and as loud as the rest.
const HELD: Prosody = Prosody {
    pitch_slope_st10: 15,
    pitch_floor_st10: 90,
    level_db10: 20,
    periodicity_permille: 60,
    last_voiced_ms: 600,
    unvoiced_tail_ms: 0,
};

fn check(text: &str, change: &dyn Fn(&mut Evidence<'_>), reason: &str) {
    assert_eq!(decided(|e| change(e), text).reason, reason, "{text:?}");
}

#[test]
fn reasons_name_the_words_that_moved_the_decision() {
    let as_is = |_: &mut Evidence<'_>| {};
    let asked = |kind| move |e: &mut Evidence<'_>| e.question = kind;
    check("so i went and", &as_is, "transcript ends in 'and'");
    check(
        "can you tell me",
        &as_is,
        "transcript ends in 'can you tell me'",
    );
    check("um", &as_is, "transcript ends in 'um'");
    check(
        "i went there,",
        &as_is,
        "transcript ends in a comma after 'there'",
    );
    check("if you have time", &as_is, "a clause with 'if' is open");
    check(
        "my code is 4 1 5 5",
        &as_is,
        "a number may go on: 4 digits so far",
    );
    check(
        "s m i",
        &asked(QuestionKind::Spelling),
        "a spelling may go on: 3 letters so far",
    );
    check(
        "4155550123",
        &asked(QuestionKind::Spelling),
        "a whole number: 10 digits",
    );
    check(
        "",
        &asked(QuestionKind::Spelling),
        "a number or a spelling was asked for",
    );
    check("j o h n at", &as_is, "an address may go on: 'at'");
    check(
        "yes",
        &asked(QuestionKind::YesNo),
        "answer to a yes/no question",
    );
    check("that's right", &as_is, "a whole answer: 'that's right'");
    check("Tell me about Paris.", &as_is, "a complete sentence");
    check("", &as_is, "no words yet");
}

#[test]
fn reasons_name_the_sound_that_moved_the_decision() {
    check(
        "how do i choose a domain name",
        &|e| e.prosody = Some(FALLING),
        "falling pitch and a complete sentence",
    );
    check("", &|e| e.prosody = Some(HELD), "the voice is held up");
    let high = Prosody {
        pitch_floor_st10: 110,
        level_db10: -30,
        periodicity_permille: 0,
        last_voiced_ms: 200,
        unvoiced_tail_ms: 100,
        ..HELD
    };
    check("", &|e| e.prosody = Some(high), "rising pitch");
    check(
        "right",
        &|e| {
            e.turn_ms = 300;
            e.text_trust_permille = 0;
        },
        "a brief utterance",
    );
}

#[test]
fn a_habit_is_a_reason() {
    let mut long = PauseHabit::new();
    for _ in 0..6 {
        long.pause_resumed(2_000);
    }
    let patient = decide(&evidence("", &long), MIN_MS, MAX_MS);
    let usual = decide(&evidence("", &PauseHabit::new()), MIN_MS, MAX_MS);
    assert!(patient.wait_ms > usual.wait_ms, "{patient:?} {usual:?}");
    assert_eq!(patient.reason, "this speaker pauses for long");
    let mut brisk = PauseHabit::new();
    for _ in 0..12 {
        brisk.turn_ended(400);
    }
    let decision = decide(&evidence("it rains", &brisk), MIN_MS, MAX_MS);
    assert_eq!(decision.reason, "this speaker hardly pauses");
}

#[test]
fn evidence_orders_the_waits() {
    let wait =
        |text: &str, change: &dyn Fn(&mut Evidence<'_>)| decided(|e| change(e), text).wait_ms;
    let as_is = |_: &mut Evidence<'_>| {};
    assert_eq!(wait("yes please", &as_is), MIN_MS);
    assert!(wait("i would like to", &as_is) > 1_500);
    assert!(wait("", &|e| e.prosody = Some(HELD)) > 1_500);
    assert_eq!(wait("", &|e| e.prosody = Some(FALLING)), MIN_MS);
    // A hanging word outweighs a falling end; a recognizer that is often wrong outweighs less.
    let falling = |e: &mut Evidence<'_>| e.prosody = Some(FALLING);
    let hanging = decided(falling, "i would like to").probability_permille;
    let doubted = decided(
        |e| {
            falling(e);
            e.text_trust_permille = TRUST_EMBEDDED_PERMILLE;
        },
        "i would like to",
    );
    assert!(hanging < doubted.probability_permille);
    // The same words count for less while they may still change.
    let partial = decided(|e| e.is_final = false, "i would like to");
    assert!(partial.wait_ms <= wait("i would like to", &as_is));
    assert!(partial.probability_permille > decided(as_is, "i would like to").probability_permille);
}

#[test]
fn numbers_are_waited_for_until_they_are_whole() {
    let wait = |text: &str| decided(|e| e.question = QuestionKind::Spelling, text).wait_ms;
    assert!(wait("four one five") > wait("four one five five five five zero one two three"));
    assert!(wait("my email is john at") > 1_500);
    assert!(wait("my email is john at example dot com") < 1_500);
}

#[test]
fn an_article_alone_is_a_short_sound() {
    let lone = decided(|e| e.turn_ms = 300, "the");
    let nothing = decided(|e| e.turn_ms = 300, "");
    assert_eq!(lone.wait_ms, nothing.wait_ms);
}

#[test]
fn bounds_are_kept_whatever_they_are() {
    let habit = PauseHabit::new();
    let wait = |text, min_ms, max_ms| decide(&evidence(text, &habit), min_ms, max_ms).wait_ms;
    assert_eq!(wait("and", 2_000, 100), 2_000);
    assert_eq!(wait("and", 500, 500), 500);
    assert_eq!(wait("and", 0, 0), 0);
    assert_eq!(wait("and", 0, 700), 700);
    assert_eq!(wait("yes", u64::MAX, 0), u64::MAX);
    assert!(wait("and", 0, u64::MAX) <= 60_000);
}

#[test]
fn evidence_survives_a_log() {
    let text = serde_json::to_string(&FALLING).unwrap();
    assert_eq!(serde_json::from_str::<Prosody>(&text).unwrap(), FALLING);
    let kind = serde_json::to_string(&QuestionKind::YesNo).unwrap();
    assert_eq!(kind, "\"yes_no\"");
}

/// Words that mean something here and some that do not.
fn texts() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "and", "um", "yes", "i", "want", "to", "four", "5", "j", "at", "dot", "com", "email", "if",
        "the", "house", "please", "Paris.", "well,", "...", "é", "don’t", "@",
    ]);
    prop_oneof![
        ".*",
        prop::collection::vec(word, 0..30).prop_map(|words| words.join(" ")),
    ]
}

fn prosodies() -> impl Strategy<Value = Option<Prosody>> {
    let fields = any::<(i16, i16, i16, i16, u16, u16)>();
    prop::option::of(fields.prop_map(|f| Prosody {
        pitch_slope_st10: f.0,
        pitch_floor_st10: f.1,
        level_db10: f.2,
        periodicity_permille: f.3,
        last_voiced_ms: f.4,
        unvoiced_tail_ms: f.5,
    }))
}

fn questions() -> impl Strategy<Value = QuestionKind> {
    prop::sample::select(vec![
        QuestionKind::None,
        QuestionKind::YesNo,
        QuestionKind::Spelling,
        QuestionKind::Open,
    ])
}

proptest! {
    #[test]
    fn no_evidence_panics_or_breaks_the_bounds(
        text in texts(), prosody in prosodies(), question in questions(), is_final: bool,
        text_trust_permille: u16, turn_ms: u64, pauses in prop::collection::vec(any::<u64>(), 0..40),
        (min_ms, max_ms) in (0_u64..10_000, 0_u64..10_000),
    ) {
        let mut habit = PauseHabit::new();
        for (i, ms) in pauses.iter().enumerate() {
            if i % 3 == 0 { habit.turn_ended(*ms) } else { habit.pause_resumed(*ms) }
        }
        let evidence = Evidence {
            text: &text, is_final, text_trust_permille, prosody, question, habit: &habit, turn_ms,
        };
        let decision = decide(&evidence, min_ms, max_ms);
        prop_assert!((min_ms..=max_ms.max(min_ms)).contains(&decision.wait_ms));
        prop_assert!(decision.probability_permille <= 1_000);
        prop_assert!(!decision.reason.is_empty());
        prop_assert_eq!(decide(&evidence, min_ms, max_ms), decision);
    }

    #[test]
    fn a_longer_pause_never_shortens_the_wait(
        text in texts(), prosody in prosodies(), question in questions(),
        pauses in prop::collection::vec(0_u64..5_000, 1..30), longer_by in 0_u64..5_000,
    ) {
        let (mut short, mut long) = (PauseHabit::new(), PauseHabit::new());
        for ms in pauses {
            short.pause_resumed(ms);
            long.pause_resumed(ms + longer_by);
        }
        let wait = |habit: &PauseHabit| {
            let evidence = Evidence { prosody, question, ..evidence(&text, habit) };
            decide(&evidence, MIN_MS, MAX_MS).wait_ms
        };
        prop_assert!(wait(&long) >= wait(&short));
    }

    #[test]
    fn a_larger_minimum_never_shortens_the_wait(
        text in texts(), prosody in prosodies(), min_ms in 0_u64..2_000, more in 0_u64..2_000,
    ) {
        let habit = PauseHabit::new();
        let wait = |min_ms| {
            let evidence = Evidence { prosody, ..evidence(&text, &habit) };
            decide(&evidence, min_ms, 4_000).wait_ms
        };
        prop_assert!(wait(min_ms + more) >= wait(min_ms));
    }

    #[test]
    fn no_words_of_an_agent_panic(text in ".*") {
        question_kind(&text);
    }
}

#[test]
fn a_complete_question_is_not_held_up_by_how_questions_sound() {
    let habit = PauseHabit::new();
    let rising = Prosody {
        pitch_slope_st10: 60,
        pitch_floor_st10: 110,
        level_db10: 20,
        periodicity_permille: 80,
        last_voiced_ms: 320,
        unvoiced_tail_ms: 60,
    };
    for trust in [TRUST_EMBEDDED_PERMILLE, TRUST_GOOD_PERMILLE] {
        let wait = |text: &str| {
            let evidence = Evidence {
                prosody: Some(rising),
                text_trust_permille: trust,
                ..evidence(text, &habit)
            };
            decide(&evidence, 400, 1_800).wait_ms
        };
        assert!(
            wait("how do i choose a domain name") <= 600,
            "trust {trust}"
        );
        assert!(
            wait("i have been thinking of a domain") > 1_000,
            "trust {trust}"
        );
        assert!(
            wait("how do i choose a domain name and") > 1_000,
            "trust {trust}"
        );
    }
}
