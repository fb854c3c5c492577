//! Deepgram Aura voices: `v1/speak` over WebSocket. No times: marks are estimated.
//!
//! Wire format: <https://developers.deepgram.com/docs/streaming-text-to-speech>, and the types of
//! `deepgram-sdk` 7.17.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::SpeakCapabilities;
use super::remote::{Made, Protocol, RemoteSpeak, Saying, Talk, Vendor, hint, malformed};
use super::voices::{VoiceVars, Voices};
use crate::net::{
    Account, AccountVars, HttpLimits, Incoming, TlsSetupError, WsRequest, json_message, ws_url,
};
use crate::{Fault, FaultKind};

/// Its environment variables. The model names the family; each voice is a model of it.
pub const VARS: AccountVars = AccountVars {
    key: "DEEPGRAM_API_KEY",
    base_url_var: "DEEPGRAM_BASE_URL",
    base_url: "https://api.deepgram.com",
    model_var: "DEEPGRAM_SPEAK_MODEL",
    model: "aura-2",
};
/// Those of its voices.
pub const VOICE_VARS: VoiceVars = VoiceVars {
    voice: "DEEPGRAM_VOICE",
    voices: "DEEPGRAM_VOICES",
};

const RATE_HZ: u32 = 24_000;
/// The server takes 20 flushes in a minute; a connection serves fewer sentences than that.
const USES_MAX: u32 = 15;
/// Speeds that it takes.
const SPEED: std::ops::RangeInclusive<f32> = 0.7..=1.5;
/// Some of the English voices.
const BUILT_IN: [(&str, &str); 6] = [
    ("thalia", "aura-2-thalia-en"),
    ("andromeda", "aura-2-andromeda-en"),
    ("helena", "aura-2-helena-en"),
    ("apollo", "aura-2-apollo-en"),
    ("arcas", "aura-2-arcas-en"),
    ("aries", "aura-2-aries-en"),
];

/// Its voices.
pub fn voices() -> Voices {
    Voices::new(&BUILT_IN, |id| id.starts_with("aura-"))
}

/// The voices, with their names from [`voices`].
///
/// # Errors
/// Where TLS cannot be set up.
pub fn deepgram_aura(
    account: Account,
    voices: Voices,
    limits: HttpLimits,
) -> Result<RemoteSpeak, TlsSetupError> {
    RemoteSpeak::new(vendor(account), voices, limits)
}

pub(super) fn vendor(account: Account) -> Box<dyn Vendor> {
    Box::new(Aura { account })
}

struct Aura {
    account: Account,
}

impl Vendor for Aura {
    fn name(&self) -> &'static str {
        "deepgram"
    }

    fn capabilities(&self) -> SpeakCapabilities {
        SpeakCapabilities {
            word_marks: false,
            multilingual: true,
            remote: true,
        }
    }

    fn rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn request(&self, saying: &Saying) -> WsRequest {
        let mut query = vec![
            ("model", saying.voice.clone()),
            ("encoding", "linear16".to_owned()),
            ("sample_rate", RATE_HZ.to_string()),
        ];
        if (saying.pace - 1.0).abs() > f32::EPSILON {
            let speed = saying.pace.clamp(*SPEED.start(), *SPEED.end());
            query.push(("speed", format!("{speed:.2}")));
        }
        WsRequest {
            url: ws_url(&self.account.base_url, "/v1/speak", &query),
            headers: vec![(
                "authorization",
                format!("Token {}", self.account.api_key.expose()),
            )],
            hint: hint(VARS.key, VARS.model_var),
        }
    }

    fn talk(&self, saying: &Saying) -> Talk {
        Talk {
            ask: vec![
                json_message(&json!({"type": "Speak", "text": saying.text})),
                json_message(&json!({"type": "Flush"})),
            ],
            protocol: Box::new(Flush),
            // Audio carries no name of its sentence: what still comes could be taken for the
            // next one's, so a cancelled sentence's connection is closed.
            on_cancel: Vec::new(),
        }
    }

    fn uses_max(&self) -> u32 {
        USES_MAX
    }

    fn idle_max(&self) -> Duration {
        // The documents name no limit for idle connections but 60 minutes in all.
        Duration::from_secs(50)
    }
}

/// One sentence.
struct Flush;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, alias = "err_code")]
    code: Option<String>,
}

impl Protocol for Flush {
    fn receive(&mut self, message: &Incoming) -> Result<Vec<Made>, Fault> {
        let text = match message {
            Incoming::Binary(bytes) => return Ok(vec![Made::Audio(bytes.to_vec())]),
            Incoming::Text(text) => text,
            Incoming::Pong => return Ok(Vec::new()),
        };
        let answer: Answer = serde_json::from_str(text).map_err(|_| malformed())?;
        match answer.kind.as_str() {
            "Flushed" => Ok(vec![Made::Done]),
            "Error" | "Warning" => Err(error_fault(answer.code.as_deref().unwrap_or_default())),
            // Metadata, Cleared and what may be added.
            _ => Ok(Vec::new()),
        }
    }
}

/// Warnings say that a text or a flush was not taken: the sentence is not spoken whole.
fn error_fault(code: &str) -> Fault {
    let kind = if code.contains("EXCEEDED") || code.contains("RATE") || code.contains("LIMIT") {
        FaultKind::RateLimited { retry_after: None }
    } else if code.starts_with("NET") {
        FaultKind::BrokenOff
    } else {
        FaultKind::Refused
    };
    Fault::new(
        kind,
        format!(
            "the server reported an error ({}); {}",
            kind.name(),
            hint(VARS.key, VARS.model_var)
        ),
    )
}
