//! SQLite databases that belong to another program: read, never written, not even by accident.
//!
//! Owns how such a file is opened. A database in WAL mode whose program has ended cleanly has no log beside it; an
//! ordinary reader would then create one (and its shared memory) in a folder that is not ours, or fail where it may
//! not. It is opened as immutable instead, which makes nothing; whether it stayed so is for the caller to ask
//! ([`ForeignDatabase::is_as_opened`]). With a log beside it the program is alive, or died: reading takes part in its
//! locking through the shared memory that is there, and where there is none a private copy is read.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use plimsoll_core::value::Value;
use rusqlite::{Connection, OpenFlags};

use crate::error::{ErrorClass, StoreError};
use crate::sqlite::{decode_untyped, explain};

/// A foreign database, open for reading.
pub struct ForeignDatabase {
    connection: Connection,
    path: PathBuf,
    /// The folder of a private copy, deleted with this.
    _copy: Option<tempfile::TempDir>,
    opened: Fingerprint,
}

/// What tells that a database changed, by its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    main: Option<(u64, SystemTime)>,
    log: Option<(u64, SystemTime)>,
}

impl Fingerprint {
    /// Of the database at `path`, as it is now.
    pub fn of(path: &Path) -> Self {
        let stamp = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.len(), metadata.modified().ok()?))
        };
        // An empty log says as much as none.
        let log = stamp(&beside(path, "-wal")).filter(|(length, _)| *length > 0);
        Self { main: stamp(path), log }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

impl ForeignDatabase {
    /// Opens the database at `path`.
    ///
    /// # Errors
    /// When it is absent, not a SQLite database, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = Fingerprint::of(path);
        if opened.main.is_none() {
            let message =
                format!("{} cannot be read\nhint: check the path and its permissions", path.display());
            return Err(StoreError::new(ErrorClass::Connection, message));
        }
        let (connection, copy) = match (&opened.log, beside(path, "-shm").exists()) {
            (None, _) => (connect(path, true)?, None),
            (Some(_), true) => (connect(path, false)?, None),
            (Some(_), false) => {
                let folder = tempfile::tempdir().map_err(|error| unreadable(path, &error))?;
                let copy = folder.path().join("copy.db");
                for ending in ["", "-wal"] {
                    std::fs::copy(beside(path, ending), beside(&copy, ending))
                        .map_err(|error| unreadable(path, &error))?;
                }
                (connect(&copy, false)?, Some(folder))
            }
        };
        Ok(Self { connection, path: path.to_owned(), _copy: copy, opened })
    }

    /// False when the files changed since they were opened: what was read as immutable may then be torn.
    pub fn is_as_opened(&self) -> bool {
        self.opened.log.is_some() || Fingerprint::of(&self.path) == self.opened
    }

    /// Columns of a table, in order; empty when there is no such table.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn columns(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        self.query_each("SELECT name FROM pragma_table_info($1)", &[Value::text(table)], &mut |row| {
            names.extend(row[0].as_text().map(str::to_owned));
            Ok(())
        })?;
        Ok(names)
    }

    /// Runs a query and hands over row by row. Parameters are `$1, $2, ..`.
    ///
    /// # Errors
    /// What the database says, or `each`.
    pub fn query_each(
        &self,
        sql: &str,
        parameters: &[Value],
        each: &mut dyn FnMut(Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let reading =
            |error: rusqlite::Error| explain(&error).during(&format!("reading {}", self.path.display()));
        let mut statement = self.connection.prepare_cached(sql).map_err(reading)?;
        for (at, value) in parameters.iter().enumerate() {
            match value {
                Value::Integer(number) => statement.raw_bind_parameter(at + 1, number),
                other => statement.raw_bind_parameter(at + 1, other.as_text()),
            }
            .map_err(reading)?;
        }
        let width = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(reading)? {
            let mut cells = Vec::with_capacity(width);
            for at in 0..width {
                cells.push(decode_untyped(row.get_ref(at).map_err(reading)?)?);
            }
            each(cells)?;
        }
        Ok(())
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::new(ErrorClass::Connection, format!("{} cannot be copied: {error}", path.display()))
}

fn connect(path: &Path, immutable: bool) -> Result<Connection, StoreError> {
    let opening = |error: rusqlite::Error| explain(&error).during(&format!("opening {}", path.display()));
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                address.push(char::from(*byte));
            }
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    address.push_str(if immutable { "?mode=ro&immutable=1" } else { "?mode=ro" });
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    #[expect(clippy::disallowed_methods, reason = "this crate is the one that opens databases")]
    let connection = Connection::open_with_flags(address, flags).map_err(opening)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(opening)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA mmap_size = 268435456;").map_err(opening)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(opening)?;
    Ok(connection)
}
