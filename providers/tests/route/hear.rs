//! Transcripts: another recognizer hears the utterance from its beginning.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use antiphon_proto::UtteranceId;
use antiphon_providers::FaultKind::{BrokenOff, Overloaded};
use antiphon_providers::hear::{HearContext, HearEvent, HearEventKind, HearStream};
use antiphon_providers::route::Router;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::scripted::{Call, Fail, Hears, Say, Stall, Wait, agent, hearing};

fn open(router: &Arc<Router>) -> (Box<dyn HearStream>, mpsc::Receiver<HearEvent>) {
    let (sender, events) = mpsc::channel(8);
    let routed = router.session(&agent());
    (routed.hear.open(HearContext::default(), sender), events)
}

async fn utter(stream: &mut Box<dyn HearStream>, utterance: u32) {
    stream.begin(UtteranceId(utterance));
    for _ in 0..50 {
        stream.push(&[500; 320]);
        tokio::task::yield_now().await;
    }
    stream.finish();
}

async fn answer(events: &mut mpsc::Receiver<HearEvent>) -> HearEvent {
    loop {
        let event = timeout(Duration::from_secs(60), events.recv()).await;
        let event = event.unwrap().unwrap();
        if !matches!(event.kind, HearEventKind::Partial { .. }) {
            return event;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_one_hears_the_utterance_from_its_beginning() {
    let check = async |first: &[crate::scripted::Do], within_ms: u128| {
        let one = Hears::new("one", &[first]);
        let two = Hears::new("two", &[&[Wait(100), Say("hello there")]]);
        let (mut stream, mut events) = open(&hearing(&[&one, &two]));
        let began = Instant::now();
        utter(&mut stream, 7).await;
        let event = answer(&mut events).await;
        assert_eq!(event.utterance, UtteranceId(7));
        let HearEventKind::Final { text, .. } = event.kind else {
            panic!("{first:?}: {:?}", event.kind);
        };
        assert_eq!(text, "hello there");
        assert!(
            began.elapsed().as_millis() <= within_ms,
            "{:?}",
            began.elapsed()
        );
        assert_eq!(two.samples.load(Ordering::Relaxed), 50 * 320, "all of it");
    };
    check(&[Fail(Overloaded)], 100).await;
    check(&[Call, Wait(10), Fail(BrokenOff)], 110).await;
    check(&[Stall], 1_600).await;
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_left_the_last_partial_is_better_than_nothing() {
    let check = async |script: &[crate::scripted::Do], wanted: Option<&str>| {
        let one = Hears::new("one", &[script]);
        let (mut stream, mut events) = open(&hearing(&[&one]));
        utter(&mut stream, 1).await;
        match (answer(&mut events).await.kind, wanted) {
            (HearEventKind::Final { text, .. }, Some(wanted)) => assert_eq!(text, wanted),
            (HearEventKind::Failed { fault }, None) => assert_eq!(fault.kind, BrokenOff),
            (other, _) => panic!("{other:?}"),
        }
    };
    check(&[Call, Fail(BrokenOff)], Some("so far")).await;
    check(&[Fail(BrokenOff)], None).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_of_the_first_is_not_heard_twice() {
    let one = Hears::new("one", &[&[Wait(1_550), Say("late")]]);
    let two = Hears::new("two", &[&[Wait(200), Say("in time")]]);
    let (mut stream, mut events) = open(&hearing(&[&one, &two]));
    utter(&mut stream, 1).await;
    let first = answer(&mut events).await;
    assert!(matches!(first.kind, HearEventKind::Final { text, .. } if text == "in time"));
    let more = timeout(Duration::from_secs(5), events.recv()).await;
    assert!(more.is_err(), "exactly one final: {more:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_utterance_is_never_answered() {
    let one = Hears::new("one", &[&[Wait(100), Say("unwanted")]]);
    let (mut stream, mut events) = open(&hearing(&[&one]));
    utter(&mut stream, 1).await;
    stream.cancel();
    let more = timeout(Duration::from_secs(5), events.recv()).await;
    assert!(more.is_err(), "{more:?}");
    utter(&mut stream, 2).await;
    assert_eq!(answer(&mut events).await.utterance, UtteranceId(2));
}
