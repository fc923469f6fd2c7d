//! Plain inserts into the journal's tables, as fast as the server takes them.
//!
//! Owns the two ways: a few rows are one statement that takes arrays, many rows go through `COPY` in its
//! binary form, which saves the server the reading of text and the joining of arrays. Formats are those of
//! PostgreSQL's document "COPY", section "Binary Format".

use std::io::Write;
use std::sync::Arc;

use plimsoll_core::value::Value;

use super::PostgresStore;
use super::arrays::{ColumnArray, carried_at, parameters, unnest};
use super::catalog::Layout;
use super::column::{Carried, carried, quoted};
use crate::error::{ErrorClass, StoreError};

/// From how many rows on `COPY` is worth its extra round trip.
const MANY: usize = 100;

/// The most rows of one statement, which bounds what is held in memory twice.
const MOST_ROWS: usize = 5_000;

/// How many bytes are sent at a time.
const CHUNK: usize = 256 * 1024;

/// What begins a binary copy: the signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What ends it.
const TRAILER: &[u8] = b"\xff\xff";

/// Where rows go.
struct Destination<'a> {
    layout: Arc<Layout>,
    /// Positions of the columns in the table.
    positions: Vec<usize>,
    names: Vec<String>,
    rows: &'a [Vec<Value>],
}

impl PostgresStore {
    /// See [`crate::Store::append`].
    pub(super) fn append_rows(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &[Vec<Value>],
    ) -> Result<(), StoreError> {
        let missing = |what: String| StoreError::new(ErrorClass::Schema, what);
        let shape = self.shape_of(table)?.ok_or_else(|| missing(format!("there is no table `{table}`")))?;
        let layout = self.layout(&shape)?;
        let mut positions = Vec::with_capacity(columns.len());
        for name in columns {
            let at = shape.position(name);
            positions.push(at.ok_or_else(|| missing(format!("table `{table}` has no column `{name}`")))?);
        }
        let names = columns.iter().map(|name| quoted(name)).collect();
        let copied = rows.len() >= MANY && positions.iter().all(|&at| layout.treatments[at].is_copied());
        let destination = Destination { layout, positions, names, rows };
        let result = if copied { self.copy_rows(&destination) } else { self.insert_rows(&destination) };
        result.map_err(|error| error.during(&format!("writing {table}")))
    }

    fn insert_rows(&mut self, to: &Destination<'_>) -> Result<(), StoreError> {
        let treatments = || to.positions.iter().map(|&at| &to.layout.treatments[at]);
        let values: Vec<String> =
            treatments().enumerate().map(|(place, column)| column.writing(&carried_at(place))).collect();
        let sql = format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}",
            to.layout.name,
            to.names.join(", "),
            values.join(", "),
            unnest(treatments())
        );
        for chunk in to.rows.chunks(MOST_ROWS) {
            let mut arrays: Vec<ColumnArray<'_>> =
                treatments().map(|column| ColumnArray::new(column.carrier, chunk.len())).collect();
            for row in chunk {
                for ((&at, array), value) in to.positions.iter().zip(&mut arrays).zip(row) {
                    array.push(&to.layout.shape.columns[at], value)?;
                }
            }
            let parameters = parameters(&arrays);
            self.tracked(|store| {
                let statement = store.prepared(&sql)?;
                store.client.execute(&statement, &parameters)
            })?;
        }
        Ok(())
    }

    fn copy_rows(&mut self, to: &Destination<'_>) -> Result<(), StoreError> {
        let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", to.layout.name, to.names.join(", "));
        for rows in to.rows.chunks(MOST_ROWS) {
            // A value that does not fit is found before the server hears of the copy.
            let encoded = to.encode(rows)?;
            self.tracked(|store| {
                let statement = store.prepared(&sql)?;
                let mut writer = store.client.copy_in(&statement)?;
                for chunk in encoded.chunks(CHUNK) {
                    // What goes wrong on the way is told by `finish`.
                    if writer.write_all(chunk).is_err() {
                        break;
                    }
                }
                writer.finish()
            })?;
        }
        Ok(())
    }
}

impl Destination<'_> {
    fn encode(&self, rows: &[Vec<Value>]) -> Result<Vec<u8>, StoreError> {
        let mut out = HEADER.to_vec();
        let count = i16::try_from(self.positions.len()).unwrap_or(i16::MAX).to_be_bytes();
        for row in rows {
            out.extend_from_slice(&count);
            for (&at, value) in self.positions.iter().zip(row) {
                let column = &self.layout.shape.columns[at];
                match carried(column, value)? {
                    Carried::Null => out.extend_from_slice(&(-1_i32).to_be_bytes()),
                    Carried::Boolean(value) => field(&mut out, &[u8::from(value)])?,
                    Carried::Integer(value) => field(&mut out, &value.to_be_bytes())?,
                    Carried::Float(value) => field(&mut out, &value.to_be_bytes())?,
                    Carried::Bytes(bytes) => field(&mut out, bytes)?,
                    Carried::Text(text) => field(&mut out, text.as_bytes())?,
                }
            }
        }
        out.extend_from_slice(TRAILER);
        Ok(out)
    }
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), StoreError> {
    let length = i32::try_from(bytes.len()).map_err(|_| {
        StoreError::new(ErrorClass::Value, format!("a value of {} bytes is too long", bytes.len()))
    })?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
