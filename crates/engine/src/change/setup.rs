//! Getting a store ready: the journal's and a system's tables, and finding things by id prefix.
//!
//! Owns what every command does first. It does not open stores.

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::{Id, SHORTEST_PREFIX, is_prefix};
use plimsoll_core::value::Value;
use plimsoll_store::{digest, journal, schema};

use super::cells::Cells;
use crate::error::EngineError;
use crate::session::Session;
use crate::system::System;

/// What an id can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A plan.
    Plan,
    /// A run.
    Run,
    /// A quarantined item.
    Quarantined,
    /// A backup.
    Backup,
}

impl Named {
    fn table(self) -> &'static str {
        match self {
            Self::Plan => "plimsoll_plan",
            Self::Run => "plimsoll_run",
            Self::Quarantined => "plimsoll_quarantine",
            Self::Backup => "plimsoll_backup",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Run => "run",
            Self::Quarantined => "quarantined item",
            Self::Backup => "backup",
        }
    }
}

/// Brings the journal's tables up to date, and the system's when one is given.
///
/// # Errors
/// Refused when the store is newer than this program.
pub fn prepare(session: &mut Session, system: Option<&System>) -> Result<(), EngineError> {
    let now = session.clock.now();
    schema::upgrade(session.store.as_mut(), &journal::SCHEMA, &now)?;
    if let Some(system) = system {
        schema::upgrade(session.store.as_mut(), &system.schema, &now)?;
    }
    Ok(())
}

/// The digests of a system's tables, from one snapshot. Reads only.
///
/// # Errors
/// When the store fails.
pub fn digests(session: &mut Session, system: &System) -> Result<Vec<TableDigest>, EngineError> {
    Ok(digest::table_digests(session.store.as_mut(), system.tables)?)
}

/// The id that `prefix` stands for.
///
/// # Errors
/// Usage when nothing or more than one thing matches, or the prefix is too short.
pub fn find_id(session: &mut Session, named: Named, prefix: &str) -> Result<Id, EngineError> {
    let word = named.word();
    let prefix = prefix.to_ascii_lowercase();
    if !is_prefix(&prefix) {
        return Err(EngineError::usage(format!(
            "`{prefix}` is no {word} id\nhint: give at least {SHORTEST_PREFIX} of its hexadecimal characters; `plimsoll log` lists ids"
        )));
    }
    let sql = format!("SELECT id FROM {} WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 3", named.table());
    // `g` sorts after every hexadecimal character.
    let range = [Value::text(&prefix), Value::text(format!("{prefix}g"))];
    let found = session.store.query(&sql, &range)?;
    let ids = found.into_iter().map(|row| Cells(row).text(0)).collect::<Result<Vec<_>, _>>()?;
    match ids.as_slice() {
        [only] => Ok(Id(only.clone())),
        [] => {
            Err(EngineError::usage(format!("there is no {word} `{prefix}`\nhint: `plimsoll log` lists ids")))
        }
        more => Err(EngineError::usage(format!(
            "`{prefix}` stands for more than one {word}: {}\nhint: give more characters",
            more.join(", ")
        ))),
    }
}
