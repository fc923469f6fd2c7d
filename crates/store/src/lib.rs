//! One store over SQLite and PostgreSQL, the journal tables in it, schema versions, and the analytical store.
//!
//! Owns every connection to a database: this is the only crate that names `rusqlite`, `postgres` or `duckdb`. Owns the
//! mapping between declared column types and [`plimsoll_core::value::Value`], compare-and-set row writes,
//! error classes, backups, and the journal's tables. It does not decide what to write (the engine does) and
//! knows no system.
//!
//! Reading order: [`store`], [`error`], [`schema`], [`journal`], [`backup`], then `sqlite` and `postgres`;
//! [`analytics`] and [`duckdb`] for analytical stores; [`check_result`] is where checks keep their results.

pub mod analytics;
pub mod backup;
pub mod check_result;
pub mod digest;
pub mod duckdb;
pub mod error;
pub mod foreign;
pub mod journal;
mod postgres;
pub mod schema;
mod sqlite;
pub mod store;
pub mod url;

pub use crate::error::{ErrorClass, StoreError};
pub use crate::store::{Access, DatabaseKind, Lent, NamedRows, Store, in_transaction};
pub use crate::url::{Durability, StoreUrl};

/// Opens the store that `url` names, creating a SQLite file that does not exist yet.
///
/// # Errors
/// [`StoreError`] when the file or server cannot be opened.
pub fn open(url: &StoreUrl) -> Result<Box<dyn Store>, StoreError> {
    match url {
        StoreUrl::Sqlite { path, durability } => {
            Ok(Box::new(sqlite::SqliteStore::open(path, *durability, Access::ReadWrite)?))
        }
        StoreUrl::Postgres { url } => Ok(Box::new(postgres::PostgresStore::open(url)?)),
    }
}

/// Opens a SQLite database that belongs to somebody else, strictly read-only.
///
/// # Errors
/// [`StoreError`] when the file is absent or not a database.
pub fn read_only_sqlite(path: &std::path::Path) -> Result<Box<dyn Store>, StoreError> {
    Ok(Box::new(sqlite::SqliteStore::open(path, Durability::Full, Access::ReadOnly)?))
}
