//! `simulate luckygas --carried`: a company whose every record was carried over already.
//!
//! Owns filling the new side in bulk, by the pilot's own mapping, before changes are captured there: demo data of a size at
//! which a plan for each record would take hours. A pilot carries records by its carrier and never by this.
//!
//! Invariants: what the new side has alone goes first, so that both sides are equal in the end; a record that the mapping
//! refuses, or whose code is taken, is left out and counted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::mapping::References;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::{RowKey, TableShape};
use plimsoll_core::value::Value;
use plimsoll_engine::pilot::declare::{Pilot, PilotEntity};
use plimsoll_engine::pilot::record::SideStore;
use plimsoll_engine::session::{Progress, ProgressSink};
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::{Access, Store, in_transaction};

/// Records in one transaction.
const PAGE: u64 = 5_000;

/// Codes of the new side by legacy number, for each entity.
#[derive(Default)]
struct Codes(BTreeMap<&'static str, HashMap<i64, String>>);

impl References for Codes {
    fn code_of(&self, entity: &str, legacy_id: i64) -> Option<String> {
        self.0.get(entity)?.get(&legacy_id).cloned()
    }

    fn legacy_id_of(&self, _entity: &str, _code: &str) -> Option<i64> {
        None
    }
}

/// Carries everything over: how many records that were, and how many were left out.
pub(super) fn fill(
    legacy: &mut Session,
    new: &mut Session,
    pilot: &'static dyn Pilot,
    sink: &ProgressSink,
) -> Result<(u64, u64), EngineError> {
    clear(new.store.as_mut(), pilot)?;
    let (mut codes, mut done, mut left_out) = (Codes::default(), 0, 0);
    for entity in pilot.entities() {
        let mut taken = HashSet::new();
        let mut last: Option<RowKey> = None;
        loop {
            let mut from = SideStore { side: Side::Legacy, store: legacy.store.as_mut(), pilot };
            let keys = from.keys_after(entity, last.as_ref(), PAGE)?;
            let Some(end) = keys.last().cloned() else { break };
            let records = from.records(entity, &keys)?;
            let mut changes = Vec::new();
            for record in records.into_iter().flatten() {
                let fields = record.form.map_err(EngineError::integrity)?;
                match rows_of(new.store.as_mut(), pilot, entity, &fields, &codes)? {
                    Some((code, rows)) if taken.insert(code.clone()) => {
                        let number = fields.get("id").and_then(Value::as_integer).unwrap_or_default();
                        codes.0.entry(entity.name).or_default().insert(number, code);
                        changes.extend(rows);
                        done += 1;
                    }
                    _ => left_out += 1,
                }
            }
            in_transaction(new.store.as_mut(), Access::ReadWrite, |store| {
                store.write_rows(&changes.iter().collect::<Vec<_>>()).map(drop)
            })?;
            sink(&Progress { phase: "carrying over", done, total: None, eta_ms: None });
            last = Some(end);
        }
    }
    Ok((done, left_out))
}

/// Takes the rows away that the new side has of the pilot's entities, children first.
fn clear(store: &mut dyn Store, pilot: &dyn Pilot) -> Result<(), EngineError> {
    store.execute("DELETE FROM sms_log", &[])?;
    for entity in pilot.entities().iter().rev() {
        for table in entity.tables.iter().rev() {
            store.execute(&format!("DELETE FROM {table}"), &[])?;
        }
    }
    Ok(())
}

/// A record's code and rows on the new side; none where the mapping refuses it.
fn rows_of(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    fields: &Fields,
    codes: &Codes,
) -> Result<Option<(String, Vec<Change>)>, EngineError> {
    let Ok(rows) = pilot.to_new(entity.name, fields, codes) else { return Ok(None) };
    let (mut code, mut changes) = (None, Vec::new());
    for table in entity.tables {
        let Some(row) = rows.get(table) else { continue };
        let shape: Arc<TableShape> = store
            .shape(table)?
            .ok_or_else(|| EngineError::integrity(format!("the new side has no table `{table}`")))?;
        let image: Vec<Value> = shape
            .columns
            .iter()
            .map(|column| {
                let value = row.get(&column.name).cloned().unwrap_or_default();
                store.canonical(column, value)
            })
            .collect();
        if *table == entity.root() {
            code = shape.key_of(&image).0.first().and_then(Value::as_text).map(str::to_owned);
        }
        changes.push(Change::new(shape, None, Some(image))?);
    }
    Ok(code.map(|code| (code, changes)))
}
