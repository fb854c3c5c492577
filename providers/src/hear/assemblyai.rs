//! AssemblyAI's Universal-Streaming recognizer: `v3/ws`.
//!
//! Wire format: <https://www.assemblyai.com/docs/streaming/message-sequence>, and the types of
//! `assemblyai` 1.8.

use std::collections::BTreeMap;

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
    key: "ASSEMBLYAI_API_KEY",
    base_url_var: "ASSEMBLYAI_BASE_URL",
    base_url: "wss://streaming.assemblyai.com",
    model_var: "ASSEMBLYAI_MODEL",
    model: "universal-streaming-english",
};

/// Key terms sent at most; the service takes 100 of 50 characters.
const KEY_TERMS_MAX: usize = 50;
const KEY_TERM_CHARS_MAX: usize = 50;
/// Silence after which the service would end a turn by itself; the engine decides that.
const TURN_SILENCE_MS_MAX: u32 = 10_000;
/// Shortest audio message, in samples: 50 ms.
const MESSAGE_SAMPLES_MIN: u64 = HEAR_RATE_HZ as u64 / 20;
/// Turns of one utterance that are kept; the service ends few by itself.
const TURNS_MAX: usize = 200;

/// The recognizer.
///
/// # Errors
/// Where TLS cannot be set up.
pub fn assemblyai(account: Account, limits: HearLimits) -> Result<RemoteHear, TlsSetupError> {
    RemoteHear::new(AssemblyAi { account }, limits)
}

struct AssemblyAi {
    account: Account,
}

impl Vendor for AssemblyAi {
    fn name(&self) -> &'static str {
        "assemblyai"
    }

    fn capabilities(&self) -> HearCapabilities {
        HearCapabilities {
            word_times: true,
            multilingual: !self.account.model.ends_with("-english"),
            remote: true,
        }
    }

    fn request(&self, context: &HearContext) -> WsRequest {
        let mut query = vec![
            ("sample_rate", HEAR_RATE_HZ.to_string()),
            ("encoding", "pcm_s16le".to_owned()),
            ("speech_model", self.account.model.clone()),
            ("format_turns", "false".to_owned()),
            ("end_of_turn_confidence_threshold", "1.0".to_owned()),
            ("max_turn_silence", TURN_SILENCE_MS_MAX.to_string()),
        ];
        let terms = key_terms(context, KEY_TERMS_MAX, KEY_TERM_CHARS_MAX);
        if !terms.is_empty() {
            query.push(("keyterms_prompt", json!(terms).to_string()));
        }
        WsRequest {
            url: ws_url(&self.account.base_url, "/v3/ws", &query),
            headers: vec![("authorization", self.account.api_key.expose().to_owned())],
            hint: format!("check {} and {}", VARS.key, VARS.model_var),
        }
    }

    fn protocol(&self, _context: &HearContext) -> Box<dyn Protocol> {
        Box::new(Turns::default())
    }
}

/// One connection.
#[derive(Default)]
pub(super) struct Turns {
    clock: AudioClock,
    is_finishing: bool,
    /// By the service's own number; a number below `first_turn` belongs to an earlier utterance.
    turns: BTreeMap<u64, Turn>,
    first_turn: u64,
}

#[derive(Default)]
struct Turn {
    words: Vec<RawWord>,
    is_over: bool,
}

#[derive(Deserialize)]
struct TurnEvent {
    turn_order: u64,
    end_of_turn: bool,
    words: Vec<Word>,
}

#[derive(Deserialize)]
struct Word {
    text: String,
    start: f64,
    end: f64,
}

#[derive(Deserialize)]
struct ErrorEvent {
    error_code: Option<u16>,
}

impl Turns {
    fn words(&self) -> Vec<RawWord> {
        self.turns
            .values()
            .flat_map(|turn| turn.words.iter().cloned())
            .collect()
    }

    fn take_turn(&mut self, event: TurnEvent, heard: &mut Vec<Heard>) {
        if event.turn_order < self.first_turn || self.turns.len() >= TURNS_MAX {
            return;
        }
        let words = event
            .words
            .iter()
            .filter_map(|word| {
                let (start_s, end_s) = (word.start / 1_000.0, word.end / 1_000.0);
                self.clock.word(&word.text, start_s, end_s)
            })
            .collect();
        let turn = Turn {
            words,
            is_over: event.end_of_turn,
        };
        self.turns.insert(event.turn_order, turn);
        if self.is_finishing && event.end_of_turn {
            self.is_finishing = false;
            self.first_turn = event.turn_order + 1;
            heard.push(Heard::Final(self.words()));
            self.turns.clear();
        } else {
            heard.push(Heard::Partial(self.words()));
        }
    }
}

impl Protocol for Turns {
    fn open(&mut self, _out: &mut Vec<Message>) -> bool {
        false
    }

    fn begin(&mut self) {
        if let Some((last, _)) = self.turns.last_key_value() {
            self.first_turn = last + 1;
        }
        self.clock.begin();
        self.is_finishing = false;
        self.turns.clear();
    }

    fn audio(&mut self, pcm: &[i16], out: &mut Vec<Message>) {
        let mut pcm = pcm.to_vec();
        pcm.extend(padding(pcm.len() as u64, MESSAGE_SAMPLES_MIN));
        self.clock.advance(pcm.len());
        out.push(Message::binary(pcm_bytes(&pcm)));
    }

    fn finish(&mut self, out: &mut Vec<Message>) {
        self.is_finishing = true;
        out.push(json_message(&json!({"type": "ForceEndpoint"})));
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
        out.push(json_message(&json!({"type": "Terminate"})));
    }

    fn receive(&mut self, message: &Incoming, heard: &mut Vec<Heard>) -> Result<(), Fault> {
        let value = super::remote::json(message)?;
        let kind = value.get("type").and_then(serde_json::Value::as_str);
        match kind {
            Some("Begin") => heard.push(Heard::Ready),
            Some("Turn") => {
                let event = super::remote::parsed(value)?;
                self.take_turn(event, heard);
            }
            Some("Error") => return Err(error_fault(value)),
            // Termination, Warning, Heartbeat and what may be added.
            Some(_) => {}
            None if value.get("error").is_some() => return Err(error_fault(value)),
            None => return Err(super::remote::malformed()),
        }
        Ok(())
    }

    fn settled(&self) -> Option<Vec<RawWord>> {
        (self.is_finishing && self.turns.values().all(|turn| turn.is_over)).then(|| self.words())
    }
}

fn error_fault(value: serde_json::Value) -> Fault {
    let code = serde_json::from_value::<ErrorEvent>(value)
        .ok()
        .and_then(|event| event.error_code);
    let kind = match code {
        Some(3_009 | 4_002 | 4_029 | 4_102) => FaultKind::RateLimited { retry_after: None },
        Some(3_008 | 4_008 | 4_031) => FaultKind::BrokenOff,
        Some(1_011 | 1_013 | 3_005) => FaultKind::Overloaded,
        Some(_) | None => FaultKind::Refused,
    };
    let code = code.map_or_else(|| "no code".to_owned(), |code| format!("code {code}"));
    Fault::new(
        kind,
        format!("the server reported an error ({code}); check {}", VARS.key),
    )
}
