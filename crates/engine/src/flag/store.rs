//! Reading flags from the control store.
//!
//! Owns the queries. Writing is in [`super::change`].

use std::collections::HashMap;
use std::sync::Arc;

use plimsoll_core::flag::cohort::Members;
use plimsoll_core::flag::{Algorithm, Flag, Segment};
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, in_transaction};
use serde::{Deserialize, Serialize};

use super::key_list;
use super::snapshot::{Definitions, KnownKeys, Snapshot};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::Session;

/// A flag as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredFlag {
    /// Its id, which stays when it is renamed.
    pub id: String,
    /// How often it was changed; the first version is 1.
    pub version: i64,
    /// True when it was deleted; it is kept for its history.
    #[serde(default)]
    pub archived: bool,
    /// When it was created.
    pub created_at: String,
    /// When it was last changed.
    pub changed_at: String,
    /// What it is.
    pub flag: Flag,
}

const SELECT: &str = "SELECT id, version, archived, created_at, changed_at, definition FROM plimsoll_flag";

fn stored(row: Vec<Value>) -> Result<StoredFlag, EngineError> {
    let cells = Cells(row);
    Ok(StoredFlag {
        id: cells.text(0)?,
        version: cells.integer(1)?,
        archived: cells.integer(2)? != 0,
        created_at: cells.text(3)?,
        changed_at: cells.text(4)?,
        flag: serde_json::from_str(&cells.text(5)?)?,
    })
}

/// The version of all flags: it moves with every change.
///
/// # Errors
/// When the store fails.
pub fn version(store: &mut dyn Store) -> Result<i64, EngineError> {
    let rows = store.query("SELECT number FROM plimsoll_flag_version WHERE one = 1", &[])?;
    rows.into_iter().next().map_or(Ok(0), |row| Cells(row).integer(0))
}

/// The flags by name, with the archived ones when asked for.
///
/// # Errors
/// When the store fails.
pub fn list(store: &mut dyn Store, archived: bool) -> Result<Vec<StoredFlag>, EngineError> {
    let only = if archived { "" } else { " WHERE archived = 0" };
    let rows = store.query(&format!("{SELECT}{only}"), &[])?;
    let mut flags = rows.into_iter().map(stored).collect::<Result<Vec<_>, _>>()?;
    flags.sort_by(|a, b| (a.archived, &a.flag.name, &a.id).cmp(&(b.archived, &b.flag.name, &b.id)));
    Ok(flags)
}

/// The flag called `name`; of several archived ones the last, when no living one has the name.
///
/// # Errors
/// Usage, when there is none.
pub fn find(store: &mut dyn Store, name: &str) -> Result<StoredFlag, EngineError> {
    lookup(store, name)?.filter(|flag| !flag.archived).ok_or_else(|| missing(store, name))
}

/// The flag called `name`, archived or not.
///
/// # Errors
/// When the store fails.
pub fn lookup(store: &mut dyn Store, name: &str) -> Result<Option<StoredFlag>, EngineError> {
    let sql = format!("{SELECT} WHERE name = $1 ORDER BY archived, changed_at DESC LIMIT 1");
    store.query(&sql, &[Value::text(name)])?.into_iter().next().map(stored).transpose()
}

fn missing(store: &mut dyn Store, name: &str) -> EngineError {
    let names: Vec<String> =
        list(store, false).unwrap_or_default().into_iter().map(|stored| stored.flag.name).collect();
    let hint = match names.len() {
        0 => format!("`plimsoll flag create {name} --reason ..` creates it"),
        1..=12 => format!("there are {}", names.join(", ")),
        count => format!("`plimsoll flag list` shows all {count}"),
    };
    EngineError::usage(format!("there is no flag `{name}`\nhint: {hint}"))
}

/// The segments, by number.
///
/// # Errors
/// When the store fails.
pub fn segments(store: &mut dyn Store) -> Result<Vec<Segment>, EngineError> {
    let sql = "SELECT definition FROM plimsoll_flag_segment WHERE archived = 0 ORDER BY number";
    let rows = store.query(sql, &[])?;
    rows.into_iter().map(|row| Ok(serde_json::from_str(&Cells(row).text(0)?)?)).collect()
}

/// How many keys a flag knows, and the members among them.
///
/// # Errors
/// When the store fails.
pub fn cohort(store: &mut dyn Store, id: &str) -> Result<(usize, Members), EngineError> {
    Ok((key_list::keys(store, id)?.len(), key_list::members(store, id, None)?))
}

/// The known keys of a flag, and who of them is a member of its rollout.
///
/// # Errors
/// When the store fails.
pub fn known_keys(store: &mut dyn Store, id: &str) -> Result<KnownKeys, EngineError> {
    key_list::known(store, id, None)
}

/// Everything that a snapshot needs, from one moment.
///
/// # Errors
/// When the store fails.
pub fn definitions(store: &mut dyn Store) -> Result<Definitions, EngineError> {
    in_transaction(store, Access::ReadOnly, definitions_within)
}

/// [`definitions`] inside the caller's transaction.
///
/// # Errors
/// When the store fails.
pub(super) fn definitions_within(store: &mut dyn Store) -> Result<Definitions, EngineError> {
    let flags = list(store, false)?;
    let mut keys = HashMap::new();
    for stored in &flags {
        if stored.flag.rollout.as_ref().is_some_and(|rollout| rollout.algorithm == Algorithm::Quota1) {
            keys.insert(stored.id.clone(), key_list::known(store, &stored.id, None)?);
        }
    }
    Ok(Definitions { version: version(store)?, flags, segments: segments(store)?, keys })
}

/// A snapshot of the flags as they are now.
///
/// # Errors
/// When the store fails.
pub fn snapshot(session: &mut Session) -> Result<Snapshot, EngineError> {
    Ok(Snapshot::new(definitions(session.store.as_mut())?, Arc::clone(&session.clock)))
}
