//! Parity: whether two sides hold the same rows, kept up to date by change, and where they differ.
//!
//! Owns the sums of row digests by segment of the keys, the descent to the differing keys, which rows are on their way, and
//! the differing fields. It reads no rows: a caller keeps [`Segments`] current with every change, and hands out the row
//! digests of the few segments that differ. Both sides' rows come in one shape, mapped by the system.
//!
//! **The sum.** A segment's sum is the lane-wise sum, modulo 2^64 in four lanes, of its rows' BLAKE3 digests
//! ([`crate::digest`]): a change subtracts the old digest and adds the new one in each level of the tree, so it costs as
//! many additions as the tree has levels, whatever the table's size. It is a sum and not an exclusive or, so a row that
//! stands twice does not cancel itself. The key is a column of the row, so values swapped between two rows change the
//! sum. Two different tables of rows that nobody chose for the purpose have equal sums with a chance of 2^-256. Against
//! someone who may choose rows freely it is **not** proof: sums of 256 bits can be forged by the generalized birthday
//! attack. It finds accidents, not attacks; a certificate is signed for that reason.
//!
//! **Rows on their way.** A key counts as pending when one of its changes was not carried over before the first row was
//! read, or was made before the last row was read ([`InFlight`]). Such a row may differ without fault.
//!
//! Invariants: kept up to date equals computed anew; the differing keys are named exactly; a pending key is never
//! reported as a difference and hides no other key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::cutover::Side;
use crate::digest::{RowHash, TableHashing};
use crate::flag::bucket::murmur3_32;
use crate::table::TableShape;
use crate::value::Value;

/// Each segment has so many parts: 2^4.
const FAN_OUT_BITS: u32 = 4;

/// The deepest tree: a million segments.
const DEEPEST: u32 = 5;

/// The sums of one side's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// From the whole table to the smallest segments.
    levels: Vec<Vec<TableHashing>>,
}

/// The trees do not have the same depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the two sides' sums have {0} and {1} levels\nhint: make both for the same number of rows, and compute the newer one anew"
)]
pub struct OtherDepth(usize, usize);

/// How many levels a tree for about `rows` rows has: its smallest segments then have about sixteen.
pub fn levels_for(rows: u64) -> u32 {
    1 + (0..DEEPEST).find(|depth| rows >> (FAN_OUT_BITS * depth) <= 16).unwrap_or(DEEPEST)
}

/// The smallest segment of a key ([`crate::table::RowKey::to_text`]) in a tree of so many levels.
pub fn segment_of(key: &str, levels: u32) -> u32 {
    let bits = FAN_OUT_BITS * levels.saturating_sub(1).min(DEEPEST);
    if bits == 0 { 0 } else { murmur3_32(key.as_bytes(), 0) >> (32 - bits) }
}

impl Segments {
    /// An empty table that is to have about `rows` rows.
    pub fn new(rows: u64) -> Self {
        let level = |level: u32| vec![TableHashing::default(); 1 << (FAN_OUT_BITS * level)];
        Self { levels: (0..levels_for(rows)).map(level).collect() }
    }

    /// The smallest segment of a key.
    pub fn segment_of(&self, key: &str) -> u32 {
        segment_of(key, self.levels())
    }

    /// A change of one row: its digest before and after; `None` where there is no row.
    pub fn change(&mut self, key: &str, before: Option<RowHash>, after: Option<RowHash>) {
        let mut segment = self.segment_of(key) as usize;
        for level in self.levels.iter_mut().rev() {
            if let Some(sum) = level.get_mut(segment) {
                before.into_iter().for_each(|row| sum.remove_hash(row));
                after.into_iter().for_each(|row| sum.add_hash(row));
            }
            segment >>= FAN_OUT_BITS;
        }
    }

    /// The sum of the whole table.
    pub fn whole(&self) -> &TableHashing {
        &self.levels[0][0]
    }

    /// How many levels the tree has; the first is the whole table.
    pub fn levels(&self) -> u32 {
        self.levels.len() as u32
    }

    /// Each segment of a level with its sum, but for those without rows and without a trace of any.
    pub fn level(&self, level: u32) -> impl Iterator<Item = (u32, &TableHashing)> {
        let all = self.levels.get(level as usize).into_iter().flatten().enumerate();
        all.filter(|(_, sum)| **sum != TableHashing::default()).map(|(at, sum)| (at as u32, sum))
    }

