//! Computing derived tables.
//!
//! Owns running a system's derivations for the scopes whose rows changed, in one transaction with forgetting that they
//! are out of date. After a crash they are computed again; the same rows come out.

use std::time::Instant;

use plimsoll_store::StoreError;
use plimsoll_store::duckdb::Analytics;

use super::declare::{Documents, How, RowBuffer, Scope, Settings};
use super::writer::{fill_affected, spread};
use crate::error::EngineError;

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

/// Notes that every scope is out of date.
pub(crate) fn note_all(store: &Analytics) -> Result<(), StoreError> {
    let sql = "INSERT INTO plimsoll_ingest_affected SELECT '*'
        WHERE NOT EXISTS (SELECT 1 FROM plimsoll_ingest_affected WHERE scope_id = '*')";
    store.execute(sql, &[]).map(drop)
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
