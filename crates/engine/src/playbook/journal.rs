//! The journal of playbook runs.
//!
//! Owns the rows of runs, steps and approvals. What a step is doing is on record before it begins, and how it ended
//! before the next begins; that is all that resuming needs.
//!
//! Invariant: a change of a run's status and the event that tells of it commit together.

use std::collections::BTreeMap;

use plimsoll_core::id::{Id, is_prefix};
use plimsoll_core::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::change::cells::Cells;
use crate::change::number_alone;
use crate::error::EngineError;
use crate::event;
use crate::session::{Session, in_transaction};

/// Where a run of a playbook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaybookStatus {
    /// A step is being done, or its process died.
    Running,
    /// It waits for an approval.
    Waiting,
    /// A person asked it to wait.
    Paused,
    /// A step failed, and what was done stands.
    Failed,
    /// What was done was taken back.
    RolledBack,
    /// Every step ended well.
    Done,
}

impl PlaybookStatus {
    const ALL: [Self; 6] =
        [Self::Running, Self::Waiting, Self::Paused, Self::Failed, Self::RolledBack, Self::Done];

    /// The word used in the store and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Done => "done",
        }
    }
}

/// A run of a playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaybookRun {
    /// Its id.
    pub id: Id,
    /// The playbook.
    pub playbook: String,
    /// The document as it was when the run began.
    #[serde(skip)]
    pub text: String,
    /// The document's digest, to which approvals are bound.
    pub digest: String,
    /// What the parameters were set to.
    pub parameters: BTreeMap<String, String>,
    /// Whether waiting is simulated: such a run is a rehearsal.
    pub simulated: bool,
    /// Whether what was done stands when a step fails.
    pub keep: bool,
    /// Where it stands.
    pub status: PlaybookStatus,
    /// `pause` when a person asked for it.
    pub requested: Option<String>,
    /// Who started it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How far its clock is: with a simulated clock ahead of the time.
    pub clock_at: String,
    /// The process that works on it.
    pub owner: Option<String>,
}

/// What was done of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its place in the run.
    pub sequence: i64,
    /// The step.
    pub step: String,
    /// `do` or `undo`.
    pub action: String,
    /// `started`, `done` or `failed`.
    pub status: String,
    /// The command line, or what was done.
    pub command: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// When it began by the run's clock.
    pub clock_started_at: String,
    /// When it ended by the run's clock.
    pub clock_finished_at: Option<String>,
    /// The exit code.
    pub code: Option<i64>,
    /// What it printed.
    pub output: Option<String>,
    /// What there is to say.
    pub message: Option<String>,
    /// The process that did it.
    pub worker: Option<String>,
}

const RUN: &str = "id, playbook, text, digest, parameters, simulated, keep, status, requested, actor, reason, \
     started_at, finished_at, clock_at, owner";

/// Adds a run.
pub(super) fn insert(session: &mut Session, run: &PlaybookRun) -> Result<(), EngineError> {
    let detail = json!({ "playbook": run.playbook, "digest": run.digest, "parameters": run.parameters, "simulated": run.simulated });
    event::record(session, "playbook.started", run.id.as_str(), &run.reason, &detail)?;
    number_alone(session.store.as_mut(), "plimsoll_playbook_run")?;
    let next = session.store.query("SELECT coalesce(max(number), 0) + 1 FROM plimsoll_playbook_run", &[])?;
    let number = next.into_iter().next().map_or(Ok(1), |row| Cells(row).integer(0))?;
    let row = vec![
        Value::text(run.id.as_str()),
        Value::Integer(number),
        Value::text(&run.playbook),
        Value::text(&run.text),
        Value::text(&run.digest),
        Value::text(serde_json::to_string(&run.parameters)?),
        Value::Integer(i64::from(run.simulated)),
        Value::Integer(i64::from(run.keep)),
        Value::text(run.status.as_str()),
        Value::text(&run.actor),
        Value::text(&run.reason),
        Value::text(&run.started_at),
        Value::text(&run.clock_at),
        Value::optional_text(run.owner.as_deref()),
    ];
    let columns = [
        "id",
        "number",
        "playbook",
        "text",
        "digest",
        "parameters",
        "simulated",
        "keep",
        "status",
        "actor",
        "reason",
        "started_at",
        "clock_at",
        "owner",
    ];
    session.store.append("plimsoll_playbook_run", &columns, &[row])?;
    Ok(())
}

