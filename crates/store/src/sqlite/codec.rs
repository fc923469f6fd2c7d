//! Values in SQLite: declared types, affinities, and the texts of instants.
//!
//! Owns the mapping between a cell's storage class plus its column's declared type and a [`Value`].
//! SQLite checks no types, so a typed variant is returned only where writing it back gives the same bytes:
//! an instant is recognised in SQLite's own form `YYYY-MM-DD HH:MM:SS[.ffffff]` (what `CURRENT_TIMESTAMP`
//! writes); the same instant spelt otherwise stays text.

use plimsoll_core::table::{Column, ColumnType};
use plimsoll_core::value::{Value, is_date, is_decimal, is_timestamp};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use crate::error::{ErrorClass, StoreError};
use crate::store::Lent;

/// A value as it is bound to a statement.
pub(super) struct Bound<'value>(pub(super) &'value Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Boolean(value) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*value))),
            Value::Integer(value) => ToSqlOutput::Borrowed(ValueRef::Integer(*value)),
            Value::Float(value) => ToSqlOutput::Borrowed(ValueRef::Real(*value)),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Value::Timestamp(text) => ToSqlOutput::Owned(stored_timestamp(text).into()),
            Value::Text(text) | Value::Decimal(text) | Value::Date(text) | Value::Json(text) => {
                ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
            }
        })
    }
}

fn stored_timestamp(text: &str) -> String {
    if is_timestamp(text) { text.replace('T', " ").trim_end_matches('Z').to_owned() } else { text.to_owned() }
}

/// The column type that a declared type stands for.
pub(super) fn column_type(declared: &str) -> ColumnType {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if has(&["BOOL"]) {
        ColumnType::Boolean
    } else if has(&["TIMESTAMP", "DATETIME"]) {
        ColumnType::Timestamp
    } else if declared == "DATE" {
        ColumnType::Date
    } else if has(&["JSON"]) {
        ColumnType::Json
    } else if has(&["DECIMAL", "NUMERIC"]) {
        ColumnType::Decimal
    } else if has(&["INT"]) {
        ColumnType::Integer
    } else if has(&["BLOB"]) {
        ColumnType::Bytes
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        ColumnType::Float
    } else {
        ColumnType::Text
    }
}

/// Reads a cell of a column.
pub(super) fn decode(cell: ValueRef<'_>, column: ColumnType) -> Result<Value, StoreError> {
    Ok(match (decode_untyped(cell)?, column) {
        (Value::Integer(value @ (0 | 1)), ColumnType::Boolean) => Value::Boolean(value == 1),
        (Value::Text(text), column) => typed_text(text, column),
        (value, _) => value,
    })
}

fn typed_text(text: String, column: ColumnType) -> Value {
    match column {
        ColumnType::Timestamp => {
            let canonical = text.replacen(' ', "T", 1) + "Z";
            if is_timestamp(&canonical) { Value::Timestamp(canonical) } else { Value::Text(text) }
        }
        ColumnType::Date if is_date(&text) => Value::Date(text),
        ColumnType::Decimal if is_decimal(&text) => Value::Decimal(text),
        ColumnType::Json if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() => Value::Json(text),
        _ => Value::Text(text),
    }
}

/// Reads a cell by its storage class alone.
pub(crate) fn decode_untyped(cell: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Float(value),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Text(bytes) => Value::Text(utf8(bytes)?.to_owned()),
    })
}

/// Lends a cell by its storage class alone.
pub(super) fn lend(cell: ValueRef<'_>) -> Result<Lent<'_>, StoreError> {
    Ok(match cell {
        ValueRef::Null => Lent::Null,
        ValueRef::Integer(value) => Lent::Integer(value),
        ValueRef::Real(value) => Lent::Float(value),
        ValueRef::Blob(bytes) => Lent::Bytes(bytes),
        ValueRef::Text(bytes) => Lent::Text(utf8(bytes)?),
    })
}

fn utf8(bytes: &[u8]) -> Result<&str, StoreError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("a text cell is not UTF-8: {error}\nhint: repair the cell or declare it BLOB");
        StoreError::new(ErrorClass::Value, message)
    })
}

/// What a read of `column` returns after `value` was written to it: binding, affinity, decoding.
/// `float_text` gives the text of a float that lands in a column of text.
pub(super) fn canonical(column: &Column, value: Value, float_text: impl Fn(f64) -> Option<String>) -> Value {
    let stored = match value {
        Value::Boolean(value) => Value::Integer(i64::from(value)),
        Value::Timestamp(text) => Value::Text(stored_timestamp(&text)),
        Value::Decimal(text) | Value::Date(text) | Value::Json(text) => Value::Text(text),
        other => other,
    };
    let stored = match (affinity(&column.declared), stored) {
        (Affinity::Text, Value::Integer(value)) => Value::Text(value.to_string()),
        (Affinity::Text, Value::Float(value)) if !value.is_nan() => {
            float_text(value).map_or(Value::Float(value), Value::Text)
        }
        (Affinity::Real, Value::Integer(value)) => Value::Float(value as f64),
        (Affinity::Numeric, Value::Float(value)) => whole(value).map_or(Value::Float(value), Value::Integer),
        (Affinity::Numeric | Affinity::Real, Value::Text(text)) => number(&column.declared, text),
        (_, stored) => stored,
    };
    let stored = match (affinity(&column.declared), stored) {
        (_, Value::Float(value)) if value.is_nan() => Value::Null,
        // Whole numbers of such a column are kept as integers, which have no negative zero.
        // (The pattern matches both zeros.)
        (Affinity::Real, Value::Float(0.0)) => Value::Float(0.0),
        (_, stored) => stored,
    };
    match (stored, column.column_type) {
        (Value::Integer(value @ (0 | 1)), ColumnType::Boolean) => Value::Boolean(value == 1),
        (Value::Text(text), column) => typed_text(text, column),
        (value, _) => value,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Affinity {
    Numeric,
    Real,
    Text,
    None,
}

/// Column affinity by SQLite's own rules (its document "Datatypes In SQLite", section 3.1).
fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if has(&["INT"]) {
        Affinity::Numeric
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Affinity::Text
    } else if declared.is_empty() || has(&["BLOB"]) {
        Affinity::None
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        Affinity::Real
    } else {
        Affinity::Numeric
    }
}

/// The integer that SQLite keeps for a float, when it is one; its bound is the largest float below 2^63.
fn whole(value: f64) -> Option<i64> {
    let fits = value.fract() == 0.0 && value.abs() <= 9_223_372_036_854_774_784.0;
    fits.then_some(value as i64)
}

/// Text in a numeric column becomes a number when it reads as one, as SQLite does it.
fn number(declared: &str, text: String) -> Value {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let numeric = trimmed.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
        && trimmed.bytes().any(|byte| byte.is_ascii_digit());
    if !numeric {
        return Value::Text(text);
    }
    let real = affinity(declared) == Affinity::Real;
    if let (false, Ok(value)) = (real, trimmed.parse::<i64>()) {
        return Value::Integer(value);
    }
    match trimmed.parse::<f64>() {
        Ok(value) if !real => whole(value).map_or(Value::Float(value), Value::Integer),
        Ok(value) => Value::Float(value),
        Err(_) => Value::Text(text),
    }
}
