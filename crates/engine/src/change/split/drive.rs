//! Driving a run through its phases: first start, resume and recovery are one path.
//!
//! Owns starting a run, the loop over phases and batches, and stopping. What is compared is `validate`'s.
//!
//! Invariants: the loop holds no truth - what is done is what the journal says; a phase whose line says done is not
//! done again; before each phase the copy of the file is looked at.

use plimsoll_core::id::Id;
use plimsoll_core::item::Tally;
use plimsoll_core::run::{RunEvent, RunStatus};
use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::Parameter;
use serde_json::json;

use super::additive::{add_column, columns_of, drop_indexes, make_indexes};
use super::backup::{self, FileCopy};
use super::declare::Split;
use super::journal::{self, BatchLine};
use super::phases::{BATCH_COMMITTING, BATCH_DONE, PhaseOf, Way};
use super::plan::{SplitPlan, content_of};
use super::statements::{Statements, in_the_making, quoted};
use super::{Place, legacy, validate};
use crate::change::report::RunReport;
use crate::change::run::{Run, RunSettings};
use crate::clock::new_id;
use crate::error::{EngineError, ErrorKind};
use crate::owner;
use crate::session::Progress;

/// Wide rows in one batch unless set otherwise.
pub const BATCH_ROWS: u64 = 20_000;

/// How a run is started.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Batch size and throttle; the rest does not apply.
    pub settings: RunSettings,
    /// Why.
    pub reason: String,
    /// The verified copy of the file.
    pub backup: Option<FileCopy>,
    /// The undoing run that it takes back.
    pub undoes: Option<Id>,
}

/// Where the wide table is kept when the plan is made again from the new ones.
pub(super) fn restored(plan: &SplitPlan) -> String {
    format!("{}_restored", plan.table)
}

/// Starts a run of a plan; [`drive`] does its work.
///
/// # Errors
/// Refused without a verified copy of the file as the plan saw it, and when the wide table changed since the plan.
pub fn start(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    start: &Start,
) -> Result<Run, EngineError> {
    start.settings.check()?;
    let stale = |what: &str| {
        EngineError::refused(format!(
            "`{what}` is not what plan {} saw\nhint: make the plan again",
            plan.id.short()
        ))
    };
    let wide = match plan.way {
        Way::Split => Some(split.table.to_owned()),
        Way::Drop => Some(split.legacy()),
        _ => None,
    };
    if let Some(wide) = &wide {
        let Some(copy) = &start.backup else {
            return Err(EngineError::refused(format!(
                "`{}` needs a verified backup\nhint: plimsoll backup {}",
                plan.change, plan.system
            )));
        };
        backup::check(copy, true)?;
        if content_of(&place.store, &plan.columns, wide)? != (plan.rows, plan.content.clone())
            || columns_of(&place.store, wide)? != plan.columns
        {
            return Err(stale(wide));
        }
        let copied = copy.tables.iter().find(|digest| digest.table == *wide);
        if copied.is_none_or(|digest| digest.rows != plan.rows || digest.digest != plan.content) {
            return Err(EngineError::refused(format!(
                "backup {} does not have `{wide}` as plan {} saw it\nhint: make the backup and the plan again",
                copy.id.short(),
                plan.id.short()
            )));
        }
    }
    let undoes = start.undoes.clone().or_else(|| plan.of.clone().filter(|_| plan.undo_mode.is_some()));
    let mut run = Run {
        id: new_id(),
        number: 0,
        plan: plan.id.clone(),
        system: plan.system.clone(),
        change: plan.change.clone(),
        status: RunStatus::Running,
        requested: None,
        actor: place.actor.clone(),
        reason: start.reason.clone(),
        settings: RunSettings {
            batch_size: Some(start.settings.batch_size.unwrap_or(BATCH_ROWS)),
            ..start.settings.clone()
        },
        started_at: place.clock.now(),
        finished_at: None,
        duration_ms: 0,
        tally: Tally { planned: plan.rows, ..Tally::default() },
        batches: 0,
        rows_written: 0,
        stop_class: None,
        stop_reason: None,
        undoes,
        undo_mode: plan.undo_mode,
        backup: start.backup.as_ref().map(|copy| copy.id.clone()),
        owner: None,
        epoch: 0,
        lease_until: None,
    };
    place.store.in_transaction(|store| {
        journal::insert_run(store, &mut run)?;
        let detail = json!({"plan": plan.id, "backup": run.backup});
        journal::record(place, "run.started", run.id.as_str(), &start.reason, &detail)
    })?;
    Ok(run)
}