fn read_run(cells: &Cells) -> Result<PlaybookRun, EngineError> {
    let word = cells.text(7)?;
    let status = PlaybookStatus::ALL
        .into_iter()
        .find(|status| status.as_str() == word)
        .ok_or_else(|| EngineError::integrity(format!("a playbook's run is `{word}`")))?;
    Ok(PlaybookRun {
        id: Id(cells.text(0)?),
        playbook: cells.text(1)?,
        text: cells.text(2)?,
        digest: cells.text(3)?,
        parameters: serde_json::from_str(&cells.text(4)?)?,
        simulated: cells.integer(5)? != 0,
        keep: cells.integer(6)? != 0,
        status,
        requested: cells.optional_text(8)?,
        actor: cells.text(9)?,
        reason: cells.text(10)?,
        started_at: cells.text(11)?,
        finished_at: cells.optional_text(12)?,
        clock_at: cells.text(13)?,
        owner: cells.optional_text(14)?,
    })
}

/// The runs of a playbook, or of all, newest first.
///
/// # Errors
/// When the store fails.
pub fn runs(session: &mut Session, playbook: Option<&str>) -> Result<Vec<PlaybookRun>, EngineError> {
    let rows = match playbook {
        Some(name) => session.store.query(
            &format!("SELECT {RUN} FROM plimsoll_playbook_run WHERE playbook = $1 ORDER BY number DESC"),
            &[Value::text(name)],
        )?,
        None => session
            .store
            .query(&format!("SELECT {RUN} FROM plimsoll_playbook_run ORDER BY number DESC"), &[])?,
    };
    rows.into_iter().map(|row| read_run(&Cells(row))).collect()
}

/// The run whose id begins with `which`, or the latest run of the playbook of that name.
///
/// # Errors
/// Usage when there is none, or more than one.
pub fn find_run(session: &mut Session, which: &str) -> Result<PlaybookRun, EngineError> {
    if let Some(latest) = runs(session, Some(which))?.into_iter().next() {
        return Ok(latest);
    }
    let unknown = || {
        EngineError::usage(format!(
            "no run of a playbook is called `{which}`\nhint: `plimsoll playbook show NAME` lists its runs"
        ))
    };
    if !is_prefix(which) {
        return Err(unknown());
    }
    let sql =
        format!("SELECT {RUN} FROM plimsoll_playbook_run WHERE id LIKE $1 ORDER BY number DESC LIMIT 2");
    let mut rows = session.store.query(&sql, &[Value::text(format!("{which}%"))])?;
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => read_run(&Cells(row)),
        (None, _) => Err(unknown()),
        _ => Err(EngineError::usage(format!("`{which}` names more than one run\nhint: give more of the id"))),
    }
}

/// Changes a run's status, with its event.
pub(super) fn set_status(
    session: &mut Session,
    run: &Id,
    status: PlaybookStatus,
    reason: &str,
    detail: &Json,
) -> Result<(), EngineError> {
    in_transaction(session, |session| {
        let kind = format!("playbook.{}", status.as_str());
        event::record(session, &kind, run.as_str(), reason, detail)?;
        let ended =
            matches!(status, PlaybookStatus::Failed | PlaybookStatus::RolledBack | PlaybookStatus::Done);
        let finished = ended.then(|| session.clock.now());
        let owner = (status == PlaybookStatus::Running).then(crate::owner::current);
        session.store.execute(
            "UPDATE plimsoll_playbook_run SET status = $2, finished_at = $3, owner = $4, requested = NULL WHERE id = $1",
            &[
                Value::text(run.as_str()),
                Value::text(status.as_str()),
                Value::optional_text(finished.as_deref()),
                Value::optional_text(owner.as_deref()),
            ],
        )?;
        Ok(())
    })
}

