//! The store trait: what the engine may ask of a database.
//!
//! Owns the contract that SQLite and PostgreSQL fulfil and that the conformance suite checks. SQL given to
//! [`Store::execute`] and [`Store::query`] uses `$1, $2, ..` for parameters and only what both databases
//! understand; values are always parameters.
//!
//! Invariants: row writes are compare-and-set (a row is written only when it equals the change's `before`);
//! a store used for reading never writes.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::change::Change;
use plimsoll_core::table::{Column, Image, RowKey, TableShape};
use plimsoll_core::value::Value;

use crate::error::StoreError;
use crate::url::StoreUrl;

/// Which database a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatabaseKind {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// Whether a connection may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Reads and writes.
    ReadWrite,
    /// Reads only; inside a transaction, one consistent snapshot.
    ReadOnly,
}

/// What a query answered, with the names of its columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NamedRows {
    /// The names, in the order of the cells.
    pub columns: Vec<String>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<Value>>,
}

/// A callback for one row of a scan.
pub type EachRow<'a> = dyn FnMut(Vec<Value>) -> Result<(), StoreError> + 'a;

/// One cell of a row, lent for the time of a callback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lent<'row> {
    /// SQL `NULL`.
    Null,
    /// A whole number or a truth value.
    Integer(i64),
    /// A double.
    Float(f64),
    /// Text, and every type whose value is a text.
    Text(&'row str),
    /// Bytes.
    Bytes(&'row [u8]),
}

impl<'row> Lent<'row> {
    /// Lends a value.
    fn of(value: &'row Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(value) => Self::Integer(i64::from(*value)),
            Value::Integer(value) => Self::Integer(*value),
            Value::Float(value) => Self::Float(*value),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Text(text)
            | Value::Decimal(text)
            | Value::Timestamp(text)
            | Value::Date(text)
            | Value::Json(text) => Self::Text(text),
        }
    }
}

/// A callback for one row of a query whose cells are only looked at.
pub type EachLent<'a> = dyn FnMut(&[Lent<'_>]) -> Result<(), StoreError> + 'a;

/// One connection to a database that holds a system's tables and the journal.
///
/// A store is used by one thread at a time. Open transactions are explicit: [`Store::begin`] and
/// [`Store::commit`]; prefer [`in_transaction`], which rolls back on every early return.
pub trait Store: Send {
    /// Which database this is.
    fn kind(&self) -> DatabaseKind;

    /// Where it is.
    fn url(&self) -> StoreUrl;

    /// Opens another connection to the same database.
    fn reopen(&self) -> Result<Box<dyn Store>, StoreError>;

    /// Begins a transaction. [`Access::ReadWrite`] takes the write lock at once where the database has one
    /// (SQLite `BEGIN IMMEDIATE`); [`Access::ReadOnly`] reads one consistent snapshot.
    fn begin(&mut self, access: Access) -> Result<(), StoreError>;

    /// Commits. When the commit itself fails the transaction is rolled back.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Takes the open transaction back; does nothing when there is none.
    fn rollback(&mut self) -> Result<(), StoreError>;

    /// Sets a savepoint. `name` is a plain identifier.
    fn savepoint(&mut self, name: &'static str) -> Result<(), StoreError>;

    /// Returns to the savepoint, which stays set.
    fn rollback_to(&mut self, name: &'static str) -> Result<(), StoreError>;

    /// Forgets the savepoint and keeps what was done since.
    fn release(&mut self, name: &'static str) -> Result<(), StoreError>;

    /// Checks constraints that the database would check only when committing.
    fn check_deferred(&mut self) -> Result<(), StoreError>;

    /// Runs one statement; returns how many rows it changed.
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError>;

    /// Runs one query and returns all rows.
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, StoreError> {
        let mut rows = Vec::new();
        self.query_each(sql, parameters, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs one query and hands over row by row, without holding all of them in memory.
    fn query_each(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut EachRow<'_>,
    ) -> Result<(), StoreError>;

    /// As [`Store::query_each`], without giving the cells away: no copy is made of what is only looked at.
    fn query_lent(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut EachLent<'_>,
    ) -> Result<(), StoreError> {
        self.query_each(sql, parameters, &mut |row| {
            let cells: Vec<Lent<'_>> = row.iter().map(Lent::of).collect();
            each(&cells)
        })
    }

    /// Runs one query and returns all rows with the names of their columns, also when there is no row.
    fn query_named(&mut self, sql: &str, parameters: &[Value]) -> Result<NamedRows, StoreError>;

    /// Limits how long each further statement of the open transaction may take, waiting for locks included. The limit
    /// ends with the transaction; a statement that takes longer fails with class `timeout`.
    ///
    /// # Errors
    /// When no transaction is open.
    fn limit_statements(&mut self, limit: Duration) -> Result<(), StoreError>;

    /// Runs a script of several statements without parameters (schema steps).
    fn run_script(&mut self, sql: &str) -> Result<(), StoreError>;

    /// Inserts many rows of one of the journal's own tables as fast as the database allows.
    fn append(&mut self, table: &str, columns: &[&str], rows: &[Vec<Value>]) -> Result<(), StoreError>;

    /// The shape of a table, or `None` when there is none. Remembered until [`Store::forget_shapes`].
    fn shape(&mut self, table: &str) -> Result<Option<Arc<TableShape>>, StoreError>;

    /// Forgets remembered shapes, after the schema changed.
    fn forget_shapes(&mut self);

    /// The value that a later read of `column` returns once `value` was written to it.
    fn canonical(&self, column: &Column, value: Value) -> Value;

    /// Writes changes in order, each compare-and-set. `true` at a position means that the row was written;
    /// `false` that it was not at the change's `before` (or, for an insert, that the key exists).
    ///
    /// # Errors
    /// The first error; the caller rolls back to a savepoint.
    fn write_rows(&mut self, changes: &[&Change]) -> Result<Vec<bool>, StoreError>;

    /// The rows with these keys, in the order of the keys; `None` where there is no such row.
    fn read_rows(
        &mut self,
        table: &Arc<TableShape>,
        keys: &[RowKey],
    ) -> Result<Vec<Option<Image>>, StoreError>;

    /// All rows whose `columns` equal `values`, ordered by key. A null value matches null.
    fn find_rows(
        &mut self,
        table: &Arc<TableShape>,
        columns: &[usize],
        values: &[Value],
    ) -> Result<Vec<Image>, StoreError>;

    /// Every row of a table, ordered by key.
    fn scan_rows(&mut self, table: &Arc<TableShape>, each: &mut EachRow<'_>) -> Result<(), StoreError>;
}

/// Runs `work` in one transaction: commits when it returns `Ok`, rolls back otherwise.
///
/// # Errors
/// The error of `work`, or of beginning or committing.
pub fn in_transaction<T, E: From<StoreError>>(
    store: &mut dyn Store,
    access: Access,
    work: impl FnOnce(&mut dyn Store) -> Result<T, E>,
) -> Result<T, E> {
    store.begin(access)?;
    match work(store) {
        Ok(result) => {
            store.commit()?;
            Ok(result)
        }
        Err(error) => {
            // The first error is the one to tell; a failed rollback ends with the connection anyway.
            drop(store.rollback());
            Err(error)
        }
    }
}
