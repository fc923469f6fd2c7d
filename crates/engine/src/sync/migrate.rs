//! Moving a linked system to another store: the mirror, and all that is open, decided and remembered about its records.
//!
//! Owns the list of the tables and the comparison afterwards. The copying itself is a plan and a run like any other
//! ([`crate::change::copy`]), so it can be resumed, verified and undone.
//!
//! Invariant: a move is believed only when every table has as many rows and the same digest on both sides.

use plimsoll_core::digest::TableDigest;
use plimsoll_store::{Store, digest};

use super::declare::LinkedSystem;
use crate::change::copy;
use crate::change::plan::Plan;
use crate::error::EngineError;
use crate::session::Session;

/// The tables of sync, parents before children.
const TABLES: &[&str] = &[
    "plimsoll_sync_record",
    "plimsoll_sync_edit",
    "plimsoll_sync_conflict",
    "plimsoll_sync_rule",
    "plimsoll_sync_history",
    "plimsoll_sync_happening",
    "plimsoll_sync_pull",
    "plimsoll_sync_count",
    // Last, and so the first to go when the move is undone: a stamp says that all the rest is there.
    "plimsoll_sync_stamp",
];

fn tables(linked: &LinkedSystem) -> Vec<&'static str> {
    linked.system.tables.iter().chain(TABLES).copied().collect()
}

/// Plans the insertion of every row that the session's store lacks.
///
/// # Errors
/// Usage when a value does not survive the way.
pub fn plan(session: &mut Session, linked: &LinkedSystem, from: &mut dyn Store) -> Result<Plan, EngineError> {
    copy::plan_copy_of(session, linked.system, &tables(linked), from)
}

/// One table on both sides.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Compared {
    /// Where it came from.
    pub from: TableDigest,
    /// Where it is now.
    pub to: TableDigest,
    /// Whether rows and digest are the same.
    pub equal: bool,
}

/// Compares every table of both stores.
///
/// # Errors
/// When a store fails.
pub fn compare(
    linked: &LinkedSystem,
    from: &mut dyn Store,
    to: &mut dyn Store,
) -> Result<Vec<Compared>, EngineError> {
    let names = tables(linked);
    let (from, to) = (digest::table_digests(from, &names)?, digest::table_digests(to, &names)?);
    Ok(from.into_iter().zip(to).map(|(from, to)| Compared { equal: from == to, from, to }).collect())
}
