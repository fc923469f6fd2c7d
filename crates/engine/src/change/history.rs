//! The history of one row: every change that a run made to it, newest first.
//!
//! Owns the query. Edits made outside of Plimsoll are not in the journal and so not here.

use plimsoll_core::change::{Change, ChangeKind};
use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::{Deserialize, Serialize};

use super::batch::Exception;
use super::cells::Cells;
use super::exchange::{ChangeLine, change_line};
use super::plan;
use crate::error::EngineError;

/// One entry in the history of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The run.
    pub run: Id,
    /// The change kind of the run.
    pub change: String,
    /// Who ran it.
    pub actor: String,
    /// When the batch was committed.
    pub at: String,
    /// Insert, update or delete.
    pub kind: ChangeKind,
    /// The row before and after.
    pub row: ChangeLine,
}

/// What runs did to the row of `table` whose key has this journal text, such as `[1346]`.
///
/// # Errors
/// When the store fails.
pub fn of_row(store: &mut dyn Store, table: &str, key: &str) -> Result<Vec<HistoryEntry>, EngineError> {
    let sql = "SELECT run.id, run.change_kind, run.actor, batch.committed_at, change.plan, change.item,
            change.position, change.before_image, change.after_image, batch.exceptions
        FROM plimsoll_change AS change
        JOIN plimsoll_batch AS batch ON batch.plan = change.plan
            AND change.item >= batch.first_item AND change.item < batch.end_item
        JOIN plimsoll_run AS run ON run.id = batch.run
        WHERE change.table_name = $1 AND change.row_key = $2
        ORDER BY change.plan DESC, change.item DESC, change.position DESC";
    let mut entries = Vec::new();
    for row in store.query(sql, &[Value::text(table), Value::text(key)])? {
        let cells = Cells(row);
        let (item, position) = (cells.count(5)?, cells.count(6)?);
        let exceptions: Vec<Exception> = serde_json::from_str(&cells.text(9)?)?;
        if exceptions.iter().any(|exception| exception.left_out(item, position)) {
            continue;
        }
        let plan = plan::load_number(store, cells.integer(4)?)?;
        let Some(shape) = plan.shapes.get(table) else { continue };
        let (before, after) = (cells.optional_text(7)?, cells.optional_text(8)?);
        let change = Change::decode(shape, before.as_deref(), after.as_deref())?;
        entries.push(HistoryEntry {
            run: Id(cells.text(0)?),
            change: cells.text(1)?,
            actor: cells.text(2)?,
            at: cells.text(3)?,
            kind: change.kind(),
            row: change_line(&change),
        });
    }
    Ok(entries)
}

/// The last change of the row that was written.
///
/// A change is only ever written on top of what its plan saw, so the last plan that wrote the row wrote last.
pub(crate) fn last_change(
    store: &mut dyn Store,
    table: &str,
    key: &str,
) -> Result<Option<Change>, EngineError> {
    let sql = "SELECT change.plan, change.item, change.position, change.before_image, change.after_image,
            batch.exceptions
        FROM plimsoll_change AS change
        JOIN plimsoll_batch AS batch ON batch.plan = change.plan
            AND change.item >= batch.first_item AND change.item < batch.end_item
        WHERE change.table_name = $1 AND change.row_key = $2
        ORDER BY change.plan DESC, change.item DESC, change.position DESC";
    for row in store.query(sql, &[Value::text(table), Value::text(key)])? {
        let cells = Cells(row);
        let (item, position) = (cells.count(1)?, cells.count(2)?);
        let exceptions: Vec<Exception> = serde_json::from_str(&cells.text(5)?)?;
        if exceptions.iter().any(|exception| exception.left_out(item, position)) {
            continue;
        }
        let plan = plan::load_number(store, cells.integer(0)?)?;
        let Some(shape) = plan.shapes.get(table) else { continue };
        let (before, after) = (cells.optional_text(3)?, cells.optional_text(4)?);
        return Ok(Some(Change::decode(shape, before.as_deref(), after.as_deref())?));
    }
    Ok(None)
}
