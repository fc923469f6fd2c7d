//! The journal of an analytical store: plans, runs, phases, batches, events and copies, in the same DuckDB file.
//!
//! Owns the tables and their rows. The words and the digests are those of the journal of other stores; the header of a
//! run is the same [`Run`]. What DuckDB cannot do - refuse a change of a row by a trigger - is made up for by the
//! chains: receipts per run, events over the whole file; `verify` recomputes both.
//!
//! Invariant: nothing here begins or commits a transaction; callers write a line together with what it tells of.

use plimsoll_core::digest::{Hashing, TableDigest};
use plimsoll_core::id::{Id, SHORTEST_PREFIX, is_prefix};
use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::{Analytics, Parameter};
use serde::{Deserialize, Serialize};

use super::Place;
use super::backup::FileCopy;
use super::plan::SplitPlan;
use crate::change::run::Run;
use crate::change::setup::Named;
use crate::error::EngineError;
use crate::event::Event;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS plimsoll_plan (id VARCHAR, number BIGINT, created_at VARCHAR, system VARCHAR,
    change VARCHAR, digest VARCHAR, approved_by VARCHAR, document VARCHAR);
CREATE TABLE IF NOT EXISTS plimsoll_run (id VARCHAR, number BIGINT, plan VARCHAR, system VARCHAR, change VARCHAR,
    status VARCHAR, started_at VARCHAR, finished_at VARCHAR, undoes VARCHAR, document VARCHAR);
CREATE TABLE IF NOT EXISTS plimsoll_phase (run VARCHAR, number BIGINT, name VARCHAR, began_at VARCHAR,
    done_at VARCHAR, detail VARCHAR);
CREATE TABLE IF NOT EXISTS plimsoll_batch (run VARCHAR, number BIGINT, last_key VARCHAR, items BIGINT, rows BIGINT,
    content VARCHAR, \"at\" VARCHAR, previous VARCHAR, receipt VARCHAR);
CREATE TABLE IF NOT EXISTS plimsoll_event (number BIGINT, \"at\" VARCHAR, actor VARCHAR, kind VARCHAR, subject VARCHAR,
    reason VARCHAR, detail VARCHAR, previous VARCHAR, digest VARCHAR);
CREATE TABLE IF NOT EXISTS plimsoll_backup (id VARCHAR, created_at VARCHAR, method VARCHAR, location VARCHAR,
    bytes BIGINT, digests VARCHAR, verified_at VARCHAR, content VARCHAR);
";

/// A phase of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its place, from 1.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// When it was first begun.
    pub began_at: String,
    /// When it was done.
    pub done_at: Option<String>,
    /// What it found or did, as JSON.
    pub detail: serde_json::Value,
}

/// A batch of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchLine {
    /// Its number in the run, from 0.
    pub number: u64,
    /// The last key in it.
    pub last_key: String,
    /// Wide rows in it.
    pub items: u64,
    /// Rows written.
    pub rows: u64,
    /// Digest of the wide rows in it.
    pub content: String,
    /// When it was committed.
    pub at: String,
    /// The receipt before.
    pub previous: String,
    /// Its receipt.
    pub receipt: String,
}

impl BatchLine {
    /// The receipt that belongs to these figures.
    pub fn compute_receipt(&self, run: &Id) -> String {
        let mut hashing = Hashing::new("split batch");
        hashing.part(run.as_str().as_bytes());
        for number in [self.number, self.items, self.rows] {
            hashing.part(&number.to_le_bytes());
        }
        for text in [&self.last_key, &self.content, &self.at, &self.previous] {
            hashing.part(text.as_bytes());
        }
        hashing.hex()
    }
}

/// Creates the journal's tables where they are absent.
///
/// # Errors
/// When the store fails.
pub fn prepare(store: &Analytics) -> Result<(), EngineError> {
    Ok(store.run_script(TABLES)?)
}

/// True when the store has a journal.
///
/// # Errors
/// When the store fails.
pub fn exists(store: &Analytics) -> Result<bool, EngineError> {
    Ok(store.table_names()?.contains("plimsoll_run"))
}

fn text(cell: &OwnedCell) -> String {
    cell.as_text().unwrap_or_default().to_owned()
}

