//! Where a vendor's service is, its key and the model: from environment variables.

use super::Secret;

/// Environment variables of one vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountVars {
    /// Holds the key; without it the vendor is not used.
    pub key: &'static str,
    /// Holds another address than `base_url`.
    pub base_url_var: &'static str,
    /// The vendor's own address.
    pub base_url: &'static str,
    /// Holds the model's name.
    pub model_var: &'static str,
    /// The model used where none is named.
    pub model: &'static str,
}

/// One vendor's address, key and model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Scheme and host, and the path in front of the vendor's own; no `/` at its end.
    pub base_url: String,
    /// The key.
    pub api_key: Secret,
    /// The model's name.
    pub model: String,
}

/// A setting that cannot be used. Displays never hold a key or a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The URL is not one.
    #[error("{variable} is `{value}`; write a URL such as `{example}`")]
    Url {
        /// The environment variable.
        variable: &'static str,
        /// What was given, without user and password.
        value: String,
        /// The vendor's own address.
        example: &'static str,
    },
    /// The key has characters that no header may have.
    #[error("{variable} has characters that cannot be sent; check it for line breaks")]
    Key {
        /// The environment variable.
        variable: &'static str,
    },
    /// A list of voices is not one.
    #[error("{variable} is no list of voices; write `name=id,name=id`")]
    Voices {
        /// The environment variable.
        variable: &'static str,
    },
    /// No client can be built, e.g. because no certificate roots could be loaded.
    #[error("{0}")]
    Client(String),
}

impl Account {
    /// An account at `base_url`.
    pub fn new(base_url: impl Into<String>, api_key: Secret, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into().trim_end_matches('/').to_owned(),
            api_key,
            model: model.into(),
        }
    }

    /// From environment variables; nothing where no key is set. `model`, where given, goes before
    /// the variable.
    ///
    /// # Errors
    /// Where a variable is set but cannot be used.
    pub fn from_vars(
        names: &AccountVars,
        model: Option<&str>,
        vars: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(key) = set(vars, names.key) else {
            return Ok(None);
        };
        let api_key = Secret::new(key);
        if !api_key.is_sendable() {
            return Err(ConfigError::Key {
                variable: names.key,
            });
        }
        let base_url = match set(vars, names.base_url_var) {
            Some(url) => checked_url(names, url)?,
            None => names.base_url.to_owned(),
        };
        let model = model
            .map(str::to_owned)
            .or_else(|| set(vars, names.model_var))
            .unwrap_or_else(|| names.model.to_owned());
        Ok(Some(Self::new(base_url, api_key, model)))
    }
}

/// The variable's value, where it has one.
pub(crate) fn set(vars: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    vars(name)
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

fn checked_url(names: &AccountVars, value: String) -> Result<String, ConfigError> {
    let url = reqwest::Url::parse(&value).ok();
    let schemes = ["http", "https", "ws", "wss"];
    if url.is_some_and(|url| schemes.contains(&url.scheme()) && url.has_host()) {
        return Ok(value);
    }
    Err(ConfigError::Url {
        variable: names.base_url_var,
        // A password may stand before an `@`.
        value: value.rsplit('@').next().unwrap_or_default().to_owned(),
        example: names.base_url,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const VARS: AccountVars = AccountVars {
        key: "X_API_KEY",
        base_url_var: "X_BASE_URL",
        base_url: "https://api.x.example",
        model_var: "X_MODEL",
        model: "x-1",
    };

    fn from(model: Option<&str>, vars: &[(&str, &str)]) -> Result<Option<Account>, ConfigError> {
        Account::from_vars(&VARS, model, &|name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn reads_the_variables() {
        assert_eq!(from(None, &[]), Ok(None));
        assert_eq!(from(None, &[("X_API_KEY", " ")]), Ok(None));
        let own = from(None, &[("X_API_KEY", "k")]).unwrap().unwrap();
        assert_eq!(own.base_url, "https://api.x.example");
        assert_eq!(own.model, "x-1");
        let vars = [
            ("X_API_KEY", "k"),
            ("X_BASE_URL", "ws://l:1/"),
            ("X_MODEL", "m"),
        ];
        let other = from(None, &vars).unwrap().unwrap();
        assert_eq!(
            (other.base_url.as_str(), other.model.as_str()),
            ("ws://l:1", "m")
        );
        assert_eq!(from(Some("n"), &vars).unwrap().unwrap().model, "n");
    }

    #[test]
    fn refuses_what_cannot_be_used() {
        let key = from(None, &[("X_API_KEY", "a\nb")]).unwrap_err();
        assert!(key.to_string().contains("X_API_KEY"), "{key}");
        for url in ["localhost", "ftp://me:hunter2@x/", "http://"] {
            let error = from(None, &[("X_API_KEY", "k"), ("X_BASE_URL", url)]).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains("X_BASE_URL") && !text.contains("hunter2"),
                "{text}"
            );
        }
    }

    #[test]
    fn keys_are_never_shown() {
        let account = Account::new("http://x", Secret::new("sk-hush"), "m");
        assert!(!format!("{account:?}").contains("hush"));
    }
}
