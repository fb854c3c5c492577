//! Chat Completions: OpenAI's older API, which nearly every other server speaks (Ollama, vLLM,
//! llama.cpp, Groq), and Mistral's, which differs in a few places.

use std::sync::Arc;

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ToolDeclaration;
use super::config::ThinkConfig;
use super::history::{CallItem, Item, id_of};
use super::remote::{
    GO_ON, Prompt, Reader, RemoteThink, Reply, Wire, malformed, reported, withheld,
};
use super::responses::reasoning_effort;
use super::schema::{StrictRules, parameters, strict};
use crate::Fault;
use crate::net::BuildError;

/// Length of the ids that Mistral takes: letters and digits, exactly this many.
const MISTRAL_ID_LENGTH: usize = 9;
/// Longest id that the others take.
const ID_LENGTH_MAX: usize = 40;

/// Stands where the caller said nothing: Mistral answers the user or a tool.
const SILENCE: &str = "(silence)";

/// Where servers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// What all servers understand.
    Compatible(&'static str),
    /// OpenAI's own.
    OpenAi,
    /// Mistral's: usage without being asked for, ids of nine characters, an answer's beginning may
    /// be given.
    Mistral,
}

impl RemoteThink {
    /// Any server that speaks Chat Completions.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn compatible(config: ThinkConfig) -> Result<Self, BuildError> {
        Self::compatible_named(config, "compatible")
    }

    pub(crate) fn compatible_named(
        config: ThinkConfig,
        name: &'static str,
    ) -> Result<Self, BuildError> {
        chat(config, Dialect::Compatible(name))
    }

    /// OpenAI's Chat Completions.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn openai_chat(config: ThinkConfig) -> Result<Self, BuildError> {
        chat(config, Dialect::OpenAi)
    }

    /// Mistral.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn mistral(config: ThinkConfig) -> Result<Self, BuildError> {
        chat(config, Dialect::Mistral)
    }
}

fn chat(config: ThinkConfig, dialect: Dialect) -> Result<RemoteThink, BuildError> {
    RemoteThink::new(config, |config| Arc::new(Chat { config, dialect }))
}

struct Chat {
    config: Arc<ThinkConfig>,
    dialect: Dialect,
}

impl Wire for Chat {
    fn name(&self) -> &'static str {
        match self.dialect {
            Dialect::Compatible(name) => name,
            Dialect::OpenAi => "openai-chat",
            Dialect::Mistral => "mistral",
        }
    }

    fn hint(&self) -> String {
        self.config.hint()
    }

    fn request(&self, client: &Client, prompt: &Prompt<'_>) -> RequestBuilder {
        let url = format!("{}/chat/completions", self.config.base_url);
        self.authorized(client.post(url)).json(&self.body(prompt))
    }

    fn probe(&self, client: &Client) -> RequestBuilder {
        self.authorized(client.get(format!("{}/models", self.config.base_url)))
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader::default())
    }
}

