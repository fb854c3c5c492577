//! AssemblyAI's Universal-Streaming recognizer.

use serde_json::{Value, json};

use super::listener::{RATE_HZ, Word, samples, text, understand};
use super::ws::{Peer, Received, Say, Upgrade};

/// A turn is told again this often, seconds of audio.
const PARTIAL_S: f64 = 0.2;

/// One connection.
#[derive(Default)]
pub struct AssemblyAi {
    pcm: Vec<i16>,
    turn: u64,
    turn_from_s: f64,
    told_s: f64,
}

impl AssemblyAi {
    /// As AssemblyAI does it.
    pub fn peer(_upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self::default())
    }

    fn sent_s(&self) -> f64 {
        self.pcm.len() as f64 / RATE_HZ as f64
    }

    /// The turn under way; nothing where nobody spoke.
    fn turn(&mut self, is_end: bool) -> Vec<Say> {
        self.told_s = self.sent_s();
        let words: Vec<Word> = understand(&self.pcm, RATE_HZ)
            .into_iter()
            .filter(|word| word.end_s > self.turn_from_s + 0.01)
            .collect();
        if words.is_empty() {
            return Vec::new();
        }
        let ms = |s: f64| (s * 1_000.0).round() as i64;
        let timed: Vec<Value> = words
            .iter()
            .map(|word| {
                json!({"start": ms(word.start_s), "end": ms(word.end_s), "confidence": 0.97,
                    "text": word.text, "word_is_final": is_end})
            })
            .collect();
        let say = Say::json(&json!({
            "type": "Turn", "turn_order": self.turn, "turn_is_formatted": false,
            "end_of_turn": is_end, "transcript": text(&words),
            "end_of_turn_confidence": if is_end { 1.0 } else { 0.2 }, "words": timed,
        }));
        if is_end {
            self.turn += 1;
            self.turn_from_s = self.sent_s();
        }
        vec![say]
    }
}

impl Peer for AssemblyAi {
    fn opened(&mut self) -> Vec<Say> {
        vec![Say::json(&json!({
            "type": "Begin", "id": "s-1", "expires_at": 4_102_444_800_u64,
        }))]
    }

    fn take(&mut self, message: &Received) -> Vec<Say> {
        match message {
            Received::Binary(bytes) => {
                let length_ms = bytes.len() * 500 / RATE_HZ;
                if !(50..=1_000).contains(&length_ms) {
                    let error = json!({"type": "Error", "error_code": 3_007,
                        "error": "Input Duration Error"});
                    return vec![Say::json(&error), Say::Close(3_007)];
                }
                self.pcm.extend(samples(bytes));
                if self.sent_s() - self.told_s < PARTIAL_S {
                    return Vec::new();
                }
                self.turn(false)
            }
            Received::Ping => Vec::new(),
            Received::Text(_) => match message.json()["type"].as_str() {
                Some("ForceEndpoint") => self.turn(true),
                Some("KeepAlive" | "UpdateConfiguration") => Vec::new(),
                Some("Terminate") => {
                    let mut says = self.turn(true);
                    let seconds = self.sent_s().round() as i64;
                    says.push(Say::json(&json!({"type": "Termination",
                        "audio_duration_seconds": seconds,
                        "session_duration_seconds": seconds})));
                    says.push(Say::Close(1_000));
                    says
                }
                _ => vec![
                    Say::json(&json!({"type": "Error", "error_code": 4_101,
                        "error": "Endpoint received a message with an invalid schema"})),
                    Say::Close(4_101),
                ],
            },
        }
    }
}
