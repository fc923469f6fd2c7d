//! What is due, and up to where both sides were heard.
//!
//! Owns the tables of due records, of places in the outboxes, and the question which records cannot be carried. Making
//! records due by what was heard, and working them off, is [`super::carry`]'s.
//!
//! Invariant: a record that is due stays so until the transaction that reconciled it takes its line away.

use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::Serialize;

use super::declare::{Pilot, PilotEntity};
use super::remote::SCOPE;
use crate::capture::Place;
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::sync::declare::Cursor;

/// The reader's name among the places.
pub(super) const READER: &str = "carry";

/// The keys of the records of a customer, as the mirrors know them.
///
/// # Errors
/// When the store fails.
pub fn records_of(
    store: &mut dyn Store,
    entity: &PilotEntity,
    number: i64,
) -> Result<Vec<String>, EngineError> {
    let Some(owner) = entity.owner else { return Ok(Vec::new()) };
    let mirror = entity.mirror;
    let sql =
        format!("SELECT {key} FROM {} WHERE {owner} = $1 ORDER BY {key}", mirror.table, key = mirror.key);
    let rows = store.query(&sql, &[Value::Integer(number)])?;
    rows.into_iter().map(|row| Cells(row).text(0)).collect()
}

/// The legacy position up to which an entity's changes are in its mirror.
pub(super) fn pulled_through(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
) -> Result<i64, EngineError> {
    let sql = "SELECT cursor FROM plimsoll_sync_pull WHERE link = $1 AND scope = $2";
    let parameters = [Value::text(pilot.link(entity.name).name()), Value::text(SCOPE)];
    let Some(row) = store.query(sql, &parameters)?.into_iter().next() else { return Ok(0) };
    let cursor: Cursor = serde_json::from_str(&Cells(row).text(0)?)?;
    Ok(cursor.stamp.parse().unwrap_or(0))
}

/// How far a carrier came: the place up to which the new outbox was heard, and the legacy one up to which everything is in
/// the mirrors. None where no carrier ran yet.
///
/// # Errors
/// When the store fails.
pub fn places(store: &mut dyn Store, pilot: &dyn Pilot) -> Result<Option<(Place, Place)>, EngineError> {
    if store.shape("plimsoll_pilot_place")?.is_none() || store.shape("plimsoll_sync_pull")?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT 1 FROM plimsoll_pilot_place WHERE reader = $1";
    if store.query(sql, &[Value::text(READER)])?.is_empty() {
        return Ok(None);
    }
    let pulled = Place { writer: 0, position: all_pulled_through(store, pilot)? };
    Ok(Some((new_place(store)?, pulled)))
}

/// The legacy position up to which the changes of every entity are in its mirror.
pub(super) fn all_pulled_through(store: &mut dyn Store, pilot: &dyn Pilot) -> Result<i64, EngineError> {
    let mut least = i64::MAX;
    for entity in pilot.entities() {
        least = least.min(pulled_through(store, pilot, entity)?);
    }
    Ok(least)
}

/// The place up to which the new outbox was heard.
///
/// # Errors
/// When the store fails.
pub fn new_place(store: &mut dyn Store) -> Result<Place, EngineError> {
    let sql = "SELECT writer, position FROM plimsoll_pilot_place WHERE reader = $1";
    let row = store.query(sql, &[Value::text(READER)])?.into_iter().next().map(Cells);
    row.map_or(Ok(Place::default()), |row| Ok(Place { writer: row.integer(0)?, position: row.integer(1)? }))
}

/// Notes that what a link sees of a record changed, so that it has to be looked at.
///
/// # Errors
/// When the store fails.
pub fn make_due(store: &mut dyn Store, entity: &str, key: &str) -> Result<(), EngineError> {
    due_since(store, entity, key, "")
}

/// Notes that a record has to be looked at. It keeps the time of the oldest change that was captured here; no change of the
/// new side has the empty one.
pub(super) fn due_since(
    store: &mut dyn Store,
    entity: &str,
    key: &str,
    since: &str,
) -> Result<(), EngineError> {
    let sql = "INSERT INTO plimsoll_pilot_due (entity, record_key, waits, since) VALUES ($1, $2, NULL, $3)
        ON CONFLICT (entity, record_key) DO UPDATE SET waits = NULL,
        since = CASE WHEN plimsoll_pilot_due.since = '' THEN excluded.since ELSE plimsoll_pilot_due.since END";
    store.execute(sql, &[Value::text(entity), Value::text(key), Value::text(since)])?;
    Ok(())
}

/// The records of an entity that are due, in the order of their keys, with the time of their oldest change.
///
/// # Errors
/// When the store fails.
pub fn due(
    store: &mut dyn Store,
    entity: &PilotEntity,
    limit: u64,
) -> Result<Vec<(String, String)>, EngineError> {
    let sql =
        "SELECT record_key, since FROM plimsoll_pilot_due WHERE entity = $1 ORDER BY record_key LIMIT $2";
    let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = store.query(sql, &[Value::text(entity.name), limit])?;
    rows.into_iter().map(Cells).map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// A record that goes no further, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldRecord {
    /// The entity.
    pub entity: String,
    /// Its key.
    pub key: String,
    /// Why.
    pub why: String,
}

/// Records that cannot be carried, or wait for another one.
///
/// # Errors
/// When the store fails.
pub fn held(store: &mut dyn Store, limit: u64) -> Result<Vec<HeldRecord>, EngineError> {
    let sql = "SELECT entity, record_key, held FROM plimsoll_pilot_record WHERE held IS NOT NULL
        UNION ALL SELECT entity, record_key, 'waits: ' || waits FROM plimsoll_pilot_due WHERE waits IS NOT NULL
        ORDER BY 1, 2 LIMIT $1";
    let rows = store.query(sql, &[Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX))])?;
    let read = |row: Vec<Value>| {
        let cells = Cells(row);
        Ok(HeldRecord { entity: cells.text(0)?, key: cells.text(1)?, why: cells.text(2)? })
    };
    rows.into_iter().map(read).collect()
}
