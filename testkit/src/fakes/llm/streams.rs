//! Replies on the wire.

use serde_json::{Value, json};

use super::{Said, SaidCall, SaidEnd};

/// One server-sent event.
pub(super) fn event(name: Option<&str>, data: &Value) -> String {
    match name {
        Some(name) => format!("event: {name}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    }
}

/// Chat Completions. OpenAI sends arguments in pieces and the usage in an event of its own;
/// Mistral sends calls whole and the usage with the last choice.
pub(super) fn chat(said: &Said, is_openai: bool) -> Vec<String> {
    let chunk = |choices: Value, usage: Value| {
        let mut data = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "fake", "choices": choices});
        if !usage.is_null() {
            data["usage"] = usage;
        }
        event(None, &data)
    };
    let delta = |delta: Value| {
        chunk(
            json!([{"index": 0, "delta": delta, "finish_reason": null}]),
            Value::Null,
        )
    };
    let mut events = vec![delta(json!({"role": "assistant", "content": ""}))];
    events.extend(
        said.words
            .iter()
            .map(|words| delta(json!({"content": words}))),
    );
    if is_openai {
        events.extend(
            chat_calls(said)
                .into_iter()
                .map(|part| delta(json!({"tool_calls": [part]}))),
        );
    } else if !said.calls.is_empty() {
        let calls: Vec<Value> = said
            .calls
            .iter()
            .enumerate()
            .map(|(index, call)| {
                json!({"id": call.id, "index": index, "type": "function",
                "function": {"name": call.name, "arguments": call.arguments.concat()}})
            })
            .collect();
        events.push(delta(json!({"content": "", "tool_calls": calls})));
    }
    let reason = match said.end {
        SaidEnd::Length => "length",
        SaidEnd::Withheld => "content_filter",
        SaidEnd::Stop if said.calls.is_empty() => "stop",
        SaidEnd::Stop => "tool_calls",
    };
    let usage = json!({"prompt_tokens": said.usage.input, "completion_tokens": said.usage.output,
        "total_tokens": said.usage.input + said.usage.output,
        "prompt_tokens_details": {"cached_tokens": said.usage.cached}});
    let last = json!([{"index": 0, "delta": {}, "finish_reason": reason}]);
    if is_openai {
        events.push(chunk(last, Value::Null));
        events.push(chunk(json!([]), usage));
    } else {
        events.push(chunk(last, usage));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// Pieces of all calls by turns, as they come where a model calls in parallel.
fn chat_calls(said: &Said) -> Vec<Value> {
    let mut parts = Vec::new();
    for (index, call) in said.calls.iter().enumerate() {
        parts.push(json!({"index": index, "id": call.id, "type": "function",
            "function": {"name": call.name, "arguments": ""}}));
    }
    let pieces = said
        .calls
        .iter()
        .map(|call| call.arguments.len())
        .max()
        .unwrap_or(0);
    for nth in 0..pieces {
        for (index, call) in said.calls.iter().enumerate() {
            if let Some(piece) = call.arguments.get(nth) {
                parts.push(json!({"index": index, "function": {"arguments": piece}}));
            }
        }
    }
    parts
}

/// Responses: every event is named, numbered, and told twice.
pub(super) fn responses(said: &Said) -> Vec<String> {
    let mut events = ResponseEvents::default();
    events.push("response.created", events.state("in_progress"));
    events.push("response.in_progress", events.state("in_progress"));
    if !said.words.is_empty() {
        events.words(&said.words);
    }
    for call in &said.calls {
        events.call(call);
    }
    let (kind, status, reason) = match said.end {
        SaidEnd::Stop => ("response.completed", "completed", None),
        SaidEnd::Length => (
            "response.incomplete",
            "incomplete",
            Some("max_output_tokens"),
        ),
        SaidEnd::Withheld => ("response.incomplete", "incomplete", Some("content_filter")),
    };
    let mut data = events.state(status);
    if let Some(reason) = reason {
        data["response"]["incomplete_details"] = json!({"reason": reason});
    }
    data["response"]["usage"] = json!({
        "input_tokens": said.usage.input,
        "input_tokens_details": {"cached_tokens": said.usage.cached, "cache_write_tokens": 0},
        "output_tokens": said.usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": said.usage.input + said.usage.output,
    });
    events.push(kind, data);
    events.events
}

#[derive(Default)]
struct ResponseEvents {
    events: Vec<String>,
    output: Vec<Value>,
}

impl ResponseEvents {
    fn push(&mut self, kind: &str, mut data: Value) {
        data["type"] = json!(kind);
        data["sequence_number"] = json!(self.events.len());
        self.events.push(event(Some(kind), &data));
    }

    fn state(&self, status: &str) -> Value {
        json!({"response": {"id": "resp_1", "object": "response", "created_at": 1, "model": "fake",
            "status": status, "output": self.output, "parallel_tool_calls": true,
            "tool_choice": "auto", "tools": []}})
    }

    fn item(&mut self, kind: &str, item: &Value) {
        let index = self.output.len();
        self.push(kind, json!({"output_index": index, "item": item}));
    }

    fn words(&mut self, pieces: &[String]) {
        let whole = pieces.concat();
        let mut part = json!({"type": "output_text", "text": "", "annotations": []});
        let mut item = json!({"id": "msg_1", "type": "message", "role": "assistant",
            "status": "in_progress", "content": []});
        let with = |key: &str, value: Value| {
            let mut data = json!({"item_id": "msg_1", "output_index": 0, "content_index": 0});
            data[key] = value;
            data
        };
        self.item("response.output_item.added", &item);
        self.push("response.content_part.added", with("part", part.clone()));
        for words in pieces {
            let mut data = with("delta", json!(words));
            data["logprobs"] = json!([]);
            self.push("response.output_text.delta", data);
        }
        let mut data = with("text", json!(whole));
        data["logprobs"] = json!([]);
        self.push("response.output_text.done", data);
        part["text"] = json!(whole);
        self.push("response.content_part.done", with("part", part.clone()));
        item["status"] = json!("completed");
        item["content"] = json!([part]);
        self.item("response.output_item.done", &item);
        self.output.push(item);
    }

    fn call(&mut self, call: &SaidCall) {
        let index = self.output.len();
        let item_id = format!("fc_{index}");
        let mut item = json!({"id": item_id, "type": "function_call", "status": "in_progress",
            "call_id": call.id, "name": call.name, "arguments": ""});
        self.item("response.output_item.added", &item);
        let place = json!({"item_id": item_id, "output_index": index});
        for piece in &call.arguments {
            let mut data = place.clone();
            data["delta"] = json!(piece);
            self.push("response.function_call_arguments.delta", data);
        }
        let whole = call.arguments.concat();
        let mut data = place;
        data["name"] = json!(call.name);
        data["arguments"] = json!(whole);
        self.push("response.function_call_arguments.done", data);
        item["status"] = json!("completed");
        item["arguments"] = json!(whole);
        self.item("response.output_item.done", &item);
        self.output.push(item);
    }
}

/// Messages: content by blocks; a ping may come at any time.
pub(super) fn anthropic(said: &Said) -> Vec<String> {
    let mut events = Vec::new();
    let mut push = |kind: &str, mut data: Value| {
        data["type"] = json!(kind);
        events.push(event(Some(kind), &data));
    };
    let fresh = said.usage.input - said.usage.cached;
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "content": [],
        "model": "fake", "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": fresh - fresh / 2, "cache_creation_input_tokens": fresh / 2,
            "cache_read_input_tokens": said.usage.cached, "output_tokens": 1}});
    push("message_start", json!({"message": message}));
    let mut index = 0;
    if !said.words.is_empty() {
        let block = json!({"type": "text", "text": ""});
        push(
            "content_block_start",
            json!({"index": index, "content_block": block}),
        );
        push("ping", json!({}));
        for words in &said.words {
            let delta = json!({"type": "text_delta", "text": words});
            push(
                "content_block_delta",
                json!({"index": index, "delta": delta}),
            );
        }
        push("content_block_stop", json!({"index": index}));
        index += 1;
    }
    for call in &said.calls {
        let block = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}});
        push(
            "content_block_start",
            json!({"index": index, "content_block": block}),
        );
        // The first piece is always empty.
        for piece in std::iter::once("").chain(call.arguments.iter().map(String::as_str)) {
            let delta = json!({"type": "input_json_delta", "partial_json": piece});
            push(
                "content_block_delta",
                json!({"index": index, "delta": delta}),
            );
        }
        push("content_block_stop", json!({"index": index}));
        index += 1;
    }
    let reason = match said.end {
        SaidEnd::Length => "max_tokens",
        SaidEnd::Withheld => "refusal",
        SaidEnd::Stop if said.calls.is_empty() => "end_turn",
        SaidEnd::Stop => "tool_use",
    };
    push(
        "message_delta",
        json!({"delta": {"stop_reason": reason, "stop_sequence": null},
        "usage": {"output_tokens": said.usage.output}}),
    );
    push("message_stop", json!({}));
    events
}