    /// The smallest segments whose sums differ, and how many sums were looked at.
    ///
    /// # Errors
    /// [`OtherDepth`].
    pub fn differing(&self, other: &Self) -> Result<(Vec<u32>, u64), OtherDepth> {
        if self.levels.len() != other.levels.len() {
            return Err(OtherDepth(self.levels.len(), other.levels.len()));
        }
        descend(self.levels(), |side, level, segments| {
            let sums = &(if side == Side::Legacy { self } else { other }).levels[level as usize];
            Ok(segments.iter().map(|segment| sums[*segment as usize].clone()).collect())
        })
    }
}

/// The segment of the level above.
pub fn parent(segment: u32) -> u32 {
    segment >> FAN_OUT_BITS
}

/// Descends from the whole table to the smallest segments whose sums differ; also tells how many sums of each side were
/// looked at. `sums` gives a side's sums of segments of a level, in the order in which they are asked for.
///
/// # Errors
/// Those of `sums`.
pub fn descend<E>(
    levels: u32,
    mut sums: impl FnMut(Side, u32, &[u32]) -> Result<Vec<TableHashing>, E>,
) -> Result<(Vec<u32>, u64), E> {
    let mut segments = vec![0_u32];
    let mut looked = 0;
    for level in 0..levels {
        if level > 0 {
            let parts =
                |segment: u32| (0..1 << FAN_OUT_BITS).map(move |part| (segment << FAN_OUT_BITS) | part);
            segments = segments.into_iter().flat_map(parts).collect();
        }
        looked += segments.len() as u64;
        let (ours, theirs) = (sums(Side::Legacy, level, &segments)?, sums(Side::New, level, &segments)?);
        let both = segments.iter().zip(ours.iter().zip(&theirs));
        segments = both.filter(|(_, (a, b))| a != b).map(|(segment, _)| *segment).collect();
    }
    Ok((segments, looked))
}

/// The keys whose changes may be on their way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InFlight {
    keys: BTreeSet<String>,
}

impl InFlight {
    /// Adds one side's changes as (key, place), where places are in the order in which changes are carried over.
    /// `carried` is the place up to which they were on the other side **before** the first sum or row was read; the
    /// changes are listed **after** the last one was read.
    pub fn add<'a, P: Ord>(
        &mut self,
        changes: impl IntoIterator<Item = (&'a str, P)>,
        carried: P,
    ) -> &mut Self {
        let on_their_way = changes.into_iter().filter(|(_, place)| *place > carried);
        self.keys.extend(on_their_way.map(|(key, _)| key.to_owned()));
        self
    }
}

/// How a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowDifference {
    /// Only legacy has it.
    OnlyLegacy,
    /// Only new has it.
    OnlyNew,
    /// Both have it, with other values.
    Values,
}

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// The differing keys with no change on its way.
    pub differing: BTreeMap<String, RowDifference>,
    /// The differing keys with a change on its way: to be looked at again.
    pub pending: BTreeSet<String>,
    /// Sums looked at.
    pub sums: u64,
    /// Segments whose rows were read.
    pub segments: u64,
}

/// Compares both sides. `rows` gives the row digests of a side's segment by key.
///
/// # Errors
/// [`OtherDepth`], and those of `rows`.
pub fn compare<E: From<OtherDepth>>(
    legacy: &Segments,
    new: &Segments,
    in_flight: &InFlight,
    mut rows: impl FnMut(Side, u32) -> Result<BTreeMap<String, RowHash>, E>,
) -> Result<Comparison, E> {
    let (segments, sums) = legacy.differing(new)?;
    let mut found = Comparison { sums, segments: segments.len() as u64, ..Comparison::default() };
    for segment in segments {
        found.add(&rows(Side::Legacy, segment)?, &rows(Side::New, segment)?, in_flight);
    }
    Ok(found)
}

