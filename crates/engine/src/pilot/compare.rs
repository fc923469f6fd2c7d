//! Comparing both sides: by their sums, down to the records and fields that differ.
//!
//! Owns the order of the steps, in which no record that is on its way is taken for a difference:
//! 1. the caller knows how far each side's changes were carried over;
//! 2. both sides' sums are brought up to every change so far;
//! 3. sums and digests are read, each side in one snapshot, and only where they differ;
//! 4. what was seen to change after the place that was both carried over and summed up counts as on its way.
//!
//! A record whose form depends on another one (an order on its customer's number) is captured itself when it gets its own
//! number, which it does after that one; so no sum is out of date by a change of another record.

use std::collections::BTreeMap;

use plimsoll_core::digest::{RowHash, TableHashing};
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::parity::{Comparison, InFlight, RowDifference, descend};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::Access;
use serde::Serialize;

use super::declare::PilotEntity;
use super::follow::{Kept, catch_up, kept};
use super::record::{Record, SideStore};
use super::sums::{Stored, stored, stored_of_segments, sums};
use crate::capture::Place;
use crate::error::EngineError;

/// How far each side's changes were carried over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Through {
    /// Of the legacy side's outbox.
    pub legacy: Place,
    /// Of the new side's.
    pub new: Place,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DifferingField {
    /// The legacy column.
    pub column: String,
    /// The legacy value.
    pub legacy: Value,
    /// What the new side would write there.
    pub new: Value,
}

/// A record that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its key in the common form.
    pub record: RowKey,
    /// How it differs.
    pub how: RowDifference,
    /// The fields, where both sides have it.
    pub fields: Vec<DifferingField>,
    /// Why the new side's record cannot be carried, where it cannot.
    pub reason: Option<String>,
    /// Its key on the new side, where it is there.
    pub new_key: Option<RowKey>,
}

/// What a comparison of one entity found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EntityParity {
    /// The entity.
    pub entity: String,
    /// Records of the legacy side.
    pub legacy_records: u64,
    /// Records of the new side.
    pub new_records: u64,
    /// Records that differ without a change on its way.
    pub differing: u64,
    /// The first of them, with their fields.
    pub shown: Vec<Difference>,
    /// Records that differ and have a change on its way.
    pub pending: u64,
    /// Sums of each side that were looked at.
    pub sums: u64,
    /// Segments whose digests were read.
    pub segments: u64,
}

impl EntityParity {
    /// Whether nothing differs and nothing is on its way.
    pub fn is_equal(&self) -> bool {
        self.differing == 0 && self.pending == 0
    }
}

/// Compares every entity; `shown` is how many differing records are read and told with their fields, for each entity.
///
/// # Errors
/// Usage when sums were never computed, or for another number of records; when a store fails.
pub fn compare(
    legacy: &mut SideStore<'_>,
    new: &mut SideStore<'_>,
    carried: Through,
    shown: usize,
) -> Result<Vec<EntityParity>, EngineError> {
    let followed = (catch_up(legacy)?.place, catch_up(new)?.place);
    let levels = (levels(legacy)?, levels(new)?);
    if levels.0 != levels.1 {
        return Err(EngineError::usage(format!(
            "the two sides' sums have {} and {} levels\nhint: compute both anew for the same number of records",
            levels.0, levels.1
        )));
    }
    let pilot = legacy.pilot;
    let mut found = Vec::new();
    for entity in pilot.entities() {
        found.push((entity, Found::read(entity, legacy, new, levels.0)?));
    }
    let since = (carried.legacy.min(followed.0), carried.new.min(followed.1));
    let ours = on_their_way(legacy, since.0)?;
    let theirs = on_their_way(new, since.1)?;
    let mut all = Vec::new();
    for (entity, found) in found {
        let mut in_flight = InFlight::default();
        for keys in [ours.get(entity.name), theirs.get(entity.name)].into_iter().flatten() {
            in_flight.add(keys.iter().map(|key| (key.as_str(), 1)), 0);
        }
        all.push(found.judge(entity, legacy, new, &in_flight, shown)?);
    }
    Ok(all)
}

fn levels(side: &mut SideStore<'_>) -> Result<u32, EngineError> {
    let kept: Option<Kept> = kept(side.store, side.side)?;
    kept.map(|kept| kept.levels).ok_or_else(|| EngineError::usage("the sums were never computed"))
}

/// The digests of the segments that differ.
struct Found {
    legacy_records: u64,
    new_records: u64,
    sums: u64,
    segments: Vec<(Vec<Stored>, Vec<Stored>)>,
}

impl Found {
    fn read(
        entity: &PilotEntity,
        legacy: &mut SideStore<'_>,
        new: &mut SideStore<'_>,
        levels: u32,
    ) -> Result<Self, EngineError> {
        legacy.store.begin(Access::ReadOnly)?;
        new.store.begin(Access::ReadOnly)?;
        let read = Self::read_snapshots(entity, legacy, new, levels);
        // Nothing was written; the first error is the one to tell.
        let ended = legacy.store.rollback().and(new.store.rollback());
        let read = read?;
        ended?;
        Ok(read)
    }

