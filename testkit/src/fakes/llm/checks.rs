//! What a vendor refuses.

use serde_json::Value;

use super::{KEY, LlmVendor};
use crate::fakes::http::Request;

/// What a request that is right asks for.
pub(super) enum Asked {
    Reply,
    Models,
}

/// Why a request is wrong.
pub(super) struct Wrong {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

fn bad(message: impl Into<String>) -> Wrong {
    Wrong {
        status: 400,
        code: "invalid_request_error",
        message: message.into(),
    }
}

fn ensure(holds: bool, message: impl Into<String>) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(bad(message)) }
}

pub(super) fn check(vendor: LlmVendor, request: &Request) -> Result<Asked, Wrong> {
    let bearer = format!("Bearer {KEY}");
    let (name, wanted) = match vendor {
        LlmVendor::Chat | LlmVendor::Responses | LlmVendor::Mistral => ("authorization", &*bearer),
        LlmVendor::Anthropic => ("x-api-key", KEY),
        LlmVendor::Gemini => ("x-goog-api-key", KEY),
    };
    // Anthropic's own client has come to send a bearer token; the documents say `x-api-key`.
    let has_bearer =
        vendor == LlmVendor::Anthropic && request.header("authorization") == Some(&bearer);
    if request.header(name) != Some(wanted) && !has_bearer {
        return Err(Wrong {
            status: 401,
            code: "authentication_error",
            message: format!("wrong key: {}", request.header(name).unwrap_or_default()),
        });
    }
    ensure(!request.target.contains(KEY), "the key stands in the URL")?;
    if request.method == "GET" && request.path().ends_with("/models") {
        return Ok(Asked::Models);
    }
    let path = request.path();
    let is_known = match vendor {
        LlmVendor::Chat | LlmVendor::Mistral => path.ends_with("/chat/completions"),
        LlmVendor::Responses => path.ends_with("/responses"),
        LlmVendor::Anthropic => path == "/v1/messages",
        LlmVendor::Gemini => {
            path.ends_with(":streamGenerateContent") && request.target.ends_with("?alt=sse")
        }
    };
    if request.method != "POST" || !is_known {
        return Err(Wrong {
            status: 404,
            code: "not_found_error",
            message: format!("no {} here", request.target),
        });
    }
    let body = request.json();
    ensure(body.is_object(), "the body is no JSON object")?;
    match vendor {
        LlmVendor::Chat => chat(&body, false)?,
        LlmVendor::Mistral => chat(&body, true)?,
        LlmVendor::Responses => responses(&body)?,
        LlmVendor::Anthropic => anthropic(request, &body)?,
        LlmVendor::Gemini => gemini(path, &body)?,
    }
    Ok(Asked::Reply)
}

fn list<'a>(body: &'a Value, key: &str) -> Result<&'a [Value], Wrong> {
    let list = body[key].as_array().filter(|list| !list.is_empty());
    list.map(Vec::as_slice)
        .ok_or_else(|| bad(format!("{key} is empty")))
}

fn chat(body: &Value, is_mistral: bool) -> Result<(), Wrong> {
    ensure(
        body["model"].is_string() && body["stream"] == true,
        "model and stream are needed",
    )?;
    let messages = list(body, "messages")?;
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let role = message["role"].as_str().unwrap_or_default();
        if role == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            let at = open.iter().position(|call| *call == id);
            open.remove(at.ok_or_else(|| bad(format!("nobody called {id}")))?);
            continue;
        }
        ensure(open.is_empty(), format!("{open:?} have no result"))?;
        ensure(
            ["system", "user", "assistant", "developer"].contains(&role),
            role,
        )?;
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().unwrap_or_default();
            let fits = id.len() == 9 && id.bytes().all(|c| c.is_ascii_alphanumeric());
            ensure(
                !is_mistral || fits,
                format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9."),
            )?;
            open.push(id);
        }
    }
    ensure(open.is_empty(), format!("{open:?} have no result"))?;
    if is_mistral {
        ensure(
            body["stream_options"].is_null(),
            "Extra inputs are not permitted: stream_options",
        )?;
        let last = &messages[messages.len() - 1];
        let may_end = last["role"] != "assistant" || last["prefix"] == true;
        ensure(
            may_end,
            "Expected last role User or Tool (or Assistant with prefix True)",
        )?;
    }
    Ok(())
}

fn responses(body: &Value) -> Result<(), Wrong> {
    ensure(
        body["model"].is_string() && body["stream"] == true,
        "model and stream are needed",
    )?;
    let tokens = body["max_output_tokens"].as_u64();
    ensure(
        tokens.is_none_or(|tokens| tokens >= 16),
        "max_output_tokens is below 16",
    )?;
    ensure(body["stop"].is_null(), "Unknown parameter: 'stop'.")?;
    if body["input"].is_string() {
        return Ok(());
    }
    let input = list(body, "input")?;
    let ids = |kind: &str| -> Vec<&Value> {
        input
            .iter()
            .filter(|item| item["type"] == kind)
            .map(|item| &item["call_id"])
            .collect()
    };
    let (mut calls, mut outputs) = (ids("function_call"), ids("function_call_output"));
    calls.sort_by_key(|id| id.to_string());
    outputs.sort_by_key(|id| id.to_string());
    ensure(
        calls == outputs,
        format!("calls {calls:?} but outputs {outputs:?}"),
    )
}

