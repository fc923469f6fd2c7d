//! The history of a record: every version of what everyone here saw, kept as differences.
//!
//! Owns listing the steps, building any version from the newest one, and going back to one. Version 0 is the row as it
//! was first seen here.
//!
//! Invariant: a version that is built is exactly the row that was seen then; a step that does not fit is told as damage
//! and not skipped.

use plimsoll_core::sync::history::{RecordDiff, version};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, in_transaction};

use super::declare::Link;
use super::edit::{self, How, Wanted};
use super::record;
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::Session;

/// One step of a history.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Step {
    /// The version that it led to.
    pub version: u64,
    /// When.
    pub at: String,
    /// Who let it happen; `remote` for the other side.
    pub actor: String,
    /// Why.
    pub because: String,
    /// What changed.
    pub difference: RecordDiff,
}

/// A record's history with its newest row.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct History {
    /// The row as it is now.
    pub newest: Option<Fields>,
    /// The steps, oldest first.
    pub steps: Vec<Step>,
}

/// The history of a record.
///
/// # Errors
/// When the store fails.
pub fn of(session: &mut Session, link: &dyn Link, key: &str) -> Result<History, EngineError> {
    in_transaction(session.store.as_mut(), Access::ReadOnly, |store| {
        let newest = record::look(store, link, key)?.record.view();
        let sql = "SELECT version, at, actor, because, difference FROM plimsoll_sync_history
            WHERE link = $1 AND record_key = $2 ORDER BY version";
        let rows = store.query(sql, &[Value::text(link.name()), Value::text(key)])?;
        let steps = rows.into_iter().map(|row| {
            let cells = Cells(row);
            Ok(Step {
                version: cells.count(0)?,
                at: cells.text(1)?,
                actor: cells.text(2)?,
                because: cells.text(3)?,
                difference: serde_json::from_str(&cells.text(4)?)?,
            })
        });
        Ok(History { newest, steps: steps.collect::<Result<_, EngineError>>()? })
    })
}

impl History {
    /// A version of the record; 0 is the first.
    ///
    /// # Errors
    /// Usage when there is no such version; integrity when a step does not fit.
    pub fn version(&self, number: u64) -> Result<Option<Fields>, EngineError> {
        use plimsoll_core::sync::history::HistoryError;

        let steps: Vec<RecordDiff> = self.steps.iter().map(|step| step.difference.clone()).collect();
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        version(&steps, self.newest.as_ref(), number).map_err(|error| match error {
            HistoryError::NoSuchVersion { .. } => EngineError::usage(error.to_string()),
            HistoryError::Misfit { .. } => EngineError::integrity(error.to_string()),
        })
    }
}

/// The newest version of a record; 0 when it never changed since it was first seen.
///
/// # Errors
/// When the store fails.
pub fn newest(session: &mut Session, link: &dyn Link, key: &str) -> Result<u64, EngineError> {
    let sql =
        "SELECT coalesce(max(version), 0) FROM plimsoll_sync_history WHERE link = $1 AND record_key = $2";
    let rows = session.store.query(sql, &[Value::text(link.name()), Value::text(key)])?;
    rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
}

/// The fields in which a version differs from now, with what they held then.
///
/// # Errors
/// Usage when there is no such version, or when no row was there then.
pub fn difference_to(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    number: u64,
) -> Result<Fields, EngineError> {
    let history = of(session, link, key)?;
    let Some(then) = history.version(number)? else {
        return Err(EngineError::usage(format!(
            "`{key}` was not there in version {number}\nhint: choose another version, or delete the record"
        )));
    };
    let now = history.newest.unwrap_or_default();
    Ok(then.into_iter().filter(|(name, value)| now.get(name) != Some(value)).collect())
}

/// Goes back to a version: its values are edited again and committed. Returns the edit, or `None` when nothing differs.
///
/// # Errors
/// Usage when there is no such version, or when no row was there then; refused by the planner, or while the actor has a
/// draft of the record.
pub fn restore(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    number: u64,
) -> Result<Option<String>, EngineError> {
    restore_how(session, link, key, number, How::default())
}

/// As [`restore`], with the reason, or only what it would say.
///
/// # Errors
/// As [`restore`].
pub fn restore_how(
    session: &mut Session,
    link: &dyn Link,
    key: &str,
    number: u64,
    how: How<'_>,
) -> Result<Option<String>, EngineError> {
    let fields = difference_to(session, link, key, number)?;
    if fields.is_empty() {
        return Ok(None);
    }
    let back = format!("back to version {number}");
    let how = How { why: if how.why.is_empty() { &back } else { how.why }, ..how };
    let wanted = Wanted { key, scope: None, fields: Some(&fields) };
    Ok(Some(edit::at_once(session, link, wanted, how)?.0))
}
