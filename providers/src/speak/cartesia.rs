//! Cartesia voices: contexts over one WebSocket, with the times of words.
//!
//! Wire format: <https://docs.cartesia.ai/api-reference/tts/websocket>, and the types of
//! `cartesia` 4.2 (PyPI).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::SpeakCapabilities;
use super::remote::{
    Made, Protocol, RemoteSpeak, Saying, Talk, Vendor, base64_audio, hint, malformed,
};
use super::voices::{VoiceVars, Voices};
use crate::Fault;
use crate::net::{
    Account, AccountVars, HttpLimits, Incoming, TlsSetupError, WsRequest, fault_of_status,
    json_message, ws_url,
};

/// Its environment variables.
pub const VARS: AccountVars = AccountVars {
    key: "CARTESIA_API_KEY",
    base_url_var: "CARTESIA_BASE_URL",
    base_url: "https://api.cartesia.ai",
    model_var: "CARTESIA_MODEL",
    model: "sonic-3.5",
};
/// Those of its voices.
pub const VOICE_VARS: VoiceVars = VoiceVars {
    voice: "CARTESIA_VOICE",
    voices: "CARTESIA_VOICES",
};

const RATE_HZ: u32 = 24_000;
/// The protocol's version: that of `cartesia` 4.2.
const VERSION: &str = "2026-08-14";
/// Speeds that it takes.
const SPEED: std::ops::RangeInclusive<f32> = 0.6..=1.5;
/// Voices that the vendor names in its documents and its client.
const BUILT_IN: [(&str, &str); 2] = [
    ("katie", "f786b574-daa5-4673-aa0c-cbe3e8534c02"),
    ("tessa", "6ccbfb76-1fc6-48f7-b71d-91ac6298247b"),
];

/// Its voices.
pub fn voices() -> Voices {
    Voices::new(&BUILT_IN, |id| {
        id.len() == 36 && id.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-')
    })
}

/// The voices, with their names from [`voices`].
///
/// # Errors
/// Where TLS cannot be set up.
pub fn cartesia(
    account: Account,
    voices: Voices,
    limits: HttpLimits,
) -> Result<RemoteSpeak, TlsSetupError> {
    RemoteSpeak::new(vendor(account), voices, limits)
}

pub(super) fn vendor(account: Account) -> Box<dyn Vendor> {
    let contexts = AtomicU64::new(0);
    Box::new(Cartesia { account, contexts })
}

struct Cartesia {
    account: Account,
    /// Contexts begun.
    contexts: AtomicU64,
}

impl Vendor for Cartesia {
    fn name(&self) -> &'static str {
        "cartesia"
    }

    fn capabilities(&self) -> SpeakCapabilities {
        SpeakCapabilities {
            word_marks: true,
            multilingual: true,
            remote: true,
        }
    }

    fn rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn request(&self, _saying: &Saying) -> WsRequest {
        WsRequest {
            url: ws_url(&self.account.base_url, "/tts/websocket", &[]),
            headers: vec![
                (
                    "authorization",
                    format!("Bearer {}", self.account.api_key.expose()),
                ),
                ("cartesia-version", VERSION.to_owned()),
            ],
            hint: hint(VARS.key, VARS.model_var),
        }
    }

    fn talk(&self, saying: &Saying) -> Talk {
        let context = format!("s{}", self.contexts.fetch_add(1, Ordering::Relaxed));
        let mut ask = json!({
            "model_id": self.account.model,
            "transcript": saying.text,
            "voice": {"mode": "id", "id": saying.voice},
            "context_id": context,
            "output_format": {
                "container": "raw", "encoding": "pcm_s16le", "sample_rate": RATE_HZ,
            },
            "add_timestamps": true,
            // As the text was sent, not as numbers were read out.
            "use_normalized_timestamps": false,
            "continue": false,
        });
        if (saying.pace - 1.0).abs() > f32::EPSILON {
            let speed = saying.pace.clamp(*SPEED.start(), *SPEED.end());
            ask["generation_config"] = json!({"speed": speed});
        }
        Talk {
            ask: vec![json_message(&ask)],
            on_cancel: vec![json_message(
                &json!({"context_id": context, "cancel": true}),
            )],
            protocol: Box::new(Context { id: context }),
        }
    }

    fn uses_max(&self) -> u32 {
        u32::MAX
    }

    fn idle_max(&self) -> Duration {
        // The server closes after five minutes.
        Duration::from_secs(270)
    }
}

/// One sentence.
struct Context {
    id: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    context_id: Option<String>,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    word_timestamps: Option<Words>,
    #[serde(default)]
    status_code: Option<u16>,
}

#[derive(Deserialize)]
struct Words {
    words: Vec<String>,
    start: Vec<f64>,
    end: Vec<f64>,
}

impl Protocol for Context {
    fn receive(&mut self, message: &Incoming) -> Result<Vec<Made>, Fault> {
        let text = match message {
            Incoming::Text(text) => text,
            Incoming::Pong => return Ok(Vec::new()),
            Incoming::Binary(_) => return Err(malformed()),
        };
        let answer: Answer = serde_json::from_str(text).map_err(|_| malformed())?;
        // What is left of a sentence that was cancelled.
        if answer.context_id.as_ref().is_some_and(|id| *id != self.id) {
            return Ok(Vec::new());
        }
        match answer.kind.as_str() {
            "chunk" => Ok(vec![base64_audio(&answer.data.ok_or_else(malformed)?)?]),
            "timestamps" => Ok(timed(answer.word_timestamps.ok_or_else(malformed)?)),
            "done" => Ok(vec![Made::Done]),
            "error" => {
                let status = StatusCode::from_u16(answer.status_code.unwrap_or(500));
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let hint = hint(VARS.key, VARS.model_var);
                Err(fault_of_status(status, &HeaderMap::new(), &hint))
            }
            // flush_done, phoneme_timestamps and what may be added.
            _ => Ok(Vec::new()),
        }
    }
}

fn timed(words: Words) -> Vec<Made> {
    let times = words.start.into_iter().zip(words.end);
    let timed = words.words.into_iter().zip(times);
    timed
        .map(|(text, (start_s, end_s))| Made::Timed {
            text,
            start_ms: start_s * 1_000.0,
            end_ms: end_s * 1_000.0,
        })
        .collect()
}
