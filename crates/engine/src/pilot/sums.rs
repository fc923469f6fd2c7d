//! Digests and sums as they are stored.
//!
//! Owns reading and writing the tables of parity. It computes nothing but the sums that a change of records makes.

use std::collections::BTreeMap;

use plimsoll_core::digest::{RowHash, TableHashing};
use plimsoll_core::pilot::parity::{parent, segment_of};
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use crate::change::cells::Cells;
use crate::error::EngineError;

/// Parameters of one statement at most.
const PARAMETERS: usize = 400;

/// A record's digest as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its key on this side, as text.
    pub(crate) row_key: String,
    /// Its key in the common form, as text.
    pub(crate) record_key: String,
    /// Its digest.
    pub(crate) hash: RowHash,
}

impl Stored {
    /// The row of `plimsoll_parity_record`.
    pub(crate) fn row(&self, entity: &str, levels: u32) -> Vec<Value> {
        let segment = segment_of(&self.record_key, levels);
        let mut row = vec![
            Value::text(entity),
            Value::text(&self.row_key),
            Value::text(&self.record_key),
            Value::Integer(segment.into()),
        ];
        row.extend(self.hash.lanes().map(lane));
        row
    }
}

pub(crate) const RECORD_COLUMNS: &[&str] =
    &["entity", "row_key", "record_key", "segment", "lane_1", "lane_2", "lane_3", "lane_4"];

pub(crate) const SUM_COLUMNS: &[&str] =
    &["entity", "level", "segment", "records", "lane_1", "lane_2", "lane_3", "lane_4"];

/// A lane as the number with the same bits.
fn lane(bits: u64) -> Value {
    Value::Integer(bits.cast_signed())
}

fn lanes(row: &Cells, first: usize) -> Result<[u64; 4], EngineError> {
    let mut lanes = [0; 4];
    for (at, lane) in lanes.iter_mut().enumerate() {
        *lane = row.integer(first + at)?.cast_unsigned();
    }
    Ok(lanes)
}

/// The row of `plimsoll_parity_sum`.
pub(crate) fn sum_row(entity: &str, level: u32, segment: u32, sum: &TableHashing) -> Vec<Value> {
    let (bits, records) = sum.parts();
    let numbers = [level.into(), segment.into(), i64::try_from(records).unwrap_or(i64::MAX)];
    let mut row = vec![Value::text(entity)];
    row.extend(numbers.map(Value::Integer));
    row.extend(bits.map(lane));
    row
}

fn marks(first: usize, count: usize) -> String {
    (first..first + count).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ")
}

/// Stored digests by the key on this side.
pub(crate) fn stored(
    store: &mut dyn Store,
    entity: &str,
    row_keys: &[&str],
) -> Result<BTreeMap<String, Stored>, EngineError> {
    let mut found = BTreeMap::new();
    for chunk in row_keys.chunks(PARAMETERS) {
        let sql = format!(
            "SELECT row_key, record_key, lane_1, lane_2, lane_3, lane_4 FROM plimsoll_parity_record
             WHERE entity = $1 AND row_key IN ({})",
            marks(2, chunk.len())
        );
        let mut parameters = vec![Value::text(entity)];
        parameters.extend(chunk.iter().map(|key| Value::text(*key)));
        for row in store.query(&sql, &parameters)? {
            let one = one_stored(&Cells(row))?;
            found.insert(one.row_key.clone(), one);
        }
    }
    Ok(found)
}

/// Stored digests by segment, of these segments.
pub(crate) fn stored_of_segments(
    store: &mut dyn Store,
    entity: &str,
    segments: &[u32],
) -> Result<BTreeMap<u32, Vec<Stored>>, EngineError> {
    let mut found: BTreeMap<u32, Vec<Stored>> = BTreeMap::new();
    for chunk in segments.chunks(PARAMETERS) {
        let sql = format!(
            "SELECT row_key, record_key, lane_1, lane_2, lane_3, lane_4, segment FROM plimsoll_parity_record
             WHERE entity = $1 AND segment IN ({})",
            marks(2, chunk.len())
        );
        let mut parameters = vec![Value::text(entity)];
        parameters.extend(chunk.iter().map(|segment| Value::Integer((*segment).into())));
        for row in store.query(&sql, &parameters)?.into_iter().map(Cells) {
            let segment = u32::try_from(row.integer(6)?).unwrap_or(u32::MAX);
            found.entry(segment).or_default().push(one_stored(&row)?);
        }
    }
    Ok(found)
}

fn one_stored(row: &Cells) -> Result<Stored, EngineError> {
    let hash = RowHash::from_lanes(lanes(row, 2)?);
    Ok(Stored { row_key: row.text(0)?, record_key: row.text(1)?, hash })
}

