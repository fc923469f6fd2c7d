//! One customer's records on both sides, compared without sums.
//!
//! Owns which records are a customer's, what of them is on its way, where they differ, and their digests for a
//! certificate. It changes nothing.
//!
//! Invariants: a record with a change on its way is pending and never counted as differing; a record that cannot be
//! carried differs.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::digest::{TableDigest, TableHashing, name_order};
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::parity::RowDifference;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::Serialize;

use super::compare::{Difference, EntityParity};
use super::declare::{CUSTOMER, Pilot, PilotEntity};
use super::due::{new_place, pulled_through, records_of};
use super::record::{Record, SideStore, shape_of};
use crate::change::cells::Cells;
use crate::error::EngineError;

/// A customer by its keys on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The code.
    pub code: String,
    /// The legacy number.
    pub number: i64,
}

/// What a comparison of a customer found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CustomerParity {
    /// Records of both sides together.
    pub records: u64,
    /// Records that differ.
    pub differing: u64,
    /// Records with a change on its way.
    pub pending: u64,
    /// The differing ones, by entity, as a repair takes them.
    pub entities: Vec<EntityParity>,
}

/// The codes of the customer's records of an entity on the new side.
pub(super) fn codes_of(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    customer: &Customer,
) -> Result<Vec<RowKey>, EngineError> {
    let code = Value::text(customer.code.as_str());
    if entity.name == CUSTOMER {
        return Ok(vec![RowKey(vec![code])]);
    }
    let owner = entity.references.iter().find(|reference| Some(reference.legacy) == entity.owner);
    let Some(owner) = owner else { return Ok(Vec::new()) };
    let mut side = SideStore { side: Side::New, store, pilot };
    let shape = side.shape(owner.table)?;
    let Some(at) = shape.position(owner.column) else { return Ok(Vec::new()) };
    let rows = side.store.find_rows(&shape, &[at], &[code])?;
    Ok(rows.iter().map(|image| shape.key_of(image)).collect())
}

/// The customer's legacy rows of an entity.
pub(super) fn legacy_rows(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    customer: &Customer,
) -> Result<BTreeMap<String, Fields>, EngineError> {
    let Some(owner) = entity.owner else { return Ok(BTreeMap::new()) };
    let mut side = SideStore { side: Side::Legacy, store, pilot };
    let shape = side.shape(entity.legacy_table)?;
    let Some(at) = shape.position(owner) else { return Ok(BTreeMap::new()) };
    let rows = side.store.find_rows(&shape, &[at], &[Value::Integer(customer.number)])?;
    let fields = |image: Vec<Value>| {
        shape.columns.iter().map(|column| column.name.clone()).zip(image).collect::<Fields>()
    };
    Ok(rows.into_iter().map(|image| (shape.key_of(&image).to_text(), fields(image))).collect())
}

/// The customer's records of an entity on the new side, in the common form.
pub(super) fn new_records(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    customer: &Customer,
) -> Result<BTreeMap<String, (RowKey, Record)>, EngineError> {
    let keys = codes_of(store, pilot, entity, customer)?;
    let mut side = SideStore { side: Side::New, store, pilot };
    let records = side.records(entity, &keys)?;
    let found = keys.into_iter().zip(records);
    Ok(found
        .filter_map(|(key, record)| record.map(|record| (record.record_key.to_text(), (key, record))))
        .collect())
}

/// The keys of the customer's records, as either side knows them.
pub(super) fn record_keys(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    customer: &Customer,
) -> Result<BTreeSet<String>, EngineError> {
    let mut keys: BTreeSet<String> = records_of(store, entity, customer.number)?.into_iter().collect();
    for code in codes_of(store, pilot, entity, customer)? {
        let code = code.0.first().and_then(Value::as_text).unwrap_or_default().to_owned();
        let sql = "SELECT record_key FROM plimsoll_pilot_record WHERE entity = $1 AND code = $2";
        let row =
            store.query(sql, &[Value::text(entity.name), Value::text(code.as_str())])?.into_iter().next();
        keys.extend(row.map(|row| Cells(row).text(0)).transpose()?);
    }
    Ok(keys)
}

/// The keys of the customer's records of an entity that have a change on its way: due here, or open in the link.
pub(super) fn on_their_way(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    customer: &Customer,
) -> Result<BTreeSet<String>, EngineError> {
    let link = pilot.link(entity.name).name();
    let mut found = BTreeSet::new();
    for key in record_keys(store, pilot, entity, customer)? {
        let sql = "SELECT 1 FROM plimsoll_pilot_due WHERE entity = $1 AND record_key = $2 AND waits IS NULL
            UNION ALL SELECT 1 FROM plimsoll_sync_record WHERE link = $3 AND record_key = $2 AND due_ms IS NOT NULL";
        let parameters = [Value::text(entity.name), Value::text(key.as_str()), Value::text(link)];
        if !store.query(sql, &parameters)?.is_empty() {
            found.insert(key);
        }
    }
    Ok(found)
}

