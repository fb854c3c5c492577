//! Empty, huge and strange input: a sensible answer in time, never a panic.

use std::time::{Duration, Instant};

use antiphon_proto::Role;
use proptest::prelude::*;

use crate::call::Call;

/// The bar of the design, with room for a loaded machine that builds without full optimization.
const REPLY_MAX: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 5 });

#[test]
fn strange_input_gets_a_sensible_answer() {
    let long = "website ".repeat(1_000);
    let nothing = "zxqv ".repeat(2_000);
    for said in [
        "",
        " ",
        "...",
        "😀😀😀",
        "¿Qué?",
        "\0\u{200b}",
        "{topic} {words} {",
        "}{",
        "こんにちは",
        "a",
        "'",
        "1234567890123456789012",
        "ﷺ",
        "e\u{301}\u{301}\u{301}",
        &long,
        &nothing,
        &"x".repeat(5_000),
    ] {
        let found = Call::to("cal").say(said);
        assert!(!found.text.trim().is_empty(), "{said:.40}");
        assert!(!found.text.contains(['{', '}']), "{said:.40}: {found:?}");
        assert!(found.text.len() < 800, "{said:.40}: {found:?}");
    }
}

#[test]
fn a_history_of_any_shape_is_read() {
    for roles in [
        vec![],
        vec![Role::Agent],
        vec![Role::Agent, Role::Agent],
        vec![Role::User, Role::User],
    ] {
        let mut call = Call::to("cal");
        call.history.clear();
        for role in roles {
            call.push(role, "a b c", true);
        }
        assert!(!call.say("hello").text.is_empty());
    }
    let mut call = Call::to("cal");
    call.history.clear();
    assert!(!call.say("go on").text.is_empty());
}

#[test]
fn replies_come_in_time() {
    let mut call = Call::to("riven");
    call.say("hello");
    let mut slowest = Duration::ZERO;
    for nth in 0..40 {
        let text = [
            "how do i set a price and what about customers and competition ",
            "zx qv ",
            "tell me more",
        ][nth % 3];
        let said = text.repeat(1 + (nth % 5) * 10);
        let before = Instant::now();
        call.say(&said);
        slowest = slowest.max(before.elapsed());
    }
    println!("slowest of 40 replies: {slowest:?}");
    assert!(slowest < REPLY_MAX, "{slowest:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_get_an_answer(said in proptest::collection::vec(".{0,80}", 1..6), cut in 0_usize..20) {
        let mut call = Call::to("arty");
        for text in &said {
            let found = call.say(text);
            prop_assert!(!found.text.trim().is_empty());
            call.cut_after(cut);
        }
        prop_assert!(!call.say("go on").text.is_empty());
    }
}
