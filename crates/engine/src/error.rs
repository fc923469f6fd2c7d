//! Engine errors: twelve kinds at most, each with an exit meaning.
//!
//! Owns the error type that every engine function returns. The kind decides what a caller does; the message
//! says what happened and where, and ends with a `hint:` line where there is something to do.

use plimsoll_core::change::ChangeError;
use plimsoll_core::run::IllegalEvent;
use plimsoll_store::{ErrorClass, StoreError};

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is wrong: an unknown id, an impossible option.
    Usage,
    /// A gate, a policy or a missing approval refuses.
    Refused,
    /// The database failed or refused.
    Store,
    /// The source failed or cannot be read.
    Source,
    /// What the journal says contradicts itself: a broken chain, a digest that differs.
    Integrity,
    /// The run stopped and can be resumed.
    Stopped,
    /// A test asked for a crash here.
    Crash,
}

/// What the engine says when it cannot do something.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What kind of failure it was.
    pub kind: ErrorKind,
    /// What happened, for a person.
    pub message: String,
    /// The store's class, when the store failed.
    pub class: Option<ErrorClass>,
}

impl EngineError {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), class: None }
    }

    /// The request itself is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// A policy refuses.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// The journal contradicts itself.
    pub fn integrity(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Integrity, message)
    }

    /// The source failed.
    pub fn source(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Source, message)
    }

    /// The same error, with what was being done put before it.
    #[must_use]
    pub fn during(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self { kind: ErrorKind::Store, class: Some(error.class), message: error.message }
    }
}

impl From<ChangeError> for EngineError {
    fn from(error: ChangeError) -> Self {
        Self::integrity(error.to_string())
    }
}

impl From<IllegalEvent> for EngineError {
    fn from(error: IllegalEvent) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<serde_json::Error> for EngineError {
    fn from(error: serde_json::Error) -> Self {
        Self::integrity(format!("stored JSON cannot be read: {error}"))
    }
}
