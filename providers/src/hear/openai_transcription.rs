//! OpenAI's realtime transcription sessions, over WebSocket.
//!
//! Wire format: <https://developers.openai.com/api/docs/guides/realtime-transcription>, and the
//! types of `openai` 3.54 (PyPI). Audio is 24 kHz. No word times.

use antiphon_audio::resample::Resampler;
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::remote::{HearLimits, Heard, Protocol, RawWord, RemoteHear, Vendor, key_terms, padding};
use super::{HEAR_RATE_HZ, HearCapabilities, HearContext};
use crate::net::{
    Account, AccountVars, Incoming, TlsSetupError, WsRequest, json_message, pcm_bytes, ws_url,
};
use crate::{Fault, FaultKind};

/// Its environment variables.
pub const VARS: AccountVars = AccountVars {
    key: "OPENAI_API_KEY",
    base_url_var: "OPENAI_BASE_URL",
    base_url: "https://api.openai.com/v1",
    model_var: "OPENAI_TRANSCRIBE_MODEL",
    model: "gpt-live-transcribe",
};

/// The only rate that the service takes.
const RATE_HZ: u32 = 24_000;
/// Shortest audio that can be committed: 100 ms.
const COMMIT_SAMPLES_MIN: u64 = RATE_HZ as u64 / 10;
/// Models that take key words.
const KEYWORD_MODELS: [&str; 2] = ["gpt-transcribe", "gpt-live-transcribe"];
const KEYWORDS_MAX: usize = 50;
const KEYWORD_CHARS_MAX: usize = 40;

/// The recognizer.
///
/// # Errors
/// Where TLS cannot be set up.
pub fn openai_transcription(
    account: Account,
    limits: HearLimits,
) -> Result<RemoteHear, TlsSetupError> {
    RemoteHear::new(OpenAiTranscription { account }, limits)
}

struct OpenAiTranscription {
    account: Account,
}

impl Vendor for OpenAiTranscription {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn capabilities(&self) -> HearCapabilities {
        HearCapabilities {
            word_times: false,
            multilingual: true,
            remote: true,
        }
    }

    fn request(&self, _context: &HearContext) -> WsRequest {
        // The model goes into the session; in the URL it would open a conversation.
        let query = [("intent", "transcription".to_owned())];
        WsRequest {
            url: ws_url(&self.account.base_url, "/realtime", &query),
            headers: vec![(
                "authorization",
                format!("Bearer {}", self.account.api_key.expose()),
            )],
            hint: format!("check {} and {}", VARS.key, VARS.model_var),
        }
    }

    fn protocol(&self, context: &HearContext) -> Box<dyn Protocol> {
        let model = &self.account.model;
        let mut transcription = json!({"model": model});
        if KEYWORD_MODELS.contains(&model.as_str()) {
            let terms = key_terms(context, KEYWORDS_MAX, KEYWORD_CHARS_MAX);
            if !terms.is_empty() {
                transcription["keywords"] = json!(terms);
            }
        }
        Box::new(Items::new(transcription))
    }
}

/// One connection.
pub(super) struct Items {
    transcription: Value,
    resampler: Option<Resampler>,
    sent_samples: u64,
    phase: Phase,
    /// The item that the service makes of the utterance, once it said so.
    item: Option<String>,
    /// The last item that is done with; late news of it is left alone.
    done_item: Option<String>,
    text: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Open,
    Committed,
    /// The buffer is being emptied.
    Clearing,
}

#[derive(Deserialize)]
struct ItemEvent {
    item_id: String,
    #[serde(default)]
    delta: Option<String>,
    #[serde(default)]
    transcript: Option<String>,
    #[serde(default)]
    error: ErrorBody,
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

impl Items {
    pub(super) fn new(transcription: Value) -> Self {
        Self {
            transcription,
            resampler: None,
            sent_samples: 0,
            phase: Phase::Open,
            item: None,
            done_item: None,
            text: String::new(),
        }
    }

    fn append(&mut self, pcm: &[i16], out: &mut Vec<Message>) {
        if pcm.is_empty() {
            return;
        }
        self.sent_samples += pcm.len() as u64;
        let audio = BASE64.encode(&pcm_bytes(pcm));
        out.push(json_message(
            &json!({"type": "input_audio_buffer.append", "audio": audio}),
        ));
    }

    /// True where the event is about the current utterance.
    fn is_current(&self, item: &str) -> bool {
        self.done_item.as_deref() != Some(item)
            && self.item.as_deref().is_none_or(|current| current == item)
    }

    fn finished(&mut self, words: Vec<RawWord>) -> Heard {
        self.done_item = self.item.take();
        self.phase = Phase::Open;
        self.text.clear();
        Heard::Final(words)
    }

