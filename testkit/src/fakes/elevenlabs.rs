//! ElevenLabs `stream-input`.

use data_encoding::BASE64;
use serde_json::json;

use super::talker::{CHAR_MS, RATE_HZ, messages};
use super::ws::{Peer, Received, Say, Upgrade};

/// One connection: one text.
#[derive(Default)]
pub struct ElevenLabs {
    text: String,
    has_begun: bool,
    is_pcm: bool,
}

impl ElevenLabs {
    /// As ElevenLabs does it.
    pub fn peer(upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self {
            is_pcm: upgrade.query("output_format") == [format!("pcm_{RATE_HZ}")],
            ..Self::default()
        })
    }

    fn error(code: &str) -> Vec<Say> {
        let error = json!({"message": "the words of a call, or a key", "error": code,
            "code": 1008});
        vec![Say::json(&error), Say::Close(1_008)]
    }

    fn speak(&self) -> Vec<Say> {
        // What is said includes the space at the end; it sounds no longer for it.
        let text = self.text.trim();
        let chars: Vec<char> = text.chars().collect();
        let byte_ms = 500.0 / RATE_HZ as f64;
        let (mut says, mut sent_bytes, mut told) = (Vec::new(), 0, 0);
        for bytes in messages(text) {
            let from_ms = sent_bytes as f64 * byte_ms;
            sent_bytes += bytes.len();
            // The characters that begin in this audio, counted from its own start.
            let to = (sent_bytes as f64 * byte_ms / CHAR_MS as f64).ceil() as usize;
            let now = told..to.clamp(told, chars.len());
            told = now.end;
            let starts = now
                .clone()
                .map(|at| ((at * CHAR_MS) as f64 - from_ms).round() as i64);
            let starts: Vec<i64> = starts.collect();
            let alignment = json!({
                "chars": chars[now.clone()].iter().map(char::to_string).collect::<Vec<_>>(),
                "charStartTimesMs": starts,
                "charDurationsMs": vec![CHAR_MS; now.len()],
            });
            says.push(Say::json(&json!({
                "audio": BASE64.encode(&bytes), "isFinal": null,
                "alignment": alignment, "normalizedAlignment": alignment,
            })));
        }
        says.push(Say::json(
            &json!({"audio": null, "isFinal": true, "alignment": null,
            "normalizedAlignment": null}),
        ));
        says.push(Say::Close(1_000));
        says
    }
}

impl Peer for ElevenLabs {
    fn opened(&mut self) -> Vec<Say> {
        Vec::new()
    }

    fn take(&mut self, message: &Received) -> Vec<Say> {
        if *message == Received::Ping {
            return Vec::new();
        }
        let event = message.json();
        let Some(text) = event["text"].as_str() else {
            return Self::error("invalid_message");
        };
        if !self.is_pcm {
            return Self::error("unsupported_output_format");
        }
        if !self.has_begun {
            self.has_begun = true;
            // The first message is one space.
            return if text == " " {
                Vec::new()
            } else {
                Self::error("invalid_first_message")
            };
        }
        if text.is_empty() {
            return self.speak();
        }
        self.text.push_str(text);
        Vec::new()
    }
}
