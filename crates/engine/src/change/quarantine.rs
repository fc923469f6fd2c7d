//! Quarantine: items that a run could not take, and their way back into the same run.
//!
//! Owns storing, listing, editing, replaying and dropping them. An item that came from a source record is
//! repaired by editing the record, which is then planned again; one that came without a record (a plan from
//! a file) is repaired by editing the new values of its rows.
//!
//! Invariants: a quarantined item is stored in the transaction of the batch that refused it; a replay is a
//! plan of its own, applied as further batches of the same run, so undo of the run covers it; the run's
//! tally counts the item in one place only.

use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::id::Id;
use plimsoll_core::item::{Item, Outcome};
use plimsoll_core::run::RunEvent;
use plimsoll_core::value::{Value, canonical_timestamp};
use plimsoll_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::batch::{BatchContext, Exception};
use super::cells::Cells;
use super::context::PlanMemory;
use super::exchange::{ChangeLine, change_line, read_change};
use super::plan::{self, NewPlan, PlanWriter, StoredItem};
use super::propose::{plan_record, record_digest};
use super::run::{self, Run};
use super::{apply, control, in_write, retention};
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session::Session;
use crate::source::SourceRecord;
use crate::system::ChangeKind;

/// A quarantined item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Its id.
    pub id: Id,
    /// The system.
    pub system: String,
    /// The run that could not take it.
    pub run: Id,
    /// The number of the plan that it is in.
    pub plan: i64,
    /// Its number in that plan.
    pub item: u64,
    /// What a person calls it.
    pub label: String,
    /// The class of the problem.
    pub class: String,
    /// What happened.
    pub reason: String,
    /// Items of the same plan that were refused together with it.
    pub together_with: Vec<u64>,
    /// The source record, when it came from one.
    pub record: Option<Json>,
    /// Its row changes; empty when planning refused it.
    pub changes: Vec<ChangeLine>,
    /// The repaired record, or the repaired changes when there is no record.
    pub edited: Option<Json>,
    /// `open`, `replayed` or `dropped`.
    pub status: String,
    /// When it was refused.
    pub created_at: String,
    /// When it was last edited, replayed or dropped.
    pub changed_at: String,
}

/// The status of an item that waits for a person.
pub const OPEN: &str = "open";

pub(super) const COLUMNS: &str = "id, system, run, plan, item, label, class, reason, together_with, record, changes, edited, \
     status, created_at, changed_at";

