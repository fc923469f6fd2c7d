//! Row statements of SQLite: compare-and-set writes and reads by column.
//!
//! Owns the SQL text and keeps it, one statement for each table, kind and set of changed columns, because
//! building and parsing it would cost more than running it.
//!
//! Invariant: every `UPDATE` and `DELETE` names the key and compares every column with `IS`, so it touches
//! the row only when the row is exactly the change's `before`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use plimsoll_core::change::{Change, ChangeKind};
use plimsoll_core::table::{ColumnType, Image, TableShape};
use plimsoll_core::value::Value;
use rusqlite::{CachedStatement, Connection, Row};

use super::codec::{Bound, decode};
use super::fault::explain;
use crate::error::StoreError;
use crate::store::EachRow;

/// What a statement is named by: the address of its table's shape, the kind, the changed columns.
type StatementName = (usize, ChangeKind, Vec<usize>);

/// SQL texts by table, kind and changed columns. The table's shape is kept alive, so that its address
/// stays a valid name for it.
#[derive(Default)]
pub(super) struct Statements {
    texts: HashMap<StatementName, (Arc<TableShape>, String)>,
}

/// How many statements one call of [`Statements::write`] holds at once.
const HELD: usize = 64;

impl Statements {
    /// Writes changes in order, adding to `written` for each whether its row was written; on an error the one
    /// that failed is the next.
    pub(super) fn write(
        &mut self,
        connection: &Connection,
        changes: &[&Change],
        written: &mut Vec<bool>,
    ) -> rusqlite::Result<()> {
        // Taking a statement out of the connection's cache costs as much as a small write, and rows of the
        // same kind follow each other: those in use stay out for the length of the call.
        let mut held: Vec<(StatementName, CachedStatement<'_>)> = Vec::new();
        let mut last = 0;
        let mut changed = Vec::new();
        for change in changes {
            let kind = change.kind();
            match kind {
                ChangeKind::Update => change.changed_into(&mut changed),
                _ => changed.clear(),
            }
            if kind == ChangeKind::Update && changed.is_empty() {
                written.push(false);
                continue;
            }
            let address = Arc::as_ptr(&change.table) as usize;
            let is_it = |(name, _): &(StatementName, CachedStatement<'_>)| {
                name.0 == address && name.1 == kind && name.2 == changed
            };
            if !held.get(last).is_some_and(is_it) {
                last = match held.iter().position(is_it) {
                    Some(at) => at,
                    None => {
                        if held.len() == HELD {
                            held.clear();
                        }
                        let name = (address, kind, changed.clone());
                        let statement = connection.prepare_cached(self.text(&name, &change.table))?;
                        held.push((name, statement));
                        held.len() - 1
                    }
                };
            }
            let Some((_, statement)) = held.get_mut(last) else { continue };
            written.push(execute(statement, change, kind, &changed)? == 1);
        }
        Ok(())
    }

    fn text(&mut self, name: &StatementName, table: &Arc<TableShape>) -> &str {
        if !self.texts.contains_key(name) {
            let text = write_sql(table, name.1, &name.2);
            self.texts.insert(name.clone(), (Arc::clone(table), text));
        }
        self.texts.get(name).map_or("", |(_, text)| text)
    }
}

fn execute(
    statement: &mut CachedStatement<'_>,
    change: &Change,
    kind: ChangeKind,
    changed: &[usize],
) -> rusqlite::Result<usize> {
    let mut next = 1;
    if let Some(after) = &change.after {
        match kind {
            ChangeKind::Insert => bind(statement, &mut next, after.iter())?,
            _ => bind(statement, &mut next, changed.iter().map(|&at| &after[at]))?,
        }
    }
    if let Some(before) = &change.before {
        bind(statement, &mut next, before.iter())?;
    }
    statement.raw_execute()
}

fn bind<'value>(
    statement: &mut CachedStatement<'_>,
    next: &mut usize,
    values: impl Iterator<Item = &'value Value>,
) -> rusqlite::Result<()> {
    for value in values {
        statement.raw_bind_parameter(*next, Bound(value))?;
        *next += 1;
    }
    Ok(())
}

