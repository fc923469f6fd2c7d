//! Backups: copies that were read back before they count.
//!
//! Owns making, verifying, recording and restoring copies of a store. It does not decide when a backup is
//! needed (the engine does), does not record that by itself, and does not delete old ones.
//!
//! | store | method | what it is |
//! |---|---|---|
//! | SQLite | `sqlite_copy` | a file beside the others, made by the online backup |
//! | PostgreSQL | `pg_dump` | a file in PostgreSQL's custom format |
//! | PostgreSQL | `table_copy` | a schema in the same database, where `pg_dump` cannot be used or checked |
//!
//! Invariants:
//! - A backup is verified: the copy was read back, and the digest of every table in it equals the digest
//!   taken from the same snapshot that the copy was made of.
//! - Whatever ends the process, what is left of an unfinished backup is a file whose name ends in `.part` or
//!   a scratch database, and the next backup of the same store removes it.
//! - A restore replaces the rows of the named tables in one transaction, and commits only when their digests
//!   equal the backup's. The journal is never restored: it is append-only history, and tells of the restore
//!   too. Triggers fire during a restore, so one that refuses a change refuses the restore; only
//!   guards, whose name says that they are (`_guard_`), step aside.

mod guards;
mod postgres;
mod programs;
mod sqlite;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use plimsoll_core::value::Value;

use crate::error::{ErrorClass, StoreError};
use crate::store::Store;
use crate::url::StoreUrl;

/// A verified copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its id.
    pub id: Id,
    /// How it was made: `sqlite_copy`, `pg_dump` or `table_copy`.
    pub method: String,
    /// Where it is: a file, or the name of a schema.
    pub location: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The digests of the tables in it.
    pub digests: Vec<TableDigest>,
    /// When it was verified.
    pub verified_at: String,
}

/// Why there is no backup, or no restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database refused something.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be used.
    #[error("{doing}: {source}")]
    File {
        /// What was being done.
        doing: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} {problem}")]
    Program {
        /// Which one.
        program: String,
        /// How it ended, and what it printed.
        problem: String,
    },
    /// The copy is not what it has to be.
    #[error("{what} is not intact: {problem}\nhint: {hint}")]
    Damaged {
        /// The copy, or the restored tables.
        what: String,
        /// What differs.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// The backup does not fit what is asked of it.
    #[error("{0}")]
    Refused(String),
}

/// Makes a copy of the whole store and verifies it.
///
/// `folder` is created when absent; `tables` are the tables whose digests the backup keeps, and which a
/// later [`restore`] can bring back. `now` is recorded as the time of verification. No transaction may be
/// open. Writers are not held up.
///
/// # Errors
/// [`BackupError`]; nothing is left behind that looks like a backup.
pub fn create(
    store: &mut dyn Store,
    folder: &Path,
    id: &Id,
    tables: &[&str],
    now: &str,
) -> Result<Backup, BackupError> {
    fs::create_dir_all(folder).map_err(file_error(format!("creating {}", folder.display())))?;
    // The location is recorded, so it must not depend on the folder that this process works in.
    let folder = fs::canonicalize(folder).map_err(file_error(format!("opening {}", folder.display())))?;
    let made = match store.url() {
        StoreUrl::Sqlite { path, durability } => sqlite::create(&path, durability, &folder, id, tables)?,
        StoreUrl::Postgres { url } => postgres::create(&url, &folder, id, tables)?,
    };
    Ok(Backup {
        id: id.clone(),
        method: made.method.to_owned(),
        location: made.location,
        bytes: made.bytes,
        digests: made.digests,
        verified_at: now.to_owned(),
    })
}

/// Brings the rows of `tables` back to what they are in the backup.
///
/// Only rows that differ are written. Tables that the backup's digests do not name are refused. No
/// transaction may be open; other writers to these tables wait.
///
/// # Errors
/// [`BackupError::Damaged`] when the copy, or the tables afterwards, are not what the backup's digests say;
/// whatever the error, no row is changed.
pub fn restore(store: &mut dyn Store, backup: &Backup, tables: &[&str]) -> Result<(), BackupError> {
    let mut expected = Vec::with_capacity(tables.len());
    for table in tables {
        let digest = backup.digests.iter().find(|digest| digest.table == *table);
        expected.push(digest.cloned().ok_or_else(|| {
            BackupError::Refused(format!("backup {} has no digest of table `{table}`", backup.id.short()))
        })?);
    }
    match (store.url(), backup.method.as_str()) {
        (StoreUrl::Sqlite { path, durability }, sqlite::METHOD) => {
            sqlite::restore(&path, durability, Path::new(&backup.location), &expected)
        }
        (StoreUrl::Postgres { url }, method) if method != sqlite::METHOD => {
            postgres::restore(&url, backup, &expected)
        }
        (url, method) => Err(BackupError::Refused(format!("a backup made by {method} does not fit {url}"))),
    }
}

const COLUMNS: &str = "id, created_at, method, location, bytes, digests, verified_at";