/// Gemini: whole responses in pieces; calls are never split, the last response has the reason.
pub(super) fn gemini(said: &Said) -> Vec<String> {
    let usage = json!({"promptTokenCount": said.usage.input,
        "cachedContentTokenCount": said.usage.cached,
        "candidatesTokenCount": said.usage.output, "thoughtsTokenCount": 0,
        "totalTokenCount": said.usage.input + said.usage.output});
    let response = |candidate: Value| {
        format!(
            "data: {}\r\n\r\n",
            json!({"candidates": [candidate], "usageMetadata": usage,
            "modelVersion": "fake", "responseId": "r1"})
        )
    };
    let content = |parts: Value| json!({"content": {"role": "model", "parts": parts}, "index": 0});
    let words = said
        .words
        .iter()
        .map(|words| response(content(json!([{"text": words}]))));
    let mut events: Vec<String> = words.collect();
    let calls: Vec<Value> = said
        .calls
        .iter()
        .enumerate()
        .map(|(nth, call)| {
            let arguments: Value =
                serde_json::from_str(&call.arguments.concat()).unwrap_or_default();
            let mut part = json!({"functionCall": {"name": call.name, "args": arguments}});
            if !call.id.is_empty() {
                part["functionCall"]["id"] = json!(call.id);
            }
            if nth == 0 {
                part["thoughtSignature"] = json!("c2lnbmVk");
            }
            part
        })
        .collect();
    let reason = match said.end {
        SaidEnd::Stop => "STOP",
        SaidEnd::Length => "MAX_TOKENS",
        SaidEnd::Withheld => "SAFETY",
    };
    let parts = if calls.is_empty() {
        vec![json!({"text": ""})]
    } else {
        calls
    };
    let mut last = content(Value::Array(parts));
    if said.end == SaidEnd::Withheld {
        last = json!({"index": 0});
    }
    last["finishReason"] = json!(reason);
    events.push(response(last));
    events
}
