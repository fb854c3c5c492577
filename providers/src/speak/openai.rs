//! OpenAI voices: `audio/speech` over HTTP, streamed as bare samples. No times: marks are
//! estimated.
//!
//! Wire format: <https://developers.openai.com/api/docs/guides/text-to-speech>, and the types of
//! `openai` 3.54 (PyPI).

use std::sync::Arc;

use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use tokio::sync::mpsc;

use super::remote::{Made, Saying, Source, Speaker, hint, malformed};
use super::voices::{VoiceVars, Voices};
use super::{Speak, SpeakCapabilities, SpeakEvent, SpeakRequest, UnknownVoice};
use crate::net::{
    Account, AccountVars, BuildError, HttpLimits, fault_of_status, http_client, plain,
};
use crate::{Fault, FaultKind, TaskHandle};

/// Its environment variables.
pub const VARS: AccountVars = AccountVars {
    key: "OPENAI_API_KEY",
    base_url_var: "OPENAI_BASE_URL",
    base_url: "https://api.openai.com/v1",
    model_var: "OPENAI_SPEAK_MODEL",
    model: "gpt-4o-mini-tts",
};
/// Those of its voices.
pub const VOICE_VARS: VoiceVars = VoiceVars {
    voice: "OPENAI_VOICE",
    voices: "OPENAI_VOICES",
};

/// `pcm` is always 24 kHz, 16 bit, mono.
const RATE_HZ: u32 = 24_000;
/// Built-in voices have no other id than their name.
const BUILT_IN: [(&str, &str); 13] = [
    ("marin", "marin"),
    ("cedar", "cedar"),
    ("alloy", "alloy"),
    ("ash", "ash"),
    ("ballad", "ballad"),
    ("coral", "coral"),
    ("echo", "echo"),
    ("fable", "fable"),
    ("nova", "nova"),
    ("onyx", "onyx"),
    ("sage", "sage"),
    ("shimmer", "shimmer"),
    ("verse", "verse"),
];
/// How the ids of custom voices begin.
const CUSTOM: &str = "voice_";

/// Its voices.
pub fn voices() -> Voices {
    Voices::new(&BUILT_IN, |id| id.starts_with(CUSTOM))
}

/// The voices, shared by all calls.
#[derive(Clone, Debug)]
pub struct OpenAiSpeak {
    account: Arc<Account>,
    client: reqwest::Client,
    speaker: Speaker,
}

impl OpenAiSpeak {
    /// Voices with their names from [`voices`], over a pool of connections of their own.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn new(account: Account, voices: Voices, limits: HttpLimits) -> Result<Self, BuildError> {
        Ok(Self {
            client: http_client(&limits)?,
            account: Arc::new(account),
            speaker: Speaker::new("openai", RATE_HZ, false, voices, limits),
        })
    }

    /// Opens a connection before the first sentence needs it. Whether the server likes the request
    /// does not matter: the connection stays in the pool.
    pub async fn warm(&self) {
        let url = format!("{}/models", self.account.base_url);
        let request = self
            .client
            .get(url)
            .bearer_auth(self.account.api_key.expose());
        let request = request.timeout(self.speaker.limits.connect_timeout);
        if let Ok(response) = request.send().await {
            let _ = response.bytes().await;
        }
    }
}

impl Speak for OpenAiSpeak {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn capabilities(&self) -> SpeakCapabilities {
        SpeakCapabilities {
            word_marks: false,
            multilingual: true,
            remote: true,
        }
    }

    fn rate_hz(&self, voice: &str) -> Result<u32, UnknownVoice> {
        self.speaker.voices.id(voice).map(|_| RATE_HZ)
    }

    /// Must be called within a tokio runtime.
    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let (client, account) = (self.client.clone(), Arc::clone(&self.account));
        self.speaker.start(request, events, move |saying| Body {
            client,
            account,
            saying,
            response: None,
        })
    }
}

/// One sentence.
struct Body {
    client: reqwest::Client,
    account: Arc<Account>,
    saying: Saying,
    response: Option<reqwest::Response>,
}

impl Body {
    async fn ask(&self) -> Result<reqwest::Response, Fault> {
        let voice = if self.saying.voice.starts_with(CUSTOM) {
            json!({"id": self.saying.voice})
        } else {
            json!(self.saying.voice)
        };
        let mut body = json!({
            "model": self.account.model,
            "input": self.saying.text,
            "voice": voice,
            "response_format": "pcm",
            "stream_format": "audio",
        });
        if (self.saying.pace - 1.0).abs() > f32::EPSILON {
            body["speed"] = json!(self.saying.pace);
        }
        let url = format!("{}/audio/speech", self.account.base_url);
        let request = self
            .client
            .post(url)
            .bearer_auth(self.account.api_key.expose());
        let response = request.json(&body).send().await.map_err(|error| {
            // Only its debug text tells that what came is no HTTP.
            let kind = if error.is_connect() || error.is_timeout() {
                FaultKind::Unreachable
            } else if format!("{error:?}").contains("Parse(") {
                FaultKind::Malformed
            } else {
                FaultKind::BrokenOff
            };
            Fault::new(
                kind,
                format!("the server did not answer: {}", plain(&error)),
            )
        })?;
        if !response.status().is_success() {
            let hint = hint(VARS.key, VARS.model_var);
            return Err(fault_of_status(
                response.status(),
                response.headers(),
                &hint,
            ));
        }
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/") || kind.contains("json") {
            return Err(malformed());
        }
        Ok(response)
    }
}

impl Source for Body {
    async fn next(&mut self) -> Result<Vec<Made>, Fault> {
        if self.response.is_none() {
            self.response = Some(self.ask().await?);
        }
        let response = self.response.as_mut().ok_or_else(malformed)?;
        match response.chunk().await {
            Ok(Some(bytes)) => Ok(vec![Made::Audio(bytes.to_vec())]),
            Ok(None) => Ok(vec![Made::Done]),
            Err(error) => Err(Fault::new(
                FaultKind::BrokenOff,
                format!("the audio broke off: {}", plain(&error)),
            )),
        }
    }

    fn read(&mut self, _is_whole: bool) {
        // Read whole, its connection is back in the pool; else it closes.
        self.response = None;
    }
}