impl Chat {
    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.config.api_key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }

    fn body(&self, prompt: &Prompt<'_>) -> Value {
        let mut body = json!({
            "model": self.config.model,
            "messages": self.messages(prompt),
            "stream": true,
        });
        let fields = body.as_object_mut().expect("it was made an object");
        let tokens = match self.dialect {
            Dialect::OpenAi => "max_completion_tokens",
            Dialect::Compatible(_) | Dialect::Mistral => "max_tokens",
        };
        fields.insert(tokens.into(), json!(prompt.limits.tokens_max));
        let effort = match self.dialect {
            Dialect::OpenAi => reasoning_effort(&self.config.model),
            Dialect::Compatible(_) | Dialect::Mistral => None,
        };
        // OpenAI's reasoning models refuse stop texts; the words are cut at them in any case.
        if !prompt.limits.stop.is_empty() && effort.is_none() {
            fields.insert("stop".into(), json!(prompt.limits.stop));
        }
        if let Some(effort) = effort {
            fields.insert("reasoning_effort".into(), json!(effort));
        }
        match self.dialect {
            Dialect::Compatible(_) => {
                fields.insert("stream_options".into(), json!({"include_usage": true}));
            }
            Dialect::OpenAi => {
                fields.insert("stream_options".into(), json!({"include_usage": true}));
                fields.insert("prompt_cache_key".into(), json!(prompt.cache_key));
            }
            Dialect::Mistral => {
                fields.insert("prompt_cache_key".into(), json!(prompt.cache_key));
            }
        }
        self.insert_tools(fields, prompt.tools);
        body
    }

    fn insert_tools(&self, fields: &mut Map<String, Value>, tools: &[ToolDeclaration]) {
        if tools.is_empty() {
            return;
        }
        let tools = tools.iter().map(|tool| {
            let schema = parameters(tool);
            let mut function = json!({"name": tool.name, "description": tool.description});
            // Own servers do not all know the word.
            let strict_schema = match self.dialect {
                Dialect::Compatible(_) => None,
                Dialect::OpenAi | Dialect::Mistral => strict(&schema, StrictRules::OpenAi),
            };
            if strict_schema.is_some() {
                function["strict"] = json!(true);
            }
            function["parameters"] = strict_schema.unwrap_or(schema);
            json!({"type": "function", "function": function})
        });
        fields.insert("tools".into(), tools.collect());
        if self.dialect != Dialect::Compatible("compatible") {
            fields.insert("parallel_tool_calls".into(), json!(true));
        }
    }

    fn messages(&self, prompt: &Prompt<'_>) -> Vec<Value> {
        let mut messages = vec![json!({"role": "system", "content": prompt.system_with_notes()})];
        for item in &prompt.items {
            match item {
                Item::User(text) => messages.push(json!({"role": "user", "content": text})),
                Item::Agent(text) => messages.push(json!({"role": "assistant", "content": text})),
                Item::Calls(calls) => self.push_calls(&mut messages, calls),
            }
        }
        let ends_with_agent = !matches!(prompt.items.last(), Some(Item::User(_) | Item::Calls(_)));
        if self.dialect == Dialect::Mistral && ends_with_agent {
            messages.push(json!({"role": "user", "content": SILENCE}));
        }
        if let Some(said) = prompt.already_said {
            match self.dialect {
                Dialect::Mistral => {
                    messages.push(json!({"role": "assistant", "content": said, "prefix": true}))
                }
                Dialect::OpenAi | Dialect::Compatible(_) => {
                    messages.push(json!({"role": "assistant", "content": said}));
                    messages.push(json!({"role": "user", "content": GO_ON}));
                }
            }
        }
        messages
    }

    /// Calls join the words said right before them; results follow.
    fn push_calls(&self, messages: &mut Vec<Value>, calls: &[CallItem<'_>]) {
        let made: Vec<Value> = calls
            .iter()
            .map(|call| {
                let function = json!({"name": call.name, "arguments": call.arguments});
                json!({"id": self.id(call.id), "type": "function", "function": function})
            })
            .collect();
        match messages
            .last_mut()
            .filter(|last| last["role"] == "assistant")
        {
            Some(last) => last["tool_calls"] = Value::Array(made),
            None => messages.push(json!({"role": "assistant", "content": "", "tool_calls": made})),
        }
        messages.extend(calls.iter().map(|call| {
            let mut result = json!({"role": "tool", "content": call.result});
            result["tool_call_id"] = json!(self.id(call.id));
            if self.dialect == Dialect::Mistral {
                result["name"] = json!(call.name);
            }
            result
        }));
    }

    fn id<'a>(&self, id: &'a str) -> std::borrow::Cow<'a, str> {
        match self.dialect {
            Dialect::Mistral => {
                let fits = |id: &str| {
                    id.len() == MISTRAL_ID_LENGTH && id.bytes().all(|c| c.is_ascii_alphanumeric())
                };
                id_of(id, fits, MISTRAL_ID_LENGTH)
            }
            Dialect::OpenAi | Dialect::Compatible(_) => id_of(
                id,
                |id| !id.is_empty() && id.len() <= ID_LENGTH_MAX,
                ID_LENGTH_MAX,
            ),
        }
    }
}

