//! Attempts: writing items of a batch on trial, and how each of them then stands.
//!
//! Owns compare-and-set of items inside savepoints, and the difference between a row that moved (conflict), a
//! row that is there already (no-op) and a row that the database refuses (fault). Which items are tried is
//! decided by [`plimsoll_core::isolate`]; what becomes of them is `batch`'s.
//!
//! Invariants:
//! - An item ends as it would if the items before it were applied one by one: neither the rows that a
//!   conflicted item wrote until its conflict was found nor those of later items decide about it.
//! - A row that moved is a conflict also where the item would be refused for another reason.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use plimsoll_core::change::{Change, ChangeKind};
use plimsoll_core::isolate::Attempts;
use plimsoll_core::table::{Image, RowKey, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::{Store, StoreError};

use super::plan::StoredItem;
use crate::error::EngineError;

/// How an item of the current attempt stands.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    Applied { noop_positions: Vec<u64>, rows: u64 },
    Noop,
    Conflicted(String),
}

/// A row by table and key.
type Row<'batch> = (&'batch str, RowKey);

fn row_of(change: &Change) -> Row<'_> {
    (change.table.name.as_str(), change.key())
}

/// The items of one batch, tried on a store.
pub(super) struct BatchAttempts<'batch> {
    store: &'batch mut dyn Store,
    items: &'batch [StoredItem],
    /// By item; `None` while it is not applied.
    standing: Vec<Option<Standing>>,
    /// Nothing is applied since the batch began, so its own savepoint serves the attempt too.
    fresh: bool,
    /// Which items change a row, made when it is first asked for.
    items_by_row: Option<HashMap<Row<'batch>, Vec<usize>>>,
}

/// A data error is the fault of an item; anything else stops the batch.
fn split(error: StoreError) -> Result<StoreError, EngineError> {
    if error.class.is_data() { Ok(error) } else { Err(error.into()) }
}

impl<'batch> BatchAttempts<'batch> {
    /// Nothing tried yet; the savepoint `batch` was set just before.
    pub(super) fn new(store: &'batch mut dyn Store, items: &'batch [StoredItem]) -> Self {
        let standing = items.iter().map(|_| None).collect();
        Self { store, items, standing, fresh: true, items_by_row: None }
    }

    /// How the items that are applied stand, by item.
    pub(super) fn into_standing(self) -> Vec<Option<Standing>> {
        self.standing
    }

