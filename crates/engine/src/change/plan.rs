//! Plans: immutable, stored lists of items, written once and read in ranges.
//!
//! Owns the plan's header, its writer and its readers. The changes of a plan are also the journal: because a
//! row is only ever written when it equals the change's `before`, the stored `before` is the prior image,
//! and it is durable in the same database before the first batch starts (decision 0002).
//!
//! Invariants: a plan under construction has status `building` and cannot be applied; once `ready`, nothing
//! of it changes but its approval; its digest covers every item in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::item::{Item, ItemTexts};
use plimsoll_core::table::TableShape;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, ErrorClass, Lent, Store, StoreError, in_transaction};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::cells::{Cells, number};
use crate::clock::new_id;
use crate::error::EngineError;
use crate::session::Session;

/// How many changes are written to the journal in one transaction while a plan is built.
const FLUSH_CHANGES: usize = 4_000;

/// The header of a stored plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: Id,
    /// Its number in this store, which its items and changes carry.
    pub number: i64,
    /// The system whose tables it changes.
    pub system: String,
    /// The change kind that produced it, `undo`, `replay` or `file`.
    pub change: String,
    /// `building`, `ready` or `purged`.
    pub status: String,
    /// When it was made.
    pub created_at: String,
    /// Who made it.
    pub actor: String,
    /// What it was made from: an address, a file, a run.
    pub source: String,
    /// The shapes that its images follow, by table name.
    pub shapes: BTreeMap<String, Arc<TableShape>>,
    /// The digest of all items; approval binds to it.
    pub digest: String,
    /// Items in it, refused ones included.
    pub items: u64,
    /// Row changes in it.
    pub changes: u64,
    /// Items that planning already refused.
    pub refused: u64,
    /// Source records that need no change and are not in it.
    pub unchanged: u64,
    /// Bytes of prior images and new values stored for it.
    pub journal_bytes: u64,
    /// Further facts: the digest of the rows it was computed from, what the source said.
    pub facts: Json,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<String>,
    /// The digest that was approved.
    pub approved_digest: Option<String>,
    /// The run that it takes back.
    pub undoes: Option<Id>,
    /// The run whose quarantined items it applies again.
    pub replays: Option<Id>,
}

/// What a new plan is for.
#[derive(Debug, Clone, Default)]
pub struct NewPlan {
    /// The system.
    pub system: String,
    /// The change kind.
    pub change: String,
    /// What it is made from.
    pub source: String,
    /// The run that it takes back.
    pub undoes: Option<Id>,
    /// The run whose quarantined items it applies again.
    pub replays: Option<Id>,
}

pub(super) const COLUMNS: &str = "id, number, system, change_kind, status, created_at, actor, source, shapes, digest, items, \
     changes, refused, unchanged, journal_bytes, facts, approved_by, approved_at, approved_digest, undoes, replays";

/// Writes the items of a plan that is being made.
pub struct PlanWriter {
    /// As far as it is known.
    plan: Plan,
    hashing: Hashing,
    base: Hashing,
    item_rows: Vec<Vec<Value>>,
    change_rows: Vec<Vec<Value>>,
    /// The caller's transaction is open, and the plan is a part of it: its header is written once, at the end.
    within: bool,
}

