//! The remote recognizers by name.

use std::sync::Arc;

use super::Hear;
use super::remote::{HearLimits, RemoteHear};
use super::{assemblyai, deepgram, elevenlabs_scribe, openai_transcription};
use crate::net::{Account, AccountVars, ConfigError, TlsSetupError};

/// A remote recognizer.
#[derive(Clone, Copy, Debug)]
pub struct KnownHear {
    /// Its name in settings.
    pub name: &'static str,
    /// Its environment variables.
    pub vars: AccountVars,
    build: fn(Account, HearLimits) -> Result<RemoteHear, TlsSetupError>,
}

/// All remote recognizers.
pub const KNOWN_HEAR: [KnownHear; 4] = [
    KnownHear {
        name: "deepgram",
        vars: deepgram::VARS,
        build: deepgram::deepgram,
    },
    KnownHear {
        name: "assemblyai",
        vars: assemblyai::VARS,
        build: assemblyai::assemblyai,
    },
    KnownHear {
        name: "openai",
        vars: openai_transcription::VARS,
        build: openai_transcription::openai_transcription,
    },
    KnownHear {
        name: "elevenlabs",
        vars: elevenlabs_scribe::VARS,
        build: elevenlabs_scribe::elevenlabs_scribe,
    },
];

impl KnownHear {
    /// The recognizer for `account`.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn build(&self, account: Account, limits: HearLimits) -> Result<RemoteHear, TlsSetupError> {
        (self.build)(account, limits)
    }
}

/// The remote recognizer called `name`, with its settings from environment variables; nothing
/// where there is none of that name or its key is not set. `model`, where given, goes before the
/// variable.
///
/// # Errors
/// Where a variable is set but cannot be used.
pub fn hear_by_name(
    name: &str,
    model: Option<&str>,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Arc<dyn Hear>>, ConfigError> {
    let Some(known) = KNOWN_HEAR.iter().find(|known| known.name == name) else {
        return Ok(None);
    };
    let Some(account) = Account::from_vars(&known.vars, model, vars)? else {
        return Ok(None);
    };
    let built = known.build(account, HearLimits::default());
    let hear = built.map_err(|error| ConfigError::Client(error.to_string()))?;
    Ok(Some(Arc::new(hear)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn finds_those_whose_keys_are_set() {
        let none = |_: &str| None;
        for known in KNOWN_HEAR {
            assert!(hear_by_name(known.name, None, &none).unwrap().is_none());
            let vars = |name: &str| (name == known.vars.key).then(|| "k-1".to_owned());
            let hear = hear_by_name(known.name, None, &vars).unwrap().unwrap();
            assert_eq!(hear.name(), known.name);
            assert!(hear.capabilities().remote);
        }
        let all = |_: &str| Some("k".to_owned());
        assert!(hear_by_name("nobody", None, &all).unwrap().is_none());
        assert!(matches!(
            hear_by_name("deepgram", None, &all),
            Err(ConfigError::Url { .. })
        ));
    }
}