/// Records a backup in the journal, inside the caller's transaction if there is one.
///
/// # Errors
/// [`BackupError::Store`] when it is recorded already or the store fails.
pub fn record(store: &mut dyn Store, backup: &Backup) -> Result<(), BackupError> {
    let digests = serde_json::to_string(&backup.digests).map_err(unreadable)?;
    let sql = format!("INSERT INTO plimsoll_backup ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
    store.execute(
        &sql,
        &[
            Value::text(backup.id.as_str()),
            Value::text(&backup.verified_at),
            Value::text(&backup.method),
            Value::text(&backup.location),
            Value::Integer(i64::try_from(backup.bytes).unwrap_or(i64::MAX)),
            Value::text(digests),
            Value::text(&backup.verified_at),
        ],
    )?;
    Ok(())
}

/// Every recorded backup, oldest first.
///
/// # Errors
/// [`BackupError::Store`] when the journal cannot be read.
pub fn list(store: &mut dyn Store) -> Result<Vec<Backup>, BackupError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_backup ORDER BY created_at, id");
    let decoded = |row: &Vec<Value>| {
        let text = |at: usize| row.get(at).and_then(Value::as_text).unwrap_or_default();
        Ok(Backup {
            id: Id(text(0).to_owned()),
            method: text(2).to_owned(),
            location: text(3).to_owned(),
            bytes: row.get(4).and_then(Value::as_integer).and_then(|b| u64::try_from(b).ok()).unwrap_or(0),
            digests: serde_json::from_str(text(5)).map_err(unreadable)?,
            verified_at: text(6).to_owned(),
        })
    };
    store.query(&sql, &[])?.iter().map(decoded).collect()
}

fn unreadable(error: serde_json::Error) -> BackupError {
    let message = format!("the digests of a recorded backup cannot be read: {error}");
    BackupError::Store(StoreError::new(ErrorClass::Other, message))
}

/// What the parts for each database return.
struct Made {
    method: &'static str,
    location: String,
    bytes: u64,
    digests: Vec<TableDigest>,
}

fn file_error(doing: impl Into<String>) -> impl FnOnce(io::Error) -> BackupError {
    let doing = doing.into();
    move |source| BackupError::File { doing, source }
}

/// The tables whose digests differ, as a text; `None` when all are equal.
fn difference(expected: &[TableDigest], found: &[TableDigest]) -> Option<String> {
    let differing: Vec<String> = expected
        .iter()
        .filter(|digest| !found.contains(digest))
        .map(|digest| {
            let rows = found.iter().find(|found| found.table == digest.table).map_or(0, |found| found.rows);
            format!("table {} has {rows} rows that are not the {} expected ones", digest.table, digest.rows)
        })
        .collect();
    (!differing.is_empty()).then(|| differing.join("; "))
}

/// The folder in which a backup is made, held by one process at a time.
struct Folder {
    path: PathBuf,
    /// Closing it gives the folder free.
    lock: File,
}

impl Folder {
    /// Takes the folder and removes what unfinished backups of the store `name` left in it.
    fn take(path: &Path, name: &str) -> Result<Self, BackupError> {
        let lock = File::open(path).map_err(file_error(format!("opening {}", path.display())))?;
        if let Err(error) = lock.try_lock() {
            return Err(match error {
                fs::TryLockError::WouldBlock => BackupError::Refused(format!(
                    "another backup is being made in {}\nhint: wait until it is done",
                    path.display()
                )),
                fs::TryLockError::Error(error) => file_error(format!("locking {}", path.display()))(error),
            });
        }
        let entries = fs::read_dir(path).map_err(file_error(format!("reading {}", path.display())))?;
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let ours = file.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
            if ours && (file.ends_with(".part") || file.contains(".part-")) {
                tracing::info!("removing {file}, which an unfinished backup left behind");
                fs::remove_file(entry.path())
                    .map_err(file_error(format!("removing {}", entry.path().display())))?;
            }
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// A file to be filled; removed again unless it is kept.
    fn part(&self, name: &str) -> Part {
        Part { file: self.path.join(format!("{name}.part")), kept: false }
    }

    /// Puts a part on the disk and gives it its final name; returns that and its size.
    fn keep(&self, mut part: Part) -> Result<(PathBuf, u64), BackupError> {
        let named = part.file.with_extension("");
        let failed = |doing: &str| file_error(format!("{doing} {}", part.file.display()));
        let file = File::open(&part.file).map_err(failed("opening"))?;
        file.sync_all().map_err(failed("writing"))?;
        let bytes = file.metadata().map_err(failed("reading"))?.len();
        fs::rename(&part.file, &named).map_err(failed("renaming"))?;
        part.kept = true;
        // The folder holds the name.
        self.lock.sync_all().map_err(file_error(format!("writing {}", self.path.display())))?;
        Ok((named, bytes))
    }
}

/// An unfinished copy.
struct Part {
    file: PathBuf,
    kept: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed by the next backup.
            drop(fs::remove_file(&self.file));
            drop(fs::remove_file(self.file.with_added_extension("-journal")));
        }
    }
}
