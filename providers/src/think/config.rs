//! Where a language model is, and how long to wait for it.

use std::fmt;

use crate::net::{HttpLimits, Secret};

/// Tokens of history sent at most, estimated: some half an hour of talk. More makes every first
/// word later and dearer.
pub const CONTEXT_TOKENS_MAX_DEFAULT: u32 = 6_000;

/// How to reach one language model.
#[derive(Clone, PartialEq, Eq)]
pub struct ThinkConfig {
    /// The URL in front of the paths of the provider's API, without a slash at its end, e.g.
    /// `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// Its key, where it needs one.
    pub api_key: Option<Secret>,
    /// The model's name.
    pub model: String,
    /// Tokens of history sent at most, estimated; what is older is summed up.
    pub context_tokens_max: u32,
    /// Its deadlines.
    pub limits: HttpLimits,
    /// The variables that this came from, for advice.
    pub(crate) vars: Vars,
}

/// Environment variables that set one provider up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vars {
    pub(crate) key: &'static str,
    pub(crate) url: &'static str,
    pub(crate) model: &'static str,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The URL is not one.
    #[error("{name} is `{value}`; write a URL such as `{example}`")]
    Url {
        /// The environment variable.
        name: &'static str,
        /// What was given, without user and password.
        value: String,
        /// One that could stand there.
        example: &'static str,
    },
    /// The key has characters that no header may have.
    #[error("{name} has characters that cannot be sent; check it for line breaks")]
    Key {
        /// The environment variable.
        name: &'static str,
    },
    /// The model's name has characters that no URL may have.
    #[error("{name} is `{value}`; write a model's name such as `{example}`")]
    Model {
        /// The environment variable.
        name: &'static str,
        /// What was given.
        value: String,
        /// One that could stand there.
        example: &'static str,
    },
    /// There is no such provider.
    #[error("there is no language model provider `{name}`; known are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// The HTTP client could not be built.
    #[error("{0}")]
    Client(String),
}

impl ThinkConfig {
    /// A server at `base_url`, without a key, with the default limits.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into().trim_end_matches('/').to_owned(),
            api_key: None,
            model: model.into(),
            context_tokens_max: CONTEXT_TOKENS_MAX_DEFAULT,
            limits: HttpLimits::default(),
            vars: Vars {
                key: "the key",
                url: "the URL",
                model: "the model's name",
            },
        }
    }

    /// The key, or nothing to send.
    pub(crate) fn key(&self) -> &str {
        self.api_key.as_ref().map_or("", Secret::expose)
    }

    /// What to check where the server refuses.
    pub(crate) fn hint(&self) -> String {
        let Vars { key, url, model } = self.vars;
        format!("check {key}, {url} and {model}")
    }
}

/// Without user and password of the URL.
impl fmt::Debug for ThinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThinkConfig")
            .field("base_url", &shown(&self.base_url))
            .field("api_key", &self.api_key)
            .field("model", &self.model)
            .field("context_tokens_max", &self.context_tokens_max)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A password may stand before an `@`.
fn shown(url: &str) -> &str {
    url.rsplit('@').next().unwrap_or_default()
}

/// `value`, where it is the URL of a web server.
pub(crate) fn checked_url(
    name: &'static str,
    value: &str,
    example: &'static str,
) -> Result<String, ConfigError> {
    let url = reqwest::Url::parse(value).ok();
    if url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Ok(value.trim_end_matches('/').to_owned());
    }
    Err(ConfigError::Url {
        name,
        value: shown(value).to_owned(),
        example,
    })
}
