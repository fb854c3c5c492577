//! OpenAI's `audio/speech`.

use std::time::Duration;

use serde_json::json;

use super::http::{Answer, End, Head, Request, Step};
use super::talker::messages;

/// The answer to a request, with a pause in front of each piece of audio.
pub fn answer(request: &Request, every: Duration) -> Answer {
    let body = request.json();
    let is_good = request.method == "POST"
        && request.path().ends_with("/audio/speech")
        && body["response_format"] == "pcm"
        && body["model"].is_string()
        && (body["voice"].is_string() || body["voice"]["id"].is_string());
    let Some(text) = body["input"].as_str().filter(|_| is_good) else {
        return Answer::json(
            400,
            &json!({"error": {"type": "invalid_request_error",
            "message": "the words of a call, or a key", "code": null, "param": null}}),
        );
    };
    let steps = messages(text)
        .into_iter()
        .flat_map(|bytes| [Step::Wait(every), Step::Send(bytes)])
        .collect();
    Answer {
        head: Head::Http,
        after: Duration::ZERO,
        status: 200,
        headers: vec![("content-type".to_owned(), "audio/pcm".to_owned())],
        steps,
        end: End::Whole,
        packet_bytes_max: None,
    }
}