impl PlanWriter {
    /// Begins a plan.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn create(session: &mut Session, new: &NewPlan) -> Result<Self, EngineError> {
        // A table may have changed since this session last looked at it.
        session.store.forget_shapes();
        Self::begin(session, new, false)
    }

    /// Begins a plan that is written, finished and applied in the caller's open transaction, in which nobody else numbers
    /// plans.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn create_within(session: &mut Session, new: &NewPlan) -> Result<Self, EngineError> {
        Self::begin(session, new, true)
    }

    fn begin(session: &mut Session, new: &NewPlan, within: bool) -> Result<Self, EngineError> {
        let mut plan = Plan {
            id: new_id(),
            number: 0,
            system: new.system.clone(),
            change: new.change.clone(),
            status: "building".to_owned(),
            created_at: session.clock.now(),
            actor: session.actor.clone(),
            source: new.source.clone(),
            shapes: BTreeMap::new(),
            digest: String::new(),
            items: 0,
            changes: 0,
            refused: 0,
            unchanged: 0,
            journal_bytes: 0,
            facts: Json::Object(serde_json::Map::new()),
            approved_by: None,
            approved_at: None,
            approved_digest: None,
            undoes: new.undoes.clone(),
            replays: new.replays.clone(),
        };
        if within {
            plan.number = next_number(session.store.as_mut())?;
        } else {
            in_transaction(session.store.as_mut(), Access::ReadWrite, |store| {
                super::number_alone(store, "plimsoll_plan")?;
                plan.number = next_number(store)?;
                insert(store, &plan)
            })?;
        }
        session.probe.reach("plan.created")?;
        Ok(Self {
            plan,
            hashing: Hashing::new("plan"),
            base: Hashing::new("base"),
            item_rows: Vec::new(),
            change_rows: Vec::new(),
            within,
        })
    }

    /// Items added so far.
    pub fn items(&self) -> u64 {
        self.plan.items
    }

    /// Adds one item.
    ///
    /// # Errors
    /// When a change does not fit the shapes of this plan, or the journal cannot be written.
    pub fn add(&mut self, session: &mut Session, item: &Item) -> Result<(), EngineError> {
        let mut texts = Vec::with_capacity(item.changes.len());
        for change in &item.changes {
            self.remember_shape(&change.table)?;
            texts.push((change.key().to_text(), change.before_text()?, change.after_text()?));
        }
        let refusal = item.refusal.as_ref().map(serde_json::to_string).transpose()?;
        let parts: Vec<_> = item
            .changes
            .iter()
            .zip(&texts)
            .map(|(change, (_, before, after))| {
                (change.table.name.as_str(), before.as_deref(), after.as_deref())
            })
            .collect();
        let item_texts = ItemTexts {
            label: &item.label,
            record: item.record.as_deref(),
            refusal: refusal.as_deref(),
            changes: &parts,
        };
        Item::hash_into(&mut self.hashing, &item_texts);
        for (table, before, _) in &parts {
            self.base.part(table.as_bytes()).optional(*before);
        }
        if !item.label.is_empty() || item.record.is_some() || refusal.is_some() {
            self.plan.journal_bytes += item.record.as_ref().map_or(0, |record| record.len() as u64);
            self.plan.refused += u64::from(refusal.is_some());
            self.item_rows.push(vec![
                Value::Integer(self.plan.number),
                number(self.plan.items),
                Value::text(&item.label),
                Value::optional_text(item.record.as_deref()),
                Value::optional_text(refusal),
            ]);
        }
        for (position, (change, (key, before, after))) in item.changes.iter().zip(texts).enumerate() {
            self.plan.journal_bytes +=
                [&before, &after].into_iter().flatten().map(|text| text.len() as u64).sum::<u64>();
            self.change_rows.push(vec![
                Value::Integer(self.plan.number),
                number(self.plan.items),
                number(position as u64),
                Value::text(&change.table.name),
                Value::Text(key),
                Value::optional_text(before),
                Value::optional_text(after),
            ]);
        }
        self.plan.items += 1;
        self.plan.changes += item.changes.len() as u64;
        if self.change_rows.len() + self.item_rows.len() >= FLUSH_CHANGES {
            self.flush(session)?;
        }
        Ok(())
    }

    /// Completes the plan and makes it ready.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn finish(mut self, session: &mut Session, unchanged: u64, facts: Json) -> Result<Plan, EngineError> {
        self.flush(session)?;
        let mut facts = facts;
        if let Some(object) = facts.as_object_mut() {
            object.insert("base_digest".into(), Json::String(self.base.hex()));
        }
        let plan =
            Plan { status: "ready".to_owned(), digest: self.hashing.hex(), unchanged, facts, ..self.plan };
        let store = session.store.as_mut();
        if self.within {
            insert(store, &plan)?;
        } else {
            in_transaction(store, Access::ReadWrite, |store| make_ready(store, &plan))?;
        }
        session.probe.reach("plan.ready")?;
        Ok(plan)
    }

    /// Gives the plan up and removes what was written of it.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn abandon(self, session: &mut Session) -> Result<(), EngineError> {
        in_transaction(session.store.as_mut(), Access::ReadWrite, |store| {
            for table in ["plimsoll_change", "plimsoll_item"] {
                store.execute(
                    &format!("DELETE FROM {table} WHERE plan = $1"),
                    &[Value::Integer(self.plan.number)],
                )?;
            }
            store
                .execute("DELETE FROM plimsoll_plan WHERE id = $1", &[Value::text(self.plan.id.as_str())])?;
            Ok(())
        })
    }

    fn remember_shape(&mut self, shape: &Arc<TableShape>) -> Result<(), EngineError> {
        match self.plan.shapes.get(&shape.name) {
            Some(known) if Arc::ptr_eq(known, shape) || known == shape => Ok(()),
            Some(_) => Err(EngineError::integrity(format!(
                "table `{}` changed its columns while the plan was made\nhint: plan again",
                shape.name
            ))),
            None => {
                self.plan.shapes.insert(shape.name.clone(), Arc::clone(shape));
                Ok(())
            }
        }
    }

    fn flush(&mut self, session: &mut Session) -> Result<(), EngineError> {
        if self.item_rows.is_empty() && self.change_rows.is_empty() {
            return Ok(());
        }
        let (items, changes) = (std::mem::take(&mut self.item_rows), std::mem::take(&mut self.change_rows));
        write(session, self.within, |store| {
            let item_columns = ["plan", "item", "label", "record", "refusal"];
            store.append("plimsoll_item", &item_columns, &items)?;
            let change_columns =
                ["plan", "item", "position", "table_name", "row_key", "before_image", "after_image"];
            Ok(store.append("plimsoll_change", &change_columns, &changes)?)
        })?;
        session.probe.reach("plan.flushed")
    }
}

