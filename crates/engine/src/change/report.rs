//! The report of a run: what a person or a script reads after it.
//!
//! Owns the report's shape, computed from the journal and nothing else. The members `run`, `planned`,
//! `applied`, `noop`, `conflicted`, `quarantined`, `skipped`, `batches` and `duration_ms` are fixed, so that
//! others can script them.

use plimsoll_core::id::Id;
use plimsoll_core::item::Outcome;
use plimsoll_core::run::RunStatus;
use plimsoll_core::table::RowKey;
use plimsoll_core::undo::UndoMode;
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::{Deserialize, Serialize};

use super::batch::Exception;
use super::cells::Cells;
use super::plan;
use super::run::Run;
use crate::error::EngineError;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The run.
    pub run: Id,
    /// The plan that it applied.
    pub plan: Id,
    /// The system.
    pub system: String,
    /// The change kind.
    pub change: String,
    /// Where it stands.
    pub status: RunStatus,
    /// Items in the plan.
    pub planned: u64,
    /// Items written.
    pub applied: u64,
    /// Items already there.
    pub noop: u64,
    /// Items whose rows moved since the plan was made.
    pub conflicted: u64,
    /// Items in quarantine.
    pub quarantined: u64,
    /// Items left out on purpose.
    pub skipped: u64,
    /// Batches committed.
    pub batches: u64,
    /// How long applying took, in milliseconds.
    pub duration_ms: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Source records that needed no change.
    pub unchanged: u64,
    /// True when no item failed or conflicted and the run finished.
    pub success: bool,
    /// The run that it took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Id>,
    /// How it dealt with later edits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_mode: Option<UndoMode>,
    /// The backup that was made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Id>,
    /// What verification found; absent when it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Figures of the batch path; absent on the plain path (HB-27, HB-28).
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub batch_metrics: Option<BatchMetrics>,
}

/// Figures of the batch path (HB-27).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchMetrics {
    /// Always true where these figures are shown.
    pub batch_processing_enabled: bool,
    /// Batches committed.
    pub batch_count: u64,
    /// Batches in which every item went well.
    pub batches_succeeded: u64,
    /// Batches with at least one item that failed or conflicted; their other items are committed all the same.
    pub batches_failed: u64,
    /// One entry for each item that failed or conflicted.
    pub batch_errors: Vec<BatchError>,
}

/// One item that a batch could not apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchError {
    /// The partition; 0 unless several workers applied the run.
    pub partition: u64,
    /// The batch's number in its partition, from 0.
    pub batch: u64,
    /// The item's number in the plan.
    pub item: u64,
    /// What a person calls the item.
    pub label: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The class of the problem.
    pub class: String,
    /// What happened.
    pub reason: String,
}

/// The report of a run as it stands.
///
/// # Errors
/// When the store fails.
pub fn of_run(store: &mut dyn Store, run: &Run) -> Result<RunReport, EngineError> {
    let plan = plan::load(store, &run.plan)?;
    let batch_metrics = match run.settings.batch_size {
        Some(_) => Some(batch_metrics(store, run)?),
        None => None,
    };
    Ok(RunReport { unchanged: plan.unchanged, batch_metrics, ..RunReport::counted(run) })
}

impl RunReport {
    /// What the run itself says; what is in other tables is left empty.
    pub(super) fn counted(run: &Run) -> Self {
        let tally = run.tally;
        Self {
            run: run.id.clone(),
            plan: run.plan.clone(),
            system: run.system.clone(),
            change: run.change.clone(),
            status: run.status,
            planned: tally.planned,
            applied: tally.applied,
            noop: tally.noop,
            conflicted: tally.conflicted,
            quarantined: tally.quarantined,
            skipped: tally.skipped,
            batches: run.batches,
            duration_ms: run.duration_ms,
            rows_written: run.rows_written,
            unchanged: 0,
            success: run.status == RunStatus::Finished && tally.clean(),
            undoes: run.undoes.clone(),
            undo_mode: run.undo_mode,
            backup: run.backup.clone(),
            verified: None,
            batch_metrics: None,
        }
    }
}

fn batch_metrics(store: &mut dyn Store, run: &Run) -> Result<BatchMetrics, EngineError> {
    let errors = errors(store, run)?;
    let mut failed: Vec<(u64, u64)> = errors.iter().map(|error| (error.partition, error.batch)).collect();
    failed.dedup();
    let failed = failed.len() as u64;
    Ok(BatchMetrics {
        batch_processing_enabled: true,
        batch_count: run.batches,
        batches_succeeded: run.batches - failed,
        batches_failed: failed,
        batch_errors: errors,
    })
}

/// Every item of the run that failed or conflicted, in order.
///
/// # Errors
/// When the store fails.
pub fn errors(store: &mut dyn Store, run: &Run) -> Result<Vec<BatchError>, EngineError> {
    let sql = "SELECT partition, number, plan, exceptions FROM plimsoll_batch
        WHERE run = $1 AND exceptions <> '[]' ORDER BY partition, number";
    let mut errors = Vec::new();
    for row in store.query(sql, &[Value::text(run.id.as_str())])? {
        let cells = Cells(row);
        let exceptions: Vec<Exception> = serde_json::from_str(&cells.text(3)?)?;
        let bad = |e: &Exception| matches!(e.outcome, Outcome::Quarantined | Outcome::Conflicted);
        for exception in exceptions.into_iter().filter(bad) {
            let label = item_label(store, cells.integer(2)?, exception.item)?;
            errors.push(BatchError {
                partition: cells.count(0)?,
                batch: cells.count(1)?,
                item: exception.item,
                label,
                outcome: exception.outcome,
                class: exception.class,
                reason: exception.reason,
            });
        }
    }
    Ok(errors)
}

/// What [`plan::StoredItem::name`] says, without reading the images.
fn item_label(store: &mut dyn Store, plan: i64, item: u64) -> Result<String, EngineError> {
    let parameters = [Value::Integer(plan), super::cells::number(item)];
    let sql = "SELECT label FROM plimsoll_item WHERE plan = $1 AND item = $2 AND label <> ''";
    if let Some(row) = store.query(sql, &parameters)?.into_iter().next() {
        return Cells(row).text(0);
    }
    let sql =
        "SELECT table_name, row_key FROM plimsoll_change WHERE plan = $1 AND item = $2 AND position = 0";
    match store.query(sql, &parameters)?.into_iter().next().map(Cells) {
        Some(cells) => {
            let key: RowKey = serde_json::from_str(&cells.text(1)?)?;
            Ok(format!("{} {key}", cells.text(0)?))
        }
        None => Ok(format!("item {item}")),
    }
}
