//! Every vendor's parser against anything that a server may say.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{HearLimits, Heard, Protocol, RemoteHear, key_terms};
use crate::FaultKind;
use crate::hear::known::KNOWN_HEAR;
use crate::hear::{HEAR_RATE_HZ, HearContext};
use crate::net::{Account, Incoming, Secret};

fn protocols() -> Vec<(&'static str, Box<dyn Protocol>)> {
    let built = KNOWN_HEAR.iter().map(|known| {
        let account = Account::new("http://x", Secret::new("k"), known.vars.model);
        let hear: RemoteHear = known.build(account, HearLimits::default()).unwrap();
        (known.name, hear.vendor.protocol(&HearContext::default()))
    });
    built.collect()
}

/// Good messages of all four, to be spoilt.
fn samples() -> Vec<Value> {
    let item = "conversation.item.input_audio_transcription";
    vec![
        json!({"type": "Results", "is_final": true, "from_finalize": true, "start": 0.0,
            "duration": 1.0, "channel": {"alternatives": [{"transcript": "a", "confidence": 1.0,
            "words": [{"word": "a", "start": 0.1, "end": 0.2, "confidence": 1.0}]}]}}),
        json!({"type": "Begin", "id": "x", "expires_at": 1}),
        json!({"type": "Turn", "turn_order": 0, "end_of_turn": true, "transcript": "a",
            "words": [{"text": "a", "start": 100, "end": 200, "word_is_final": true}]}),
        json!({"type": "Error", "error_code": 4001, "error": "x"}),
        json!({"type": "session.updated", "session": {}}),
        json!({"type": "input_audio_buffer.committed", "item_id": "i"}),
        json!({"type": format!("{item}.delta"), "item_id": "i", "delta": "a"}),
        json!({"type": format!("{item}.completed"), "item_id": "i", "transcript": "a"}),
        json!({"type": format!("{item}.failed"), "item_id": "i", "error": {"code": "x"}}),
        json!({"type": "error", "error": {"type": "server_error", "code": "x"}}),
        json!({"message_type": "session_started", "session_id": "s"}),
        json!({"message_type": "partial_transcript", "text": "a"}),
        json!({"message_type": "committed_transcript_with_timestamps", "text": "a b",
            "words": [{"text": "a", "start": 0.1, "end": 0.2, "type": "word"}]}),
        json!({"message_type": "quota_exceeded", "error": "x"}),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(1e300)),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The sample with one value somewhere in it replaced.
fn spoilt(mut sample: Value, mut at: usize, by: Value) -> Value {
    fn spoil(value: &mut Value, at: &mut usize, by: &mut Option<Value>) {
        if *at == 0 {
            if let Some(by) = by.take() {
                *value = by;
            }
            return;
        }
        *at -= 1;
        match value {
            Value::Array(all) => all.iter_mut().for_each(|one| spoil(one, at, by)),
            Value::Object(all) => all.values_mut().for_each(|one| spoil(one, at, by)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    spoil(&mut sample, &mut at, &mut Some(by));
    sample
}

fn any_message() -> impl Strategy<Value = Incoming> {
    let sample = prop::sample::select(samples());
    prop_oneof![
        3 => sample.clone().prop_map(|value| text(&value)),
        6 => (sample, 0_usize..24, any_json()).prop_map(|(sample, at, by)| {
            text(&spoilt(sample, at, by))
        }),
        1 => any_json().prop_map(|value| text(&value)),
        1 => "\\PC{0,40}".prop_map(|text| Incoming::Text(text.into())),
        1 => prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| Incoming::Binary(bytes.into())),
    ]
}

fn text(value: &Value) -> Incoming {
    Incoming::Text(value.to_string().into())
}

#[derive(Clone, Debug)]
enum Act {
    Begin,
    Audio(usize),
    Finish,
    Cancel,
    KeepAlive,
    Hear(Incoming),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => Just(Act::Begin),
        2 => (0_usize..9_000).prop_map(Act::Audio),
        1 => Just(Act::Finish),
        1 => Just(Act::Cancel),
        1 => Just(Act::KeepAlive),
        8 => any_message().prop_map(Act::Hear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is said, whenever: no panic, and faults of known kinds that do not repeat it.
    #[test]
    fn nothing_that_a_server_says_is_fatal(acts in prop::collection::vec(any_act(), 1..30)) {
        for (name, mut protocol) in protocols() {
            let (mut out, mut heard) = (Vec::new(), Vec::new());
            protocol.open(&mut out);
            for act in &acts {
                match act {
                    Act::Begin => protocol.begin(),
                    Act::Audio(samples) => protocol.audio(&vec![100; *samples], &mut out),
                    Act::Finish => protocol.finish(&mut out),
                    Act::Cancel => protocol.cancel(&mut out),
                    Act::KeepAlive => protocol.keep_alive(&mut out),
                    Act::Hear(message) => {
                        if let Err(fault) = protocol.receive(message, &mut heard) {
                            prop_assert_ne!(fault.kind, FaultKind::Internal, "{}", name);
                        }
                    }
                }
            }
            for heard in heard {
                if let Heard::Partial(words) | Heard::Final(words) = heard {
                    let transcript = super::transcript::Transcript::new(&words);
                    let ends = transcript.words.iter().map(|word| word.text_end);
                    prop_assert!(ends.clone().all(|end| transcript.text.is_char_boundary(end)));
                    prop_assert!(transcript.words.windows(2).all(|two| {
                        two[0].end_ms <= two[1].start_ms && two[0].text_end < two[1].text_end
                    }), "{}: {:?}", name, transcript);
                }
            }
        }
    }
}

#[test]
fn words_of_the_utterance_before_are_left_out() {
    let (_, mut protocol) = protocols().remove(0);
    let (mut out, mut heard) = (Vec::new(), Vec::new());
    let second = HEAR_RATE_HZ as usize;
    for _ in 0..2 {
        protocol.begin();
        protocol.audio(&vec![0; second], &mut out);
        protocol.finish(&mut out);
    }
    let word = |word: &str, start: f64| json!({"word": word, "start": start, "end": start + 0.2});
    let results = json!({"type": "Results", "is_final": true, "from_finalize": true,
        "start": 0.5, "duration": 1.5, "channel": {"alternatives": [
            {"words": [word("old", 0.7), word("new", 1.3)]}]}});
    protocol.receive(&text(&results), &mut heard).unwrap();
    let expected = super::RawWord::timed("new", 1.3 - 1.0, 1.5 - 1.0);
    let [Heard::Final(words)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    let shown = super::transcript::Transcript::new(words);
    assert_eq!(shown, super::transcript::Transcript::new(&[expected]));
}

#[test]
fn key_terms_are_short_and_few() {
    let phrases = [
        "Antiphon",
        "antiphon",
        " ",
        "what is the price of a ticket",
        "Kevin O'Leary",
    ];
    let context = HearContext {
        phrases: Arc::new(phrases.map(str::to_owned).to_vec()),
        ..HearContext::default()
    };
    assert_eq!(key_terms(&context, 10, 40), ["Antiphon", "Kevin O'Leary"]);
    assert_eq!(key_terms(&context, 1, 40), ["Antiphon"]);
    assert_eq!(key_terms(&context, 10, 8), ["Antiphon"]);
}
