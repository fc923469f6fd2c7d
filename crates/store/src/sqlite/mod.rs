//! SQLite as a store.
//!
//! Owns the connection, its settings and transactions. One connection writes; `BEGIN IMMEDIATE` takes the
//! write lock up front, so a transaction never fails half-way for want of it. The journal mode is WAL, with
//! either durability of [`Durability`]. Types and affinities are `codec`'s, row statements are `rows`',
//! error codes are `fault`'s.

mod codec;
mod copy;
mod fault;
mod limit;
mod matching;
mod rows;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::change::Change;
use plimsoll_core::table::{Column, Image, RowKey, TableShape};
use plimsoll_core::value::Value;
use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, OpenFlags};

use crate::error::{ErrorClass, StoreError};
use crate::store::{Access, DatabaseKind, EachLent, EachRow, Lent, NamedRows, Store};
use crate::url::{Durability, StoreUrl};

use codec::Bound;
pub(crate) use codec::decode_untyped;
pub(crate) use fault::explain;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Statements kept prepared.
const STATEMENT_CACHE: usize = 256;

/// The widest row that [`Store::query_lent`] lends; the journal's are narrower.
const LENT_AT_ONCE: usize = 32;

/// A SQLite file.
pub(crate) struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    durability: Durability,
    access: Access,
    /// Inside a transaction that only reads.
    reading: bool,
    shapes: HashMap<String, Arc<TableShape>>,
    statements: rows::Statements,
    has_deferred_keys: Option<bool>,
    limit: Option<limit::Limit>,
}

impl SqliteStore {
    /// Opens the file; creates it (and not its folder) when writing and absent.
    pub(crate) fn open(path: &Path, durability: Durability, access: Access) -> Result<Self, StoreError> {
        let opening = |error: rusqlite::Error| explain(&error).during(&format!("opening {}", path.display()));
        let flags = match access {
            Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        if access == Access::ReadOnly && !path.is_file() {
            let message = format!("{} is not a file\nhint: check the path", path.display());
            return Err(StoreError::new(ErrorClass::Connection, message));
        }
        #[expect(clippy::disallowed_methods, reason = "this crate is the one that opens databases")]
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(opening)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(opening)?;
        connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        // Without this guarantee SQLite prepares a statement again whenever a bound range changes.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(opening)?;
        let settings = match (access, durability) {
            (Access::ReadOnly, _) => "PRAGMA query_only = ON;",
            (_, Durability::Full) => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
            }
            (_, Durability::Normal) => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
            }
        };
        connection.execute_batch(settings).map_err(opening)?;
        matching::add(&connection).map_err(opening)?;
        // Reading the schema now turns "file is not a database" into an error of opening.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(opening)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            durability,
            access,
            reading: false,
            shapes: HashMap::new(),
            statements: rows::Statements::default(),
            has_deferred_keys: None,
            limit: None,
        })
    }

    /// Runs one statement that needs no parameters, kept prepared: transactions begin and end often.
    fn control(&self, sql: &str) -> Result<(), StoreError> {
        let run = || self.connection.prepare_cached(sql)?.raw_execute();
        run().map(drop).map_err(|error| explain(&error))
    }

    /// Ends what [`Access::ReadOnly`] began and what limited it, once the transaction is over.
    fn allow_writes(&mut self) -> Result<(), StoreError> {
        if self.limit.take().is_some() {
            limit::lift(&mut self.connection)?;
        }
        if std::mem::take(&mut self.reading) && self.access == Access::ReadWrite {
            self.control("PRAGMA query_only = OFF")?;
        }
        Ok(())
    }

    /// A query with its parameters, whose time runs from now on where it is limited.
    fn bound(&self, sql: &str, parameters: &[Value]) -> Result<CachedStatement<'_>, StoreError> {
        let explained = |error: rusqlite::Error| explain(&error);
        if let Some(limit) = &self.limit {
            limit.begin();
        }
        let mut statement = self.connection.prepare_cached(&placeholders(sql)).map_err(explained)?;
        for (at, value) in parameters.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, Bound(value)).map_err(explained)?;
        }
        Ok(statement)
    }

    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|error| explain(&error))
    }

    fn read_shape(&self, table: &str) -> Result<Option<TableShape>, StoreError> {
        let sql =
            "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY cid";
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| explain(&error))?;
        let mut columns = Vec::new();
        let mut key: Vec<(i64, usize)> = Vec::new();
        let mut found = statement.query([table]).map_err(|error| explain(&error))?;
        while let Some(row) = found.next().map_err(|error| explain(&error))? {
            let get = |error: rusqlite::Error| explain(&error);
            let declared: String = row.get(1).map_err(get)?;
            let not_null: bool = row.get(2).map_err(get)?;
            let key_part: i64 = row.get(3).map_err(get)?;
            if key_part > 0 {
                key.push((key_part, columns.len()));
            }
            columns.push(Column {
                name: row.get(0).map_err(get)?,
                column_type: codec::column_type(&declared),
                declared,
                nullable: !not_null,
            });
        }
        if columns.is_empty() {
            return Ok(None);
        }
        if key.is_empty() {
            let message =
                format!("table `{table}` has no primary key\nhint: Plimsoll changes rows by key; add one");
            return Err(StoreError::new(ErrorClass::Schema, message));
        }
        key.sort_unstable();
        let key = key.into_iter().map(|(_, at)| at).collect();
        Ok(Some(TableShape { name: table.to_owned(), columns, key }))
    }
}