/// Stores the quarantined items of a batch inside its transaction.
pub(crate) fn store_refused(
    session: &mut Session,
    context: &BatchContext<'_>,
    stored: &[StoredItem],
    exceptions: &[Exception],
) -> Result<(), EngineError> {
    let mut rows = Vec::new();
    for exception in exceptions.iter().filter(|e| e.outcome == Outcome::Quarantined) {
        let Some(stored) = stored.iter().find(|stored| stored.number == exception.item) else { continue };
        let changes: Vec<ChangeLine> = stored.item.changes.iter().map(change_line).collect();
        let now = session.clock.now();
        rows.push(vec![
            Value::text(new_id().as_str()),
            Value::text(context.system),
            Value::text(context.run.as_str()),
            Value::Integer(context.plan.number),
            super::cells::number(exception.item),
            Value::text(stored.name()),
            Value::text(&exception.class),
            Value::text(&exception.reason),
            Value::text(serde_json::to_string(&exception.together_with)?),
            Value::optional_text(stored.item.record.as_deref()),
            Value::text(serde_json::to_string(&changes)?),
            Value::Null,
            Value::text(OPEN),
            Value::text(&now),
            Value::text(&now),
            Value::text(record_digest(&stored.item)),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let columns: Vec<&str> = COLUMNS.split(", ").map(str::trim).chain(["record_digest"]).collect();
    session.store.append("plimsoll_quarantine", &columns, &rows)?;
    session.probe.reach("quarantine.stored")
}

/// Quarantined items, those of the newest plan first and in its order; only the open ones unless `all`, only those of `run` when given.
///
/// # Errors
/// When the store fails.
pub fn list(store: &mut dyn Store, run: Option<&Id>, all: bool) -> Result<Vec<Quarantined>, EngineError> {
    let of_run = if run.is_some() { " AND run = $1" } else { "" };
    let open = if all { "" } else { " AND status = 'open'" };
    let sql = format!(
        "SELECT {COLUMNS} FROM plimsoll_quarantine WHERE 1 = 1{of_run}{open} ORDER BY plan DESC, item"
    );
    let parameters: Vec<Value> = run.map(|run| Value::text(run.as_str())).into_iter().collect();
    store.query(&sql, &parameters)?.into_iter().map(read).collect()
}

/// The quarantined item with exactly this id.
///
/// # Errors
/// Usage when there is none.
pub fn load(store: &mut dyn Store, id: &Id) -> Result<Quarantined, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_quarantine WHERE id = $1");
    let row = store.query(&sql, &[Value::text(id.as_str())])?.into_iter().next();
    row.map_or_else(|| Err(EngineError::usage(format!("there is no quarantined item {id}"))), read)
}

pub(super) fn read(row: Vec<Value>) -> Result<Quarantined, EngineError> {
    let cells = Cells(row);
    let json = |text: Option<String>| text.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Quarantined {
        id: Id(cells.text(0)?),
        system: cells.text(1)?,
        run: Id(cells.text(2)?),
        plan: cells.integer(3)?,
        item: cells.count(4)?,
        label: cells.text(5)?,
        class: cells.text(6)?,
        reason: cells.text(7)?,
        together_with: serde_json::from_str(&cells.text(8)?)?,
        record: json(cells.optional_text(9)?)?,
        changes: serde_json::from_str(&cells.text(10)?)?,
        edited: json(cells.optional_text(11)?)?,
        status: cells.text(12)?,
        created_at: cells.text(13)?,
        changed_at: cells.text(14)?,
    })
}

/// Repairs an item: sets members of its record (`committeeMeeting.title=..`), or, without a record, new
/// values of its rows (`title=..` or `hearings.title=..`). Values are JSON where they parse as JSON, else text.
///
/// # Errors
/// Usage when the item is not open or a name fits nothing.
pub fn edit(
    session: &mut Session,
    id: &Id,
    settings: &[(String, String)],
    reason: &str,
) -> Result<Quarantined, EngineError> {
    let item = load_open(session, id)?;
    let mut edited = match (&item.edited, &item.record) {
        (Some(edited), _) => edited.clone(),
        (None, Some(record)) => record.clone(),
        (None, None) => serde_json::to_value(&item.changes)?,
    };
    for (path, text) in settings {
        let value: Json = serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()));
        if item.record.is_some() {
            set_member(&mut edited, path, value)?;
        } else {
            set_value(&mut edited, path, &value)?;
        }
    }
    replace(session, id, &edited, reason)
}

/// Replaces the record (or the changes) of an item by a whole repaired one.
///
/// # Errors
/// Usage when the item is not open.
pub fn replace(
    session: &mut Session,
    id: &Id,
    edited: &Json,
    reason: &str,
) -> Result<Quarantined, EngineError> {
    load_open(session, id)?;
    let now = session.clock.now();
    in_write(session, |session| {
        let parameters = [Value::text(id.as_str()), Value::text(edited.to_string()), Value::text(now)];
        session.store.execute(
            "UPDATE plimsoll_quarantine SET edited = $2, changed_at = $3 WHERE id = $1",
            &parameters,
        )?;
        event::record(session, "quarantine.edited", id.as_str(), reason, &json!({ "edited": edited }))
    })?;
    load(session.store.as_mut(), id)
}

