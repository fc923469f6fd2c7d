//! PostgreSQL's error codes as error classes.
//!
//! Owns the mapping only. Codes are those of PostgreSQL's document "PostgreSQL Error Codes" (appendix A).

use std::error::Error as _;

use ::postgres::Error;
use ::postgres::error::DbError;

use super::wire::{BindError, DecodeError};
use crate::error::{ErrorClass, StoreError};

/// The error as the engine sees it. Never shows a password: the driver's texts name none.
pub(super) fn explain(error: &Error) -> StoreError {
    if let Some(told) = error.as_db_error() {
        return explain_told(told);
    }
    if let Some(source) = error.source() {
        if let Some(bind) = source.downcast_ref::<BindError>() {
            return StoreError::new(ErrorClass::Value, bind.to_string());
        }
        if let Some(decode) = source.downcast_ref::<DecodeError>() {
            return StoreError::new(ErrorClass::Schema, decode.to_string());
        }
        if source.is::<std::io::Error>() {
            let message = format!("{error}: {source}\nhint: see whether the server runs, then resume");
            return StoreError::new(ErrorClass::Connection, message);
        }
        return StoreError::new(class_of_driver(error), format!("{error}: {source}"));
    }
    let hint = if error.is_closed() { "\nhint: see whether the server runs, then resume" } else { "" };
    StoreError::new(class_of_driver(error), format!("{error}{hint}"))
}

/// The error of executing one of our own prepared statements. Its SQL is known to be sound, so a "syntax
/// error" is one of a value, as the input functions of `tsvector` and `jsonpath` raise it.
pub(super) fn explain_execution(error: &Error) -> StoreError {
    let mut told = explain(error);
    let of_value = |told: &DbError| told.code().code() == "42601" && told.where_().is_none();
    if error.as_db_error().is_some_and(of_value) {
        told.class = ErrorClass::Value;
    }
    told
}

fn class_of_driver(error: &Error) -> ErrorClass {
    // The driver keeps the kind to itself; a closed connection is the one it does tell.
    if error.is_closed() { ErrorClass::Connection } else { ErrorClass::Other }
}

fn explain_told(error: &DbError) -> StoreError {
    let class = classify(error.code().code(), error.where_());
    let mut message = error.message().to_owned();
    if let Some(detail) = error.detail() {
        message.push_str(": ");
        message.push_str(detail);
    }
    let own_hint = match class {
        ErrorClass::Timeout if error.message().contains("statement timeout") => {
            Some("the statement took longer than its limit; give it more time")
        }
        ErrorClass::Timeout => Some("another session holds the rows; wait for it or stop it, then resume"),
        ErrorClass::Resources => Some("free some space, then resume; nothing of the open batch was kept"),
        ErrorClass::Connection => Some("see whether the server runs, then resume"),
        _ => None,
    };
    if let Some(hint) = own_hint.or(error.hint()) {
        message.push_str("\nhint: ");
        message.push_str(hint);
    }
    StoreError::new(class, message)
}

fn classify(code: &str, context: Option<&str>) -> ErrorClass {
    match code {
        "23505" | "23P01" => ErrorClass::Unique,
        "23503" | "23001" => ErrorClass::ForeignKey,
        "23514" | "23000" | "44000" => ErrorClass::Check,
        "23502" => ErrorClass::NotNull,
        // 54000: a value too long for an index; 54001: JSON nested too deeply.
        "54000" | "54001" => ErrorClass::Value,
        "40001" | "40P01" => ErrorClass::Contention,
        "55P03" | "57014" => ErrorClass::Timeout,
        "25006" | "42501" => ErrorClass::Refused,
        "25P03" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05" => ErrorClass::Connection,
        "3D000" | "3F000" | "0A000" => ErrorClass::Schema,
        _ => match code.get(..2) {
            Some("22" | "21") => ErrorClass::Value,
            Some("P0" | "09" | "27") => ErrorClass::Trigger,
            Some("08") => ErrorClass::Connection,
            Some("28") => ErrorClass::Refused,
            Some("53" | "58") => ErrorClass::Resources,
            Some("42") => ErrorClass::Schema,
            // A function may raise any code of its own.
            _ if context.is_some_and(|context| context.contains("at RAISE")) => ErrorClass::Trigger,
            _ => ErrorClass::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_without_an_entry_stop_the_run() {
        for code in ["XX000", "55000", "0B000", "2D000", "", "F0000"] {
            assert!(!classify(code, None).is_data(), "{code}");
        }
        assert_eq!(classify("PX123", Some("PL/pgSQL function f() line 1 at RAISE")), ErrorClass::Trigger);
        assert_eq!(classify("22P02", None), ErrorClass::Value);
        assert_eq!(classify("08006", None), ErrorClass::Connection);
    }
}
