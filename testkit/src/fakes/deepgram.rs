//! Deepgram's live recognizer.

use std::time::Duration;

use serde_json::{Value, json};

use super::listener::{RATE_HZ, Word, samples, text, understand};
use super::ws::{Peer, Received, Say, Upgrade};

/// An interim result comes this often, seconds of audio.
const INTERIM_S: f64 = 0.2;
/// Audio beyond this is made final without being asked, seconds.
const FINAL_S: f64 = 2.0;

/// One connection.
#[derive(Default)]
pub struct Deepgram {
    pcm: Vec<i16>,
    /// Seconds whose words are final.
    final_s: f64,
    told_s: f64,
    /// Finalize is answered that much later.
    slow: Duration,
    /// Finalize is not answered where nothing is left.
    is_terse: bool,
}

impl Deepgram {
    /// As Deepgram does it.
    pub fn peer(_upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self::default())
    }

    /// Says nothing to a Finalize that has nothing left to make final.
    pub fn terse(_upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self {
            is_terse: true,
            ..Self::default()
        })
    }

    fn sent_s(&self) -> f64 {
        self.pcm.len() as f64 / RATE_HZ as f64
    }

    fn results(&self, to_s: f64, is_final: bool, from_finalize: bool) -> Say {
        let words: Vec<Word> = understand(&self.pcm, RATE_HZ)
            .into_iter()
            .filter(|word| word.end_s > self.final_s + 0.01 && word.start_s < to_s)
            .collect();
        let timed: Vec<Value> = words
            .iter()
            .map(|word| {
                json!({"word": word.text, "start": word.start_s, "end": word.end_s,
                    "confidence": 0.98})
            })
            .collect();
        let mut message = json!({
            "type": "Results",
            "channel_index": [0, 1],
            "duration": to_s - self.final_s,
            "start": self.final_s,
            "is_final": is_final,
            "speech_final": is_final,
            "channel": {"alternatives": [
                {"transcript": text(&words), "confidence": 0.98, "words": timed},
            ]},
            "metadata": {"request_id": "r-1", "model_uuid": "m-1",
                "model_info": {"name": "nova-3", "version": "1", "arch": "nova-3"}},
        });
        if is_final {
            message["from_finalize"] = json!(from_finalize);
        }
        Say::json(&message)
    }

    fn take_audio(&mut self, bytes: &[u8]) -> Vec<Say> {
        self.pcm.extend(samples(bytes));
        let now_s = self.sent_s();
        if now_s - self.final_s >= FINAL_S {
            // Ends between words, as the service does.
            let words = understand(&self.pcm, RATE_HZ);
            let whole = words.iter().rev().find(|word| word.end_s < now_s);
            if let Some(to_s) = whole
                .map(|word| word.end_s)
                .filter(|to_s| *to_s > self.final_s)
            {
                let say = self.results(to_s, true, false);
                self.final_s = to_s;
                self.told_s = now_s;
                return vec![say];
            }
        }
        if now_s - self.told_s < INTERIM_S {
            return Vec::new();
        }
        self.told_s = now_s;
        vec![self.results(now_s, false, false)]
    }

    fn finalize(&mut self) -> Vec<Say> {
        let now_s = self.sent_s();
        if self.is_terse && now_s - self.final_s < 0.1 {
            return Vec::new();
        }
        let say = self.results(now_s, true, true);
        self.final_s = now_s;
        self.told_s = now_s;
        vec![Say::Wait(self.slow), say]
    }
}

impl Peer for Deepgram {
    fn opened(&mut self) -> Vec<Say> {
        Vec::new()
    }

    fn take(&mut self, message: &Received) -> Vec<Say> {
        let bytes = match message {
            Received::Binary(bytes) => return self.take_audio(bytes),
            Received::Ping => return Vec::new(),
            Received::Text(text) => text,
        };
        match message.json()["type"].as_str() {
            Some("Finalize") => self.finalize(),
            Some("KeepAlive") => Vec::new(),
            Some("CloseStream") => {
                let mut says = self.finalize();
                says.push(Say::json(&json!({
                    "type": "Metadata", "transaction_key": "deprecated", "request_id": "r-1",
                    "sha256": "0", "created": "2026-01-01T00:00:00Z",
                    "duration": self.sent_s(), "channels": 1,
                })));
                says.push(Say::Close(1_000));
                says
            }
            _ => vec![Say::json(&json!({
                "type": "Error", "variant": "SchemaError",
                "description": "could not be parsed", "message": bytes,
            }))],
        }
    }
}
