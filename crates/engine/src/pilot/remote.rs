//! The legacy database as the remote of a link.
//!
//! Owns reading rows with their versions, writing them under the same contract that a REST API keeps, and telling changes
//! and deletions from the outbox. A row's version is the position of its last captured change, so a compare-and-set is
//! exact and costs one look at an index; who made a version is written beside it, in the transaction of the write, so a
//! repeated request is recognized and an echo names its operation.
//!
//! A record that began on the legacy side is called by its number there. One that began on the new side is called
//! `new:CODE` for ever; which number it got is noted in the transaction that inserts it, so it is inserted once.
//!
//! Invariants: the outcome of a write is in the database and nowhere else; a value that the database cannot hold is
//! refused by name before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::change::Change;
use plimsoll_core::pilot::mapping::Problem;
use plimsoll_core::sync::plan::Dispatch;
use plimsoll_core::sync::record::{Expected, Fields, OperationId, Origin, Version};
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, ErrorClass, Store, StoreError, StoreUrl};

use super::declare::{Pilot, PilotEntity};
use super::fence;
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::sync::declare::{Cursor, GoneRow, ListingPage, Page, Remote, RemoteRow, Trouble, Written};

/// Everything of an entity is in one scope.
pub const SCOPE: &str = "legacy";

/// What stands before the code of a record that began on the new side.
const BORN_NEW: &str = "new:";

/// The key of a record that began on the new side.
pub fn born_new(code: &str) -> String {
    format!("{BORN_NEW}{code}")
}

/// The code in the key of a record that began on the new side.
pub fn code_of_born_new(key: &str) -> Option<&str> {
    key.strip_prefix(BORN_NEW)
}

/// The words of what cannot be carried.
pub(crate) fn words(problems: &[Problem]) -> String {
    let words = problems.iter().map(|one| {
        if one.value.is_null() {
            format!("{}: {}", one.column, one.reason)
        } else {
            format!("{} {}: {}", one.column, one.value, one.reason)
        }
    });
    words.collect::<Vec<_>>().join("; ")
}

/// One entity of the legacy database.
pub struct LegacyRemote {
    pilot: &'static dyn Pilot,
    entity: &'static PilotEntity,
    store: Box<dyn Store>,
    /// Whether a listing is being read: all of its pages are of one snapshot, so that rows that come and go meanwhile do
    /// not make it incomplete. What they were is in the outbox.
    is_listing: bool,
}

impl LegacyRemote {
    /// The entity in the database at `base`, a store's address.
    ///
    /// # Errors
    /// Usage, when the address is not one or there is no such entity; when the database cannot be opened.
    pub fn open(pilot: &'static dyn Pilot, entity: &str, base: &str) -> Result<Self, EngineError> {
        let url: StoreUrl = base
            .parse()
            .map_err(|error| EngineError::usage(format!("the legacy side's address: {error}")))?;
        let known = pilot.entities().iter().find(|known| known.name == entity);
        let entity = known.ok_or_else(|| EngineError::usage(format!("there is no entity `{entity}`")))?;
        Ok(Self { pilot, entity, store: plimsoll_store::open(&url)?, is_listing: false })
    }

    fn number_of(&mut self, key: &str) -> Result<Option<i64>, EngineError> {
        let Some(code) = code_of_born_new(key) else { return Ok(key.parse().ok()) };
        let sql =
            format!("SELECT number FROM {} WHERE entity = $1 AND code = $2", self.pilot.tables().number);
        let rows = self.store.query(&sql, &[Value::text(self.entity.name), Value::text(code)])?;
        rows.into_iter().next().map(|row| Cells(row).integer(0)).transpose()
    }

    /// The keys of these rows.
    fn keys_of(&mut self, numbers: &[i64]) -> Result<BTreeMap<i64, String>, EngineError> {
        let mut keys: BTreeMap<i64, String> = numbers.iter().map(|n| (*n, n.to_string())).collect();
        for some in numbers.chunks(400) {
            let places: Vec<String> = (2..some.len() + 2).map(|at| format!("${at}")).collect();
            let sql = format!(
                "SELECT number, code FROM {} WHERE entity = $1 AND number IN ({})",
                self.pilot.tables().number,
                places.join(", ")
            );
            let mut parameters = vec![Value::text(self.entity.name)];
            parameters.extend(some.iter().map(|number| Value::Integer(*number)));
            for row in self.store.query(&sql, &parameters)? {
                let cells = Cells(row);
                keys.insert(cells.integer(0)?, born_new(&cells.text(1)?));
            }
        }
        Ok(keys)
    }

