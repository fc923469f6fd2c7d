//! What a command says when it cannot go on: what happened, and what the reader can do about it.
//!
//! One plain type serves all commands, because nobody but a person reads it. It is not an error enum:
//! no code decides by its kind, apart from the exit code that separates a wrong command line.

use std::fmt;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    usage: bool,
}

impl Failure {
    /// A failure that says what happened and where.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, usage: false }
    }

    /// A command line that was not understood; ends with exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, usage: true }
    }

    /// Adds what the reader can do about it.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the command line was at fault.
    pub(crate) fn is_usage(&self) -> bool {
        self.usage
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}
