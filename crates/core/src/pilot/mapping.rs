//! What a mapping between the two sides is made of.
//!
//! Owns the types that a system's mapping and the engine share. Each system maps as it will; what it cannot carry it says
//! in [`Problem`]s, so that nobody else has to know why.

use std::collections::BTreeMap;

use crate::sync::record::Fields;
use crate::value::Value;

/// Codes and numbers of records that others refer to.
pub trait References {
    /// The new code of the record with this legacy number.
    fn code_of(&self, entity: &str, legacy_id: i64) -> Option<String>;

    /// The legacy number of the record with this new code.
    fn legacy_id_of(&self, entity: &str, code: &str) -> Option<i64>;
}

/// A value that cannot be carried.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The column, of the side that the row comes from.
    pub column: String,
    /// The value as it stands there.
    pub value: Value,
    /// Why not, in words.
    pub reason: String,
}

/// Rows of the new side, one for each table of the record.
pub type NewRows = BTreeMap<&'static str, Fields>;
