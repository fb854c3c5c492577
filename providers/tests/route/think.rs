//! Replies: fallback, continuation, hedging, breakers, retries.

use std::sync::Arc;
use std::time::Duration;

use antiphon_providers::FaultKind::{self, BrokenOff, Overloaded, RateLimited, Refused};
use antiphon_providers::route::{BreakerConfig, Fact, Routed, Router, RouterConfig};
use antiphon_providers::think::{Think, ThinkEventKind};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::scripted::{Call, Done, Fail, Say, Stall, Thinks, Wait, agent, think_request, thinking};

struct Told {
    text: String,
    end: ThinkEventKind,
    first_ms: u64,
    end_ms: u64,
}

async fn ask(think: &Arc<dyn Think>, generation: u32) -> Told {
    let (sender, mut events) = mpsc::channel(4);
    let began = Instant::now();
    let ms = || u64::try_from(began.elapsed().as_millis()).unwrap();
    let _handle = think.start(think_request(generation), sender);
    let (mut text, mut first_ms) = (String::new(), None);
    loop {
        let event = timeout(Duration::from_secs(60), events.recv()).await;
        match event.unwrap().unwrap().kind {
            ThinkEventKind::Delta { text: more } => {
                first_ms.get_or_insert_with(ms);
                text.push_str(&more);
            }
            ThinkEventKind::ToolCalls { .. } => text.push_str("[call]"),
            end @ (ThinkEventKind::Done { .. } | ThinkEventKind::Failed { .. }) => {
                assert!(events.recv().await.is_none(), "nothing follows the end");
                let (first_ms, end_ms) = (first_ms.unwrap_or(0), ms());
                return Told {
                    text,
                    end,
                    first_ms,
                    end_ms,
                };
            }
        }
    }
}

fn session(router: &Arc<Router>) -> Routed {
    router.session(&agent())
}

fn failed_as(told: &Told, kind: FaultKind) {
    let ThinkEventKind::Failed { fault } = &told.end else {
        panic!("it did not fail: {}", told.text);
    };
    assert_eq!(fault.kind, kind);
}

#[tokio::test(start_paused = true)]
async fn the_next_answers_where_the_first_fails_in_whatever_way() {
    let check = async |first: &[crate::scripted::Do], within_ms: u64| {
        let (one, two) = (
            Thinks::new("one", &[first]),
            Thinks::new("two", &[&[Wait(100), Say("Fine."), Done]]),
        );
        let router = thinking(&[&one, &two], RouterConfig::default());
        let mut routed = session(&router);
        let told = ask(&routed.think, 1).await;
        assert_eq!(told.text, "Fine.", "{first:?}");
        assert!(
            told.first_ms <= within_ms,
            "{first:?}: {} ms",
            told.first_ms
        );
        let chosen = routed.facts.facts.try_recv().unwrap();
        assert!(matches!(chosen, Fact::Chosen { id, .. } if &*id == "one/m"));
        let fell = routed.facts.facts.try_recv().unwrap();
        assert!(matches!(fell, Fact::FellBack { to: Some(to), .. } if &*to == "two/m"));
        assert_eq!(one.requests.lock().unwrap().len(), 1, "{first:?}");
    };
    check(&[Fail(Refused)], 100).await;
    check(&[Wait(50), Fail(Overloaded)], 150).await;
    check(&[Fail(RateLimited { retry_after: None })], 100).await;
    check(&[], 100).await;
    check(&[Stall], 2_100).await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_breaks_off_is_one_continuous_answer() {
    let check = async |second: &'static str, end: crate::scripted::Do| {
        let first = [Say("The moon is"), Say(" made of"), end.clone()];
        let (one, two) = (
            Thinks::new("one", &[&first]),
            Thinks::new("two", &[&[Say(second), Done]]),
        );
        let router = thinking(&[&one, &two], RouterConfig::default());
        let told = ask(&session(&router).think, 1).await;
        assert_eq!(told.text, "The moon is made of rock.", "{second:?} {end:?}");
        assert!(told.end_ms <= 2_000, "{} ms", told.end_ms);
        let asked = two.requests.lock().unwrap();
        assert_eq!(
            asked[0].already_said.as_deref(),
            Some("The moon is made of")
        );
    };
    for end in [Fail(BrokenOff), Stall] {
        check("rock.", end.clone()).await;
        check("The moon is made of rock.", end.clone()).await;
        check("is made of rock.", end).await;
    }
}

