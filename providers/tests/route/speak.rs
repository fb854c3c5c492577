//! Sentences: another voice goes on at the word where the first one stopped.

use std::sync::Arc;
use std::time::Duration;

use antiphon_providers::FaultKind::{BrokenOff, Refused};
use antiphon_providers::route::Router;
use antiphon_providers::speak::{SpeakEventKind, WordMark};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::scripted::{
    Done, Fail, Say, Speaks, Stall, Wait, agent, marks_of, speak_request, speaking,
};

const TEXT: &str = "one two three four five";

#[derive(Default)]
struct Spoken {
    marks: Vec<WordMark>,
    samples: usize,
    first_ms: Option<u128>,
    done: bool,
}

async fn speak(router: &Arc<Router>, text: &str) -> Spoken {
    let routed = router.session(&agent());
    let (sender, mut events) = mpsc::channel(4);
    let began = Instant::now();
    let _handle = routed.speak.start(speak_request(text), sender);
    let mut spoken = Spoken::default();
    while let Some(event) = timeout(Duration::from_secs(60), events.recv())
        .await
        .unwrap()
    {
        match event.kind {
            SpeakEventKind::Marks { marks } => spoken.marks.extend(marks),
            SpeakEventKind::Audio { pcm } => {
                spoken.samples += pcm.len();
                spoken.first_ms.get_or_insert(began.elapsed().as_millis());
            }
            SpeakEventKind::Done => spoken.done = true,
            SpeakEventKind::Failed { .. } => {}
        }
    }
    spoken
}

#[tokio::test(start_paused = true)]
async fn another_voice_goes_on_at_the_word() {
    let check = async |first: &[crate::scripted::Do], rest: &str, within_ms: u128| {
        let one = Speaks::new("one", 16_000, &[first]);
        let two = Speaks::new("two", 16_000, &[&[Wait(20), Say(""), Done]]);
        let spoken = speak(&speaking(&[&one, &two]), TEXT).await;
        assert!(spoken.done, "{first:?}");
        assert_eq!(two.texts.lock().unwrap()[0], rest, "{first:?}");
        assert_eq!(spoken.marks, marks_of(TEXT), "each word once, in order");
        assert_eq!(spoken.samples, 5 * 1_600, "{first:?}");
        assert!(
            spoken.first_ms.unwrap() <= within_ms,
            "{:?}",
            spoken.first_ms
        );
    };
    check(&[Fail(Refused)], TEXT, 20).await;
    check(&[], TEXT, 20).await;
    check(&[Stall], TEXT, 1_020).await;
    check(&[Say("2"), Fail(BrokenOff)], " three four five", 0).await;
    check(&[Say("2"), Stall], " three four five", 0).await;
    check(&[Say("4"), Wait(100), Fail(BrokenOff)], " five", 0).await;
}

#[tokio::test(start_paused = true)]
async fn voices_of_other_rates_sound_at_one() {
    let one = Speaks::new("one", 24_000, &[&[Say("2"), Fail(BrokenOff)]]);
    let two = Speaks::new("two", 16_000, &[&[Say(""), Done]]);
    let router = speaking(&[&one, &two]);
    assert_eq!(router.session(&agent()).speak.rate_hz("rms"), Ok(24_000));
    let spoken = speak(&router, TEXT).await;
    let wanted = 5 * 2_400;
    assert!(
        spoken.samples.abs_diff(wanted) < 240,
        "{} samples",
        spoken.samples
    );
    assert_eq!(spoken.marks, marks_of(TEXT));
}

#[tokio::test(start_paused = true)]
async fn nobody_left_is_a_fault_and_what_was_made_stands() {
    let one = Speaks::new("one", 16_000, &[&[Say("2"), Fail(BrokenOff)]]);
    let spoken = speak(&speaking(&[&one]), TEXT).await;
    assert!(!spoken.done);
    assert_eq!(spoken.marks, marks_of(TEXT)[..2]);
    assert_eq!(spoken.samples, 2 * 1_600);
}

#[tokio::test(start_paused = true)]
async fn a_standing_sentence_is_there_when_its_voice_is_not() {
    let apology = agent().apology.clone();
    let one = Speaks::remote("one", 16_000, &[&[Say(""), Done], &[Stall]]);
    let two = Speaks::new("two", 16_000, &[&[Say(""), Done]]);
    let router = speaking(&[&one, &two]);
    let first = speak(&router, &apology).await;
    let again = speak(&router, &apology).await;
    assert!(
        again.done && again.first_ms == Some(0),
        "{:?}",
        again.first_ms
    );
    assert_eq!((again.samples, &again.marks), (first.samples, &first.marks));
    assert_eq!(one.texts.lock().unwrap().len(), 1, "asked once");
    assert!(two.texts.lock().unwrap().is_empty());
    speak(&router, TEXT).await;
    assert_eq!(
        two.texts.lock().unwrap().len(),
        1,
        "others are made each time"
    );
}

#[tokio::test(start_paused = true)]
async fn where_all_remote_voices_hang_the_one_here_speaks_in_time() {
    let hangs = |name| Speaks::remote(name, 16_000, &[&[Stall]]);
    let here = Speaks::new("here", 16_000, &[&[Wait(20), Say(""), Done]]);
    let router = speaking(&[&hangs("one"), &hangs("two"), &hangs("three"), &here]);
    let spoken = speak(&router, TEXT).await;
    assert!(spoken.done);
    assert!(spoken.first_ms.unwrap() <= 1_500, "{:?}", spoken.first_ms);
}
