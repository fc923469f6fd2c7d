//! What the server asks of the program that it runs in: sources, settings of runs, backups, and command lines.
//!
//! Owns the seam only. The server reads no configuration and starts no process; the command does both, and hands itself
//! over. Work that is a program of its own by design - playbooks, schedules, checks of a store that one process has at
//! a time - is a command line of this same program, in words, without a shell.

use std::path::PathBuf;
use std::time::Duration;

use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::source::{Fetch, NoSource};
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::StoreUrl;

/// A source that was opened, and its address for the journal.
pub struct OpenedSource {
    /// The source.
    pub fetch: Box<dyn Fetch>,
    /// Its address.
    pub address: String,
}

/// How a command line ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// What it printed: data.
    pub out: String,
    /// What it said.
    pub err: String,
}

/// What the server needs of the program around it.
pub trait Host: Send + Sync {
    /// Opens the source that the configuration names for a change kind.
    ///
    /// # Errors
    /// Usage, when none is named or it cannot be opened.
    fn source(
        &self,
        system: &System,
        change: &'static dyn ChangeKind,
        session: &Session,
    ) -> Result<OpenedSource, EngineError>;

    /// How a run of a change kind goes.
    ///
    /// # Errors
    /// When the flag that decides it cannot be read.
    fn run_settings(&self, system: &str, change: &str) -> Result<RunSettings, EngineError>;

    /// Where backups of a store go.
    fn backups(&self, store: &StoreUrl) -> PathBuf;

    /// Whether a plan is applied only when it is approved.
    fn approval_required(&self) -> bool;

    /// Runs a command line of this program in the name of `actor`, for the request with this id.
    fn command(&self, words: &[String], actor: &str, request: Option<&str>, limit: Duration) -> Ended;
}

/// A host without configuration: no sources and no command lines; backups go beside a SQLite store.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn source(
        &self,
        system: &System,
        change: &'static dyn ChangeKind,
        _session: &Session,
    ) -> Result<OpenedSource, EngineError> {
        if change.asks_source() {
            return Err(EngineError::usage(format!("no source is named for `{}`", system.name)));
        }
        Ok(OpenedSource { fetch: Box::new(NoSource), address: "request".to_owned() })
    }

    fn run_settings(&self, _system: &str, _change: &str) -> Result<RunSettings, EngineError> {
        Ok(RunSettings::default())
    }

    fn backups(&self, store: &StoreUrl) -> PathBuf {
        match store {
            StoreUrl::Sqlite { path, .. } => path.with_file_name("backups"),
            StoreUrl::Postgres { .. } => PathBuf::from("backups"),
        }
    }

    fn approval_required(&self) -> bool {
        false
    }

    fn command(&self, words: &[String], _actor: &str, _request: Option<&str>, _limit: Duration) -> Ended {
        let err = format!("`plimsoll {}` cannot be run from here", words.join(" "));
        Ended { code: 2, out: String::new(), err }
    }
}
