//! The history of checks, in the store that they look at.
//!
//! Owns adding a run to it and reading results back: for trends, for gates that decide on a result, for alerts and for
//! pages. On a store of a system's tables it is `plimsoll_check_result`, on an analytical store `health_check_history`.
//!
//! Invariant: nothing is ever taken out of it or changed in it.

use std::collections::HashMap;

use plimsoll_core::value::Value;
use plimsoll_store::analytics::ColumnType::{Double, Integer, Json, Text, Timestamp};
use plimsoll_store::analytics::{AnalyticTable, Cell, OwnedCell, RowBuffer, column};
use plimsoll_store::duckdb::Analytics;
use plimsoll_store::{Access, Store, check_result, in_transaction, schema};

use super::report::{Finding, Report, Verdict, threshold};
use crate::error::EngineError;
use crate::view::to_json;

/// The table of results of an analytical store.
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
        column("verdict", Text, "`pass`, `warn`, `fail`, `error` or `unknown`"),
        column("samples", Json, "rows that show why it failed"),
        column("duration_ms", Integer, "how long the check took, in milliseconds"),
        column("message", Text, "why the check could not run, or what else there is to know"),
        column("kind", Text, "the kind of check, such as `completeness`"),
        column("unit", Text, "the unit of the value; may be empty"),
        column("sample_size", Integer, "how many rows were looked at"),
        column("numbers", Json, "the value with its siblings"),
        column("cohort", Text, "the cohort that was looked at; null for all rows"),
    ],
    key: &["run_id", "check_name"],
    references: &[],
};

/// So many earlier results of a check are read for its trend.
const KEPT_IN_MIND: i64 = 60;

/// One result of one check, read back.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResult {
    /// The run of checks.
    pub run: String,
    /// The check.
    pub check: String,
    /// When the run began, RFC 3339 in UTC.
    pub checked_at: String,
    /// How it ended.
    pub verdict: Verdict,
    /// What was measured; none when there was nothing to measure.
    pub value: Option<f64>,
    /// The unit of the value; may be empty.
    pub unit: String,
    /// The rule that the value had to keep.
    pub threshold: String,
    /// `error` or `warn`.
    pub severity: String,
    /// How many rows were looked at, where that is known.
    pub sample_size: Option<u64>,
    /// The cohort that was looked at; none for all rows.
    pub cohort: Option<String>,
    /// Why it could not run, or what else there is to know.
    pub message: Option<String>,
}

/// What a check found in an earlier run.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) verdict: Verdict,
    pub(super) value: Option<f64>,
    pub(super) checked_at: String,
}

/// Makes the table of results of a store, or brings it up to date.
///
/// # Errors
/// Refused when the store is newer than this program.
pub fn prepare(store: &mut dyn Store, now: &str) -> Result<(), EngineError> {
    schema::upgrade(store, &check_result::SCHEMA, now)?;
    Ok(())
}

/// Makes the table of results of an analytical store, or adds the columns that an older program did not know.
///
/// # Errors
/// What the database says.
pub fn prepare_analytics(store: &Analytics) -> Result<(), EngineError> {
    let known = columns_there(store)?;
    if !known.is_empty() {
        for column in HEALTH_CHECK_HISTORY.columns.iter().skip(known.len()) {
            let kind = column.kind.sql();
            store.run_script(&format!(
                "ALTER TABLE health_check_history ADD COLUMN \"{}\" {kind}",
                column.name
            ))?;
        }
    }
    Ok(store.create_tables(&[&HEALTH_CHECK_HISTORY])?)
}

const COLUMNS: &str =
    "run, check_name, checked_at, verdict, value, unit, threshold, severity, sample_size, cohort, message";

/// The latest result of a check over all rows; none when it was never run here.
///
/// # Errors
/// When the store fails.
pub fn latest(store: &mut dyn Store, system: &str, check: &str) -> Result<Option<StoredResult>, EngineError> {
    Ok(recent(store, system, check, 1)?.pop())
}

