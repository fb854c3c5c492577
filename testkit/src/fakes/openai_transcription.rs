//! OpenAI's realtime transcription sessions.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::listener::{samples, text, understand};
use super::ws::{Peer, Received, Say, Upgrade};

/// The service takes no other rate.
const RATE_HZ: usize = 24_000;
/// Shortest audio that is committed, samples.
const COMMIT_SAMPLES_MIN: usize = RATE_HZ / 10;

/// One connection.
#[derive(Default)]
pub struct OpenAiTranscription {
    pcm: Vec<i16>,
    item: u64,
    told_words: usize,
    is_transcription: bool,
    events: u64,
}

impl OpenAiTranscription {
    /// As OpenAI does it.
    pub fn peer(_upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self::default())
    }

    fn event(&mut self, mut value: Value) -> Say {
        self.events += 1;
        value["event_id"] = json!(format!("event_{}", self.events));
        Say::json(&value)
    }

    fn error(&mut self, code: &str) -> Vec<Say> {
        let error = json!({"type": "error", "error": {"type": "invalid_request_error",
            "code": code, "message": "the words of a call, or a key", "param": null}});
        vec![self.event(error)]
    }

    fn item_id(&self) -> String {
        format!("item_{}", self.item)
    }

    fn append(&mut self, event: &Value) -> Vec<Say> {
        if !self.is_transcription {
            return self.error("invalid_session");
        }
        let audio = event["audio"].as_str().unwrap_or_default();
        let Ok(bytes) = BASE64.decode(audio.as_bytes()) else {
            return self.error("invalid_audio");
        };
        self.pcm.extend(samples(&bytes));
        // The last word may still grow.
        let words = understand(&self.pcm, RATE_HZ);
        let whole = words.len().saturating_sub(1);
        let mut says = Vec::new();
        for word in words.iter().take(whole).skip(self.told_words) {
            let delta = json!({"type": "conversation.item.input_audio_transcription.delta",
                "item_id": self.item_id(), "content_index": 0, "delta": format!(" {}", word.text)});
            says.push(self.event(delta));
        }
        self.told_words = self.told_words.max(whole);
        says
    }

    fn commit(&mut self) -> Vec<Say> {
        if self.pcm.len() < COMMIT_SAMPLES_MIN {
            return self.error("input_audio_buffer_commit_empty");
        }
        let words = understand(&self.pcm, RATE_HZ);
        let id = self.item_id();
        let transcript = text(&words);
        let seconds = self.pcm.len() as f64 / RATE_HZ as f64;
        self.pcm.clear();
        self.told_words = 0;
        self.item += 1;
        let committed = json!({"type": "input_audio_buffer.committed", "item_id": id,
            "previous_item_id": null});
        let completed = json!({
            "type": "conversation.item.input_audio_transcription.completed", "item_id": id,
            "content_index": 0, "transcript": transcript,
            "usage": {"type": "duration", "seconds": seconds},
        });
        vec![self.event(committed), self.event(completed)]
    }
}

impl Peer for OpenAiTranscription {
    fn opened(&mut self) -> Vec<Say> {
        let session = json!({"type": "session.created",
            "session": {"type": "transcription", "id": "sess_1",
                "object": "realtime.transcription_session"}});
        vec![self.event(session)]
    }

    fn take(&mut self, message: &Received) -> Vec<Say> {
        let event = message.json();
        match event["type"].as_str() {
            Some("session.update") => {
                let session = event["session"].clone();
                let input = &session["audio"]["input"];
                self.is_transcription = session["type"] == "transcription"
                    && input["format"] == json!({"type": "audio/pcm", "rate": RATE_HZ})
                    && input["turn_detection"].is_null()
                    && input["transcription"]["model"].is_string();
                if !self.is_transcription {
                    return self.error("invalid_session");
                }
                vec![self.event(json!({"type": "session.updated", "session": session}))]
            }
            Some("input_audio_buffer.append") => self.append(&event),
            Some("input_audio_buffer.commit") => self.commit(),
            Some("input_audio_buffer.clear") => {
                self.pcm.clear();
                self.told_words = 0;
                vec![self.event(json!({"type": "input_audio_buffer.cleared"}))]
            }
            _ if *message == Received::Ping => Vec::new(),
            _ => self.error("unknown_event"),
        }
    }
}
