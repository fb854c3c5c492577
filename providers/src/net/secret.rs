//! Keys.

use std::fmt;

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the header that it is sent in and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True where it can stand in a header: printable ASCII without spaces.
    pub fn is_sendable(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("sk-hush")), "Secret(…)");
    }

    #[test]
    fn only_what_a_header_may_hold_is_sendable() {
        for (secret, sendable) in [("sk-1", true), ("", false), ("a\nb", false), ("a b", false)] {
            assert_eq!(Secret::new(secret).is_sendable(), sendable, "{secret:?}");
        }
    }
}
