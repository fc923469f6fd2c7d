//! Analytical stores: tables as declared data, rows as columns.
//!
//! Owns how a system declares a table of an analytical store (DuckDB) and the buffer that rows are collected in
//! before they are appended many at a time. The declaration is the only source: from it come the statement that
//! creates the table, the diagram, the reference, and the check that rows fit. What is written when is the
//! ingest's; how it reaches the file is `duckdb`'s.
//!
//! Invariants: a table has no key or index in the database (decision 6), its `key` is checked by query; a row is
//! complete - a cell left out or of another type is an error, not a null.

use crate::error::{ErrorClass, StoreError};

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// US dollars, exact to 1e-10: `DECIMAL(18,10)`, at most 99,999,999.
    Money,
    /// True or false.
    Boolean,
    /// A moment in UTC, microseconds.
    Timestamp,
    /// A day in UTC.
    Date,
    /// A JSON document, kept as it was written.
    Json,
    /// A floating point number; for measures, never for money.
    Double,
}

impl ColumnType {
    /// The type in SQL.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Text => "VARCHAR",
            Self::Integer => "BIGINT",
            Self::Money => "DECIMAL(18,10)",
            Self::Boolean => "BOOLEAN",
            Self::Timestamp => "TIMESTAMP",
            Self::Date => "DATE",
            Self::Json => "JSON",
            Self::Double => "DOUBLE",
        }
    }
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub struct AnalyticColumn {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// What it means, with its unit.
    pub help: &'static str,
}

/// A column of `kind`.
pub const fn column(name: &'static str, kind: ColumnType, help: &'static str) -> AnalyticColumn {
    AnalyticColumn { name, kind, help }
}

/// A table of an analytical store.
#[derive(Debug)]
pub struct AnalyticTable {
    /// Its name.
    pub name: &'static str,
    /// What one row is.
    pub help: &'static str,
    /// Its columns in order.
    pub columns: &'static [AnalyticColumn],
    /// The columns that tell rows apart; checked by query.
    pub key: &'static [&'static str],
    /// Columns that hold another table's key: column, table, its column. Checked by query.
    pub references: &'static [(&'static str, &'static str, &'static str)],
}

impl AnalyticTable {
    /// The statement that creates the table when it is absent.
    pub fn create(&self) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|column| format!("\"{}\" {}", column.name, column.kind.sql())).collect();
        format!("CREATE TABLE IF NOT EXISTS {} ({})", self.name, columns.join(", "))
    }

    /// The position of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|found| found.name == column)
    }
}

/// One cell, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// For [`ColumnType::Text`] and [`ColumnType::Json`].
    Text(&'a str),
    /// For [`ColumnType::Integer`]; [`ColumnType::Timestamp`] in microseconds and [`ColumnType::Date`] in days since
    /// 1970; [`ColumnType::Money`] in 1e-10 dollars.
    Integer(i64),
    /// For [`ColumnType::Boolean`].
    Boolean(bool),
    /// For [`ColumnType::Double`].
    Double(f64),
}

/// One cell of a query's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnedCell {
    /// No value.
    Null,
    /// Text, and JSON as it is written.
    Text(String),
    /// A whole number; moments in microseconds, days since 1970.
    Integer(i64),
    /// A decimal number: digits, and how many of them are behind the point.
    Decimal(i128, u8),
    /// True or false.
    Boolean(bool),
    /// A floating point number.
    Double(f64),
}

