//! OpenAI's Responses API.

use std::borrow::Cow;
use std::sync::Arc;

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::chat::code_of;
use super::config::ThinkConfig;
use super::history::{Item, id_of};
use super::remote::{
    GO_ON, Prompt, Reader, RemoteThink, Reply, Wire, malformed, reported, withheld,
};
use super::schema::{StrictRules, parameters, strict};
use crate::Fault;
use crate::net::BuildError;

/// Fewest output tokens that may be asked for.
const TOKENS_MIN: u32 = 16;
/// Longest id of a call.
const ID_LENGTH_MAX: usize = 64;

impl RemoteThink {
    /// OpenAI, by its Responses API.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn openai(config: ThinkConfig) -> Result<Self, BuildError> {
        Self::new(config, |config| Arc::new(Responses { config }))
    }
}

/// The least thinking that a model can do: on a call the first word matters. None where the model
/// does not know the setting.
pub(super) fn reasoning_effort(model: &str) -> Option<&'static str> {
    let is = |family: &str| {
        model
            .strip_prefix(family)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let chat = model.contains("-chat");
    match model {
        _ if chat => None,
        // The models before 5.1 cannot do without.
        _ if is("gpt-5") && !model.starts_with("gpt-5.") => Some("minimal"),
        _ if model.contains("-pro") || model.contains("-codex") => Some("low"),
        _ if model.starts_with("gpt-5.") || is("gpt-6") => Some("none"),
        _ if is("o1") || is("o3") || is("o4") => Some("low"),
        _ => None,
    }
}

struct Responses {
    config: Arc<ThinkConfig>,
}

impl Wire for Responses {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn hint(&self) -> String {
        self.config.hint()
    }

    fn request(&self, client: &Client, prompt: &Prompt<'_>) -> RequestBuilder {
        let url = format!("{}/responses", self.config.base_url);
        client
            .post(url)
            .bearer_auth(self.config.key())
            .json(&self.body(prompt))
    }

    fn probe(&self, client: &Client) -> RequestBuilder {
        client
            .get(format!("{}/models", self.config.base_url))
            .bearer_auth(self.config.key())
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ResponsesReader)
    }
}

impl Responses {
    fn body(&self, prompt: &Prompt<'_>) -> Value {
        let mut body = json!({
            "model": self.config.model,
            "instructions": prompt.system_with_notes(),
            "input": input(prompt),
            "max_output_tokens": prompt.limits.tokens_max.max(TOKENS_MIN),
            "prompt_cache_key": prompt.cache_key,
            // The history is ours; nothing of the call is kept there.
            "store": false,
            "stream": true,
        });
        if let Some(effort) = reasoning_effort(&self.config.model) {
            body["reasoning"] = json!({"effort": effort});
        }
        if !prompt.tools.is_empty() {
            body["parallel_tool_calls"] = json!(true);
            let tools = prompt.tools.iter().map(|tool| {
                let schema = parameters(tool);
                let strict_schema = strict(&schema, StrictRules::OpenAi);
                json!({
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "strict": strict_schema.is_some(),
                    "parameters": strict_schema.unwrap_or(schema),
                })
            });
            body["tools"] = tools.collect();
        }
        body
    }
}

fn input(prompt: &Prompt<'_>) -> Vec<Value> {
    let mut input = Vec::new();
    for item in &prompt.items {
        match item {
            Item::User(text) => input.push(json!({"role": "user", "content": text})),
            Item::Agent(text) => input.push(json!({"role": "assistant", "content": text})),
            Item::Calls(calls) => {
                input.extend(calls.iter().map(|call| {
                    json!({"type": "function_call", "call_id": id(call.id), "name": call.name,
                        "arguments": call.arguments})
                }));
                input.extend(calls.iter().map(|call| {
                    json!({"type": "function_call_output", "call_id": id(call.id),
                        "output": call.result})
                }));
            }
        }
    }
    if let Some(said) = prompt.already_said {
        input.push(json!({"role": "assistant", "content": said}));
        input.push(json!({"role": "developer", "content": GO_ON}));
    }
    input
}

