//! The columns of a database row.
//!
//! Owns reading a row's cells by name, as leniently as [`super::fields`] reads JSON. It deliberately knows no tables.
//!
//! Invariants: what is stored in a JSON column is JSON; a text that is none is stored as a JSON string.

use std::borrow::Cow;

use plimsoll_core::value::Value;

use super::fields::{moment, whole};
use super::json::Tape;
use super::leftovers::write_string;
use crate::money::Money;

/// The columns of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns<'a>(pub(super) &'a [(&'static str, Value)]);

impl<'a> Columns<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// A text, or a number as it is printed.
    pub(super) fn text(self, name: &str) -> Option<Cow<'a, str>> {
        match self.get(name)? {
            Value::Integer(number) => Some(Cow::Owned(number.to_string())),
            Value::Float(number) => Some(Cow::Owned(number.to_string())),
            Value::Boolean(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes)),
            value => value.as_text().map(Cow::Borrowed),
        }
    }

    /// A text that is not empty.
    pub(super) fn filled(self, name: &str) -> Option<Cow<'a, str>> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A whole number.
    pub(super) fn integer(self, name: &str) -> Option<i64> {
        self.get(name)?.as_integer().or_else(|| whole(&self.text(name)?))
    }

    /// A moment in microseconds, stored in milliseconds.
    pub(super) fn moment(self, name: &str) -> Option<i64> {
        moment(&self.text(name)?)
    }

    /// An amount of dollars in 1e-10. SQLite keeps a double, whose shortest decimal is what was stored.
    pub(super) fn money(self, name: &str) -> Option<i64> {
        Money::parse(&self.text(name)?).map(Money::units)
    }

    /// A JSON text; an empty one is none.
    pub(super) fn json(self, name: &str) -> Option<Cow<'a, str>> {
        let text = self.filled(name)?;
        if text == "null" {
            return None;
        }
        if Tape::new(&text).is_ok() {
            return Some(text);
        }
        let mut string = String::new();
        write_string(&text, &mut string);
        Some(Cow::Owned(string))
    }
}