/// `$1` as SQLite spells it, `?1`.
fn placeholders(sql: &str) -> Cow<'_, str> {
    if !sql.contains('$') {
        return Cow::Borrowed(sql);
    }
    let mut out = String::with_capacity(sql.len());
    let mut characters = sql.chars().peekable();
    while let Some(character) = characters.next() {
        let numbered = character == '$' && characters.peek().is_some_and(char::is_ascii_digit);
        out.push(if numbered { '?' } else { character });
    }
    Cow::Owned(out)
}

impl Store for SqliteStore {
    fn kind(&self) -> DatabaseKind {
        DatabaseKind::Sqlite
    }

    fn url(&self) -> StoreUrl {
        StoreUrl::Sqlite { path: self.path.clone(), durability: self.durability }
    }

    fn reopen(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(Self::open(&self.path, self.durability, self.access)?))
    }

    fn begin(&mut self, access: Access) -> Result<(), StoreError> {
        match access {
            Access::ReadWrite => self.control("BEGIN IMMEDIATE"),
            Access::ReadOnly => {
                self.control("BEGIN DEFERRED")?;
                self.reading = true;
                self.control("PRAGMA query_only = ON")
            }
        }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let result = self.control("COMMIT");
        if result.is_err() {
            self.rollback()?;
        }
        self.allow_writes()?;
        result
    }

    fn rollback(&mut self) -> Result<(), StoreError> {
        if !self.connection.is_autocommit() {
            self.batch("ROLLBACK")?;
        }
        self.allow_writes()
    }

    fn savepoint(&mut self, name: &'static str) -> Result<(), StoreError> {
        self.control(&format!("SAVEPOINT {name}"))
    }

    fn rollback_to(&mut self, name: &'static str) -> Result<(), StoreError> {
        self.control(&format!("ROLLBACK TO {name}"))
    }

    fn release(&mut self, name: &'static str) -> Result<(), StoreError> {
        self.control(&format!("RELEASE {name}"))
    }

    fn check_deferred(&mut self) -> Result<(), StoreError> {
        let deferred = match self.has_deferred_keys {
            Some(deferred) => deferred,
            None => {
                let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE upper(sql) LIKE '%INITIALLY DEFERRED%')";
                let found: bool =
                    self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| explain(&error))?;
                *self.has_deferred_keys.insert(found)
            }
        };
        if !deferred {
            return Ok(());
        }
        let violation = self.query("SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1", &[])?;
        match violation.first().map(Vec::as_slice) {
            Some([table, parent]) => Err(StoreError::new(
                ErrorClass::ForeignKey,
                format!("a row of {table} names a row of {parent} that does not exist"),
            )),
            _ => Ok(()),
        }
    }

    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let run = || {
            let mut statement = self.connection.prepare_cached(&placeholders(sql))?;
            for (at, value) in parameters.iter().enumerate() {
                statement.raw_bind_parameter(at + 1, Bound(value))?;
            }
            statement.raw_execute()
        };
        run().map(|count| count as u64).map_err(|error| explain(&error))
    }

    fn query_each(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut EachRow<'_>,
    ) -> Result<(), StoreError> {
        let explained = |error: rusqlite::Error| explain(&error);
        let mut statement = self.bound(sql, parameters)?;
        let width = statement.column_count();
        let mut found = statement.raw_query();
        while let Some(row) = found.next().map_err(explained)? {
            let mut values = Vec::with_capacity(width);
            for at in 0..width {
                let cell = row.get_ref(at).map_err(explained)?;
                values.push(codec::decode_untyped(cell)?);
            }
            each(values)?;
        }
        Ok(())
    }

    fn query_lent(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut EachLent<'_>,
    ) -> Result<(), StoreError> {
        let explained = |error: rusqlite::Error| explain(&error);
        let mut statement = self.bound(sql, parameters)?;
        let width = statement.column_count();
        let mut found = statement.raw_query();
        while let Some(row) = found.next().map_err(explained)? {
            let mut cells = [Lent::Null; LENT_AT_ONCE];
            let Some(cells) = cells.get_mut(..width) else {
                let message = format!("a query of {width} columns is too wide to lend its rows");
                return Err(StoreError::new(ErrorClass::Other, message));
            };
            for (at, cell) in cells.iter_mut().enumerate() {
                *cell = codec::lend(row.get_ref(at).map_err(explained)?)?;
            }
            each(cells)?;
        }
        Ok(())
    }

    fn query_named(&mut self, sql: &str, parameters: &[Value]) -> Result<NamedRows, StoreError> {
        let columns = {
            let statement =
                self.connection.prepare_cached(&placeholders(sql)).map_err(|error| explain(&error))?;
            statement.column_names().map(str::to_owned).collect()
        };
        Ok(NamedRows { columns, rows: self.query(sql, parameters)? })
    }

    fn limit_statements(&mut self, limit: Duration) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Err(StoreError::new(
                ErrorClass::Other,
                "limiting statements: there is no open transaction",
            ));
        }
        self.limit = Some(limit::set(&mut self.connection, limit)?);
        Ok(())
    }

    fn run_script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.batch(sql)
    }

    fn append(&mut self, table: &str, columns: &[&str], rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let run = || -> Result<(), rusqlite::Error> {
            let marks: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
            let sql = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), marks.join(", "));
            let mut statement = self.connection.prepare_cached(&sql)?;
            for row in rows {
                for (at, value) in row.iter().enumerate() {
                    statement.raw_bind_parameter(at + 1, Bound(value))?;
                }
                statement.raw_execute()?;
            }
            Ok(())
        };
        run().map_err(|error| explain(&error).during(&format!("writing {table}")))
    }

    fn shape(&mut self, table: &str) -> Result<Option<Arc<TableShape>>, StoreError> {
        if let Some(shape) = self.shapes.get(table) {
            return Ok(Some(Arc::clone(shape)));
        }
        let shape = self.read_shape(table)?.map(Arc::new);
        if let Some(shape) = &shape {
            self.shapes.insert(table.to_owned(), Arc::clone(shape));
        }
        Ok(shape)
    }

    fn forget_shapes(&mut self) {
        self.shapes.clear();
        self.statements = rows::Statements::default();
        self.has_deferred_keys = None;
    }

    fn canonical(&self, column: &Column, value: Value) -> Value {
        codec::canonical(column, value, |float| {
            // SQLite writes floats in a way of its own, so it is asked.
            let sql = "SELECT CAST(?1 AS TEXT)";
            let mut statement = self.connection.prepare_cached(sql).ok()?;
            statement.query_row([float], |row| row.get(0)).ok()
        })
    }

    fn write_rows(&mut self, changes: &[&Change]) -> Result<Vec<bool>, StoreError> {
        let mut written = Vec::with_capacity(changes.len());
        match self.statements.write(&self.connection, changes, &mut written) {
            Ok(()) => Ok(written),
            Err(error) => {
                let mut error = explain(&error);
                // The one after the last that was written or found moved.
                if let Some(change) = changes.get(written.len()) {
                    error = error.during(&format!("{} {}", change.table.name, change.key()));
                }
                error.at = Some(written.len());
                Err(error)
            }
        }
    }

    fn read_rows(
        &mut self,
        table: &Arc<TableShape>,
        keys: &[RowKey],
    ) -> Result<Vec<Option<Image>>, StoreError> {
        let sql = rows::select_sql(table, &table.key, table.key.iter().map(|_| false));
        let read = |key: &RowKey| Ok(rows::select(&self.connection, &sql, table, &key.0)?.pop());
        keys.iter().map(read).collect()
    }

    fn find_rows(
        &mut self,
        table: &Arc<TableShape>,
        columns: &[usize],
        values: &[Value],
    ) -> Result<Vec<Image>, StoreError> {
        let sql = rows::select_sql(table, columns, values.iter().map(Value::is_null));
        rows::select(&self.connection, &sql, table, values)
    }

    fn scan_rows(&mut self, table: &Arc<TableShape>, each: &mut EachRow<'_>) -> Result<(), StoreError> {
        rows::scan(&self.connection, table, each)
    }
}
