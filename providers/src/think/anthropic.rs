//! Anthropic's Messages API.

use std::borrow::Cow;
use std::sync::Arc;

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::chat::code_of;
use super::config::ThinkConfig;
use super::history::{CallItem, Item, id_of};
use super::remote::{
    GO_ON, Prompt, Reader, RemoteThink, Reply, Wire, malformed, reported, with_secret, withheld,
};
use super::schema::{StrictRules, parameters, strict};
use crate::Fault;
use crate::net::BuildError;

/// The version of the API that is spoken, as its documents name it.
const API_VERSION: &str = "2023-06-01";
/// Length of an id made in the place of another provider's.
const ID_LENGTH: usize = 24;
/// Tokens left for thinking to models that cannot do without; they count as output.
const THINKING_TOKENS: u32 = 1_024;
/// Stands where the caller said nothing: conversations begin and end with the user.
const SILENCE: &str = "(silence)";

impl RemoteThink {
    /// Anthropic.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn anthropic(config: ThinkConfig) -> Result<Self, BuildError> {
        Self::new(config, |config| Arc::new(Messages { config }))
    }
}

/// Generation of a model by its name, `claude-haiku-4-5` being (4, 5). A name that cannot be read
/// is taken for a new one.
fn generation(model: &str) -> (u32, u32) {
    let mut numbers = model.split('-').filter_map(|part| part.parse::<u32>().ok());
    // A date is no version.
    let mut next = || numbers.next().filter(|number| *number < 100);
    match next() {
        Some(major) => (major, next().unwrap_or(0)),
        None => (u32::MAX, 0),
    }
}

struct Messages {
    config: Arc<ThinkConfig>,
}

impl Messages {
    /// Words can be put into the mouth of models before 4.6 only.
    fn can_prefill(&self) -> bool {
        generation(&self.config.model) < (4, 6)
    }

    /// From the fifth generation on models think unless they are asked for little effort.
    fn thinks(&self) -> bool {
        generation(&self.config.model) >= (5, 0)
    }

    fn with_headers(&self, request: RequestBuilder) -> RequestBuilder {
        with_secret(request, "x-api-key", self.config.key())
            .header("anthropic-version", API_VERSION)
    }

    fn body(&self, prompt: &Prompt<'_>) -> Value {
        let mut system = vec![json!({"type": "text", "text": prompt.system,
            "cache_control": {"type": "ephemeral"}})];
        if let Some(notes) = &prompt.notes {
            system.push(json!({"type": "text", "text": notes.trim()}));
        }
        let mut body = json!({
            "model": self.config.model,
            "max_tokens": prompt.limits.tokens_max,
            "system": system,
            "messages": self.messages(prompt),
            "stream": true,
        });
        if self.thinks() {
            body["max_tokens"] = json!(prompt.limits.tokens_max.saturating_add(THINKING_TOKENS));
            body["output_config"] = json!({"effort": "low"});
        }
        // Blank ones are refused.
        let stop: Vec<&String> = prompt
            .limits
            .stop
            .iter()
            .filter(|stop| !stop.trim().is_empty())
            .collect();
        if !stop.is_empty() {
            body["stop_sequences"] = json!(stop);
        }
        if !prompt.tools.is_empty() {
            let mut tools: Vec<Value> = prompt.tools.iter().map(|tool| self.tool(tool)).collect();
            if let Some(last) = tools.last_mut() {
                last["cache_control"] = json!({"type": "ephemeral"});
            }
            body["tools"] = Value::Array(tools);
        }
        body
    }

    fn tool(&self, tool: &super::ToolDeclaration) -> Value {
        let schema = parameters(tool);
        let rules = StrictRules::Anthropic;
        let strict_schema =
            strict(&schema, rules).filter(|_| generation(&self.config.model) >= (4, 5));
        let mut made = json!({"name": tool.name, "description": tool.description});
        if strict_schema.is_some() {
            made["strict"] = json!(true);
        }
        made["input_schema"] = strict_schema.unwrap_or(schema);
        made
    }

    /// User and assistant take turns, the user first and last; results come before words.
    fn messages(&self, prompt: &Prompt<'_>) -> Vec<Value> {
        let mut turns = Turns::default();
        for item in &prompt.items {
            match item {
                Item::User(text) => turns.add("user", vec![text_block(text)]),
                Item::Agent(text) => turns.add("assistant", vec![text_block(text)]),
                Item::Calls(calls) => {
                    turns.add("assistant", calls.iter().map(use_block).collect());
                    turns.add("user", calls.iter().map(result_block).collect());
                }
            }
        }
        let prefill = prompt.already_said.filter(|_| self.can_prefill());
        if let Some(said) = prompt.already_said.filter(|_| prefill.is_none()) {
            turns.add("assistant", vec![text_block(said)]);
            turns.add("user", vec![text_block(GO_ON)]);
        }
        turns.end_with_user();
        turns.cache_last();
        if let Some(said) = prefill {
            // Trailing spaces are refused.
            turns.add("assistant", vec![text_block(said.trim_end())]);
        }
        turns.0
    }
}

/// Messages in which no role stands twice in a row.
#[derive(Default)]
struct Turns(Vec<Value>);

