//! Runs in the journal: their header, their settings, their partitions and their ownership.
//!
//! Owns reading and writing the rows of `plimsoll_run` and `plimsoll_partition`. What happens inside a batch
//! is `batch`'s; the loop over batches is `apply`'s.
//!
//! Invariants: a run's tally is the sum over its batches; a partition's cursor moves only in the transaction
//! that commits the batch before it; a run has at most one owner, fenced by its epoch.

use std::collections::BTreeMap;

use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::item::Tally;
use plimsoll_core::run::RunStatus;
use plimsoll_core::undo::UndoMode;
use plimsoll_core::value::Value;
use plimsoll_store::{DatabaseKind, Store};
use serde::{Deserialize, Serialize};

use super::cells::{Cells, number};
use super::plan::Plan;
use crate::error::{EngineError, ErrorKind};
use crate::owner;

/// How a plan is to be applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSettings {
    /// Items in one batch; `None` is the plain path: the whole plan in one transaction.
    pub batch_size: Option<u64>,
    /// How many workers apply disjoint ranges at once (PostgreSQL; SQLite has one writer).
    pub workers: u32,
    /// Lets the batch size follow this duration of a batch, in milliseconds. Off when `None`.
    pub adaptive_target_ms: Option<u64>,
    /// Milliseconds to wait between batches.
    pub throttle_ms: u64,
    /// Stops the run when more items than this end in quarantine or conflict.
    pub max_errors: Option<u64>,
    /// Stops the run when a larger share of at least 100 ended items ends so; 1.0 never stops.
    pub max_error_share: f64,
}

/// The batch size of the batch path unless set otherwise (HB-01).
pub const DEFAULT_BATCH_SIZE: u64 = 50;

/// Each worker has a connection of its own; more of them than a server's usual hundred connections spare only wait.
pub const MOST_WORKERS: u32 = 64;

/// The longest wait between batches: half of the time after which an owner that gave no sign of life counts as gone.
pub const LONGEST_THROTTLE_MS: u64 = owner::LEASE_MS.unsigned_abs() / 2;

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            batch_size: Some(DEFAULT_BATCH_SIZE),
            workers: 1,
            adaptive_target_ms: None,
            throttle_ms: 0,
            max_errors: None,
            max_error_share: 0.5,
        }
    }
}

impl RunSettings {
    /// Refuses settings with which a run would never end, or would look abandoned while it waits.
    ///
    /// # Errors
    /// Usage, naming the setting.
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        if self.batch_size == Some(0) {
            return Err(EngineError::usage("a batch holds at least one item\nhint: --batch-size 50"));
        }
        if !(1..=MOST_WORKERS).contains(&self.workers) {
            return Err(EngineError::usage(format!(
                "a run has 1 to {MOST_WORKERS} workers, not {}\nhint: --workers 4",
                self.workers
            )));
        }
        if !(0.0..=1.0).contains(&self.max_error_share) {
            return Err(EngineError::usage(format!(
                "{} is no share of the items\nhint: --max-error-share takes 0 to 1; 1 never stops",
                self.max_error_share
            )));
        }
        if self.throttle_ms > LONGEST_THROTTLE_MS {
            return Err(EngineError::usage(format!(
                "a run that waits {} ms between batches would count as abandoned\nhint: wait {LONGEST_THROTTLE_MS} ms \
                 at most, with smaller batches, or pause the run",
                self.throttle_ms
            )));
        }
        Ok(())
    }
}

/// The header of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: Id,
    /// Its number in this store; later runs have larger ones.
    pub number: i64,
    /// The plan that it applies.
    pub plan: Id,
    /// The system.
    pub system: String,
    /// The change kind.
    pub change: String,
    /// Where it stands.
    pub status: RunStatus,
    /// `pause` or `cancel` when a person asked for it and the run has not got there yet.
    pub requested: Option<String>,
    /// Who started it.
    pub actor: String,
    /// Why, in the actor's words.
    pub reason: String,
    /// How it is applied.
    pub settings: RunSettings,
    /// When it started.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How long it worked, in milliseconds, pauses left out.
    pub duration_ms: u64,
    /// How its items ended so far.
    pub tally: Tally,
    /// Batches committed so far.
    pub batches: u64,
    /// Rows written so far.
    pub rows_written: u64,
    /// The class of the error that stopped it.
    pub stop_class: Option<String>,
    /// What stopped it.
    pub stop_reason: Option<String>,
    /// The run that it takes back.
    pub undoes: Option<Id>,
    /// How it deals with later edits, when it takes a run back.
    pub undo_mode: Option<UndoMode>,
    /// The backup that was made for it.
    pub backup: Option<Id>,
    /// The process that works on it: `host/pid/start`.
    pub owner: Option<String>,
    /// Counts the owners; a batch commits only under the current one.
    pub epoch: i64,
    /// Until when the owner's claim holds without a sign of life.
    pub lease_until: Option<String>,
}