/// Sums of segments of a level, in the order in which they are asked for; empty where none is stored.
pub(crate) fn sums(
    store: &mut dyn Store,
    entity: &str,
    level: u32,
    segments: &[u32],
) -> Result<Vec<TableHashing>, EngineError> {
    let mut found = BTreeMap::new();
    for chunk in segments.chunks(PARAMETERS) {
        let sql = format!(
            "SELECT segment, records, lane_1, lane_2, lane_3, lane_4 FROM plimsoll_parity_sum
             WHERE entity = $1 AND level = $2 AND segment IN ({})",
            marks(3, chunk.len())
        );
        let mut parameters = vec![Value::text(entity), Value::Integer(level.into())];
        parameters.extend(chunk.iter().map(|segment| Value::Integer((*segment).into())));
        for row in store.query(&sql, &parameters)?.into_iter().map(Cells) {
            let sum = TableHashing::from_parts(lanes(&row, 2)?, row.count(1)?);
            found.insert(row.integer(0)?, sum);
        }
    }
    Ok(segments.iter().map(|segment| found.remove(&i64::from(*segment)).unwrap_or_default()).collect())
}

/// What changed of records: digests before and after, by key on this side.
#[derive(Debug, Default)]
pub(crate) struct Changes(pub(crate) Vec<(Option<Stored>, Option<Stored>)>);

impl Changes {
    /// Writes the digests, and the sums of every segment that they are in.
    pub(crate) fn write(&self, store: &mut dyn Store, entity: &str, levels: u32) -> Result<u64, EngineError> {
        let changed: Vec<_> = self.0.iter().filter(|(before, after)| before != after).collect();
        let written = changed.iter().filter_map(|(_, after)| after.as_ref());
        let rows: Vec<Vec<Value>> = written.map(|after| after.row(entity, levels)).collect();
        upsert(store, "plimsoll_parity_record", RECORD_COLUMNS, 2, &rows)?;
        let gone = changed.iter().filter(|(_, after)| after.is_none());
        let gone: Vec<&str> =
            gone.filter_map(|(before, _)| before.as_ref()).map(|one| one.row_key.as_str()).collect();
        for chunk in gone.chunks(PARAMETERS) {
            let sql = format!(
                "DELETE FROM plimsoll_parity_record WHERE entity = $1 AND row_key IN ({})",
                marks(2, chunk.len())
            );
            let mut parameters = vec![Value::text(entity)];
            parameters.extend(chunk.iter().map(|key| Value::text(*key)));
            store.execute(&sql, &parameters)?;
        }
        for level in 0..levels {
            let place = |one: &Stored| {
                (level + 1..levels).fold(segment_of(&one.record_key, levels), |segment, _| parent(segment))
            };
            let before = changed.iter().filter_map(|(before, _)| before.as_ref());
            let after = changed.iter().filter_map(|(_, after)| after.as_ref());
            let mut segments: Vec<u32> = before.clone().chain(after.clone()).map(place).collect();
            segments.sort_unstable();
            segments.dedup();
            let now = sums(store, entity, level, &segments)?;
            let mut now: BTreeMap<u32, TableHashing> = segments.into_iter().zip(now).collect();
            before.for_each(|one| now.entry(place(one)).or_default().remove_hash(one.hash));
            after.for_each(|one| now.entry(place(one)).or_default().add_hash(one.hash));
            let rows: Vec<Vec<Value>> =
                now.iter().map(|(segment, sum)| sum_row(entity, level, *segment, sum)).collect();
            upsert(store, "plimsoll_parity_sum", SUM_COLUMNS, 3, &rows)?;
        }
        Ok(changed.len() as u64)
    }
}

/// Writes rows whose first `keys` columns are the key, many in one statement; no key may be there twice.
fn upsert(
    store: &mut dyn Store,
    table: &str,
    columns: &[&str],
    keys: usize,
    rows: &[Vec<Value>],
) -> Result<(), EngineError> {
    let updates: Vec<String> =
        columns[keys..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    for chunk in rows.chunks(PARAMETERS / columns.len()) {
        let tuples: Vec<String> = (0..chunk.len())
            .map(|at| format!("({})", marks(1 + at * columns.len(), columns.len())))
            .collect();
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES {} ON CONFLICT ({}) DO UPDATE SET {}",
            columns.join(", "),
            tuples.join(", "),
            columns[..keys].join(", "),
            updates.join(", ")
        );
        let parameters: Vec<Value> = chunk.iter().flatten().cloned().collect();
        store.execute(&sql, &parameters)?;
    }
    Ok(())
}
