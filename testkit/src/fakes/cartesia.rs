//! Cartesia's voices.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::talker::{RATE_HZ, messages, words};
use super::ws::{Peer, Received, Say, Upgrade};

/// Words told at a time.
const WORDS_AT_ONCE: usize = 3;

/// One connection.
#[derive(Default)]
pub struct Cartesia {
    /// Times come after all audio.
    is_late: bool,
    /// A cancelled context still says what it had under way.
    is_stubborn: bool,
    context: Option<String>,
}

impl Cartesia {
    /// As Cartesia does it.
    pub fn peer(_upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self::default())
    }

    /// Times come after all audio.
    pub fn late(_upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self {
            is_late: true,
            ..Self::default()
        })
    }

    /// Goes on with what was cancelled.
    pub fn stubborn(_upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self {
            is_stubborn: true,
            ..Self::default()
        })
    }

    fn error(context: &Value, status: u16) -> Vec<Say> {
        vec![Say::json(&json!({
            "type": "error", "done": true, "context_id": context, "status_code": status,
            "title": "Invalid", "message": "the words of a call, or a key",
            "error_code": "invalid_request", "request_id": "r-1",
        }))]
    }

    fn speak(&mut self, event: &Value) -> Vec<Say> {
        let context = &event["context_id"];
        let format = json!({"container": "raw", "encoding": "pcm_s16le", "sample_rate": RATE_HZ});
        let is_good = event["output_format"] == format
            && event["model_id"].is_string()
            && event["voice"]["id"].is_string();
        let (Some(id), Some(text), true) =
            (context.as_str(), event["transcript"].as_str(), is_good)
        else {
            return Self::error(context, 400);
        };
        self.context = Some(id.to_owned());
        let chunks = messages(text).into_iter().map(|bytes| {
            Say::json(
                &json!({"type": "chunk", "data": BASE64.encode(&bytes), "done": false,
                "status_code": 206, "step_time": 12.5, "context_id": id}),
            )
        });
        let seconds = |ms: usize| ms as f64 / 1_000.0;
        let all = words(text);
        let times = all.chunks(WORDS_AT_ONCE).map(|words| {
            let texts: Vec<&str> = words.iter().map(|(text, _, _)| *text).collect();
            let starts: Vec<f64> = words.iter().map(|(_, start, _)| seconds(*start)).collect();
            let ends: Vec<f64> = words.iter().map(|(_, _, end)| seconds(*end)).collect();
            Say::json(
                &json!({"type": "timestamps", "done": false, "status_code": 206,
                "context_id": id,
                "word_timestamps": {"words": texts, "start": starts, "end": ends}}),
            )
        });
        let mut says: Vec<Say> = if self.is_late {
            chunks.chain(times).collect()
        } else {
            times.chain(chunks).collect()
        };
        says.push(Say::json(
            &json!({"type": "done", "done": true, "status_code": 206,
            "context_id": id}),
        ));
        says
    }
}

impl Peer for Cartesia {
    fn opened(&mut self) -> Vec<Say> {
        Vec::new()
    }

    fn take(&mut self, message: &Received) -> Vec<Say> {
        if *message == Received::Ping {
            return Vec::new();
        }
        let event = message.json();
        if event["cancel"] == json!(true) {
            let is_current = event["context_id"].as_str() == self.context.as_deref();
            return if is_current && !self.is_stubborn {
                vec![Say::Forget]
            } else {
                Vec::new()
            };
        }
        self.speak(&event)
    }
}