/// Asks a run to pause after what it is doing.
///
/// # Errors
/// Refused when it is not running.
pub fn request_pause(session: &mut Session, run: &PlaybookRun, reason: &str) -> Result<(), EngineError> {
    if run.status != PlaybookStatus::Running {
        return Err(EngineError::refused(format!("the run is {} and not running", run.status.as_str())));
    }
    in_transaction(session, |session| {
        event::record(session, "playbook.pause", run.id.as_str(), reason, &Json::Null)?;
        session.store.execute(
            "UPDATE plimsoll_playbook_run SET requested = 'pause' WHERE id = $1",
            &[Value::text(run.id.as_str())],
        )?;
        Ok(())
    })
}

/// Whether a pause was asked for.
pub(super) fn pause_requested(session: &mut Session, run: &Id) -> Result<bool, EngineError> {
    let sql = "SELECT requested FROM plimsoll_playbook_run WHERE id = $1";
    let rows = session.store.query(sql, &[Value::text(run.as_str())])?;
    Ok(rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next())
        .is_some_and(|value| value != Value::Null))
}

/// Everything that was done in a run, in order.
///
/// # Errors
/// When the store fails.
pub fn entries(session: &mut Session, run: &Id) -> Result<Vec<Entry>, EngineError> {
    let sql = "SELECT sequence, step, action, status, command, started_at, finished_at, clock_started_at, \
               clock_finished_at, code, output, message, worker FROM plimsoll_playbook_step WHERE run = $1 ORDER BY sequence";
    let rows = session.store.query(sql, &[Value::text(run.as_str())])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok(Entry {
                sequence: cells.integer(0)?,
                step: cells.text(1)?,
                action: cells.text(2)?,
                status: cells.text(3)?,
                command: cells.text(4)?,
                started_at: cells.text(5)?,
                finished_at: cells.optional_text(6)?,
                clock_started_at: cells.text(7)?,
                clock_finished_at: cells.optional_text(8)?,
                code: cells.0.get(9).and_then(Value::as_integer),
                output: cells.optional_text(10)?,
                message: cells.optional_text(11)?,
                worker: cells.optional_text(12)?,
            })
        })
        .collect()
}

/// Puts on record that a step begins; returns its place.
pub(super) fn begin(
    session: &mut Session,
    run: &Id,
    step: &str,
    action: &str,
    command: &str,
    clock_at: &str,
) -> Result<i64, EngineError> {
    in_transaction(session, |session| {
        let sql = "SELECT coalesce(max(sequence), 0) + 1 FROM plimsoll_playbook_step WHERE run = $1";
        let next = session.store.query(sql, &[Value::text(run.as_str())])?;
        let sequence = next.into_iter().next().map_or(Ok(1), |row| Cells(row).integer(0))?;
        let row = vec![
            Value::text(run.as_str()),
            Value::Integer(sequence),
            Value::text(step),
            Value::text(action),
            Value::text("started"),
            Value::text(command),
            Value::text(session.clock.now()),
            Value::text(clock_at),
        ];
        let columns =
            ["run", "sequence", "step", "action", "status", "command", "started_at", "clock_started_at"];
        session.store.append("plimsoll_playbook_step", &columns, &[row])?;
        Ok(sequence)
    })
}

/// How an entry ended.
pub(super) struct End<'a> {
    pub(super) status: &'static str,
    pub(super) code: Option<i32>,
    pub(super) output: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    pub(super) clock_at: &'a str,
}

