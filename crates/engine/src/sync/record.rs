//! How a record is kept: the mirror row, and beside it what no row of the remote can hold.
//!
//! Owns reading and writing both. A record that nobody edits here has a mirror row and nothing else, so that a million
//! mirrored rows cost a million rows. From the first edit on it has a line in `plimsoll_sync_record` too, which stays:
//! it counts the record's operations, and an id may never come back.
//!
//! Invariants:
//! - While nothing is open about a record and base and mirror are the same row, the line holds neither; the mirror
//!   table does.
//! - A line is read for change under a lock of its row, taken before the mirror row is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_core::sync::hybrid::HybridTime;
use plimsoll_core::sync::lease::Lease;
use plimsoll_core::sync::outbox::OutboxState;
use plimsoll_core::sync::record::{Fields, Observed, Origin, Overlay, RowState, SyncRecord, Version};
use plimsoll_core::table::{RowKey, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::{DatabaseKind, Store};

use super::declare::{Link, MirrorTable, RemoteRow};
use super::stamp;
use crate::change::cells::{Cells, number};
use crate::error::EngineError;

/// A record with what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) key: String,
    pub(crate) scope: String,
    pub(crate) record: SyncRecord,
    pub(crate) lease: Lease,
    /// When a worker has to look at it, in milliseconds.
    pub(crate) due_ms: Option<u64>,
    /// Requests in a row that the remote could not take.
    pub(crate) failures: u32,
}

/// The shape of the mirror table as the store has it.
pub(crate) fn shape_of(store: &mut dyn Store, mirror: &MirrorTable) -> Result<Arc<TableShape>, EngineError> {
    store.shape(mirror.table)?.ok_or_else(|| {
        EngineError::usage(format!(
            "there is no table `{}`\nhint: the store was not set up for this link",
            mirror.table
        ))
    })
}

/// Milliseconds of the remote's clock as a time that can be compared.
pub(crate) fn remote_time(link: &dyn Link, ms: u64) -> HybridTime {
    HybridTime { ms, tick: 0, node: format!("{} remote", link.name()) }
}

/// What the remote told, as the mirror holds it: each value as a later read of its column returns it. `known` is the row
/// as it is known here.
pub(crate) fn observed(
    store: &dyn Store,
    shape: &TableShape,
    link: &dyn Link,
    row: &RemoteRow,
    known: Option<&Fields>,
) -> Observed {
    let mut fields = Fields::new();
    for name in link.mirror().fields {
        // What the remote leaves out it says nothing about.
        let told = row.fields.get(*name).or_else(|| known.and_then(|known| known.get(*name)));
        let value = told.cloned().unwrap_or_default();
        let column = shape.position(name).and_then(|at| shape.columns.get(at));
        let value = column.map_or(value.clone(), |column| store.canonical(column, value));
        fields.insert((*name).to_owned(), value);
    }
    Observed {
        version: row.version,
        fields,
        changed_at: row.changed_ms.map(|ms| remote_time(link, ms)),
        origin: row.origin.clone(),
    }
}

/// A mirror row as the state that the planner works with, and its scope.
fn state_of(link: &dyn Link, shape: &TableShape, image: &[Value]) -> (String, Observed) {
    let mirror = link.mirror();
    let fields =
        mirror.fields.iter().map(|name| ((*name).to_owned(), shape.get(image, name).clone())).collect();
    let count = |name: &str| shape.get(image, name).as_integer().and_then(|count| u64::try_from(count).ok());
    let scope = shape.get(image, mirror.scope).as_text().unwrap_or_default().to_owned();
    let changed_at = count("remote_changed_ms").map(|ms| remote_time(link, ms));
    let version = Version(count("remote_version").unwrap_or(0));
    (scope, Observed { version, fields, changed_at, origin: Origin::Untold })
}

/// The mirror rows of these keys.
pub(crate) fn mirror_rows(
    store: &mut dyn Store,
    link: &dyn Link,
    keys: &[String],
) -> Result<BTreeMap<String, (String, Observed)>, EngineError> {
    let shape = shape_of(store, link.mirror())?;
    let rows: Vec<RowKey> = keys.iter().map(|key| RowKey(vec![Value::text(key.as_str())])).collect();
    let images = store.read_rows(&shape, &rows)?;
    let found = keys.iter().zip(images);
    Ok(found.filter_map(|(key, image)| Some((key.clone(), state_of(link, &shape, &image?)))).collect())
}

