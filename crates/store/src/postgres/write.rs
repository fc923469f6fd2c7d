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

use ::postgres::Statement;
use plimsoll_core::change::{Change, ChangeKind};
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;

use super::PostgresStore;
use super::arrays::{ColumnArray, carried_at, parameters, unnest};
use super::catalog::Layout;
use super::column::{Carried, Treatment, carried};
use super::fault::explain_execution;
use crate::error::StoreError;

/// The most changes of one statement; bounds the memory of its arrays on both sides.
const LARGEST_GROUP: usize = 1_000;

/// What a row statement is named by: the address of its table's layout, the kind, the changed columns, and
/// whether it takes arrays.
pub(super) type RowStatement = (usize, ChangeKind, Vec<usize>, bool);

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
        if let [change] = group.changes.as_slice() {
            let written = self.write_one(group, change).map_err(|error| group.named(0, error))?;
            return Ok(if written { vec![0] } else { Vec::new() });
        }
        let layout = &group.layout;
        let rows = group.changes.len();
        let cells = group.cells();
        let array = |&(at, _): &(usize, Image)| ColumnArray::new(layout.treatments[at].carrier, rows);
        let mut arrays: Vec<ColumnArray<'_>> = cells.iter().map(array).collect();
        for (position, change) in group.changes.iter().enumerate() {
            for (&(at, image), array) in cells.iter().zip(&mut arrays) {
                let value = image.value(change, at);
                array.push(&layout.shape.columns[at], value).map_err(|error| group.named(position, error))?;
            }
        }
        let statement = self.row_statement(group)?;
        let told = self.tracked_as(explain_execution, |store| {
            store.client.query(&statement, &parameters(&arrays))?.iter().map(super::read::cells).collect()
        });
        let told: Vec<Vec<Value>> = told.map_err(|error| {
            error.during(&format!("{} of {rows} rows of {}", group.kind, layout.shape.name))
        })?;
        if group.kind == ChangeKind::Insert {
            return Ok(self.inserted(group, told));
        }
        // The ordinality counts from 1.
        let position = |row: &Vec<Value>| row.first().and_then(Value::as_integer);
        Ok(told.iter().filter_map(position).filter_map(|at| usize::try_from(at - 1).ok()).collect())
    }

    /// Writes a change alone, its values as plain parameters: cheaper than arrays of one.
    fn write_one(&mut self, group: &Group<'_>, change: &Change) -> Result<bool, StoreError> {
        let columns = &group.layout.shape.columns;
        let mut values = Vec::new();
        for (at, image) in group.cells() {
            values.push(carried(&columns[at], image.value(change, at))?);
        }
        let statement = self.row_statement(group)?;
        let parameters: Vec<_> = values.iter().map(Carried::parameter).collect();
        let count =
            self.tracked_as(explain_execution, |store| store.client.execute(&statement, &parameters))?;
        Ok(count == 1)
    }

    /// The prepared statement of a group, which depends on its table, kind and changed columns.
    fn row_statement(&mut self, group: &Group<'_>) -> Result<Statement, StoreError> {
        let name = (Arc::as_ptr(&group.layout) as usize, group.kind, group.changed.clone(), group.is_many());
        let sql = || match group.kind {
            ChangeKind::Insert => group.insert_sql(),
            ChangeKind::Update => group.update_sql(),
            ChangeKind::Delete => group.delete_sql(),
        };
        self.tracked(|store| store.row_statements.get(&mut store.client, &name, sql))
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
}

/// Which image of a change a value is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Image {
    Before,
    After,
}

impl Image {
    fn value(self, change: &Change, at: usize) -> &Value {
        const NULL: &Value = &Value::Null;
        let image = match self {
            Self::Before => change.before.as_ref(),
            Self::After => change.after.as_ref(),
        };
        image.and_then(|image| image.get(at)).unwrap_or(NULL)
    }
}

