//! Table shapes: the columns and the key of one table as a store found them.
//!
//! Owns shapes, row images and row keys. It does not know how a store declares its types: each store maps
//! its own declared types to [`ColumnType`].
//!
//! Invariant: an [`Image`] has exactly one value for each column of its shape, in the shape's order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// The type a column was declared with, as far as Plimsoll tells types apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Truth values.
    Boolean,
    /// Whole numbers of up to 64 bits.
    Integer,
    /// Doubles.
    Float,
    /// Exact decimals of any size.
    Decimal,
    /// Text of any kind that has no type of its own here.
    Text,
    /// Bytes.
    Bytes,
    /// Instants in UTC.
    Timestamp,
    /// Calendar dates.
    Date,
    /// JSON documents.
    Json,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The name as the database spells it.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// The type exactly as declared, for casts (`timestamp with time zone`).
    pub declared: String,
    /// Whether `NULL` is allowed.
    pub nullable: bool,
}

/// All columns of one row, in the order of its [`TableShape`].
pub type Image = Vec<Value>;

/// The values of a row's key columns, in key order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowKey(pub Vec<Value>);

impl RowKey {
    /// The text form stored in the journal: a JSON array.
    pub fn to_text(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| String::from("[]"))
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, value) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("/")?;
            }
            match value.as_text() {
                Some(text) => f.write_str(text)?,
                None => write!(f, "{value}")?,
            }
        }
        Ok(())
    }
}

/// The shape of one table: its name, its columns in order, and which of them are the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableShape {
    /// The table's name.
    pub name: String,
    /// Every column of the table, also those the system does not declare.
    pub columns: Vec<Column>,
    /// Positions of the key columns in `columns`; never empty.
    pub key: Vec<usize>,
}

impl TableShape {
    /// The position of the column called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The key of a row.
    pub fn key_of(&self, image: &[Value]) -> RowKey {
        RowKey(self.key.iter().map(|&at| image.get(at).cloned().unwrap_or_default()).collect())
    }

    /// The key's column names, in key order.
    pub fn key_columns(&self) -> impl Iterator<Item = &str> {
        self.key.iter().filter_map(|&at| self.columns.get(at)).map(|column| column.name.as_str())
    }

    /// The value of column `name` in `image`; null when the table has no such column.
    pub fn get<'image>(&self, image: &'image [Value], name: &str) -> &'image Value {
        const NULL: &Value = &Value::Null;
        self.position(name).and_then(|at| image.get(at)).unwrap_or(NULL)
    }
}
