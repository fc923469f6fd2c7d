//! PostgreSQL as a store.
//!
//! Owns the connection and its transactions. Writing transactions run at read committed, where every
//! compare-and-set waits for the row's lock and then sees the newest row; reading ones run at repeatable
//! read, which is one snapshot. How columns travel is `column`'s, statements of rows are `write`'s, `read`'s
//! and `append`'s, error codes are `fault`'s.
//!
//! Invariant: a transaction in which a statement failed is never reported as committed. (PostgreSQL answers
//! `COMMIT` in such a transaction with a rollback and no error.)

mod append;
mod arrays;
mod canonical;
mod catalog;
mod column;
mod connect;
mod fault;
mod jsonb;
mod read;
mod replace;
mod statements;
mod wire;
mod write;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ::postgres::types::ToSql;
use ::postgres::{Client, Error, Statement};
use plimsoll_core::change::Change;
use plimsoll_core::table::{Column, Image, RowKey, TableShape};
use plimsoll_core::value::Value;

use crate::error::{ErrorClass, StoreError};
use crate::store::{Access, DatabaseKind, EachRow, NamedRows, Store};
use crate::url::StoreUrl;

use canonical::Oracle;
use catalog::Layout;
use connect::Address;
use fault::explain;
use statements::Statements;
use wire::Bound;

/// How many shapes of one table are remembered: its own and those of older plans.
const SHAPES_KEPT: usize = 8;

/// How the open transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A statement failed; only going back is left.
    Failed,
}

/// What a transaction sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// Each statement the newest rows.
    Newest,
    /// One snapshot, without writing.
    Snapshot,
    /// One snapshot, and its own writes.
    WritingSnapshot,
}

/// A PostgreSQL database.
pub(crate) struct PostgresStore {
    client: Client,
    address: Address,
    transaction: Transaction,
    statements: Statements<String>,
    shapes: HashMap<String, Arc<TableShape>>,
    layouts: HashMap<String, Vec<Arc<Layout>>>,
    row_statements: Statements<write::RowStatement>,
    oracle: Oracle,
    /// The statement that defers again what was deferred, when there is anything to defer.
    deferred: Option<Option<String>>,
}

impl PostgresStore {
    /// Connects.
    pub(crate) fn open(url: &str) -> Result<Self, StoreError> {
        Self::connect(Address::parse(url)?)
    }

    /// Connects to another database of the same server.
    pub(crate) fn open_database(&self, name: &str) -> Result<Self, StoreError> {
        Self::connect(self.address.of_database(name))
    }

    fn connect(address: Address) -> Result<Self, StoreError> {
        Ok(Self {
            client: address.connect()?,
            oracle: Oracle::new(address.clone()),
            address,
            transaction: Transaction::None,
            statements: Statements::new(),
            shapes: HashMap::new(),
            layouts: HashMap::new(),
            row_statements: Statements::new(),
            deferred: None,
        })
    }

    /// The name of the database.
    pub(crate) fn database(&mut self) -> Result<String, StoreError> {
        let name = self.query("SELECT current_database()", &[])?.concat();
        Ok(name.first().and_then(Value::as_text).unwrap_or_default().to_owned())
    }

