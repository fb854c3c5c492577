//! Finals, partials, cancelling and limits.

use antiphon_proto::UtteranceId;
use antiphon_providers::FaultKind;
use antiphon_providers::hear::ggml::Dimensions;
use antiphon_providers::hear::whisper::{AudioContext, UTTERANCE_S_MAX, Whisper, WhisperConfig};
use antiphon_providers::hear::{Hear, HearContext, HearEventKind};
use antiphon_testkit::WhisperModel;
use tokio::sync::mpsc;

use crate::support::{PATIENCE, TestCall, config, quiet, tone, whisper};

const WORDS: &[&str] = &[" What", " is", " a", " do", "main", " name", "?"];
const SAID: &str = "what is a domain name";

#[tokio::test]
async fn an_utterance_gets_one_final_with_times() {
    let (whisper, _home) = whisper(&WhisperModel::small(WORDS), quiet());
    assert_eq!(whisper.name(), "whisper");
    assert!(whisper.capabilities().word_times && !whisper.capabilities().multilingual);
    assert!(whisper.advice().is_none());
    let mut call = TestCall::open(&whisper);
    for utterance in 1..=3 {
        call.say(utterance, &tone(1_500));
        let (text, times) = call.final_of(utterance).await;
        assert_eq!(text, SAID);
        assert_eq!(times.len(), 5);
        assert!(
            times.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "{times:?}"
        );
        assert_eq!((times[0].0, times[4].1), (0, 1_000));
    }
    drop(call.stream);
    assert!(
        call.events.recv().await.is_none(),
        "nothing follows the finals"
    );
}

#[tokio::test]
async fn the_whole_context_and_long_utterances_give_the_same() {
    let full = WhisperConfig {
        audio_context: AudioContext::Full,
        ..quiet()
    };
    for (config, ms) in [
        (full, 700),
        (quiet(), 100),
        (quiet(), 8_000),
        (quiet(), 29_000),
    ] {
        let (whisper, _home) = whisper(&WhisperModel::small(WORDS).ending_at(ms), config);
        let mut call = TestCall::open(&whisper);
        call.say(1, &tone(ms as usize));
        assert_eq!(call.final_of(1).await.0, SAID, "{ms} ms");
    }
    // Longer than one pass of the encoder: heard in parts.
    let (whisper, _home) = whisper(&WhisperModel::small(WORDS).ending_at(29_980), quiet());
    let mut call = TestCall::open(&whisper);
    call.say(1, &tone(40_000));
    let (text, times) = call.final_of(1).await;
    assert_eq!(text, format!("{SAID} {SAID}"));
    assert!(
        times.last().unwrap().1 <= 40_000 && times[5].0 >= 29_000,
        "{times:?}"
    );
}

#[tokio::test]
async fn partials_come_while_the_person_speaks() {
    let (whisper, _home) = whisper(&WhisperModel::small(WORDS), config());
    let mut call = TestCall::open(&whisper);
    call.stream.begin(UtteranceId(1));
    call.stream.push(&tone(500));
    call.stream.push(&tone(500));
    let event = call.event().await;
    let text = SAID.to_owned();
    assert_eq!(event.kind, HearEventKind::Partial { text });
    call.stream.push(&tone(500));
    call.stream.finish();
    assert_eq!(call.final_of(1).await.0, SAID);
}

#[tokio::test]
async fn silence_and_no_speech_are_empty() {
    let (quiet_one, _home) = whisper(&WhisperModel::small(WORDS), quiet());
    let mut call = TestCall::open(&quiet_one);
    call.say(1, &[0; 32_000]);
    assert_eq!(call.final_of(1).await.0, "");
    call.say(2, &[]);
    assert_eq!(call.final_of(2).await.0, "");
    assert_eq!(quiet_one.decoders_made(), 0, "silence is not decoded");

    let model = WhisperModel::small(&[" Thank", " you", "."]).without_speech();
    let (invents, _home) = whisper(&model, quiet());
    let mut call = TestCall::open(&invents);
    call.say(1, &tone(1_500));
    assert_eq!(call.final_of(1).await.0, "");
    assert_eq!(invents.decoders_made(), 1);
}

