//! Pause, cancel and resume.
//!
//! Owns what a person may do to a run from another process. A run that is being applied is asked and gets
//! there after its batch; a run whose process is gone is moved at once.

use plimsoll_core::id::Id;
use plimsoll_core::run::{RunEvent, RunStatus};
use plimsoll_core::value::Value;
use serde_json::json;

use super::run::{self, Run};
use super::{apply, in_write};
use crate::error::EngineError;
use crate::event;
use crate::owner;
use crate::session::Session;
use crate::system::ChangeKind;

/// Asks a run to pause after its current batch.
///
/// # Errors
/// Usage when the run has ended.
pub fn pause(session: &mut Session, id: &Id, reason: &str) -> Result<Run, EngineError> {
    request(session, id, RunEvent::Pause, "pause", reason)
}

/// Asks a run to end after its current batch. What it applied stays, and can be undone.
///
/// # Errors
/// Usage when the run has ended.
pub fn cancel(session: &mut Session, id: &Id, reason: &str) -> Result<Run, EngineError> {
    request(session, id, RunEvent::Cancel, "cancel", reason)
}

fn request(
    session: &mut Session,
    id: &Id,
    wanted: RunEvent,
    word: &str,
    reason: &str,
) -> Result<Run, EngineError> {
    let run = run::load(session.store.as_mut(), id)?;
    run.status.next(wanted)?;
    in_write(session, |session| {
        let parameters = [Value::text(id.as_str()), Value::text(word)];
        session.store.execute("UPDATE plimsoll_run SET requested = $2 WHERE id = $1", &parameters)?;
        event::record(session, &format!("run.{word}_requested"), id.as_str(), reason, &json!({}))
    })?;
    if run.status != RunStatus::Running || is_gone(session, &run) {
        apply::transition(session, id, None, wanted, None, 0)?;
    }
    run::load(session.store.as_mut(), id)
}

/// Takes a run over and applies what is left of it. `change_settings` may adjust its settings first, for
/// example to allow more errors.
///
/// # Errors
/// Usage when the run has ended; refused when another process is applying it.
pub fn resume(
    session: &mut Session,
    id: &Id,
    declared: Option<&'static dyn ChangeKind>,
    change_settings: &dyn Fn(&mut run::RunSettings),
) -> Result<Run, EngineError> {
    take_over(session, id, RunEvent::Resume, change_settings)?;
    apply::drive(session, id, declared)
}

/// Makes this process the owner of a run, under a new epoch.
fn take_over(
    session: &mut Session,
    id: &Id,
    event: RunEvent,
    change_settings: &dyn Fn(&mut run::RunSettings),
) -> Result<(), EngineError> {
    in_write(session, |session| take_over_within(session, id, event, change_settings))?;
    session.probe.reach("run.taken_over")
}

/// As [`take_over`], inside the caller's transaction.
pub(crate) fn take_over_within(
    session: &mut Session,
    id: &Id,
    event: RunEvent,
    change_settings: &dyn Fn(&mut run::RunSettings),
) -> Result<(), EngineError> {
    let lease = apply::lease_end(session)?;
    let run = run::load(session.store.as_mut(), id)?;
    let status = run.status.next(event)?;
    if run.status == RunStatus::Running && !is_abandoned(session, &run) {
        return Err(EngineError::refused(format!(
            "run {} is being applied by process {}\nhint: `plimsoll pause {}` first, or stop that process",
            id.short(),
            run.owner.as_deref().unwrap_or("unknown"),
            id.short()
        )));
    }
    let mut settings = run.settings.clone();
    change_settings(&mut settings);
    settings.check()?;
    let parameters = [
        Value::text(id.as_str()),
        Value::Integer(run.epoch),
        Value::text(status.as_str()),
        Value::text(owner::current()),
        Value::text(&lease),
        Value::text(serde_json::to_string(&settings)?),
    ];
    let taken = session.store.execute(
        "UPDATE plimsoll_run SET status = $3, owner = $4, lease_until = $5, settings = $6, epoch = epoch + 1,
         requested = NULL, finished_at = NULL, stop_class = NULL, stop_reason = NULL
         WHERE id = $1 AND epoch = $2",
        &parameters,
    )?;
    if taken != 1 {
        return Err(EngineError::refused(format!("run {} was taken over by another process", id.short())));
    }
    event::record(session, "run.resumed", id.as_str(), "", &json!({ "settings": settings }))
}

/// True when this process may take a running run over: its owner is gone, or is this very process.
fn is_abandoned(session: &Session, run: &Run) -> bool {
    run.owner.as_ref().is_some_and(|owner| *owner == owner::current()) || is_gone(session, run)
}

/// True when a running run has no living owner.
fn is_gone(session: &Session, run: &Run) -> bool {
    let Some(owner) = &run.owner else { return true };
    owner::is_gone(owner)
        .unwrap_or_else(|| run.lease_until.as_ref().is_none_or(|until| *until < session.clock.now()))
}