    fn image(&mut self, number: i64) -> Result<Option<Fields>, EngineError> {
        Ok(self.images(&[number])?.pop().flatten())
    }

    fn images(&mut self, numbers: &[i64]) -> Result<Vec<Option<Fields>>, EngineError> {
        let shape = self.store.shape(self.entity.legacy_table)?.ok_or_else(|| {
            EngineError::usage(format!(
                "the legacy database has no table `{}`\nhint: `plimsoll systems` names the store of each side",
                self.entity.legacy_table
            ))
        })?;
        let keys: Vec<RowKey> = numbers.iter().map(|number| RowKey(vec![Value::Integer(*number)])).collect();
        let rows = self.store.read_rows(&shape, &keys)?;
        let fields = |image: Vec<Value>| {
            shape.columns.iter().map(|column| column.name.clone()).zip(image).collect::<Fields>()
        };
        Ok(rows.into_iter().map(|row| row.map(fields)).collect())
    }

    /// The last captured change of a row: version, who, when.
    fn last(&mut self, number: i64) -> Result<(Version, Origin, Option<u64>), EngineError> {
        let sql = format!(
            "SELECT position, origin, captured_at FROM {} WHERE table_name = $1 AND row_key = $2
             ORDER BY position DESC LIMIT 1",
            self.pilot.outbox().0
        );
        let key = RowKey(vec![Value::Integer(number)]).to_text();
        let parameters = [Value::text(self.entity.legacy_table), Value::text(key)];
        let Some(row) = self.store.query(&sql, &parameters)?.into_iter().next().map(Cells) else {
            return Ok((Version(0), Origin::Elsewhere, None));
        };
        let origin = row.optional_text(1)?.and_then(|text| operation_of(&text));
        let origin = origin.map_or(Origin::Elsewhere, Origin::Operation);
        Ok((Version(row.count(0)?), origin, Some(crate::sync::milliseconds(&row.text(2)?))))
    }

    fn row(&mut self, key: &str, number: i64) -> Result<Option<RemoteRow>, EngineError> {
        let Some(image) = self.image(number)? else { return Ok(None) };
        self.told(key.to_owned(), number, &image).map(Some)
    }

    fn told(&mut self, key: String, number: i64, image: &Fields) -> Result<RemoteRow, EngineError> {
        let (version, origin, changed_ms) = self.last(number)?;
        let fields = self.pilot.shown(self.entity.name, image);
        Ok(RemoteRow { key, scope: SCOPE.into(), version, changed_ms, origin, fields, unknown: Vec::new() })
    }

    /// Writes in the open transaction.
    fn write_in(&mut self, key: &str, dispatch: &Dispatch) -> Result<Written, EngineError> {
        let origin = dispatch.operation.to_string();
        let number = self.number_of(key)?;
        let sql = format!("SELECT 1 FROM {} WHERE origin = $1 LIMIT 1", self.pilot.outbox().0);
        if !self.store.query(&sql, &[Value::text(origin.as_str())])?.is_empty() {
            return self.answer(key, number);
        }
        let row = match number {
            Some(number) => self.image(number)?,
            None => None,
        };
        let version = match number {
            Some(number) => self.last(number)?.0,
            None => Version(0),
        };
        let as_expected = match (&row, dispatch.expected) {
            (Some(_), Expected::Version(expected)) => version == expected,
            (None, Expected::Absent { gone: Some(gone) }) => version == gone,
            (None, Expected::Absent { gone: None }) => version == Version(0),
            _ => false,
        };
        if !as_expected {
            return Ok(Written::Rejected);
        }
        let fields = match dispatch.fields.as_ref().map(|fields| self.pilot.kept(self.entity.name, fields)) {
            Some(Ok(fields)) => Some(fields),
            Some(Err(problems)) => return Ok(Written::Refused(words(&problems))),
            None => None,
        };
        let outbox = self.pilot.outbox();
        let mark = outbox.begin(self.store.as_mut())?;
        fence::pass(self.store.as_mut(), self.pilot)?;
        let number = match (number, row, fields) {
            (Some(number), Some(row), fields) => {
                self.change(number, row, fields.as_ref())?;
                Some(number)
            }
            (number, None, Some(fields)) => Some(self.insert(key, number, fields)?),
            // Nothing is there, and nothing is wanted.
            (number, ..) => number,
        };
        fence::passed(self.store.as_mut(), self.pilot)?;
        outbox.sign(self.store.as_mut(), mark, &origin)?;
        self.answer(key, number)
    }

