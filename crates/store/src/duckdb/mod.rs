//! DuckDB as an analytical store.
//!
//! Owns the connection to a DuckDB file, its settings, appending rows and asking queries. One process opens the
//! file for writing; connections made by [`Analytics::another`] share it. What is written when is the ingest's.
//!
//! Invariants: no table has a key or an index (decision 6); money leaves and enters as whole numbers; queries run
//! without access to other files or to the network.

mod batch;
mod cells;
mod columns;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use ::duckdb::{AccessMode, Config, Connection};

use crate::analytics::{AnalyticTable, OwnedCell, RowBuffer};
use crate::error::{ErrorClass, StoreError};

pub use columns::{Columns, Integers, Texts};

/// Under which name the file is attached.
const FILE: &str = "store";
/// Rows of a row group: what is compressed, skipped and written as one. A load hands full ones to the file before it
/// commits, so that memory holds few of them; a file that is opened with another number keeps those that it has.
const ROW_GROUP_ROWS: usize = 8_192;

/// How much of the machine the database may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Memory in megabytes.
    pub memory_mb: u32,
    /// Threads.
    pub threads: u8,
}

impl Default for Resources {
    fn default() -> Self {
        Self { memory_mb: 1_024, threads: 2 }
    }
}

/// A DuckDB file, or a database in memory.
pub struct Analytics {
    connection: Connection,
    path: Option<PathBuf>,
}

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A moment in UTC, microseconds.
    Timestamp(i64),
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Parameter {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// What a query answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Name and type of each column, such as `("day", "DATE")`.
    pub columns: Vec<(String, String)>,
    /// The rows.
    pub rows: Vec<Vec<OwnedCell>>,
}

impl Analytics {
    /// Opens the file for reading and writing, creating it when it is absent.
    ///
    /// # Errors
    /// When another process has it open, or it is no DuckDB file of this version.
    pub fn open(path: &Path, resources: Resources) -> Result<Self, StoreError> {
        Self::open_as(path, resources, AccessMode::ReadWrite, false)
    }

    /// Opens an existing file for reading only.
    ///
    /// # Errors
    /// When there is no such file, or another process writes it.
    pub fn open_read_only(path: &Path, resources: Resources) -> Result<Self, StoreError> {
        Self::open_existing(path, resources, false)
    }

    fn open_existing(path: &Path, resources: Resources, other_files: bool) -> Result<Self, StoreError> {
        if !path.is_file() {
            let message =
                format!("{} is not there\nhint: fill it first: plimsoll ingest <system>", path.display());
            return Err(StoreError::new(ErrorClass::Connection, message));
        }
        Self::open_as(path, resources, AccessMode::ReadOnly, other_files)
    }

    /// A database in memory, gone when the last connection to it is dropped.
    ///
    /// # Errors
    /// When the library refuses its settings.
    pub fn open_in_memory() -> Result<Self, StoreError> {
        let config = settings(Resources::default(), AccessMode::ReadWrite, false).map_err(|e| explain(&e))?;
        #[expect(clippy::disallowed_methods, reason = "this crate is the one that opens databases")]
        let connection = Connection::open_in_memory_with_flags(config).map_err(|e| explain(&e))?;
        Ok(Self { connection, path: None })
    }

    /// Opens an existing file for [`Analytics::export_parquet`]: for reading, and writing other files.
    ///
    /// # Errors
    /// When there is no such file, or another process writes it.
    pub fn open_for_export(path: &Path, resources: Resources) -> Result<Self, StoreError> {
        Self::open_existing(path, resources, true)
    }

