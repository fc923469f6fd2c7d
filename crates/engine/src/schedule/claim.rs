//! Claims: who runs a schedule now, and for which time.
//!
//! Owns the lease of each schedule with its epoch, and the policy about missed times. Claiming, recording the run
//! and setting the next time are one transaction, so one time is started once.

use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use plimsoll_store::DatabaseKind;

use super::history::{RunOutcome, record};
use super::{Missed, Schedule, declare};
use crate::change::cells::Cells;
use crate::clock::{between_ms, later};
use crate::error::EngineError;
use crate::owner;
use crate::session::{Session, in_transaction};

/// A time that is not started within this counts as missed, in milliseconds.
const GRACE_MS: i64 = 300_000;

/// The right to run a schedule once.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The schedule.
    pub schedule: Schedule,
    /// The run in the history.
    pub run: Id,
    /// The time that it is run for.
    pub due_at: String,
    /// The epoch of the lease: whoever holds an older one may not write any more.
    pub epoch: i64,
}

/// Claims up to `most` schedules that are due and that nobody runs, the longest due first.
///
/// # Errors
/// When the control store fails.
pub fn claim_due(session: &mut Session, most: usize) -> Result<Vec<Claim>, EngineError> {
    let now = session.clock.now();
    let sql = "SELECT name FROM plimsoll_schedule WHERE enabled = 1 AND due_at <= $1 ORDER BY due_at, name";
    let names = session.store.query(sql, &[Value::text(now)])?;
    let mut claims = Vec::new();
    for row in names {
        if claims.len() >= most {
            break;
        }
        let name = Cells(row).text(0)?;
        claims.extend(in_transaction(session, |session| claim_one(session, &name))?);
    }
    Ok(claims)
}

/// Claims a schedule now, whatever its time, because a person asks for it. Its next time stays.
///
/// # Errors
/// Usage when there is none; refused when it runs already.
pub fn claim_now(session: &mut Session, name: &str) -> Result<Claim, EngineError> {
    in_transaction(session, |session| {
        lock(session)?;
        let schedule = declare::find(session, name)?;
        let Some(epoch) = take(session, name)? else {
            return Err(EngineError::refused(format!(
                "schedule `{name}` is running\nhint: `plimsoll schedule history {name}` shows where"
            )));
        };
        let now = session.clock.now();
        let run = record(session, name, &now, epoch, RunOutcome::Running, "")?;
        Ok(Claim { schedule, run, due_at: now, epoch })
    })
}

fn claim_one(session: &mut Session, name: &str) -> Result<Option<Claim>, EngineError> {
    lock(session)?;
    // Somebody may have been faster between the list and the lock.
    let Ok(schedule) = declare::find(session, name) else { return Ok(None) };
    let now = session.clock.now();
    let Some(due_at) = schedule.due_at.clone().filter(|due_at| schedule.enabled && *due_at <= now) else {
        return Ok(None);
    };
    let Some(epoch) = take(session, name)? else { return Ok(None) };
    let timetable = schedule.timetable()?;
    let last = timetable.last(&now)?.filter(|last| *last >= due_at).unwrap_or_else(|| due_at.clone());
    let (run_for, next_after) = match schedule.missed {
        Missed::All => (Some(due_at.clone()), due_at.clone()),
        Missed::Once => (Some(last.clone()), now.clone()),
        Missed::Skip => {
            let in_time = between_ms(&last, &now)? <= GRACE_MS;
            (in_time.then(|| last.clone()), now.clone())
        }
    };
    let next = timetable.next(&next_after)?;
    session.store.execute(
        "UPDATE plimsoll_schedule SET due_at = $2 WHERE name = $1",
        &[Value::text(name), Value::optional_text(next)],
    )?;
    let nobody_ran = schedule.missed != Missed::All && (due_at < last || run_for.is_none());
    if nobody_ran {
        let until = if run_for.is_some() { "before" } else { "up to" };
        let why = format!("missed from {due_at} {until} {last}");
        record(session, name, &due_at, epoch, RunOutcome::Skipped, &why)?;
    }
    let Some(due_at) = run_for else {
        release(session, name, epoch)?;
        return Ok(None);
    };
    let run = record(session, name, &due_at, epoch, RunOutcome::Running, "")?;
    Ok(Some(Claim { schedule, run, due_at, epoch }))
}

/// One at a time decides who runs what; SQLite's write lock does the same.
fn lock(session: &mut Session) -> Result<(), EngineError> {
    if session.store.kind() == DatabaseKind::Postgres {
        session.store.execute("LOCK TABLE plimsoll_schedule_lease IN SHARE ROW EXCLUSIVE MODE", &[])?;
    }
    Ok(())
}

/// Takes the lease unless a process that lives holds it; returns the new epoch.
fn take(session: &mut Session, name: &str) -> Result<Option<i64>, EngineError> {
    let now = session.clock.now();
    let sql = "SELECT holder, epoch, until FROM plimsoll_schedule_lease WHERE schedule = $1";
    let held = session.store.query(sql, &[Value::text(name)])?.into_iter().next().map(Cells);
    let epoch = match &held {
        None => 1,
        Some(cells) => {
            let (holder, until) = (cells.text(0)?, cells.text(2)?);
            // On this machine we know whether the holder lives; elsewhere only its lease can tell.
            let free = owner::is_gone(&holder).unwrap_or(until <= now);
            if !free {
                return Ok(None);
            }
            cells.integer(1)? + 1
        }
    };
    session.store.execute(
        "INSERT INTO plimsoll_schedule_lease (schedule, holder, epoch, until) VALUES ($1, $2, $3, $4)
         ON CONFLICT (schedule) DO UPDATE SET holder = $2, epoch = $3, until = $4",
        &[
            Value::text(name),
            Value::text(owner::current()),
            Value::Integer(epoch),
            Value::text(later(&now, owner::LEASE_MS.unsigned_abs())?),
        ],
    )?;
    // What the last holder left unfinished did not end.
    session.store.execute(
        "UPDATE plimsoll_schedule_run SET outcome = 'abandoned', finished_at = $2,
             output = 'the process that ran it is gone'
         WHERE schedule = $1 AND outcome = 'running'",
        &[Value::text(name), Value::text(now)],
    )?;
    Ok(Some(epoch))
}

/// Keeps the lease; false when somebody else has it.
pub(super) fn renew(session: &mut Session, name: &str, epoch: i64) -> Result<bool, EngineError> {
    let until = later(&session.clock.now(), owner::LEASE_MS.unsigned_abs())?;
    set_until(session, name, epoch, &until)
}

/// Gives the lease back, so that it has no holder; false when somebody else has it.
pub(super) fn release(session: &mut Session, name: &str, epoch: i64) -> Result<bool, EngineError> {
    let now = session.clock.now();
    let changed = session.store.execute(
        "UPDATE plimsoll_schedule_lease SET holder = '', until = $3 WHERE schedule = $1 AND epoch = $2",
        &[Value::text(name), Value::Integer(epoch), Value::text(now)],
    )?;
    Ok(changed == 1)
}

fn set_until(session: &mut Session, name: &str, epoch: i64, until: &str) -> Result<bool, EngineError> {
    let changed = session.store.execute(
        "UPDATE plimsoll_schedule_lease SET until = $3 WHERE schedule = $1 AND epoch = $2",
        &[Value::text(name), Value::Integer(epoch), Value::text(until)],
    )?;
    Ok(changed == 1)
}
