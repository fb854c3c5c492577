//! Where the language model is and how long to wait for it.

use crate::net::{HttpLimits, Secret};
/// The public service, used where only a key is given.
const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";
/// Small and quick: first words matter more on a call than depth.
const OPENAI_MODEL_DEFAULT: &str = "gpt-4o-mini";
/// Own servers that serve one model ignore the name, but the field is required.
const OWN_MODEL_DEFAULT: &str = "default";

/// How to reach a server that speaks Chat Completions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAiConfig {
    /// Up to and without `/chat/completions`, e.g. `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// Sent as a bearer token, where there is one.
    pub api_key: Option<Secret>,
    /// The model's name.
    pub model: String,
    /// Its deadlines.
    pub limits: HttpLimits,
}

/// An environment variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The URL is not one.
    #[error("ANTIPHON_THINK_URL is `{value}`; write a URL such as `http://127.0.0.1:11434/v1`")]
    Url {
        /// What was given, without user and password.
        value: String,
    },
    /// The key has characters that no header may have.
    #[error("OPENAI_API_KEY has characters that cannot be sent; check it for line breaks")]
    Key,
}

impl OpenAiConfig {
    /// A server at `base_url`, without a key, with the default limits.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into().trim_end_matches('/').to_owned(),
            api_key: None,
            model: model.into(),
            limits: HttpLimits::default(),
        }
    }

    /// From `ANTIPHON_THINK_URL`, `OPENAI_API_KEY` and `ANTIPHON_THINK_MODEL`; nothing where
    /// neither URL nor key is set.
    ///
    /// # Errors
    /// Where a variable is set but cannot be used.
    pub fn from_env() -> Result<Option<Self>, ConfigError> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let var = |name| {
            var(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let (url, key) = (var("ANTIPHON_THINK_URL"), var("OPENAI_API_KEY"));
        let model = var("ANTIPHON_THINK_MODEL");
        let mut config = match (url, &key) {
            (Some(url), _) => Self::new(
                checked_url(&url)?,
                model.unwrap_or_else(|| OWN_MODEL_DEFAULT.to_owned()),
            ),
            (None, Some(_)) => Self::new(
                OPENAI_BASE_URL,
                model.unwrap_or_else(|| OPENAI_MODEL_DEFAULT.to_owned()),
            ),
            (None, None) => return Ok(None),
        };
        if key
            .as_ref()
            .is_some_and(|key| !Secret::new(key.as_str()).is_sendable())
        {
            return Err(ConfigError::Key);
        }
        config.api_key = key.map(Secret::new);
        Ok(Some(config))
    }
}

fn checked_url(value: &str) -> Result<String, ConfigError> {
    let url = reqwest::Url::parse(value).ok();
    if url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Ok(value.to_owned());
    }
    // A password may stand before an `@`.
    let shown = value.rsplit('@').next().unwrap_or_default();
    Err(ConfigError::Url {
        value: shown.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{ConfigError, OpenAiConfig, Secret};

    fn from(vars: &[(&str, &str)]) -> Result<Option<OpenAiConfig>, ConfigError> {
        OpenAiConfig::from_vars(|name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn reads_the_environment() {
        assert_eq!(from(&[]), Ok(None));
        assert_eq!(from(&[("OPENAI_API_KEY", "  ")]), Ok(None));
        let hosted = from(&[("OPENAI_API_KEY", "sk-1")]).unwrap().unwrap();
        assert_eq!(hosted.base_url, "https://api.openai.com/v1");
        assert!(!hosted.model.is_empty());
        let own = from(&[
            ("ANTIPHON_THINK_URL", "http://localhost:1/v1/"),
            ("ANTIPHON_THINK_MODEL", "qwen"),
        ]);
        let own = own.unwrap().unwrap();
        assert_eq!(
            (own.base_url.as_str(), own.model.as_str()),
            ("http://localhost:1/v1", "qwen")
        );
        assert_eq!(own.api_key, None);
    }

    #[test]
    fn refuses_what_cannot_be_used() {
        for url in ["localhost", "ftp://x/", "http://", "what ever"] {
            assert!(
                matches!(
                    from(&[("ANTIPHON_THINK_URL", url)]),
                    Err(ConfigError::Url { .. })
                ),
                "{url}"
            );
        }
        assert_eq!(from(&[("OPENAI_API_KEY", "a\nb")]), Err(ConfigError::Key));
        let told = from(&[("ANTIPHON_THINK_URL", "ftp://me:hunter2@x/")])
            .unwrap_err()
            .to_string();
        assert!(!told.contains("hunter2"), "{told}");
    }

    #[test]
    fn secrets_are_never_shown() {
        let mut config = OpenAiConfig::new("http://x", "m");
        config.api_key = Some(Secret::new("sk-hush"));
        assert!(!format!("{config:?}").contains("hush"));
    }
}