    /// Writes a table as a Parquet file; returns its rows. Only after [`Analytics::open_for_export`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn export_parquet(&self, table: &str, path: &Path) -> Result<u64, StoreError> {
        let Some(path) = path.to_str() else {
            return Err(StoreError::new(ErrorClass::Other, format!("{} is not UTF-8", path.display())));
        };
        // COPY takes no parameters for its target; a quote in the path is doubled.
        let sql =
            format!("COPY \"{table}\" TO '{}' (FORMAT parquet, COMPRESSION zstd)", path.replace('\'', "''"));
        self.execute(&sql, &[])
    }

    fn open_as(
        path: &Path,
        resources: Resources,
        mode: AccessMode,
        other_files: bool,
    ) -> Result<Self, StoreError> {
        let opening = |error: ::duckdb::Error| {
            let error = explain(&error).during(&format!("opening {}", path.display()));
            if error.to_string().contains("lock") {
                let hint = "hint: another process has it open; a file of DuckDB has one writer at a time";
                return StoreError::new(ErrorClass::Contention, format!("{error}\n{hint}"));
            }
            error
        };
        let Some(text) = path.to_str() else {
            return Err(StoreError::new(ErrorClass::Other, format!("{} is not UTF-8", path.display())));
        };
        // The file is attached to an empty database in memory: only so the size of row groups can be chosen.
        let config = settings(resources, AccessMode::ReadWrite, true)
            .and_then(|config| config.with("temp_directory", format!("{text}.tmp")))
            .map_err(opening)?;
        #[expect(clippy::disallowed_methods, reason = "this crate is the one that opens databases")]
        let connection = Connection::open_in_memory_with_flags(config).map_err(opening)?;
        let how = match mode {
            AccessMode::ReadOnly => "READ_ONLY".to_owned(),
            _ => format!("ROW_GROUP_SIZE {ROW_GROUP_ROWS}"),
        };
        // ATTACH takes no parameters; a quote in the path is doubled.
        let attach = format!("ATTACH '{}' AS {FILE} ({how}); USE {FILE}", text.replace('\'', "''"));
        connection.execute_batch(&attach).map_err(opening)?;
        if !other_files {
            connection.execute_batch("SET enable_external_access = false").map_err(opening)?;
        }
        Ok(Self { connection, path: Some(path.to_owned()) })
    }

    /// Where it is; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Another connection to the same database, for another thread.
    ///
    /// # Errors
    /// When the library cannot make one.
    pub fn another(&self) -> Result<Self, StoreError> {
        let connection = self.connection.try_clone().map_err(|e| explain(&e))?;
        if self.path.is_some() {
            connection.execute_batch(&format!("USE {FILE}")).map_err(|e| explain(&e))?;
        }
        Ok(Self { connection, path: self.path.clone() })
    }

    /// The version of the library, such as `v2.0.0`.
    ///
    /// # Errors
    /// When the library does not answer.
    pub fn version(&self) -> Result<String, StoreError> {
        self.connection.version().map_err(|e| explain(&e))
    }

    /// Creates the tables that are absent.
    ///
    /// # Errors
    /// When a table exists with other columns.
    pub fn create_tables(&self, tables: &[&AnalyticTable]) -> Result<(), StoreError> {
        // One transaction: each of its own would wait for the disk.
        self.in_transaction(|store| tables.iter().try_for_each(|table| store.run_script(&table.create())))?;
        let sql = "SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'main' ORDER BY table_name, ordinal_position";
        let mut found: HashMap<String, Vec<String>> = HashMap::new();
        self.query_each(sql, &[], &mut |row| {
            if let [OwnedCell::Text(table), OwnedCell::Text(column)] = row.as_slice() {
                found.entry(table.clone()).or_default().push(column.clone());
            }
            Ok(())
        })?;
        for table in tables {
            let columns = found.get(table.name).map_or(&[][..], Vec::as_slice);
            if !table.columns.iter().map(|column| column.name).eq(columns.iter().map(String::as_str)) {
                let message = format!(
                    "table `{}` was made by another version of this program\n\
                     hint: rebuild it from its sources: plimsoll ingest <system> --rebuild",
                    table.name
                );
                return Err(StoreError::new(ErrorClass::Schema, message));
            }
        }
        Ok(())
    }

    /// The names of all tables.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn table_names(&self) -> Result<HashSet<String>, StoreError> {
        let sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'";
        let rows = self.query(sql, &[])?.rows;
        Ok(rows.into_iter().filter_map(|row| row[0].as_text().map(str::to_owned)).collect())
    }

    /// Runs statements without parameters.
    ///
    /// # Errors
    /// What the database says.
    pub fn run_script(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|e| explain(&e))
    }

    /// Runs one statement and returns how many rows it changed. Parameters are `?`, or `$1, $2, ..`.
    ///
    /// # Errors
    /// What the database says.
    pub fn execute(&self, sql: &str, parameters: &[Parameter]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| explain(&e))?;
        let changed = statement.execute(cells::bound(parameters)).map_err(|e| explain(&e))?;
        Ok(changed as u64)
    }

    /// Runs a query. Parameters are `?`, or `$1, $2, ..`.
    ///
    /// # Errors
    /// What the database says; a column of a nested type (cast it to JSON).
    pub fn query(&self, sql: &str, parameters: &[Parameter]) -> Result<Answer, StoreError> {
        let mut rows = Vec::new();
        let columns = self.query_each(sql, parameters, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(Answer { columns, rows })
    }

    /// As [`Analytics::query`], and stops the query when it takes longer than `limit`.
    ///
    /// # Errors
    /// Class `timeout` when it took longer; otherwise those of [`Analytics::query`].
    pub fn query_within(
        &self,
        sql: &str,
        parameters: &[Parameter],
        limit: Duration,
    ) -> Result<Answer, StoreError> {
        let stop = self.connection.interrupt_handle();
        let (done, waiting) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                    stop.interrupt();
                }
            });
            let answer = self.query(sql, parameters);
            drop(done);
            answer
        })
    }

    /// Runs a query and hands over row by row; returns name and type of each column.
    ///
    /// # Errors
    /// What the database says, or `each`.
    pub fn query_each(
        &self,
        sql: &str,
        parameters: &[Parameter],
        each: &mut dyn FnMut(Vec<OwnedCell>) -> Result<(), StoreError>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|e| explain(&e))?;
        let mut rows = statement.query(cells::bound(parameters)).map_err(|e| explain(&e))?;
        let columns = rows.as_ref().map(cells::columns).unwrap_or_default();
        while let Some(row) = rows.next().map_err(|e| explain(&e))? {
            let mut read = Vec::with_capacity(columns.len());
            for (at, (name, kind)) in columns.iter().enumerate() {
                // The driver has no reading for a column that is nothing but null.
                if kind == "SQLNULL" {
                    read.push(OwnedCell::Null);
                    continue;
                }
                let cell = row.get_ref(at).map_err(|e| explain(&e))?;
                read.push(cells::owned(cell, name)?);
            }
            each(read)?;
        }
        Ok(columns)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When one is open.
    pub fn begin(&self) -> Result<(), StoreError> {
        self.run_script("BEGIN TRANSACTION")
    }

    /// Commits.
    ///
    /// # Errors
    /// When the transaction cannot be kept; nothing of it is then.
    pub fn commit(&self) -> Result<(), StoreError> {
        self.run_script("COMMIT")
    }

    /// Takes the open transaction back; does nothing when there is none.
    pub fn rollback(&self) {
        // The error that led here is the one to tell.
        drop(self.run_script("ROLLBACK"));
    }

    /// Runs `work` in one transaction: commits when it returns `Ok`, rolls back otherwise.
    ///
    /// # Errors
    /// The error of `work`, or of beginning or committing.
    pub fn in_transaction<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        match work(self) {
            Ok(result) => match self.commit() {
                Ok(()) => Ok(result),
                Err(error) => {
                    self.rollback();
                    Err(error.into())
                }
            },
            Err(error) => {
                self.rollback();
                Err(error)
            }
        }
    }

    /// Appends the rows to their table and empties the buffer.
    ///
    /// # Errors
    /// What the database says; the rows are lost to the transaction then.
    pub fn append(&self, rows: &mut RowBuffer) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let batch = batch::record_batch(rows)?;
        let table = rows.table().name;
        let during = |error: ::duckdb::Error| explain(&error).during(&format!("appending to `{table}`"));
        let mut appender = self.connection.appender(table).map_err(during)?;
        appender.append_record_batch(batch).map_err(during)?;
        appender.flush().map_err(during)
    }

    /// Changes how much of the machine all connections to this database may use.
    ///
    /// # Errors
    /// When there is no thread, or more memory is in use already.
    pub fn use_resources(&self, resources: Resources) -> Result<(), StoreError> {
        let Resources { memory_mb, threads } = resources;
        self.run_script(&format!("SET threads = {threads}; SET memory_limit = '{memory_mb}MB'"))
    }

    /// Writes what is in the log into the file.
    ///
    /// # Errors
    /// While another transaction is open.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.run_script("CHECKPOINT")
    }
}

