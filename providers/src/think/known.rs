//! Every language model provider by name, and the environment variables that set it up.

use std::sync::Arc;

use super::config::{ConfigError, ThinkConfig, Vars, checked_url};
use super::offline::Offline;
use super::{RemoteThink, Think};
use crate::net::{BuildError, Secret};

/// One provider that can be asked for by name.
#[derive(Clone, Copy, Debug)]
pub struct KnownThink {
    /// Its name in settings and in agents' files.
    pub name: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// Variables that its key is read from, the first that is set; none where it needs no key.
    pub key_vars: &'static [&'static str],
    /// True where it cannot be asked without a key.
    pub key_needed: bool,
    /// Variable of its URL.
    pub url_var: &'static str,
    /// The URL where the variable is not set; none where that is needed.
    pub url_default: Option<&'static str>,
    /// A URL such as the variable may hold.
    pub url_example: &'static str,
    /// Variable of the model's name.
    pub model_var: &'static str,
    /// The model where nothing names one: small and quick, as first words matter more on a call
    /// than depth.
    pub model_default: &'static str,
    make: fn(ThinkConfig) -> Result<RemoteThink, BuildError>,
}

/// The responder that needs nothing.
pub const OFFLINE: &str = "offline";
/// Names the model of whichever single provider is set up, beside `ANTIPHON_THINK_URL`.
const MODEL_VAR: &str = "ANTIPHON_THINK_MODEL";
/// Any server that speaks Chat Completions.
const URL_VAR: &str = "ANTIPHON_THINK_URL";
const OPENAI_URL: &str = "https://api.openai.com/v1";

/// OpenAI's second way, asked for by name only.
const OPENAI_CHAT: &str = "openai-chat";

/// Every remote provider, in the order in which they are tried where nothing else decides.
pub const KNOWN: &[KnownThink] = &[
    KnownThink {
        name: "compatible",
        about: "any server that speaks Chat Completions (vLLM, llama.cpp, LM Studio, …)",
        key_vars: &["ANTIPHON_THINK_KEY"],
        key_needed: false,
        url_var: URL_VAR,
        url_default: None,
        url_example: "http://127.0.0.1:8000/v1",
        model_var: MODEL_VAR,
        // Servers of one model ignore the name, but the field is required.
        model_default: "default",
        make: RemoteThink::compatible,
    },
    KnownThink {
        name: "openai",
        about: "OpenAI, Responses API",
        key_vars: &["OPENAI_API_KEY"],
        key_needed: true,
        url_var: "OPENAI_BASE_URL",
        url_default: Some(OPENAI_URL),
        url_example: OPENAI_URL,
        model_var: "OPENAI_MODEL",
        model_default: "gpt-5.4-mini",
        make: RemoteThink::openai,
    },
    KnownThink {
        name: OPENAI_CHAT,
        about: "OpenAI, Chat Completions",
        key_vars: &["OPENAI_API_KEY"],
        key_needed: true,
        url_var: "OPENAI_BASE_URL",
        url_default: Some(OPENAI_URL),
        url_example: OPENAI_URL,
        model_var: "OPENAI_MODEL",
        model_default: "gpt-5.4-mini",
        make: RemoteThink::openai_chat,
    },
    KnownThink {
        name: "anthropic",
        about: "Anthropic, Messages API",
        key_vars: &["ANTHROPIC_API_KEY"],
        key_needed: true,
        url_var: "ANTHROPIC_BASE_URL",
        url_default: Some("https://api.anthropic.com"),
        url_example: "https://api.anthropic.com",
        model_var: "ANTHROPIC_MODEL",
        model_default: "claude-haiku-4-5",
        make: RemoteThink::anthropic,
    },
    KnownThink {
        name: "gemini",
        about: "Google Gemini",
        key_vars: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        key_needed: true,
        url_var: "GEMINI_BASE_URL",
        url_default: Some("https://generativelanguage.googleapis.com"),
        url_example: "https://generativelanguage.googleapis.com",
        model_var: "GEMINI_MODEL",
        model_default: "gemini-3.5-flash",
        make: RemoteThink::gemini,
    },
    KnownThink {
        name: "mistral",
        about: "Mistral",
        key_vars: &["MISTRAL_API_KEY"],
        key_needed: true,
        url_var: "MISTRAL_BASE_URL",
        url_default: Some("https://api.mistral.ai/v1"),
        url_example: "https://api.mistral.ai/v1",
        model_var: "MISTRAL_MODEL",
        model_default: "mistral-small-latest",
        make: RemoteThink::mistral,
    },
    KnownThink {
        name: "groq",
        about: "Groq",
        key_vars: &["GROQ_API_KEY"],
        key_needed: true,
        url_var: "GROQ_BASE_URL",
        url_default: Some("https://api.groq.com/openai/v1"),
        url_example: "https://api.groq.com/openai/v1",
        model_var: "GROQ_MODEL",
        model_default: "openai/gpt-oss-20b",
        make: |config| RemoteThink::compatible_named(config, "groq"),
    },
    KnownThink {
        name: "ollama",
        about: "Ollama on this machine or another",
        key_vars: &[],
        key_needed: false,
        url_var: "OLLAMA_BASE_URL",
        url_default: None,
        url_example: "http://127.0.0.1:11434/v1",
        model_var: "OLLAMA_MODEL",
        model_default: "llama3.2",
        make: |config| RemoteThink::compatible_named(config, "ollama"),
    },
];