impl Turns {
    fn add(&mut self, role: &str, blocks: Vec<Value>) {
        if self.0.is_empty() && role == "assistant" {
            self.add("user", vec![text_block(SILENCE)]);
        }
        let last = self.0.last_mut().filter(|last| last["role"] == role);
        match last.and_then(|last| last["content"].as_array_mut()) {
            Some(content) => content.extend(blocks),
            None => self.0.push(json!({"role": role, "content": blocks})),
        }
    }

    fn end_with_user(&mut self) {
        if self.0.last().is_none_or(|last| last["role"] == "assistant") {
            self.add("user", vec![text_block(SILENCE)]);
        }
    }

    /// What was said so far is read from the cache at the next turn.
    fn cache_last(&mut self) {
        let content = self
            .0
            .last_mut()
            .and_then(|last| last["content"].as_array_mut());
        if let Some(block) = content.and_then(|content| content.last_mut()) {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
    }
}

fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn use_block(call: &CallItem<'_>) -> Value {
    json!({"type": "tool_use", "id": id(call.id), "name": call.name,
        "input": call.arguments_object()})
}

fn result_block(call: &CallItem<'_>) -> Value {
    json!({"type": "tool_result", "tool_use_id": id(call.id), "content": call.result})
}

fn id(id: &str) -> Cow<'_, str> {
    let fits = |id: &str| {
        let is_fine = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
        !id.is_empty() && id.len() <= 64 && id.bytes().all(is_fine)
    };
    id_of(id, fits, ID_LENGTH)
}

impl Wire for Messages {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn hint(&self) -> String {
        self.config.hint()
    }

    fn request(&self, client: &Client, prompt: &Prompt<'_>) -> RequestBuilder {
        let url = format!("{}/v1/messages", self.config.base_url);
        self.with_headers(client.post(url)).json(&self.body(prompt))
    }

    fn probe(&self, client: &Client) -> RequestBuilder {
        self.with_headers(client.get(format!("{}/v1/models?limit=1", self.config.base_url)))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(MessagesReader)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    index: usize,
    message: Option<Start>,
    content_block: Option<Block>,
    delta: Option<Delta>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Start {
    usage: Option<Usage>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    name: Option<String>,
    text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delta {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
}

/// Totals so far. What is read from the cache, or written to it, is not in `input_tokens`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

struct MessagesReader;

impl Reader for MessagesReader {
    fn take(&mut self, data: &str, reply: &mut Reply) -> Result<(), Fault> {
        if data.trim().is_empty() {
            return Ok(());
        }
        let event: Event = serde_json::from_str(data).map_err(|_| malformed("Messages"))?;
        match event.kind.as_str() {
            "" => Err(malformed("Messages")),
            "message_start" => {
                let usage = event.message.and_then(|message| message.usage);
                take_usage(&usage.unwrap_or_default(), reply);
                Ok(())
            }
            "content_block_start" => {
                let block = event.content_block.unwrap_or_default();
                if block.kind == "tool_use" {
                    reply
                        .call(event.index)?
                        .id(block.id.as_deref())
                        .name(block.name.as_deref());
                    return Ok(());
                }
                reply.say(block.text.as_deref().unwrap_or_default())
            }
            "content_block_delta" => {
                let delta = event.delta.unwrap_or_default();
                match delta.kind.as_str() {
                    "text_delta" => reply.say(delta.text.as_deref().unwrap_or_default()),
                    "input_json_delta" => {
                        reply
                            .call(event.index)?
                            .arguments(delta.partial_json.as_deref())?;
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
            "message_delta" => {
                take_usage(&event.usage.unwrap_or_default(), reply);
                match event.delta.and_then(|delta| delta.stop_reason).as_deref() {
                    Some("refusal") => Err(withheld()),
                    Some(_) => {
                        reply.finish();
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
            "message_stop" => {
                reply.end();
                Ok(())
            }
            "error" => Err(reported(code_of(&event.error.unwrap_or_default()))),
            _ => Ok(()),
        }
    }
}

fn take_usage(usage: &Usage, reply: &mut Reply) {
    let total = reply.usage_mut();
    if let Some(fresh) = usage.input_tokens {
        let read = usage.cache_read_input_tokens.unwrap_or(0);
        let written = usage.cache_creation_input_tokens.unwrap_or(0);
        total.input_tokens = fresh + read + written;
        total.cached_input_tokens = read;
    }
    if let Some(output) = usage.output_tokens {
        total.output_tokens = output;
    }
}

#[cfg(test)]
mod tests {
    use super::generation;

    #[test]
    fn generations_are_read_from_names() {
        for (model, want) in [
            ("claude-haiku-4-5", (4, 5)),
            ("claude-haiku-4-5-20251001", (4, 5)),
            ("claude-sonnet-4-20250514", (4, 0)),
            ("claude-3-5-haiku-latest", (3, 5)),
            ("claude-opus-4-6", (4, 6)),
            ("claude-sonnet-5", (5, 0)),
            ("claude-haiku-5-5", (5, 5)),
            ("something-new", (u32::MAX, 0)),
        ] {
            assert_eq!(generation(model), want, "{model}");
        }
    }
}
