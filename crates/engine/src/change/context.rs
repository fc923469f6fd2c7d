//! The planning context: current rows to look at, and row changes to propose.
//!
//! Owns what a system sees while it turns one record into an item. Rows come from the store as they are now;
//! rows that an earlier item of the same plan inserts can be shared with [`PlanContext::find_or_insert`].
//! Nothing is written here: the proposed changes become an item of the plan.
//!
//! Invariants:
//! - A proposed value is canonical: it equals what the store will return once it is written.
//! - An update that changes no column proposes nothing.
//! - A shared row that an earlier item inserts is inserted by every item that needs it, with the same
//!   values; whichever is applied first writes it, for the others it is a no-op. So no item depends on another.

use std::collections::HashMap;
use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::item::Refusal;
use plimsoll_core::table::{Image, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use crate::error::EngineError;
use crate::flag::{EvaluationContext, FlagDeclaration, Switched, Switches, switch};
use crate::session::Session;

/// What a system makes of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal {
    /// The changes proposed through the context; none means that the record is unchanged.
    Change,
    /// The record is bad; nothing that it proposed is kept.
    Refuse(Refusal),
}

/// One row, with its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRow {
    /// The table's shape.
    pub table: Arc<TableShape>,
    /// The values.
    pub image: Image,
}

impl CurrentRow {
    /// The value of a column; null when the table has no such column.
    pub fn get(&self, column: &str) -> &Value {
        self.table.get(&self.image, column)
    }
}

/// Rows that items of this plan share, by table and the values that identify them.
type SharedRows = HashMap<(String, Vec<(String, Value)>), Change>;

/// What outlives one record while a plan is made: who makes it, who is asked for flags, allocated ids and shared rows.
#[derive(Debug, Default)]
pub struct PlanMemory {
    actor: String,
    switches: Option<Arc<dyn Switches>>,
    notices: Vec<String>,
    next_ids: HashMap<String, i64>,
    shared: SharedRows,
}

impl PlanMemory {
    /// The memory of a plan that is made in a session.
    pub fn of(session: &Session) -> Self {
        Self { actor: session.actor.clone(), switches: session.switches.clone(), ..Self::default() }
    }

    /// What somebody should hear of, taken out.
    pub(crate) fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }
}

/// What a system sees while it plans one record.
pub struct PlanContext<'plan> {
    store: &'plan mut dyn Store,
    memory: &'plan mut PlanMemory,
    now: &'plan str,
    changes: Vec<Change>,
    newly_shared: Vec<(String, Vec<(String, Value)>)>,
}

impl<'plan> PlanContext<'plan> {
    /// A context for one record.
    pub(crate) fn new(store: &'plan mut dyn Store, memory: &'plan mut PlanMemory, now: &'plan str) -> Self {
        Self { store, memory, now, changes: Vec::new(), newly_shared: Vec::new() }
    }

    /// The time of planning, the same for the whole plan, for columns such as `updated_at`.
    pub fn now(&self) -> &str {
        self.now
    }

    /// Who makes the plan, as the journal records it; for rules about who may do what.
    pub fn actor(&self) -> &str {
        &self.memory.actor
    }

    /// What a flag says to whoever makes the plan, at this moment. Ask once, and write down what was told.
    pub fn flag(&self, flag: &FlagDeclaration) -> Switched {
        switch::ask(self.memory.switches.as_deref(), flag, &EvaluationContext::of(self.actor()))
    }

    /// Something that is allowed and that somebody should hear of: an event of the run, and a warning in the log.
    pub fn notice(&mut self, text: impl Into<String>) {
        self.memory.notices.push(text.into());
    }

    /// The current rows of `table` whose columns equal the given values, ordered by key.
    ///
    /// # Errors
    /// When the table or a column does not exist, or the store fails.
    pub fn find(&mut self, table: &str, equal: &[(&str, Value)]) -> Result<Vec<CurrentRow>, EngineError> {
        let shape = self.shape(table)?;
        let mut columns = Vec::with_capacity(equal.len());
        let mut values = Vec::with_capacity(equal.len());
        for (name, value) in equal {
            let at = position(&shape, name)?;
            columns.push(at);
            values.push(self.store.canonical(&shape.columns[at], value.clone()));
        }
        let images = self.store.find_rows(&shape, &columns, &values)?;
        Ok(images.into_iter().map(|image| CurrentRow { table: Arc::clone(&shape), image }).collect())
    }

    /// A new id for an integer key: one more than the largest in the table and in this plan.
    ///
    /// # Errors
    /// When the table has no single integer key, or the store fails.
    pub fn next_id(&mut self, table: &str) -> Result<i64, EngineError> {
        if let Some(next) = self.memory.next_ids.get_mut(table) {
            *next += 1;
            return Ok(*next);
        }
        let shape = self.shape(table)?;
        let [key] = shape.key.as_slice() else {
            return Err(EngineError::usage(format!("table `{table}` has no single key to count up")));
        };
        let sql = format!("SELECT coalesce(max({}), 0) FROM {table}", shape.columns[*key].name);
        let rows = self.store.query(&sql, &[])?;
        let largest = rows.first().and_then(|row| row.first()).and_then(Value::as_integer).unwrap_or(0);
        self.memory.next_ids.insert(table.to_owned(), largest + 1);
        Ok(largest + 1)
    }

