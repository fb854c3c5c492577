//! ElevenLabs Scribe v2 Realtime, over WebSocket.
//!
//! Wire format: <https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime>,
//! and the types of `elevenlabs` 2.78 (PyPI).

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::remote::{
    AudioClock, HearLimits, Heard, Protocol, RawWord, RemoteHear, Vendor, key_terms, padding,
};
use super::{HEAR_RATE_HZ, HearCapabilities, HearContext};
use crate::net::{
    Account, AccountVars, Incoming, TlsSetupError, WsRequest, json_message, pcm_bytes, ws_url,
};
use crate::{Fault, FaultKind};

/// Its environment variables.
pub const VARS: AccountVars = AccountVars {
    key: "ELEVENLABS_API_KEY",
    base_url_var: "ELEVENLABS_BASE_URL",
    base_url: "https://api.elevenlabs.io",
    model_var: "ELEVENLABS_STT_MODEL",
    model: "scribe_v2_realtime",
};

/// Shortest audio that may be committed: 0.3 s; less is answered `commit_throttled`.
const COMMIT_SAMPLES_MIN: u64 = HEAR_RATE_HZ as u64 * 3 / 10;
/// Key terms sent at most, and their longest.
const KEY_TERMS_MAX: usize = 50;
const KEY_TERM_CHARS_MAX: usize = 20;
/// Times of words may be wrong by this, seconds.
const TIMES_SLACK_S: f64 = 0.1;

/// The recognizer.
///
/// # Errors
/// Where TLS cannot be set up.
pub fn elevenlabs_scribe(
    account: Account,
    limits: HearLimits,
) -> Result<RemoteHear, TlsSetupError> {
    RemoteHear::new(Scribe { account }, limits)
}

struct Scribe {
    account: Account,
}

impl Vendor for Scribe {
    fn name(&self) -> &'static str {
        "elevenlabs"
    }

    fn capabilities(&self) -> HearCapabilities {
        HearCapabilities {
            word_times: true,
            multilingual: true,
            remote: true,
        }
    }

    fn request(&self, context: &HearContext) -> WsRequest {
        let mut query = vec![
            ("model_id", self.account.model.clone()),
            ("audio_format", format!("pcm_{HEAR_RATE_HZ}")),
            ("commit_strategy", "manual".to_owned()),
            ("include_timestamps", "true".to_owned()),
        ];
        let terms = key_terms(context, KEY_TERMS_MAX, KEY_TERM_CHARS_MAX);
        query.extend(terms.into_iter().map(|term| ("keyterms", term)));
        WsRequest {
            url: ws_url(
                &self.account.base_url,
                "/v1/speech-to-text/realtime",
                &query,
            ),
            headers: vec![("xi-api-key", self.account.api_key.expose().to_owned())],
            hint: format!("check {} and {}", VARS.key, VARS.model_var),
        }
    }

    fn protocol(&self, _context: &HearContext) -> Box<dyn Protocol> {
        Box::new(Segments::default())
    }
}

/// One connection.
#[derive(Default)]
pub(super) struct Segments {
    clock: AudioClock,
    is_finishing: bool,
    /// Segments that the service committed by itself.
    finals: Vec<RawWord>,
    /// Times of words count from the segment's start.
    times_are_own: bool,
}

#[derive(Deserialize)]
struct Transcript {
    text: String,
    #[serde(default)]
    words: Option<Vec<Word>>,
}

