//! The way back, rehearsed: a change of the new side, carried to the legacy side, and taken back on both.
//!
//! Owns the rehearsal of one customer. Both databases do what they would do for a user's change, in transactions that are
//! rolled back; the result must equal what an oracle makes of the legacy row alone. So it is known before the switch that
//! every one of the customer's records can go back: its form, its text in Big5, the triggers in its way.

use plimsoll_core::change::Change;
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::customer::{Customer, new_records};
use super::declare::{Pilot, PilotEntity, Probe};
use super::fence;
use super::record::SideStore;
use crate::error::EngineError;
use crate::session::taken_back;

/// What a rehearsed change writes. Every Big5 has these characters.
const MARK: &str = "試回 rehearsal";

/// What a rehearsal found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rehearsal {
    /// Records whose way back works.
    pub(super) records: u64,
    /// Those whose way does not, with the reason.
    pub(super) failures: Vec<String>,
}

/// Rehearses the way back of every record of a customer.
///
/// # Errors
/// When a store fails.
pub(super) fn rehearse(
    legacy: &mut dyn Store,
    new: &mut dyn Store,
    pilot: &dyn Pilot,
    customer: &Customer,
) -> Result<Rehearsal, EngineError> {
    let mut rehearsal = Rehearsal::default();
    for entity in pilot.entities().iter().filter(|entity| entity.owner.is_some()) {
        let Some(probe) = pilot.probe(entity.name) else { continue };
        let records = new_records(new, pilot, entity, customer)?;
        let codes: Vec<RowKey> = records.values().map(|(code, _)| code.clone()).collect();
        let changed = taken_back(new, |store| marked(store, pilot, entity, &probe, &codes))?;
        for (code, form) in codes.iter().zip(changed) {
            let outcome = match form {
                Some(Ok(form)) => taken_back(legacy, |store| arrives(store, pilot, entity, &probe, &form))?,
                Some(Err(reason)) => Err(reason),
                None => Err("it is gone".into()),
            };
            match outcome {
                Ok(()) => rehearsal.records += 1,
                Err(reason) => rehearsal.failures.push(format!("{} {code}: {reason}", entity.name)),
            }
        }
    }
    Ok(rehearsal)
}

/// The records in the common form, as they would be after the change.
fn marked(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    probe: &Probe,
    codes: &[RowKey],
) -> Result<Vec<Option<Result<Fields, String>>>, EngineError> {
    fence::pass(store, pilot)?;
    let mut side = SideStore { side: Side::New, store, pilot };
    let shape = side.shape(probe.table)?;
    let at = shape.position(probe.column).unwrap_or_default();
    let rows = side.store.read_rows(&shape, codes)?;
    for before in rows.into_iter().flatten() {
        let mut after = before.clone();
        after[at] = Value::text(MARK);
        side.store.write_rows(&[&Change::new(shape.clone(), Some(before), Some(after))?])?;
    }
    let records = side.records(entity, codes)?;
    Ok(records.into_iter().map(|record| record.map(|record| record.form)).collect())
}

/// Whether the changed record arrives, and as the oracle says: the legacy row with nothing but the mark.
fn arrives(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &PilotEntity,
    probe: &Probe,
    form: &Fields,
) -> Result<Result<(), String>, EngineError> {
    let key = RowKey(vec![form.get("id").cloned().unwrap_or_default()]);
    let mut side = SideStore { side: Side::Legacy, store, pilot };
    let shape = side.shape(entity.legacy_table)?;
    let Some(before) = side.store.read_rows(&shape, std::slice::from_ref(&key))?.pop().flatten() else {
        return Ok(Err("the legacy side does not have it".into()));
    };
    let mut shown = Fields::new();
    shown.insert(probe.legacy.to_owned(), Value::text(MARK));
    let Ok(kept) = pilot.kept(entity.name, &shown) else {
        return Ok(Err("the mark cannot be written on the legacy side".into()));
    };
    let mut oracle = before.clone();
    if let (Some(at), Some(value)) = (shape.position(probe.legacy), kept.get(probe.legacy)) {
        oracle[at] = value.clone();
    }
    let after: Vec<Value> =
        shape.columns.iter().map(|column| form.get(&column.name).cloned().unwrap_or_default()).collect();
    fence::pass(side.store, pilot)?;
    let change = Change::new(shape.clone(), Some(before), Some(after))?;
    match side.store.write_rows(&[&change]) {
        Ok(written) if written == [true] => {}
        Ok(_) => return Ok(Err("its legacy row changed at this moment".into())),
        Err(error) if error.class.is_data() => return Ok(Err(error.message)),
        Err(error) => return Err(error.into()),
    }
    let arrived = side.store.read_rows(&shape, std::slice::from_ref(&key))?.pop().flatten();
    if arrived.as_ref() == Some(&oracle) {
        return Ok(Ok(()));
    }
    let differs = arrived.unwrap_or_default().into_iter().zip(oracle).zip(&shape.columns);
    let names: Vec<&str> =
        differs.filter(|((one, other), _)| one != other).map(|(_, column)| column.name.as_str()).collect();
    Ok(Err(format!("after the way back these columns are not what they were: {}", names.join(", "))))
}
