//! Change capture: what changed on a side, read from the outbox that its triggers write to.
//!
//! Owns reading an outbox in an order that loses nothing, and signing the lines of our own writes so that they are not
//! carried back as a user's (the earlier system took each of its own writes for a change, defect L6). The triggers are the
//! system's, in its schema; a line has these columns:
//!
//! | column | holds |
//! |---|---|
//! | `position` | a number that the database gives out |
//! | `writer` | PostgreSQL: the number of the transaction; SQLite, which has one writer at a time: 0 |
//! | `table_name`, `row_key` | the row ([`RowKey::to_text`]) |
//! | `counterpart` | the number of the row's counterpart on the other side, where the row tells |
//! | `operation` | `insert`, `update` or `delete`; for people: who carries over reads the row as it is |
//! | `origin` | null for a user's change, else who wrote it |
//! | `captured_at` | when, by the database's clock |
//!
//! Everything is captured, also our own writes: figures that are kept by change need all of them. A line is signed in the
//! transaction of the write, so a writer that dies leaves neither; one that forgets to sign causes an echo, which is
//! recognized by its values, and never the loss of a user's change.
//!
//! Invariants: PostgreSQL gives positions out before they commit, so lines are read in the order (writer, position) and
//! only of writers older than every one that is at work; no line appears behind a place that was read. A place that the
//! database cannot know is refused: after a restore into another server the numbers of transactions begin anew.

use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::{DatabaseKind, Store};
use serde::{Deserialize, Serialize};

use crate::change::cells::Cells;
use crate::error::EngineError;

/// An outbox: the name of its table, a plain identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outbox(pub &'static str);

/// A place in an outbox: everything up to it was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The writer.
    pub writer: i64,
    /// The position among its lines.
    pub position: i64,
}

/// A change that was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Where it stands.
    pub place: Place,
    /// The table.
    pub table: String,
    /// The row.
    pub key: RowKey,
    /// The number of its counterpart, where the row tells.
    pub counterpart: Option<i64>,
    /// `insert`, `update` or `delete`.
    pub operation: String,
    /// Who wrote it; none for a user.
    pub origin: Option<String>,
    /// When, by the database's clock (RFC 3339, UTC).
    pub captured_at: String,
}

/// What tells the lines of one transaction apart from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(i64);

impl Outbox {
    /// Begins a write of ours. Call it in the transaction of the write, before the first row.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub fn begin(self, store: &mut dyn Store) -> Result<Mark, EngineError> {
        let sql = match store.kind() {
            DatabaseKind::Sqlite => format!("SELECT coalesce(max(position), 0) FROM {}", self.0),
            DatabaseKind::Postgres => "SELECT pg_current_xact_id()::text::bigint".to_owned(),
        };
        Ok(Mark(first(store.query(&sql, &[])?)?.integer(0)?))
    }

    /// Signs the lines of the write, in its transaction, after the last row. Returns how many.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub fn sign(self, store: &mut dyn Store, mark: Mark, origin: &str) -> Result<u64, EngineError> {
        let lines = match store.kind() {
            DatabaseKind::Sqlite => "position > $2",
            DatabaseKind::Postgres => "writer = $2",
        };
        let sql = format!("UPDATE {} SET origin = $1 WHERE {lines}", self.0);
        Ok(store.execute(&sql, &[Value::text(origin), Value::Integer(mark.0)])?)
    }

    /// The changes after a place, whoever made them, at most `limit`.
    ///
    /// # Errors
    /// When the outbox cannot be read; integrity, when `after` is a place that this database has not come to.
    pub fn read(self, store: &mut dyn Store, after: Place, limit: u64) -> Result<Vec<Captured>, EngineError> {
        self.check_place(store, after)?;
        let only = format!("AND {}", ended(store));
        self.lines(store, after, &only, limit)
    }

    /// Every change after a place that can be seen, also those behind which others may still appear. Good for asking
    /// which rows may be on their way, and not for reading on.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn seen(self, store: &mut dyn Store, after: Place) -> Result<Vec<Captured>, EngineError> {
        self.check_place(store, after)?;
        self.lines(store, after, "", u64::MAX)
    }

    /// The last place that can be read up to: where a reader begins that has seen the rows themselves since.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub fn end(self, store: &mut dyn Store) -> Result<Place, EngineError> {
        let sql = format!(
            "SELECT writer, position FROM {} WHERE {} ORDER BY writer DESC, position DESC LIMIT 1",
            self.0,
            ended(store)
        );
        let row = store.query(&sql, &[])?.into_iter().next().map(Cells);
        row.map_or(Ok(Place::default()), |row| {
            Ok(Place { writer: row.integer(0)?, position: row.integer(1)? })
        })
    }

    fn lines(
        self,
        store: &mut dyn Store,
        after: Place,
        only: &str,
        limit: u64,
    ) -> Result<Vec<Captured>, EngineError> {
        let sql = format!(
            "SELECT writer, position, table_name, row_key, counterpart, operation, origin, captured_at FROM {}
             WHERE (writer, position) > ($1, $2) {only} ORDER BY writer, position LIMIT $3",
            self.0
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters =
            [Value::Integer(after.writer), Value::Integer(after.position), Value::Integer(limit)];
        store.query(&sql, &parameters)?.into_iter().map(|row| captured(Cells(row))).collect()
    }

    /// Forgets what was read by everybody. Returns how many lines.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub fn forget(self, store: &mut dyn Store, up_to: Place) -> Result<u64, EngineError> {
        let sql = format!("DELETE FROM {} WHERE (writer, position) <= ($1, $2)", self.0);
        Ok(store.execute(&sql, &[Value::Integer(up_to.writer), Value::Integer(up_to.position)])?)
    }

    fn check_place(self, store: &mut dyn Store, after: Place) -> Result<(), EngineError> {
        if store.kind() == DatabaseKind::Sqlite {
            return Ok(());
        }
        let sql = format!(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, (SELECT coalesce(max(writer), 0) FROM {})",
            self.0
        );
        let row = first(store.query(&sql, &[])?)?;
        let (next, newest) = (row.integer(0)?, row.integer(1)?);
        if after.writer.max(newest) < next {
            return Ok(());
        }
        Err(EngineError::integrity(format!(
            "the outbox {} was read or written up to transaction {}, and this server has come to {next} only\nhint: the database was restored into another server; compare both sides whole, repair, and begin with an empty outbox",
            self.0,
            after.writer.max(newest)
        )))
    }
}

/// What is true of lines whose writers, and all before them, have ended.
fn ended(store: &dyn Store) -> &'static str {
    match store.kind() {
        DatabaseKind::Sqlite => "true",
        DatabaseKind::Postgres => "writer < pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
    }
}

fn first(rows: Vec<Vec<Value>>) -> Result<Cells, EngineError> {
    rows.into_iter().next().map(Cells).ok_or_else(|| EngineError::integrity("a query of one row gave none"))
}

fn captured(row: Cells) -> Result<Captured, EngineError> {
    let text = row.text(3)?;
    let key = serde_json::from_str(&text).map_err(|error| {
        EngineError::integrity(format!(
            "the outbox holds the key {text}, which is none: {error}\nhint: only the triggers write there"
        ))
    })?;
    let counterpart = match row.0.get(4) {
        Some(Value::Null) => None,
        _ => Some(row.integer(4)?),
    };
    Ok(Captured {
        place: Place { writer: row.integer(0)?, position: row.integer(1)? },
        table: row.text(2)?,
        key,
        counterpart,
        operation: row.text(5)?,
        origin: row.optional_text(6)?,
        captured_at: row.text(7)?,
    })
}