#[derive(Deserialize)]
struct Word {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    start: Option<f64>,
    #[serde(default)]
    end: Option<f64>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl Segments {
    fn send(&mut self, pcm: &[i16], commit: bool, out: &mut Vec<Message>) {
        self.clock.advance(pcm.len());
        out.push(json_message(&json!({
            "message_type": "input_audio_chunk",
            "audio_base_64": BASE64.encode(&pcm_bytes(pcm)),
            "commit": commit,
            "sample_rate": HEAR_RATE_HZ,
        })));
    }

    fn words_of(&mut self, transcript: &Transcript) -> Vec<RawWord> {
        let Some(words) = transcript.words.as_ref().filter(|words| !words.is_empty()) else {
            return RawWord::sentence(&transcript.text);
        };
        let offset_s = self.offset_s(words);
        words
            .iter()
            .filter(|word| word.kind.as_deref() != Some("spacing"))
            .filter_map(|word| {
                let text = word.text.as_deref()?;
                Some(match (word.start, word.end) {
                    (Some(start), Some(end)) => {
                        RawWord::timed(text, start - offset_s, end - offset_s)
                    }
                    _ => RawWord::untimed(text),
                })
            })
            .collect()
    }

    /// What is to be taken off the words' times. The documents do not say whether they count from
    /// the session's start or from the segment's; words before this utterance's begin or behind
    /// its length show which.
    fn offset_s(&mut self, words: &[Word]) -> f64 {
        let length_s = self.clock.utterance_samples() as f64 / f64::from(HEAR_RATE_HZ);
        let begun_s = self.clock.begun_s();
        let first_s = words.iter().find_map(|word| word.start).unwrap_or(begun_s);
        let last_s = words.iter().filter_map(|word| word.end).fold(0.0, f64::max);
        if first_s + TIMES_SLACK_S < begun_s {
            self.times_are_own = true;
        } else if last_s > length_s + TIMES_SLACK_S {
            self.times_are_own = false;
        }
        if self.times_are_own { 0.0 } else { begun_s }
    }

    fn take_committed(&mut self, transcript: &Transcript, heard: &mut Vec<Heard>) {
        let words = self.words_of(transcript);
        self.finals.extend(words);
        if self.is_finishing {
            self.is_finishing = false;
            heard.push(Heard::Final(std::mem::take(&mut self.finals)));
        } else {
            heard.push(Heard::Partial(self.finals.clone()));
        }
    }
}

impl Protocol for Segments {
    fn open(&mut self, _out: &mut Vec<Message>) -> bool {
        false
    }

    fn begin(&mut self) {
        self.clock.begin();
        self.is_finishing = false;
        self.finals.clear();
    }

    fn audio(&mut self, pcm: &[i16], out: &mut Vec<Message>) {
        self.send(pcm, false, out);
    }

    fn finish(&mut self, out: &mut Vec<Message>) {
        self.is_finishing = true;
        let rest = padding(self.clock.utterance_samples(), COMMIT_SAMPLES_MIN);
        self.send(&rest, true, out);
    }

    fn cancel(&mut self, out: &mut Vec<Message>) {
        if !self.is_finishing {
            self.finish(out);
        }
    }

    fn receive(&mut self, message: &Incoming, heard: &mut Vec<Heard>) -> Result<(), Fault> {
        let (kind, value) = super::remote::typed_json(message, "message_type")?;
        match kind.as_str() {
            "session_started" => heard.push(Heard::Ready),
            "partial_transcript" => {
                let transcript: Transcript = super::remote::parsed(value)?;
                let mut words = self.finals.clone();
                words.extend(RawWord::sentence(&transcript.text));
                heard.push(Heard::Partial(words));
            }
            "committed_transcript_with_timestamps" => {
                let transcript: Transcript = super::remote::parsed(value)?;
                self.take_committed(&transcript, heard);
            }
            // Too little audio for a transcript, in spite of the padding.
            "commit_throttled" if self.is_finishing => {
                self.is_finishing = false;
                heard.push(Heard::Final(std::mem::take(&mut self.finals)));
            }
            // `committed_transcript` says the same as the one with times, which follows it.
            other => return error_fault(other).map_or(Ok(()), Err),
        }
        Ok(())
    }
}

/// Nothing where the message is no error.
fn error_fault(kind: &str) -> Option<Fault> {
    let limited = FaultKind::RateLimited { retry_after: None };
    let fault = match kind {
        "auth_error"
        | "unaccepted_terms"
        | "invalid_request"
        | "input_error"
        | "chunk_size_exceeded" => FaultKind::Refused,
        "quota_exceeded" | "rate_limited" | "commit_throttled" => limited,
        "queue_overflow" | "resource_exhausted" | "transcriber_error" | "error" => {
            FaultKind::Overloaded
        }
        "session_time_limit_exceeded" | "insufficient_audio_activity" => FaultKind::BrokenOff,
        _ => return None,
    };
    Some(Fault::new(
        fault,
        format!("the server reported `{kind}`; check {}", VARS.key),
    ))
}
