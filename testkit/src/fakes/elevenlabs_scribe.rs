//! ElevenLabs Scribe v2 Realtime.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::listener::{RATE_HZ, Word, samples, text, understand};
use super::ws::{Peer, Received, Say, Upgrade};

/// A partial comes this often, samples.
const PARTIAL_SAMPLES: usize = RATE_HZ / 5;
/// Shortest audio that may be committed, samples: 0.3 s.
const COMMIT_SAMPLES_MIN: usize = RATE_HZ * 3 / 10;

/// One connection.
#[derive(Default)]
pub struct Scribe {
    pcm: Vec<i16>,
    /// Samples that are committed.
    committed: usize,
    told: usize,
    with_times: bool,
    /// Times count from the segment's start, not from the session's.
    own_times: bool,
}

impl Scribe {
    /// As ElevenLabs does it.
    pub fn peer(upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self {
            with_times: upgrade.query("include_timestamps") == ["true"],
            ..Self::default()
        })
    }

    /// With times that count from each segment's start.
    pub fn with_own_times(upgrade: &Upgrade) -> Box<dyn Peer> {
        Box::new(Self {
            with_times: upgrade.query("include_timestamps") == ["true"],
            own_times: true,
            ..Self::default()
        })
    }

    fn words(&self) -> Vec<Word> {
        understand(&self.pcm[self.committed..], RATE_HZ)
    }

    fn commit(&mut self) -> Vec<Say> {
        if self.pcm.len() - self.committed < COMMIT_SAMPLES_MIN {
            return vec![Say::json(&json!({"message_type": "commit_throttled",
                "error": "less than 0.3s of uncommitted audio"}))];
        }
        let words = self.words();
        let from_s = if self.own_times {
            0.0
        } else {
            self.committed as f64 / RATE_HZ as f64
        };
        let mut timed: Vec<Value> = Vec::new();
        for word in &words {
            if !timed.is_empty() {
                timed.push(json!({"text": " ", "start": from_s + word.start_s,
                    "end": from_s + word.start_s, "type": "spacing"}));
            }
            timed.push(json!({"text": word.text, "start": from_s + word.start_s,
                "end": from_s + word.end_s, "type": "word", "logprob": -0.1}));
        }
        self.committed = self.pcm.len();
        self.told = self.committed;
        let text = text(&words);
        let mut says = vec![Say::json(
            &json!({"message_type": "committed_transcript", "text": text}),
        )];
        if self.with_times {
            says.push(Say::json(&json!({
                "message_type": "committed_transcript_with_timestamps", "text": text,
                "language_code": "en", "words": timed,
            })));
        }
        says
    }
}

impl Peer for Scribe {
    fn opened(&mut self) -> Vec<Say> {
        vec![Say::json(
            &json!({"message_type": "session_started", "session_id": "s-1",
            "config": {"sample_rate": RATE_HZ, "audio_format": "pcm_16000"}}),
        )]
    }

    fn take(&mut self, message: &Received) -> Vec<Say> {
        let event = message.json();
        if *message == Received::Ping {
            return Vec::new();
        }
        let audio = event["audio_base_64"].as_str();
        let audio = audio.and_then(|audio| BASE64.decode(audio.as_bytes()).ok());
        let (Some(audio), Some("input_audio_chunk")) = (audio, event["message_type"].as_str())
        else {
            return vec![Say::json(&json!({"message_type": "input_error",
                "error": "the words of a call, or a key"}))];
        };
        self.pcm.extend(samples(&audio));
        if event["commit"] == json!(true) {
            return self.commit();
        }
        if self.pcm.len() - self.told < PARTIAL_SAMPLES {
            return Vec::new();
        }
        self.told = self.pcm.len();
        let text = text(&self.words());
        vec![Say::json(
            &json!({"message_type": "partial_transcript", "text": text}),
        )]
    }
}