fn id(id: &str) -> Cow<'_, str> {
    id_of(
        id,
        |id| !id.is_empty() && id.len() <= ID_LENGTH_MAX,
        ID_LENGTH_MAX,
    )
}

/// One event. There are some sixty kinds; those of text and function calls are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    output_index: usize,
    delta: Option<String>,
    arguments: Option<String>,
    item: Option<OutputItem>,
    response: Option<ResponseState>,
    code: Option<String>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputItem {
    #[serde(rename = "type")]
    kind: String,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResponseState {
    usage: Option<Usage>,
    error: Option<Value>,
    incomplete_details: Option<Incomplete>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Incomplete {
    reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
    input_tokens_details: Option<InputDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: u64,
}

struct ResponsesReader;

impl Reader for ResponsesReader {
    fn take(&mut self, data: &str, reply: &mut Reply) -> Result<(), Fault> {
        if data.trim().is_empty() {
            return Ok(());
        }
        let event: Event = serde_json::from_str(data).map_err(|_| malformed("Responses"))?;
        match event.kind.as_str() {
            "" => Err(malformed("Responses")),
            // A refusal is an answer too: the caller hears it.
            "response.output_text.delta" | "response.refusal.delta" => {
                reply.say(event.delta.as_deref().unwrap_or_default())
            }
            "response.output_item.added" => {
                let item = event.item.filter(|item| item.kind == "function_call");
                if let Some(item) = item {
                    let call = reply.call(event.output_index)?;
                    call.id(item.call_id.as_deref()).name(item.name.as_deref());
                }
                Ok(())
            }
            "response.function_call_arguments.delta" => {
                reply
                    .call(event.output_index)?
                    .arguments(event.delta.as_deref())?;
                Ok(())
            }
            "response.function_call_arguments.done" => {
                reply
                    .call(event.output_index)?
                    .all_arguments(event.arguments.as_deref())?;
                Ok(())
            }
            "response.output_item.done" => {
                let item = event.item.filter(|item| item.kind == "function_call");
                if let Some(item) = item {
                    reply
                        .call(event.output_index)?
                        .all_arguments(item.arguments.as_deref())?;
                }
                Ok(())
            }
            "response.completed" | "response.incomplete" => {
                take_end(event.response.unwrap_or_default(), reply)
            }
            "response.failed" => {
                let error = event.response.and_then(|response| response.error);
                Err(reported(code_of(&error.unwrap_or_default())))
            }
            "error" => {
                let code = event
                    .code
                    .unwrap_or_else(|| code_of(&event.error.unwrap_or_default()).to_owned());
                Err(reported(&code))
            }
            _ => Ok(()),
        }
    }
}

fn take_end(response: ResponseState, reply: &mut Reply) -> Result<(), Fault> {
    if let Some(usage) = response.usage {
        let total = reply.usage_mut();
        total.input_tokens = usage.input_tokens;
        total.output_tokens = usage.output_tokens;
        let details = usage.input_tokens_details.unwrap_or_default();
        total.cached_input_tokens = details.cached_tokens;
    }
    let reason = response.incomplete_details.unwrap_or_default().reason;
    if reason == "content_filter" {
        return Err(withheld());
    }
    reply.end();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::reasoning_effort;

    #[test]
    fn models_think_as_little_as_they_can() {
        for (model, effort) in [
            ("gpt-4o-mini", None),
            ("gpt-4.1", None),
            ("gpt-5", Some("minimal")),
            ("gpt-5-mini", Some("minimal")),
            ("gpt-5-chat-latest", None),
            ("gpt-5.1", Some("none")),
            ("gpt-5.4-mini", Some("none")),
            ("gpt-5.2-pro", Some("low")),
            ("gpt-6-luna", Some("none")),
            ("gpt-6.2-sol", Some("none")),
            ("gpt-60", None),
            ("o3-mini", Some("low")),
            ("llama3.2", None),
        ] {
            assert_eq!(reasoning_effort(model), effort, "{model}");
        }
    }
}
