//! Reading journal rows: typed access to the cells of one row.
//!
//! Owns nothing but the conversion and its error, which means that the journal holds what it never should.

use plimsoll_core::value::Value;

use crate::error::EngineError;

/// One row of a journal query.
pub(crate) struct Cells(pub(crate) Vec<Value>);

impl Cells {
    /// The text at `at`.
    pub(crate) fn text(&self, at: usize) -> Result<String, EngineError> {
        self.optional_text(at)?.ok_or_else(|| unexpected(at, "text", &Value::Null))
    }

    /// The text at `at`, or `None` for null.
    pub(crate) fn optional_text(&self, at: usize) -> Result<Option<String>, EngineError> {
        match self.0.get(at) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            other => Err(unexpected(at, "text", other.unwrap_or(&Value::Null))),
        }
    }

    /// The text at `at`, or `None` for null, moved out of the row.
    pub(crate) fn take_text(&mut self, at: usize) -> Result<Option<String>, EngineError> {
        match self.0.get_mut(at).map(std::mem::take) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            other => Err(unexpected(at, "text", &other.unwrap_or_default())),
        }
    }

    /// The integer at `at`.
    pub(crate) fn integer(&self, at: usize) -> Result<i64, EngineError> {
        match self.0.get(at) {
            Some(Value::Integer(value)) => Ok(*value),
            other => Err(unexpected(at, "an integer", other.unwrap_or(&Value::Null))),
        }
    }

    /// The non-negative integer at `at`.
    pub(crate) fn count(&self, at: usize) -> Result<u64, EngineError> {
        let value = self.integer(at)?;
        u64::try_from(value).map_err(|_| unexpected(at, "a count", &Value::Integer(value)))
    }
}

fn unexpected(at: usize, wanted: &str, found: &Value) -> EngineError {
    EngineError::integrity(format!(
        "the journal holds {found} in column {at} where {wanted} belongs\nhint: the store was changed by something other than plimsoll; `plimsoll verify --all` tells where"
    ))
}

/// A count as a journal value.
pub(crate) fn number(count: u64) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}