/// The latest results of a check over all rows, newest first.
///
/// # Errors
/// When the store fails.
pub fn recent(
    store: &mut dyn Store,
    system: &str,
    check: &str,
    most: u32,
) -> Result<Vec<StoredResult>, EngineError> {
    if !is_there(store)? {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM {} WHERE system = $1 AND check_name = $2 AND cohort IS NULL \
         ORDER BY checked_at DESC, run DESC LIMIT {most}",
        check_result::TABLE
    );
    let rows = store.query(&sql, &[Value::text(system), Value::text(check)])?;
    rows.iter().map(|row| stored(row)).collect()
}

/// The latest result of a check over a cohort; none when it was never run for it.
///
/// # Errors
/// When the store fails.
pub fn latest_of_cohort(
    store: &mut dyn Store,
    system: &str,
    check: &str,
    cohort: &str,
) -> Result<Option<StoredResult>, EngineError> {
    if !is_there(store)? {
        return Ok(None);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM {} WHERE system = $1 AND check_name = $2 AND cohort = $3 \
         ORDER BY checked_at DESC, run DESC LIMIT 1",
        check_result::TABLE
    );
    let rows = store.query(&sql, &[Value::text(system), Value::text(check), Value::text(cohort)])?;
    rows.first().map(|row| stored(row)).transpose()
}

/// The latest result of every check of a system over all rows, by name.
///
/// # Errors
/// When the store fails.
pub fn latest_of_all(store: &mut dyn Store, system: &str) -> Result<Vec<StoredResult>, EngineError> {
    if !is_there(store)? {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT {COLUMNS}, row_number() OVER (PARTITION BY check_name \
         ORDER BY checked_at DESC, run DESC) AS place FROM {} WHERE system = $1 AND cohort IS NULL) AS placed \
         WHERE place = 1 ORDER BY check_name",
        check_result::TABLE
    );
    store.query(&sql, &[Value::text(system)])?.iter().map(|row| stored(row)).collect()
}

/// As [`latest`], of an analytical store.
///
/// # Errors
/// When the store fails.
pub fn latest_analytics(store: &Analytics, check: &str) -> Result<Option<StoredResult>, EngineError> {
    Ok(latest_of_all_analytics(store)?.into_iter().find(|result| result.check == check))
}

/// As [`latest_of_all`], of an analytical store, which may be open for reading only.
///
/// # Errors
/// When the store fails.
pub fn latest_of_all_analytics(store: &Analytics) -> Result<Vec<StoredResult>, EngineError> {
    newest_analytics(store, None, 1)
}

/// As [`recent`], of an analytical store, which may be open for reading only.
///
/// # Errors
/// When the store fails.
pub fn recent_analytics(
    store: &Analytics,
    check: &str,
    limit: u32,
) -> Result<Vec<StoredResult>, EngineError> {
    newest_analytics(store, Some(check), limit)
}

/// The newest results of each check, or of one, over all rows.
fn newest_analytics(
    store: &Analytics,
    check: Option<&str>,
    limit: u32,
) -> Result<Vec<StoredResult>, EngineError> {
    let known = columns_there(store)?;
    if known.is_empty() {
        return Ok(Vec::new());
    }
    // A history that an older program wrote lacks the last columns.
    let of = |column: &str| {
        if known.iter().any(|name| name == column) { column.to_owned() } else { format!("NULL AS {column}") }
    };
    let sql = format!(
        "SELECT * FROM (SELECT run_id, check_name, strftime(checked_at, '%Y-%m-%dT%H:%M:%S.%gZ'), verdict, value, {}, \
         threshold, severity, {}, {}, message, row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC, \
         run_id DESC) AS place FROM health_check_history WHERE ($1 IS NULL OR check_name = $1){}) \
         WHERE place <= {limit} ORDER BY check_name, place",
        of("unit"),
        of("sample_size"),
        of("cohort"),
        if known.iter().any(|name| name == "cohort") { " AND cohort IS NULL" } else { "" },
    );
    let check = check.map_or(plimsoll_store::duckdb::Parameter::Null, Into::into);
    let rows = store.query(&sql, &[check])?.rows;
    rows.into_iter().map(|row| stored(&row.into_iter().map(value).collect::<Vec<_>>())).collect()
}

