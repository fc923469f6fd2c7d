//! Merged reads: the mirror with what is edited here over it.
//!
//! Owns the one way in which rows are shown: what the remote said, over it what is committed here, over that the
//! reader's own drafts. A filter judges the merged row. The few records that are edited here are merged in memory; all
//! others are filtered by the database, so that a filter over a million rows uses an index.
//!
//! Invariant: a row is shown once, whether the mirror, the overlay or both hold it.

use std::collections::BTreeMap;

use plimsoll_core::sync::record::{Fields, Intent, SyncRecord};
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, in_transaction};

use super::declare::Link;
use super::record::{self, Kept, badge};
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
    /// has one.
    pub badge: &'static str,
}

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this scope only.
    pub scope: Option<String>,
    /// Fields that must have these values; null matches null.
    pub equal: BTreeMap<String, Value>,
    /// Keys after this one.
    pub after: Option<String>,
    /// At most so many; 0 for all.
    pub limit: u64,
}

impl Filter {
    fn matches(&self, key: &str, scope: &str, fields: &Fields) -> bool {
        self.scope.as_ref().is_none_or(|wanted| wanted == scope)
            && self.after.as_ref().is_none_or(|after| key > after.as_str())
            && self.equal.iter().all(|(name, value)| fields.get(name).unwrap_or(&Value::Null) == value)
    }
}

/// The rows that `reader` sees, by key.
///
/// # Errors
/// Usage for a field that there is not; store errors.
pub fn rows(
    session: &mut Session,
    link: &dyn Link,
    reader: &str,
    filter: &Filter,
) -> Result<Vec<MergedRow>, EngineError> {
    let filter = canonical(session, link, filter)?;
    in_transaction(session.store.as_mut(), Access::ReadOnly, |store| {
        rows_within(store, link, reader, &filter)
    })
}

/// The filter with its values as their columns hold them, so that equality means the same in memory and in the database.
pub(super) fn canonical(
    session: &mut Session,
    link: &dyn Link,
    filter: &Filter,
) -> Result<Filter, EngineError> {
    let known = link.mirror().fields;
    if let Some(name) = filter.equal.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(EngineError::usage(format!(
            "there is no field `{name}`\nhint: the fields are {}",
            known.join(", ")
        )));
    }
    let shape = record::shape_of(session.store.as_mut(), link.mirror())?;
    let mut filter = filter.clone();
    for (name, value) in &mut filter.equal {
        if let Some(column) = shape.position(name).and_then(|at| shape.columns.get(at)) {
            *value = session.store.canonical(column, std::mem::take(value));
        }
    }
    Ok(filter)
}

/// The rows, within the transaction that is open.
pub(super) fn rows_within(
    store: &mut dyn Store,
    link: &dyn Link,
    reader: &str,
    filter: &Filter,
) -> Result<Vec<MergedRow>, EngineError> {
    let edited = edited(store, link, filter.scope.as_deref())?;
    let mut rows = of_mirror(store, link, filter, &edited)?;
    let here = edited.values().filter_map(|kept| merged(link, kept, reader, filter));
    rows.extend(here);
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    if filter.limit > 0 {
        rows.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
    }
    Ok(rows)
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
    edited: &BTreeMap<String, Kept>,
) -> Result<Vec<MergedRow>, EngineError> {
    let mirror = link.mirror();
    let mut conditions = Vec::new();
    let mut parameters = Vec::new();
    let mut condition = |column: &str, operator: &str, value: Value| {
        if value.is_null() {
            conditions.push(format!("{column} IS NULL"));
        } else {
            parameters.push(value);
            conditions.push(format!("{column} {operator} ${}", parameters.len()));
        }
    };
    if let Some(scope) = &filter.scope {
        condition(mirror.scope, "=", Value::text(scope.as_str()));
    }
    if let Some(after) = &filter.after {
        condition(mirror.key, ">", Value::text(after.as_str()));
    }
    for (name, value) in &filter.equal {
        condition(name, "=", value.clone());
    }
    let conditions = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") };
    let mut sql = format!(
        "SELECT {}, {}, {} FROM {} WHERE {conditions} ORDER BY {}",
        mirror.key,
        mirror.scope,
        mirror.fields.join(", "),
        mirror.table,
        mirror.key
    );
    if filter.limit > 0 {
        // Some of them may be edited here.
        parameters.push(number(filter.limit + edited.len() as u64));
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

fn merged(link: &dyn Link, kept: &Kept, reader: &str, filter: &Filter) -> Option<MergedRow> {
    let (row, drafted) = view(&kept.record, reader);
    let row = row.filter(|row| filter.matches(&kept.key, &kept.scope, row))?;
    let badge = badge(&kept.record).as_str();
    Some(MergedRow {
        key: kept.key.clone(),
        scope: kept.scope.clone(),
        fields: link.mirror().fields.iter().map(|name| row.get(*name).cloned().unwrap_or_default()).collect(),
        badge: if drafted && badge == "synced" { "draft" } else { badge },
    })
}