/// The provider `name`, with `model` in the place of the configured one. `vars` looks an
/// environment variable up. Nothing where the provider is not set up.
///
/// # Errors
/// Where there is no such provider, or one of its variables cannot be used.
pub fn think_by_name(
    name: &str,
    model: Option<&str>,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Arc<dyn Think>>, ConfigError> {
    if name == OFFLINE {
        return Ok(Some(Arc::new(Offline::default())));
    }
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
        let names = KNOWN.iter().map(|known| known.name).chain([OFFLINE]);
        return Err(ConfigError::Unknown {
            name: name.to_owned(),
            known: names.collect::<Vec<_>>().join(", "),
        });
    };
    let remote = known.configured(model, vars)?;
    Ok(remote.map(|remote| Arc::new(remote) as Arc<dyn Think>))
}

/// All of [`KNOWN`] that are set up, in that order, each vendor once.
///
/// # Errors
/// Where one of their variables cannot be used.
pub fn all_configured(
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<RemoteThink>, ConfigError> {
    let first_ways = KNOWN.iter().filter(|known| known.name != OPENAI_CHAT);
    let made = first_ways.filter_map(|known| known.configured(None, vars).transpose());
    made.collect()
}

impl KnownThink {
    /// Its settings, where it is set up.
    ///
    /// # Errors
    /// Where a variable is set but cannot be used.
    pub fn config(
        &self,
        model: Option<&str>,
        vars: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<ThinkConfig>, ConfigError> {
        let var = |name: &str| {
            let value = vars(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let key = self
            .key_vars
            .iter()
            .find_map(|name| Some((*name, var(name)?)));
        let url = var(self.url_var);
        if (self.key_needed && key.is_none()) || (url.is_none() && self.url_default.is_none()) {
            return Ok(None);
        }
        let base_url = match &url {
            Some(url) => checked_url(self.url_var, url, self.url_example)?,
            None => self.url_default.unwrap_or_default().to_owned(),
        };
        let named = model.map(str::to_owned).or_else(|| var(self.model_var));
        // As long as nothing else is set up it names the model of the one that is.
        let shared = || var(MODEL_VAR).filter(|_| var(URL_VAR).is_none());
        let model = named
            .or_else(shared)
            .unwrap_or_else(|| self.model_default.to_owned());
        // It may stand in a URL.
        if !model
            .bytes()
            .all(|c| c.is_ascii_graphic() && !matches!(c, b'?' | b'#' | b'%' | b'\\'))
        {
            return Err(ConfigError::Model {
                name: self.model_var,
                value: model,
                example: self.model_default,
            });
        }
        let mut config = ThinkConfig::new(base_url, model);
        config.vars = Vars {
            key: key.as_ref().map_or_else(
                || self.key_vars.first().copied().unwrap_or("the key"),
                |(name, _)| name,
            ),
            url: self.url_var,
            model: self.model_var,
        };
        if let Some((name, key)) = key {
            let key = Secret::new(key);
            if !key.is_sendable() {
                return Err(ConfigError::Key { name });
            }
            config.api_key = Some(key);
        }
        Ok(Some(config))
    }

    /// The provider with settings of one's own.
    ///
    /// # Errors
    /// Where the HTTP client cannot be built.
    pub fn with(&self, config: ThinkConfig) -> Result<RemoteThink, ConfigError> {
        (self.make)(config).map_err(|error| ConfigError::Client(error.to_string()))
    }

    fn configured(
        &self,
        model: Option<&str>,
        vars: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<RemoteThink>, ConfigError> {
        let config = self.config(model, vars)?;
        config.map(|config| self.with(config)).transpose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{ConfigError, KNOWN, ThinkConfig, all_configured, think_by_name};

    type Vars<'a> = &'a [(&'a str, &'a str)];

    fn config(name: &str, vars: Vars<'_>) -> Result<Option<ThinkConfig>, ConfigError> {
        let known = KNOWN.iter().find(|known| known.name == name).unwrap();
        known.config(None, &look_up(vars))
    }

    fn look_up<'a>(vars: Vars<'a>) -> impl Fn(&str) -> Option<String> + 'a {
        |name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn reads_the_environment() {
        for known in KNOWN {
            assert_eq!(config(known.name, &[]), Ok(None), "{}", known.name);
            let mut vars: Vec<(&str, &str)> =
                known.key_vars.iter().map(|name| (*name, "sk-1")).collect();
            vars.push((known.url_var, "http://localhost:1/v1/"));
            let made = config(known.name, &vars).unwrap().unwrap();
            assert_eq!(made.base_url, "http://localhost:1/v1");
            assert_eq!(made.model, known.model_default);
            assert_eq!(made.api_key.is_some(), !known.key_vars.is_empty());
            vars.push((known.model_var, "mine"));
            assert_eq!(config(known.name, &vars).unwrap().unwrap().model, "mine");
            let by_name = think_by_name(known.name, Some("other"), &look_up(&vars));
            let by_name = by_name.unwrap().unwrap();
            assert_eq!((by_name.name(), by_name.model()), (known.name, "other"));
        }
        assert_eq!(config("openai", &[("OPENAI_API_KEY", "  ")]), Ok(None));
        let hosted = config("openai", &[("OPENAI_API_KEY", "sk-1")])
            .unwrap()
            .unwrap();
        assert_eq!(hosted.base_url, "https://api.openai.com/v1");
        assert!(
            think_by_name("offline", None, &look_up(&[]))
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn the_shared_model_name_is_of_the_only_provider() {
        let vars = [
            ("OPENAI_API_KEY", "sk-1"),
            ("ANTIPHON_THINK_MODEL", "gpt-9"),
        ];
        assert_eq!(config("openai", &vars).unwrap().unwrap().model, "gpt-9");
        let both = [
            vars[0],
            vars[1],
            ("ANTIPHON_THINK_URL", "http://localhost:1/v1"),
        ];
        assert_eq!(
            config("openai", &both).unwrap().unwrap().model,
            "gpt-5.4-mini"
        );
        let all = all_configured(&look_up(&both)).unwrap();
        let models: Vec<&str> = all.iter().map(super::Think::model).collect();
        assert_eq!(models, ["gpt-9", "gpt-5.4-mini"]);
        let own = config("compatible", &both).unwrap().unwrap();
        assert_eq!(own.api_key, None, "OpenAI's key goes to OpenAI only");
    }

    #[test]
    fn refuses_what_cannot_be_used() {
        for known in KNOWN {
            for url in ["localhost", "ftp://x/", "http://", "what ever"] {
                let mut vars: Vec<(&str, &str)> =
                    known.key_vars.iter().map(|name| (*name, "sk-1")).collect();
                vars.push((known.url_var, url));
                let refused = config(known.name, &vars);
                assert!(matches!(refused, Err(ConfigError::Url { .. })), "{url}");
            }
        }
        assert_eq!(
            config("gemini", &[("GOOGLE_API_KEY", "a\nb")]),
            Err(ConfigError::Key {
                name: "GOOGLE_API_KEY"
            })
        );
        let model = [("GEMINI_API_KEY", "k"), ("GEMINI_MODEL", "a?key=b")];
        assert!(matches!(
            config("gemini", &model),
            Err(ConfigError::Model { .. })
        ));
        let secret = [("ANTIPHON_THINK_URL", "ftp://me:hunter2@x/")];
        let told = config("compatible", &secret).unwrap_err().to_string();
        assert!(
            !told.contains("hunter2") && told.contains("ANTIPHON_THINK_URL"),
            "{told}"
        );
        let unknown = think_by_name("nobody", None, &look_up(&[]))
            .err()
            .unwrap()
            .to_string();
        assert!(
            unknown.contains("anthropic") && unknown.contains("offline"),
            "{unknown}"
        );
    }

    #[test]
    fn secrets_are_never_shown() {
        for known in KNOWN {
            let mut config = ThinkConfig::new("http://localhost:1", "m");
            config.api_key = Some(super::Secret::new("sk-hush"));
            let shown = format!("{config:?} {:?}", known.with(config.clone()).unwrap());
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
}
