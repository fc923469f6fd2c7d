//! Merged reads: the mirror with what is edited here over it.
//!
//! Owns the one way in which rows are shown: what the remote said, over it what is committed here, over that the
//! reader's own drafts. A filter judges the merged row. The few records that are edited here are merged in memory; all
//! others are filtered by the database, so that a filter over a million rows uses an index.
//!
//! A page goes on behind the last row of the one before, by the sorted field and the key, so rows that come and go
//! meanwhile neither repeat nor hide others. Empty fields stand last, whichever way it is sorted.
//!
//! Invariant: a row is shown once, whether the mirror, the overlay or both hold it.

use std::collections::BTreeMap;

use plimsoll_core::sync::record::{Fields, Intent, SyncRecord};
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, in_transaction};

use super::declare::Link;
use super::record::{self, Kept, badge};
use super::sort::{Order, Sort};
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::Session;

/// A row as its reader sees it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MergedRow {
    /// The key.
    pub key: String,
    /// What it belongs to.
    pub scope: String,
    /// The fields, in the order of the link.
    pub fields: Vec<Value>,
    /// Where the record stands: `synced`, `queued`, `syncing`, `conflict`, `limbo`, `failed`; `draft` when the reader
    /// has one and nothing else waits.
    pub badge: &'static str,
}

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this scope only.
    pub scope: Option<String>,
    /// Fields that must have these values; null matches null.
    pub equal: BTreeMap<String, Value>,
    /// In this state only: what [`MergedRow::badge`] says.
    pub state: Option<String>,
    /// In which order; by key unless said otherwise.
    pub sort: Sort,
    /// Rows behind this key only. Where a field is sorted by, `after_value` is needed too.
    pub after: Option<String>,
    /// What the row with the key `after` holds in the sorted field.
    pub after_value: Value,
    /// At most so many; 0 for all.
    pub limit: u64,
}

impl Filter {
    /// Whether a row is one of the wanted, wherever it stands in their order.
    fn wants(&self, scope: &str, fields: &Fields) -> bool {
        self.scope.as_ref().is_none_or(|wanted| wanted == scope)
            && self.equal.iter().all(|(name, value)| fields.get(name).unwrap_or(&Value::Null) == value)
    }

    /// Whether rows in this state are wanted.
    fn wants_state(&self, state: &str) -> bool {
        self.state.as_deref().is_none_or(|wanted| wanted == state)
    }
}

/// A part of the rows, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowPage {
    /// The rows.
    pub rows: Vec<MergedRow>,
    /// How many rows there are in all parts together, where it was asked.
    pub total: Option<u64>,
    /// Behind which row the next part begins: what it holds in the sorted field, and its key.
    pub next: Option<(Value, String)>,
}

/// The rows that `reader` sees, in the order of the filter.
///
/// # Errors
/// Usage for a field that there is not; store errors.
pub fn rows(
    session: &mut Session,
    link: &dyn Link,
    reader: &str,
    filter: &Filter,
) -> Result<Vec<MergedRow>, EngineError> {
    Ok(page(session, link, reader, filter, false)?.rows)
}

/// A part of the rows that `reader` sees, and with `count` how many there are in all.
///
/// # Errors
/// Usage for a field that there is not; store errors.
pub fn page(
    session: &mut Session,
    link: &dyn Link,
    reader: &str,
    filter: &Filter,
    count: bool,
) -> Result<RowPage, EngineError> {
    let asked = asked(session, link, filter, count)?;
    in_transaction(session.store.as_mut(), Access::ReadOnly, |store| page_within(store, link, reader, &asked))
}

/// What is asked, in the terms of one store.
pub(super) struct Asked<'a> {
    /// The filter with its values as their columns hold them, so that equality means the same in memory and in the
    /// database.
    filter: Filter,
    order: Order<'a>,
    count: bool,
}

/// Finds out what a filter asks of this store.
///
/// # Errors
/// Usage for a field that there is not; store errors.
pub(super) fn asked<'a>(
    session: &mut Session,
    link: &'a dyn Link,
    filter: &Filter,
    count: bool,
) -> Result<Asked<'a>, EngineError> {
    let known = link.mirror().fields;
    let named = filter.equal.keys().chain(&filter.sort.field);
    if let Some(name) = named.into_iter().find(|name| !known.contains(&name.as_str())) {
        return Err(EngineError::usage(format!(
            "there is no field `{name}`\nhint: the fields are {}",
            known.join(", ")
        )));
    }
    let shape = record::shape_of(session.store.as_mut(), link.mirror())?;
    let mut filter = filter.clone();
    let sorted = filter.sort.field.clone();
    let typed = filter.equal.iter_mut().map(|(name, value)| (name.as_str(), value));
    for (name, value) in typed.chain(sorted.as_deref().zip(Some(&mut filter.after_value))) {
        if let Some(column) = shape.position(name).and_then(|at| shape.columns.get(at)) {
            *value = session.store.canonical(column, std::mem::take(value));
        }
    }
    let order = Order::new(session.store.kind(), link, &shape, &filter.sort);
    Ok(Asked { filter, order, count })
}