    fn read_snapshots(
        entity: &PilotEntity,
        legacy: &mut SideStore<'_>,
        new: &mut SideStore<'_>,
        levels: u32,
    ) -> Result<Self, EngineError> {
        let name = entity.name;
        let count = |whole: Vec<TableHashing>| whole.first().map_or(0, |sum| sum.parts().1);
        let legacy_records = count(sums(legacy.store, name, 0, &[0])?);
        let new_records = count(sums(new.store, name, 0, &[0])?);
        let (differing, looked) = descend(levels, |side, level, segments| match side {
            Side::Legacy => sums(legacy.store, name, level, segments),
            Side::New => sums(new.store, name, level, segments),
        })?;
        let mut ours = stored_of_segments(legacy.store, name, &differing)?;
        let mut theirs = stored_of_segments(new.store, name, &differing)?;
        let both = |segment: &u32| {
            (ours.remove(segment).unwrap_or_default(), theirs.remove(segment).unwrap_or_default())
        };
        let segments = differing.iter().map(both).collect();
        Ok(Self { legacy_records, new_records, sums: looked, segments })
    }

    fn judge(
        self,
        entity: &PilotEntity,
        legacy: &mut SideStore<'_>,
        new: &mut SideStore<'_>,
        in_flight: &InFlight,
        shown: usize,
    ) -> Result<EntityParity, EngineError> {
        let mut comparison = Comparison::default();
        let mut new_keys: BTreeMap<String, String> = BTreeMap::new();
        for (ours, theirs) in &self.segments {
            comparison.add(&by_record(ours), &by_record(theirs), in_flight);
            new_keys.extend(theirs.iter().map(|one| (one.record_key.clone(), one.row_key.clone())));
        }
        let mut parity = EntityParity {
            entity: entity.name.to_owned(),
            legacy_records: self.legacy_records,
            new_records: self.new_records,
            differing: comparison.differing.len() as u64,
            pending: comparison.pending.len() as u64,
            sums: self.sums,
            segments: self.segments.len() as u64,
            shown: Vec::new(),
        };
        for (text, how) in comparison.differing.iter().take(shown) {
            let record: RowKey = serde_json::from_str(text)?;
            let new_key: Option<RowKey> =
                new_keys.get(text).map(|text| serde_json::from_str(text)).transpose()?;
            let theirs = match &new_key {
                Some(key) => one(new, entity, key)?,
                None => None,
            };
            let ours = match how {
                RowDifference::OnlyNew => None,
                RowDifference::OnlyLegacy | RowDifference::Values => one(legacy, entity, &record)?,
            };
            let (fields, reason) = match (ours.map(|one| one.form), theirs.map(|one| one.form)) {
                (_, Some(Err(reason))) => (Vec::new(), Some(reason)),
                (Some(Ok(ours)), Some(Ok(theirs))) => (differing_fields(&ours, &theirs), None),
                _ => (Vec::new(), None),
            };
            parity.shown.push(Difference { record, how: *how, fields, reason, new_key });
        }
        Ok(parity)
    }
}

/// Digests by record. Records that share a key, which the database should forbid, count as one that no other equals.
fn by_record(stored: &[Stored]) -> BTreeMap<String, RowHash> {
    let mut all: BTreeMap<String, RowHash> = BTreeMap::new();
    for one in stored {
        let lanes = all.get(&one.record_key).map_or([0; 4], |earlier| earlier.lanes());
        let mut sum = one.hash.lanes();
        sum.iter_mut().zip(lanes).for_each(|(lane, more)| *lane = lane.wrapping_add(more));
        all.insert(one.record_key.clone(), RowHash::from_lanes(sum));
    }
    all
}

fn one(side: &mut SideStore<'_>, entity: &PilotEntity, key: &RowKey) -> Result<Option<Record>, EngineError> {
    Ok(side.records(entity, std::slice::from_ref(key))?.pop().flatten())
}

fn differing_fields(legacy: &Fields, new: &Fields) -> Vec<DifferingField> {
    let mut names: Vec<&String> = legacy.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let value = |fields: &Fields, name: &String| fields.get(name).cloned().unwrap_or_default();
    let both = names.into_iter().map(|name| DifferingField {
        column: name.clone(),
        legacy: value(legacy, name),
        new: value(new, name),
    });
    both.filter(|field| field.legacy != field.new).collect()
}

/// The keys, in the common form, of records that were seen to change after a place, by entity.
fn on_their_way(
    side: &mut SideStore<'_>,
    after: Place,
) -> Result<BTreeMap<&'static str, Vec<String>>, EngineError> {
    let lines = side.pilot.outbox().seen(side.store, after)?;
    let mut touched: BTreeMap<&'static str, (&'static PilotEntity, Vec<RowKey>)> = BTreeMap::new();
    let mut keys: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for line in lines {
        let Some(entity) = side.entity_of(&line.table) else { continue };
        if let Some(number) = line.counterpart {
            keys.entry(entity.name).or_default().push(RowKey(vec![Value::Integer(number)]).to_text());
        }
        touched.entry(entity.name).or_insert((entity, Vec::new())).1.push(line.key);
    }
    for (entity, mut changed) in touched.into_values() {
        changed.sort_by_cached_key(RowKey::to_text);
        changed.dedup();
        let all = keys.entry(entity.name).or_default();
        // As it was summed up, and as it is.
        let texts: Vec<String> = changed.iter().map(RowKey::to_text).collect();
        let known: Vec<&str> = texts.iter().map(String::as_str).collect();
        all.extend(stored(side.store, entity.name, &known)?.into_values().map(|one| one.record_key));
        let now = side.records(entity, &changed)?;
        all.extend(now.into_iter().flatten().map(|record| record.record_key.to_text()));
        all.extend(texts);
    }
    Ok(keys)
}
