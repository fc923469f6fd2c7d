//! The views: every question about gauges and sets that is asked from outside, by name.
//!
//! Owns the list, and what all answers share: pages, rows as objects, and what today is. What a view answers is computed in
//! [`crate::register`], [`crate::audit`] and [`crate::study`]; here it gets its name, its fields and its form.
//!
//! Invariant: nothing here writes. A list says how many there are in all, so that a page is never taken for the whole.

pub mod audit;
pub mod gauge;
pub mod keep;
pub mod set;
pub mod study;

use plimsoll_core::value::Value;
use plimsoll_engine::alias::{Answered, Asked, Field, FieldKind, StoreView};
use plimsoll_engine::{EngineError, Session};
use serde_json::{Map, Value as Json, json};

/// Every view.
pub static VIEWS: &[&StoreView] = &[
    &set::SETS,
    &set::SET,
    &set::HISTORY,
    &set::MEMBERS_AT,
    &set::INCOMPLETE,
    &set::CANDIDATES,
    &set::AVAILABILITY,
    &set::NEXT_ID,
    &gauge::GAUGES,
    &gauge::GAUGE,
    &gauge::HISTORY,
    &gauge::CERTIFICATES,
    &gauge::STANDARDS,
    &gauge::INTERVAL_REVIEW,
    &gauge::DUE,
    &gauge::OVERDUE,
    &gauge::ALERTS,
    &keep::LOCATIONS,
    &keep::LOCATION,
    &keep::REGISTER,
    &keep::BATCHES,
    &keep::WAITING,
    &keep::COUNTS,
    &audit::VERIFY,
    &audit::EXPORT,
    &audit::UNCHECKED,
    &audit::CASES,
    &audit::TOUCHED,
    &study::AGREEMENT,
    &study::GAGE,
];

/// How many rows a page has unless said otherwise, and at most.
const PAGE: (i64, i64) = (100, 1_000);

const LIMIT: Field = Field::optional(
    "limit",
    FieldKind::Number,
    "Rows of the answer, 100 unless said otherwise, 1000 at most",
);
const OFFSET: Field = Field::optional("offset", FieldKind::Number, "Rows to leave out before");

/// The page that is asked for: its limit and its offset.
fn window(asked: &Asked) -> (i64, i64) {
    let limit = asked.number("limit").unwrap_or(PAGE.0).clamp(1, PAGE.1);
    (limit, asked.number("offset").unwrap_or(0).max(0))
}

/// A list that is computed as a whole, cut to the page.
fn page(asked: &Asked, items: Vec<Json>) -> Answered {
    let total = items.len();
    let (limit, offset) = window(asked);
    let (skip, take) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(0));
    let items: Vec<Json> = items.into_iter().skip(skip).take(take).collect();
    Answered::Json(json!({ "items": items, "total": total, "offset": offset, "limit": limit }))
}

/// The page of a query, as objects; `conditions` stand for parameters that are given.
fn rows_of(
    session: &mut Session,
    asked: &Asked,
    (columns, from, order): (&str, &str, &str),
    conditions: &[(&str, &str)],
) -> Result<Answered, EngineError> {
    let (limit, offset) = window(asked);
    let (mut wanted, mut parameters) = (Vec::new(), Vec::new());
    for (field, condition) in conditions {
        if let Some(text) = asked.text(field) {
            parameters.push(Value::text(text));
            wanted.push(condition.replace("$$", &format!("${}", parameters.len())));
        }
    }
    let filter = if wanted.is_empty() { String::new() } else { format!(" WHERE {}", wanted.join(" AND ")) };
    let total = session.store.query(&format!("SELECT count(*) FROM {from}{filter}"), &parameters)?;
    let total = total.first().and_then(|row| row[0].as_integer()).unwrap_or(0);
    let sql = format!("SELECT {columns} FROM {from}{filter} ORDER BY {order} LIMIT {limit} OFFSET {offset}");
    let items = objects(session, &sql, &parameters)?;
    Ok(Answered::Json(json!({ "items": items, "total": total, "offset": offset, "limit": limit })))
}

/// Columns that hold truth values, which SQLite keeps as numbers.
const TRUTHS: &[&str] = &["active", "sealed", "reuse_checked", "as_found_in_tolerance"];

/// The rows of a query as objects.
fn objects(session: &mut Session, sql: &str, parameters: &[Value]) -> Result<Vec<Json>, EngineError> {
    let found = session.store.query_named(sql, parameters)?;
    let object = |row: &Vec<Value>| -> Json {
        let cells = found.columns.iter().zip(row).map(|(column, value)| {
            let cell = match value {
                Value::Integer(number) if TRUTHS.contains(&column.as_str()) => Json::Bool(*number != 0),
                value => crate::draft::plain(value),
            };
            (column.clone(), cell)
        });
        Json::Object(cells.collect::<Map<String, Json>>())
    };
    Ok(found.rows.iter().map(object).collect())
}

/// The first row of a query, as an object.
fn object(session: &mut Session, sql: &str, parameters: &[Value]) -> Result<Option<Json>, EngineError> {
    Ok(objects(session, sql, parameters)?.into_iter().next())
}

/// The day of the session's clock.
fn today(session: &Session) -> String {
    session.clock.now().chars().take(10).collect()
}

/// Everything as JSON.
fn list<T: serde::Serialize>(items: &[T]) -> Result<Vec<Json>, EngineError> {
    items.iter().map(|item| Ok(serde_json::to_value(item)?)).collect()
}

/// A line of history for a reader: subjects and detail as JSON, not as texts of JSON.
fn told(line: &crate::history::Line) -> Json {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Json::from(text));
    json!({
        "entry": line.entry, "at": line.at, "actor": line.actor, "operation": line.operation, "set": line.set_id,
        "reason": line.reason, "subjects": read(&line.subjects), "detail": read(&line.detail),
        "previous": line.previous, "digest": line.digest,
    })
}

/// Whether a row of that key is there.
fn is_there(session: &mut Session, table: &str, key: &str, value: &str) -> Result<bool, EngineError> {
    let sql = format!("SELECT 1 FROM {table} WHERE {key} = $1 LIMIT 1");
    Ok(!session.store.query(&sql, &[Value::text(value)])?.is_empty())
}