/// The columns that the table of an analytical store has; none when it is not there.
fn columns_there(store: &Analytics) -> Result<Vec<String>, EngineError> {
    let sql = "SELECT column_name FROM information_schema.columns \
               WHERE table_schema = 'main' AND table_name = 'health_check_history' ORDER BY ordinal_position";
    let rows = store.query(sql, &[])?.rows;
    Ok(rows.iter().filter_map(|row| row[0].as_text().map(str::to_owned)).collect())
}

fn value(cell: OwnedCell) -> Value {
    match cell {
        OwnedCell::Text(text) => Value::Text(text),
        OwnedCell::Integer(number) => Value::Integer(number),
        OwnedCell::Double(number) => Value::Float(number),
        OwnedCell::Boolean(value) => Value::Boolean(value),
        OwnedCell::Null | OwnedCell::Decimal(..) => Value::Null,
    }
}

fn is_there(store: &mut dyn Store) -> Result<bool, EngineError> {
    Ok(store.shape(check_result::TABLE)?.is_some())
}

fn stored(row: &[Value]) -> Result<StoredResult, EngineError> {
    let optional = |at: usize| row.get(at).and_then(Value::as_text).map(str::to_owned);
    let text = |at: usize| optional(at).unwrap_or_default();
    let verdict = Verdict::read(&text(3)).ok_or_else(|| {
        EngineError::integrity(format!("the history of checks has the verdict `{}`", text(3)))
    })?;
    let number = match row.get(4) {
        Some(Value::Float(number)) => Some(*number),
        Some(Value::Integer(number)) => Some(*number as f64),
        _ => None,
    };
    let size = row.get(8).and_then(Value::as_integer).and_then(|size| u64::try_from(size).ok());
    Ok(StoredResult {
        run: text(0),
        check: text(1),
        checked_at: text(2),
        verdict,
        value: number,
        unit: text(5),
        threshold: text(6),
        severity: text(7),
        sample_size: size,
        cohort: optional(9),
        message: optional(10),
    })
}

/// Earlier results of each check of a system, newest first.
pub(super) fn past(
    store: &mut dyn Store,
    system: &str,
    cohort: Option<&str>,
) -> Result<HashMap<String, Vec<Past>>, EngineError> {
    let of_cohort = if cohort.is_some() { "cohort = $2" } else { "cohort IS NULL" };
    let sql = format!(
        "SELECT check_name, verdict, value, checked_at FROM (SELECT check_name, verdict, value, checked_at, run, \
         row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC, run DESC) AS place \
         FROM {} WHERE system = $1 AND {of_cohort}) AS placed WHERE place <= {KEPT_IN_MIND} \
         ORDER BY check_name, place",
        check_result::TABLE
    );
    let mut parameters = vec![Value::text(system)];
    parameters.extend(cohort.map(Value::text));
    let mut found: HashMap<String, Vec<Past>> = HashMap::new();
    for row in store.query(&sql, &parameters)? {
        let text = |at: usize| row.get(at).and_then(Value::as_text).unwrap_or_default();
        let Some(verdict) = Verdict::read(text(1)) else { continue };
        let value = match row.get(2) {
            Some(Value::Float(number)) => Some(*number),
            Some(Value::Integer(number)) => Some(*number as f64),
            _ => None,
        };
        let past = Past { verdict, value, checked_at: text(3).to_owned() };
        found.entry(text(0).to_owned()).or_default().push(past);
    }
    Ok(found)
}