/// Puts on record how it ended, with an event.
pub(super) fn end(
    session: &mut Session,
    run: &Id,
    sequence: i64,
    step: &str,
    action: &str,
    end: &End<'_>,
) -> Result<(), EngineError> {
    in_transaction(session, |session| {
        let detail = json!({ "step": step, "action": action, "code": end.code });
        event::record(
            session,
            &format!("playbook.step_{}", end.status),
            run.as_str(),
            end.message.unwrap_or_default(),
            &detail,
        )?;
        let now = session.clock.now();
        session.store.execute(
            "UPDATE plimsoll_playbook_step SET status = $3, finished_at = $4, clock_finished_at = $5, code = $6, \
             output = $7, message = $8 WHERE run = $1 AND sequence = $2",
            &[
                Value::text(run.as_str()),
                Value::Integer(sequence),
                Value::text(end.status),
                Value::text(now),
                Value::text(end.clock_at),
                end.code.map_or(Value::Null, |code| Value::Integer(i64::from(code))),
                Value::optional_text(end.output),
                Value::optional_text(end.message),
            ],
        )?;
        tick(session, run, end.clock_at)
    })
}

/// Keeps how far the run's clock is.
pub(super) fn tick(session: &mut Session, run: &Id, clock_at: &str) -> Result<(), EngineError> {
    let parameters = [Value::text(run.as_str()), Value::text(clock_at)];
    session.store.execute("UPDATE plimsoll_playbook_run SET clock_at = $2 WHERE id = $1", &parameters)?;
    Ok(())
}

/// Puts on record which process does a step.
pub(super) fn note_worker(
    session: &mut Session,
    run: &Id,
    sequence: i64,
    worker: &str,
) -> Result<(), EngineError> {
    let parameters = [Value::text(run.as_str()), Value::Integer(sequence), Value::text(worker)];
    session.store.execute(
        "UPDATE plimsoll_playbook_step SET worker = $3 WHERE run = $1 AND sequence = $2",
        &parameters,
    )?;
    Ok(())
}

/// Puts an approval on record. It is bound to the document as the run began with it.
pub(super) fn insert_approval(
    session: &mut Session,
    run: &PlaybookRun,
    step: &str,
    by: &str,
    reason: &str,
) -> Result<(), EngineError> {
    in_transaction(session, |session| {
        let detail = json!({ "step": step, "by": by, "digest": run.digest });
        event::record(session, "playbook.approved", run.id.as_str(), reason, &detail)?;
        let row = vec![
            Value::text(run.id.as_str()),
            Value::text(step),
            Value::text(session.clock.now()),
            Value::text(by),
            Value::text(reason),
            Value::text(&run.digest),
        ];
        let columns = ["run", "step", "at", "actor", "reason", "digest"];
        session.store.append("plimsoll_playbook_approval", &columns, &[row])?;
        Ok(())
    })
}

/// A person's approval of a step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Approval {
    /// The step.
    pub step: String,
    /// When it was given.
    pub at: String,
    /// Who gave it.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// The approvals of a run, first given first.
///
/// # Errors
/// Integrity when one is bound to another document than the run's.
pub(super) fn approvals(session: &mut Session, run: &PlaybookRun) -> Result<Vec<Approval>, EngineError> {
    let sql = "SELECT step, at, actor, reason, digest FROM plimsoll_playbook_approval WHERE run = $1 ORDER BY at, step";
    let rows = session.store.query(sql, &[Value::text(run.id.as_str())])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            if cells.text(4)? != run.digest {
                return Err(EngineError::integrity("the approval is of another document"));
            }
            Ok(Approval {
                step: cells.text(0)?,
                at: cells.text(1)?,
                actor: cells.text(2)?,
                reason: cells.text(3)?,
            })
        })
        .collect()
}

/// Who approved a step, when somebody did.
pub(super) fn approval(
    session: &mut Session,
    run: &PlaybookRun,
    step: &str,
) -> Result<Option<String>, EngineError> {
    let given = approvals(session, run)?.into_iter().find(|approval| approval.step == step);
    Ok(given.map(|approval| approval.actor))
}
