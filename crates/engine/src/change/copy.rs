//! Copying a system's tables from one store into another, as a plan like any other.
//!
//! Owns the plan: one item for each row that the target lacks, parents before children. Values cross from
//! one database's types to the other's by column name, and a value that would not arrive as it left is
//! refused by name, never rounded.

use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::item::Item;
use plimsoll_core::table::TableShape;
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde_json::json;

use super::plan::{NewPlan, Plan, PlanWriter};
use crate::error::EngineError;
use crate::session::{Progress, Session};
use crate::system::System;

/// Plans the insertion of every row of `from` that is not in the session's store yet.
///
/// # Errors
/// Usage when a table or a used column does not exist in the target or a value does not survive the way.
pub fn plan_copy(session: &mut Session, system: &System, from: &mut dyn Store) -> Result<Plan, EngineError> {
    plan_copy_of(session, system, system.tables, from)
}

/// As [`plan_copy`], for these tables.
///
/// # Errors
/// As [`plan_copy`].
pub fn plan_copy_of(
    session: &mut Session,
    system: &System,
    tables: &[&str],
    from: &mut dyn Store,
) -> Result<Plan, EngineError> {
    let new = NewPlan {
        system: system.name.to_owned(),
        change: "copy".into(),
        source: from.url().to_string(),
        ..NewPlan::default()
    };
    let mut writer = PlanWriter::create(session, &new)?;
    let mut present = 0;
    for table in tables {
        let Some(source) = from.shape(table)? else { continue };
        let target = session
            .store
            .shape(table)?
            .ok_or_else(|| EngineError::usage(format!("the target has no table `{table}`")))?;
        // Rows are collected for one table at a time: the source's scan and the target's journal are two
        // connections, and an error of one must not be lost in the other.
        let mut rows = Vec::new();
        from.scan_rows(&source, &mut |image| {
            rows.push(image);
            Ok(())
        })?;
        for image in rows {
            let image = carry(session.store.as_ref(), &source, &target, &image)?;
            let key = target.key_of(&image);
            let found = session.store.read_rows(&target, &[key])?.pop().flatten();
            if found.as_ref() == Some(&image) {
                present += 1;
                continue;
            }
            let change = Change::new(Arc::clone(&target), None, Some(image))?;
            writer.add(session, &Item { changes: vec![change], ..Item::default() })?;
            let done = writer.items();
            (session.progress)(&Progress { phase: "planning", done, total: None, eta_ms: None });
        }
    }
    writer.finish(session, present, json!({ "copied_from": from.url().to_string() }))
}

fn carry(
    store: &dyn Store,
    source: &TableShape,
    target: &TableShape,
    image: &[Value],
) -> Result<Vec<Value>, EngineError> {
    let mut carried = vec![Value::Null; target.columns.len()];
    for (column, value) in source.columns.iter().zip(image) {
        if value.is_null() {
            continue;
        }
        let place = format!("{}.{} of row {}", source.name, column.name, source.key_of(image));
        let at = target
            .position(&column.name)
            .ok_or_else(|| EngineError::usage(format!("{place} has no column in the target")))?;
        let arrived = store.canonical(&target.columns[at], value.clone());
        if arrived.to_string() != value.to_string() {
            return Err(EngineError::usage(format!("{place} would arrive as {arrived} instead of {value}")));
        }
        carried[at] = arrived;
    }
    Ok(carried)
}