    fn answer(&mut self, key: &str, number: Option<i64>) -> Result<Written, EngineError> {
        let row = match number {
            Some(number) => self.row(key, number)?,
            None => None,
        };
        Ok(row.map_or(Written::Deleted, |row| Written::Applied(Box::new(row))))
    }

    fn change(&mut self, number: i64, row: Fields, fields: Option<&Fields>) -> Result<(), EngineError> {
        let shape = self.store.shape(self.entity.legacy_table)?;
        let shape = shape.ok_or_else(|| EngineError::integrity("the legacy table is gone"))?;
        let image = |row: &Fields| -> Vec<Value> {
            let value = |name: &String| row.get(name).cloned().unwrap_or_default();
            shape.columns.iter().map(|column| value(&column.name)).collect()
        };
        let before = image(&row);
        let after = fields.map(|fields| {
            let mut row = row.clone();
            row.extend(fields.clone());
            image(&row)
        });
        let change = Change::new(shape.clone(), Some(before), after)?;
        match self.store.write_rows(&[&change])?.first() {
            Some(true) => Ok(()),
            _ => Err(EngineError::integrity(format!(
                "row {number} of {} changed within a transaction",
                self.entity.legacy_table
            ))),
        }
    }

    fn insert(&mut self, key: &str, number: Option<i64>, mut fields: Fields) -> Result<i64, EngineError> {
        match number {
            Some(number) => drop(fields.insert("id".into(), Value::Integer(number))),
            None => drop(fields.remove("id")),
        }
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        let places: Vec<String> = (1..=names.len()).map(|at| format!("${at}")).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.entity.legacy_table,
            names.join(", "),
            places.join(", ")
        );
        let values: Vec<Value> = fields.values().cloned().collect();
        self.store.execute(&sql, &values)?;
        if let Some(number) = number {
            return Ok(number);
        }
        let sql =
            format!("SELECT max(id) FROM {} WHERE rowid = last_insert_rowid()", self.entity.legacy_table);
        let row = self.store.query(&sql, &[])?.into_iter().next().map(Cells);
        let given = row.ok_or_else(|| EngineError::integrity("an insert gave no number"))?.integer(0)?;
        if let Some(code) = code_of_born_new(key) {
            let sql = format!(
                "INSERT INTO {} (entity, code, number) VALUES ($1, $2, $3)",
                self.pilot.tables().number
            );
            let parameters = [Value::text(self.entity.name), Value::text(code), Value::Integer(given)];
            self.store.execute(&sql, &parameters)?;
        }
        Ok(given)
    }

    fn changes_in(&mut self, cursor: &Cursor, limit: u64) -> Result<Page, EngineError> {
        let after: i64 = cursor.stamp.parse().unwrap_or(0);
        let sql = format!(
            "SELECT position, row_key, operation FROM {} WHERE table_name = $1 AND position > $2
             ORDER BY position LIMIT $3",
            self.pilot.outbox().0
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let parameters =
            [Value::text(self.entity.legacy_table), Value::Integer(after), Value::Integer(limit)];
        let lines = self.store.query(&sql, &parameters)?;
        let more = i64::try_from(lines.len()).unwrap_or(0) == limit;
        let mut page = Page { next: cursor.clone(), more, ..Page::default() };
        let mut numbers = BTreeSet::new();
        for line in lines {
            let cells = Cells(line);
            page.next.stamp = stamp(cells.count(0)?);
            let key: RowKey = serde_json::from_str(&cells.text(1)?)?;
            numbers.extend(key.0.first().and_then(Value::as_integer));
        }
        let numbers: Vec<i64> = numbers.into_iter().collect();
        let keys = self.keys_of(&numbers)?;
        for (number, image) in numbers.iter().zip(self.images(&numbers)?) {
            let Some(key) = keys.get(number) else { continue };
            match image {
                Some(image) => page.rows.push(self.told(key.clone(), *number, &image)?),
                None => page.gone.push(GoneRow { key: key.clone(), version: self.last(*number)?.0 }),
            }
        }
        Ok(page)
    }

    fn listing_in(&mut self, offset: u64, limit: u64) -> Result<ListingPage, EngineError> {
        let table = self.entity.legacy_table;
        let total = self.store.query(&format!("SELECT count(*) FROM {table}"), &[])?;
        let total = total.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
        let sql = format!("SELECT id FROM {table} ORDER BY id LIMIT $1 OFFSET $2");
        let count = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let rows = self.store.query(&sql, &[count(limit), count(offset)])?;
        let numbers: Vec<i64> =
            rows.into_iter().map(|row| Cells(row).integer(0)).collect::<Result<_, _>>()?;
        let keys = self.keys_of(&numbers)?;
        let mut page = ListingPage { listing: "by number".into(), total, rows: Vec::new() };
        for (number, image) in numbers.iter().zip(self.images(&numbers)?) {
            if let (Some(key), Some(image)) = (keys.get(number), image) {
                page.rows.push(self.told(key.clone(), *number, &image)?);
            }
        }
        Ok(page)
    }

    /// Gives up the snapshot of a listing that somebody left.
    fn end_listing(&mut self) {
        if std::mem::take(&mut self.is_listing) {
            // Nothing was written.
            drop(self.store.rollback());
        }
    }

    /// Reads in one snapshot.
    fn snapshot<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, EngineError>) -> Result<T, Trouble> {
        self.end_listing();
        self.store.begin(Access::ReadOnly).map_err(|error| Trouble::NotSent(error.to_string()))?;
        let done = read(self);
        // Nothing was written.
        drop(self.store.rollback());
        done.map_err(|error| Trouble::TurnedAway(error.message))
    }
}

