//! How a record of one side maps to the other, and what is lost on the way.
//!
//! Owns the mapping as data (one [`EntityMap`] for each entity, in [`entities`]) and the two ways through it. It reads no
//! row and decides nothing about conflicts; which number a record of the new side gets in the legacy database is the
//! caller's.
//!
//! The laws, each tested as a property:
//! - Legacy to new and back is the same row, byte for byte, but for columns declared [`Loss::ToNew`].
//! - New to legacy and back is the same row but for columns declared [`Loss::ToLegacy`], and without the columns of
//!   [`EntityMap::new_only`].
//! - A value that cannot be carried is a [`Problem`] with its column and its raw value; nothing is replaced, rounded or
//!   cut without being declared.
//! - Every column of either side is mapped, derived or declared as the new side's own.
//!
//! Reading order: this file, [`rule`] (one value), [`entities`] (the data), [`status`], [`table`] (the data as a page).

pub mod entities;
pub mod rule;
pub mod status;
pub mod table;

use std::collections::BTreeSet;

pub use plimsoll_core::pilot::mapping::{NewRows, Problem, References};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;

pub use self::entities::ENTITIES;
use self::rule::Rule;

/// What a field loses on its way, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    Nothing,
    /// From legacy to new something is assumed or left behind.
    ToNew(&'static str),
    /// From new to legacy the value is narrowed.
    ToLegacy(&'static str),
    /// Something is assumed one way and narrowed the other.
    Both {
        /// From legacy to new.
        to_new: &'static str,
        /// From new to legacy.
        to_legacy: &'static str,
    },
}

impl Loss {
    /// What is lost from legacy to new.
    pub fn to_new(&self) -> Option<&'static str> {
        match self {
            Self::ToNew(what) | Self::Both { to_new: what, .. } => Some(what),
            Self::Nothing | Self::ToLegacy(_) => None,
        }
    }

    /// What is lost from new to legacy.
    pub fn to_legacy(&self) -> Option<&'static str> {
        match self {
            Self::ToLegacy(what) | Self::Both { to_legacy: what, .. } => Some(what),
            Self::Nothing | Self::ToNew(_) => None,
        }
    }
}

/// One column of the legacy row and its counterpart.
#[derive(Debug, Clone, Copy)]
pub struct FieldMap {
    /// The legacy column.
    pub legacy: &'static str,
    /// The new table.
    pub table: &'static str,
    /// The new column.
    pub new: &'static str,
    /// How a value is carried.
    pub rule: Rule,
    /// What is lost.
    pub loss: Loss,
}

/// A column of the new side without a counterpart: lost when its row goes back, unless it is kept aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewOnly {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
}

/// Which way an entity's changes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// From legacy to new only: the new side does not change it.
    ToNew,
}

/// How one entity maps.
#[derive(Debug)]
pub struct EntityMap {
    /// Its name, such as `customer`.
    pub name: &'static str,
    /// Its legacy table, whose key is `id`.
    pub legacy_table: &'static str,
    /// Its new tables, parents before children; deletes travel in the opposite order.
    pub tables: &'static [&'static str],
    /// Which way changes travel.
    pub direction: Direction,
    /// The entities that it refers to, which go first.
    pub after: &'static [&'static str],
    /// The fields.
    pub fields: &'static [FieldMap],
    /// The new side's own columns.
    pub new_only: &'static [NewOnly],
}

impl EntityMap {
    /// The rows of the new side for a legacy row. A record that the new side has keeps its code there.
    ///
    /// # Errors
    /// Every value that cannot be carried, and every column that is missing or unknown.
    pub fn to_new(&self, legacy: &Fields, references: &dyn References) -> Result<NewRows, Vec<Problem>> {
        let known: BTreeSet<&str> = self.fields.iter().map(|field| field.legacy).collect();
        let mut problems = unknown(legacy, &known);
        let mut rows: NewRows = self.tables.iter().map(|table| (*table, Fields::new())).collect();
        for field in self.fields {
            let carried = match legacy.get(field.legacy) {
                Some(value) => field.rule.to_new(self.name, value, references),
                None => Err("the row does not have this column".into()),
            };
            match carried {
                Ok(value) => drop(rows.entry(field.table).or_default().insert(field.new.to_owned(), value)),
                Err(reason) => problems.push(problem(field.legacy, legacy, reason)),
            }
        }
        if problems.is_empty() { Ok(rows) } else { Err(problems) }
    }

    /// The legacy row for rows of the new side, which has its legacy number already.
    ///
    /// # Errors
    /// Every value that cannot be carried, and every column that is missing or unknown.
    pub fn to_legacy(&self, rows: &NewRows, references: &dyn References) -> Result<Fields, Vec<Problem>> {
        let empty = Fields::new();
        let mut problems = Vec::new();
        for table in self.tables {
            let known: BTreeSet<&str> = self.columns_of(table).collect();
            problems.extend(unknown(rows.get(table).unwrap_or(&empty), &known));
        }
        let mut legacy = Fields::new();
        for field in self.fields {
            let row = rows.get(field.table).unwrap_or(&empty);
            // An order that nobody delivers yet has no delivery: its columns are empty on the legacy side.
            let is_absent = !rows.contains_key(field.table) && self.tables.first() != Some(&field.table);
            let carried = match row.get(field.new).or_else(|| is_absent.then_some(&Value::Null)) {
                Some(value) => field.rule.to_legacy(value, references),
                None => Err("the row does not have this column".into()),
            };
            match carried {
                Ok(Some(value)) => drop(legacy.insert(field.legacy.to_owned(), value)),
                Ok(None) => {}
                Err(reason) => problems.push(problem(field.new, row, reason)),
            }
        }
        if problems.is_empty() { Ok(legacy) } else { Err(problems) }
    }

    /// Every column of a table of the new side.
    pub fn columns_of<'map>(&'map self, table: &'map str) -> impl Iterator<Item = &'static str> + 'map {
        let mapped = self.fields.iter().filter(move |field| field.table == table).map(|field| field.new);
        let own = self.new_only.iter().filter(move |own| own.table == table).map(|own| own.column);
        mapped.chain(own)
    }

    /// What of these rows a rollback leaves behind: columns of the new side's own that hold something.
    pub fn left_behind<'rows>(
        &self,
        rows: &'rows NewRows,
    ) -> impl Iterator<Item = (NewOnly, &'rows Value)> + use<'_, 'rows> {
        self.new_only.iter().filter_map(|own| {
            let value = rows.get(own.table)?.get(own.column)?;
            (!value.is_null()).then_some((*own, value))
        })
    }
}

fn problem(column: &str, row: &Fields, reason: String) -> Problem {
    Problem { column: column.to_owned(), value: row.get(column).cloned().unwrap_or_default(), reason }
}

fn unknown(row: &Fields, known: &BTreeSet<&str>) -> Vec<Problem> {
    let others = row.keys().filter(|column| !known.contains(column.as_str()));
    others.map(|column| problem(column, row, "the mapping does not know this column".into())).collect()
}
