//! What is written down of a record: its versions, and what happened to it.
//!
//! Owns both logs' next numbers. They are counted within the transaction that holds the record's line, so no number
//! comes twice; what happens to the link as a whole has an empty key, and its writers take a row in common first.

use plimsoll_core::sync::history::diff;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::declare::Link;
use super::take::Because;
use crate::error::EngineError;

/// Writes down a version of what everyone here sees of a record.
pub(super) fn write_history(
    store: &mut dyn Store,
    link: &dyn Link,
    key: &str,
    was: Option<&Fields>,
    is: Option<&Fields>,
    because: Because<'_>,
    now: &str,
) -> Result<(), EngineError> {
    if was == is {
        return Ok(());
    }
    let sql = "INSERT INTO plimsoll_sync_history (link, record_key, version, at, actor, because, difference)
        SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6
        FROM plimsoll_sync_history WHERE link = $1 AND record_key = $2";
    let parameters = [
        Value::text(link.name()),
        Value::text(key),
        Value::text(now),
        Value::text(because.actor),
        Value::text(because.why),
        Value::text(serde_json::to_string(&diff(was, is))?),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}

/// Writes down that something happened to a record.
pub(super) fn happen(
    store: &mut dyn Store,
    link: &dyn Link,
    key: &str,
    kind: &str,
    detail: &str,
    because: Because<'_>,
    now: &str,
) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_sync_happening (link, record_key, number, at, actor, kind, detail)
        SELECT $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6
        FROM plimsoll_sync_happening WHERE link = $1 AND record_key = $2";
    let parameters = [
        Value::text(link.name()),
        Value::text(key),
        Value::text(now),
        Value::text(because.actor),
        Value::text(kind),
        Value::text(detail),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}