pub(super) const COLUMNS: &str = "id, number, plan, system, change_kind, status, requested, actor, reason, settings, started_at, \
     finished_at, duration_ms, planned, applied, noop, conflicted, quarantined, skipped, batches, rows_written, \
     stop_class, stop_reason, undoes, undo_mode, backup, owner, epoch, lease_until";

/// Writes a new run and its partitions inside the caller's transaction.
///
/// # Errors
/// Refused when the plan was applied already.
pub(crate) fn insert(store: &mut dyn Store, run: &Run, plan: &Plan) -> Result<(), EngineError> {
    super::number_alone(store, "plimsoll_run")?;
    refuse_second(store, plan)?;
    insert_first(store, run, plan).map(drop)
}

/// As [`insert`], of a plan that was made in the same transaction, in which nobody else numbers runs. Returns its partitions.
pub(crate) fn insert_first(
    store: &mut dyn Store,
    run: &Run,
    plan: &Plan,
) -> Result<Vec<Partition>, EngineError> {
    let next = store.query("SELECT coalesce(max(number), 0) + 1 FROM plimsoll_run", &[])?;
    let next = next.into_iter().next().map_or(Ok(1), |row| Cells(row).integer(0))?;
    let optional = |id: &Option<Id>| Value::optional_text(id.as_ref().map(Id::as_str));
    let row = vec![
        Value::text(run.id.as_str()),
        Value::Integer(next),
        Value::text(run.plan.as_str()),
        Value::text(&run.system),
        Value::text(&run.change),
        Value::text(run.status.as_str()),
        Value::Null,
        Value::text(&run.actor),
        Value::text(&run.reason),
        Value::text(serde_json::to_string(&run.settings)?),
        Value::text(&run.started_at),
        Value::Null,
        Value::Integer(0),
        number(run.tally.planned),
        Value::Integer(0),
        Value::Integer(0),
        Value::Integer(0),
        Value::Integer(0),
        Value::Integer(0),
        Value::Integer(0),
        Value::Integer(0),
        Value::Null,
        Value::Null,
        optional(&run.undoes),
        Value::optional_text(run.undo_mode.map(UndoMode::as_str)),
        optional(&run.backup),
        Value::optional_text(run.owner.as_deref()),
        Value::Integer(run.epoch),
        Value::optional_text(run.lease_until.as_deref()),
    ];
    let columns: Vec<&str> = COLUMNS.split(", ").map(str::trim).collect();
    store.append("plimsoll_run", &columns, &[row])?;
    let workers = u64::from(run.settings.workers.max(1)).min(plan.items.max(1));
    (0..workers)
        .map(|part| {
            let (first, end) = (plan.items * part / workers, plan.items * (part + 1) / workers);
            insert_partition(store, &run.id, i64::try_from(part).unwrap_or(0), plan.number, first, end)
        })
        .collect()
}

/// A plan is applied once.
fn refuse_second(store: &mut dyn Store, plan: &Plan) -> Result<(), EngineError> {
    let sql = "SELECT id FROM plimsoll_run WHERE plan = $1 LIMIT 1";
    let Some(row) = store.query(sql, &[Value::text(plan.id.as_str())])?.into_iter().next() else {
        return Ok(());
    };
    let run = Cells(row).text(0)?;
    Err(EngineError::refused(format!(
        "plan {} was applied by run {run}\nhint: `plimsoll resume {run}` goes on with it; plan again for a new run",
        plan.id.short()
    )))
}

