//! Rows as arrays: one array parameter a column, so that one statement takes any number of rows.
//!
//! Owns filling the arrays and the `unnest` that turns them back into rows. A statement's text does not
//! depend on how many rows it gets, so it is prepared once.

use std::borrow::Cow;

use ::postgres::types::ToSql;
use plimsoll_core::table::Column;
use plimsoll_core::value::Value;

use super::column::{Carried, Carrier, Treatment, carried};
use crate::error::StoreError;

/// The values of one column, one for each row.
#[derive(Debug)]
pub(super) enum ColumnArray<'value> {
    Boolean(Vec<Option<bool>>),
    Integer(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Bytes(Vec<Option<&'value [u8]>>),
    Text(Vec<Option<Cow<'value, str>>>),
}

impl<'value> ColumnArray<'value> {
    /// An empty array with room for `rows` values.
    pub(super) fn new(carrier: Carrier, rows: usize) -> Self {
        match carrier {
            Carrier::Boolean => Self::Boolean(Vec::with_capacity(rows)),
            Carrier::Integer => Self::Integer(Vec::with_capacity(rows)),
            Carrier::Float => Self::Float(Vec::with_capacity(rows)),
            Carrier::Bytes => Self::Bytes(Vec::with_capacity(rows)),
            Carrier::Text => Self::Text(Vec::with_capacity(rows)),
        }
    }

    /// Adds one value of the column.
    ///
    /// # Errors
    /// Class `value` when it does not fit the column.
    pub(super) fn push(&mut self, column: &Column, value: &'value Value) -> Result<(), StoreError> {
        self.push_carried(carried(column, value)?);
        Ok(())
    }

    /// Adds one carried value. One that is of another carrier counts as null; `carried` makes none.
    pub(super) fn push_carried(&mut self, value: Carried<'value>) {
        match self {
            Self::Boolean(values) => values.push(match value {
                Carried::Boolean(value) => Some(value),
                _ => None,
            }),
            Self::Integer(values) => values.push(match value {
                Carried::Integer(value) => Some(value),
                _ => None,
            }),
            Self::Float(values) => values.push(match value {
                Carried::Float(value) => Some(value),
                _ => None,
            }),
            Self::Bytes(values) => values.push(match value {
                Carried::Bytes(value) => Some(value),
                _ => None,
            }),
            Self::Text(values) => values.push(match value {
                Carried::Text(value) => Some(value),
                _ => None,
            }),
        }
    }

    /// The array as a statement's parameter.
    pub(super) fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Boolean(values) => values,
            Self::Integer(values) => values,
            Self::Float(values) => values,
            Self::Bytes(values) => values,
            Self::Text(values) => values,
        }
    }
}

/// The arrays as a statement's parameters.
pub(super) fn parameters<'a>(arrays: &'a [ColumnArray<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    arrays.iter().map(ColumnArray::parameter).collect()
}

/// `unnest($1::bigint[], $2::text[], ..) WITH ORDINALITY AS d (c0, c1, .., at)`.
pub(super) fn unnest<'a>(columns: impl Iterator<Item = &'a Treatment>) -> String {
    let mut arrays = Vec::new();
    let mut names = Vec::new();
    for (at, column) in columns.enumerate() {
        arrays.push(format!("${}::{}[]", at + 1, column.carrier.sql_type()));
        names.push(carried_name(at));
    }
    format!("unnest({}) WITH ORDINALITY AS d ({}, at)", arrays.join(", "), names.join(", "))
}

/// The name of the carried column at a position of [`unnest`].
fn carried_name(at: usize) -> String {
    format!("c{at}")
}

/// The carried value at a position of [`unnest`], as an expression.
pub(super) fn carried_at(at: usize) -> String {
    format!("d.{}", carried_name(at))
}