    /// What PostgreSQL's own programs need in their environment to connect to the same place.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.address.environment()
    }

    /// Begins a transaction that sees what `isolation` says.
    pub(crate) fn begin_at(&mut self, isolation: Isolation) -> Result<(), StoreError> {
        if self.transaction != Transaction::None {
            return Err(StoreError::new(ErrorClass::Other, "a transaction is open already"));
        }
        self.batch(match isolation {
            Isolation::Newest => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Isolation::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Isolation::WritingSnapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE",
        })?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    /// Runs something on the connection and notes when it ended the transaction.
    fn tracked<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, StoreError> {
        self.tracked_as(explain, work)
    }

    /// As [`Self::tracked`], with another explanation of the error.
    fn tracked_as<T>(
        &mut self,
        explain: fn(&Error) -> StoreError,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        work(self).map_err(|error| {
            let told = explain(&error);
            // Errors that the server did not raise (a parameter that does not fit) leave it as it was.
            if error.as_db_error().is_some() && self.transaction == Transaction::Open {
                self.transaction = Transaction::Failed;
            }
            if told.message.starts_with("cached plan must not change result type") {
                self.statements.clear();
                self.row_statements.clear();
            }
            told
        })
    }

    /// The prepared statement of a text.
    fn prepared(&mut self, sql: &str) -> Result<Statement, Error> {
        self.statements.get(&mut self.client, sql, || sql.to_owned())
    }

    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.tracked(|store| store.client.batch_execute(sql))
    }

    fn shape_of(&mut self, table: &str) -> Result<Option<Arc<TableShape>>, StoreError> {
        if let Some(shape) = self.shapes.get(table) {
            return Ok(Some(Arc::clone(shape)));
        }
        let Some(shape) = self.tracked(|store| catalog::shape(&mut store.client, table))? else {
            return Ok(None);
        };
        if shape.key.is_empty() {
            let message =
                format!("table `{table}` has no primary key\nhint: Plimsoll changes rows by key; add one");
            return Err(StoreError::new(ErrorClass::Schema, message));
        }
        let shape = Arc::new(shape);
        self.shapes.insert(table.to_owned(), Arc::clone(&shape));
        Ok(Some(shape))
    }

    /// The table as statements see it; read once for each shape.
    fn layout(&mut self, shape: &Arc<TableShape>) -> Result<Arc<Layout>, StoreError> {
        let same = |layout: &&Arc<Layout>| Arc::ptr_eq(&layout.shape, shape) || layout.shape == *shape;
        if let Some(layout) = self.layouts.get(&shape.name).and_then(|known| known.iter().find(same)) {
            return Ok(Arc::clone(layout));
        }
        let layout = Arc::new(self.tracked(|store| Layout::read(&mut store.client, shape))?);
        let known = self.layouts.entry(shape.name.clone()).or_default();
        if known.len() >= SHAPES_KEPT {
            known.clear();
            // Their statements are named by where they were.
            self.row_statements.clear();
        }
        known.push(Arc::clone(&layout));
        Ok(layout)
    }

    fn within(&self, doing: &str) -> Result<(), StoreError> {
        let (class, problem) = match self.transaction {
            _ if self.client.is_closed() => {
                let problem = "the connection is closed\nhint: see whether the server runs, then resume";
                (ErrorClass::Connection, problem)
            }
            Transaction::Open => return Ok(()),
            Transaction::None => (ErrorClass::Other, "there is no open transaction"),
            Transaction::Failed => (ErrorClass::Other, "a statement of the transaction failed"),
        };
        Err(StoreError::new(class, format!("{doing}: {problem}")))
    }
}

impl Store for PostgresStore {
    fn kind(&self) -> DatabaseKind {
        DatabaseKind::Postgres
    }

    fn url(&self) -> StoreUrl {
        self.address.url()
    }

    fn reopen(&self) -> Result<Box<dyn Store>, StoreError> {
        let StoreUrl::Postgres { url } = self.address.url() else {
            return Err(StoreError::new(ErrorClass::Other, "not an address of PostgreSQL"));
        };
        Ok(Box::new(Self::open(&url)?))
    }

    fn begin(&mut self, access: Access) -> Result<(), StoreError> {
        self.begin_at(match access {
            Access::ReadWrite => Isolation::Newest,
            Access::ReadOnly => Isolation::Snapshot,
        })
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if let Err(error) = self.within("committing") {
            self.rollback()?;
            return Err(error);
        }
        // A commit that fails has rolled back; so will a server that lost its client.
        let result = self.batch("COMMIT");
        self.transaction = Transaction::None;
        result
    }

    fn rollback(&mut self) -> Result<(), StoreError> {
        if self.transaction == Transaction::None {
            return Ok(());
        }
        self.transaction = Transaction::None;
        // A server that lost its client rolls back by itself.
        if self.client.is_closed() { Ok(()) } else { self.batch("ROLLBACK") }
    }