/// Whether a record changed on one of the sides and the carrier has not heard of it.
fn is_unheard(
    legacy: &mut dyn Store,
    new: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    row_key: &str,
    new_key: Option<&RowKey>,
) -> Result<bool, EngineError> {
    let pulled = pulled_through(new, pilot, entity)?;
    let sql = format!(
        "SELECT 1 FROM {} WHERE table_name = $1 AND row_key = $2 AND position > $3 LIMIT 1",
        pilot.outbox().0
    );
    let parameters = [Value::text(entity.legacy_table), Value::text(row_key), Value::Integer(pulled)];
    if !legacy.query(&sql, &parameters)?.is_empty() {
        return Ok(true);
    }
    let Some(new_key) = new_key else { return Ok(false) };
    let place = new_place(new)?;
    let lines = pilot.outbox().seen(new, place)?;
    Ok(lines.iter().any(|line| {
        line.origin.is_none() && entity.tables.contains(&line.table.as_str()) && line.key == *new_key
    }))
}

/// Compares a customer's records of both sides, field by field.
///
/// # Errors
/// When a store fails.
pub fn compare(
    legacy: &mut dyn Store,
    new: &mut dyn Store,
    pilot: &dyn Pilot,
    customer: &Customer,
) -> Result<CustomerParity, EngineError> {
    let mut parity = CustomerParity::default();
    for entity in pilot.entities().iter().filter(|entity| entity.owner.is_some()) {
        let ours = legacy_rows(legacy, pilot, entity, customer)?;
        let theirs = new_records(new, pilot, entity, customer)?;
        let moving = on_their_way(new, pilot, entity, customer)?;
        let mut found = EntityParity {
            entity: entity.name.to_owned(),
            legacy_records: ours.len() as u64,
            new_records: theirs.len() as u64,
            ..EntityParity::default()
        };
        let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        parity.records += keys.len() as u64;
        for text in keys {
            let (one, other) = (ours.get(text), theirs.get(text));
            let (how, reason) = match (one, other.map(|(_, record)| &record.form)) {
                (Some(row), Some(Ok(form))) if row == form => continue,
                (Some(_), Some(form)) => (RowDifference::Values, form.as_ref().err().cloned()),
                (Some(_), None) => (RowDifference::OnlyLegacy, None),
                (None, form) => (RowDifference::OnlyNew, form.and_then(|form| form.as_ref().err().cloned())),
            };
            let record: RowKey = serde_json::from_str(text)?;
            let key = record.0.first().map(|value| match value {
                Value::Text(code) => super::remote::born_new(code),
                other => other.to_string(),
            });
            let new_key = other.map(|(key, _)| key);
            if key.is_some_and(|key| moving.contains(&key))
                || is_unheard(legacy, new, pilot, entity, text, new_key)?
            {
                parity.pending += 1;
                found.pending += 1;
                continue;
            }
            parity.differing += 1;
            found.differing += 1;
            let new_key = new_key.cloned();
            found.shown.push(Difference { record, how, fields: Vec::new(), reason, new_key });
        }
        parity.entities.push(found);
    }
    Ok(parity)
}

/// Digests of a customer's rows, by legacy table: as they are, and as the other side's rows say that they must be.
pub(super) struct Digests {
    /// The legacy rows.
    pub(super) legacy: Vec<TableDigest>,
    /// The new rows in the legacy form.
    pub(super) oracle: Vec<TableDigest>,
    /// The keys of the legacy rows, table by table.
    pub(super) keys: Vec<Vec<String>>,
}

/// The digests of both.
pub(super) fn digests(
    legacy: &mut dyn Store,
    new: &mut dyn Store,
    pilot: &dyn Pilot,
    customer: &Customer,
) -> Result<Digests, EngineError> {
    let mut digests = Digests { legacy: Vec::new(), oracle: Vec::new(), keys: Vec::new() };
    for entity in pilot.entities().iter().filter(|entity| entity.owner.is_some()) {
        let ours = legacy_rows(legacy, pilot, entity, customer)?;
        let theirs = new_records(new, pilot, entity, customer)?;
        digests.legacy.push(digest(entity, ours.values()));
        digests.keys.push(ours.keys().cloned().collect());
        // A record that cannot be carried has no legacy form, so it is none that the legacy side could hold.
        digests
            .oracle
            .push(digest(entity, theirs.values().filter_map(|(_, record)| record.form.as_ref().ok())));
    }
    Ok(digests)
}

fn digest<'rows>(entity: &PilotEntity, rows: impl Iterator<Item = &'rows Fields>) -> TableDigest {
    let mut hashing = TableHashing::default();
    for fields in rows {
        let shape = shape_of(fields);
        let image: Vec<Value> = fields.values().cloned().collect();
        hashing.add(&shape, &name_order(&shape), &image);
    }
    hashing.finish(entity.legacy_table)
}
