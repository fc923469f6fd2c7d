//! Repairing what differs: a plan like any other, made on the side that is to be put right.
//!
//! Owns the plan. One item is one record with all its rows; a record that cannot be carried is an item that is refused by
//! name, so it ends in quarantine and not in silence. Columns that are the new side's own stay as they are. The plan is
//! shown, applied, verified and undone like every plan; the writes are captured like everybody's.
//!
//! Invariants: a record may refer to one that the same plan writes before it; a code that one record has is never given
//! to another, in the store or in the plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::item::{Item, Refusal};
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::mapping::References;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::{Image, RowKey, TableShape};
use plimsoll_core::value::Value;
use serde_json::json;

use super::compare::{Difference, EntityParity};
use super::declare::{Pilot, PilotEntity};
use super::record::SideStore;
use crate::change::plan::{NewPlan, Plan, PlanWriter};
use crate::error::EngineError;
use crate::session::{Progress, Session};

/// Which side is right, and what it is called in the plan.
#[derive(Clone, Copy)]
pub struct Repair<'repair> {
    /// The side that is put right: the session's.
    pub target: Side,
    /// The system whose tables are changed, as plans name it.
    pub system: &'repair str,
    /// The pilot.
    pub pilot: &'repair dyn Pilot,
}

/// Plans what makes the target's records equal to the other side's, for the differences that a comparison shows.
///
/// # Errors
/// When a store fails or lacks a table.
pub fn plan_repair(
    session: &mut Session,
    repair: Repair<'_>,
    other: &mut SideStore<'_>,
    found: &[EntityParity],
) -> Result<Plan, EngineError> {
    let new = NewPlan {
        system: repair.system.to_owned(),
        change: "parity-repair".into(),
        source: other.store.url().to_string(),
        ..NewPlan::default()
    };
    let mut writer = PlanWriter::create(session, &new)?;
    let entities: Vec<(&PilotEntity, &EntityParity)> = repair
        .pilot
        .entities()
        .iter()
        .filter_map(|entity| Some((entity, found.iter().find(|parity| parity.entity == entity.name)?)))
        .collect();
    // What others refer to is written before them, and goes after them.
    let mut work: Vec<(&PilotEntity, &Difference)> = Vec::new();
    for (entity, parity) in &entities {
        work.extend(parity.shown.iter().filter(|one| !repair.is_delete(one)).map(|one| (*entity, one)));
    }
    for (entity, parity) in entities.iter().rev() {
        work.extend(parity.shown.iter().filter(|one| repair.is_delete(one)).map(|one| (*entity, one)));
    }
    let total = Some(work.len() as u64);
    let mut codes = Codes::default();
    for (entity, difference) in work {
        let item = repair.item(session, other, entity, difference, &mut codes)?;
        writer.add(session, &item)?;
        let done = writer.items();
        (session.progress)(&Progress { phase: "planning", done, total, eta_ms: None });
    }
    writer.finish(session, 0, json!({ "repaired_from": other.store.url().to_string() }))
}

impl Repair<'_> {
    fn is_delete(&self, difference: &Difference) -> bool {
        use plimsoll_core::pilot::parity::RowDifference::{OnlyLegacy, OnlyNew};
        match self.target {
            Side::Legacy => difference.how == OnlyLegacy,
            Side::New => difference.how == OnlyNew,
        }
    }

    fn item(
        &self,
        session: &mut Session,
        other: &mut SideStore<'_>,
        entity: &PilotEntity,
        difference: &Difference,
        codes: &mut Codes,
    ) -> Result<Item, EngineError> {
        let label = format!("{} {}", entity.name, difference.record);
        let mut target = SideStore { side: self.target, store: session.store.as_mut(), pilot: self.pilot };
        let changes = match (self.target, self.is_delete(difference)) {
            (Side::Legacy, true) => self.delete(&mut target, &[entity.legacy_table], &difference.record)?,
            (Side::New, true) => match (&difference.new_key, difference.record.0.as_slice()) {
                (Some(key), [Value::Integer(_)]) => self.delete(&mut target, entity.tables, key)?,
                _ => Err("it began on the new side and has no legacy number yet".to_owned()),
            },
            (Side::Legacy, false) => self.legacy_changes(&mut target, other, entity, difference)?,
            (Side::New, false) => self.new_changes(&mut target, other, entity, &difference.record, codes)?,
        };
        Ok(match changes {
            Ok(changes) => Item { label, changes, ..Item::default() },
            Err(reason) => Item {
                refusal: Some(Refusal::quarantined("validation", format!("{label}: {reason}"))),
                label,
                ..Item::default()
            },
        })
    }

    fn delete(
        &self,
        target: &mut SideStore<'_>,
        tables: &[&'static str],
        key: &RowKey,
    ) -> Result<Result<Vec<Change>, String>, EngineError> {
        let mut changes = Vec::new();
        for table in tables.iter().rev() {
            let shape = target.shape(table)?;
            if let Some(before) = current(target, &shape, key)? {
                changes.push(Change::new(shape, Some(before), None)?);
            }
        }
        Ok(Ok(changes))
    }

    fn legacy_changes(
        &self,
        target: &mut SideStore<'_>,
        other: &mut SideStore<'_>,
        entity: &PilotEntity,
        difference: &Difference,
    ) -> Result<Result<Vec<Change>, String>, EngineError> {
        let Some(key) = &difference.new_key else { return Ok(Err("it is not there any more".into())) };
        let record = other.records(entity, std::slice::from_ref(key))?.pop().flatten();
        let fields = match record.map(|record| record.form) {
            Some(Ok(fields)) => fields,
            Some(Err(reason)) => return Ok(Err(reason)),
            None => return Ok(Err("it is not there any more".into())),
        };
        let shape = target.shape(entity.legacy_table)?;
        let before = current(target, &shape, &difference.record)?;
        Ok(Ok(change(target, shape, before, &fields)?.into_iter().collect()))
    }

    fn new_changes(
        &self,
        target: &mut SideStore<'_>,
        other: &mut SideStore<'_>,
        entity: &PilotEntity,
        record: &RowKey,
        codes: &mut Codes,
    ) -> Result<Result<Vec<Change>, String>, EngineError> {
        let legacy = other.records(entity, std::slice::from_ref(record))?.pop().flatten();
        let Some(Ok(legacy)) = legacy.map(|record| record.form) else {
            return Ok(Err("it is not there any more".into()));
        };
        let own = record.0.first().and_then(Value::as_integer);
        codes.find(target, self.pilot, entity.name, own)?;
        for reference in entity.references {
            let number = legacy.get(reference.legacy).and_then(Value::as_integer);
            codes.find(target, self.pilot, reference.entity, number)?;
        }
        let rows = match self.pilot.to_new(entity.name, &legacy, codes) {
            Ok(rows) => rows,
            Err(problems) => {
                let words =
                    problems.iter().map(|one| format!("{} {}: {}", one.column, one.value, one.reason));
                return Ok(Err(words.collect::<Vec<_>>().join("; ")));
            }
        };
        let kept = own.and_then(|number| codes.code_of(entity.name, number));
        let mut changes = Vec::new();
        let mut written = None;
        for table in entity.tables {
            let Some(fields) = rows.get(table) else { continue };
            let shape = target.shape(table)?;
            let key = RowKey(
                shape.key_columns().map(|column| fields.get(column).cloned().unwrap_or_default()).collect(),
            );
            let code = key.0.first().and_then(Value::as_text);
            if let (Some(kept), Some(code)) = (&kept, code)
                && kept != code
            {
                return Ok(Err(format!(
                    "its code is `{kept}` on the new side and `{code}` on the legacy side"
                )));
            }
            let before = current(target, &shape, &key)?;
            if let (Some(own), Some(code)) = (own, code)
                && *table == entity.root()
            {
                let stored = before.as_ref().and_then(|image| number_of(&shape, image));
                if let Some(holder) = stored.or_else(|| codes.planned_for(entity.name, code))
                    && holder != own
                {
                    return Ok(Err(format!("its code `{code}` is that of number {holder} on the new side")));
                }
                written = Some((own, code.to_owned()));
            }
            changes.extend(change(target, shape, before, fields)?);
        }
        if let Some((own, code)) = written {
            codes.plan(entity.name, own, code);
        }
        Ok(Ok(changes))
    }
}