    fn savepoint(&mut self, name: &'static str) -> Result<(), StoreError> {
        self.within("setting a savepoint")?;
        self.batch(&format!("SAVEPOINT {name}"))
    }

    fn rollback_to(&mut self, name: &'static str) -> Result<(), StoreError> {
        self.batch(&format!("ROLLBACK TO SAVEPOINT {name}"))?;
        if self.transaction == Transaction::Failed {
            self.transaction = Transaction::Open;
        }
        Ok(())
    }

    fn release(&mut self, name: &'static str) -> Result<(), StoreError> {
        self.within("releasing a savepoint")?;
        self.batch(&format!("RELEASE SAVEPOINT {name}"))
    }

    fn check_deferred(&mut self) -> Result<(), StoreError> {
        let again = match &self.deferred {
            Some(known) => known.clone(),
            None => {
                // Only what is deferred by declaration goes back to being deferred afterwards.
                let sql = "SELECT string_agg(DISTINCT format('%I.%I', n.nspname, c.conname), ', ')
                           FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
                           WHERE c.condeferred";
                let found = self.query(sql, &[])?;
                let names = found.first().and_then(|row| row.first()).and_then(Value::as_text);
                let again = names.map(|names| format!("SET CONSTRAINTS {names} DEFERRED"));
                self.deferred.insert(again).clone()
            }
        };
        match again {
            None => Ok(()),
            Some(again) => self.batch(&format!("SET CONSTRAINTS ALL IMMEDIATE; {again}")),
        }
    }

    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let bound: Vec<Bound<'_>> = parameters.iter().map(Bound).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
        self.tracked(|store| {
            let statement = store.prepared(sql)?;
            store.client.execute(&statement, &bound)
        })
    }

    fn query_each(
        &mut self,
        sql: &str,
        parameters: &[Value],
        each: &mut EachRow<'_>,
    ) -> Result<(), StoreError> {
        let bound: Vec<Bound<'_>> = parameters.iter().map(Bound).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
        self.stream(sql, &bound, each)
    }

    fn query_named(&mut self, sql: &str, parameters: &[Value]) -> Result<NamedRows, StoreError> {
        let bound: Vec<Bound<'_>> = parameters.iter().map(Bound).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
        self.named(sql, &bound)
    }

    fn limit_statements(&mut self, limit: Duration) -> Result<(), StoreError> {
        self.within("limiting statements")?;
        // Zero means no limit to the server.
        let milliseconds = limit.as_millis().max(1);
        self.batch(&format!(
            "SET LOCAL statement_timeout = {milliseconds}; SET LOCAL lock_timeout = {milliseconds}"
        ))
    }

    fn run_script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.batch(sql)
    }

    fn append(&mut self, table: &str, columns: &[&str], rows: &[Vec<Value>]) -> Result<(), StoreError> {
        self.append_rows(table, columns, rows)
    }

    fn shape(&mut self, table: &str) -> Result<Option<Arc<TableShape>>, StoreError> {
        self.shape_of(table)
    }

    fn forget_shapes(&mut self) {
        self.shapes.clear();
        self.layouts.clear();
        self.row_statements.clear();
        self.statements.clear();
        self.oracle.forget();
        self.deferred = None;
    }

    fn canonical(&self, column: &Column, value: Value) -> Value {
        self.oracle.canonical(column, value)
    }

    fn write_rows(&mut self, changes: &[&Change]) -> Result<Vec<bool>, StoreError> {
        self.write_changes(changes)
    }

    fn read_rows(
        &mut self,
        table: &Arc<TableShape>,
        keys: &[RowKey],
    ) -> Result<Vec<Option<Image>>, StoreError> {
        self.read_by_key(table, keys)
    }

    fn find_rows(
        &mut self,
        table: &Arc<TableShape>,
        columns: &[usize],
        values: &[Value],
    ) -> Result<Vec<Image>, StoreError> {
        self.find_by_columns(table, columns, values)
    }

    fn scan_rows(&mut self, table: &Arc<TableShape>, each: &mut EachRow<'_>) -> Result<(), StoreError> {
        self.scan(table, each)
    }
}
