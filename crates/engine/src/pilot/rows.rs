//! The new side's rows of a record: made from what a link sees, and written as the carrier.
//!
//! Owns from a record's fields to changes of rows, and writing them signed through the fences. When that is due is
//! [`super::reconcile`]'s; how fields map to rows is the system's.
//!
//! Invariants: of rows that are there only the columns that differ are written, so that what is narrowed on the legacy
//! side is not narrowed here; a write that the database refuses for its data leaves nothing behind and says why.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::mapping::{NewRows, References};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::ErrorClass;

use super::declare::TROUBLE;
use super::fence;
use super::reconcile::{Ended, Reconcile, SIGNATURE};
use super::record::SideStore;
use super::remote::{code_of_born_new, words};
use super::repair::Codes;
use crate::error::EngineError;

/// What a savepoint around the new side's rows is called.
const WRITE: &str = "pilot_write";

impl Reconcile<'_> {
    /// The new rows of what the link sees; the record keeps its code.
    pub(super) fn new_rows_of(
        &mut self,
        key: &str,
        view: &Fields,
        code: Option<&str>,
    ) -> Result<Result<NewRows, Ended>, EngineError> {
        let mut shown = view.clone();
        shown.remove(TROUBLE);
        let mut legacy = match self.pilot.kept(self.entity.name, &shown) {
            Ok(legacy) => legacy,
            Err(problems) => return Ok(Err(Ended::Held(words(&problems)))),
        };
        for name in self.entity.mirror.fields {
            if *name != TROUBLE {
                legacy.entry((*name).to_owned()).or_default();
            }
        }
        let mut codes = Codes::default();
        let mut side = SideStore { side: Side::New, store: &mut *self.store, pilot: self.pilot };
        for reference in self.entity.references {
            let Some(number) = legacy.get(reference.legacy).and_then(Value::as_integer) else { continue };
            codes.find(&mut side, self.pilot, reference.entity, Some(number))?;
            if codes.code_of(reference.entity, number).is_none() {
                return Ok(Err(Ended::Waits(format!("{} {number}", reference.entity))));
            }
        }
        let number = legacy.get("id").and_then(Value::as_integer).unwrap_or(0);
        legacy.insert("id".into(), Value::Integer(number));
        if let Some(code) = code.or_else(|| code_of_born_new(key)) {
            codes.plan(self.entity.name, number, code.to_owned());
        }
        let mut rows = match self.pilot.to_new(self.entity.name, &legacy, &codes) {
            Ok(rows) => rows,
            Err(problems) => return Ok(Err(Ended::Held(words(&problems)))),
        };
        if number == 0
            && let Some(root) = rows.get_mut(self.entity.root())
        {
            root.insert("legacy_id".into(), Value::Null);
        }
        Ok(Ok(rows))
    }

    /// What makes the rows what is wanted; of rows that are there only the columns that differ, so that what is narrowed
    /// on the legacy side is not narrowed here.
    pub(super) fn changes(
        &mut self,
        rows: Option<&NewRows>,
        wanted: &NewRows,
        names: Option<&[&str]>,
        is_numbered: bool,
    ) -> Result<Vec<Change>, EngineError> {
        let mut columns: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in names.unwrap_or_default() {
            for (table, column) in self.pilot.columns_of(self.entity.name, name) {
                columns.entry(table).or_default().push(column);
            }
        }
        if is_numbered {
            columns.entry(self.entity.root()).or_default().push("legacy_id");
        }
        let mut changes = Vec::new();
        for table in self.entity.tables {
            let Some(fields) = wanted.get(table) else { continue };
            let mut side = SideStore { side: Side::New, store: &mut *self.store, pilot: self.pilot };
            let shape = side.shape(table)?;
            let before = rows.and_then(|rows| rows.get(table));
            let mut after = before.cloned().unwrap_or_default();
            match before {
                Some(_) => {
                    for column in columns.get(table).into_iter().flatten() {
                        after.insert((*column).to_owned(), fields.get(*column).cloned().unwrap_or_default());
                    }
                }
                // Nothing of it is wanted: an order that nobody delivers has no delivery.
                None if rows.is_some() && !columns.contains_key(table) => continue,
                None => after.extend(fields.clone()),
            }
            let image = |row: &Fields| -> Vec<Value> {
                let columns = shape.columns.iter();
                columns
                    .map(|column| {
                        let value = row.get(&column.name).cloned().unwrap_or_default();
                        side.store.canonical(column, value)
                    })
                    .collect()
            };
            let (before, after) = (before.map(&image), image(&after));
            if before.as_ref() != Some(&after) {
                changes.push(Change::new(Arc::clone(&shape), before, Some(after))?);
            }
        }
        Ok(changes)
    }

    pub(super) fn deletions(&mut self, code: &str, rows: &NewRows) -> Result<Vec<Change>, EngineError> {
        let mut changes = Vec::new();
        for table in self.entity.tables.iter().rev() {
            if !rows.contains_key(table) {
                continue;
            }
            let mut side = SideStore { side: Side::New, store: &mut *self.store, pilot: self.pilot };
            let shape = side.shape(table)?;
            let key = RowKey(vec![Value::text(code)]);
            if let Some(before) = side.store.read_rows(&shape, std::slice::from_ref(&key))?.pop().flatten() {
                changes.push(Change::new(shape, Some(before), None)?);
            }
        }
        Ok(changes)
    }

    /// Writes rows of the new side as the carrier. `Some` when the database refuses them.
    pub(super) fn signed(&mut self, changes: &[Change]) -> Result<Option<Ended>, EngineError> {
        if changes.is_empty() {
            return Ok(None);
        }
        let outbox = self.pilot.outbox();
        let mark = outbox.begin(self.store)?;
        self.store.savepoint(WRITE)?;
        fence::pass(self.store, self.pilot)?;
        let written = self.store.write_rows(&changes.iter().collect::<Vec<_>>());
        match written {
            Ok(written) if written.iter().all(|written| *written) => {
                fence::passed(self.store, self.pilot)?;
                outbox.sign(self.store, mark, SIGNATURE)?;
                self.store.release(WRITE)?;
                Ok(None)
            }
            Ok(_) => Err(EngineError {
                class: Some(ErrorClass::Contention),
                ..EngineError::integrity("a row of the new side changed while it was written")
            }),
            Err(error) if error.class.is_data() => {
                self.store.rollback_to(WRITE)?;
                self.store.release(WRITE)?;
                Ok(Some(match error.class {
                    // What refers to it goes first, or what it refers to comes first.
                    ErrorClass::ForeignKey => Ended::Waits(error.message),
                    _ => Ended::Held(error.message),
                }))
            }
            Err(error) => Err(error.into()),
        }
    }
}
