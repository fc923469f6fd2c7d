//! Adding a column to a table that is there: add, fill, validate; and taking it away again.
//!
//! Owns the helper that every change of an analytical table's columns goes through (OC-66). It is idempotent: a column
//! that is there is filled where it is null, and nothing else happens. Indexes of the table, which hold up a change of
//! its columns, are made again.
//!
//! Invariant: a column that is not complete afterwards was not added.

use plimsoll_store::duckdb::{Analytics, Parameter};

use super::declare::Addition;
use super::statements::quoted;
use crate::error::EngineError;

/// What adding a column came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The column was there.
    pub already: bool,
    /// Rows that were filled.
    pub filled: u64,
}

/// Adds a column within the caller's transaction. `table` is what the declared table is called now.
///
/// # Errors
/// Integrity when a row that must have a value has none; refused when the column is there with another type. The
/// caller rolls back.
pub fn add_column(store: &Analytics, table: &str, addition: &Addition) -> Result<Added, EngineError> {
    let Addition { column, kind, backfill, complete, .. } = *addition;
    let found = column_type(store, table, column)?;
    match &found {
        Some(found) if found != kind => {
            return Err(EngineError::refused(format!(
                "column `{column}` of `{table}` is there as {found}, not as {kind}\nhint: rename it, or take it away"
            )));
        }
        Some(_) => {}
        None => altered(store, table, &format!("ADD COLUMN {} {kind}", quoted(column)))?,
    }
    let filled = match backfill {
        Some(expression) => store.execute(
            &format!(
                "UPDATE {} SET {1} = {expression} WHERE {1} IS NULL AND ({expression}) IS NOT NULL",
                quoted(table),
                quoted(column)
            ),
            &[],
        )?,
        None => 0,
    };
    if let Some(complete) = complete {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE ({complete}) AND {} IS NULL",
            quoted(table),
            quoted(column)
        );
        let missing = count(store, &sql)?;
        if missing > 0 {
            return Err(EngineError::integrity(format!(
                "column `{column}` of `{table}` is null in {missing} rows that must have a value"
            )));
        }
    }
    Ok(Added { already: found.is_some(), filled })
}

/// Takes a column away within the caller's transaction; does nothing when it is not there.
///
/// # Errors
/// When the store fails.
pub fn remove_column(store: &Analytics, table: &str, column: &str) -> Result<bool, EngineError> {
    if column_type(store, table, column)?.is_none() {
        return Ok(false);
    }
    altered(store, table, &format!("DROP COLUMN {}", quoted(column)))?;
    Ok(true)
}

fn altered(store: &Analytics, table: &str, change: &str) -> Result<(), EngineError> {
    let indexes = indexes_of(store, table)?;
    drop_indexes(store, &indexes)?;
    store.run_script(&format!("ALTER TABLE {} {change}", quoted(table)))?;
    make_indexes(store, &indexes)
}

fn column_type(store: &Analytics, table: &str, column: &str) -> Result<Option<String>, EngineError> {
    Ok(columns_of(store, table)?.into_iter().find(|(name, _)| name == column).map(|(_, kind)| kind))
}

/// Names and types of a table's columns in order; none when there is no such table.
pub(super) fn columns_of(store: &Analytics, table: &str) -> Result<Vec<(String, String)>, EngineError> {
    let sql = "SELECT column_name, data_type FROM duckdb_columns()
        WHERE schema_name = 'main' AND table_name = $1 AND NOT internal ORDER BY column_index";
    pairs(store, sql, table)
}

/// Names and statements of a table's indexes.
pub(super) fn indexes_of(store: &Analytics, table: &str) -> Result<Vec<(String, String)>, EngineError> {
    let sql = "SELECT index_name, sql FROM duckdb_indexes()
        WHERE schema_name = 'main' AND table_name = $1 ORDER BY index_name";
    pairs(store, sql, table)
}

pub(super) fn drop_indexes(store: &Analytics, indexes: &[(String, String)]) -> Result<(), EngineError> {
    for (name, _) in indexes {
        store.run_script(&format!("DROP INDEX IF EXISTS {}", quoted(name)))?;
    }
    Ok(())
}

pub(super) fn make_indexes(store: &Analytics, indexes: &[(String, String)]) -> Result<(), EngineError> {
    for (_, sql) in indexes {
        store.run_script(sql)?;
    }
    Ok(())
}

fn pairs(store: &Analytics, sql: &str, table: &str) -> Result<Vec<(String, String)>, EngineError> {
    let rows = store.query(sql, &[Parameter::from(table)])?.rows;
    let text = |cell: &plimsoll_store::analytics::OwnedCell| cell.as_text().unwrap_or_default().to_owned();
    Ok(rows.iter().map(|row| (text(&row[0]), text(&row[1]))).collect())
}

/// The number that a query answers.
pub(super) fn count(store: &Analytics, sql: &str) -> Result<u64, EngineError> {
    let rows = store.query(sql, &[])?.rows;
    let number = rows.first().and_then(|row| row[0].as_integer());
    Ok(number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Analytics {
        let store = Analytics::open_in_memory().unwrap();
        store
            .run_script(
                "CREATE TABLE t (id VARCHAR, ms INTEGER); CREATE INDEX by_id ON t(id);
                 INSERT INTO t VALUES ('a', 1000), ('b', 2500), ('c', NULL);",
            )
            .unwrap();
        store
    }

    fn seconds() -> Addition {
        Addition {
            table: "t",
            column: "seconds",
            kind: "DOUBLE",
            backfill: Some("ms / 1000"),
            complete: Some("ms IS NOT NULL"),
        }
    }

    #[test]
    fn a_column_is_added_filled_and_validated_and_a_second_time_nothing_happens() {
        let store = place();
        assert_eq!(add_column(&store, "t", &seconds()).unwrap(), Added { already: false, filled: 2 });
        assert_eq!(add_column(&store, "t", &seconds()).unwrap(), Added { already: true, filled: 0 });
        assert_eq!(count(&store, "SELECT count(*) FROM t WHERE seconds = 2.5").unwrap(), 1);
        assert_eq!(indexes_of(&store, "t").unwrap().len(), 1, "the index was made again");
        store.run_script("INSERT INTO t (id, ms) VALUES ('d', 500)").unwrap();
        assert_eq!(add_column(&store, "t", &seconds()).unwrap(), Added { already: true, filled: 1 });
    }

    #[test]
    fn a_column_that_stays_incomplete_or_has_another_type_is_refused() {
        let store = place();
        let incomplete = Addition { complete: Some("true"), ..seconds() };
        let result: Result<Added, EngineError> =
            store.in_transaction(|store| add_column(store, "t", &incomplete));
        assert!(result.unwrap_err().message.contains("null in 1 rows"));
        assert!(columns_of(&store, "t").unwrap().iter().all(|(name, _)| name != "seconds"));
        let other = Addition { column: "ms", kind: "VARCHAR", ..seconds() };
        assert!(add_column(&store, "t", &other).unwrap_err().message.contains("as INTEGER"));
    }

    #[test]
    fn a_column_is_taken_away_once() {
        let store = place();
        let before = columns_of(&store, "t").unwrap();
        add_column(&store, "t", &seconds()).unwrap();
        assert!(remove_column(&store, "t", "seconds").unwrap());
        assert!(!remove_column(&store, "t", "seconds").unwrap());
        assert_eq!(columns_of(&store, "t").unwrap(), before);
    }
}