/// Earlier results of each check of an analytical store, newest first.
pub(super) fn past_analytics(
    store: &Analytics,
    cohort: Option<&str>,
) -> Result<HashMap<String, Vec<Past>>, EngineError> {
    let sql = format!(
        "SELECT check_name, verdict, value, strftime(checked_at, '%Y-%m-%dT%H:%M:%SZ') FROM health_check_history \
         WHERE cohort IS NOT DISTINCT FROM $1 \
         QUALIFY row_number() OVER (PARTITION BY check_name ORDER BY checked_at DESC, run_id DESC) <= {KEPT_IN_MIND} \
         ORDER BY check_name, checked_at DESC, run_id DESC"
    );
    let parameter = cohort.map_or(plimsoll_store::duckdb::Parameter::Null, Into::into);
    let mut found: HashMap<String, Vec<Past>> = HashMap::new();
    for row in store.query(&sql, &[parameter])?.rows {
        let (Some(name), Some(verdict)) = (row[0].as_text(), row[1].as_text().and_then(Verdict::read)) else {
            continue;
        };
        let value = match row[2] {
            OwnedCell::Double(value) => Some(value),
            _ => None,
        };
        let checked_at = row[3].as_text().unwrap_or_default().to_owned();
        found.entry(name.to_owned()).or_default().push(Past { verdict, value, checked_at });
    }
    Ok(found)
}

/// The numbers of a finding as JSON.
fn numbers(finding: &Finding) -> String {
    let mut all: serde_json::Map<String, serde_json::Value> =
        finding.numbers.iter().map(|number| (number.name.to_owned(), number.value.into())).collect();
    if let Some(cohort) = &finding.cohort {
        all.insert("control".to_owned(), cohort.control.into());
        all.insert("difference".to_owned(), cohort.difference.into());
    }
    serde_json::Value::Object(all).to_string()
}

/// Adds the results of a run.
pub(super) fn add(store: &mut dyn Store, report: &Report) -> Result<(), EngineError> {
    let rows: Vec<Vec<Value>> = report
        .findings
        .iter()
        .map(|finding| {
            let samples = finding.samples.as_ref().map(|table| to_json(table).trim_end().to_owned());
            vec![
                Value::text(&report.run_id),
                Value::text(&report.system),
                Value::text(&finding.check),
                Value::text(&report.checked_at),
                Value::text(finding.kind),
                Value::text(finding.severity.as_str()),
                Value::text(finding.verdict.as_str()),
                finding.value.filter(|value| value.is_finite()).map_or(Value::Null, Value::Float),
                Value::text(&finding.rule.unit),
                Value::text(threshold(finding)),
                finding
                    .sample_size
                    .and_then(|size| i64::try_from(size).ok())
                    .map_or(Value::Null, Value::Integer),
                Value::text(numbers(finding)),
                Value::optional_text(report.cohort.as_ref()),
                Value::optional_text(samples),
                Value::Integer(finding.duration_ms),
                Value::optional_text(finding.message.as_ref()),
            ]
        })
        .collect();
    let columns = [
        "run",
        "system",
        "check_name",
        "checked_at",
        "kind",
        "severity",
        "verdict",
        "value",
        "unit",
        "threshold",
        "sample_size",
        "numbers",
        "cohort",
        "samples",
        "duration_ms",
        "message",
    ];
    in_transaction(store, Access::ReadWrite, |store| {
        Ok(store.append(check_result::TABLE, &columns, &rows)?)
    })
}

/// Adds the results of a run to an analytical store.
pub(super) fn add_analytics(store: &Analytics, report: &Report) -> Result<(), EngineError> {
    let mut rows = RowBuffer::new(&HEALTH_CHECK_HISTORY);
    for finding in &report.findings {
        let threshold = threshold(finding);
        let samples = finding.samples.as_ref().map(to_json);
        let numbers = numbers(finding);
        rows.push(&[
            Cell::Text(&report.run_id),
            Cell::Text(&finding.check),
            Cell::Integer(report.checked_at_us),
            Cell::Text(finding.severity.as_str()),
            finding.value.filter(|value| value.is_finite()).into(),
            Cell::Text(&threshold),
            Cell::Text(finding.verdict.as_str()),
            samples.as_deref().map(str::trim_end).into(),
            Cell::Integer(finding.duration_ms),
            finding.message.as_deref().into(),
            Cell::Text(finding.kind),
            Cell::Text(&finding.rule.unit),
            finding.sample_size.and_then(|size| i64::try_from(size).ok()).into(),
            Cell::Text(&numbers),
            report.cohort.as_deref().into(),
        ])?;
    }
    Ok(store.append(&mut rows)?)
}