    /// Proposes a new row. Columns that are not named are null.
    ///
    /// # Errors
    /// When the table or a column does not exist.
    pub fn insert(&mut self, table: &str, values: &[(&str, Value)]) -> Result<CurrentRow, EngineError> {
        let shape = self.shape(table)?;
        let mut image: Image = vec![Value::Null; shape.columns.len()];
        self.set(&shape, &mut image, values)?;
        let row = CurrentRow { table: Arc::clone(&shape), image: image.clone() };
        self.changes.push(Change::new(shape, None, Some(image))?);
        Ok(row)
    }

    /// Proposes new values for some columns of a row; returns whether any of them differs.
    ///
    /// # Errors
    /// When a column does not exist or is part of the key.
    pub fn update(&mut self, row: &CurrentRow, values: &[(&str, Value)]) -> Result<bool, EngineError> {
        let mut after = row.image.clone();
        self.set(&row.table, &mut after, values)?;
        if after == row.image {
            return Ok(false);
        }
        self.changes.push(Change::new(Arc::clone(&row.table), Some(row.image.clone()), Some(after))?);
        Ok(true)
    }

    /// True when writing these values would change the row.
    ///
    /// # Errors
    /// When a column does not exist.
    pub fn differs(&mut self, row: &CurrentRow, values: &[(&str, Value)]) -> Result<bool, EngineError> {
        let mut after = row.image.clone();
        self.set(&row.table, &mut after, values)?;
        Ok(after != row.image)
    }

    /// Proposes to delete a row.
    ///
    /// # Errors
    /// Never for a row that came from this context.
    pub fn delete(&mut self, row: &CurrentRow) -> Result<(), EngineError> {
        self.changes.push(Change::new(Arc::clone(&row.table), Some(row.image.clone()), None)?);
        Ok(())
    }

    /// The row that `identity` names: the current one, or the one that an earlier item of this plan inserts,
    /// or a new one with `identity` and `rest` as its values and a new id in `id_column`.
    ///
    /// # Errors
    /// As [`Self::find`], [`Self::next_id`] and [`Self::insert`].
    pub fn find_or_insert(
        &mut self,
        table: &str,
        id_column: &str,
        identity: &[(&str, Value)],
        rest: &[(&str, Value)],
    ) -> Result<CurrentRow, EngineError> {
        if let Some(row) = self.find(table, identity)?.into_iter().next() {
            return Ok(row);
        }
        let name = (
            table.to_owned(),
            identity.iter().map(|(column, value)| ((*column).to_owned(), value.clone())).collect::<Vec<_>>(),
        );
        if let Some(shared) = self.memory.shared.get(&name) {
            let row = CurrentRow {
                table: Arc::clone(&shared.table),
                image: shared.after.clone().unwrap_or_default(),
            };
            if !self.changes.contains(shared) {
                self.changes.push(shared.clone());
            }
            return Ok(row);
        }
        let id = self.next_id(table)?;
        let mut values = vec![(id_column, Value::Integer(id))];
        values.extend(identity.iter().cloned());
        values.extend(rest.iter().cloned());
        let row = self.insert(table, &values)?;
        if let Some(change) = self.changes.last() {
            self.memory.shared.insert(name.clone(), change.clone());
            self.newly_shared.push(name);
        }
        Ok(row)
    }

    /// The changes proposed so far, in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The proposed changes, when the record is accepted.
    pub(crate) fn accept(self) -> Vec<Change> {
        self.changes
    }

    /// Forgets everything that a refused record proposed.
    pub(crate) fn discard(self) {
        for name in &self.newly_shared {
            self.memory.shared.remove(name);
        }
    }

    fn shape(&mut self, table: &str) -> Result<Arc<TableShape>, EngineError> {
        self.store.shape(table)?.ok_or_else(|| {
            EngineError::usage(format!(
                "the store has no table `{table}`\nhint: run any `plimsoll` command of the system once to set up its schema"
            ))
        })
    }

    fn set(
        &self,
        shape: &TableShape,
        image: &mut Image,
        values: &[(&str, Value)],
    ) -> Result<(), EngineError> {
        for (name, value) in values {
            let at = position(shape, name)?;
            image[at] = self.store.canonical(&shape.columns[at], value.clone());
        }
        Ok(())
    }
}

fn position(shape: &TableShape, column: &str) -> Result<usize, EngineError> {
    shape
        .position(column)
        .ok_or_else(|| EngineError::usage(format!("table `{}` has no column `{column}`", shape.name)))
}
