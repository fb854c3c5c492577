//! The personality file: schema, loader, linter, built-in agents.

/// A personality, as loaded from its file.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    /// Its id: the file's name without the ending.
    pub id: String,
}