/// One event of the stream. Fields that are not used are ignored, because servers add their own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chunk {
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delta {
    content: Option<Content>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallPart>>,
}

/// Mistral's reasoning models send parts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContentPart {
    text: Option<String>,
}

/// A piece of a call; arguments come in fragments.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CallPart {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<Arguments>,
}

/// Some servers send an object in the place of its text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Arguments {
    Text(String),
    Object(Map<String, Value>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

/// Remembers which call an index meant.
#[derive(Default)]
struct ChatReader {
    slots: Vec<(usize, String)>,
}

impl Reader for ChatReader {
    fn take(&mut self, data: &str, reply: &mut Reply) -> Result<(), Fault> {
        let data = data.trim();
        if data == "[DONE]" {
            reply.end();
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| malformed("Chat Completions"))?;
        if let Some(error) = &chunk.error {
            return Err(reported(code_of(error)));
        }
        if let Some(usage) = chunk.usage {
            let total = reply.usage_mut();
            total.input_tokens = usage.prompt_tokens;
            total.output_tokens = usage.completion_tokens;
            let cached = usage
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens);
            total.cached_input_tokens = cached.unwrap_or(0);
        }
        // No other choice is asked for.
        let Some(choice) = chunk.choices.into_iter().next() else {
            return Ok(());
        };
        if let Some(delta) = choice.delta {
            self.take_delta(delta, reply)?;
        }
        match choice.finish_reason.as_deref() {
            Some("content_filter") => Err(withheld()),
            Some("error") => Err(reported("error")),
            Some(_) => {
                reply.finish();
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl ChatReader {
    fn take_delta(&mut self, delta: Delta, reply: &mut Reply) -> Result<(), Fault> {
        match delta.content {
            Some(Content::Text(text)) => reply.say(&text)?,
            Some(Content::Parts(parts)) => {
                for text in parts.into_iter().filter_map(|part| part.text) {
                    reply.say(&text)?;
                }
            }
            None => {}
        }
        reply.say(delta.refusal.as_deref().unwrap_or_default())?;
        for part in delta.tool_calls.unwrap_or_default() {
            let slot = self.slot(&part, reply);
            let call = reply.call(slot)?.id(part.id.as_deref());
            let Some(function) = part.function else {
                continue;
            };
            let call = call.name(function.name.as_deref());
            match function.arguments {
                Some(Arguments::Text(text)) => call.arguments(Some(&text))?,
                Some(Arguments::Object(object)) => {
                    call.arguments(Some(&Value::Object(object).to_string()))?
                }
                None => call,
            };
        }
        Ok(())
    }

    /// Some servers give no index, or the same to every call.
    fn slot(&mut self, part: &CallPart, reply: &Reply) -> usize {
        let id = part.id.clone().unwrap_or_default();
        let index = part.index.unwrap_or(if id.is_empty() {
            reply.calls().saturating_sub(1)
        } else {
            reply.calls()
        });
        let same = self.slots.iter().rposition(|(other, known)| {
            *other == index && (id.is_empty() || known.is_empty() || *known == id)
        });
        match same {
            Some(slot) => {
                if !id.is_empty() {
                    self.slots[slot].1 = id;
                }
                slot
            }
            None => {
                self.slots.push((index, id));
                self.slots.len() - 1
            }
        }
    }
}

/// The provider's own name of an error.
pub(super) fn code_of(error: &Value) -> &str {
    let texts = [&error["code"], &error["type"], &error["status"]];
    texts
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or_default()
}