fn next_number(store: &mut dyn Store) -> Result<i64, EngineError> {
    let next = store.query("SELECT coalesce(max(number), 0) + 1 FROM plimsoll_plan", &[])?;
    next.into_iter().next().map_or(Ok(1), |row| Cells(row).integer(0))
}

/// What a header says only once its plan is complete: shapes, digest, items, changes, refused, unchanged, journal bytes, facts.
fn completed(plan: &Plan) -> Result<[Value; 8], EngineError> {
    Ok([
        Value::text(serde_json::to_string(&plan.shapes)?),
        Value::text(&plan.digest),
        number(plan.items),
        number(plan.changes),
        number(plan.refused),
        number(plan.unchanged),
        number(plan.journal_bytes),
        Value::text(plan.facts.to_string()),
    ])
}

/// Writes the header as it is.
fn insert(store: &mut dyn Store, plan: &Plan) -> Result<(), EngineError> {
    let optional = |id: &Option<Id>| Value::optional_text(id.as_ref().map(Id::as_str));
    let mut row = vec![
        Value::text(plan.id.as_str()),
        Value::Integer(plan.number),
        Value::text(&plan.system),
        Value::text(&plan.change),
        Value::text(&plan.status),
        Value::text(&plan.created_at),
        Value::text(&plan.actor),
        Value::text(&plan.source),
    ];
    row.extend(completed(plan)?);
    row.extend([
        Value::optional_text(plan.approved_by.as_deref()),
        Value::optional_text(plan.approved_at.as_deref()),
        Value::optional_text(plan.approved_digest.as_deref()),
        optional(&plan.undoes),
        optional(&plan.replays),
    ]);
    let columns: Vec<&str> = COLUMNS.split(", ").map(str::trim).collect();
    Ok(store.append("plimsoll_plan", &columns, &[row])?)
}

/// Completes a header that was written when its plan was begun.
fn make_ready(store: &mut dyn Store, plan: &Plan) -> Result<(), EngineError> {
    let mut parameters = vec![Value::text(plan.id.as_str())];
    parameters.extend(completed(plan)?);
    store.execute(
        "UPDATE plimsoll_plan SET status = 'ready', shapes = $2, digest = $3, items = $4, changes = $5,
         refused = $6, unchanged = $7, journal_bytes = $8, facts = $9 WHERE id = $1",
        &parameters,
    )?;
    Ok(())
}

/// Writes in a transaction of its own, or as a part of the caller's.
fn write<T>(
    session: &mut Session,
    within: bool,
    work: impl FnOnce(&mut dyn Store) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    if within {
        work(session.store.as_mut())
    } else {
        in_transaction(session.store.as_mut(), Access::ReadWrite, work)
    }
}

/// Reads the header of the plan with exactly this id.
///
/// # Errors
/// Usage when there is none.
pub fn load(store: &mut dyn Store, id: &Id) -> Result<Plan, EngineError> {
    let rows = store
        .query(&format!("SELECT {COLUMNS} FROM plimsoll_plan WHERE id = $1"), &[Value::text(id.as_str())])?;
    let row = rows.into_iter().next();
    row.map_or_else(|| Err(EngineError::usage(format!("there is no plan {id}"))), |row| read_plan(Cells(row)))
}

/// Reads the header of the plan with this number.
///
/// # Errors
/// Integrity when there is none: batches name plans by number.
pub fn load_number(store: &mut dyn Store, plan: i64) -> Result<Plan, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_plan WHERE number = $1");
    let row = store.query(&sql, &[Value::Integer(plan)])?.into_iter().next();
    row.map_or_else(
        || Err(EngineError::integrity(format!("the journal names plan number {plan}, which does not exist"))),
        |row| read_plan(Cells(row)),
    )
}

