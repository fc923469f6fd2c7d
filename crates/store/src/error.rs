//! Store errors and their classes.
//!
//! Owns the one table that says what an error means for a run: whether it is the data's fault (isolate the
//! row), contention (try the batch again) or neither (stop, resumable). The mapping from a database's codes
//! to a class lives beside each database.
//!
//! Invariant: only an error that names a rule of the data is a data error. Everything unknown stops the run.

use std::fmt;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// A unique constraint.
    Unique,
    /// A foreign key.
    ForeignKey,
    /// A check constraint.
    Check,
    /// A column that must not be null.
    NotNull,
    /// A value that does not fit its column's type.
    Value,
    /// A trigger refused the row.
    Trigger,
    /// A deadlock or a serialization failure: the same transaction may succeed when tried again.
    Contention,
    /// Waited too long for a lock or a statement.
    Timeout,
    /// The connection is gone.
    Connection,
    /// The disk or the memory is full.
    Resources,
    /// A table or column that is not there, or other misuse.
    Schema,
    /// The store refuses on principle (read-only, wrong version).
    Refused,
    /// Anything else.
    Other,
}

impl ErrorClass {
    /// True when the fault is in the row, so that isolating it makes sense.
    pub fn is_data(self) -> bool {
        matches!(
            self,
            Self::Unique | Self::ForeignKey | Self::Check | Self::NotNull | Self::Value | Self::Trigger
        )
    }

    /// What somebody whose row was refused does next; nothing where the fault is not in the row.
    pub fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::Unique => {
                "another row has this value: give another one, or change that row first, and try again"
            }
            Self::ForeignKey => {
                "it names a row that is not there: bring that row in first, or name another one, and try again"
            }
            Self::Check => "a rule of the table refuses the value: give one that it allows, and try again",
            Self::NotNull => "the column needs a value: give one, and try again",
            Self::Value => "the value does not fit the column's type: give one that does, and try again",
            Self::Trigger => "a trigger of the table refused the row: what it says has to be mended first",
            _ => return None,
        })
    }

    /// The word used in the journal, reports and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::ForeignKey => "foreign_key",
            Self::Check => "check",
            Self::NotNull => "not_null",
            Self::Value => "value",
            Self::Trigger => "trigger",
            Self::Contention => "contention",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Resources => "resources",
            Self::Schema => "schema",
            Self::Refused => "refused",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a store says when it cannot do something.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What kind of failure it was.
    pub class: ErrorClass,
    /// What happened, in the database's words and ours, with a `hint:` line where there is something to do.
    pub message: String,
    /// The position of the change that failed, when the database tells.
    pub at: Option<usize>,
}

impl StoreError {
    /// An error of a class.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), at: None }
    }

    /// The same error, with what was being done put before it.
    #[must_use]
    pub fn during(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}
