//! The control store: where Plimsoll keeps what no single system owns - flags, gates, playbooks, alerts, schedules.
//!
//! Owns the list of the components whose tables live there, and getting such a store ready. A component owns its own
//! tables (`SCHEMA` in its module) and its own functions; this module knows none of their columns. The control store
//! is a store like any other: it has the journal, so what happens to a flag or a gate is an event in the same chained
//! log as what happens to a run.
//!
//! Invariant: a component's rows and the event that tells of them commit in one transaction.

use plimsoll_store::schema::{self, Schema};

use crate::change::setup;
use crate::error::EngineError;
use crate::session::Session;

/// The components of the control store, in the order in which their tables are made.
pub const SCHEMAS: &[&Schema] = &[
    &crate::flag::SCHEMA,
    &crate::gate::SCHEMA,
    &crate::playbook::SCHEMA,
    &crate::alert::SCHEMA,
    &crate::schedule::SCHEMA,
];

/// Brings the journal's and every component's tables up to date.
///
/// # Errors
/// Refused when the store is newer than this program.
pub fn prepare(session: &mut Session) -> Result<(), EngineError> {
    setup::prepare(session, None)?;
    let now = session.clock.now();
    for component in SCHEMAS {
        schema::upgrade(session.store.as_mut(), component, &now)?;
    }
    Ok(())
}
