//! Random ids and session tokens.

use antiphon_proto::SessionId;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct NoRandomness(getrandom::Error);

/// A bearer token as kept: only its hash, so that a memory dump opens no call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Compares without telling by its time where the difference is: both are hashes.
    pub(crate) fn matches(&self, token: &str) -> bool {
        let other = Self::of(token);
        self.0
            .iter()
            .zip(other.0)
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
    }
}

pub(crate) fn session_id() -> Result<SessionId, NoRandomness> {
    Ok(SessionId(format!("sess_{}", random_text::<16>()?)))
}

pub(crate) fn token() -> Result<String, NoRandomness> {
    Ok(format!("call_{}", random_text::<32>()?))
}

pub(crate) fn request_id() -> String {
    // Without randomness the request is still answered; only its id says nothing.
    random_text::<10>().map_or_else(|_| "req_unknown".to_owned(), |text| format!("req_{text}"))
}

fn random_text<const BYTES: usize>() -> Result<String, NoRandomness> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_matches_itself_alone() {
        let token = token().expect("random bytes");
        let hash = TokenHash::of(&token);
        assert!(hash.matches(&token));
        assert!(!hash.matches(&token[1..]));
        assert!(!hash.matches(""));
    }
}
