//! Keeping sums: anew from all records, or by what changed since.
//!
//! Owns both ways and the place in the outbox up to which sums are kept.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::parity::{Segments, levels_for};
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, in_transaction};

use super::declare::PilotEntity;
use super::record::{Record, SideStore};
use super::sums::{Changes, RECORD_COLUMNS, SUM_COLUMNS, Stored, stored, sum_row};
use crate::capture::Place;
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::{Progress, ProgressSink};

/// Records that are read at once.
const PAGE: u64 = 1_000;

/// Where the sums of a side stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The place in the outbox.
    pub place: Place,
    /// Levels of the trees.
    pub levels: u32,
}

/// What following did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Followed {
    /// Lines of the outbox that were read.
    pub lines: u64,
    /// Records whose digest changed.
    pub records: u64,
    /// Where it stands now.
    pub place: Place,
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Legacy => "legacy",
        Side::New => "new",
    }
}

/// Where the sums of a side stand; none when they were never computed.
///
/// # Errors
/// When the store fails.
pub fn kept(store: &mut dyn Store, side: Side) -> Result<Option<Kept>, EngineError> {
    let sql = "SELECT writer, position, expected_records FROM plimsoll_parity_place WHERE side = $1";
    let row = store.query(sql, &[Value::text(side_name(side))])?.into_iter().next().map(Cells);
    row.map(|row| {
        let place = Place { writer: row.integer(0)?, position: row.integer(1)? };
        Ok(Kept { place, levels: levels_for(row.count(2)?) })
    })
    .transpose()
}

/// Computes all sums anew, for trees of about `expected` records; returns how many records there are. Both sides must
/// expect the same.
///
/// # Errors
/// When the store fails; then the sums are as they were.
pub fn build(side: &mut SideStore<'_>, expected: u64, progress: &ProgressSink) -> Result<u64, EngineError> {
    let (which, pilot) = (side.side, side.pilot);
    in_transaction(&mut *side.store, Access::ReadWrite, |store| {
        let mut side = SideStore { side: which, store, pilot };
        // Taken before the first record is read: what changes meanwhile is followed afterwards.
        let place = pilot.outbox().end(side.store)?;
        for table in ["plimsoll_parity_record", "plimsoll_parity_sum"] {
            side.store.execute(&format!("DELETE FROM {table}"), &[])?;
        }
        let mut done = 0;
        for entity in pilot.entities() {
            let mut segments = Segments::new(expected);
            let mut after: Option<RowKey> = None;
            loop {
                let keys = side.keys_after(entity, after.as_ref(), PAGE)?;
                if keys.is_empty() {
                    break;
                }
                let records = side.records(entity, &keys)?;
                let found =
                    keys.iter().zip(&records).filter_map(|(key, record)| Some((key, record.as_ref()?)));
                let digests: Vec<Stored> = found.map(|(key, record)| digest_of(key, record)).collect();
                for one in &digests {
                    segments.change(&one.record_key, None, Some(one.hash));
                }
                let levels = segments.levels();
                let rows: Vec<Vec<Value>> = digests.iter().map(|one| one.row(entity.name, levels)).collect();
                side.store.append("plimsoll_parity_record", RECORD_COLUMNS, &rows)?;
                done += rows.len() as u64;
                progress(&Progress { phase: "comparing", done, total: None, eta_ms: None });
                after = keys.into_iter().next_back();
            }
            for level in 0..segments.levels() {
                let rows: Vec<Vec<Value>> = segments
                    .level(level)
                    .map(|(segment, sum)| sum_row(entity.name, level, segment, sum))
                    .collect();
                side.store.append("plimsoll_parity_sum", SUM_COLUMNS, &rows)?;
            }
        }
        write_place(side.store, which, place, expected)?;
        // A planner that knows nothing of a million new rows reads all of them for each segment.
        for table in ["plimsoll_parity_record", "plimsoll_parity_sum"] {
            side.store.execute(&format!("ANALYZE {table}"), &[])?;
        }
        Ok(done)
    })
}

/// Brings the sums up to the changes of at most `limit` lines, in one transaction.
///
/// # Errors
/// Usage when the sums were never computed; when the store fails, the sums are as they were.
pub fn follow(side: &mut SideStore<'_>, limit: u64) -> Result<Followed, EngineError> {
    let (which, pilot) = (side.side, side.pilot);
    in_transaction(&mut *side.store, Access::ReadWrite, |store| {
        let mut side = SideStore { side: which, store, pilot };
        let kept = kept(side.store, which)?.ok_or_else(|| {
            EngineError::usage("the sums were never computed\nhint: compute them anew once")
        })?;
        let lines = pilot.outbox().read(side.store, kept.place, limit)?;
        let Some(last) = lines.last() else {
            return Ok(Followed { place: kept.place, ..Followed::default() });
        };
        let mut touched: BTreeMap<&'static str, (&'static PilotEntity, BTreeSet<String>)> = BTreeMap::new();
        for line in &lines {
            if let Some(entity) = side.entity_of(&line.table) {
                touched.entry(entity.name).or_insert((entity, BTreeSet::new())).1.insert(line.key.to_text());
            }
        }
        let mut records = 0;
        for (entity, texts) in touched.into_values() {
            records += refresh(&mut side, entity, &texts, kept.levels)?;
        }
        let sql = "UPDATE plimsoll_parity_place SET writer = $1, position = $2 WHERE side = $3";
        let (writer, position) = (Value::Integer(last.place.writer), Value::Integer(last.place.position));
        side.store.execute(sql, &[writer, position, Value::text(side_name(which))])?;
        Ok(Followed { lines: lines.len() as u64, records, place: last.place })
    })
}

/// Follows until nothing is left to be read.
///
/// # Errors
/// As [`follow`].
pub fn catch_up(side: &mut SideStore<'_>) -> Result<Followed, EngineError> {
    let mut all = Followed::default();
    loop {
        let step = follow(side, PAGE)?;
        all = Followed {
            lines: all.lines + step.lines,
            records: all.records + step.records,
            place: step.place,
        };
        if step.lines < PAGE {
            return Ok(all);
        }
    }
}

/// Computes the digests of these records anew; `texts` are their keys on this side. Returns how many changed.
fn refresh(
    side: &mut SideStore<'_>,
    entity: &PilotEntity,
    texts: &BTreeSet<String>,
    levels: u32,
) -> Result<u64, EngineError> {
    let keys: Vec<RowKey> = texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?;
    let known: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut before = stored(side.store, entity.name, &known)?;
    let now = side.records(entity, &keys)?;
    let changes = texts.iter().zip(&keys).zip(&now).map(|((text, key), record)| {
        (before.remove(text), record.as_ref().map(|record| digest_of(key, record)))
    });
    Changes(changes.collect()).write(side.store, entity.name, levels)
}

fn digest_of(key: &RowKey, record: &Record) -> Stored {
    Stored { row_key: key.to_text(), record_key: record.record_key.to_text(), hash: record.hash() }
}

fn write_place(store: &mut dyn Store, side: Side, place: Place, expected: u64) -> Result<(), EngineError> {
    let sql =
        "INSERT INTO plimsoll_parity_place (side, writer, position, expected_records) VALUES ($1, $2, $3, $4)
               ON CONFLICT (side) DO UPDATE SET writer = excluded.writer, position = excluded.position,
               expected_records = excluded.expected_records";
    let parameters = [
        Value::text(side_name(side)),
        Value::Integer(place.writer),
        Value::Integer(place.position),
        number(expected),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}