fn anthropic(request: &Request, body: &Value) -> Result<(), Wrong> {
    ensure(
        request.header("anthropic-version").is_some(),
        "anthropic-version: header is required",
    )?;
    ensure(
        body["max_tokens"].as_u64().is_some_and(|n| n > 0),
        "max_tokens: Field required",
    )?;
    let messages = list(body, "messages")?;
    let mut expected = "user";
    let mut open: Vec<String> = Vec::new();
    for message in messages {
        ensure(
            message["role"] == expected,
            format!("roles must alternate; want {expected}"),
        )?;
        let content = &message["content"];
        let is_blank = content.as_str().is_some_and(|text| text.trim().is_empty());
        ensure(!is_blank, "text content blocks must be non-empty")?;
        let blocks = content.as_array().cloned().unwrap_or_default();
        anthropic_blocks(&blocks, &mut open)?;
        ensure(
            expected == "assistant" || open.is_empty(),
            format!(
                "tool_use ids were found without tool_result blocks immediately after: {open:?}"
            ),
        )?;
        expected = if expected == "user" {
            "assistant"
        } else {
            "user"
        };
    }
    if expected == "user" {
        return anthropic_prefill(body, &messages[messages.len() - 1]["content"]);
    }
    Ok(())
}

fn anthropic_blocks(blocks: &[Value], open: &mut Vec<String>) -> Result<(), Wrong> {
    let mut has_other = false;
    for block in blocks {
        match block["type"].as_str().unwrap_or_default() {
            "tool_result" => {
                ensure(!has_other, "tool_result blocks must come first")?;
                let id = block["tool_use_id"].as_str().unwrap_or_default();
                let at = open.iter().position(|call| call == id);
                open.remove(at.ok_or_else(|| bad(format!("unexpected tool_use_id {id}")))?);
            }
            "tool_use" => {
                ensure(
                    block["input"].is_object(),
                    "tool_use input must be an object",
                )?;
                open.push(block["id"].as_str().unwrap_or_default().to_owned());
            }
            "text" => {
                has_other = true;
                let text = block["text"].as_str().unwrap_or_default();
                ensure(
                    !text.trim().is_empty(),
                    "text content blocks must be non-empty",
                )?;
            }
            other => return Err(bad(format!("unexpected block {other}"))),
        }
    }
    Ok(())
}

/// The last words are the assistant's own.
fn anthropic_prefill(body: &Value, last: &Value) -> Result<(), Wrong> {
    let model = body["model"].as_str().unwrap_or_default();
    ensure(
        model.contains("-4-5"),
        "This model does not support assistant message prefill.",
    )?;
    let text = last
        .as_str()
        .or_else(|| last.as_array()?.last()?["text"].as_str());
    let text = text.unwrap_or_default();
    ensure(
        text == text.trim_end(),
        "final assistant content cannot end with trailing whitespace",
    )
}

fn gemini(path: &str, body: &Value) -> Result<(), Wrong> {
    let contents = list(body, "contents")?;
    let calls_in = |content: &Value, key: &str| {
        let parts = content["parts"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        parts.iter().filter(|part| part[key].is_object()).count()
    };
    let mut expected = "user";
    for (at, content) in contents.iter().enumerate() {
        ensure(
            content["role"] == expected,
            format!("turns must alternate; want {expected}"),
        )?;
        expected = if expected == "user" { "model" } else { "user" };
        let calls = calls_in(content, "functionCall");
        let responses = contents
            .get(at + 1)
            .map_or(0, |next| calls_in(next, "functionResponse"));
        ensure(
            calls == responses,
            "the number of function response parts must equal that of the function call parts of the function call turn",
        )?;
        if calls > 0 && path.contains("gemini-3") {
            let parts = content["parts"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let first = parts.iter().find(|part| part["functionCall"].is_object());
            let signed = first.is_some_and(|part| part["thoughtSignature"].is_string());
            ensure(
                signed,
                "Function call is missing a thought_signature in functionCall parts",
            )?;
        }
    }
    ensure(expected == "model", "the last turn must be the user's")?;
    for declared in body["tools"][0]["functionDeclarations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let text = declared["parameters"].to_string();
        let unknown = ["additionalProperties", "$ref", "\"const\"", "oneOf"];
        ensure(
            !unknown.iter().any(|word| text.contains(word)),
            format!("unknown name in {text}"),
        )?;
    }
    Ok(())
}
