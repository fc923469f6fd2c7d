//! Where a campaign's stores are: files in a temporary folder, or databases of a throw-away server.

use std::path::PathBuf;

use plimsoll_testkit::postgres_server::{PostgresServer, ServerOptions};
use tempfile::TempDir;

use crate::Failure;

/// A place for stores of one kind.
pub(crate) struct Place {
    folder: TempDir,
    server: Option<PostgresServer>,
}

/// Where a store is, and the folder for what its commands keep outside it.
pub(crate) struct Address {
    /// As `--store` takes it.
    pub(crate) url: String,
    /// Backups, logs and control store: the campaign's own, so that no other process on the machine meets it.
    pub(crate) data: PathBuf,
}

impl Place {
    /// Opens a place; `None` where the database is not installed.
    pub(crate) fn open(store: &str) -> Result<Option<Self>, Failure> {
        let folder = tempfile::tempdir()?;
        if store == "sqlite" {
            return Ok(Some(Self { folder, server: None }));
        }
        // The server itself is not killed here, so what it does with the disk does not matter.
        let Some(server) = PostgresServer::start(ServerOptions { fsync: false })? else { return Ok(None) };
        Ok(Some(Self { folder, server: Some(server) }))
    }

    /// A file of this place.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The store called `name`; it may not exist yet.
    pub(crate) fn at(&self, name: &str) -> Address {
        let url = match &self.server {
            Some(server) => server.url(name),
            None => format!("sqlite:{}", self.file(name).join("store.db").display()),
        };
        Address { url, data: self.file("data") }
    }

    /// Creates an empty store.
    pub(crate) fn create(&self, name: &str) -> Result<(), Failure> {
        match &self.server {
            Some(_) => self.administer(&format!("CREATE DATABASE {name}")),
            None => Ok(std::fs::create_dir_all(self.file(name))?),
        }
    }

    /// Copies the store `from` to a new one.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<(), Failure> {
        if self.server.is_some() {
            return self.administer(&format!("CREATE DATABASE {to} TEMPLATE {from}"));
        }
        std::fs::create_dir_all(self.file(to))?;
        std::fs::copy(self.file(from).join("store.db"), self.file(to).join("store.db"))?;
        Ok(())
    }

    /// Removes a store.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        match &self.server {
            Some(_) => self.administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")),
            None => Ok(std::fs::remove_dir_all(self.file(name))?),
        }
    }

    fn administer(&self, sql: &str) -> Result<(), Failure> {
        let Some(server) = &self.server else { return Ok(()) };
        let mut store = plimsoll_store::open(&server.url("postgres").parse()?)?;
        Ok(store.run_script(sql)?)
    }
}
