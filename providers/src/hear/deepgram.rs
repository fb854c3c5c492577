//! Deepgram's live recognizer: `v1/listen` over WebSocket.
//!
//! Wire format: <https://developers.deepgram.com/reference/speech-to-text/listen-streaming>,
//! and the types of `deepgram-sdk` 7.17.

use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::remote::{
    AudioClock, HearLimits, Heard, Protocol, RawWord, RemoteHear, Vendor, key_terms,
};
use super::{HEAR_RATE_HZ, HearCapabilities, HearContext};
use crate::net::{
    Account, AccountVars, Incoming, TlsSetupError, WsRequest, json_message, pcm_bytes, ws_url,
};
use crate::{Fault, FaultKind};

/// Its environment variables.
pub const VARS: AccountVars = AccountVars {
    key: "DEEPGRAM_API_KEY",
    base_url_var: "DEEPGRAM_BASE_URL",
    base_url: "https://api.deepgram.com",
    model_var: "DEEPGRAM_MODEL",
    model: "nova-3",
};

/// Key terms sent at most; Deepgram takes 500 tokens.
const KEY_TERMS_MAX: usize = 50;
const KEY_TERM_CHARS_MAX: usize = 40;
/// Results end at whole frames of the model, a little before the audio does.
const COVERED_SLACK_S: f64 = 0.05;
/// Audio at the end of an utterance, seconds, of which nothing need be told: shorter than a word. A
/// server that was silent about more has not heard it yet.
const UNTOLD_S_MAX: f64 = 0.3;

/// The recognizer.
///
/// # Errors
/// Where TLS cannot be set up.
pub fn deepgram(account: Account, limits: HearLimits) -> Result<RemoteHear, TlsSetupError> {
    RemoteHear::new(Deepgram { account }, limits)
}

struct Deepgram {
    account: Account,
}

impl Vendor for Deepgram {
    fn name(&self) -> &'static str {
        "deepgram"
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
            ("model", self.account.model.clone()),
            ("encoding", "linear16".to_owned()),
            ("sample_rate", HEAR_RATE_HZ.to_string()),
            ("channels", "1".to_owned()),
            ("interim_results", "true".to_owned()),
            // The engine decides where a turn ends.
            ("endpointing", "false".to_owned()),
            ("punctuate", "false".to_owned()),
            ("smart_format", "false".to_owned()),
        ];
        // Only this family takes key terms; others answer 400.
        if self.account.model.starts_with("nova-3") {
            let terms = key_terms(context, KEY_TERMS_MAX, KEY_TERM_CHARS_MAX);
            query.extend(terms.into_iter().map(|term| ("keyterm", term)));
        }
        WsRequest {
            url: ws_url(&self.account.base_url, "/v1/listen", &query),
            headers: vec![(
                "authorization",
                format!("Token {}", self.account.api_key.expose()),
            )],
            hint: format!("check {} and {}", VARS.key, VARS.model_var),
        }
    }

    fn protocol(&self, _context: &HearContext) -> Box<dyn Protocol> {
        Box::new(Listen::default())
    }
}

/// One connection.
#[derive(Default)]
pub(super) struct Listen {
    clock: AudioClock,
    is_finishing: bool,
    finals: Vec<RawWord>,
    /// Words that are not yet final.
    interim: Vec<RawWord>,
    /// Seconds of the connection's audio whose words are final.
    covered_s: f64,
    /// Seconds of the connection's audio of which any result has come.
    told_s: f64,
}

#[derive(Deserialize)]
struct Results {
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    from_finalize: bool,
    start: f64,
    duration: f64,
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    alternatives: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    words: Vec<Word>,
}

#[derive(Deserialize)]
struct Word {
    word: String,
    start: f64,
    end: f64,
}

impl Listen {
    fn take_results(&mut self, results: Results, heard: &mut Vec<Heard>) {
        let words = results
            .channel
            .alternatives
            .into_iter()
            .next()
            .map_or_else(Vec::new, |best| best.words);
        let words: Vec<RawWord> = words
            .iter()
            .filter_map(|word| self.clock.word(&word.word, word.start, word.end))
            .collect();
        self.told_s = self.told_s.max(results.start + results.duration);
        if results.is_final {
            self.interim.clear();
            self.finals.extend(words);
            self.covered_s = self.covered_s.max(results.start + results.duration);
        } else {
            self.interim = words;
        }
        // Where the end of the audio is final already, no answer to Finalize need come.
        let covered = self.covered_s + COVERED_SLACK_S >= self.clock.sent_s();
        if self.is_finishing && results.is_final && (results.from_finalize || covered) {
            self.is_finishing = false;
            heard.push(Heard::Final(std::mem::take(&mut self.finals)));
        } else {
            let mut words = self.finals.clone();
            words.extend(self.interim.iter().cloned());
            heard.push(Heard::Partial(words));
        }
    }
}

impl Protocol for Listen {
    fn open(&mut self, _out: &mut Vec<Message>) -> bool {
        true
    }

    fn begin(&mut self) {
        self.clock.begin();
        self.is_finishing = false;
        self.finals.clear();
        self.interim.clear();
    }

    fn audio(&mut self, pcm: &[i16], out: &mut Vec<Message>) {
        self.clock.advance(pcm.len());
        out.push(Message::binary(pcm_bytes(pcm)));
    }

    fn finish(&mut self, out: &mut Vec<Message>) {
        self.is_finishing = true;
        out.push(json_message(&json!({"type": "Finalize"})));
    }

    fn cancel(&mut self, out: &mut Vec<Message>) {
        if !self.is_finishing {
            self.finish(out);
        }
    }

    fn keep_alive(&mut self, out: &mut Vec<Message>) {
        out.push(json_message(&json!({"type": "KeepAlive"})));
    }

    fn close(&mut self, out: &mut Vec<Message>) {
        out.push(json_message(&json!({"type": "CloseStream"})));
    }

    fn receive(&mut self, message: &Incoming, heard: &mut Vec<Heard>) -> Result<(), Fault> {
        let (kind, value) = super::remote::typed_json(message, "type")?;
        match kind.as_str() {
            "Results" => {
                let results = super::remote::parsed(value)?;
                self.take_results(results, heard);
                Ok(())
            }
            "Error" => Err(Fault::new(
                FaultKind::Refused,
                "the server reported an error: it could not read what was sent",
            )),
            // Metadata, SpeechStarted, UtteranceEnd and what may be added.
            _ => Ok(()),
        }
    }

    fn settled(&self) -> Option<Vec<RawWord>> {
        let told = self.told_s + UNTOLD_S_MAX >= self.clock.sent_s();
        (self.is_finishing && told && self.interim.is_empty()).then(|| self.finals.clone())
    }
}