/// Takes a run through the phases that are not done, to its end.
///
/// # Errors
/// Stopped, when something is in the way; the run can be resumed or undone.
pub fn drive(place: &Place, split: &'static Split, id: &Id) -> Result<Run, EngineError> {
    let mut run = journal::load_run(&place.store, id)?;
    let plan = journal::load_plan(&place.store, &run.plan)?;
    run.status = run.status.next(RunEvent::Resume)?;
    // The file belongs to one process, so whoever gets here owns the run.
    run.owner = Some(owner::current());
    run.epoch += 1;
    (run.stop_class, run.stop_reason) = (None, None);
    let resumed = run.epoch > 1;
    place.store.in_transaction(|store| {
        journal::save_run(store, &run)?;
        if resumed {
            journal::record(place, "run.resumed", run.id.as_str(), "", &json!({"epoch": run.epoch}))?;
        }
        Ok::<(), EngineError>(())
    })?;
    let began = place.clock.monotonic_ms();
    let worked = run.duration_ms;
    let result = all_phases(place, split, &plan, &mut run);
    run.duration_ms = worked + place.clock.monotonic_ms().saturating_sub(began);
    match result {
        Ok(()) => {
            run.status = run.status.next(RunEvent::Finish)?;
            run.finished_at = Some(place.clock.now());
            run.owner = None;
            place.store.in_transaction(|store| {
                journal::save_run(store, &run)?;
                let detail = json!({"applied": run.tally.applied, "batches": run.batches});
                journal::record(place, "run.finished", run.id.as_str(), "", &detail)
            })?;
            place.store.checkpoint()?;
            Ok(run)
        }
        // As if the process had died: nothing more is written.
        Err(error) if error.kind == ErrorKind::Crash => Err(error),
        Err(error) => {
            // What was counted in a transaction that is gone is not counted.
            let worked = run.duration_ms;
            run = journal::load_run(&place.store, id)?;
            run.duration_ms = worked;
            run.status = run.status.next(RunEvent::Stop)?;
            run.owner = None;
            run.stop_class = error.class.map(|class| format!("{class:?}").to_lowercase());
            run.stop_reason = Some(error.message.clone());
            // What is on the way is what is told; that it stopped is noted if the store still can.
            let noted = place.store.in_transaction(|store| {
                journal::save_run(store, &run)?;
                let detail = json!({"reason": error.message});
                journal::record(place, "run.stopped", run.id.as_str(), "", &detail)
            });
            if let Err(second) = noted {
                tracing::warn!("that the run stopped could not be noted: {}", second.message);
            }
            let kind = if error.kind == ErrorKind::Refused { ErrorKind::Refused } else { ErrorKind::Stopped };
            let hint = format!("hint: plimsoll resume {0}, or plimsoll undo {0}", run.id.short());
            Err(EngineError { kind, message: format!("{}\n{hint}", error.message), class: error.class })
        }
    }
}

fn all_phases(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    run: &mut Run,
) -> Result<(), EngineError> {
    let copy = match &run.backup {
        Some(id) => journal::copies(&place.store)?.into_iter().find(|copy| copy.id == *id),
        None => None,
    };
    let done = journal::phases(&place.store, &run.id)?;
    let done = |name: &str| done.iter().any(|phase| phase.name == name && phase.done_at.is_some());
    for (at, phase) in (1..).zip(plan.way.phases()) {
        if done(phase.name) {
            continue;
        }
        if plan.way.needs_backup() {
            let copy =
                copy.as_ref().ok_or_else(|| EngineError::refused("the run's backup is not recorded"))?;
            backup::check(copy, false)?;
        }
        let now = place.clock.now();
        place.store.in_transaction(|store| journal::begin_phase(store, &run.id, at, phase.name, &now))?;
        let (done, total) = (run.tally.applied, Some(plan.rows));
        (place.progress)(&Progress { phase: phase.name, done, total, eta_ms: None });
        place.probe.reach(phase.begun)?;
        if run.settings.throttle_ms > 0 {
            place.clock.sleep_ms(run.settings.throttle_ms);
        }
        if phase.name == "copy" {
            copy_all(place, split, plan, run)?;
        }
        let validated = match phase.name {
            "validate" => Some(validate::validate(place, split, plan, run)?),
            _ => None,
        };
        if let Some(found) = &validated
            && let Some(red) = found.red()
        {
            let detail = serde_json::to_value(found)?;
            place
                .store
                .in_transaction(|store| journal::note_phase(store, &run.id, phase.name, None, &detail))?;
            return Err(EngineError::integrity(format!("validation found {red}")));
        }
        let detail = match validated {
            Some(found) => serde_json::to_value(found)?,
            None => json!({}),
        };
        place.store.in_transaction(|store| {
            let mut detail = detail;
            work(place, split, plan, run, phase, &mut detail)?;
            // The wide table is looked after until it is dropped, so this phase stays open.
            let stays = phase.name == "monitor";
            let now = place.clock.now();
            journal::note_phase(store, &run.id, phase.name, (!stays).then_some(now.as_str()), &detail)?;
            journal::save_run(store, run)?;
            let told = json!({"phase": phase.name});
            journal::record(place, "run.phase", run.id.as_str(), "", &told)?;
            place.probe.reach(phase.committing)
        })?;
        place.probe.reach(phase.done)?;
    }
    Ok(())
}