    /// The savepoint that the current attempt returns to.
    fn base(&self) -> &'static str {
        if self.fresh { "batch" } else { "attempt" }
    }

    /// Writes the items, leaving out those that turn out to be in conflict.
    fn try_items(&mut self, items: &[usize]) -> Result<Vec<(usize, Standing)>, StoreError> {
        let mut conflicted: HashMap<usize, Standing> = HashMap::new();
        loop {
            let active: Vec<usize> =
                items.iter().copied().filter(|item| !conflicted.contains_key(item)).collect();
            let more = match self.write(&active) {
                Ok((mut standing, more)) if more.is_empty() => {
                    standing.extend(conflicted);
                    return Ok(standing);
                }
                Ok((_, more)) => more,
                Err(error) if error.class.is_data() => {
                    // It may have failed with what an item in conflict wrote, which goes anyway.
                    self.store.rollback_to(self.base())?;
                    let more = self.foresee(&active)?;
                    if more.is_empty() {
                        return Err(error);
                    }
                    more
                }
                Err(error) => return Err(error),
            };
            conflicted.extend(more.into_iter().map(|(item, reason)| (item, Standing::Conflicted(reason))));
            // An item in conflict may have written other rows: begin again without it.
            self.store.rollback_to(self.base())?;
        }
    }

    /// Writes all rows of the items at once; returns how they stand, and the conflicts apart.
    #[expect(clippy::type_complexity, reason = "two lists by item, used in one place")]
    fn write(
        &mut self,
        active: &[usize],
    ) -> Result<(Vec<(usize, Standing)>, HashMap<usize, String>), StoreError> {
        let items = self.items;
        let changes: Vec<&Change> = active.iter().flat_map(|&item| items[item].item.changes.iter()).collect();
        let written = self.store.write_rows(&changes)?;
        let states = self.states(&changes, &written)?;
        let mut standing = Vec::with_capacity(active.len());
        let mut conflicts = HashMap::new();
        // Rows that hold what an item wrote that will have to go again.
        let mut tainted: HashSet<Row<'_>> = HashSet::new();
        let mut first = 0;
        for &item in active {
            let own = &items[item].item.changes;
            let written = &written[first..first + own.len()];
            let mut noop_positions = Vec::new();
            let mut moved: Vec<usize> = Vec::new();
            for (position, change) in own.iter().enumerate().filter(|(position, _)| !written[*position]) {
                let state = states.get(&(first + position)).and_then(Option::as_ref);
                if state == change.after.as_ref() || settled(own, position) == Some(state) {
                    noop_positions.push(position as u64);
                } else {
                    moved.push(position);
                }
            }
            if moved.is_empty() {
                let rows = written.iter().filter(|&&written| written).count() as u64;
                let applied = Standing::Applied { noop_positions, rows };
                standing.push((item, if rows == 0 { Standing::Noop } else { applied }));
            } else {
                // A conflict with a row that will go again is none; the next round tells.
                if let Some(&position) = moved.iter().find(|&&at| !tainted.contains(&row_of(&own[at]))) {
                    let state = states.get(&(first + position)).and_then(Option::as_ref);
                    conflicts.insert(item, conflict_reason(&own[position], state));
                }
                let gone = own.iter().zip(written).filter(|(_, written)| **written);
                tainted.extend(gone.map(|(change, _)| row_of(change)));
            }
            first += own.len();
        }
        if conflicts.is_empty() {
            self.store.check_deferred()?;
        }
        Ok((standing, conflicts))
    }

    /// What the rows that were not written were when their turn came: what the next change that was written
    /// found there, else what they are now.
    fn states(
        &mut self,
        changes: &[&Change],
        written: &[bool],
    ) -> Result<HashMap<usize, Option<Image>>, StoreError> {
        let mut states = HashMap::new();
        if written.iter().all(|&written| written) {
            return Ok(states);
        }
        let mut next_written: HashMap<Row<'_>, usize> = HashMap::new();
        let mut unknown = Vec::new();
        for (at, &change) in changes.iter().enumerate().rev() {
            let row = row_of(change);
            if written[at] {
                next_written.insert(row, at);
            } else if let Some(&next) = next_written.get(&row) {
                states.insert(at, changes[next].before.clone());
            } else {
                unknown.push((at, change));
            }
        }
        let rows = self.rows_now(unknown.iter().map(|(_, change)| *change))?;
        states.extend(
            unknown.into_iter().map(|(at, change)| (at, rows.get(&row_of(change)).cloned().flatten())),
        );
        Ok(states)
    }

    /// The rows that these changes are about, as they are now.
    fn rows_now<'change>(
        &mut self,
        changes: impl Iterator<Item = &'change Change>,
    ) -> Result<HashMap<Row<'change>, Option<Image>>, StoreError> {
        let mut rows: HashMap<Row<'change>, Option<Image>> = HashMap::new();
        let mut tables: BTreeMap<&str, &Arc<TableShape>> = BTreeMap::new();
        for change in changes {
            tables.entry(&change.table.name).or_insert(&change.table);
            rows.entry(row_of(change)).or_default();
        }
        for (name, table) in tables {
            let keys: Vec<RowKey> =
                rows.keys().filter(|(table, _)| *table == name).map(|(_, key)| key.clone()).collect();
            let found = self.store.read_rows(table, &keys)?;
            rows.extend(keys.into_iter().map(|key| (name, key)).zip(found));
        }
        Ok(rows)
    }

    /// Which of the items would be in conflict, from the rows as they are and without writing anything.
    fn foresee(&mut self, active: &[usize]) -> Result<HashMap<usize, String>, StoreError> {
        let items = self.items;
        let mut rows = self.rows_now(active.iter().flat_map(|&item| &items[item].item.changes))?;
        let mut conflicts = HashMap::new();
        for &item in active {
            let own = &items[item].item.changes;
            let mut made: HashMap<Row<'_>, &Option<Image>> = HashMap::new();
            let mut conflict = None;
            for (position, change) in own.iter().enumerate() {
                let row = row_of(change);
                let state = made.get(&row).copied().or_else(|| rows.get(&row)).and_then(Option::as_ref);
                if state == change.before.as_ref() {
                    made.insert(row, &change.after);
                } else if state != change.after.as_ref() && settled(own, position) != Some(state) {
                    conflict = Some(conflict_reason(change, state));
                    break;
                }
            }
            match conflict {
                Some(reason) => drop(conflicts.insert(item, reason)),
                None => rows.extend(made.into_iter().map(|(row, image)| (row, image.clone()))),
            }
        }
        Ok(conflicts)
    }
}