fn number(cell: &OwnedCell) -> u64 {
    cell.as_integer().and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

fn optional(value: Option<&str>) -> Parameter {
    value.map_or(Parameter::Null, Parameter::from)
}

fn count(value: u64) -> Parameter {
    i64::try_from(value).unwrap_or(i64::MAX).into()
}

fn next_number(store: &Analytics, table: &str) -> Result<i64, EngineError> {
    let rows = store.query(&format!("SELECT coalesce(max(number), 0) + 1 FROM {table}"), &[])?.rows;
    Ok(rows.first().and_then(|row| row[0].as_integer()).unwrap_or(1))
}

pub(super) fn save_plan(store: &Analytics, plan: &SplitPlan) -> Result<(), EngineError> {
    let parameters = [
        Parameter::from(plan.id.as_str()),
        next_number(store, "plimsoll_plan")?.into(),
        Parameter::from(plan.created_at.as_str()),
        Parameter::from(plan.system.as_str()),
        Parameter::from(plan.change.as_str()),
        Parameter::from(plan.digest.as_str()),
        Parameter::Text(serde_json::to_string(plan)?),
    ];
    store.execute("INSERT INTO plimsoll_plan VALUES ($1, $2, $3, $4, $5, $6, NULL, $7)", &parameters)?;
    Ok(())
}

/// A stored plan.
///
/// # Errors
/// Integrity when its digest is not that of what it says.
pub fn load_plan(store: &Analytics, id: &Id) -> Result<SplitPlan, EngineError> {
    let sql = "SELECT document FROM plimsoll_plan WHERE id = $1";
    let rows = store.query(sql, &[id.as_str().into()])?.rows;
    let Some(row) = rows.first() else {
        return Err(EngineError::usage(format!("there is no plan {id}")));
    };
    let plan: SplitPlan = serde_json::from_str(&text(&row[0]))?;
    if plan.compute_digest() != plan.digest {
        return Err(EngineError::integrity(format!("plan {} was changed after it was made", id.short())));
    }
    Ok(plan)
}

/// Approves a plan; the approval binds to its digest.
///
/// # Errors
/// When there is no such plan, or the store fails.
pub fn approve(place: &Place, id: &Id, reason: &str) -> Result<SplitPlan, EngineError> {
    let plan = load_plan(&place.store, id)?;
    place.store.in_transaction(|store| {
        let sql = "UPDATE plimsoll_plan SET approved_by = $2 WHERE id = $1 AND digest = $3";
        store
            .execute(sql, &[id.as_str().into(), place.actor.as_str().into(), plan.digest.as_str().into()])?;
        record(place, "plan.approved", id.as_str(), reason, &serde_json::json!({"digest": plan.digest}))
    })?;
    Ok(plan)
}

/// Whether a plan, as it is, was approved.
///
/// # Errors
/// When the store fails.
pub fn is_approved(store: &Analytics, plan: &SplitPlan) -> Result<bool, EngineError> {
    let sql = "SELECT 1 FROM plimsoll_plan WHERE id = $1 AND digest = $2 AND approved_by IS NOT NULL";
    Ok(!store.query(sql, &[plan.id.as_str().into(), plan.digest.as_str().into()])?.rows.is_empty())
}

pub(super) fn insert_run(store: &Analytics, run: &mut Run) -> Result<(), EngineError> {
    run.number = next_number(store, "plimsoll_run")?;
    let parameters = [
        Parameter::from(run.id.as_str()),
        run.number.into(),
        run.plan.as_str().into(),
        run.system.as_str().into(),
        run.change.as_str().into(),
        run.status.as_str().into(),
        run.started_at.as_str().into(),
        optional(run.finished_at.as_deref()),
        optional(run.undoes.as_ref().map(Id::as_str)),
        Parameter::Text(serde_json::to_string(run)?),
    ];
    let sql = "INSERT INTO plimsoll_run VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    store.execute(sql, &parameters)?;
    Ok(())
}

pub(super) fn save_run(store: &Analytics, run: &Run) -> Result<(), EngineError> {
    let parameters = [
        Parameter::from(run.id.as_str()),
        run.status.as_str().into(),
        optional(run.finished_at.as_deref()),
        Parameter::Text(serde_json::to_string(run)?),
    ];
    let sql = "UPDATE plimsoll_run SET status = $2, finished_at = $3, document = $4 WHERE id = $1";
    store.execute(sql, &parameters)?;
    Ok(())
}

/// A run.
///
/// # Errors
/// Usage when there is none of that id.
pub fn load_run(store: &Analytics, id: &Id) -> Result<Run, EngineError> {
    let rows = store.query("SELECT document FROM plimsoll_run WHERE id = $1", &[id.as_str().into()])?.rows;
    let Some(row) = rows.first() else {
        return Err(EngineError::usage(format!("there is no run {id}")));
    };
    Ok(serde_json::from_str(&text(&row[0]))?)
}

/// Every run, oldest first.
///
/// # Errors
/// When the store fails.
pub fn list_runs(store: &Analytics) -> Result<Vec<Run>, EngineError> {
    if !exists(store)? {
        return Ok(Vec::new());
    }
    let rows = store.query("SELECT document FROM plimsoll_run ORDER BY number", &[])?.rows;
    rows.iter().map(|row| Ok(serde_json::from_str(&text(&row[0]))?)).collect()
}

/// The phases of a run that were begun, in order.
///
/// # Errors
/// When the store fails.
pub fn phases(store: &Analytics, run: &Id) -> Result<Vec<Phase>, EngineError> {
    let sql =
        "SELECT number, name, began_at, done_at, detail FROM plimsoll_phase WHERE run = $1 ORDER BY number";
    let rows = store.query(sql, &[run.as_str().into()])?.rows;
    rows.iter()
        .map(|row| {
            Ok(Phase {
                number: number(&row[0]),
                name: text(&row[1]),
                began_at: text(&row[2]),
                done_at: row[3].as_text().map(str::to_owned),
                detail: serde_json::from_str(&text(&row[4]))?,
            })
        })
        .collect()
}

pub(super) fn begin_phase(
    store: &Analytics,
    run: &Id,
    at: u64,
    name: &str,
    now: &str,
) -> Result<(), EngineError> {
    let parameters = [run.as_str().into(), count(at), name.into(), now.into()];
    let sql = "INSERT INTO plimsoll_phase SELECT $1, $2, $3, $4, NULL, '{}' WHERE NOT EXISTS
        (SELECT 1 FROM plimsoll_phase WHERE run = $1 AND number = $2)";
    store.execute(sql, &parameters)?;
    Ok(())
}

/// Notes what a phase found, and when it was done, if it was.
pub(super) fn note_phase(
    store: &Analytics,
    run: &Id,
    name: &str,
    done_at: Option<&str>,
    detail: &serde_json::Value,
) -> Result<(), EngineError> {
    let parameters =
        [run.as_str().into(), name.into(), optional(done_at), detail.to_string().as_str().into()];
    let sql = "UPDATE plimsoll_phase SET done_at = $3, detail = $4 WHERE run = $1 AND name = $2";
    store.execute(sql, &parameters)?;
    Ok(())
}

/// The batches of a run, in order.
///
/// # Errors
/// When the store fails.
pub fn batches(store: &Analytics, run: &Id) -> Result<Vec<BatchLine>, EngineError> {
    let sql = "SELECT number, last_key, items, rows, content, \"at\", previous, receipt FROM plimsoll_batch
        WHERE run = $1 ORDER BY number";
    let rows = store.query(sql, &[run.as_str().into()])?.rows;
    let line = |row: &Vec<OwnedCell>| BatchLine {
        number: number(&row[0]),
        last_key: text(&row[1]),
        items: number(&row[2]),
        rows: number(&row[3]),
        content: text(&row[4]),
        at: text(&row[5]),
        previous: text(&row[6]),
        receipt: text(&row[7]),
    };
    Ok(rows.iter().map(line).collect())
}

pub(super) fn add_batch(store: &Analytics, run: &Id, batch: &BatchLine) -> Result<(), EngineError> {
    let parameters = [
        Parameter::from(run.as_str()),
        count(batch.number),
        batch.last_key.as_str().into(),
        count(batch.items),
        count(batch.rows),
        batch.content.as_str().into(),
        batch.at.as_str().into(),
        batch.previous.as_str().into(),
        batch.receipt.as_str().into(),
    ];
    store.execute("INSERT INTO plimsoll_batch VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", &parameters)?;
    Ok(())
}

/// Appends an event within the caller's transaction.
pub(super) fn record(
    place: &Place,
    kind: &str,
    subject: &str,
    reason: &str,
    detail: &serde_json::Value,
) -> Result<(), EngineError> {
    let sql = "SELECT number, digest FROM plimsoll_event ORDER BY number DESC LIMIT 1";
    let last = place.store.query(sql, &[])?.rows;
    let (number, previous) = match last.first() {
        Some(row) => (row[0].as_integer().unwrap_or(0) + 1, text(&row[1])),
        None => (1, String::new()),
    };
    let event = Event::new(number, place.clock.now(), &place.actor, kind, subject, reason, detail, previous);
    let parameters = [
        Parameter::from(event.number),
        event.at.as_str().into(),
        event.actor.as_str().into(),
        event.kind.as_str().into(),
        event.subject.as_str().into(),
        event.reason.as_str().into(),
        event.detail.as_str().into(),
        event.previous.as_str().into(),
        event.digest.as_str().into(),
    ];
    let sql = "INSERT INTO plimsoll_event VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    place.store.execute(sql, &parameters)?;
    Ok(())
}

/// All events, oldest first, or only those about `subject`.
///
/// # Errors
/// When the store fails.
pub fn events(store: &Analytics, subject: Option<&str>) -> Result<Vec<Event>, EngineError> {
    if !exists(store)? {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT number, \"at\", actor, kind, subject, reason, detail, previous, digest FROM plimsoll_event
        WHERE CAST($1 AS VARCHAR) IS NULL OR subject = $1 ORDER BY number";
    let rows = store.query(sql, &[optional(subject)])?.rows;
    let event = |row: &Vec<OwnedCell>| Event {
        number: row[0].as_integer().unwrap_or(0),
        at: text(&row[1]),
        actor: text(&row[2]),
        kind: text(&row[3]),
        subject: text(&row[4]),
        reason: text(&row[5]),
        detail: text(&row[6]),
        previous: text(&row[7]),
        digest: text(&row[8]),
    };
    Ok(rows.iter().map(event).collect())
}

/// Records a copy of the file.
///
/// # Errors
/// When the store fails.
pub fn record_copy(place: &Place, copy: &FileCopy) -> Result<(), EngineError> {
    place.store.in_transaction(|store| {
        let parameters = [
            Parameter::from(copy.id.as_str()),
            copy.verified_at.as_str().into(),
            "file_copy".into(),
            copy.location.as_str().into(),
            count(copy.bytes),
            Parameter::Text(serde_json::to_string(&copy.tables)?),
            copy.content.as_str().into(),
        ];
        store.execute("INSERT INTO plimsoll_backup VALUES ($1, $2, $3, $4, $5, $6, $2, $7)", &parameters)?;
        let detail = serde_json::json!({"location": copy.location, "bytes": copy.bytes});
        record(place, "backup.made", copy.id.as_str(), "", &detail)
    })
}

/// Every recorded copy, oldest first.
///
/// # Errors
/// When the store fails.
pub fn copies(store: &Analytics) -> Result<Vec<FileCopy>, EngineError> {
    if !exists(store)? {
        return Ok(Vec::new());
    }
    let sql = "SELECT id, location, bytes, digests, verified_at, content FROM plimsoll_backup ORDER BY created_at, id";
    let rows = store.query(sql, &[])?.rows;
    rows.iter()
        .map(|row| {
            let tables: Vec<TableDigest> = serde_json::from_str(&text(&row[3]))?;
            Ok(FileCopy {
                id: Id(text(&row[0])),
                location: text(&row[1]),
                bytes: number(&row[2]),
                tables,
                verified_at: text(&row[4]),
                content: text(&row[5]),
            })
        })
        .collect()
}

/// The id that a prefix stands for; `None` when nothing has it.
///
/// # Errors
/// Usage when it is too short or stands for more than one.
pub fn find_id(store: &Analytics, named: Named, prefix: &str) -> Result<Option<Id>, EngineError> {
    let prefix = prefix.to_ascii_lowercase();
    if !is_prefix(&prefix) {
        return Err(EngineError::usage(format!(
            "`{prefix}` is no id\nhint: give at least {SHORTEST_PREFIX} of its hexadecimal characters; `plimsoll log` lists ids"
        )));
    }
    let table = match named {
        Named::Plan => "plimsoll_plan",
        Named::Run => "plimsoll_run",
        Named::Backup => "plimsoll_backup",
        Named::Quarantined => return Ok(None),
    };
    if !exists(store)? {
        return Ok(None);
    }
    let sql = format!("SELECT id FROM {table} WHERE starts_with(id, $1) ORDER BY id LIMIT 2");
    let rows = store.query(&sql, &[prefix.as_str().into()])?.rows;
    match rows.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(Id(text(&only[0])))),
        _ => Err(EngineError::usage(format!(
            "`{prefix}` stands for more than one\nhint: give more characters"
        ))),
    }
}
