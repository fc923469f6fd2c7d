//! Computing derived tables.
//!
//! Owns running a system's derivations for the scopes whose rows changed, in one transaction with forgetting that they
//! are out of date. After a crash they are computed again; the same rows come out.

use std::time::Instant;

use plimsoll_store::duckdb::{Analytics, Resources};
use plimsoll_store::{ErrorClass, StoreError};

use super::declare::{Documents, How, RowBuffer, Scope, Settings};
use super::writer::{fill_affected, spread};
use crate::error::EngineError;

/// Memory of the database while derived tables are computed, in megabytes; enough for 200,000 documents.
pub const DERIVING_MEMORY_MB: u32 = 256;
/// What a larger store may need instead. What still does not fit is told as an error.
const MOST_MEMORY_MB: u32 = 4_096;

/// Computes everything again, as after new prices.
///
/// # Errors
/// As [`derive()`].
pub fn derive_all(
    system: &dyn Documents,
    store: &Analytics,
    settings: &Settings,
) -> Result<u64, EngineError> {
    note_all(store)?;
    derive(system, store, settings)
}

/// Notes that every scope is out of date. A note that is there already may be one that a computation under way is about
/// to take away, so it is made again.
pub(crate) fn note_all(store: &Analytics) -> Result<(), StoreError> {
    store.execute("INSERT INTO plimsoll_ingest_affected VALUES ('*')", &[]).map(drop)
}

/// As [`derive()`], with so many threads and as little memory as will do.
///
/// # Errors
/// As [`derive()`], and when [`MOST_MEMORY_MB`] do not do.
pub(crate) fn derive_in_little_memory(
    system: &dyn Documents,
    store: &Analytics,
    settings: &Settings,
    threads: usize,
) -> Result<u64, EngineError> {
    let threads = u8::try_from(threads.max(1)).unwrap_or(u8::MAX);
    let mut memory_mb = DERIVING_MEMORY_MB;
    loop {
        store.use_resources(Resources { memory_mb, threads })?;
        match derive(system, store, settings) {
            Err(error) if error.class == Some(ErrorClass::Resources) && memory_mb < MOST_MEMORY_MB => {
                memory_mb *= 2;
                tracing::info!(memory_mb, "derived tables need more memory");
            }
            derived => return derived,
        }
    }
}

/// Computes what is out of date. Returns how many scopes were computed again.
///
/// # Errors
/// When a statement fails; everything is as before then, and still noted as out of date.
pub fn derive(system: &dyn Documents, store: &Analytics, settings: &Settings) -> Result<u64, EngineError> {
    let noted = store.query("SELECT DISTINCT scope_id FROM plimsoll_ingest_affected LIMIT 1", &[])?;
    if noted.rows.is_empty() {
        return Ok(0);
    }
    store.in_transaction(|store| {
        let all = store.query("SELECT 1 FROM plimsoll_ingest_affected WHERE scope_id = '*' LIMIT 1", &[])?;
        let all = !all.rows.is_empty() || system.scopes().is_empty();
        if all {
            fill_affected(store)?;
            if !system.scopes().is_empty() {
                let sql = format!("INSERT INTO affected SELECT * FROM ({})", system.scopes());
                store.execute(&sql, &[])?;
            }
        } else {
            let began = Instant::now();
            spread(system, store)?;
            fill_affected(store)?;
            tracing::debug!(duration_us = began.elapsed().as_micros(), "affected scopes found");
        }
        for derivation in system.derivations() {
            let table = derivation.table;
            let began = Instant::now();
            match derivation.scope {
                Scope::Affected(column) if !all => {
                    let sql = format!(
                        "DELETE FROM {} WHERE {column} IN (SELECT scope_id FROM affected)",
                        table.name
                    );
                    store.execute(&sql, &[])?;
                }
                // Every scope is computed again, those that are gone leave nothing.
                Scope::Affected(_) | Scope::Whole => {
                    store.execute(&format!("DELETE FROM {}", table.name), &[])?;
                }
            }
            match derivation.how {
                How::Query(query) => {
                    store.execute(&format!("INSERT INTO {} {query}", table.name), &[])?;
                }
                How::Rows { query, each } => {
                    let mut rows = RowBuffer::new(table);
                    store.query_each(query, &[], &mut |row| each(&row, settings, &mut rows))?;
                    store.append(&mut rows)?;
                }
            }
            tracing::debug!(table = table.name, duration_us = began.elapsed().as_micros(), "derived");
        }
        let scopes = store.query("SELECT count(DISTINCT scope_id) FROM affected", &[])?;
        store.execute("DELETE FROM plimsoll_ingest_affected", &[])?;
        Ok(scopes.rows[0][0].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    })
}
