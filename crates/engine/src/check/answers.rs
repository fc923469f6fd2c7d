//! What a check asks: something that answers a read-only query.
//!
//! Owns the trait over the three databases, reading cells of either kind of store as one kind, the snapshot that a run
//! of checks reads, and its time limit. It does not know what is asked.
//!
//! Invariants: nothing is written; a query that fails leaves the snapshot good, so that the next check is not blamed.

use std::time::Duration;

use plimsoll_core::value::Value;
use plimsoll_store::analytics::{ColumnType, OwnedCell};
use plimsoll_store::duckdb::{Analytics, Parameter};
use plimsoll_store::{Access, DatabaseKind, NamedRows, Store};

use crate::error::EngineError;
use crate::view::{Column, Shape, Table, column_type};

/// The database that answers; the few places where their SQL differs ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// DuckDB.
    Duckdb,
}

impl Database {
    /// Its name, for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Duckdb => "DuckDB",
        }
    }
}

/// Something that answers read-only queries.
pub trait Answers {
    /// Which database it is.
    fn database(&self) -> Database;

    /// Begins a snapshot in which each query may take `limit`.
    ///
    /// # Errors
    /// What the database says.
    fn begin(&mut self, limit: Duration) -> Result<(), EngineError>;

    /// Ends the snapshot.
    fn end(&mut self);

    /// Asks one query. Parameters are `$1, $2, ..` and texts.
    ///
    /// # Errors
    /// What the database says; the next query is not touched by it.
    fn ask(&mut self, sql: &str, parameters: &[&str]) -> Result<Table, EngineError>;

    /// How the database would run a query, told to use an index wherever there is one that can be used.
    ///
    /// # Errors
    /// What the database says, or that it has no indexes.
    fn explain(&mut self, sql: &str) -> Result<Table, EngineError>;

    /// How many queries were asked.
    fn statements(&self) -> u64;

    /// The analytical store, where it is one: views are asked of it.
    fn analytics(&self) -> Option<&Analytics> {
        None
    }
}

/// A store of a system's tables.
pub(super) struct OfStore<'a> {
    store: &'a mut dyn Store,
    statements: u64,
}

impl<'a> OfStore<'a> {
    pub(super) fn new(store: &'a mut dyn Store) -> Self {
        Self { store, statements: 0 }
    }

    /// Runs `work` so that its failure does not end the transaction, and its settings end with it.
    fn apart(
        &mut self,
        work: impl FnOnce(&mut dyn Store) -> Result<NamedRows, plimsoll_store::StoreError>,
        keep: bool,
    ) -> Result<Table, EngineError> {
        const HERE: &str = "plimsoll_check";
        self.statements += 1;
        self.store.savepoint(HERE)?;
        let result = work(self.store);
        if result.is_err() || !keep {
            self.store.rollback_to(HERE)?;
        }
        self.store.release(HERE)?;
        Ok(table(result?))
    }
}

impl Answers for OfStore<'_> {
    fn database(&self) -> Database {
        match self.store.kind() {
            DatabaseKind::Sqlite => Database::Sqlite,
            DatabaseKind::Postgres => Database::Postgres,
        }
    }

    fn begin(&mut self, limit: Duration) -> Result<(), EngineError> {
        self.store.begin(Access::ReadOnly)?;
        Ok(self.store.limit_statements(limit)?)
    }

    fn end(&mut self) {
        // Nothing was written, so nothing is lost when this fails with the connection.
        drop(self.store.rollback());
    }

    fn ask(&mut self, sql: &str, parameters: &[&str]) -> Result<Table, EngineError> {
        let values: Vec<Value> = parameters.iter().map(|text| Value::text(*text)).collect();
        self.apart(|store| store.query_named(sql, &values), true)
    }

    fn explain(&mut self, sql: &str) -> Result<Table, EngineError> {
        let postgres = self.database() == Database::Postgres;
        self.apart(
            |store| {
                if postgres {
                    // Small tables are read whole whatever indexes there are; the question is whether one can be used.
                    store.run_script("SET LOCAL enable_seqscan = off")?;
                    return store.query_named(&format!("EXPLAIN (FORMAT TEXT) {sql}"), &[]);
                }
                store.query_named(&format!("EXPLAIN QUERY PLAN {sql}"), &[])
            },
            false,
        )
    }

    fn statements(&self) -> u64 {
        self.statements
    }
}

/// An analytical store.
pub(super) struct OfAnalytics<'a> {
    store: &'a Analytics,
    limit: Duration,
    /// The snapshot is ours, and not one that the caller began.
    own: bool,
    statements: u64,
}

impl<'a> OfAnalytics<'a> {
    pub(super) fn new(store: &'a Analytics) -> Self {
        Self { store, limit: Duration::MAX, own: false, statements: 0 }
    }
}

