//! Language models as their vendors' documents describe them: what a request must look like, and
//! how a reply is streamed. Checked against the vendors' own clients by `scripts/fakes.py`.

mod checks;
mod streams;

use serde_json::json;

use super::http::{Answer, Request};

/// The key that every fake wants.
pub const KEY: &str = "sk-never-shown-4711";

/// Whose API is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LlmVendor {
    /// OpenAI's Chat Completions, and every server that is compatible with it.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Mistral's Chat Completions.
    Mistral,
}

/// A reply, in no vendor's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Words, a piece an event.
    pub words: Vec<String>,
    /// Calls, all at once.
    pub calls: Vec<SaidCall>,
    /// Tokens.
    pub usage: SaidUsage,
    /// Why it ends.
    pub end: SaidEnd,
}

/// One call of a [`Said`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidCall {
    /// Its id, where the vendor gives one.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments, JSON, in the pieces in which they are sent.
    pub arguments: Vec<String>,
}

/// Tokens of a [`Said`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaidUsage {
    /// Read, cached ones included.
    pub input: u64,
    /// Read from the cache.
    pub cached: u64,
    /// Written.
    pub output: u64,
}

/// Why a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaidEnd {
    /// The model was done.
    Stop,
    /// It wrote as many tokens as it may.
    Length,
    /// A filter withheld it.
    Withheld,
}

impl Said {
    /// Words and nothing else.
    pub fn words(words: &[&str]) -> Self {
        Self {
            words: words.iter().map(|piece| (*piece).to_owned()).collect(),
            calls: Vec::new(),
            usage: SaidUsage {
                input: 110,
                cached: 64,
                output: 7,
            },
            end: SaidEnd::Stop,
        }
    }

    /// One more call.
    #[must_use]
    pub fn calling(mut self, id: &str, name: &str, arguments: &[&str]) -> Self {
        self.calls.push(SaidCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.iter().map(|piece| (*piece).to_owned()).collect(),
        });
        self
    }

    /// Another end.
    #[must_use]
    pub fn ending(mut self, end: SaidEnd) -> Self {
        self.end = end;
        self
    }
}

impl LlmVendor {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Chat,
        Self::Responses,
        Self::Anthropic,
        Self::Gemini,
        Self::Mistral,
    ];

    /// The reply as server-sent events, one an entry.
    pub fn stream(self, said: &Said) -> Vec<Vec<u8>> {
        let events = match self {
            Self::Chat => streams::chat(said, true),
            Self::Mistral => streams::chat(said, false),
            Self::Responses => streams::responses(said),
            Self::Anthropic => streams::anthropic(said),
            Self::Gemini => streams::gemini(said),
        };
        events.into_iter().map(String::into_bytes).collect()
    }

    /// The reply, or what the vendor answers to a request that is wrong.
    pub fn answer(self, request: &Request, said: &Said) -> Answer {
        match checks::check(self, request) {
            Ok(checks::Asked::Reply) => Answer::events(self.stream(said)),
            Ok(checks::Asked::Models) => {
                Answer::json(200, &json!({"data": [], "models": [], "object": "list"}))
            }
            Err(wrong) => self.error(wrong.status, wrong.code, &wrong.message),
        }
    }

    /// An answer other than success, in the vendor's form.
    pub fn error(self, status: u16, code: &str, message: &str) -> Answer {
        let body = match self {
            Self::Chat | Self::Responses => {
                json!({"error": {"message": message, "type": code, "param": null, "code": code}})
            }
            Self::Mistral => json!({"object": "error", "message": message, "type": code}),
            Self::Anthropic => {
                json!({"type": "error", "error": {"type": code, "message": message},
                    "request_id": "req_1"})
            }
            Self::Gemini => {
                json!({"error": {"code": status, "message": message, "status": code}})
            }
        };
        Answer::json(status, &body)
    }

    /// An error within the stream, in the vendor's form; `overloaded` or `limited`.
    pub fn error_event(self, is_limited: bool, message: &str) -> Vec<u8> {
        let (event, data) = match self {
            Self::Chat | Self::Mistral => {
                let code = if is_limited {
                    "rate_limit_exceeded"
                } else {
                    "server_error"
                };
                (None, json!({"error": {"message": message, "code": code}}))
            }
            Self::Responses => {
                let code = if is_limited {
                    "rate_limit_exceeded"
                } else {
                    "server_error"
                };
                let data = json!({"type": "error", "sequence_number": 3, "code": code,
                    "message": message, "param": null});
                (Some("error"), data)
            }
            Self::Anthropic => {
                let kind = if is_limited {
                    "rate_limit_error"
                } else {
                    "overloaded_error"
                };
                let error = json!({"type": kind, "message": message});
                (Some("error"), json!({"type": "error", "error": error}))
            }
            Self::Gemini => {
                let (code, status) = if is_limited {
                    (429, "RESOURCE_EXHAUSTED")
                } else {
                    (503, "UNAVAILABLE")
                };
                let error = json!({"code": code, "status": status, "message": message});
                (None, json!({"error": error}))
            }
        };
        streams::event(event, &data).into_bytes()
    }
}
