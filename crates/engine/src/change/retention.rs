//! Retention: what the journal keeps, and what would be lost by forgetting it.
//!
//! Owns the purge of prior images of old runs, with a preview, and the sweep of plans whose making was
//! interrupted. Receipts, batches, runs and events are never purged: that it happened stays known, only how
//! to take it back goes.

use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cells::Cells;
use super::plan::{self, Plan};
use super::{in_write, run};
use crate::error::EngineError;
use crate::event;
use crate::session::Session;

/// What a purge loses, or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgePreview {
    /// Runs that can no longer be undone, oldest first, with when they started.
    pub runs: Vec<(Id, String)>,
    /// Row changes whose prior image goes.
    pub changes: u64,
    /// Bytes of prior images and new values.
    pub bytes: u64,
    /// Quarantined items of these runs that can no longer be replayed from their plan.
    pub open_quarantine: u64,
}

/// Forgets the changes of runs that ended before `before`, or with `dry_run` says what that would lose.
///
/// # Errors
/// Refused when one of the runs still has open quarantined items.
pub fn purge(
    session: &mut Session,
    before: &str,
    dry_run: bool,
    reason: &str,
) -> Result<PurgePreview, EngineError> {
    let mut preview = PurgePreview { runs: Vec::new(), changes: 0, bytes: 0, open_quarantine: 0 };
    let mut plans = Vec::new();
    for run in run::list(session.store.as_mut())?.into_iter().rev() {
        let ended = matches!(run.status, RunStatus::Finished | RunStatus::Cancelled);
        if !ended || run.finished_at.as_deref().is_none_or(|at| at >= before) {
            continue;
        }
        let purged_before = plans.len();
        let sql = "SELECT DISTINCT plan FROM plimsoll_partition WHERE run = $1";
        for row in session.store.query(sql, &[Value::text(run.id.as_str())])? {
            let plan = plan::load_number(session.store.as_mut(), Cells(row).integer(0)?)?;
            if plan.status == "ready" {
                preview.changes += plan.changes;
                preview.bytes += plan.journal_bytes;
                plans.push(plan.number);
            }
        }
        if plans.len() == purged_before {
            continue;
        }
        let sql = "SELECT count(*) FROM plimsoll_quarantine WHERE run = $1 AND status = 'open'";
        let open = session.store.query(sql, &[Value::text(run.id.as_str())])?;
        preview.open_quarantine += open.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
        preview.runs.push((run.id, run.started_at));
    }
    if dry_run || plans.is_empty() {
        return Ok(preview);
    }
    if preview.open_quarantine > 0 {
        return Err(EngineError::refused(format!(
            "{} quarantined items of these runs still wait\nhint: replay or drop them first (`plimsoll quarantine list`)",
            preview.open_quarantine
        )));
    }
    in_write(session, |session| {
        for &plan in &plans {
            remove_changes(session, plan)?;
            let sql = "UPDATE plimsoll_plan SET status = 'purged' WHERE number = $1";
            session.store.execute(sql, &[Value::Integer(plan)])?;
        }
        event::record(session, "journal.purged", before, reason, &json!(preview))
    })?;
    Ok(preview)
}

/// Removes plans whose making was interrupted before `before`. Returns how many.
///
/// # Errors
/// When the store fails.
pub fn sweep_unfinished(session: &mut Session, before: &str) -> Result<u64, EngineError> {
    let sql = "SELECT number FROM plimsoll_plan WHERE status = 'building' AND created_at < $1";
    let plans = session.store.query(sql, &[Value::text(before)])?;
    let count = plans.len() as u64;
    for row in plans {
        let plan = Cells(row).integer(0)?;
        in_write(session, |session| {
            remove_changes(session, plan)?;
            session.store.execute("DELETE FROM plimsoll_plan WHERE number = $1", &[Value::Integer(plan)])?;
            Ok(())
        })?;
    }
    Ok(count)
}

/// Removes a plan that was only made to be looked at.
///
/// # Errors
/// Refused when a run applied it.
pub fn discard(session: &mut Session, id: &Id) -> Result<(), EngineError> {
    let plan = plan::load(session.store.as_mut(), id)?;
    // A replay's plan has no run of its own, but a partition of the run that it replays into.
    let sql = "SELECT 1 FROM plimsoll_partition WHERE plan = $1 LIMIT 1";
    if !session.store.query(sql, &[Value::Integer(plan.number)])?.is_empty() {
        return Err(EngineError::refused(format!(
            "plan {} was applied and is the journal of its run",
            id.short()
        )));
    }
    remove_unused(session, &plan)
}

/// Removes a plan that no run ever applied.
pub(crate) fn remove_unused(session: &mut Session, plan: &Plan) -> Result<(), EngineError> {
    in_write(session, |session| {
        remove_changes(session, plan.number)?;
        session
            .store
            .execute("DELETE FROM plimsoll_plan WHERE number = $1", &[Value::Integer(plan.number)])?;
        Ok(())
    })
}

fn remove_changes(session: &mut Session, plan: i64) -> Result<(), EngineError> {
    for table in ["plimsoll_change", "plimsoll_item"] {
        session.store.execute(&format!("DELETE FROM {table} WHERE plan = $1"), &[Value::Integer(plan)])?;
    }
    Ok(())
}
