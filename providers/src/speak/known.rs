//! The remote voices by name.

use std::sync::Arc;

use super::Speak;
use super::openai::OpenAiSpeak;
use super::voices::{VoiceVars, Voices};
use super::{cartesia, deepgram_aura, elevenlabs, openai};
use crate::net::{Account, AccountVars, ConfigError, HttpLimits};

type Build = fn(Account, Voices, HttpLimits) -> Result<Arc<dyn Speak>, ConfigError>;

/// A remote voice backend.
#[derive(Clone, Copy, Debug)]
pub struct KnownSpeak {
    /// Its name in settings.
    pub name: &'static str,
    /// Its environment variables.
    pub vars: AccountVars,
    /// Those of its voices.
    pub voice_vars: VoiceVars,
    voices: fn() -> Voices,
    build: Build,
}

/// All remote voice backends.
pub const KNOWN_SPEAK: [KnownSpeak; 4] = [
    KnownSpeak {
        name: "elevenlabs",
        vars: elevenlabs::VARS,
        voice_vars: elevenlabs::VOICE_VARS,
        voices: elevenlabs::voices,
        build: |account, voices, limits| built(elevenlabs::elevenlabs(account, voices, limits)),
    },
    KnownSpeak {
        name: "cartesia",
        vars: cartesia::VARS,
        voice_vars: cartesia::VOICE_VARS,
        voices: cartesia::voices,
        build: |account, voices, limits| built(cartesia::cartesia(account, voices, limits)),
    },
    KnownSpeak {
        name: "deepgram",
        vars: deepgram_aura::VARS,
        voice_vars: deepgram_aura::VOICE_VARS,
        voices: deepgram_aura::voices,
        build: |account, voices, limits| {
            built(deepgram_aura::deepgram_aura(account, voices, limits))
        },
    },
    KnownSpeak {
        name: "openai",
        vars: openai::VARS,
        voice_vars: openai::VOICE_VARS,
        voices: openai::voices,
        build: |account, voices, limits| built(OpenAiSpeak::new(account, voices, limits)),
    },
];

fn built<S: Speak + 'static, E: std::error::Error>(
    built: Result<S, E>,
) -> Result<Arc<dyn Speak>, ConfigError> {
    match built {
        Ok(speak) => Ok(Arc::new(speak)),
        Err(error) => Err(ConfigError::Client(error.to_string())),
    }
}

impl KnownSpeak {
    /// The backend for `account`, with its built-in voices.
    ///
    /// # Errors
    /// [`ConfigError::Client`].
    pub fn build(
        &self,
        account: Account,
        limits: HttpLimits,
    ) -> Result<Arc<dyn Speak>, ConfigError> {
        (self.build)(account, (self.voices)(), limits)
    }
}

/// The remote voice backend called `name`, with its settings from environment variables; nothing
/// where there is none of that name or its key is not set. `model`, where given, goes before the
/// variable.
///
/// # Errors
/// Where a variable is set but cannot be used.
pub fn speak_by_name(
    name: &str,
    model: Option<&str>,
    vars: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Arc<dyn Speak>>, ConfigError> {
    let Some(known) = KNOWN_SPEAK.iter().find(|known| known.name == name) else {
        return Ok(None);
    };
    let Some(account) = Account::from_vars(&known.vars, model, vars)? else {
        return Ok(None);
    };
    let voices = (known.voices)().with_vars(&known.voice_vars, vars)?;
    (known.build)(account, voices, HttpLimits::default()).map(Some)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn finds_those_whose_keys_are_set() {
        let none = |_: &str| None;
        for known in KNOWN_SPEAK {
            assert!(speak_by_name(known.name, None, &none).unwrap().is_none());
            let vars = |name: &str| {
                let is_voices = name == known.voice_vars.voices;
                let value = if is_voices { "anna=voice-1" } else { "k-1" };
                (is_voices || name == known.vars.key).then(|| value.to_owned())
            };
            let speak = speak_by_name(known.name, None, &vars).unwrap().unwrap();
            assert_eq!(speak.name(), known.name);
            assert!(speak.capabilities().remote);
            assert_eq!(speak.rate_hz("default"), Ok(24_000));
            assert_eq!(speak.rate_hz("anna"), Ok(24_000));
            assert!(speak.rate_hz("nobody at all").is_err());
        }
    }
}
