//! The wide table that is kept after a split: until when, and dropping it.
//!
//! Owns the plan that drops it. It refuses before the time is over and while a check is red; the run looks again.

use plimsoll_core::id::Id;
use plimsoll_core::run::{RunEvent, RunStatus};
use serde_json::json;

use super::declare::Split;
use super::phases::Way;
use super::plan::{SplitPlan, content_of, store_plan};
use super::validate::{self, Validated};
use super::{Place, journal};
use crate::clock::new_id;
use crate::error::EngineError;

/// The moment until which the wide table is kept.
pub(super) fn keep_until(now: &str, days: u32) -> Result<String, EngineError> {
    let now: jiff::Timestamp =
        now.parse().map_err(|_| EngineError::integrity(format!("`{now}` is no moment")))?;
    let hours = i64::from(days) * 24;
    let end = now
        .checked_add(jiff::SignedDuration::from_hours(hours))
        .map_err(|error| EngineError::integrity(error.to_string()))?;
    Ok(format!("{end:.3}"))
}

/// Ends the phase `monitor` of a split, within the caller's transaction.
pub(super) fn end_monitor(place: &Place, run: Option<&Id>, how: &str) -> Result<(), EngineError> {
    let Some(run) = run else { return Ok(()) };
    let phases = journal::phases(&place.store, run)?;
    let Some(monitor) = phases.iter().find(|phase| phase.name == "monitor") else { return Ok(()) };
    let mut detail = monitor.detail.clone();
    detail["ended"] = how.into();
    journal::note_phase(&place.store, run, "monitor", Some(&place.clock.now()), &detail)
}

/// Marks a run that is not done as cancelled, within the caller's transaction.
pub(super) fn cancel(place: &Place, run: Option<&Id>) -> Result<(), EngineError> {
    let Some(id) = run else { return Ok(()) };
    let mut run = journal::load_run(&place.store, id)?;
    if run.status.is_open() {
        run.status = run.status.next(RunEvent::Cancel)?;
        run.finished_at = Some(place.clock.now());
        journal::save_run(&place.store, &run)?;
        journal::record(place, "run.cancelled", id.as_str(), "", &json!({}))?;
    }
    Ok(())
}

/// Makes the plan that drops the kept wide table. `accepted_changes` is the number of its rows that a person
/// says have changed since the split. It is stored with `store_it` only.
///
/// # Errors
/// Refused before its time, while a check is red, and when it is not there.
pub fn plan_drop(
    place: &Place,
    split: &'static Split,
    accepted_changes: u64,
    store_it: bool,
) -> Result<SplitPlan, EngineError> {
    let store = &place.store;
    let runs = journal::list_runs(store)?;
    let undone =
        |id: &Id| runs.iter().any(|run| run.undoes.as_ref() == Some(id) && run.status == RunStatus::Finished);
    let kept = runs
        .iter()
        .rev()
        .find(|run| run.change == split.name && run.status == RunStatus::Finished && !undone(&run.id));
    let there = !super::additive::columns_of(store, &split.legacy())?.is_empty();
    let Some(run) = kept.filter(|_| there) else {
        return Err(EngineError::refused(format!(
            "there is no `{}` that a split kept\nhint: `plimsoll log` lists runs",
            split.legacy()
        )));
    };
    let until = journal::phases(store, &run.id)?
        .iter()
        .find(|phase| phase.name == "monitor")
        .and_then(|phase| phase.detail["keep_until"].as_str().map(str::to_owned))
        .ok_or_else(|| EngineError::integrity("the split does not say until when its table is kept"))?;
    // Times are texts of one width.
    if place.clock.now() < until {
        return Err(EngineError::refused(format!(
            "`{}` is kept until {until}\nhint: `plimsoll verify {}` compares it with the new tables",
            split.legacy(),
            run.id.short()
        )));
    }
    let of = journal::load_plan(store, &run.plan)?;
    let (rows, content) = content_of(store, &of.columns, &split.legacy())?;
    let plan = SplitPlan {
        id: new_id(),
        created_at: place.clock.now(),
        actor: place.actor.clone(),
        change: split.drop_name.to_owned(),
        way: Way::Drop,
        rows,
        content,
        findings: Vec::new(),
        of: Some(run.id.clone()),
        undo_mode: None,
        accepted_changes,
        digest: String::new(),
        ..of
    };
    let mut found = Validated::default();
    validate::tables(place, split, &plan, &|declared| plan.named(declared), None, &mut found)?;
    let named = |declared: &str| plan.named(declared);
    let (differing, sample) = validate::compare(place, split, &plan, &split.legacy(), &named, &mut found)?;
    if let Some(red) = found.red() {
        return Err(EngineError::refused(format!(
            "a check is red: {red}\nhint: plimsoll undo {}",
            run.id.short()
        )));
    }
    if differing != accepted_changes {
        let sample = sample.map(|key| format!(", such as {key}")).unwrap_or_default();
        return Err(EngineError::refused(format!(
            "a check is red: {differing} rows are not as `{}` has them{sample}\nhint: when these edits are meant: --option changed={differing}",
            split.legacy()
        )));
    }
    if store_it { store_plan(place, plan) } else { Ok(plan.sealed()) }
}
