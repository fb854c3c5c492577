//! Deepgram Aura's voices.

use serde_json::json;

use super::talker::{RATE_HZ, messages};
use super::ws::{Peer, Received, Say, Upgrade};

/// Flushes that one connection takes (in a minute; no test lasts so long).
pub const FLUSHES_MAX: usize = 20;

/// One connection.
#[derive(Default)]
pub struct Aura {
    text: String,
    flushes: usize,
    is_good: bool,
}

impl Aura {
    /// As Deepgram does it.
    pub fn peer(upgrade: &Upgrade) -> Box<dyn Peer> {
        let is = |name: &str, value: &str| upgrade.query(name) == [value];
        Box::new(Self {
            is_good: is("encoding", "linear16") && is("sample_rate", &RATE_HZ.to_string()),
            ..Self::default()
        })
    }

    fn flush(&mut self) -> Vec<Say> {
        self.flushes += 1;
        if self.flushes > FLUSHES_MAX {
            return vec![Say::json(&json!({"type": "Warning",
                "description": "the words of a call, or a key",
                "code": "EXCESSIVE_FLUSH_LIMIT"}))];
        }
        let mut says: Vec<Say> = messages(&self.text).into_iter().map(Say::Binary).collect();
        self.text.clear();
        says.push(Say::json(
            &json!({"type": "Flushed", "sequence_id": self.flushes - 1}),
        ));
        says
    }
}

impl Peer for Aura {
    fn opened(&mut self) -> Vec<Say> {
        vec![Say::json(
            &json!({"type": "Metadata", "request_id": "r-1", "model_name": "aura-2",
            "model_version": "1", "model_uuid": "m-1", "additional_model_uuids": []}),
        )]
    }

    fn take(&mut self, message: &Received) -> Vec<Say> {
        if *message == Received::Ping {
            return Vec::new();
        }
        let event = message.json();
        match event["type"].as_str() {
            Some("Speak") if self.is_good => {
                self.text
                    .push_str(event["text"].as_str().unwrap_or_default());
                Vec::new()
            }
            Some("Flush") => self.flush(),
            Some("Clear") => {
                self.text.clear();
                vec![
                    Say::Forget,
                    Say::json(&json!({"type": "Cleared", "sequence_id": 0})),
                ]
            }
            Some("Close") => vec![Say::Close(1_000)],
            _ => vec![
                Say::json(&json!({"type": "Error", "err_code": "DATA-0000",
                    "err_msg": "the words of a call, or a key"})),
                Say::Close(1_008),
            ],
        }
    }
}
