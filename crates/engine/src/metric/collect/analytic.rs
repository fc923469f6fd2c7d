//! Samples of an analytical store: the ledger, the checks, and what the system declares.

use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::Analytics;

use super::file_bytes;
use crate::error::EngineError;
use crate::metric::declared::number;
use crate::metric::{
    CHECK_LAST, CHECK_RESULTS, CHECK_SECONDS, CHECK_STATUS, CHECK_VALUE, DeclaredMetric, INGEST_BYTES,
    INGEST_DOCUMENTS, INGEST_LAG, INGEST_LAST, INGEST_PHASE, INGEST_UNKNOWN, STORE_BYTES, Sample,
};

const OUTCOMES: [&str; 4] = ["stored", "superseded", "waiting", "quarantined"];

/// Every sample of one analytical store.
pub(super) fn collect(
    store: &Analytics,
    system: &str,
    metrics: &[DeclaredMetric],
    samples: &mut Vec<Sample>,
) -> Result<(), EngineError> {
    if let Some(path) = store.path() {
        samples.push(STORE_BYTES.sample(&[system], file_bytes(path)));
    }
    let tables = store.table_names()?;
    if tables.contains("plimsoll_ingest_document") {
        ledger(store, system, samples)?;
    }
    if tables.contains("health_check_history") {
        checks(store, system, samples)?;
    }
    for metric in metrics {
        samples.extend(metric.samples(store)?);
    }
    Ok(())
}

fn text(cell: &OwnedCell) -> &str {
    cell.as_text().unwrap_or_default()
}

fn ledger(store: &Analytics, system: &str, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let sql =
        "SELECT outcome, count(*), CAST(coalesce(sum(size), 0) AS BIGINT), max(epoch_us(ingested_at)) / 1e6
               FROM plimsoll_ingest_document GROUP BY outcome";
    let rows = store.query(sql, &[])?.rows;
    for outcome in OUTCOMES {
        let count = rows.iter().find(|row| text(&row[0]) == outcome).and_then(|row| number(&row[1]));
        samples.push(INGEST_DOCUMENTS.sample(&[system, outcome], count.unwrap_or(0.0)));
    }
    samples.push(INGEST_BYTES.sample(&[system], rows.iter().filter_map(|row| number(&row[2])).sum()));
    if let Some(last) = rows.iter().filter_map(|row| number(&row[3])).reduce(f64::max) {
        samples.push(INGEST_LAST.sample(&[system], last));
    }
    // Only files say when they were changed as a moment.
    let sql = "SELECT max(greatest(0, epoch_us(ingested_at) / 1e6 - modified_ns / 1e9)) FROM (
                   SELECT ingested_at, modified_ns FROM plimsoll_ingest_document
                   WHERE generation = 'json' ORDER BY ingested_at DESC LIMIT 100)";
    if let Some(lag) = one(store, sql)? {
        samples.push(INGEST_LAG.sample(&[system], lag));
    }
    for row in store.query("SELECT phase FROM plimsoll_ingest_state", &[])?.rows {
        samples.push(INGEST_PHASE.sample(&[system, text(&row[0])], 1.0));
    }
    let unknown = one(store, "SELECT count(*) FROM plimsoll_ingest_unknown")?;
    samples.push(INGEST_UNKNOWN.sample(&[system], unknown.unwrap_or(0.0)));
    Ok(())
}

fn one(store: &Analytics, sql: &str) -> Result<Option<f64>, EngineError> {
    Ok(store.query(sql, &[])?.rows.first().and_then(|row| number(&row[0])))
}

fn checks(store: &Analytics, system: &str, samples: &mut Vec<Sample>) -> Result<(), EngineError> {
    let sql = "SELECT check_name, severity, verdict, value, epoch_us(checked_at) / 1e6, duration_ms
               FROM health_check_history
               QUALIFY row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC, run_id DESC) = 1
               ORDER BY check_name";
    for row in store.query(sql, &[])?.rows {
        let labels = [system, text(&row[0])];
        samples.push(CHECK_STATUS.sample(&[system, text(&row[0]), text(&row[1]), text(&row[2])], 1.0));
        samples.extend(number(&row[3]).map(|value| CHECK_VALUE.sample(&labels, value)));
        samples.extend(number(&row[4]).map(|at| CHECK_LAST.sample(&labels, at)));
        samples.extend(number(&row[5]).map(|ms| CHECK_SECONDS.sample(&labels, ms / 1_000.0)));
    }
    let sql = "SELECT severity, verdict, count(*) FROM health_check_history GROUP BY ALL ORDER BY ALL";
    for row in store.query(sql, &[])?.rows {
        let count = number(&row[2]).unwrap_or(0.0);
        samples.push(CHECK_RESULTS.sample(&[system, text(&row[0]), text(&row[1])], count));
    }
    Ok(())
}
