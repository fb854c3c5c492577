//! Every vendor's parser against anything that a server may say.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Made, Saying, Talk, Vendor};
use crate::FaultKind;
use crate::net::{Account, Incoming, Secret};
use crate::speak::{cartesia, deepgram_aura, elevenlabs};

fn talks() -> Vec<Talk> {
    let account = || Account::new("http://x", Secret::new("k"), "m");
    let saying = Saying {
        text: "one two".to_owned(),
        voice: "v".to_owned(),
        pace: 1.0,
    };
    let vendors: [Box<dyn Vendor>; 3] = [
        elevenlabs::vendor(account()),
        cartesia::vendor(account()),
        deepgram_aura::vendor(account()),
    ];
    vendors.iter().map(|vendor| vendor.talk(&saying)).collect()
}

fn samples() -> Vec<Value> {
    vec![
        json!({"audio": "AAAA", "isFinal": null, "alignment": {"chars": ["a", "b"],
            "charStartTimesMs": [0, 10], "charDurationsMs": [10, 10]}}),
        json!({"isFinal": true}),
        json!({"message": "x", "error": "quota_exceeded", "code": 1008}),
        json!({"type": "chunk", "data": "AAAA", "context_id": "s0", "done": false}),
        json!({"type": "timestamps", "context_id": "s0",
            "word_timestamps": {"words": ["one"], "start": [0.1], "end": [0.2]}}),
        json!({"type": "done", "context_id": "s0"}),
        json!({"type": "error", "status_code": 500, "context_id": "s0"}),
        json!({"type": "Flushed", "sequence_id": 0}),
        json!({"type": "Warning", "code": "x", "description": "y"}),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::collection::vec(any::<f64>(), 0..4).prop_map(Value::from),
        prop::collection::vec("\\PC{0,3}", 0..4).prop_map(Value::from),
    ]
}

fn any_message() -> impl Strategy<Value = Incoming> {
    let sample = prop::sample::select(samples());
    let spoilt = (sample, 0_usize..8, any_value()).prop_map(|(mut sample, at, by)| {
        let mut values: Vec<&mut Value> = Vec::new();
        for value in sample.as_object_mut().unwrap().values_mut() {
            if value.is_object() {
                values.extend(value.as_object_mut().unwrap().values_mut());
            } else {
                values.push(value);
            }
        }
        if let Some(value) = values.into_iter().nth(at) {
            *value = by;
        }
        Incoming::Text(sample.to_string().into())
    });
    prop_oneof![
        8 => spoilt,
        1 => any_value().prop_map(|value| Incoming::Text(value.to_string().into())),
        1 => "\\PC{0,40}".prop_map(|text| Incoming::Text(text.into())),
        1 => prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| Incoming::Binary(bytes.into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is said: no panic, faults of known kinds, and marks that keep to their rules.
    #[test]
    fn nothing_that_a_server_says_is_fatal(
        messages in prop::collection::vec(any_message(), 1..20)
    ) {
        for mut talk in talks() {
            let form = crate::speak::spoken_form::SpokenForm::plain("one two");
            let mut shaper = super::shaper::Shaper::new(form, 24_000, 220.0, true);
            for message in &messages {
                match talk.protocol.receive(message) {
                    Ok(made) => made.into_iter().for_each(|made| shaper.take(made)),
                    Err(fault) => prop_assert_ne!(fault.kind, FaultKind::Internal),
                }
            }
            shaper.take(Made::Done);
            let mut out = std::collections::VecDeque::new();
            while shaper.ready() != super::shaper::Ready::Over {
                shaper.pop(&mut out);
            }
            shaper.pop(&mut out);
            let marks: Vec<_> = out
                .into_iter()
                .filter_map(|event| match event {
                    crate::speak::SpeakEventKind::Marks { marks } => Some(marks),
                    crate::speak::SpeakEventKind::Audio { .. }
                    | crate::speak::SpeakEventKind::Done
                    | crate::speak::SpeakEventKind::Failed { .. } => None,
                })
                .flatten()
                .collect();
            prop_assert!(marks.windows(2).all(|two| {
                two[0].end_ms <= two[1].end_ms && two[0].text_end < two[1].text_end
            }), "{:?}", marks);
            prop_assert_eq!(marks.last().map(|mark| mark.text_end), Some(7));
        }
    }
}