/// A place among the changes, so that texts stand in the order of the numbers.
pub(crate) fn stamp(position: u64) -> String {
    format!("{position:020}")
}

fn operation_of(text: &str) -> Option<OperationId> {
    let (stream, number) = text.rsplit_once('#')?;
    Some(OperationId { stream: stream.to_owned(), number: number.parse().ok()? })
}

fn is_busy(error: &StoreError) -> bool {
    matches!(error.class, ErrorClass::Contention | ErrorClass::Timeout)
}

impl Remote for LegacyRemote {
    fn read(&mut self, key: &str) -> Result<Option<RemoteRow>, Trouble> {
        self.snapshot(|remote| match remote.number_of(key)? {
            Some(number) => remote.row(key, number),
            None => Ok(None),
        })
    }

    fn write(&mut self, key: &str, _scope: &str, dispatch: &Dispatch) -> Result<Written, Trouble> {
        self.end_listing();
        if let Err(error) = self.store.begin(Access::ReadWrite) {
            return Err(if is_busy(&error) {
                Trouble::Busy { retry_after_ms: Some(5) }
            } else {
                Trouble::NotSent(error.to_string())
            });
        }
        match self.write_in(key, dispatch) {
            Ok(written @ (Written::Applied(_) | Written::Deleted)) => match self.store.commit() {
                Ok(()) => Ok(written),
                Err(error) => Err(Trouble::Unknown(error.to_string())),
            },
            Ok(other) => {
                drop(self.store.rollback());
                Ok(other)
            }
            Err(error) => {
                drop(self.store.rollback());
                // Taken back, so certainly not applied; a data error would be the same the next time.
                match error.class {
                    Some(ErrorClass::Contention | ErrorClass::Timeout) => {
                        Err(Trouble::Busy { retry_after_ms: Some(5) })
                    }
                    Some(class) if class.is_data() => Ok(Written::Refused(error.message)),
                    _ => Err(Trouble::NotSent(error.message)),
                }
            }
        }
    }

    /// Each effect has its line in the outbox. A copy that comes late finds the row moved, or its own line.
    fn applied(&mut self, operation: &OperationId) -> Result<Option<bool>, Trouble> {
        self.snapshot(|remote| {
            let sql = format!("SELECT 1 FROM {} WHERE origin = $1 LIMIT 1", remote.pilot.outbox().0);
            Ok(Some(!remote.store.query(&sql, &[Value::text(operation.to_string())])?.is_empty()))
        })
    }

    fn changes(&mut self, _scope: &str, cursor: &Cursor, limit: u64) -> Result<Page, Trouble> {
        self.snapshot(|remote| remote.changes_in(cursor, limit))
    }

    fn listing(
        &mut self,
        _scope: &str,
        listing: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<ListingPage, Trouble> {
        if listing.is_none() {
            self.end_listing();
            self.store.begin(Access::ReadOnly).map_err(|error| Trouble::NotSent(error.to_string()))?;
            self.is_listing = true;
        } else if !self.is_listing {
            return Err(Trouble::ListingGone("its snapshot was given up".into()));
        }
        let page = self.listing_in(offset, limit);
        let is_last = page
            .as_ref()
            .map_or(true, |page| page.rows.is_empty() || offset + page.rows.len() as u64 >= page.total);
        if is_last {
            self.end_listing();
        }
        page.map_err(|error| Trouble::TurnedAway(error.message))
    }

    /// Positions are given out as they commit, for SQLite has one writer at a time: nothing lies before a place.
    fn before(&self, cursor: &Cursor, _overlap_ms: u64) -> Cursor {
        cursor.clone()
    }
}
