//! Plans as JSON Lines, out and in.
//!
//! Owns the file form: a header line, then one line for each item. Rows are objects by column name, so that
//! a person can read and a script can write them; an update's `after` holds only the columns that differ.
//! `before` is the whole row: it is what apply compares with.
//!
//! Format version 1. A reader refuses a newer version. A header with a `digest` promises that the items are
//! exactly those that were exported; without one the file is a new plan.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::digest::Hashing;
use plimsoll_core::item::{Item, Refusal};
use plimsoll_core::table::{Image, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::plan::{NewPlan, Plan, PlanWriter, read_items};
use crate::error::EngineError;
use crate::event;
use crate::session::Session;

/// The format version that is written.
pub const FORMAT: u32 = 1;

/// The first line of a plan file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeaderLine {
    /// The format version.
    pub plimsoll_plan: u32,
    /// The system.
    pub system: String,
    /// The change kind.
    pub change: String,
    /// What the plan was made from.
    #[serde(default)]
    pub source: String,
    /// The digest of the items, when they are exactly those of a stored plan.
    #[serde(default)]
    pub digest: Option<String>,
}

/// One item of a plan file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemLine {
    /// What a person calls it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The source record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Set when planning refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Its row changes, in order.
    #[serde(default)]
    pub changes: Vec<ChangeLine>,
}

/// One row change of a plan file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeLine {
    /// The table.
    pub table: String,
    /// The whole row before; absent for an insert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BTreeMap<String, Value>>,
    /// The row after; for an update only the columns that differ. Absent for a delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<BTreeMap<String, Value>>,
}

/// A change by column names.
pub(crate) fn change_line(change: &Change) -> ChangeLine {
    let named = |image: &Image, positions: &[usize]| {
        positions.iter().map(|&at| (change.table.columns[at].name.clone(), image[at].clone())).collect()
    };
    let all: Vec<usize> = (0..change.table.columns.len()).collect();
    let changed = change.changed();
    ChangeLine {
        table: change.table.name.clone(),
        before: change.before.as_ref().map(|image| named(image, &all)),
        after: change.after.as_ref().map(|image| named(image, &changed)),
    }
}

/// A change from column names, its values made canonical for the store.
pub(crate) fn read_change(
    store: &dyn Store,
    shape: &Arc<TableShape>,
    line: &ChangeLine,
) -> Result<Change, EngineError> {
    let fill = |mut image: Image, values: &BTreeMap<String, Value>| {
        for (name, value) in values {
            let at = shape.position(name).ok_or_else(|| {
                EngineError::usage(format!("table `{}` has no column `{name}`", shape.name))
            })?;
            image[at] = store.canonical(&shape.columns[at], value.clone());
        }
        Ok::<Image, EngineError>(image)
    };
    let empty = || vec![Value::Null; shape.columns.len()];
    let before = line.before.as_ref().map(|values| fill(empty(), values)).transpose()?;
    let after = match (&line.after, &before) {
        (Some(values), Some(before)) => Some(fill(before.clone(), values)?),
        (Some(values), None) => Some(fill(empty(), values)?),
        (None, _) => None,
    };
    // Whoever wrote the file wrote what no row can be; nothing stored is wrong.
    Change::new(Arc::clone(shape), before, after).map_err(|error| EngineError::usage(error.to_string()))
}

/// Writes a stored plan to `out`.
///
/// # Errors
/// When the plan cannot be read or `out` not be written.
pub fn export(session: &mut Session, plan: &Plan, out: &mut dyn Write) -> Result<(), EngineError> {
    let header = HeaderLine {
        plimsoll_plan: FORMAT,
        system: plan.system.clone(),
        change: plan.change.clone(),
        source: plan.source.clone(),
        digest: Some(plan.digest.clone()),
    };
    let write = |out: &mut dyn Write, line: String| {
        writeln!(out, "{line}")
            .map_err(|error| EngineError::usage(format!("the plan cannot be written: {error}")))
    };
    write(out, serde_json::to_string(&header)?)?;
    let mut first = 0;
    while first < plan.items {
        let end = (first + 1_000).min(plan.items);
        for stored in read_items(session.store.as_mut(), plan, first, end, &mut Hashing::new("export"))? {
            let line = ItemLine {
                label: stored.item.label.clone(),
                record: stored.item.record.clone(),
                refusal: stored.item.refusal.clone(),
                changes: stored.item.changes.iter().map(change_line).collect(),
            };
            write(out, serde_json::to_string(&line)?)?;
        }
        first = end;
    }
    Ok(())
}

