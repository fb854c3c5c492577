//! Google's Gemini API.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::chat::code_of;
use super::config::ThinkConfig;
use super::history::{CallItem, Item};
use super::remote::{
    GO_ON, Prompt, Reader, RemoteThink, Reply, Wire, malformed, reported, with_secret, withheld,
};
use super::schema::{gemini as gemini_schema, parameters};
use crate::net::BuildError;
use crate::{Fault, FaultKind};

/// The version of the API that is spoken.
const API_VERSION: &str = "v1beta";
/// Signatures remembered; calls are answered within seconds.
const SIGNATURES_MAX: usize = 512;
/// Longest signature remembered, bytes.
const SIGNATURE_BYTES_MAX: usize = 64 * 1_024;
/// Stands for a signature that is not known (another provider made the call), as Google's
/// documents say.
const SIGNATURE_UNKNOWN: &str = "skip_thought_signature_validator";
/// Longest wait that a server is believed to ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);
/// Stands where the caller said nothing: conversations begin and end with the user.
const SILENCE: &str = "(silence)";

impl RemoteThink {
    /// Google Gemini.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn gemini(config: ThinkConfig) -> Result<Self, BuildError> {
        Self::new(config, |config| {
            let signatures = Arc::default();
            Arc::new(Gemini { config, signatures })
        })
    }
}

/// What models from 3 on want to see again with each call that they made: what they thought.
#[derive(Default)]
struct Signatures(Mutex<VecDeque<(String, String)>>);

impl Signatures {
    fn keep(&self, id: &str, signature: String) {
        if signature.len() > SIGNATURE_BYTES_MAX {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= SIGNATURES_MAX {
            kept.pop_front();
        }
        kept.push_back((id.to_owned(), signature));
    }

    fn find(&self, id: &str) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().rev().find(|(other, _)| other == id);
        found.map(|(_, signature)| signature.clone())
    }
}

struct Gemini {
    config: Arc<ThinkConfig>,
    signatures: Arc<Signatures>,
}

impl Gemini {
    /// The key goes into a header: a URL is logged everywhere.
    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        with_secret(request, "x-goog-api-key", self.config.key())
    }

    fn model(&self) -> &str {
        self.config.model.trim_start_matches("models/")
    }

    fn body(&self, prompt: &Prompt<'_>) -> Value {
        let mut system = vec![json!({"text": prompt.system})];
        if let Some(notes) = &prompt.notes {
            system.push(json!({"text": notes}));
        }
        let mut generation = json!({"maxOutputTokens": prompt.limits.tokens_max});
        if !prompt.limits.stop.is_empty() {
            generation["stopSequences"] = json!(prompt.limits.stop);
        }
        if let Some(thinking) = thinking(self.model()) {
            generation["thinkingConfig"] = thinking;
        }
        let mut body = json!({
            "systemInstruction": {"parts": system},
            "contents": self.contents(prompt),
            "generationConfig": generation,
        });
        if !prompt.tools.is_empty() {
            let declared = prompt.tools.iter().map(|tool| {
                let mut made = json!({"name": tool.name, "description": tool.description});
                if let Some(schema) = gemini_schema(&parameters(tool)) {
                    made["parameters"] = schema;
                }
                made
            });
            body["tools"] = json!([{"functionDeclarations": declared.collect::<Value>()}]);
        }
        body
    }

    /// User and model take turns, the user first and last.
    fn contents(&self, prompt: &Prompt<'_>) -> Vec<Value> {
        let mut contents = Vec::new();
        let text = |text: &str| vec![json!({"text": text})];
        for item in &prompt.items {
            match item {
                Item::User(words) => add(&mut contents, "user", text(words)),
                Item::Agent(words) => add(&mut contents, "model", text(words)),
                Item::Calls(calls) => {
                    add(&mut contents, "model", self.call_parts(calls));
                    add(
                        &mut contents,
                        "user",
                        calls.iter().map(response_part).collect(),
                    );
                }
            }
        }
        if let Some(said) = prompt.already_said {
            add(&mut contents, "model", text(said));
            add(&mut contents, "user", text(GO_ON));
        }
        if contents.last().is_none_or(|last| last["role"] == "model") {
            add(&mut contents, "user", text(SILENCE));
        }
        contents
    }

    fn call_parts(&self, calls: &[CallItem<'_>]) -> Vec<Value> {
        let is_signed =
            !self.model().starts_with("gemini-2") && !self.model().starts_with("gemini-1");
        let parts = calls.iter().enumerate().map(|(nth, call)| {
            let made = json!({"id": call.id, "name": call.name, "args": call.arguments_object()});
            let mut part = json!({"functionCall": made});
            // Of calls made at once only the first is signed.
            let unknown = (nth == 0).then(|| SIGNATURE_UNKNOWN.to_owned());
            if let Some(signature) = self
                .signatures
                .find(call.id)
                .or(unknown.filter(|_| is_signed))
            {
                part["thoughtSignature"] = json!(signature);
            }
            part
        });
        parts.collect()
    }
}

