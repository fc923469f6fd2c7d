//! Compare-and-set writes.
//!
//! Owns the SQL of inserts, updates and deletes, and their grouping: consecutive changes of one table, one
//! kind and one set of changed columns become one statement that takes their values as arrays.
//!
//! Invariants:
//! - Every `UPDATE` and `DELETE` finds its row by key and writes it only when every column still holds the
//!   change's `before`, exactly.
//! - Changes are grouped only where their order cannot matter ([`Layout::may_be_grouped`]) and no two of
//!   them name the same row, so a group does what its changes would do one by one.

use std::collections::HashSet;
use std::sync::Arc;

use plimsoll_core::change::{Change, ChangeKind};
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;

use super::PostgresStore;
use super::arrays::{ColumnArray, carried_at, parameters, unnest};
use super::catalog::Layout;
use super::fault::explain_execution;
use super::wire::Cell;
use crate::error::StoreError;

/// The most changes of one statement; bounds the memory of its arrays on both sides.
const LARGEST_GROUP: usize = 1_000;

/// Consecutive changes that become one statement.
struct Group<'change> {
    layout: Arc<Layout>,
    kind: ChangeKind,
    changed: Vec<usize>,
    first: usize,
    changes: Vec<&'change Change>,
}

impl PostgresStore {
    /// See [`crate::Store::write_rows`].
    pub(super) fn write_changes(&mut self, changes: &[&Change]) -> Result<Vec<bool>, StoreError> {
        let mut written = vec![false; changes.len()];
        let mut next = 0;
        while let Some(group) = self.next_group(changes, next)? {
            next = group.first + group.changes.len();
            if group.kind == ChangeKind::Update && group.changed.is_empty() {
                continue;
            }
            for at in self.write_group(&group)? {
                if let Some(flag) = written.get_mut(group.first + at) {
                    *flag = true;
                }
            }
        }
        Ok(written)
    }

    fn next_group<'change>(
        &mut self,
        changes: &[&'change Change],
        first: usize,
    ) -> Result<Option<Group<'change>>, StoreError> {
        let Some(&leader) = changes.get(first) else { return Ok(None) };
        let layout = self.layout(&leader.table)?;
        let kind = leader.kind();
        let changed = if kind == ChangeKind::Update { leader.changed() } else { Vec::new() };
        let mut group = Group { layout, kind, changed, first, changes: vec![leader] };
        if group.layout.may_be_grouped(kind, &group.changed) {
            let mut keys: HashSet<RowKey> = HashSet::from([leader.key()]);
            for &change in &changes[first + 1..] {
                let alike = change.kind() == kind
                    && (Arc::ptr_eq(&change.table, &leader.table) || change.table == leader.table)
                    && (kind != ChangeKind::Update || change.changed() == group.changed);
                if !alike || group.changes.len() >= LARGEST_GROUP || !keys.insert(change.key()) {
                    break;
                }
                group.changes.push(change);
            }
        }
        Ok(Some(group))
    }

    /// Writes a group; returns the positions in it that were written.
    fn write_group(&mut self, group: &Group<'_>) -> Result<Vec<usize>, StoreError> {
        let named = |at: usize, mut error: StoreError| {
            let change = group.changes[at];
            error = error.during(&format!("{} {}", change.table.name, change.key()));
            error.at = Some(group.first + at);
            error
        };
        let layout = &group.layout;
        let rows = group.changes.len();
        let new_columns: Vec<usize> = match group.kind {
            ChangeKind::Insert => (0..layout.shape.columns.len()).collect(),
            ChangeKind::Update => group.changed.clone(),
            ChangeKind::Delete => Vec::new(),
        };
        let old_columns: Vec<usize> = match group.kind {
            ChangeKind::Insert => Vec::new(),
            _ => (0..layout.shape.columns.len()).collect(),
        };
        let carrier = |&at: &usize| ColumnArray::new(layout.treatments[at].carrier, rows);
        let mut arrays: Vec<ColumnArray<'_>> = new_columns.iter().chain(&old_columns).map(carrier).collect();
        for (position, change) in group.changes.iter().enumerate() {
            const NONE: &[Value] = &[];
            let after = change.after.as_deref().unwrap_or(NONE);
            let before = change.before.as_deref().unwrap_or(NONE);
            let new = new_columns.iter().map(|&at| (at, after.get(at)));
            let old = old_columns.iter().map(|&at| (at, before.get(at)));
            for ((at, value), array) in new.chain(old).zip(&mut arrays) {
                let value = value.unwrap_or(&Value::Null);
                array.push(&layout.shape.columns[at], value).map_err(|error| named(position, error))?;
            }
        }
        let sql = match group.kind {
            ChangeKind::Insert => insert_sql(layout),
            ChangeKind::Update => update_sql(layout, &group.changed),
            ChangeKind::Delete => delete_sql(layout),
        };
        let told = match self.rows_of(&sql, &parameters(&arrays)) {
            Ok(told) => told,
            Err(error) if rows == 1 => return Err(named(0, error)),
            Err(error) => {
                let what = format!("{} of {rows} rows of {}", group.kind, layout.shape.name);
                return Err(error.during(&what));
            }
        };
        if group.kind == ChangeKind::Insert {
            return Ok(self.inserted(group, told));
        }
        // The ordinality counts from 1.
        let position = |row: &Vec<Value>| row.first().and_then(Value::as_integer);
        Ok(told.iter().filter_map(position).filter_map(|at| usize::try_from(at - 1).ok()).collect())
    }

    /// An insert tells the keys of the new rows, not their positions.
    fn inserted(&self, group: &Group<'_>, told: Vec<Vec<Value>>) -> Vec<usize> {
        if told.len() == group.changes.len() {
            return (0..told.len()).collect();
        }
        let told: HashSet<RowKey> = told.into_iter().map(RowKey).collect();
        let shape = &group.layout.shape;
        let stored = |change: &Change| {
            let key = change.key().0.into_iter().zip(&shape.key);
            RowKey(key.map(|(value, &at)| self.oracle.canonical(&shape.columns[at], value)).collect())
        };
        let mut left = told;
        // Of two changes whose keys differ only until they are stored, the first one was written.
        let taken = |(_, change): &(usize, &&Change)| left.remove(&stored(change));
        group.changes.iter().enumerate().filter(taken).map(|(at, _)| at).collect()
    }

    /// Runs a prepared row statement and decodes what it returns.
    pub(super) fn rows_of(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ::postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let statement = self.tracked(|store| store.statements.get(&mut store.client, sql))?;
        self.tracked_as(explain_execution, |store| {
            store.client.query(&statement, parameters)?.iter().map(cells).collect()
        })
    }
}

