//! Reads of rows by key, by column and whole tables.
//!
//! Owns their SQL. Each read by key is one statement however many keys there are. Whole tables are streamed:
//! the server sends as fast as rows are taken, so neither side holds a table in memory.

use std::sync::Arc;

use ::postgres::fallible_iterator::FallibleIterator;
use ::postgres::types::ToSql;
use ::postgres::{Error, Row};
use plimsoll_core::table::{Column, Image, RowKey, TableShape};
use plimsoll_core::value::Value;

use super::PostgresStore;
use super::arrays::{ColumnArray, carried_at, parameters, unnest};
use super::column::{Carried, Treatment, carried};
use super::wire::Cell;
use crate::error::StoreError;
use crate::store::{EachRow, NamedRows};

/// The most keys of one statement.
const MOST_KEYS: usize = 10_000;

/// The cells of a result row.
pub(super) fn cells(row: &Row) -> Result<Vec<Value>, Error> {
    (0..row.len()).map(|at| row.try_get::<_, Cell>(at).map(|cell| cell.0)).collect()
}

impl PostgresStore {
    fn rows_of(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        self.tracked(|store| {
            let statement = store.prepared(sql)?;
            store.client.query(&statement, parameters)?.iter().map(cells).collect()
        })
    }

    /// See [`crate::Store::read_rows`].
    pub(super) fn read_by_key(
        &mut self,
        table: &Arc<TableShape>,
        keys: &[RowKey],
    ) -> Result<Vec<Option<Image>>, StoreError> {
        if let [key] = keys {
            // Plain parameters: the server plans this once, and arrays of one each time.
            return Ok(vec![self.find_by_columns(table, &table.key, &key.0)?.pop()]);
        }
        let layout = self.layout(table)?;
        let key: Vec<(&Column, &Treatment)> =
            table.key.iter().map(|&at| (&table.columns[at], &layout.treatments[at])).collect();
        let matches: Vec<String> = key
            .iter()
            .enumerate()
            .map(|(place, (_, treatment))| treatment.matching("t", &carried_at(place)))
            .collect();
        let sql = format!(
            "SELECT d.at, {} FROM {} JOIN {} AS t ON {}",
            layout.reading,
            unnest(key.iter().map(|(_, treatment)| *treatment)),
            layout.name,
            matches.join(" AND ")
        );
        let mut images = vec![None; keys.len()];
        for (chunk, slots) in keys.chunks(MOST_KEYS).zip(images.chunks_mut(MOST_KEYS)) {
            let mut arrays: Vec<ColumnArray<'_>> =
                key.iter().map(|(_, treatment)| ColumnArray::new(treatment.carrier, chunk.len())).collect();
            for one in chunk {
                for (part, (column, treatment)) in key.iter().enumerate() {
                    let value = one.0.get(part).unwrap_or(&Value::Null);
                    // What the column cannot hold is no row's key; null matches none.
                    let value = self.comparable(column, treatment, value).unwrap_or(Carried::Null);
                    arrays[part].push_carried(value);
                }
            }
            for mut row in self.rows_of(&sql, &parameters(&arrays))? {
                let at = row.first().and_then(Value::as_integer).unwrap_or(0);
                let slot = usize::try_from(at - 1).ok().and_then(|at| slots.get_mut(at));
                if let Some(slot) = slot {
                    row.remove(0);
                    *slot = Some(row);
                }
            }
        }
        Ok(images)
    }

    /// See [`crate::Store::find_rows`].
    pub(super) fn find_by_columns(
        &mut self,
        table: &Arc<TableShape>,
        columns: &[usize],
        values: &[Value],
    ) -> Result<Vec<Image>, StoreError> {
        let layout = self.layout(table)?;
        let mut conditions = Vec::new();
        let mut given = Vec::new();
        for (&at, value) in columns.iter().zip(values) {
            let (column, treatment) = (&table.columns[at], &layout.treatments[at]);
            if value.is_null() {
                conditions.push(format!("t.{} IS NULL", treatment.name));
                continue;
            }
            let Some(value) = self.comparable(column, treatment, value) else { return Ok(Vec::new()) };
            given.push(value);
            let one = format!("${}::{}", given.len(), treatment.carrier.sql_type());
            conditions.push(treatment.matching("t", &one));
        }
        if conditions.is_empty() {
            conditions.push("true".into());
        }
        let sql = format!(
            "SELECT {} FROM {} AS t WHERE {} ORDER BY {}",
            layout.reading,
            layout.name,
            conditions.join(" AND "),
            layout.ordering
        );
        let parameters: Vec<_> = given.iter().map(Carried::parameter).collect();
        self.rows_of(&sql, &parameters)
    }

    /// The value as its carrier takes it, when the column could hold it at all. A statement that fails
    /// would end the caller's transaction, so a text of doubtful form is first shown to the oracle.
    fn comparable<'value>(
        &self,
        column: &Column,
        treatment: &Treatment,
        value: &'value Value,
    ) -> Option<Carried<'value>> {
        let given = carried(column, value).ok()?;
        if treatment.needs_the_server(&given) && self.oracle.stored(column, &given).is_none() {
            return None;
        }
        Some(given)
    }

    /// See [`crate::Store::scan_rows`].
    pub(super) fn scan(&mut self, table: &Arc<TableShape>, each: &mut EachRow<'_>) -> Result<(), StoreError> {
        let layout = self.layout(table)?;
        let sql = format!("SELECT {} FROM {} AS t ORDER BY {}", layout.reading, layout.name, layout.ordering);
        self.stream(&sql, &[], each)
    }

    /// See [`crate::Store::query_named`].
    pub(super) fn named(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<NamedRows, StoreError> {
        self.tracked(|store| {
            let statement = store.prepared(sql)?;
            let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
            let rows = store.client.query(&statement, parameters)?;
            Ok(NamedRows { columns, rows: rows.iter().map(cells).collect::<Result<_, _>>()? })
        })
    }

    /// Runs a query and hands over its rows one by one.
    pub(super) fn stream(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
        each: &mut EachRow<'_>,
    ) -> Result<(), StoreError> {
        // An error of the receiver is not one of the server: the transaction is still good.
        let mut refused = None;
        self.tracked(|store| {
            let statement = store.prepared(sql)?;
            let mut rows = store.client.query_raw(&statement, parameters.iter().copied())?;
            while let Some(row) = rows.next()? {
                if let Err(error) = each(cells(&row)?) {
                    refused = Some(error);
                    break;
                }
            }
            Ok(())
        })?;
        refused.map_or(Ok(()), Err)
    }
}