/// The least thinking that a model can do: on a call the first word matters.
fn thinking(model: &str) -> Option<Value> {
    match model {
        _ if model.starts_with("gemini-1") || model.starts_with("gemini-2.0") => None,
        _ if model.starts_with("gemini-2.5-pro") => Some(json!({"thinkingBudget": 128})),
        _ if model.starts_with("gemini-2.5") => Some(json!({"thinkingBudget": 0})),
        _ if model.starts_with("gemini-") && model.contains("-pro") => {
            Some(json!({"thinkingLevel": "low"}))
        }
        _ if model.starts_with("gemini-") => Some(json!({"thinkingLevel": "minimal"})),
        _ => None,
    }
}

fn add(contents: &mut Vec<Value>, role: &str, parts: Vec<Value>) {
    if contents.is_empty() && role == "model" {
        add(contents, "user", vec![json!({"text": SILENCE})]);
    }
    let last = contents.last_mut().filter(|last| last["role"] == role);
    match last.and_then(|last| last["parts"].as_array_mut()) {
        Some(known) => known.extend(parts),
        None => contents.push(json!({"role": role, "parts": parts})),
    }
}

fn response_part(call: &CallItem<'_>) -> Value {
    json!({"functionResponse": {"id": call.id, "name": call.name,
        "response": {"output": call.result}}})
}

impl Wire for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn hint(&self) -> String {
        self.config.hint()
    }

    fn request(&self, client: &Client, prompt: &Prompt<'_>) -> RequestBuilder {
        let (base, model) = (&self.config.base_url, self.model());
        let url = format!("{base}/{API_VERSION}/models/{model}:streamGenerateContent?alt=sse");
        self.authorized(client.post(url)).json(&self.body(prompt))
    }

    fn probe(&self, client: &Client) -> RequestBuilder {
        let url = format!("{}/{API_VERSION}/models?pageSize=1", self.config.base_url);
        self.authorized(client.get(url))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(GeminiReader {
            signatures: Arc::clone(&self.signatures),
        })
    }

    /// Google tells in the body what others tell in headers and in the status.
    fn refine(&self, mut fault: Fault, body: &[u8]) -> Fault {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return fault;
        };
        let error = if body.is_array() {
            &body[0]["error"]
        } else {
            &body["error"]
        };
        let details = error["details"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        match &mut fault.kind {
            FaultKind::RateLimited { retry_after } => {
                let delay = details
                    .iter()
                    .find_map(|detail| detail["retryDelay"].as_str());
                *retry_after = retry_after.or_else(|| seconds(delay?));
            }
            FaultKind::Refused if details.iter().any(|d| d["reason"] == "API_KEY_INVALID") => {
                fault.reason = format!("it does not accept the key; {}", self.config.hint());
            }
            FaultKind::Refused
            | FaultKind::Unreachable
            | FaultKind::Overloaded
            | FaultKind::TooSlow
            | FaultKind::BrokenOff
            | FaultKind::Malformed
            | FaultKind::Internal => {}
        }
        fault
    }
}