impl Answers for OfAnalytics<'_> {
    fn database(&self) -> Database {
        Database::Duckdb
    }

    fn begin(&mut self, limit: Duration) -> Result<(), EngineError> {
        self.limit = limit;
        // Within a transaction of the caller, that one is the snapshot.
        self.own = self.store.run_script("BEGIN TRANSACTION READ ONLY").is_ok();
        Ok(())
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.own) {
            self.store.rollback();
        }
    }

    fn ask(&mut self, sql: &str, parameters: &[&str]) -> Result<Table, EngineError> {
        self.statements += 1;
        let parameters: Vec<Parameter> = parameters.iter().map(|text| Parameter::from(*text)).collect();
        match self.store.query_within(sql, &parameters, self.limit) {
            Ok(answer) => {
                let columns = answer.columns.into_iter();
                let columns = columns.map(|(name, kind)| Column { kind: column_type(&kind), name }).collect();
                Ok(Table { shape: Shape::Rows, columns, rows: answer.rows, sections: Vec::new() })
            }
            Err(error) => {
                // DuckDB ends a transaction with its first error: the next check gets a new one.
                if self.own {
                    self.store.rollback();
                    self.own = self.store.run_script("BEGIN TRANSACTION READ ONLY").is_ok();
                }
                Err(error.into())
            }
        }
    }

    fn explain(&mut self, _: &str) -> Result<Table, EngineError> {
        Err(EngineError::usage(
            "tables of an analytical store have no indexes\nhint: check the time of a view",
        ))
    }

    fn statements(&self) -> u64 {
        self.statements
    }

    fn analytics(&self) -> Option<&Analytics> {
        Some(self.store)
    }
}

/// An answer of a store as a table; a column's type is that of its first value.
fn table(answer: NamedRows) -> Table {
    let kind = |at: usize| {
        let first = answer.rows.iter().filter_map(|row| row.get(at)).find(|value| !value.is_null());
        match first {
            Some(Value::Boolean(_)) => ColumnType::Boolean,
            Some(Value::Integer(_)) => ColumnType::Integer,
            Some(Value::Float(_) | Value::Decimal(_)) => ColumnType::Double,
            Some(Value::Json(_)) => ColumnType::Json,
            _ => ColumnType::Text,
        }
    };
    let columns = answer.columns.iter().enumerate();
    let columns = columns.map(|(at, name)| Column { name: name.clone(), kind: kind(at) }).collect();
    let rows = answer.rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect();
    Table { shape: Shape::Rows, columns, rows, sections: Vec::new() }
}

fn cell(value: Value) -> OwnedCell {
    match value {
        Value::Null => OwnedCell::Null,
        Value::Boolean(value) => OwnedCell::Boolean(value),
        Value::Integer(number) => OwnedCell::Integer(number),
        Value::Float(number) => OwnedCell::Double(number),
        Value::Decimal(text) => decimal(&text).unwrap_or(OwnedCell::Text(text)),
        Value::Text(text) | Value::Timestamp(text) | Value::Date(text) | Value::Json(text) => {
            OwnedCell::Text(text)
        }
        Value::Bytes(bytes) => OwnedCell::Text(format!("<{} bytes>", bytes.len())),
    }
}

/// `-12.50` as digits and scale; none for `NaN`, infinities and numbers that are too long.
fn decimal(text: &str) -> Option<OwnedCell> {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{behind}").parse().ok()?;
    Some(OwnedCell::Decimal(digits, u8::try_from(behind.len()).ok()?))
}

/// A cell as a number: not a number where it is a text that says so, none where it is null or no number.
pub(super) fn as_number(cell: &OwnedCell) -> Result<Option<f64>, EngineError> {
    match cell {
        OwnedCell::Null => Ok(None),
        OwnedCell::Integer(number) => Ok(Some(*number as f64)),
        OwnedCell::Double(number) => Ok(Some(*number)),
        OwnedCell::Decimal(digits, scale) => Ok(Some(*digits as f64 / 10_f64.powi(i32::from(*scale)))),
        OwnedCell::Text(text) => match text.trim().parse::<f64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(EngineError::usage(format!("the value of a check is a number and not `{text}`"))),
        },
        OwnedCell::Boolean(_) => {
            Err(EngineError::usage("the value of a check is a number and not true or false"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(decimal("-12.50"), Some(OwnedCell::Decimal(-1_250, 2)));
        assert_eq!(decimal("-0.5"), Some(OwnedCell::Decimal(-5, 1)));
        assert_eq!(decimal("7"), Some(OwnedCell::Decimal(7, 0)));
        assert_eq!(decimal("NaN"), None);
        assert!(as_number(&OwnedCell::Text("NaN".into())).unwrap().unwrap().is_nan());
        assert!(as_number(&OwnedCell::Text("many".into())).is_err());
    }
}