/// The legacy number in a new row.
fn number_of(shape: &TableShape, image: &Image) -> Option<i64> {
    shape.position("legacy_id").and_then(|at| image.get(at)).and_then(Value::as_integer)
}

fn current(
    target: &mut SideStore<'_>,
    shape: &Arc<TableShape>,
    key: &RowKey,
) -> Result<Option<Image>, EngineError> {
    Ok(target.store.read_rows(shape, std::slice::from_ref(key))?.pop().flatten())
}

/// The change that gives a row these fields and leaves its other columns; none where it has them.
fn change(
    target: &mut SideStore<'_>,
    shape: Arc<TableShape>,
    before: Option<Image>,
    fields: &Fields,
) -> Result<Option<Change>, EngineError> {
    let mut after = before.clone().unwrap_or_else(|| vec![Value::Null; shape.columns.len()]);
    for (name, value) in fields {
        if let Some(at) = shape.position(name) {
            after[at] = target.store.canonical(&shape.columns[at], value.clone());
        }
    }
    if before.as_ref() == Some(&after) {
        return Ok(None);
    }
    Ok(Some(Change::new(shape, before, Some(after))?))
}

/// Codes of the new side and legacy numbers: as they are stored, and as this plan will write them. Records come after
/// those that they refer to, so what an order needs of a customer of the same plan is here before it.
#[derive(Default)]
pub(super) struct Codes {
    by_number: BTreeMap<(&'static str, i64), String>,
    planned: BTreeMap<(&'static str, String), i64>,
}

impl Codes {
    /// Looks up the code of a number, unless it is known.
    pub(super) fn find(
        &mut self,
        target: &mut SideStore<'_>,
        pilot: &dyn Pilot,
        entity: &str,
        number: Option<i64>,
    ) -> Result<(), EngineError> {
        let found = pilot.entities().iter().find(|known| known.name == entity);
        let (Some(entity), Some(number)) = (found, number) else { return Ok(()) };
        if self.by_number.contains_key(&(entity.name, number)) {
            return Ok(());
        }
        let shape = target.shape(entity.root())?;
        let Some(at) = shape.position("legacy_id") else { return Ok(()) };
        for image in target.store.find_rows(&shape, &[at], &[Value::Integer(number)])? {
            if let Some(code) = shape.key_of(&image).0.first().and_then(Value::as_text) {
                self.by_number.insert((entity.name, number), code.to_owned());
            }
        }
        Ok(())
    }

    /// Notes that the plan writes this number with this code.
    pub(super) fn plan(&mut self, entity: &'static str, number: i64, code: String) {
        self.planned.insert((entity, code.clone()), number);
        self.by_number.insert((entity, number), code);
    }

    fn planned_for(&self, entity: &'static str, code: &str) -> Option<i64> {
        self.planned.get(&(entity, code.to_owned())).copied()
    }
}

impl References for Codes {
    fn code_of(&self, entity: &str, legacy_id: i64) -> Option<String> {
        self.by_number.get(&(entity, legacy_id)).cloned()
    }

    fn legacy_id_of(&self, _entity: &str, _code: &str) -> Option<i64> {
        None
    }
}
