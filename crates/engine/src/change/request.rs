//! One request: planned, applied and journaled in a single transaction, as a plan with one item.
//!
//! Owns the path for what a person or a program asks for right now (take this gauge out, pair these two), where
//! planning must see exactly the rows that are written. What the request means is the system's. A plan from a source
//! goes through [`super::propose`] and [`super::apply`] instead.
//!
//! Invariants:
//! - Rows, plan, run, batch, receipt and events commit together or not at all; a refused request leaves no trace.
//! - Requests of one store are planned and applied one after the other, so a request never decides on rows that another
//!   one is about to change. Writers that do not come this way are still met by compare-and-set.

use plimsoll_core::change::Change;
use plimsoll_core::id::Id;
use plimsoll_core::item::{Outcome, Refusal};
use plimsoll_core::run::RunEvent;
use plimsoll_store::{Access, ErrorClass};
use serde_json::json;

use super::apply::{self, StartRun};
use super::batch::{self, BatchContext};
use super::context::PlanMemory;
use super::plan::{NewPlan, PlanWriter};
use super::propose::plan_record;
use super::run::{self, RunSettings};
use crate::error::EngineError;
use crate::event;
use crate::session::Session;
use crate::source::{NoSource, SourceRecord, SourceRequest};
use crate::system::{ChangeKind, System};

/// Milliseconds to wait before each further try after a deadlock or a row that moved.
const WAITS_MS: [u64; 3] = [100, 200, 400];

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its rows were written.
    Done {
        /// The run that wrote them.
        run: Id,
        /// The changes, in the order in which they were written.
        changes: Vec<Change>,
    },
    /// Everything is as the request asks already.
    Unchanged,
    /// The system or the database refuses it; nothing was written.
    Refused(Refusal),
}

/// Plans and applies one request in one transaction. Deadlocks are tried again, at most three times.
///
/// # Errors
/// When the store fails, or a row is contended for longer than the tries last.
pub fn perform(
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    record: &SourceRecord,
    reason: &str,
) -> Result<Answer, EngineError> {
    tries(session, system, change, record, reason, false)
}

/// Does all that [`perform`] does and takes it back: what it would answer, with nothing left behind.
///
/// # Errors
/// As [`perform`].
pub fn rehearse(
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    record: &SourceRecord,
    reason: &str,
) -> Result<Answer, EngineError> {
    tries(session, system, change, record, reason, true)
}

fn tries(
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    record: &SourceRecord,
    reason: &str,
    dry_run: bool,
) -> Result<Answer, EngineError> {
    let mut waits = WAITS_MS.iter();
    loop {
        let started = session.clock.monotonic_ms();
        session.store.begin(Access::ReadWrite)?;
        let tried =
            event::together(session, |session| attempt(session, system, change, record, reason, started));
        let again = match tried {
            Ok(answer @ Answer::Done { .. }) if !dry_run => match session.store.commit() {
                Ok(()) => return Ok(answer),
                Err(error) => EngineError::from(error),
            },
            Ok(Answer::Refused(refusal)) if refusal.outcome == Outcome::Conflicted => {
                session.store.rollback()?;
                EngineError {
                    class: Some(ErrorClass::Contention),
                    ..EngineError::refused(format!(
                        "{}\nhint: something else writes these rows; try again",
                        refusal.reason
                    ))
                }
            }
            Ok(answer) => {
                session.store.rollback()?;
                return Ok(answer);
            }
            Err(error) => {
                // The first error is the one to tell; a failed rollback ends with the connection anyway.
                drop(session.store.rollback());
                error
            }
        };
        match waits.next() {
            Some(wait) if again.class == Some(ErrorClass::Contention) => session.clock.sleep_ms(*wait),
            _ => return Err(again),
        }
    }
}

/// Performs what the options of a request ask for: the one record that a change makes of them.
///
/// # Errors
/// Usage, when the change makes more than one record of them or none; else as [`perform`].
pub fn run(
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    request: &SourceRequest,
    reason: &str,
) -> Result<Answer, EngineError> {
    let mut records = Vec::new();
    change.read(&mut NoSource, request, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    let [record] = records.as_slice() else {
        return Err(EngineError::usage(format!(
            "`{}` makes {} records of one request\nhint: plan it from a source instead",
            change.name(),
            records.len()
        )));
    };
    perform(session, system, change, record, reason)
}

/// One try inside the open transaction.
fn attempt(
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    record: &SourceRecord,
    reason: &str,
    started_ms: u64,
) -> Result<Answer, EngineError> {
    // SQLite's write lock is held already; PostgreSQL's requests queue up here.
    super::number_alone(session.store.as_mut(), "plimsoll_plan, plimsoll_run")?;
    let now = session.clock.now();
    let mut memory = PlanMemory::of(session);
    let Some(item) = plan_record(session.store.as_mut(), change, record, &mut memory, &now)? else {
        return Ok(Answer::Unchanged);
    };
    if let Some(refusal) = item.refusal {
        return Ok(Answer::Refused(refusal));
    }
    let new = NewPlan {
        system: system.name.to_owned(),
        change: change.name().to_owned(),
        source: "request".to_owned(),
        ..NewPlan::default()
    };
    let mut writer = PlanWriter::create_within(session, &new)?;
    writer.add(session, &item)?;
    let plan = writer.finish(session, 0, json!({}))?;
    let detail = json!({ "digest": plan.digest, "items": plan.items, "source": plan.source });
    event::record(session, "plan.made", plan.id.as_str(), "", &detail)?;
    let settings = RunSettings { batch_size: None, ..RunSettings::default() };
    let start = StartRun { settings: settings.clone(), reason: reason.to_owned(), ..StartRun::default() };
    let run = apply::new_run(session, &plan, &start, settings)?;
    let partitions = run::insert_first(session.store.as_mut(), &run, &plan)?;
    apply::tell_started(session, &run, &plan)?;
    let context = BatchContext {
        run: &run.id,
        system: &run.system,
        plan: &plan,
        declared: Some(change),
        released: false,
    };
    for mut partition in partitions {
        let report = batch::apply(session, &context, &mut partition, u64::MAX)?;
        if report.tally.applied == 0 {
            let why = report.exceptions.into_iter().next();
            return Ok(why.filter(|why| why.outcome != Outcome::Noop).map_or(Answer::Unchanged, |why| {
                Answer::Refused(Refusal { outcome: why.outcome, class: why.class, reason: why.reason })
            }));
        }
    }
    for text in memory.take_notices() {
        tracing::warn!(run = run.id.as_str(), change = change.name(), text);
        event::record(session, "request.notice", run.id.as_str(), "", &json!({ "text": text }))?;
    }
    let elapsed = session.clock.monotonic_ms().saturating_sub(started_ms);
    apply::transition_within(session, &run.id, Some(run.epoch), RunEvent::Finish, None, elapsed)?;
    session.probe.reach("request.written")?;
    Ok(Answer::Done { run: run.id, changes: item.changes })
}
