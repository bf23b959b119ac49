//! Errors that the user can mend by another command line.

use std::fmt;

/// The command asks for something that does not exist; the message says what does.
#[derive(Debug)]
pub(crate) struct UsageError(String);

impl UsageError {
    /// Marks `error` as one of usage.
    pub(crate) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}