/// The work of a phase, within its transaction.
fn work(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    run: &mut Run,
    phase: &PhaseOf,
    detail: &mut serde_json::Value,
) -> Result<(), EngineError> {
    let store = &place.store;
    match (plan.way, phase.name) {
        (_, "create") => create_tables(place, split, plan)?,
        (Way::Split, "copy") => {
            for addition in split.additions {
                if plan.tables.iter().any(|(declared, _)| declared == addition.table) {
                    let added = add_column(store, &in_the_making(addition.table), addition)?;
                    detail[addition.column] = json!({"filled": added.filled});
                }
            }
        }
        (Way::Split, "switch") => {
            for (declared, named) in plan.focused() {
                rename(place, &in_the_making(declared), named)?;
            }
        }
        (Way::Split, "rename") => {
            drop_indexes(store, &plan.indexes)?;
            rename(place, split.table, &split.legacy())?;
            rename(place, &in_the_making(split.table), split.table)?;
            let rebuild =
                Statements::new(split, &plan.columns).rebuild(&|declared| plan.named(declared), true);
            store.run_script(&format!("CREATE VIEW {} AS {rebuild}", quoted(&split.wide_view())))?;
        }
        (Way::Split, "monitor") => {
            detail["keep_until"] = legacy::keep_until(&place.clock.now(), split.keep_days)?.into();
        }
        (Way::Rebuild, "switch") => {
            take_new_tables_away(place, split, plan)?;
            rename(place, &restored(plan), split.table)?;
            // Without edits since, what was kept is the same once more.
            if detail_is_equal(place, run)? {
                store.run_script(&format!("DROP TABLE IF EXISTS {}", quoted(&split.legacy())))?;
            }
            make_indexes(store, &plan.indexes)?;
            legacy::end_monitor(place, plan.of.as_ref(), "undone")?;
            legacy::cancel(place, plan.of.as_ref())?;
        }
        (Way::GiveBack, "switch") => {
            take_new_tables_away(place, split, plan)?;
            rename(place, &split.legacy(), split.table)?;
            make_indexes(store, &plan.indexes)?;
            legacy::end_monitor(place, plan.of.as_ref(), "undone")?;
            legacy::cancel(place, plan.of.as_ref())?;
            run.tally.applied = plan.rows;
        }
        (Way::RebuildLegacy, "switch") => rename(place, &restored(plan), &split.legacy())?,
        (Way::Abandon, "drop") => {
            for (declared, named) in &plan.tables {
                store.run_script(&format!("DROP TABLE IF EXISTS {}", quoted(&in_the_making(declared))))?;
                if declared != split.table {
                    store.run_script(&format!("DROP TABLE IF EXISTS {}", quoted(named)))?;
                }
            }
            run.tally.applied = plan.rows;
            legacy::cancel(place, plan.of.as_ref())?;
        }
        (Way::Drop, "drop") => {
            store.run_script(&format!("DROP TABLE {}", quoted(&split.legacy())))?;
            legacy::end_monitor(place, plan.of.as_ref(), "dropped")?;
            run.tally.applied = plan.rows;
        }
        _ => {}
    }
    Ok(())
}

fn rename(place: &Place, from: &str, to: &str) -> Result<(), EngineError> {
    Ok(place.store.run_script(&format!("ALTER TABLE {} RENAME TO {}", quoted(from), quoted(to)))?)
}

fn take_new_tables_away(place: &Place, split: &'static Split, plan: &SplitPlan) -> Result<(), EngineError> {
    place.store.run_script(&format!("DROP VIEW IF EXISTS {}", quoted(&split.wide_view())))?;
    for (_, named) in plan.tables.iter().rev() {
        place.store.run_script(&format!("DROP TABLE {}", quoted(named)))?;
    }
    Ok(())
}

/// Whether this run's validation found the kept wide table equal to the one made again.
fn detail_is_equal(place: &Place, run: &Run) -> Result<bool, EngineError> {
    let phases = journal::phases(&place.store, &run.id)?;
    let found = phases.iter().find(|phase| phase.name == "validate");
    Ok(found.is_some_and(|phase| phase.detail["changed_since"] == 0))
}