    fn take_item(
        &mut self,
        kind: &str,
        event: ItemEvent,
        heard: &mut Vec<Heard>,
    ) -> Result<(), Fault> {
        if kind == "input_audio_buffer.committed" {
            if self.phase == Phase::Committed {
                self.item = Some(event.item_id);
            }
            return Ok(());
        }
        if !self.is_current(&event.item_id) {
            return Ok(());
        }
        match kind.rsplit('.').next() {
            Some("delta") => {
                self.item.get_or_insert(event.item_id);
                self.text.push_str(&event.delta.unwrap_or_default());
                heard.push(Heard::Partial(RawWord::sentence(&self.text)));
            }
            Some("completed") if self.phase == Phase::Committed => {
                let text = event.transcript.ok_or_else(super::remote::malformed)?;
                self.item.get_or_insert(event.item_id);
                heard.push(self.finished(RawWord::sentence(&text)));
            }
            Some("failed") if self.phase == Phase::Committed => {
                self.item.get_or_insert(event.item_id);
                self.finished(Vec::new());
                return Err(error_fault(&event.error));
            }
            _ => {}
        }
        Ok(())
    }

    fn take_error(&mut self, error: &ErrorBody, heard: &mut Vec<Heard>) -> Result<(), Fault> {
        // Nothing was in the buffer, so nothing was said.
        let is_empty = error.code.as_deref() == Some("input_audio_buffer_commit_empty");
        if is_empty && self.phase == Phase::Committed {
            heard.push(self.finished(Vec::new()));
            return Ok(());
        }
        Err(error_fault(error))
    }
}

impl Protocol for Items {
    fn open(&mut self, out: &mut Vec<Message>) -> bool {
        out.push(json_message(&json!({
            "type": "session.update",
            "session": {
                "type": "transcription",
                "audio": {"input": {
                    "format": {"type": "audio/pcm", "rate": RATE_HZ},
                    "transcription": self.transcription,
                    "turn_detection": null,
                }},
            },
        })));
        false
    }

    fn begin(&mut self) {
        // Both rates are within the resampler's limits.
        self.resampler = Resampler::new(HEAR_RATE_HZ, RATE_HZ).ok();
        self.sent_samples = 0;
        self.phase = Phase::Open;
        self.item = None;
        self.text.clear();
    }

    fn audio(&mut self, pcm: &[i16], out: &mut Vec<Message>) {
        let mut converted = Vec::with_capacity(pcm.len() * 3 / 2);
        if let Some(resampler) = &mut self.resampler {
            resampler.process(pcm, &mut converted);
        }
        self.append(&converted, out);
    }

    fn finish(&mut self, out: &mut Vec<Message>) {
        let mut rest = Vec::new();
        if let Some(resampler) = &mut self.resampler {
            resampler.flush(&mut rest);
        }
        rest.extend(padding(
            self.sent_samples + rest.len() as u64,
            COMMIT_SAMPLES_MIN,
        ));
        self.append(&rest, out);
        self.phase = Phase::Committed;
        out.push(json_message(&json!({"type": "input_audio_buffer.commit"})));
    }

    fn cancel(&mut self, out: &mut Vec<Message>) {
        if self.phase == Phase::Open {
            self.phase = Phase::Clearing;
            out.push(json_message(&json!({"type": "input_audio_buffer.clear"})));
        }
    }

    fn receive(&mut self, message: &Incoming, heard: &mut Vec<Heard>) -> Result<(), Fault> {
        let (kind, value) = super::remote::typed_json(message, "type")?;
        match kind.as_str() {
            "session.updated" => heard.push(Heard::Ready),
            "error" => {
                let error = value.get("error").cloned().unwrap_or_default();
                let error: ErrorBody = serde_json::from_value(error).unwrap_or_default();
                self.take_error(&error, heard)?;
            }
            "input_audio_buffer.cleared" if self.phase == Phase::Clearing => {
                // Its number may be given to what is said next.
                self.item = None;
                self.phase = Phase::Open;
                heard.push(Heard::Forgotten);
            }
            "input_audio_buffer.committed"
            | "conversation.item.input_audio_transcription.delta"
            | "conversation.item.input_audio_transcription.completed"
            | "conversation.item.input_audio_transcription.failed" => {
                let event = super::remote::parsed(value)?;
                self.take_item(&kind, event, heard)?;
            }
            // session.created, conversation.item.added and what may be added.
            _ => {}
        }
        Ok(())
    }
}

fn error_fault(error: &ErrorBody) -> Fault {
    let code = error.code.as_deref().unwrap_or_default();
    let kind = match (code, error.kind.as_deref().unwrap_or_default()) {
        ("rate_limit_exceeded" | "insufficient_quota", _)
        | (_, "rate_limit_error" | "tokens" | "insufficient_quota") => {
            FaultKind::RateLimited { retry_after: None }
        }
        ("session_expired", _) => FaultKind::BrokenOff,
        ("server_error" | "internal_error", _) | (_, "server_error") => FaultKind::Overloaded,
        _ => FaultKind::Refused,
    };
    Fault::new(
        kind,
        format!(
            "the server reported an error ({}); check {}",
            kind.name(),
            VARS.key
        ),
    )
}