#[tokio::test(start_paused = true)]
async fn tools_that_were_called_are_not_called_again() {
    let (one, two) = (
        Thinks::new("one", &[&[Call, Fail(BrokenOff)]]),
        Thinks::new("two", &[&[Call, Done]]),
    );
    let router = thinking(&[&one, &two], RouterConfig::default());
    let told = ask(&session(&router).think, 1).await;
    assert_eq!(told.text, "[call]");
    assert!(matches!(told.end, ThinkEventKind::Done { .. }));
    assert_eq!(two.asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn everybody_failing_is_one_fault_in_time() {
    let (one, two) = (
        Thinks::new("one", &[&[Stall]]),
        Thinks::new("two", &[&[Fail(Overloaded)]]),
    );
    let router = thinking(&[&one, &two], RouterConfig::default());
    let told = ask(&session(&router).think, 1).await;
    failed_as(&told, Overloaded);
    assert!(told.end_ms <= 2_000, "{} ms", told.end_ms);
}

#[tokio::test(start_paused = true)]
async fn the_only_provider_is_asked_once_more_after_a_short_pause() {
    let check = async |fault: FaultKind, asked: usize, within_ms: u64| {
        let only = Thinks::new("one", &[&[Fail(fault)], &[Say("Back."), Done]]);
        let router = thinking(&[&only], RouterConfig::default());
        let told = ask(&session(&router).think, 1).await;
        assert_eq!(only.asked(), asked, "{fault:?}");
        assert_eq!(told.text == "Back.", asked == 2, "{fault:?}");
        assert!(told.end_ms <= within_ms, "{fault:?}: {} ms", told.end_ms);
    };
    let limited = |s| RateLimited {
        retry_after: Some(Duration::from_secs(s)),
    };
    check(Overloaded, 2, 225).await;
    check(BrokenOff, 2, 225).await;
    check(limited(1), 2, 1_500).await;
    check(limited(2), 1, 0).await;
    check(Refused, 1, 0).await;
    check(FaultKind::Malformed, 1, 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_breaker_leaves_a_failing_provider_alone_and_tries_it_again() {
    let mut scripts = vec![vec![Fail(Overloaded)]; 5];
    scripts.push(vec![Say("One."), Done]);
    let scripts: Vec<&[_]> = scripts.iter().map(Vec::as_slice).collect();
    let (one, two) = (
        Thinks::new("one", &scripts),
        Thinks::new("two", &[&[Wait(1), Say("Two."), Done]]),
    );
    // The breaker's own clock is real time: a minute is not waited for here.
    let config = RouterConfig {
        breaker: BreakerConfig {
            failures: 5,
            open_for: Duration::from_millis(50),
        },
        ..RouterConfig::default()
    };
    let router = thinking(&[&one, &two], config);
    // Each call begins anew, so that nobody is preferred for having answered before.
    let mut nth = 0;
    while one.asked() < 5 {
        nth += 1;
        assert!(nth < 200, "never asked: {:?}", router.report());
        ask(&session(&router).think, nth).await;
    }
    let report = router.report();
    let of = |id: &str| report.iter().find(|each| each.id == id).unwrap().clone();
    assert_eq!(of("one/m").breaker, "open");
    assert_eq!((of("one/m").failed, of("two/m").failed), (5, 0));
    ask(&session(&router).think, 0).await;
    assert_eq!(one.asked(), 5, "left alone");
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(router.report()[1].breaker, "half_open");
}

#[tokio::test(start_paused = true)]
async fn a_second_provider_is_asked_where_the_first_is_slower_than_usual() {
    let usual: &[_] = &[Wait(200), Say("One."), Done];
    let mut scripts = vec![usual; 25];
    scripts.push(&[Stall]);
    let one = Thinks::new("one", &scripts);
    let two = Thinks::new("two", &[&[Wait(300), Say("Two."), Done]]);
    let router = thinking(&[&one, &two], RouterConfig::default());
    let routed = session(&router);
    let mut nth = 0;
    let told = loop {
        nth += 1;
        assert!(nth < 60);
        let before = (one.asked(), two.asked());
        let told = ask(&routed.think, nth).await;
        if one.asked() > before.0 && two.asked() > before.1 {
            break told;
        }
    };
    assert_eq!(told.text, "Two.");
    assert!(
        told.first_ms <= 530,
        "200 ms is usual, then 300: {}",
        told.first_ms
    );
    assert_eq!(
        one.dropped.load(std::sync::atomic::Ordering::Relaxed),
        one.asked(),
        "the slower one is stopped"
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_the_handle_stops_the_provider() {
    let one = Thinks::new("one", &[&[Say("Hello "), Stall]]);
    let router = thinking(&[&one], RouterConfig::default());
    let routed = session(&router);
    let (sender, mut events) = mpsc::channel(4);
    let handle = routed.think.start(think_request(1), sender);
    events.recv().await.unwrap();
    drop(handle);
    assert!(events.recv().await.is_none());
    tokio::task::yield_now().await;
    assert_eq!(one.dropped.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_judge_looks_at_a_sample_and_is_never_waited_for() {
    use antiphon_providers::route::{Judge, Prices, RouterBuilder};
    let one = Thinks::new("one", &[&[Say("Fine."), Done]]);
    let judge = Thinks::new("judge", &[&[Wait(5_000), Say("3"), Done]]);
    let (hear, _, speak) = crate::scripted::quiet();
    let router = RouterBuilder::new(Prices::embedded(), RouterConfig::default())
        .hear(hear, "")
        .think(one.clone())
        .speak(speak, "")
        .judge(Judge::new(judge.clone(), 3))
        .build()
        .unwrap();
    for nth in 1..=6 {
        let told = ask(&session(&router).think, nth).await;
        assert_eq!((told.text.as_str(), told.end_ms), ("Fine.", 0));
    }
    assert_eq!(judge.asked(), 2, "one in three");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let quality = router.report()[1].quality.unwrap();
    assert!((quality - 0.3).abs() < 1e-9, "{quality}");
}