impl Comparison {
    /// Compares the rows of one segment, by key.
    pub fn add(
        &mut self,
        ours: &BTreeMap<String, RowHash>,
        theirs: &BTreeMap<String, RowHash>,
        in_flight: &InFlight,
    ) {
        for key in ours.keys().chain(theirs.keys()) {
            let difference = match (ours.get(key), theirs.get(key)) {
                (Some(a), Some(b)) if a == b => continue,
                (Some(_), Some(_)) => RowDifference::Values,
                (Some(_), None) => RowDifference::OnlyLegacy,
                (None, _) => RowDifference::OnlyNew,
            };
            if in_flight.keys.contains(key) {
                self.pending.insert(key.clone());
            } else {
                self.differing.insert(key.clone(), difference);
            }
        }
    }
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDifference {
    /// The column.
    pub column: String,
    /// The legacy value.
    pub legacy: Value,
    /// The new value.
    pub new: Value,
}

/// The fields in which two images of one row differ.
pub fn fields(shape: &TableShape, legacy: &[Value], new: &[Value]) -> Vec<FieldDifference> {
    let value = |image: &[Value], at: usize| image.get(at).cloned().unwrap_or_default();
    let both = shape.columns.iter().enumerate().map(|(at, column)| FieldDifference {
        column: column.name.clone(),
        legacy: value(legacy, at),
        new: value(new, at),
    });
    both.filter(|field| field.legacy != field.new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{name_order, row_hash};
    use crate::table::{Column, ColumnType};
    use proptest::prelude::*;

    type Rows = BTreeMap<String, [u8; 3]>;

    fn shape() -> TableShape {
        let column = |name: &str| Column {
            name: name.into(),
            column_type: ColumnType::Text,
            declared: "text".into(),
            nullable: true,
        };
        TableShape {
            name: "customers".into(),
            columns: ["id", "b", "a", "c"].map(column).into(),
            key: vec![0],
        }
    }

    fn image(key: &str, row: [u8; 3]) -> Vec<Value> {
        let cell = |value: u8| if value == 0 { Value::Null } else { Value::Integer(value.into()) };
        [Value::text(key)].into_iter().chain(row.map(cell)).collect()
    }

    fn hash(key: &str, row: [u8; 3]) -> RowHash {
        row_hash(&shape(), &name_order(&shape()), &image(key, row))
    }

    fn hashes(rows: &Rows) -> BTreeMap<String, RowHash> {
        rows.iter().map(|(key, row)| (key.clone(), hash(key, *row))).collect()
    }

    fn anew(rows: &Rows, size: u64) -> Segments {
        let mut segments = Segments::new(size);
        hashes(rows).into_iter().for_each(|(key, row)| segments.change(&key, None, Some(row)));
        segments
    }

    fn compared(legacy: (&Segments, &Rows), new: (&Segments, &Rows), in_flight: &InFlight) -> Comparison {
        let (ours, theirs) = (hashes(legacy.1), hashes(new.1));
        let pick = |side, segment| {
            let all = if side == Side::Legacy { &ours } else { &theirs };
            let of = all.iter().filter(|(key, _)| legacy.0.segment_of(key) == segment);
            Ok::<_, OtherDepth>(of.map(|(key, row)| (key.clone(), *row)).collect())
        };
        compare(legacy.0, new.0, in_flight, pick).unwrap()
    }

    fn set(rows: &mut Rows, segments: &mut Segments, key: &str, row: Option<[u8; 3]>) {
        let before = rows.get(key).map(|row| hash(key, *row));
        segments.change(key, before, row.map(|row| hash(key, row)));
        match row {
            Some(row) => drop(rows.insert(key.to_owned(), row)),
            None => drop(rows.remove(key)),
        }
    }

    fn rows() -> impl Strategy<Value = Rows> {
        prop::collection::btree_map("[a-z]{1,4}", any::<[u8; 3]>(), 0..120)
    }

    fn edits() -> impl Strategy<Value = Vec<(String, Option<[u8; 3]>)>> {
        prop::collection::vec(("[a-z]{1,2}", prop::option::of(any::<[u8; 3]>())), 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Kept up to date equals computed anew, and the descent names exactly the keys that brute force names.
        #[test]
        fn incremental_equals_anew_and_the_differing_keys_are_exact(
            start in rows(), edits in edits(), size in prop::sample::select(vec![1_u64, 300, 5_000]),
        ) {
            let mut new = start.clone();
            let mut kept = anew(&start, size);
            for (key, row) in &edits {
                set(&mut new, &mut kept, key, *row);
            }
            prop_assert_eq!(&kept, &anew(&new, size));
            let found = compared((&anew(&start, size), &start), (&kept, &new), &InFlight::default());
            let keys: BTreeSet<&String> = start.keys().chain(new.keys()).collect();
            let brute: Vec<&String> = keys.into_iter().filter(|key| start.get(*key) != new.get(*key)).collect();
            prop_assert_eq!(found.differing.keys().collect::<Vec<_>>(), brute);
            prop_assert_eq!(start == new, kept.whole() == anew(&start, size).whole());
        }

        /// Any single field that changed is found and named.
        #[test]
        fn a_single_field_is_found(start in rows(), at in 0_usize..120, column in 0_usize..3, by in 1_u8..=255) {
            prop_assume!(!start.is_empty());
            let key = start.keys().nth(at % start.len()).unwrap().clone();
            let mut new = start.clone();
            new.get_mut(&key).unwrap()[column] ^= by;
            let found = compared((&anew(&start, 300), &start), (&anew(&new, 300), &new), &InFlight::default());
            prop_assert_eq!(found.differing, BTreeMap::from([(key.clone(), RowDifference::Values)]));
            let named = fields(&shape(), &image(&key, start[&key]), &image(&key, new[&key]));
            prop_assert_eq!(named.len(), 1);
            prop_assert_eq!(&named[0].column, ["b", "a", "c"][column]);
        }

        /// Whatever is written and carried while both sides are read at different moments: no false alarm; and once
        /// everything is quiet a planted difference is found, and nothing else.
        #[test]
        fn rows_on_their_way_are_no_alarm_and_hide_nothing(
            start in rows(), edits in edits(), carries in prop::collection::vec(any::<bool>(), 60),
            mut moments in prop::array::uniform3(0_usize..60), planted in "[A-Z]{2}",
        ) {
            moments.sort_unstable();
            let (mut legacy, mut new) = (start.clone(), start.clone());
            let (mut ours, mut theirs) = (anew(&start, 300), anew(&start, 300));
            let mut carried = 0_usize;
            let carry = |new: &mut Rows, theirs: &mut Segments, carried: &mut usize| {
                let (key, row) = &edits[*carried];
                set(new, theirs, key, *row);
                *carried += 1;
            };
            let (mut before, mut read_legacy, mut read_new) = (0, (ours.clone(), legacy.clone()), (theirs.clone(), new.clone()));
            for moment in 0..edits.len() {
                if moment == moments[0].min(edits.len()) { before = carried; read_legacy = (ours.clone(), legacy.clone()); }
                if moment <= moments[1] { read_new = (theirs.clone(), new.clone()); }
                if moment == moments[2] || moment + 1 == edits.len() {
                    let changes = edits[..moment].iter().enumerate().map(|(at, (key, _))| (key.as_str(), at as u64 + 1));
                    let mut in_flight = InFlight::default();
                    in_flight.add(changes, before as u64);
                    if moments[1] >= moments[0] && moment >= moments[1] {
                        let found = compared((&read_legacy.0, &read_legacy.1), (&read_new.0, &read_new.1), &in_flight);
                        prop_assert!(found.differing.is_empty(), "{found:?}");
                    }
                }
                set(&mut legacy, &mut ours, &edits[moment].0, edits[moment].1);
                if carries[moment] { carry(&mut new, &mut theirs, &mut carried); }
            }
            while carried < edits.len() { carry(&mut new, &mut theirs, &mut carried); }
            set(&mut new, &mut theirs, &planted, Some([1, 2, 3]));
            let mut in_flight = InFlight::default();
            in_flight.add(edits.iter().enumerate().map(|(at, (key, _))| (key.as_str(), at as u64 + 1)), carried as u64);
            let found = compared((&ours, &legacy), (&theirs, &new), &in_flight);
            prop_assert_eq!(found.differing, BTreeMap::from([(planted, RowDifference::OnlyNew)]));
            prop_assert!(found.pending.is_empty());
        }
    }

    #[test]
    fn a_change_among_a_hundred_thousand_rows_reads_one_segment() {
        let rows: Rows = (0..100_000_u32)
            .map(|key| (format!("[{key}]"), key.to_le_bytes()[..3].try_into().unwrap()))
            .collect();
        let (legacy, mut theirs, mut new) = (anew(&rows, 100_000), anew(&rows, 100_000), rows.clone());
        set(&mut new, &mut theirs, "[77]", None);
        let (segments, looked) = legacy.differing(&theirs).unwrap();
        assert_eq!(
            (segments, looked),
            (vec![legacy.segment_of("[77]")], 1 + 16 * (legacy.levels.len() as u64 - 1))
        );
        assert!(Segments::new(10).differing(&legacy).is_err());
    }
}