/// Gives an item up: it stays listed, counts as quarantined, and is not asked about again.
///
/// # Errors
/// Usage when the item is not open.
pub fn drop_item(session: &mut Session, id: &Id, reason: &str) -> Result<Quarantined, EngineError> {
    load_open(session, id)?;
    in_write(session, |session| {
        close(session, id, "dropped")?;
        event::record(session, "quarantine.dropped", id.as_str(), reason, &json!({}))
    })?;
    load(session.store.as_mut(), id)
}

/// Ends the waiting of an item, unless somebody else was faster.
fn close(session: &mut Session, id: &Id, status: &str) -> Result<(), EngineError> {
    let parameters = [Value::text(id.as_str()), Value::text(status), Value::text(session.clock.now())];
    let sql = "UPDATE plimsoll_quarantine SET status = $2, changed_at = $3 WHERE id = $1 AND status = 'open'";
    if session.store.execute(sql, &parameters)? == 1 {
        return Ok(());
    }
    Err(EngineError::refused(format!("quarantined item {} was dealt with by somebody else", id.short())))
}

fn load_open(session: &mut Session, id: &Id) -> Result<Quarantined, EngineError> {
    let item = load(session.store.as_mut(), id)?;
    if item.status == OPEN {
        return Ok(item);
    }
    Err(EngineError::usage(format!("quarantined item {} is {}", id.short(), item.status)))
}

/// Applies repaired items again, as further batches of the run that refused them. All must be of one run.
///
/// Items that are refused again come back as new quarantined items. A replay that was interrupted before
/// its first batch leaves the items open.
///
/// # Errors
/// Usage when the items are of several runs or not open; otherwise as [`apply::drive`].
pub fn replay(
    session: &mut Session,
    ids: &[Id],
    declared: Option<&'static dyn ChangeKind>,
    reason: &str,
) -> Result<Run, EngineError> {
    let mut items = Vec::new();
    for id in ids {
        items.push(load_open(session, id)?);
    }
    let Some(run) = items.first().map(|item| item.run.clone()) else {
        return Err(EngineError::usage(
            "name the quarantined items to replay\nhint: `plimsoll quarantine list`",
        ));
    };
    if items.iter().any(|item| item.run != run) {
        return Err(EngineError::usage("items of one run at a time can be replayed"));
    }
    let header = run::load(session.store.as_mut(), &run)?;
    header.status.next(RunEvent::Replay)?;
    let new = NewPlan {
        system: header.system.clone(),
        change: "replay".into(),
        source: format!("quarantine of run {run}"),
        undoes: None,
        replays: Some(run.clone()),
    };
    let mut writer = PlanWriter::create(session, &new)?;
    if let Err(error) = plan_all(session, &mut writer, &items, declared) {
        writer.abandon(session)?;
        return Err(error);
    }
    let plan = writer.finish(session, 0, json!({ "quarantined": ids }))?;
    let begun = in_write(session, |session| {
        control::take_over_within(session, &run, RunEvent::Replay, &|_| {})?;
        let next = run::partitions(session.store.as_mut(), &run)?.last().map_or(0, |last| last.number + 1);
        run::insert_partition(session.store.as_mut(), &run, next, plan.number, 0, plan.items)?;
        for id in ids {
            close(session, id, "replayed")?;
        }
        let detail = json!({ "quarantined": ids, "plan": plan.id });
        event::record(session, "quarantine.replayed", run.as_str(), reason, &detail)
    });
    if let Err(error) = begun {
        retention::remove_unused(session, &plan)?;
        return Err(error);
    }
    session.probe.reach("quarantine.replaying")?;
    apply::drive(session, &run, declared)
}

fn plan_all(
    session: &mut Session,
    writer: &mut PlanWriter,
    items: &[Quarantined],
    declared: Option<&'static dyn ChangeKind>,
) -> Result<(), EngineError> {
    let mut memory = PlanMemory::of(session);
    let now = canonical_timestamp(&session.clock.now());
    for item in items {
        let planned = plan_again(session, item, declared, &mut memory, &now)
            .map_err(|error| error.during(&format!("quarantined item {}", item.id.short())))?;
        writer.add(session, &planned)?;
    }
    Ok(())
}