/// All plans that are ready or purged, newest first.
///
/// # Errors
/// When the store fails.
pub fn list(store: &mut dyn Store) -> Result<Vec<Plan>, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_plan WHERE status <> 'building' ORDER BY number DESC");
    store.query(&sql, &[])?.into_iter().map(|row| read_plan(Cells(row))).collect()
}

pub(super) fn read_plan(cells: Cells) -> Result<Plan, EngineError> {
    Ok(Plan {
        id: Id(cells.text(0)?),
        number: cells.integer(1)?,
        system: cells.text(2)?,
        change: cells.text(3)?,
        status: cells.text(4)?,
        created_at: cells.text(5)?,
        actor: cells.text(6)?,
        source: cells.text(7)?,
        shapes: serde_json::from_str(&cells.text(8)?)?,
        digest: cells.text(9)?,
        items: cells.count(10)?,
        changes: cells.count(11)?,
        refused: cells.count(12)?,
        unchanged: cells.count(13)?,
        journal_bytes: cells.count(14)?,
        facts: serde_json::from_str(&cells.text(15)?)?,
        approved_by: cells.optional_text(16)?,
        approved_at: cells.optional_text(17)?,
        approved_digest: cells.optional_text(18)?,
        undoes: cells.optional_text(19)?.map(Id),
        replays: cells.optional_text(20)?.map(Id),
    })
}

/// One item as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredItem {
    /// Its number in the plan, from 0.
    pub number: u64,
    /// The item.
    pub item: Item,
}

impl StoredItem {
    /// What a person calls it: its label, or its first row.
    pub fn name(&self) -> String {
        if !self.item.label.is_empty() {
            return self.item.label.clone();
        }
        self.item
            .changes
            .first()
            .map_or_else(|| format!("item {}", self.number), |c| format!("{} {}", c.table.name, c.key()))
    }
}

/// Reads the items `first..end` of a plan in order, adding each to `hashing`.
///
/// # Errors
/// Integrity when an item is missing or cannot be read.
pub fn read_items(
    store: &mut dyn Store,
    plan: &Plan,
    first: u64,
    end: u64,
    hashing: &mut Hashing,
) -> Result<Vec<StoredItem>, EngineError> {
    let range = [Value::Integer(plan.number), number(first), number(end)];
    let heads = store.query(
        "SELECT item, label, record, refusal FROM plimsoll_item
         WHERE plan = $1 AND item >= $2 AND item < $3 ORDER BY item",
        &range,
    )?;
    let mut reading = Reading {
        plan,
        hashing,
        heads: heads.into_iter().map(Cells).peekable(),
        items: Vec::with_capacity(usize::try_from(end - first).unwrap_or(0)),
        next: first,
        end,
        has_head: false,
    };
    let mut failed = None;
    let sql = "SELECT item, table_name, before_image, after_image FROM plimsoll_change
         WHERE plan = $1 AND item >= $2 AND item < $3 ORDER BY item, position";
    let read = store.query_lent(sql, &range, &mut |cells| {
        reading.change(cells).map_err(|error| {
            let stop = StoreError::new(ErrorClass::Value, error.message.clone());
            failed = Some(error);
            stop
        })
    });
    match failed {
        Some(error) => Err(error),
        None => read.map_err(EngineError::from).and_then(|()| reading.finish()),
    }
}

/// Items that are being put together from their stored rows.
struct Reading<'plan, Heads: Iterator<Item = Cells>> {
    plan: &'plan Plan,
    hashing: &'plan mut Hashing,
    heads: std::iter::Peekable<Heads>,
    /// The last one is still open.
    items: Vec<StoredItem>,
    next: u64,
    end: u64,
    /// Whether the open item has a row of its own, without which it must have changes.
    has_head: bool,
}