fn settings(resources: Resources, mode: AccessMode, other_files: bool) -> ::duckdb::Result<Config> {
    Config::default()
        .access_mode(mode)?
        .enable_autoload_extension(false)?
        .with("autoinstall_known_extensions", "false")?
        .enable_external_access(other_files)?
        .max_memory(&format!("{}MB", resources.memory_mb))?
        .threads(i64::from(resources.threads))?
        .with("preserve_insertion_order", "false")?
        // Full row groups go to the file one by one, not five at a time: each is megabytes of text.
        .with("write_buffer_row_group_count", "1")?
        // Memory given back to the system after each statement would be taken again, page by page, by the next.
        .with("allocator_flush_threshold", "1GB")
}

/// The database's own words, with a class.
fn explain(error: &::duckdb::Error) -> StoreError {
    let text = error.to_string();
    let class = if text.contains("Constraint Error") {
        ErrorClass::Check
    } else if text.contains("Conversion Error") || text.contains("Out of Range") {
        ErrorClass::Value
    } else if text.contains("INTERRUPT") {
        let hint = "hint: the statement took longer than its limit; give it more time";
        return StoreError::new(ErrorClass::Timeout, format!("{text}\n{hint}"));
    } else if text.contains("Conflict") || text.contains("Could not set lock") {
        ErrorClass::Contention
    } else if text.contains("Out of Memory") || text.contains("No space left") {
        ErrorClass::Resources
    } else if text.contains("Catalog Error") || text.contains("Binder Error") || text.contains("Parser Error")
    {
        ErrorClass::Schema
    } else if text.contains("IO Error") {
        ErrorClass::Connection
    } else {
        ErrorClass::Other
    };
    StoreError::new(class, text)
}
