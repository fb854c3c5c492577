//! One call on every adapter: captions, history and timeline are right.

use std::any::Any;

use antiphon_testkit::fakes::llm::LlmVendor;
use tokio::task::JoinSet;

use crate::builders::{HEAR, SPEAK, THINK, Wrong, hear, speak, think};
use crate::support::{Providers, Turn, call};

/// One call on these providers that must go well.
async fn check(name: String, providers: Providers, _keep: Vec<Box<dyn Any + Send + Sync>>) -> Turn {
    let thinks = &providers.think[0];
    let provider = format!("{}/{}", thinks.name(), thinks.model());
    let call = call(&providers.router()).await;
    let turn = call.say().await;
    turn.assert_whole(&name);
    assert!(turn.changes().is_empty(), "{name}: {:?}", turn.changes());
    let timeline = turn
        .timeline()
        .unwrap_or_else(|| panic!("{name}: no timeline"));
    let chosen = timeline.provider.as_deref();
    assert_eq!(chosen, Some(provider.trim_end_matches('/')), "{name}");
    let steps = [
        timeline.endpointing_ms,
        timeline.first_token_ms,
        timeline.first_audio_made_ms,
        timeline.first_audio_sent_ms,
    ];
    assert!(steps.iter().all(Option::is_some), "{name}: {timeline:?}");
    assert!(
        timeline.first_token_ms <= timeline.first_audio_made_ms,
        "{name}: {timeline:?}"
    );
    assert!(
        timeline.first_audio_made_ms <= timeline.first_audio_sent_ms,
        "{name}: {timeline:?}"
    );
    turn
}

async fn all(mut running: JoinSet<Turn>) {
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recognizer_hears_a_call() {
    let mut running = JoinSet::new();
    for (nth, (name, _, _)) in HEAR.iter().enumerate() {
        running.spawn(async move {
            let built = hear(nth, Wrong::Nothing, |_| true).await;
            let mut providers = Providers::scripted();
            providers.hear = vec![built.provider];
            check(format!("hear {name}"), providers, vec![built.keep]).await
        });
    }
    all(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_responder_answers_a_call() {
    let mut running = JoinSet::new();
    for (nth, adapter) in THINK.iter().enumerate() {
        running.spawn(async move {
            let built = think(nth, Wrong::Nothing).await;
            let mut providers = Providers::scripted();
            providers.think = vec![built.provider];
            check(format!("think {adapter:?}"), providers, vec![built.keep]).await
        });
    }
    all(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_voice_speaks_in_a_call() {
    let mut running = JoinSet::new();
    for (nth, (name, _, _)) in SPEAK.iter().enumerate() {
        running.spawn(async move {
            let built = speak(nth, Wrong::Nothing, |_| true).await;
            let mut providers = Providers::scripted();
            providers.speak = vec![built.provider];
            check(format!("speak {name}"), providers, vec![built.keep]).await
        });
    }
    all(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_stages_are_remote_at_once() {
    let mut running = JoinSet::new();
    for (nth, (listener, _, _)) in HEAR.iter().enumerate() {
        running.spawn(async move {
            let responder = THINK
                .iter()
                .position(|(_, vendor, _)| *vendor == LlmVendor::ALL[nth])
                .unwrap();
            let heard = hear(nth, Wrong::Nothing, |_| true).await;
            let thought = think(responder, Wrong::Nothing).await;
            let spoken = speak(nth, Wrong::Nothing, |_| true).await;
            let providers = Providers {
                hear: vec![heard.provider],
                think: vec![thought.provider],
                speak: vec![spoken.provider],
                ..Providers::scripted()
            };
            let name = format!("{listener} {} {}", THINK[responder].0, SPEAK[nth].0);
            check(name, providers, vec![heard.keep, thought.keep, spoken.keep]).await
        });
    }
    all(running).await;
}
