//! A provider fails in the middle of a call: the person hears one continuous answer.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use antiphon_providers::route::{BreakerConfig, Router, RouterConfig};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::builders::{HEAR, SPEAK, THINK, Wrong, hear, speak, think, think_saying};
use crate::support::{
    PIECES, Providers, Turn, answer, call, scripted_hear, scripted_speak, scripted_think,
};

/// What the fake voices need for a character.
const CHAR_MS: u64 = 40;

type Keep = Vec<Box<dyn Any + Send + Sync>>;

/// One call whose first provider of `stage` breaks off.
async fn check(name: String, stage: &str, providers: Providers, _keep: Keep) -> Turn {
    let call = call(&providers.router()).await;
    let turn = call.say().await;
    turn.assert_whole(&name);
    let changes = turn.changes();
    assert!(!changes.is_empty(), "{name}: nobody is told");
    for (of, from, to, fault) in changes {
        assert_eq!((&*of, &*fault), (stage, "broken_off"), "{name}");
        assert!(to.is_some_and(|to| to != from), "{name}");
    }
    turn
}

async fn all(mut running: JoinSet<()>) {
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_in_a_sentence_is_continued_by_another_responder() {
    let mut running = JoinSet::new();
    for (nth, first) in THINK.iter().enumerate() {
        // One begins anew, one goes on, and one repeats the last words.
        for (behind, pieces) in [
            (1, &PIECES[..]),
            (2, &["one friend."]),
            (3, &["Then ask one ", "friend."]),
        ] {
            running.spawn(async move {
                let behind = (nth + behind) % THINK.len();
                let name = format!("{first:?}, then {:?} {pieces:?}", THINK[behind]);
                let first = think(nth, Wrong::CutMidEvent).await;
                let second = think_saying(behind, pieces, |_| Wrong::Nothing).await;
                let mut providers = Providers::scripted();
                providers.think = vec![first.provider, second.provider];
                check(name, "think", providers, vec![first.keep, second.keep]).await;
            });
        }
    }
    all(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_cut_in_the_middle_is_finished_by_another_voice() {
    let mut running = JoinSet::new();
    for (nth, (name, _, _)) in SPEAK.iter().enumerate() {
        running.spawn(async move {
            let behind = (nth + 1) % SPEAK.len();
            let name = format!("{name}, then {}", SPEAK[behind].0);
            let first = speak(nth, Wrong::CutMidEvent, |_| true).await;
            let second = speak(behind, Wrong::Nothing, |_| true).await;
            let mut providers = Providers::scripted();
            providers.speak = vec![first.provider, second.provider];
            let keep = vec![first.keep, second.keep];
            let turn = check(name.clone(), "speak", providers, keep).await;
            // Each of the two sentences breaks off once, and at most the word under way is said
            // again.
            let whole_ms = answer().len() as u64 * CHAR_MS;
            let word_ms = "friend.".len() as u64 * CHAR_MS;
            let sound_ms = turn.sound_ms();
            assert!(
                (whole_ms - word_ms..=whole_ms + 2 * word_ms).contains(&sound_ms),
                "{name}: {sound_ms} ms of sound in the place of {whole_ms}"
            );
        });
    }
    all(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_utterance_cut_in_the_middle_is_understood_by_another_recognizer() {
    let mut running = JoinSet::new();
    for (nth, (name, _, _)) in HEAR.iter().enumerate() {
        running.spawn(async move {
            let behind = (nth + 1) % HEAR.len();
            let name = format!("{name}, then {}", HEAR[behind].0);
            let first = hear(nth, Wrong::CutMidEvent, |_| true).await;
            let second = hear(behind, Wrong::Nothing, |_| true).await;
            let mut providers = Providers::scripted();
            providers.hear = vec![first.provider, second.provider];
            check(name, "hear", providers, vec![first.keep, second.keep]).await;
        });
        running.spawn(async move {
            // Only the first connection: whether the same recognizer takes it up again or the next
            // one goes on, the words are whole.
            let name = format!("{name} once");
            let built = hear(nth, Wrong::CutMidEvent, |connection| connection == 0).await;
            let mut providers = Providers::scripted();
            providers.hear = vec![built.provider, scripted_hear()];
            let call = call(&providers.router()).await;
            call.say().await.assert_whole(&name);
        });
    }
    all(running).await;
}

/// Longer than a turn, whatever the machine is doing.
const OPEN_FOR: Duration = Duration::from_secs(8);

fn nervous() -> RouterConfig {
    RouterConfig {
        breaker: BreakerConfig {
            failures: 2,
            open_for: OPEN_FOR,
        },
        ..RouterConfig::default()
    }
}

fn breaker(router: &Arc<Router>, stage: &str) -> (&'static str, u64) {
    let report = router.report();
    let first = report.iter().find(|each| each.stage == stage).unwrap();
    (first.breaker, first.asked)
}

/// The first provider of `stage` fails twice, in one turn or two, and is well again afterwards.
async fn check_breaker(stage: &'static str, providers: Providers, _keep: Keep) {
    let router = providers.router();
    let call = call(&router).await;
    let opened_by = Instant::now() + OPEN_FOR;
    while breaker(&router, stage).0 == "closed" {
        assert!(
            Instant::now() < opened_by + OPEN_FOR,
            "{stage}: it never opens"
        );
        let turn = call.say().await;
        turn.assert_whole(stage);
        assert!(!turn.changes().is_empty(), "{stage}");
    }
    let (state, asked) = breaker(&router, stage);
    assert_eq!(state, "open", "{stage}");
    let turn = call.say().await;
    turn.assert_whole(stage);
    assert!(turn.changes().is_empty(), "{stage}: left alone");
    assert_eq!(breaker(&router, stage).1, asked, "{stage}: not asked");
    let half_open_by = Instant::now() + 2 * OPEN_FOR;
    while breaker(&router, stage).0 == "open" {
        assert!(Instant::now() < half_open_by, "{stage}: it stays open");
        sleep(Duration::from_millis(50)).await;
    }
    let turn = call.say().await;
    turn.assert_whole(stage);
    assert!(turn.changes().is_empty(), "{stage}: it is well again");
    let (state, asked_then) = breaker(&router, stage);
    assert_eq!(state, "closed", "{stage}");
    assert!(asked_then > asked, "{stage}: it was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn breakers_open_after_failures_and_close_again() {
    let mut running = JoinSet::new();
    running.spawn(async {
        let bad = |nth| {
            if nth < 2 {
                Wrong::Overloaded
            } else {
                Wrong::Nothing
            }
        };
        let built = think_saying(0, &PIECES, bad).await;
        let providers = Providers {
            think: vec![built.provider],
            think_last: Some(scripted_think()),
            config: nervous(),
            ..Providers::scripted()
        };
        check_breaker("think", providers, vec![built.keep]).await;
    });
    running.spawn(async {
        let built = speak(3, Wrong::Overloaded, |sentence| sentence < 2).await;
        let providers = Providers {
            speak: vec![built.provider, scripted_speak()],
            config: nervous(),
            ..Providers::scripted()
        };
        check_breaker("speak", providers, vec![built.keep]).await;
    });
    running.spawn(async {
        let built = hear(0, Wrong::Refused, |connection| connection < 2).await;
        let providers = Providers {
            hear: vec![built.provider, scripted_hear()],
            config: nervous(),
            ..Providers::scripted()
        };
        check_breaker("hear", providers, vec![built.keep]).await;
    });
    all(running).await;
}