impl<Heads: Iterator<Item = Cells>> Reading<'_, Heads> {
    /// Adds the next change, as it is stored.
    fn change(&mut self, cells: &[Lent<'_>]) -> Result<(), EngineError> {
        let [Lent::Integer(item), Lent::Text(table), before, after] = cells else {
            return Err(unreadable(self.plan, "a change"));
        };
        let (before, after) = (image_text(self.plan, before)?, image_text(self.plan, after)?);
        while self.items.last().is_none_or(|open| i64::try_from(open.number) != Ok(*item)) {
            if self.next == self.end {
                return Err(unreadable(self.plan, "the order of its items"));
            }
            self.open_next()?;
        }
        Item::hash_change(self.hashing, table, before, after);
        let shape = self.plan.shapes.get(*table).ok_or_else(|| {
            EngineError::integrity(format!("plan {} knows no shape of table `{table}`", self.plan.id))
        })?;
        let change = Change::decode(shape, before, after)?;
        if let Some(open) = self.items.last_mut() {
            open.item.changes.push(change);
        }
        Ok(())
    }

    fn open_next(&mut self) -> Result<(), EngineError> {
        self.close()?;
        let number = self.next;
        let head = self.heads.next_if(|head| head.count(0).is_ok_and(|found| found == number));
        self.has_head = head.is_some();
        let mut item = Item::default();
        let mut refusal = None;
        if let Some(mut head) = head {
            item.label = head.take_text(1)?.unwrap_or_default();
            item.record = head.take_text(2)?;
            refusal = head.take_text(3)?;
        }
        Item::hash_head(self.hashing, &item.label, item.record.as_deref(), refusal.as_deref());
        item.refusal = refusal.as_deref().map(serde_json::from_str).transpose()?;
        self.items.push(StoredItem { number, item });
        self.next += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), EngineError> {
        let Some(open) = self.items.last() else { return Ok(()) };
        if !self.has_head && open.item.changes.is_empty() {
            let lost = format!("plan {} has lost item {}", self.plan.id, open.number);
            return Err(EngineError::integrity(lost));
        }
        Item::hash_end(self.hashing);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<StoredItem>, EngineError> {
        while self.next < self.end {
            self.open_next()?;
        }
        self.close()?;
        Ok(self.items)
    }
}

fn unreadable(plan: &Plan, what: &str) -> EngineError {
    EngineError::integrity(format!(
        "plan {}: {what} is not stored as it was written\nhint: the store was changed by something other than plimsoll; `plimsoll verify --all` tells where",
        plan.id
    ))
}

fn image_text<'row>(plan: &Plan, cell: &Lent<'row>) -> Result<Option<&'row str>, EngineError> {
    match cell {
        Lent::Null => Ok(None),
        Lent::Text(text) => Ok(Some(text)),
        _ => Err(unreadable(plan, "an image")),
    }
}

/// Recomputes the digest of a stored plan.
///
/// # Errors
/// Integrity when an item is missing or cannot be read.
pub fn recompute_digest(store: &mut dyn Store, plan: &Plan) -> Result<String, EngineError> {
    let mut hashing = Hashing::new("plan");
    let mut first = 0;
    while first < plan.items {
        let end = (first + 1_000).min(plan.items);
        read_items(store, plan, first, end, &mut hashing)?;
        first = end;
    }
    Ok(hashing.hex())
}

/// Refuses when a table of the plan no longer has the columns that the plan was made for.
///
/// # Errors
/// Refused, naming the table.
pub fn check_shapes(store: &mut dyn Store, plan: &Plan) -> Result<(), EngineError> {
    store.forget_shapes();
    for (name, planned) in &plan.shapes {
        let current = store.shape(name)?;
        if current.as_deref() != Some(planned.as_ref()) {
            return Err(EngineError::refused(format!(
                "table `{name}` has changed its columns since plan {} was made\nhint: plan again",
                plan.id.short()
            )));
        }
    }
    Ok(())
}

/// Approves a plan: binds the approval to its digest as it is now.
///
/// # Errors
/// Refused when the stored items no longer have the plan's digest.
pub fn approve(session: &mut Session, id: &Id, reason: &str) -> Result<Plan, EngineError> {
    let plan = load(session.store.as_mut(), id)?;
    let digest = recompute_digest(session.store.as_mut(), &plan)?;
    if digest != plan.digest {
        return Err(EngineError::integrity(format!(
            "plan {id} was changed after it was made; it cannot be approved\nhint: plan again"
        )));
    }
    session.store.begin(Access::ReadWrite)?;
    let work = (|| {
        let parameters = [
            Value::text(id.as_str()),
            Value::text(&session.actor),
            Value::text(session.clock.now()),
            Value::text(&digest),
        ];
        session.store.execute(
            "UPDATE plimsoll_plan SET approved_by = $2, approved_at = $3, approved_digest = $4 WHERE id = $1",
            &parameters,
        )?;
        let detail = serde_json::json!({ "digest": digest });
        crate::event::record(session, "plan.approved", id.as_str(), reason, &detail)
    })();
    settle(session, work)?;
    load(session.store.as_mut(), id)
}

/// Commits the open transaction when `work` went well, else rolls it back.
pub(crate) fn settle<T>(session: &mut Session, work: Result<T, EngineError>) -> Result<T, EngineError> {
    match work {
        Ok(result) => {
            session.store.commit()?;
            Ok(result)
        }
        Err(error) => {
            // The first error is the one to tell.
            let _: Result<(), StoreError> = session.store.rollback();
            Err(error)
        }
    }
}