/// The cells of a result row.
pub(super) fn cells(row: &::postgres::Row) -> Result<Vec<Value>, ::postgres::Error> {
    (0..row.len()).map(|at| row.try_get::<_, Cell>(at).map(|cell| cell.0)).collect()
}

fn insert_sql(layout: &Layout) -> String {
    let names: Vec<&str> = layout.treatments.iter().map(|column| column.name.as_str()).collect();
    let values: Vec<String> =
        layout.treatments.iter().enumerate().map(|(at, column)| column.writing(&carried_at(at))).collect();
    let key = |of: &dyn Fn(usize) -> String| {
        layout.shape.key.iter().map(|&at| of(at)).collect::<Vec<_>>().join(", ")
    };
    format!(
        "INSERT INTO {} AS t ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} ORDER BY d.at \
         ON CONFLICT ({}) DO NOTHING RETURNING {}",
        layout.name,
        names.join(", "),
        values.join(", "),
        unnest(layout.treatments.iter()),
        key(&|at| layout.treatments[at].name.clone()),
        key(&|at| layout.treatments[at].reading("t")),
    )
}

fn update_sql(layout: &Layout, changed: &[usize]) -> String {
    let sets: Vec<String> = changed
        .iter()
        .enumerate()
        .map(|(place, &at)| {
            let column = &layout.treatments[at];
            format!("{} = {}", column.name, column.writing(&carried_at(place)))
        })
        .collect();
    let carried = changed.iter().map(|&at| &layout.treatments[at]).chain(&layout.treatments);
    format!(
        "UPDATE {} AS t SET {} FROM {} WHERE {} RETURNING d.at",
        layout.name,
        sets.join(", "),
        unnest(carried),
        at_before(layout, changed.len())
    )
}

fn delete_sql(layout: &Layout) -> String {
    format!(
        "DELETE FROM {} AS t USING {} WHERE {} RETURNING d.at",
        layout.name,
        unnest(layout.treatments.iter()),
        at_before(layout, 0)
    )
}

/// The condition that row `t` is a change's `before`, whose values start at `first` of the carried columns.
fn at_before(layout: &Layout, first: usize) -> String {
    let condition = |(at, column): (usize, &super::column::Treatment)| {
        let carried = carried_at(first + at);
        if layout.shape.key.contains(&at) {
            column.identified("t", &carried)
        } else {
            column.unchanged("t", &carried)
        }
    };
    layout.treatments.iter().enumerate().map(condition).collect::<Vec<_>>().join(" AND ")
}
