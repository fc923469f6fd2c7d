//! SQLite's result codes as error classes.
//!
//! Owns the mapping only. Codes are those of SQLite's document "Result and Error Codes".

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::{ErrorClass, StoreError};

/// The error as the engine sees it.
pub(crate) fn explain(error: &rusqlite::Error) -> StoreError {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (Some(code), message.clone()),
        rusqlite::Error::SqlInputError { error, msg, sql, .. } => {
            (Some(error), Some(format!("{msg} in: {sql}")))
        }
        _ => (None, None),
    };
    let message = message.unwrap_or_else(|| error.to_string());
    let class = code.map_or(ErrorClass::Other, |code| classify(*code, &message));
    let interrupted = code.is_some_and(|code| code.code == ErrorCode::OperationInterrupted);
    let hint = match class {
        ErrorClass::Timeout if interrupted => {
            "\nhint: the statement took longer than its limit; give it more time"
        }
        ErrorClass::Timeout => {
            "\nhint: another process holds the database; wait for it or stop it, then resume"
        }
        ErrorClass::Resources => "\nhint: free some space, then resume; nothing of the open batch was kept",
        _ => "",
    };
    StoreError::new(class, format!("{message}{hint}"))
}

fn classify(code: ffi::Error, message: &str) -> ErrorClass {
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            return ErrorClass::Unique;
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return ErrorClass::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK => return ErrorClass::Check,
        ffi::SQLITE_CONSTRAINT_NOTNULL => return ErrorClass::NotNull,
        ffi::SQLITE_CONSTRAINT_TRIGGER => return ErrorClass::Trigger,
        ffi::SQLITE_CONSTRAINT_DATATYPE => return ErrorClass::Value,
        _ => {}
    }
    match code.code {
        ErrorCode::ConstraintViolation => ErrorClass::Check,
        ErrorCode::TooBig | ErrorCode::TypeMismatch => ErrorClass::Value,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted => {
            ErrorClass::Timeout
        }
        ErrorCode::DiskFull | ErrorCode::OutOfMemory | ErrorCode::SystemIoFailure => ErrorClass::Resources,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => ErrorClass::Refused,
        ErrorCode::CannotOpen | ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => {
            ErrorClass::Connection
        }
        ErrorCode::Unknown if message.starts_with("no such") || message.contains("has no column") => {
            ErrorClass::Schema
        }
        _ => ErrorClass::Other,
    }
}