/// Adds a partition of a run: items `first..end` of a plan, with a receipt chain of its own.
pub(crate) fn insert_partition(
    store: &mut dyn Store,
    run: &Id,
    partition: i64,
    plan: i64,
    first: u64,
    end: u64,
) -> Result<Partition, EngineError> {
    let partition = Partition {
        number: partition,
        plan,
        first_item: first,
        end_item: end,
        next_item: first,
        batches: 0,
        last_receipt: first_receipt(run, partition),
    };
    let row = vec![
        Value::text(run.as_str()),
        Value::Integer(partition.number),
        Value::Integer(partition.plan),
        number(partition.first_item),
        number(partition.end_item),
        number(partition.next_item),
        Value::Integer(partition.batches),
        Value::text(&partition.last_receipt),
    ];
    let columns = ["run", "number", "plan", "first_item", "end_item", "next_item", "batches", "last_receipt"];
    store.append("plimsoll_partition", &columns, &[row])?;
    Ok(partition)
}

/// What the first receipt of a partition follows.
pub(crate) fn first_receipt(run: &Id, partition: i64) -> String {
    let mut hashing = Hashing::new("receipts");
    hashing.part(run.as_str().as_bytes()).part(&partition.to_le_bytes());
    hashing.hex()
}

/// A range of a run's items with its own cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) number: i64,
    pub(crate) plan: i64,
    pub(crate) first_item: u64,
    pub(crate) end_item: u64,
    pub(crate) next_item: u64,
    pub(crate) batches: i64,
    pub(crate) last_receipt: String,
}

/// The partitions of a run, in order.
pub(crate) fn partitions(store: &mut dyn Store, run: &Id) -> Result<Vec<Partition>, EngineError> {
    let sql = "SELECT number, plan, first_item, end_item, next_item, batches, last_receipt
               FROM plimsoll_partition WHERE run = $1 ORDER BY number";
    let rows = store.query(sql, &[Value::text(run.as_str())])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok(Partition {
                number: cells.integer(0)?,
                plan: cells.integer(1)?,
                first_item: cells.count(2)?,
                end_item: cells.count(3)?,
                next_item: cells.count(4)?,
                batches: cells.integer(5)?,
                last_receipt: cells.text(6)?,
            })
        })
        .collect()
}

/// Reads the run with exactly this id, its tally summed over the committed batches.
///
/// # Errors
/// Usage when there is none.
pub fn load(store: &mut dyn Store, id: &Id) -> Result<Run, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_run WHERE id = $1");
    let row = store.query(&sql, &[Value::text(id.as_str())])?.into_iter().next();
    let run = row.map_or_else(
        || Err(EngineError::usage(format!("there is no run {id}"))),
        |row| read_run(&Cells(row)),
    )?;
    with_sums(store, run)
}

/// All runs, newest first.
///
/// # Errors
/// When the store fails.
pub fn list(store: &mut dyn Store) -> Result<Vec<Run>, EngineError> {
    let rows = store.query(&format!("SELECT {COLUMNS} FROM plimsoll_run ORDER BY number DESC"), &[])?;
    let runs = rows.into_iter().map(|row| read_run(&Cells(row))).collect::<Result<Vec<_>, _>>()?;
    with_all_sums(store, runs)
}

/// Sums of several runs, by one question.
pub(super) fn with_all_sums(store: &mut dyn Store, runs: Vec<Run>) -> Result<Vec<Run>, EngineError> {
    const AT_ONCE: usize = 1_000;
    let mut of: BTreeMap<String, Cells> = BTreeMap::new();
    for some in runs.chunks(AT_ONCE) {
        let parameters: Vec<Value> = some.iter().map(|run| Value::text(run.id.as_str())).collect();
        let places: Vec<String> = (1..=parameters.len()).map(|at| format!("${at}")).collect();
        let sql = format!(
            "SELECT {}, run FROM plimsoll_batch WHERE run IN ({}) GROUP BY run",
            sums(),
            places.join(", ")
        );
        for cells in store.query(&sql, &parameters)?.into_iter().map(Cells) {
            of.insert(cells.text(7)?, cells);
        }
    }
    let summed = |run: Run| match of.get(run.id.as_str()) {
        Some(cells) => add_sums(run, cells),
        None => Ok(run),
    };
    runs.into_iter().map(summed).collect()
}

