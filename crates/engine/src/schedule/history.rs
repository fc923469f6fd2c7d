//! The history: every run of every schedule, and every time that was skipped.
//!
//! Owns the rows. They stay when a schedule is removed.

use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use serde::{Deserialize, Serialize};

use crate::change::cells::Cells;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::owner;
use crate::session::Session;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// It has not ended.
    Running,
    /// All was done.
    Done,
    /// All was done that could be; something is set aside or a check failed.
    Exceptions,
    /// A gate or a policy refused.
    Refused,
    /// It failed, or was ended at its limit.
    Failed,
    /// The process that ran it is gone.
    Abandoned,
    /// Nobody ran it at its time.
    Skipped,
}

impl RunOutcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Done,
        Self::Exceptions,
        Self::Refused,
        Self::Failed,
        Self::Abandoned,
        Self::Skipped,
    ];

    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Exceptions => "exceptions",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Skipped => "skipped",
        }
    }

    /// What an exit code of this program means.
    pub const fn of_code(code: i32) -> Self {
        match code {
            0 => Self::Done,
            3 => Self::Exceptions,
            4 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleRun {
    /// Its id.
    pub id: Id,
    /// Its place in the history.
    pub number: i64,
    /// The schedule.
    pub schedule: String,
    /// The time that it was run for.
    pub due_at: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The exit code.
    pub exit_code: Option<i64>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// The end of what it printed, or why it was not run.
    pub output: String,
}

/// Adds a run, inside the caller's transaction.
pub(super) fn record(
    session: &mut Session,
    schedule: &str,
    due_at: &str,
    epoch: i64,
    outcome: RunOutcome,
    output: &str,
) -> Result<Id, EngineError> {
    let id = new_id();
    let now = session.clock.now();
    let finished = (outcome != RunOutcome::Running).then(|| now.clone());
    session.store.execute(
        "INSERT INTO plimsoll_schedule_run (id, number, schedule, due_at, started_at, finished_at, outcome, output, holder, epoch)
         VALUES ($1, (SELECT coalesce(max(number), 0) + 1 FROM plimsoll_schedule_run), $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            Value::text(id.as_str()),
            Value::text(schedule),
            Value::text(due_at),
            Value::text(now),
            Value::optional_text(finished),
            Value::text(outcome.as_str()),
            Value::text(output),
            Value::text(owner::current()),
            Value::Integer(epoch),
        ],
    )?;
    Ok(id)
}

/// Writes the end of a run, inside the caller's transaction.
pub(super) fn finish(
    session: &mut Session,
    run: &Id,
    outcome: RunOutcome,
    code: i32,
    duration_ms: u64,
    output: &str,
) -> Result<(), EngineError> {
    let now = session.clock.now();
    session.store.execute(
        "UPDATE plimsoll_schedule_run SET finished_at = $2, outcome = $3, exit_code = $4, duration_ms = $5, output = $6
         WHERE id = $1",
        &[
            Value::text(run.as_str()),
            Value::text(now),
            Value::text(outcome.as_str()),
            Value::Integer(i64::from(code)),
            crate::change::cells::number(duration_ms),
            Value::text(output),
        ],
    )?;
    Ok(())
}

/// The newest runs first: of one schedule, or of all.
///
/// # Errors
/// When the control store fails.
pub fn history(
    session: &mut Session,
    schedule: Option<&str>,
    limit: u32,
) -> Result<Vec<ScheduleRun>, EngineError> {
    let mut sql = "SELECT id, number, schedule, due_at, started_at, finished_at, outcome, exit_code, duration_ms, output
         FROM plimsoll_schedule_run"
        .to_owned();
    let mut parameters = vec![Value::Integer(i64::from(limit))];
    if let Some(schedule) = schedule {
        sql.push_str(" WHERE schedule = $2");
        parameters.push(Value::text(schedule));
    }
    sql.push_str(" ORDER BY number DESC LIMIT $1");
    let rows = session.store.query(&sql, &parameters)?;
    rows.into_iter()
        .map(|row| {
            let optional = |at: usize| row[at].as_integer();
            let (exit_code, duration_ms) = (optional(7), optional(8));
            let cells = Cells(row);
            let outcome = cells.text(6)?;
            Ok(ScheduleRun {
                id: Id(cells.text(0)?),
                number: cells.integer(1)?,
                schedule: cells.text(2)?,
                due_at: cells.text(3)?,
                started_at: cells.text(4)?,
                finished_at: cells.optional_text(5)?,
                outcome: RunOutcome::ALL.into_iter().find(|known| known.as_str() == outcome).ok_or_else(
                    || EngineError::integrity(format!("a schedule's run has the outcome `{outcome}`")),
                )?,
                exit_code,
                duration_ms,
                output: cells.text(9)?,
            })
        })
        .collect()
}