/// Creates the tables that a plan fills, within the caller's transaction.
pub(super) fn create_tables(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
) -> Result<(), EngineError> {
    match plan.way {
        Way::Split => {
            for sql in Statements::new(split, &plan.columns).create() {
                place.store.run_script(&sql)?;
            }
        }
        _ => {
            let made = plan
                .definition
                .strip_prefix("CREATE TABLE ")
                .and_then(|rest| rest.split_once('('))
                .map(|(_, columns)| format!("CREATE TABLE {} ({columns}", quoted(&restored(plan))))
                .ok_or_else(|| EngineError::integrity("the plan does not say how the wide table was made"))?;
            place.store.run_script(&made)?;
        }
    }
    Ok(())
}

fn copy_all(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    run: &mut Run,
) -> Result<(), EngineError> {
    let size = run.settings.batch_size.unwrap_or(BATCH_ROWS);
    let began = place.clock.monotonic_ms();
    let before = run.tally.applied;
    let mut last = journal::batches(&place.store, &run.id)?.pop();
    loop {
        let copied = place.store.in_transaction(|store| {
            let after = last.as_ref().map(|batch| batch.last_key.clone());
            let Some(mut batch) = copy_range(place, split, plan, after.as_deref(), size)? else {
                return Ok::<Option<BatchLine>, EngineError>(None);
            };
            if let Some(last) = &last {
                batch.number = last.number + 1;
                batch.previous.clone_from(&last.receipt);
            }
            batch.at = place.clock.now();
            batch.receipt = batch.compute_receipt(&run.id);
            journal::add_batch(store, &run.id, &batch)?;
            run.tally.applied += batch.items;
            run.batches += 1;
            run.rows_written += batch.rows;
            journal::save_run(store, run)?;
            place.probe.reach(BATCH_COMMITTING)?;
            Ok(Some(batch))
        })?;
        let Some(batch) = copied else { break };
        last = Some(batch);
        place.probe.reach(BATCH_DONE)?;
        let took = place.clock.monotonic_ms().saturating_sub(began);
        let left = plan.rows.saturating_sub(run.tally.applied);
        let eta_ms = (took * left).checked_div(run.tally.applied - before);
        (place.progress)(&Progress {
            phase: "copy",
            done: run.tally.applied,
            total: Some(plan.rows),
            eta_ms,
        });
        if run.settings.throttle_ms > 0 {
            place.clock.sleep_ms(run.settings.throttle_ms);
        }
    }
    Ok(())
}

/// Copies the next `size` wide rows after a key, within the caller's transaction; `None` when there are none.
pub(super) fn copy_range(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    after: Option<&str>,
    size: u64,
) -> Result<Option<BatchLine>, EngineError> {
    let store = &place.store;
    let statements = Statements::new(split, &plan.columns);
    let key = quoted(split.key);
    let core = quoted(&plan.named(split.table));
    let sql = format!(
        "SELECT max({key}), count(*) FROM (SELECT {key} FROM {core}
         WHERE CAST($1 AS VARCHAR) IS NULL OR {key} > CAST($1 AS VARCHAR) ORDER BY {key} LIMIT {size})"
    );
    let low = after.map_or(Parameter::Null, Parameter::from);
    let rows = store.query(&sql, std::slice::from_ref(&low))?.rows;
    let Some(last_key) = rows[0][0].as_text().map(str::to_owned) else { return Ok(None) };
    let items = rows[0][1].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    let range = [low, Parameter::Text(last_key.clone())];
    let mut written = 0;
    let selection = if plan.way == Way::Split {
        for (table, sql) in statements.copy() {
            let copied = store.execute(&sql, &range)?;
            if table == split.table && copied != items {
                return Err(EngineError::integrity(format!("{copied} of {items} rows were copied")));
            }
            written += copied;
        }
        statements.wide_rows(split.table)
    } else {
        let rebuild = statements.rebuild(&|declared| plan.named(declared), false);
        written = store.execute(&format!("INSERT INTO {} {rebuild}", quoted(&restored(plan))), &range)?;
        statements.wide_rows(&restored(plan))
    };
    let digest = store.query(&Statements::digest(&selection), &range)?.rows;
    let content = match &digest[0][1] {
        OwnedCell::Text(text) => text.clone(),
        _ => String::new(),
    };
    Ok(Some(BatchLine {
        number: 0,
        last_key,
        items,
        rows: written,
        content,
        at: String::new(),
        previous: String::new(),
        receipt: String::new(),
    }))
}

/// The report of a run as it stands.
pub fn report(run: &Run) -> RunReport {
    RunReport::counted(run)
}