/// What is summed over the committed batches of a run: their number first.
fn sums() -> String {
    let each = ["applied", "noop", "conflicted", "quarantined", "skipped", "rows_written"]
        .map(|column| format!("CAST(coalesce(sum({column}), 0) AS bigint)"));
    format!("count(*), {}", each.join(", "))
}

fn with_sums(store: &mut dyn Store, run: Run) -> Result<Run, EngineError> {
    let sql = format!("SELECT {} FROM plimsoll_batch WHERE run = $1", sums());
    let row = store.query(&sql, &[Value::text(run.id.as_str())])?.into_iter().next().unwrap_or_default();
    add_sums(run, &Cells(row))
}

fn add_sums(mut run: Run, cells: &Cells) -> Result<Run, EngineError> {
    // A sum that someone made negative is for verification to find; a run must stay readable for it.
    let sum = |at: usize| Ok::<u64, EngineError>(u64::try_from(cells.integer(at)?).unwrap_or(0));
    run.batches = cells.count(0)?;
    run.tally = Tally {
        planned: run.tally.planned,
        applied: sum(1)?,
        noop: sum(2)?,
        conflicted: sum(3)?,
        quarantined: sum(4)?,
        skipped: sum(5)?,
    };
    run.rows_written = sum(6)?;
    Ok(run)
}

pub(super) fn read_run(cells: &Cells) -> Result<Run, EngineError> {
    let status = cells.text(5)?;
    let mode = cells.optional_text(24)?;
    Ok(Run {
        id: Id(cells.text(0)?),
        number: cells.integer(1)?,
        plan: Id(cells.text(2)?),
        system: cells.text(3)?,
        change: cells.text(4)?,
        status: status_of(&status)?,
        requested: cells.optional_text(6)?,
        actor: cells.text(7)?,
        reason: cells.text(8)?,
        settings: serde_json::from_str(&cells.text(9)?)?,
        started_at: cells.text(10)?,
        finished_at: cells.optional_text(11)?,
        duration_ms: cells.count(12)?,
        tally: Tally { planned: cells.count(13)?, ..Tally::default() },
        batches: 0,
        rows_written: 0,
        stop_class: cells.optional_text(21)?,
        stop_reason: cells.optional_text(22)?,
        undoes: cells.optional_text(23)?.map(Id),
        undo_mode: mode.and_then(|mode| UndoMode::ALL.into_iter().find(|known| known.as_str() == mode)),
        backup: cells.optional_text(25)?.map(Id),
        owner: cells.optional_text(26)?,
        epoch: cells.integer(27)?,
        lease_until: cells.optional_text(28)?,
    })
}

/// Locks the run's row for the open batch transaction and checks that `epoch` still owns a running run.
/// Returns what a person asked for meanwhile.
///
/// # Errors
/// Stopped when the run was taken over or is no longer running.
pub(crate) fn fence(store: &mut dyn Store, run: &Id, epoch: i64) -> Result<Option<String>, EngineError> {
    let sql = match store.kind() {
        DatabaseKind::Sqlite => "SELECT epoch, status, requested FROM plimsoll_run WHERE id = $1",
        DatabaseKind::Postgres => "SELECT epoch, status, requested FROM plimsoll_run WHERE id = $1 FOR SHARE",
    };
    let row = store.query(sql, &[Value::text(run.as_str())])?.into_iter().next().unwrap_or_default();
    let cells = Cells(row);
    let (found, status) = (cells.integer(0)?, cells.text(1)?);
    if found != epoch || status != RunStatus::Running.as_str() {
        return Err(taken_over(run, RunStatus::parse(&status).unwrap_or(RunStatus::Stopped)));
    }
    cells.optional_text(2)
}

/// Reads the word of a status.
pub(super) fn status_of(word: &str) -> Result<RunStatus, EngineError> {
    RunStatus::parse(word)
        .ok_or_else(|| EngineError::integrity(format!("the journal holds run status `{word}`")))
}

/// What a process is told that goes on with a run it no longer owns.
pub(crate) fn taken_over(run: &Id, status: RunStatus) -> EngineError {
    EngineError::new(
        ErrorKind::Stopped,
        format!("run {} is {status} and was taken over by another process", run.short()),
    )
}