/// Keeps the mirror rows of these keys as they are for everybody else until the transaction ends. Rows that are not there
/// cannot be kept.
///
/// Whoever changes a record takes its mirror row first and its line then: a pull takes rows that have no line into the
/// mirror directly, and must not do so to a row that somebody begins to edit at that moment.
pub(crate) fn hold_mirror_rows(
    store: &mut dyn Store,
    link: &dyn Link,
    keys: &[String],
) -> Result<(), EngineError> {
    // SQLite has one writer at a time.
    if store.kind() == DatabaseKind::Sqlite {
        return Ok(());
    }
    let mirror = link.mirror();
    for some in keys.chunks(500) {
        let places: Vec<String> = (1..=some.len()).map(|at| format!("${at}")).collect();
        // In one order, so that two pulls never wait for each other.
        let sql = format!(
            "SELECT 1 FROM {} WHERE {key} IN ({}) ORDER BY {key} FOR UPDATE",
            mirror.table,
            places.join(", "),
            key = mirror.key
        );
        let parameters: Vec<Value> = some.iter().map(|key| Value::text(key.as_str())).collect();
        store.query(&sql, &parameters)?;
    }
    Ok(())
}

const LINE: &str = "record_key, scope, state, due_ms, failures, lease_holder, lease_epoch, lease_until_ms";

/// The lines of these keys, without their mirror rows.
pub(crate) fn lines(
    store: &mut dyn Store,
    link: &dyn Link,
    keys: &[String],
) -> Result<Vec<Kept>, EngineError> {
    let mut found = Vec::new();
    for some in keys.chunks(500) {
        let places: Vec<String> = (2..some.len() + 2).map(|at| format!("${at}")).collect();
        let sql = format!(
            "SELECT {LINE} FROM plimsoll_sync_record WHERE link = $1 AND record_key IN ({})",
            places.join(", ")
        );
        let mut parameters = vec![Value::text(link.name())];
        parameters.extend(some.iter().map(|key| Value::text(key.as_str())));
        for row in store.query(&sql, &parameters)? {
            found.push(line(row)?);
        }
    }
    Ok(found)
}

fn line(row: Vec<Value>) -> Result<Kept, EngineError> {
    let mut cells = Cells(row);
    let state = cells.take_text(2)?.unwrap_or_default();
    let due_ms = match cells.0.get(3) {
        Some(Value::Integer(due)) => u64::try_from(*due).ok(),
        _ => None,
    };
    Ok(Kept {
        key: cells.text(0)?,
        scope: cells.text(1)?,
        record: serde_json::from_str(&state)?,
        due_ms,
        failures: u32::try_from(cells.count(4)?).unwrap_or(u32::MAX),
        lease: Lease { holder: cells.text(5)?, epoch: cells.count(6)?, until_ms: cells.count(7)? },
    })
}

/// Puts the mirror's row in where the line leaves it out.
pub(crate) fn complete(kept: &mut Kept, mirror: Option<(String, Observed)>) {
    let Some((scope, row)) = mirror else { return };
    if kept.scope.is_empty() {
        kept.scope = scope;
    }
    if kept.record.base == RowState::Unknown && kept.record.mirror == RowState::Unknown {
        kept.record.base = RowState::Present(row.clone());
        kept.record.mirror = RowState::Present(row);
    }
}

/// Reads a record to change it: nobody else changes it before the transaction ends.
pub(crate) fn lock(
    store: &mut dyn Store,
    link: &dyn Link,
    key: &str,
    now: &str,
) -> Result<Kept, EngineError> {
    hold_mirror_rows(store, link, &[key.to_owned()])?;
    // A line has to be there to be locked.
    let fresh = SyncRecord::new(format!("{}/{key}", link.name()));
    let sql =
        "INSERT INTO plimsoll_sync_record (link, record_key, scope, state, badge, failures, lease_holder,
            lease_epoch, lease_until_ms, changed_at)
        VALUES ($1, $2, '', $3, 'synced', 0, '', 0, 0, $4) ON CONFLICT (link, record_key) DO NOTHING";
    let state = serde_json::to_string(&fresh)?;
    store
        .execute(sql, &[Value::text(link.name()), Value::text(key), Value::text(state), Value::text(now)])?;
    let lock = match store.kind() {
        DatabaseKind::Postgres => " FOR UPDATE",
        DatabaseKind::Sqlite => "",
    };
    let sql = format!("SELECT {LINE} FROM plimsoll_sync_record WHERE link = $1 AND record_key = $2{lock}");
    let rows = store.query(&sql, &[Value::text(link.name()), Value::text(key)])?;
    let row = rows
        .into_iter()
        .next()
        .ok_or_else(|| EngineError::integrity(format!("the line of {key} is gone")))?;
    let mut kept = line(row)?;
    let mirror = mirror_rows(store, link, &[key.to_owned()])?.remove(key);
    complete(&mut kept, mirror);
    Ok(kept)
}

