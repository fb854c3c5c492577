//! ElevenLabs voices: `stream-input` over WebSocket, with the times of characters.
//!
//! Wire format: <https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input>,
//! and the types of `elevenlabs` 2.78 (PyPI). A connection serves one sentence; the next one's is
//! opened meanwhile.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::SpeakCapabilities;
use super::remote::{
    Made, Protocol, RemoteSpeak, Saying, Talk, Vendor, base64_audio, hint, malformed,
};
use super::voices::{VoiceVars, Voices};
use crate::net::{
    Account, AccountVars, HttpLimits, Incoming, TlsSetupError, WsRequest, json_message, ws_url,
};
use crate::{Fault, FaultKind};

/// Its environment variables.
pub const VARS: AccountVars = AccountVars {
    key: "ELEVENLABS_API_KEY",
    base_url_var: "ELEVENLABS_BASE_URL",
    base_url: "https://api.elevenlabs.io",
    model_var: "ELEVENLABS_MODEL",
    model: "eleven_flash_v2_5",
};
/// Those of its voices.
pub const VOICE_VARS: VoiceVars = VoiceVars {
    voice: "ELEVENLABS_VOICE",
    voices: "ELEVENLABS_VOICES",
};

const RATE_HZ: u32 = 24_000;
/// Asked of the server, seconds; its own is 20, the most is 180.
const INACTIVITY_S: u32 = 180;
/// Speeds that it takes.
const SPEED: std::ops::RangeInclusive<f32> = 0.7..=1.2;
/// Voices that every account has.
const BUILT_IN: [(&str, &str); 4] = [
    ("george", "JBFqnCBsd6RMkjVDRZzb"),
    ("sarah", "EXAVITQu4vr4xnSDxMaL"),
    ("rachel", "21m00Tcm4TlvDq8ikWAM"),
    ("daniel", "onwK4e9ZLuTAKqWW03F9"),
];

/// Its voices.
pub fn voices() -> Voices {
    Voices::new(&BUILT_IN, |id| {
        id.len() == 20 && id.bytes().all(|c| c.is_ascii_alphanumeric())
    })
}

/// The voices, with their names from [`voices`].
///
/// # Errors
/// Where TLS cannot be set up.
pub fn elevenlabs(
    account: Account,
    voices: Voices,
    limits: HttpLimits,
) -> Result<RemoteSpeak, TlsSetupError> {
    RemoteSpeak::new(vendor(account), voices, limits)
}

pub(super) fn vendor(account: Account) -> Box<dyn Vendor> {
    Box::new(ElevenLabs { account })
}

struct ElevenLabs {
    account: Account,
}

impl Vendor for ElevenLabs {
    fn name(&self) -> &'static str {
        "elevenlabs"
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

    fn request(&self, saying: &Saying) -> WsRequest {
        let path = format!("/v1/text-to-speech/{}/stream-input", saying.voice);
        let query = [
            ("model_id", self.account.model.clone()),
            ("output_format", format!("pcm_{RATE_HZ}")),
            ("inactivity_timeout", INACTIVITY_S.to_string()),
            ("sync_alignment", "true".to_owned()),
            // Sentences come whole: nothing is to be waited for.
            ("auto_mode", "true".to_owned()),
        ];
        WsRequest {
            url: ws_url(&self.account.base_url, &path, &query),
            headers: vec![("xi-api-key", self.account.api_key.expose().to_owned())],
            hint: hint(VARS.key, VARS.model_var),
        }
    }

    fn talk(&self, saying: &Saying) -> Talk {
        let mut first = json!({"text": " "});
        if (saying.pace - 1.0).abs() > f32::EPSILON {
            let speed = saying.pace.clamp(*SPEED.start(), *SPEED.end());
            first["voice_settings"] = json!({"speed": speed});
        }
        Talk {
            ask: vec![
                json_message(&first),
                // A space at the end says that the last word is whole.
                json_message(&json!({"text": format!("{} ", saying.text)})),
                json_message(&json!({"text": ""})),
            ],
            protocol: Box::new(StreamInput::default()),
            on_cancel: Vec::new(),
        }
    }

    fn uses_max(&self) -> u32 {
        1
    }

    fn idle_max(&self) -> Duration {
        Duration::from_secs(u64::from(INACTIVITY_S) - 10)
    }
}

/// One sentence.
#[derive(Default)]
struct StreamInput {
    /// Bytes of audio so far: times count from each message's own audio.
    audio_bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    audio: Option<String>,
    #[serde(default)]
    is_final: Option<bool>,
    #[serde(default)]
    alignment: Option<Alignment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alignment {
    chars: Vec<String>,
    char_start_times_ms: Vec<f64>,
    #[serde(alias = "charsDurationsMs")]
    char_durations_ms: Vec<f64>,
}

impl Protocol for StreamInput {
    fn receive(&mut self, message: &Incoming) -> Result<Vec<Made>, Fault> {
        let text = match message {
            Incoming::Text(text) => text,
            Incoming::Pong => return Ok(Vec::new()),
            Incoming::Binary(_) => return Err(malformed()),
        };
        let value: Value = serde_json::from_str(text).map_err(|_| malformed())?;
        let object = value.as_object().ok_or_else(malformed)?;
        if object.contains_key("error") || object.contains_key("code") {
            return Err(error_fault(&value));
        }
        if !object.contains_key("audio") && !object.contains_key("isFinal") {
            return Err(malformed());
        }
        let answer: Answer = serde_json::from_value(value).map_err(|_| malformed())?;
        let mut made = Vec::new();
        if let Some(alignment) = answer.alignment {
            let offset_ms = self.audio_bytes as f64 * 500.0 / f64::from(RATE_HZ);
            let times = alignment
                .char_start_times_ms
                .iter()
                .zip(&alignment.char_durations_ms);
            made.extend(alignment.chars.into_iter().zip(times).map(
                |(text, (start_ms, length_ms))| Made::Timed {
                    text,
                    start_ms: offset_ms + start_ms,
                    end_ms: offset_ms + start_ms + length_ms,
                },
            ));
        }
        if let Some(audio) = answer.audio.filter(|audio| !audio.is_empty()) {
            let audio = base64_audio(&audio)?;
            if let Made::Audio(bytes) = &audio {
                self.audio_bytes += bytes.len() as u64;
            }
            made.push(audio);
        }
        if answer.is_final == Some(true) {
            made.push(Made::Done);
        }
        Ok(made)
    }
}

/// `{"message": …, "error": "quota_exceeded", "code": 1008}`.
fn error_fault(value: &Value) -> Fault {
    let error = value
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let has = |parts: &[&str]| parts.iter().any(|part| error.contains(part));
    let kind = if has(&["quota", "limit", "concurren", "too_many", "credits"]) {
        FaultKind::RateLimited { retry_after: None }
    } else if has(&["timeout", "timed_out"]) {
        FaultKind::BrokenOff
    } else if has(&["busy", "overload", "internal", "server"]) {
        FaultKind::Overloaded
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