/// A model that works for a while: a hundred tokens, so that there is something to stop.
fn talkative() -> WhisperModel {
    let words: Vec<String> = (0..100).map(|n| format!(" w{n}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    WhisperModel::new(Dimensions::english(128, 2, 1), &words)
}

/// Waits until the first decoder is at work.
async fn begun(whisper: &Whisper) {
    let begun = async {
        while whisper.decoders_made() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.unwrap();
}

#[tokio::test]
async fn a_partial_is_given_up_for_a_final() {
    let (whisper, _home) = whisper(&talkative(), config());
    let mut speaking = TestCall::open(&whisper);
    speaking.stream.begin(UtteranceId(1));
    speaking.stream.push(&tone(29_000));
    begun(&whisper).await;
    let mut done = TestCall::open(&whisper);
    done.say(1, &tone(1_000));
    assert!(done.final_of(1).await.0.starts_with("w zero"));
    assert!(
        speaking.events.try_recv().is_err(),
        "the partial went before the final"
    );
    speaking.stream.finish();
    assert!(speaking.final_of(1).await.0.starts_with("w zero"));
}

#[tokio::test]
async fn a_cancelled_utterance_is_silent_and_frees_its_decoder() {
    let (whisper, _home) = whisper(&talkative(), quiet());
    let mut call = TestCall::open(&whisper);
    call.say(1, &tone(29_000));
    begun(&whisper).await;
    call.stream.cancel();
    call.stream.begin(UtteranceId(2));
    call.stream.push(&tone(1_000));
    call.stream.cancel();
    call.say(3, &tone(1_000));
    // Events of 1 or 2 would fail this.
    assert!(call.final_of(3).await.0.starts_with("w zero"));
    // A call that ends stops its work, too.
    call.say(4, &tone(29_000));
    drop(call.stream);
    assert!(call.events.recv().await.is_none());
}

#[tokio::test]
async fn many_calls_share_few_decoders() {
    let config = WhisperConfig {
        decoders_max: Some(2),
        ..config()
    };
    let (whisper, _home) = whisper(&WhisperModel::small(WORDS), config);
    let mut calls: Vec<TestCall> = (0..12).map(|_| TestCall::open(&whisper)).collect();
    for call in &mut calls {
        call.say(1, &tone(1_200));
    }
    for call in &mut calls {
        assert_eq!(call.final_of(1).await.0, SAID);
    }
    let made = whisper.decoders_made();
    assert!((1..=2).contains(&made), "{made}");
}

#[tokio::test]
async fn an_utterance_without_end_fails() {
    let (whisper, _home) = whisper(&WhisperModel::small(WORDS), quiet());
    let mut call = TestCall::open(&whisper);
    call.stream.begin(UtteranceId(1));
    let second = tone(1_000);
    for _ in 0..=UTTERANCE_S_MAX {
        call.stream.push(&second);
    }
    let HearEventKind::Failed { fault } = call.event().await.kind else {
        panic!("it did not fail");
    };
    assert_eq!(fault.kind, FaultKind::Internal);
    call.stream.finish();
    call.say(2, &tone(1_000));
    assert_eq!(call.final_of(2).await.0, SAID);
}

#[tokio::test]
async fn a_final_waits_for_a_full_channel() {
    let (whisper, _home) = whisper(&WhisperModel::small(WORDS), quiet());
    let (sender, mut events) = mpsc::channel(1);
    let mut stream = whisper.open(HearContext::default(), sender);
    for utterance in 1..=3 {
        stream.begin(UtteranceId(utterance));
        stream.push(&tone(1_000));
        stream.finish();
    }
    for utterance in 1..=3 {
        let event = tokio::time::timeout(PATIENCE, events.recv())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(event.utterance, UtteranceId(utterance));
    }
}

/// What is known of the agent goes to the model before the words, and does not come out with them.
#[tokio::test]
async fn phrases_are_a_hint_and_no_words() {
    let (whisper, _home) = whisper(&WhisperModel::small(&[]), quiet());
    let (sender, mut events) = mpsc::channel(8);
    let context = HearContext {
        phrases: std::sync::Arc::new(vec!["Cal Newport".to_owned()]),
        ..HearContext::default()
    };
    let mut stream = whisper.open(context, sender);
    stream.begin(UtteranceId(1));
    stream.push(&tone(1_000));
    stream.finish();
    let event = tokio::time::timeout(PATIENCE, events.recv())
        .await
        .unwrap()
        .unwrap();
    let HearEventKind::Final { text, .. } = event.kind else {
        panic!("{event:?}");
    };
    assert!(!text.contains("newport"), "{text}");
}
