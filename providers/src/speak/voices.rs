//! Names of a remote backend's voices.

use super::UnknownVoice;
use crate::net::{ConfigError, set};

/// The name under which a backend's own choice is found.
pub const VOICE_DEFAULT: &str = "default";
/// Most voices of a list in the environment.
const VOICES_MAX: usize = 200;

/// Environment variables for voices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceVars {
    /// Holds the name or the id of the voice called `default`.
    pub voice: &'static str,
    /// Holds further voices, `name=id,name=id`.
    pub voices: &'static str,
}

/// Voices by name.
#[derive(Clone, Debug)]
pub struct Voices {
    known: Vec<(String, String)>,
    is_id: fn(&str) -> bool,
}

impl Voices {
    /// `built_in` voices (name and id), of which the first is the default. What `is_id` accepts is
    /// taken as a vendor's id.
    pub(super) fn new(built_in: &[(&str, &str)], is_id: fn(&str) -> bool) -> Self {
        let first = built_in.first().map(|(_, id)| (VOICE_DEFAULT, *id));
        let all = first.iter().chain(built_in);
        Self {
            known: all
                .map(|(name, id)| ((*name).to_owned(), (*id).to_owned()))
                .collect(),
            is_id,
        }
    }

    /// Adds what the environment says.
    ///
    /// # Errors
    /// Where a variable is set but cannot be used.
    pub(super) fn with_vars(
        mut self,
        names: &VoiceVars,
        vars: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        if let Some(list) = set(vars, names.voices) {
            for pair in list.split(',').take(VOICES_MAX) {
                let parts = pair
                    .split_once('=')
                    .map(|(name, id)| (name.trim(), id.trim()));
                let Some((name, id)) = parts.filter(|(name, id)| !name.is_empty() && is_plain(id))
                else {
                    return Err(ConfigError::Voices {
                        variable: names.voices,
                    });
                };
                self.known.retain(|(known, _)| known != name);
                self.known.push((name.to_owned(), id.to_owned()));
            }
        }
        if let Some(voice) = set(vars, names.voice) {
            let id = self.id(&voice).map_err(|_| ConfigError::Voices {
                variable: names.voice,
            })?;
            self.known.retain(|(known, _)| known != VOICE_DEFAULT);
            self.known.push((VOICE_DEFAULT.to_owned(), id));
        }
        Ok(self)
    }

    /// The vendor's id of a voice.
    ///
    /// # Errors
    /// [`UnknownVoice`], naming the voices there are.
    pub fn id(&self, name: &str) -> Result<String, UnknownVoice> {
        if let Some((_, id)) = self.known.iter().find(|(known, _)| known == name) {
            return Ok(id.clone());
        }
        if (self.is_id)(name) && is_plain(name) {
            return Ok(name.to_owned());
        }
        let names: Vec<&str> = self.known.iter().map(|(name, _)| name.as_str()).collect();
        Err(UnknownVoice {
            asked: name.to_owned(),
            there_are: format!("{}, or the vendor's own id", names.join(", ")),
        })
    }
}

/// What can stand in an address without changing it.
fn is_plain(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 100
        && id
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NAMES: VoiceVars = VoiceVars {
        voice: "X_VOICE",
        voices: "X_VOICES",
    };

    fn voices(vars: &[(&str, &str)]) -> Result<Voices, ConfigError> {
        Voices::new(&[("anna", "a1"), ("bob", "b1")], |id| id.starts_with("id-")).with_vars(
            &NAMES,
            &|name| {
                let found = vars.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            },
        )
    }

    #[test]
    fn finds_voices() {
        let check = |vars: &[(&str, &str)], name: &str, id: Option<&str>| {
            let found = voices(vars).unwrap().id(name).ok();
            assert_eq!(found.as_deref(), id, "{vars:?} {name}");
        };
        check(&[], "anna", Some("a1"));
        check(&[], "default", Some("a1"));
        check(&[], "id-7", Some("id-7"));
        check(&[], "id-7/../x", None);
        check(&[], "carl", None);
        check(&[("X_VOICE", "bob")], "default", Some("b1"));
        check(&[("X_VOICES", "carl = c1, bob=b2")], "carl", Some("c1"));
        check(&[("X_VOICES", "carl=c1,bob=b2")], "bob", Some("b2"));
        check(
            &[("X_VOICES", "carl=c1"), ("X_VOICE", "carl")],
            "default",
            Some("c1"),
        );
        let unknown = voices(&[]).unwrap().id("carl").unwrap_err();
        assert!(unknown.to_string().contains("anna"), "{unknown}");
    }

    #[test]
    fn refuses_what_is_no_list() {
        for (name, value) in [
            ("X_VOICES", "a"),
            ("X_VOICES", "a=b/c"),
            ("X_VOICE", "nobody"),
        ] {
            let error = voices(&[(name, value)]).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
