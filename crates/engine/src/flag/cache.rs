//! The flags' definitions in a cache, for processes that would otherwise read all of them from the control store.
//!
//! Owns the key. It is the digest of the last event about a flag: the log is chained, so no two histories share it, and
//! a change moves it in the transaction that makes the change. Nothing needs to be invalidated, an old entry is never
//! asked for again, and a store that was restored from a backup has a key of its own once it is changed.
//!
//! An evaluation itself is not kept: it takes less than a microsecond in the process, and asking a cache takes fifty.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, in_transaction};

use super::snapshot::{Definitions, Snapshot};
use super::store;
use crate::cache::Cache;
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::Session;

/// How long definitions are kept that nobody changes; asking for them does not prolong it.
const KEEP: Duration = Duration::from_secs(24 * 3600);

/// A snapshot of the flags as they are now, from the cache where it has them.
///
/// # Errors
/// When the control store fails. A cache that fails is passed over.
pub fn snapshot(session: &mut Session, cache: &Cache) -> Result<Snapshot, EngineError> {
    let clock = Arc::clone(&session.clock);
    let Some(key) = key_of(session.store.as_mut())? else { return store::snapshot(session) };
    let found = cache.get(&key).and_then(|bytes| serde_json::from_slice::<Definitions>(&bytes).ok());
    if let Some(definitions) = found {
        return Ok(Snapshot::new(definitions, clock));
    }
    // The key again, of the same moment as the definitions: a flag may have been changed in between.
    let (key, definitions) =
        in_transaction(session.store.as_mut(), Access::ReadOnly, |store| -> Result<_, EngineError> {
            Ok((key_of(store)?, store::definitions_within(store)?))
        })?;
    if let Some(key) = key {
        cache.put(&key, &serde_json::to_vec(&definitions)?, KEEP);
    }
    Ok(Snapshot::new(definitions, clock))
}

/// The key of the flags as they are now; `None` before the first flag.
fn key_of(store: &mut dyn Store) -> Result<Option<String>, EngineError> {
    let sql = "SELECT digest FROM plimsoll_event WHERE kind LIKE $1 ORDER BY number DESC LIMIT 1";
    let row = store.query(sql, &[Value::text("flag.%")])?.into_iter().next();
    row.map(|row| Ok(format!("plimsoll:flags:{}", Cells(row).text(0)?))).transpose()
}
