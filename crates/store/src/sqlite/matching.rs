//! Patterns: SQLite has the operator `REGEXP` but no function behind it.
//!
//! Owns that function. A pattern is compiled once for each statement; one that cannot be read is an error of the
//! statement and no mismatch.

use std::sync::Arc;

use regex::Regex;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error};

/// Adds the function `regexp(pattern, text)`, which `text REGEXP pattern` calls.
pub(super) fn add(connection: &Connection) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("regexp", 2, flags, |context| {
        let pattern = context.get_or_create_aux(0, |value| {
            let pattern = value.as_str()?;
            Regex::new(pattern).map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send + Sync>)
        });
        let pattern: Arc<Regex> = pattern?;
        Ok(match context.get_raw(1) {
            ValueRef::Null => None,
            ValueRef::Text(text) => Some(pattern.is_match(&String::from_utf8_lossy(text))),
            ValueRef::Integer(number) => Some(pattern.is_match(&number.to_string())),
            ValueRef::Real(number) => Some(pattern.is_match(&number.to_string())),
            ValueRef::Blob(_) => Some(false),
        })
    })
}