impl Group<'_> {
    fn is_many(&self) -> bool {
        self.changes.len() > 1
    }

    /// The error of one of the changes, with its row named.
    fn named(&self, at: usize, error: StoreError) -> StoreError {
        let Some(change) = self.changes.get(at) else { return error };
        let mut error = error.during(&format!("{} {}", change.table.name, change.key()));
        error.at = Some(self.first + at);
        error
    }

    /// The columns whose values are passed, in the order of the parameters: what to write, then what must be
    /// there.
    fn cells(&self) -> Vec<(usize, Image)> {
        let all = 0..self.layout.shape.columns.len();
        let before = all.clone().map(|at| (at, Image::Before));
        match self.kind {
            ChangeKind::Insert => all.map(|at| (at, Image::After)).collect(),
            ChangeKind::Update => self.changed.iter().map(|&at| (at, Image::After)).chain(before).collect(),
            ChangeKind::Delete => before.collect(),
        }
    }

    /// The value passed at a place, as an expression.
    fn carried(&self, place: usize, column: &Treatment) -> String {
        if self.is_many() {
            carried_at(place)
        } else {
            format!("${}::{}", place + 1, column.carrier.sql_type())
        }
    }

    /// Where the values come from.
    fn rows(&self) -> String {
        unnest(self.cells().iter().map(|&(at, _)| &self.layout.treatments[at]))
    }

    fn insert_sql(&self) -> String {
        let layout = &self.layout;
        let columns = || layout.treatments.iter().enumerate();
        let names: Vec<&str> = columns().map(|(_, column)| column.name.as_str()).collect();
        let values: Vec<String> =
            columns().map(|(at, column)| column.writing(&self.carried(at, column))).collect();
        let key = |of: &dyn Fn(&Treatment) -> String| -> String {
            let parts = layout.shape.key.iter().map(|&at| of(&layout.treatments[at]));
            parts.collect::<Vec<_>>().join(", ")
        };
        let (rows, returning) = if self.is_many() {
            let rows = format!("SELECT {} FROM {} ORDER BY d.at", values.join(", "), self.rows());
            (rows, format!(" RETURNING {}", key(&|column| column.reading("t"))))
        } else {
            (format!("VALUES ({})", values.join(", ")), String::new())
        };
        format!(
            "INSERT INTO {} AS t ({}) OVERRIDING SYSTEM VALUE {rows} ON CONFLICT ({}) DO NOTHING{returning}",
            layout.name,
            names.join(", "),
            key(&|column| column.name.clone()),
        )
    }

    fn update_sql(&self) -> String {
        let set = |(place, &at): (usize, &usize)| {
            let column = &self.layout.treatments[at];
            format!("{} = {}", column.name, column.writing(&self.carried(place, column)))
        };
        let sets: Vec<String> = self.changed.iter().enumerate().map(set).collect();
        let (from, returning) = self.source("FROM");
        format!(
            "UPDATE {} AS t SET {}{from} WHERE {}{returning}",
            self.layout.name,
            sets.join(", "),
            self.at_before()
        )
    }

    fn delete_sql(&self) -> String {
        let (using, returning) = self.source("USING");
        format!("DELETE FROM {} AS t{using} WHERE {}{returning}", self.layout.name, self.at_before())
    }

    /// The clauses that bring in the rows of a large group and tell which of them were written.
    fn source(&self, word: &str) -> (String, &'static str) {
        if self.is_many() {
            (format!(" {word} {}", self.rows()), " RETURNING d.at")
        } else {
            (String::new(), "")
        }
    }

    /// The condition that row `t` is a change's `before`, whose values come after the changed ones.
    fn at_before(&self) -> String {
        let condition = |(at, column): (usize, &Treatment)| {
            let carried = self.carried(self.changed.len() + at, column);
            if self.layout.shape.key.contains(&at) {
                column.identified("t", &carried)
            } else {
                column.unchanged("t", &carried)
            }
        };
        self.layout.treatments.iter().enumerate().map(condition).collect::<Vec<_>>().join(" AND ")
    }
}