/// The rows, within the transaction that is open.
pub(super) fn page_within(
    store: &mut dyn Store,
    link: &dyn Link,
    reader: &str,
    asked: &Asked<'_>,
) -> Result<RowPage, EngineError> {
    let Asked { filter, order, count } = asked;
    let edited = edited(store, link, filter.scope.as_deref())?;
    let here: Vec<MergedRow> =
        edited.values().filter_map(|kept| merged(link, kept, reader, filter)).collect();
    let total = if *count { Some(total(store, link, filter, &edited, here.len() as u64)?) } else { None };
    let mut rows = Vec::new();
    if filter.wants_state("synced") {
        rows = of_mirror(store, link, filter, order, &edited)?;
    }
    let behind = |row: &MergedRow| match &filter.after {
        Some(after) => order.is_behind(row, &filter.after_value, after),
        None => true,
    };
    rows.extend(here.into_iter().filter(behind));
    rows.sort_by(|a, b| order.compare(a, b));
    let most = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let more = filter.limit > 0 && rows.len() > most;
    if more {
        rows.truncate(most);
    }
    let next = rows.last().filter(|_| more).map(|row| (order.value(row).clone(), row.key.clone()));
    Ok(RowPage { rows, total, next })
}

/// How many rows there are: those of the mirror, without those edited here, and of these the ones that are wanted.
fn total(
    store: &mut dyn Store,
    link: &dyn Link,
    filter: &Filter,
    edited: &BTreeMap<String, Kept>,
    here: u64,
) -> Result<u64, EngineError> {
    if !filter.wants_state("synced") {
        return Ok(here);
    }
    let (conditions, parameters) = conditions(link, filter);
    let sql = format!("SELECT count(*) FROM {} WHERE {conditions}", link.mirror().table);
    let all = store.query(&sql, &parameters)?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
    let twice = edited
        .values()
        .filter(|kept| kept.record.mirror.fields().is_some_and(|fields| filter.wants(&kept.scope, fields)));
    Ok(all.saturating_sub(twice.count() as u64) + here)
}

/// What a row of the mirror must be, wherever it stands in the order.
fn conditions(link: &dyn Link, filter: &Filter) -> (String, Vec<Value>) {
    let mut conditions = Vec::new();
    let mut parameters = Vec::new();
    let mut equals = |column: &str, value: Value| {
        if value.is_null() {
            conditions.push(format!("{column} IS NULL"));
        } else {
            parameters.push(value);
            conditions.push(format!("{column} = ${}", parameters.len()));
        }
    };
    if let Some(scope) = &filter.scope {
        equals(link.mirror().scope, Value::text(scope.as_str()));
    }
    for (name, value) in &filter.equal {
        equals(name, value.clone());
    }
    let conditions = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") };
    (conditions, parameters)
}

/// One record as `reader` sees it; `None` when there is none.
///
/// # Errors
/// When the store fails.
pub fn row(
    session: &mut Session,
    link: &dyn Link,
    reader: &str,
    key: &str,
) -> Result<Option<MergedRow>, EngineError> {
    let kept = record::look(session.store.as_mut(), link, key)?;
    Ok(merged(link, &kept, reader, &Filter::default()))
}

/// The records that something is open about.
fn edited(
    store: &mut dyn Store,
    link: &dyn Link,
    scope: Option<&str>,
) -> Result<BTreeMap<String, Kept>, EngineError> {
    // A draft leaves the badge as it is, so the open edits are asked for the records.
    let sql = "SELECT DISTINCT record_key FROM plimsoll_sync_edit
        WHERE link = $1 AND ($2 = '' OR scope = $2) AND state NOT IN ('synced', 'discarded')";
    let parameters = [Value::text(link.name()), Value::text(scope.unwrap_or_default())];
    let keys: Vec<String> =
        store.query(sql, &parameters)?.into_iter().map(|row| Cells(row).text(0)).collect::<Result<_, _>>()?;
    let mut mirrors = record::mirror_rows(store, link, &keys)?;
    let mut edited = BTreeMap::new();
    for mut kept in record::lines(store, link, &keys)? {
        let mirror = mirrors.remove(&kept.key);
        record::complete(&mut kept, mirror);
        edited.insert(kept.key.clone(), kept);
    }
    Ok(edited)
}

