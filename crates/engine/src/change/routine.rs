//! The routine: back up, plan, check, apply, verify, report - what `run` does, in one place for every caller.
//!
//! Owns the order of the steps and the refusal to go on without a needed backup. Each step is its module's.
//!
//! Invariant: a change that needs a backup is not applied before a verified one is recorded.

use std::path::PathBuf;

use plimsoll_core::id::Id;
use plimsoll_store::backup;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::apply::{self, StartRun};
use super::assess::{self, Assessment};
use super::plan::Plan;
use super::propose;
use super::report::{self, RunReport};
use super::run::RunSettings;
use super::{in_write, verify};
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session::Session;
use crate::source::{Fetch, SourceRequest};
use crate::system::{ChangeKind, System};

/// How a routine goes.
#[derive(Debug, Clone)]
pub struct Routine {
    /// How the plan is applied.
    pub settings: RunSettings,
    /// Where backups go.
    pub backups: PathBuf,
    /// Refuse unless the plan is approved; a routine plans anew, so it then stops after planning.
    pub approval_required: bool,
    /// Why, in the actor's words.
    pub reason: String,
}

/// What a routine did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoutineReport {
    /// The report of the run.
    #[serde(flatten)]
    pub report: RunReport,
    /// What the assessment before the run found.
    pub assessment: Assessment,
}

/// Plans a change from a source and applies it.
///
/// # Errors
/// Those of the steps; the message says in which one.
pub fn run(
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    fetch: &mut dyn Fetch,
    source: &str,
    request: &SourceRequest,
    routine: &Routine,
) -> Result<RoutineReport, EngineError> {
    let plan = propose::propose(session, system, change, fetch, source, request)?;
    if routine.approval_required {
        return Err(EngineError::refused(format!(
            "plan {} is made and waits for approval\nhint: `plimsoll approve {}`, then `plimsoll apply {}`",
            plan.id.short(),
            plan.id.short(),
            plan.id.short()
        )));
    }
    let assessment = assess::assess(session, &plan, Some(change))?;
    let report = apply_plan(session, system, Some(change), &plan, routine, change.needs_backup())?;
    Ok(RoutineReport { report, assessment })
}

/// Applies a stored plan: backup where wanted, apply, verify, report.
///
/// # Errors
/// Those of the steps.
pub fn apply_plan(
    session: &mut Session,
    system: &System,
    declared: Option<&'static dyn ChangeKind>,
    plan: &Plan,
    routine: &Routine,
    with_backup: bool,
) -> Result<RunReport, EngineError> {
    // An empty plan writes nothing, so it needs no copy to go back to.
    let backup =
        if with_backup && plan.changes > 0 { Some(back_up(session, system, routine)?) } else { None };
    let start = StartRun {
        settings: routine.settings.clone(),
        reason: routine.reason.clone(),
        approval_required: routine.approval_required,
        backup,
        undo_mode: None,
    };
    let run = apply::start(session, plan, &start)?;
    let run = apply::drive(session, &run.id, declared)?;
    let verification = verify::verify(session, &run.id)?;
    let mut report = report::of_run(session.store.as_mut(), &run)?;
    report.verified = Some(verification.ok);
    report.success &= verification.ok;
    if !verification.ok {
        return Err(EngineError::integrity(format!(
            "run {} does not verify:\n  {}",
            run.id.short(),
            verification.problems.join("\n  ")
        )));
    }
    Ok(report)
}

fn back_up(session: &mut Session, system: &System, routine: &Routine) -> Result<Id, EngineError> {
    make_backup(session, system, &routine.backups)
        .map(|backup| backup.id)
        .map_err(|error| EngineError::refused(format!("no backup, no run: {error}")))
}

/// Makes a backup of a system's tables, verifies it by reading it back, and records it.
///
/// # Errors
/// When the copy cannot be made or does not equal the tables.
pub fn make_backup(
    session: &mut Session,
    system: &System,
    folder: &std::path::Path,
) -> Result<backup::Backup, EngineError> {
    session.probe.reach("backup.starting")?;
    let (id, now) = (new_id(), session.clock.now());
    let made = backup::create(session.store.as_mut(), folder, &id, system.tables, &now)
        .map_err(|error| EngineError::new(crate::error::ErrorKind::Store, error.to_string()))?;
    session.probe.reach("backup.made")?;
    in_write(session, |session| {
        backup::record(session.store.as_mut(), &made)
            .map_err(|error| EngineError::new(crate::error::ErrorKind::Store, error.to_string()))?;
        let detail = json!({ "location": made.location, "bytes": made.bytes });
        event::record(session, "backup.made", made.id.as_str(), "", &detail)
    })?;
    Ok(made)
}

/// Brings a system's tables back to a backup and records it.
///
/// # Errors
/// When the backup cannot be read or the tables do not equal it afterwards.
pub fn restore_backup(
    session: &mut Session,
    system: &System,
    found: &backup::Backup,
) -> Result<(), EngineError> {
    backup::restore(session.store.as_mut(), found, system.tables)
        .map_err(|error| EngineError::new(crate::error::ErrorKind::Store, error.to_string()))?;
    in_write(session, |session| {
        let detail = json!({ "location": found.location });
        event::record(session, "backup.restored", found.id.as_str(), "", &detail)
    })
}
