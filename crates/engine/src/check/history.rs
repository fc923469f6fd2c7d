//! The history of checks, in the store that they look at.
//!
//! Owns its table, adding a run to it, and the results of the run before. Nothing is ever taken out of it.

use std::collections::HashMap;

use plimsoll_store::analytics::ColumnType::{Double, Integer, Json, Text, Timestamp};
use plimsoll_store::analytics::{AnalyticTable, Cell, RowBuffer, column};
use plimsoll_store::duckdb::Analytics;

use super::report::{Report, Verdict};
use crate::error::EngineError;
use crate::view::to_json;

/// The table of results.
pub static HEALTH_CHECK_HISTORY: AnalyticTable = AnalyticTable {
    name: "health_check_history",
    help: "One result of one check.",
    columns: &[
        column("run_id", Text, "the run of all checks"),
        column("check_name", Text, "the check"),
        column("checked_at", Timestamp, "when the run began"),
        column("severity", Text, "`error` or `warn`"),
        column("value", Double, "what was measured; null when there was nothing to measure"),
        column("threshold", Text, "the rule that the value must keep"),
        column("verdict", Text, "`pass`, `fail` or `unknown`"),
        column("samples", Json, "rows that show why it failed"),
        column("duration_ms", Integer, "how long the check took, in milliseconds"),
        column("message", Text, "why the check could not run"),
    ],
    key: &["run_id", "check_name"],
    references: &[],
};

/// What a check found the last time.
pub(super) struct Before {
    pub(super) verdict: Verdict,
    pub(super) value: Option<f64>,
}

/// The last result of each check.
pub(super) fn before(store: &Analytics) -> Result<HashMap<String, Before>, EngineError> {
    let sql = "SELECT check_name, verdict, value FROM health_check_history \
               QUALIFY row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC, run_id DESC) = 1";
    let mut found = HashMap::new();
    for row in store.query(sql, &[])?.rows {
        let (Some(name), Some(verdict)) = (row[0].as_text(), row[1].as_text().and_then(Verdict::read)) else {
            continue;
        };
        let value = match row[2] {
            plimsoll_store::analytics::OwnedCell::Double(value) => Some(value),
            _ => None,
        };
        found.insert(name.to_owned(), Before { verdict, value });
    }
    Ok(found)
}

/// Adds the results of a run.
pub(super) fn add(store: &Analytics, report: &Report) -> Result<(), EngineError> {
    let mut rows = RowBuffer::new(&HEALTH_CHECK_HISTORY);
    for finding in &report.findings {
        let threshold = finding.rule.to_string();
        let samples = finding.samples.as_ref().map(to_json);
        rows.push(&[
            Cell::Text(&report.run_id),
            Cell::Text(finding.check),
            Cell::Integer(report.checked_at_us),
            Cell::Text(finding.severity.as_str()),
            finding.value.into(),
            Cell::Text(&threshold),
            Cell::Text(finding.verdict.as_str()),
            samples.as_deref().map(str::trim_end).into(),
            Cell::Integer(finding.duration_ms),
            finding.message.as_deref().into(),
        ])?;
    }
    Ok(store.append(&mut rows)?)
}