impl OwnedCell {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Decimal(digits, 0) => i64::try_from(*digits).ok(),
            _ => None,
        }
    }

    /// Money in 1e-10 dollars, if it is a decimal number that fits.
    pub fn as_money(&self) -> Option<i64> {
        match self {
            Self::Decimal(digits, 10) => i64::try_from(*digits).ok(),
            Self::Decimal(digits, scale @ 0..10) => {
                i64::try_from(digits.checked_mul(10_i128.pow(u32::from(10 - scale)))?).ok()
            }
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<f64> for Cell<'_> {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// The cells of one column. Texts lie end to end, so that a batch is few allocations.
#[derive(Debug)]
pub(crate) enum ColumnBuffer {
    /// Ends of the texts in `bytes`; `present` tells nulls.
    Text { bytes: String, ends: Vec<i32>, present: Vec<bool> },
    /// Whole numbers, moments, days, money.
    Integer(Vec<Option<i64>>),
    /// True or false.
    Boolean(Vec<Option<bool>>),
    /// Floating point numbers.
    Double(Vec<Option<f64>>),
}

/// Rows of one table, collected.
#[derive(Debug)]
pub struct RowBuffer {
    pub(crate) table: &'static AnalyticTable,
    pub(crate) columns: Vec<ColumnBuffer>,
    pub(crate) rows: usize,
    bytes: usize,
}

impl RowBuffer {
    /// An empty buffer.
    pub fn new(table: &'static AnalyticTable) -> Self {
        let columns = table
            .columns
            .iter()
            .map(|column| match column.kind {
                ColumnType::Text | ColumnType::Json => {
                    ColumnBuffer::Text { bytes: String::new(), ends: Vec::new(), present: Vec::new() }
                }
                ColumnType::Boolean => ColumnBuffer::Boolean(Vec::new()),
                ColumnType::Double => ColumnBuffer::Double(Vec::new()),
                _ => ColumnBuffer::Integer(Vec::new()),
            })
            .collect();
        Self { table, columns, rows: 0, bytes: 0 }
    }

    /// The table.
    pub fn table(&self) -> &'static AnalyticTable {
        self.table
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True when it holds no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Roughly how many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a row; the cells are in the order of the table's columns.
    ///
    /// # Errors
    /// When a cell is missing, one too many, or of another type than its column; nothing is added then.
    pub fn push(&mut self, cells: &[Cell<'_>]) -> Result<(), StoreError> {
        if cells.len() != self.table.columns.len() {
            return Err(self.misfit(format!(
                "{} cells for {} columns",
                cells.len(),
                self.table.columns.len()
            )));
        }
        let wrong = cells.iter().zip(&self.columns).position(|(cell, column)| {
            !matches!(
                (cell, column),
                (Cell::Null, _)
                    | (Cell::Text(_), ColumnBuffer::Text { .. })
                    | (Cell::Integer(_), ColumnBuffer::Integer(_))
                    | (Cell::Boolean(_), ColumnBuffer::Boolean(_))
                    | (Cell::Double(_), ColumnBuffer::Double(_))
            )
        });
        if let Some(position) = wrong {
            let column = self.table.columns[position].name;
            return Err(self.misfit(format!("{:?} for `{column}`", cells[position])));
        }
        for (cell, column) in cells.iter().zip(&mut self.columns) {
            self.bytes += 9;
            match (column, cell) {
                (ColumnBuffer::Text { bytes, ends, present }, cell) => {
                    if let Cell::Text(text) = cell {
                        bytes.push_str(text);
                        self.bytes += text.len();
                    }
                    present.push(matches!(cell, Cell::Text(_)));
                    // A batch is cut long before two gigabytes; a single larger text is refused by the reader.
                    ends.push(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
                }
                (ColumnBuffer::Integer(values), Cell::Integer(value)) => values.push(Some(*value)),
                (ColumnBuffer::Integer(values), _) => values.push(None),
                (ColumnBuffer::Boolean(values), Cell::Boolean(value)) => values.push(Some(*value)),
                (ColumnBuffer::Boolean(values), _) => values.push(None),
                (ColumnBuffer::Double(values), Cell::Double(value)) => values.push(Some(*value)),
                (ColumnBuffer::Double(values), _) => values.push(None),
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn misfit(&self, what: String) -> StoreError {
        StoreError::new(
            ErrorClass::Other,
            format!("a row of table `{}` does not fit: {what}", self.table.name),
        )
    }

    /// Forgets all rows from the one numbered `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        if rows >= self.rows {
            return;
        }
        self.rows = rows;
        for column in &mut self.columns {
            match column {
                ColumnBuffer::Text { bytes, ends, present } => {
                    ends.truncate(rows);
                    present.truncate(rows);
                    let end = ends.last().and_then(|end| usize::try_from(*end).ok()).unwrap_or(0);
                    bytes.truncate(end);
                }
                ColumnBuffer::Integer(values) => values.truncate(rows),
                ColumnBuffer::Boolean(values) => values.truncate(rows),
                ColumnBuffer::Double(values) => values.truncate(rows),
            }
        }
    }

    /// Forgets the rows and keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.bytes = 0;
        for column in &mut self.columns {
            match column {
                ColumnBuffer::Text { bytes, ends, present } => {
                    bytes.clear();
                    ends.clear();
                    present.clear();
                }
                ColumnBuffer::Integer(values) => values.clear(),
                ColumnBuffer::Boolean(values) => values.clear(),
                ColumnBuffer::Double(values) => values.clear(),
            }
        }
    }
}