/// What the item makes of the row in the end, when it changes it again after `position`.
fn settled(own: &[Change], position: usize) -> Option<Option<&Image>> {
    let row = row_of(&own[position]);
    own[position + 1..].iter().rev().find(|later| row_of(later) == row).map(|last| last.after.as_ref())
}

impl Attempts for BatchAttempts<'_> {
    type Fault = StoreError;
    type Stop = EngineError;

    fn apply(&mut self, items: &[usize]) -> Result<Result<(), StoreError>, EngineError> {
        let within = !self.fresh;
        if within {
            self.store.savepoint("attempt")?;
        }
        let tried = match self.try_items(items) {
            Ok(standing) => {
                for (item, standing) in standing {
                    self.standing[item] = Some(standing);
                }
                Ok(())
            }
            // What it wrote is taken back already: `try_items` looked at the rows as they were.
            Err(error) => Err(split(error)?),
        };
        if within {
            self.store.release("attempt")?;
        }
        self.fresh &= tried.is_err();
        Ok(tried)
    }

    fn reset(&mut self) -> Result<(), EngineError> {
        self.standing.fill(None);
        self.fresh = true;
        Ok(self.store.rollback_to("batch")?)
    }

    fn builds_on(&mut self, item: usize) -> Vec<usize> {
        let items = self.items;
        let by_row = self.items_by_row.get_or_insert_with(|| {
            let mut by_row: HashMap<Row<'_>, Vec<usize>> = HashMap::new();
            for (at, stored) in items.iter().enumerate() {
                for change in &stored.item.changes {
                    by_row.entry(row_of(change)).or_default().push(at);
                }
            }
            by_row
        });
        let mut found = BTreeSet::new();
        let mut pending = BTreeSet::from([item]);
        let mut followed = HashSet::new();
        // From the last to the first: what a row leads to from a later item holds all that it leads to
        // from an earlier one.
        while let Some(last) = pending.pop_last() {
            for change in &items[last].item.changes {
                let row = row_of(change);
                let sharing = by_row.get(&row).map(Vec::as_slice).unwrap_or_default();
                if sharing.len() > 1 && followed.insert(row) {
                    pending.extend(sharing.iter().filter(|&&at| at < last));
                }
            }
            if last != item {
                found.insert(last);
            }
        }
        found.into_iter().collect()
    }
}

fn conflict_reason(change: &Change, current: Option<&Vec<Value>>) -> String {
    let row = format!("{} {}", change.table.name, change.key());
    match (change.kind(), current) {
        (ChangeKind::Insert, Some(_)) => {
            format!("{row} was inserted by someone else since the plan was made")
        }
        (_, None) => format!("{row} was deleted since the plan was made"),
        (_, Some(current)) => {
            let before = change.before.as_ref();
            let moved: Vec<String> = change
                .table
                .columns
                .iter()
                .enumerate()
                .filter(|(at, _)| before.and_then(|row| row.get(*at)) != current.get(*at))
                .map(|(at, column)| {
                    let planned = before.and_then(|row| row.get(at)).unwrap_or(&Value::Null);
                    format!("{}: planned from {planned}, now {}", column.name, current[at])
                })
                .collect();
            format!("{row} was changed since the plan was made ({})", moved.join("; "))
        }
    }
}