fn of_mirror(
    store: &mut dyn Store,
    link: &dyn Link,
    filter: &Filter,
    order: &Order<'_>,
    edited: &BTreeMap<String, Kept>,
) -> Result<Vec<MergedRow>, EngineError> {
    let mirror = link.mirror();
    let (mut conditions, mut parameters) = conditions(link, filter);
    if let Some(after) = &filter.after {
        conditions.push_str(" AND ");
        conditions.push_str(&order.behind(&filter.after_value, after, &mut parameters));
    }
    let mut sql = format!(
        "SELECT {}, {}, {} FROM {} WHERE {conditions} ORDER BY {}",
        mirror.key,
        mirror.scope,
        mirror.fields.join(", "),
        mirror.table,
        order.clause()
    );
    if filter.limit > 0 {
        // Some of them may be edited here; one more says whether there is a next part.
        parameters.push(number(filter.limit + 1 + edited.len() as u64));
        sql.push_str(&format!(" LIMIT ${}", parameters.len()));
    }
    let mut rows = Vec::new();
    store.query_each(&sql, &parameters, &mut |mut row| {
        let fields = row.split_off(2);
        let mut own = row.into_iter();
        let mut text = || match own.next() {
            Some(Value::Text(text)) => text,
            other => other.unwrap_or_default().as_text().unwrap_or_default().to_owned(),
        };
        let (key, scope) = (text(), text());
        if !edited.contains_key(&key) {
            rows.push(MergedRow { key, scope, fields, badge: "synced" });
        }
        Ok(())
    })?;
    Ok(rows)
}

/// A record with all its sides.
#[derive(Debug, Clone)]
pub struct Sides {
    /// The key.
    pub key: String,
    /// What it belongs to.
    pub scope: String,
    /// Where it stands, as [`MergedRow::badge`].
    pub badge: &'static str,
    /// The row as its reader sees it: the remote's with what is committed here and the reader's own drafts over it;
    /// `None` when it is deleted here or there.
    pub mine: Option<Fields>,
    /// Everything known: base, mirror (theirs), operations, conflict, dead letters. Drafts of others are left out.
    pub record: SyncRecord,
    /// When a worker has to look at it, in milliseconds since 1970.
    pub due_ms: Option<u64>,
    /// Requests in a row that the remote could not take.
    pub failures: u32,
}

/// One record with base, mine and theirs as `reader` may see it; `None` when nothing is known of it.
///
/// # Errors
/// When the store fails.
pub fn sides(
    session: &mut Session,
    link: &dyn Link,
    reader: &str,
    key: &str,
) -> Result<Option<Sides>, EngineError> {
    use plimsoll_core::sync::record::RowState;

    let mut kept =
        in_transaction(session.store.as_mut(), Access::ReadOnly, |store| record::look(store, link, key))?;
    let known = kept.record.mirror != RowState::Unknown
        || kept.record.overlay != plimsoll_core::sync::record::Overlay::default()
        || !kept.record.dead_letters.is_empty();
    if !known {
        return Ok(None);
    }
    kept.record.overlay.drafts.retain(|draft| draft.edits.iter().any(|edit| edit.author == reader));
    let (mine, drafted) = view(&kept.record, reader);
    Ok(Some(Sides {
        badge: word(&kept.record, drafted),
        key: kept.key,
        scope: kept.scope,
        mine,
        record: kept.record,
        due_ms: kept.due_ms,
        failures: kept.failures,
    }))
}

/// The row that `reader` sees of a record: with the reader's own drafts.
fn view(record: &SyncRecord, reader: &str) -> (Option<Fields>, bool) {
    let mine = |draft: &&plimsoll_core::sync::record::Operation| {
        draft.edits.iter().any(|edit| edit.author == reader)
    };
    let mut drafted = false;
    let mut row = record.view();
    for draft in record.overlay.drafts.iter().filter(mine) {
        drafted = true;
        row = match draft.intent {
            Intent::Delete { .. } => None,
            Intent::Write(_) => draft.intent.over(row.as_ref()),
        };
    }
    (row, drafted)
}

/// The word beside a record for whoever has, or has not, a draft of it.
fn word(record: &SyncRecord, drafted: bool) -> &'static str {
    match badge(record).as_str() {
        "synced" if drafted => "draft",
        word => word,
    }
}

fn merged(link: &dyn Link, kept: &Kept, reader: &str, filter: &Filter) -> Option<MergedRow> {
    let (row, drafted) = view(&kept.record, reader);
    let badge = word(&kept.record, drafted);
    let row = row.filter(|row| filter.wants(&kept.scope, row) && filter.wants_state(badge))?;
    Some(MergedRow {
        key: kept.key.clone(),
        scope: kept.scope.clone(),
        fields: link.mirror().fields.iter().map(|name| row.get(*name).cloned().unwrap_or_default()).collect(),
        badge,
    })
}