fn write_sql(table: &TableShape, kind: ChangeKind, changed: &[usize]) -> String {
    let mut sql = String::new();
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let mut next = 1;
    let mut mark = || {
        next += 1;
        next - 1
    };
    // Writing to a String cannot fail.
    let _ = match kind {
        ChangeKind::Insert => {
            let marks: Vec<String> = columns.iter().map(|_| format!("?{}", mark())).collect();
            let key: Vec<&str> = table.key.iter().map(|&at| columns[at].as_str()).collect();
            write!(
                sql,
                "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO NOTHING",
                quoted(&table.name),
                columns.join(", "),
                marks.join(", "),
                key.join(", ")
            )
        }
        ChangeKind::Update => {
            let sets: Vec<String> =
                changed.iter().map(|&at| format!("{} = ?{}", columns[at], mark())).collect();
            write!(sql, "UPDATE {} SET {}", quoted(&table.name), sets.join(", "))
        }
        ChangeKind::Delete => write!(sql, "DELETE FROM {}", quoted(&table.name)),
    };
    if kind != ChangeKind::Insert {
        // The key is compared with `=` so that its index is used, every column with `IS` so that null is
        // null, and text by its bytes, whatever collation the column has.
        let compare: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let mark = mark();
                match (table.key.contains(&at), is_textual(table.columns[at].column_type)) {
                    (true, true) => format!("{column} = ?{mark} AND {column} IS ?{mark} COLLATE BINARY"),
                    (true, false) => format!("{column} = ?{mark}"),
                    (false, true) => format!("{column} IS ?{mark} COLLATE BINARY"),
                    (false, false) => format!("{column} IS ?{mark}"),
                }
            })
            .collect();
        let _ = write!(sql, " WHERE {}", compare.join(" AND "));
    }
    sql
}

/// Whether a column of this type may have a collation that matters.
fn is_textual(column: ColumnType) -> bool {
    matches!(column, ColumnType::Text | ColumnType::Decimal | ColumnType::Json)
}

/// The statement that reads the rows whose `columns` equal as many parameters, ordered by key. A column
/// whose place in `nulls` is true is compared with `IS`, which finds nulls.
pub(super) fn select_sql(table: &TableShape, columns: &[usize], nulls: impl Iterator<Item = bool>) -> String {
    let compare: Vec<String> = columns
        .iter()
        .zip(nulls)
        .enumerate()
        .map(|(at, (&column, null))| {
            let operator = if null { "IS" } else { "=" };
            format!("{} {operator} ?{}", quoted(&table.columns[column].name), at + 1)
        })
        .collect();
    let condition = if compare.is_empty() { "TRUE".to_owned() } else { compare.join(" AND ") };
    format!("{} WHERE {condition} ORDER BY {}", select_all(table), key_list(table))
}

/// The rows that a statement of [`select_sql`] finds.
pub(super) fn select(
    connection: &Connection,
    sql: &str,
    table: &TableShape,
    values: &[Value],
) -> Result<Vec<Image>, StoreError> {
    let explained = |error: rusqlite::Error| explain(&error);
    let mut statement = connection.prepare_cached(sql).map_err(explained)?;
    let mut next = 1;
    bind(&mut statement, &mut next, values.iter()).map_err(explained)?;
    let mut found = statement.raw_query();
    let mut images = Vec::new();
    while let Some(row) = found.next().map_err(explained)? {
        images.push(image(table, row)?);
    }
    Ok(images)
}

/// Every row, ordered by key.
pub(super) fn scan(
    connection: &Connection,
    table: &TableShape,
    each: &mut EachRow<'_>,
) -> Result<(), StoreError> {
    let explained = |error: rusqlite::Error| explain(&error);
    let sql = format!("{} ORDER BY {}", select_all(table), key_list(table));
    let mut statement = connection.prepare_cached(&sql).map_err(explained)?;
    let mut found = statement.raw_query();
    while let Some(row) = found.next().map_err(explained)? {
        each(image(table, row)?)?;
    }
    Ok(())
}

fn image(table: &TableShape, row: &Row<'_>) -> Result<Image, StoreError> {
    let cell = |(at, column): (usize, &plimsoll_core::table::Column)| {
        let cell = row.get_ref(at).map_err(|error| explain(&error))?;
        decode(cell, column.column_type)
            .map_err(|error| error.during(&format!("column {} of {}", column.name, table.name)))
    };
    table.columns.iter().enumerate().map(cell).collect()
}

fn select_all(table: &TableShape) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    format!("SELECT {} FROM {}", columns.join(", "), quoted(&table.name))
}

fn key_list(table: &TableShape) -> String {
    table.key_columns().map(quoted).collect::<Vec<_>>().join(", ")
}

/// An identifier as SQLite quotes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