/// Reads a record to look at it.
pub(crate) fn look(store: &mut dyn Store, link: &dyn Link, key: &str) -> Result<Kept, EngineError> {
    let keys = [key.to_owned()];
    let fresh = || Kept {
        key: key.to_owned(),
        scope: String::new(),
        record: SyncRecord::new(format!("{}/{key}", link.name())),
        lease: Lease::default(),
        due_ms: None,
        failures: 0,
    };
    let mut kept = lines(store, link, &keys)?.pop().unwrap_or_else(fresh);
    let mirror = mirror_rows(store, link, &keys)?.remove(key);
    complete(&mut kept, mirror);
    Ok(kept)
}

/// Writes the line of a record, and stamps its scope as changed.
pub(crate) fn keep(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &Kept,
    now: &str,
) -> Result<(), EngineError> {
    write_line(store, link, kept, now)?;
    stamp::touch(store, link, &kept.scope, &kept.key)
}

/// Writes the line of a record; the caller stamps its scope.
pub(crate) fn write_line(
    store: &mut dyn Store,
    link: &dyn Link,
    kept: &Kept,
    now: &str,
) -> Result<(), EngineError> {
    let mut record = kept.record.clone();
    let open =
        record.overlay != Overlay::default() || record.conflict.is_some() || !record.dead_letters.is_empty();
    if !open && record.base == record.mirror && matches!(record.mirror, RowState::Present(_)) {
        record.base = RowState::Unknown;
        record.mirror = RowState::Unknown;
    }
    let sql =
        "UPDATE plimsoll_sync_record SET scope = $3, state = $4, badge = $5, due_ms = $6, failures = $7,
            lease_holder = $8, lease_epoch = $9, lease_until_ms = $10, changed_at = $11
        WHERE link = $1 AND record_key = $2";
    let parameters = [
        Value::text(link.name()),
        Value::text(kept.key.as_str()),
        Value::text(kept.scope.as_str()),
        Value::text(serde_json::to_string(&record)?),
        Value::text(badge(&kept.record).as_str()),
        kept.due_ms.map_or(Value::Null, number),
        number(kept.failures.into()),
        Value::text(kept.lease.holder.as_str()),
        number(kept.lease.epoch),
        number(kept.lease.until_ms),
        Value::text(now),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}

/// The word beside the record. A draft is its author's alone and does not show.
pub(crate) fn badge(record: &SyncRecord) -> OutboxState {
    match record.badge() {
        OutboxState::Draft => OutboxState::Synced,
        other => other,
    }
}

/// Writes the mirror row of a state: a row, or none.
pub(crate) fn write_mirror(
    store: &mut dyn Store,
    link: &dyn Link,
    key: &str,
    scope: &str,
    state: &RowState,
    now: &str,
) -> Result<(), EngineError> {
    let mirror = link.mirror();
    let RowState::Present(row) = state else {
        let sql = format!("DELETE FROM {} WHERE {} = $1", mirror.table, mirror.key);
        store.execute(&sql, &[Value::text(key)])?;
        return Ok(());
    };
    let own = [mirror.key, mirror.scope, "remote_version", "remote_changed_ms", "observed_at"];
    let names: Vec<&str> = own.iter().chain(mirror.fields).copied().collect();
    let places: Vec<String> = (1..=names.len()).map(|at| format!("${at}")).collect();
    let set: Vec<String> = names.iter().skip(1).map(|name| format!("{name} = excluded.{name}")).collect();
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}",
        mirror.table,
        names.join(", "),
        places.join(", "),
        mirror.key,
        set.join(", ")
    );
    let mut parameters = vec![
        Value::text(key),
        Value::text(scope),
        number(row.version.0),
        row.changed_at.as_ref().map_or(Value::Null, |at| number(at.ms)),
        Value::text(now),
    ];
    parameters.extend(mirror.fields.iter().map(|name| row.fields.get(*name).cloned().unwrap_or_default()));
    store.execute(&sql, &parameters)?;
    Ok(())
}