/// `32s` or `0.5s`.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    let seconds = seconds.min(RETRY_AFTER_MAX.as_secs_f64());
    Duration::try_from_secs_f64(seconds).ok()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Chunk {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Usage>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    parts: Option<Vec<Part>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    thought: bool,
    function_call: Option<FunctionCall>,
    thought_signature: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FunctionCall {
    id: Option<String>,
    name: Option<String>,
    args: Option<Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

/// Totals so far; what is cached is in the prompt's count, what is thought is not in the
/// candidates'.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Usage {
    prompt_token_count: u64,
    cached_content_token_count: u64,
    candidates_token_count: u64,
    thoughts_token_count: u64,
}

struct GeminiReader {
    signatures: Arc<Signatures>,
}

impl Reader for GeminiReader {
    fn take(&mut self, data: &str, reply: &mut Reply) -> Result<(), Fault> {
        if data.trim().is_empty() {
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| malformed("Gemini"))?;
        if let Some(error) = &chunk.error {
            let status = error["status"].as_str().unwrap_or_else(|| code_of(error));
            return Err(reported(status));
        }
        let is_empty = chunk.candidates.is_none() && chunk.prompt_feedback.is_none();
        if is_empty && chunk.usage_metadata.is_none() {
            return Err(malformed("Gemini"));
        }
        if let Some(usage) = chunk.usage_metadata {
            let total = reply.usage_mut();
            total.input_tokens = usage.prompt_token_count;
            total.cached_input_tokens = usage.cached_content_token_count;
            total.output_tokens = usage.candidates_token_count + usage.thoughts_token_count;
        }
        if chunk
            .prompt_feedback
            .is_some_and(|feedback| feedback.block_reason.is_some())
        {
            return Err(withheld());
        }
        // No other candidate is asked for.
        let Some(candidate) = chunk.candidates.unwrap_or_default().into_iter().next() else {
            return Ok(());
        };
        for part in candidate
            .content
            .and_then(|content| content.parts)
            .unwrap_or_default()
        {
            self.take_part(part, reply)?;
        }
        match candidate.finish_reason.as_deref() {
            None | Some("" | "FINISH_REASON_UNSPECIFIED") => Ok(()),
            Some("STOP" | "MAX_TOKENS") => {
                reply.end();
                Ok(())
            }
            Some("MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "MALFORMED_RESPONSE") => {
                let reason = "the model wrote a tool call that cannot be read";
                Err(Fault::new(FaultKind::Malformed, reason))
            }
            Some("MISSING_THOUGHT_SIGNATURE") => Err(reported("INVALID_ARGUMENT")),
            Some(_) => Err(withheld()),
        }
    }
}

impl GeminiReader {
    fn take_part(&self, part: Part, reply: &mut Reply) -> Result<(), Fault> {
        if let Some(call) = part.function_call {
            // Calls of older models have no id; results are told apart by it all the same.
            static MADE: AtomicU64 = AtomicU64::new(0);
            let id = call
                .id
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| format!("gemini_{}", MADE.fetch_add(1, Ordering::Relaxed)));
            if let Some(signature) = part.thought_signature {
                self.signatures.keep(&id, signature);
            }
            let arguments = Value::Object(call.args.unwrap_or_default()).to_string();
            let slot = reply.calls();
            let made = reply.call(slot)?.id(Some(&id)).name(call.name.as_deref());
            made.arguments(Some(&arguments))?;
        }
        match part.text {
            Some(text) if !part.thought => reply.say(&text),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Signatures, seconds, thinking};

    #[test]
    fn models_think_as_little_as_they_can() {
        assert_eq!(thinking("gemini-2.0-flash"), None);
        assert_eq!(
            thinking("gemini-2.5-flash"),
            Some(serde_json::json!({"thinkingBudget": 0}))
        );
        assert_eq!(
            thinking("gemini-3.5-flash"),
            Some(serde_json::json!({"thinkingLevel": "minimal"}))
        );
        assert_eq!(thinking("gemma-3"), None);
    }

    #[test]
    fn delays_are_read() {
        for (text, want) in [
            ("32s", Some(Duration::from_secs(32))),
            ("0.5s", Some(Duration::from_millis(500))),
            ("9000s", Some(Duration::from_secs(600))),
            ("-1s", None),
            ("soon", None),
        ] {
            assert_eq!(seconds(text), want, "{text}");
        }
    }

    #[test]
    fn signatures_are_few() {
        let signatures = Signatures::default();
        for nth in 0..2_000 {
            signatures.keep(&format!("call{nth}"), format!("signature{nth}"));
        }
        assert_eq!(signatures.find("call0"), None);
        assert_eq!(
            signatures.find("call1999").as_deref(),
            Some("signature1999")
        );
    }
}