/// Reads a plan file and stores it as a plan of this store.
///
/// # Errors
/// Usage with the line number when a line is not of the format or names an unknown table or column;
/// refused when the header's digest does not match the items.
pub fn import(session: &mut Session, source: &str, lines: &mut dyn BufRead) -> Result<Plan, EngineError> {
    let mut lines = lines.lines().enumerate().map(|(at, line)| {
        let number = at + 1;
        line.map(|line| (number, line))
            .map_err(|error| EngineError::usage(format!("{source} line {number}: {error}")))
    });
    let Some((_, first)) = lines.next().transpose()? else {
        return Err(EngineError::usage(format!(
            "{source} is empty\nhint: `plimsoll plan .. --out FILE` writes one"
        )));
    };
    let header: HeaderLine = serde_json::from_str(&first)
        .map_err(|error| EngineError::usage(format!("{source} line 1 is no plan header: {error}")))?;
    if header.plimsoll_plan > FORMAT {
        return Err(EngineError::refused(format!(
            "{source} has plan format {}, this program reads up to {FORMAT}\nhint: use a newer plimsoll",
            header.plimsoll_plan
        )));
    }
    let new = NewPlan {
        system: header.system.clone(),
        change: header.change.clone(),
        source: source.to_owned(),
        ..NewPlan::default()
    };
    let mut writer = PlanWriter::create(session, &new)?;
    let mut read_all = || -> Result<(), EngineError> {
        for line in &mut lines {
            let (number, text) = line?;
            if text.trim().is_empty() {
                continue;
            }
            let item = read_item(session.store.as_mut(), &text)
                .map_err(|error| error.during(&format!("{source} line {number}")))?;
            writer.add(session, &item)?;
        }
        Ok(())
    };
    if let Err(error) = read_all() {
        writer.abandon(session)?;
        return Err(error);
    }
    let plan = writer.finish(session, 0, json!({ "file": source }))?;
    if header.digest.as_ref().is_some_and(|digest| *digest != plan.digest) {
        super::retention::remove_unused(session, &plan)?;
        return Err(EngineError::refused(format!(
            "{source} is not the plan that was exported: its digest is {}\nhint: remove `digest` from the first line to read it as a new plan",
            plan.digest
        )));
    }
    let detail = json!({ "digest": plan.digest, "items": plan.items, "source": source });
    super::in_write(session, |session| {
        event::record(session, "plan.imported", plan.id.as_str(), "", &detail)
    })?;
    Ok(plan)
}

fn read_item(store: &mut dyn Store, text: &str) -> Result<Item, EngineError> {
    let line: ItemLine = serde_json::from_str(text)
        .map_err(|error| EngineError::usage(format!("not an item of a plan: {error}")))?;
    let mut changes = Vec::with_capacity(line.changes.len());
    for change in &line.changes {
        let shape = store
            .shape(&change.table)?
            .ok_or_else(|| EngineError::usage(format!("the store has no table `{}`", change.table)))?;
        changes.push(read_change(store, &shape, change)?);
    }
    Ok(Item { label: line.label, changes, record: line.record, refusal: line.refusal })
}

/// The row diff of a change as a person reads it.
pub fn describe(change: &Change) -> Json {
    let line = change_line(change);
    json!({ "kind": change.kind(), "table": line.table, "key": change.key().to_string(), "before": line.before, "after": line.after })
}