/// The item planned against the rows as they are now, from its repaired record or changes.
fn plan_again(
    session: &mut Session,
    item: &Quarantined,
    declared: Option<&'static dyn ChangeKind>,
    memory: &mut PlanMemory,
    now: &str,
) -> Result<Item, EngineError> {
    let by_changes = item.edited.as_ref().is_some_and(Json::is_array) || !item.changes.is_empty();
    if item.record.is_none() && by_changes {
        return plan_changes(session, item);
    }
    let Some(body) = item.edited.clone().or_else(|| item.record.clone()) else {
        return Err(EngineError::usage(format!(
            "there is no record to plan from: {}\nhint: `plimsoll quarantine replace` gives it one",
            item.reason
        )));
    };
    let Some(declared) = declared else {
        return Err(EngineError::usage("its record can only be planned by the change that it came from"));
    };
    let record = SourceRecord { label: item.label.clone(), body: Ok(body.clone()) };
    let planned = plan_record(session.store.as_mut(), declared, &record, memory, now)?;
    // A record that needs no change any more is a no-op of the run, not a vanished item.
    Ok(planned.unwrap_or_else(|| Item {
        label: item.label.clone(),
        record: Some(body.to_string()),
        ..Item::default()
    }))
}

fn plan_changes(session: &mut Session, item: &Quarantined) -> Result<Item, EngineError> {
    let lines: Vec<ChangeLine> = match &item.edited {
        Some(edited) => serde_json::from_value(edited.clone())
            .map_err(|error| EngineError::usage(format!("its changes cannot be read: {error}")))?,
        None => item.changes.clone(),
    };
    let plan = plan::load_number(session.store.as_mut(), item.plan)?;
    let changes = lines
        .iter()
        .map(|line| {
            let shape = plan.shapes.get(&line.table).ok_or_else(|| {
                EngineError::usage(format!("the plan of this item has no table `{}`", line.table))
            })?;
            read_change(session.store.as_ref(), &Arc::clone(shape), line)
        })
        .collect::<Result<Vec<Change>, EngineError>>()?;
    Ok(Item { label: item.label.clone(), changes, record: None, refusal: None })
}

/// Sets the member at a dotted path; numbers step into lists. Missing objects on the way are made.
fn set_member(record: &mut Json, path: &str, value: Json) -> Result<(), EngineError> {
    let mut place = record;
    for step in path.split('.') {
        place = match place {
            Json::Array(list) => {
                let at = step.parse::<usize>().ok().filter(|at| *at < list.len());
                let at = at.ok_or_else(|| {
                    EngineError::usage(format!("`{step}` in `{path}` is no place in a list"))
                })?;
                &mut list[at]
            }
            Json::Object(members) => members.entry(step).or_insert(Json::Null),
            Json::Null => {
                *place = json!({});
                let Json::Object(members) = place else { continue };
                members.entry(step).or_insert(Json::Null)
            }
            _ => return Err(EngineError::usage(format!("`{step}` in `{path}` leads into a plain value"))),
        };
    }
    *place = value;
    Ok(())
}

/// Sets a new value in the first change that has the column: `column` or `table.column`.
fn set_value(changes: &mut Json, name: &str, value: &Json) -> Result<(), EngineError> {
    let (table, column) = name.split_once('.').map_or((None, name), |(table, column)| (Some(table), column));
    let lines = changes.as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    for line in lines {
        if table.is_some_and(|table| line["table"] != table) {
            continue;
        }
        let has = |image: &Json| image.get(column).is_some();
        if !has(&line["before"]) && !has(&line["after"]) {
            continue;
        }
        if let Some(after) = line["after"].as_object_mut() {
            after.insert(column.to_owned(), value.clone());
            return Ok(());
        }
    }
    Err(EngineError::usage(format!("no row of this item has a new value `{name}`")))
}
