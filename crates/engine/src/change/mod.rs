//! The change engine: the only code that writes a system's tables.
//!
//! Owns plans, their application in journaled batches, quarantine, verification and undo.
//!
//! ```text
//! source --propose--> plan --assess--> approve --apply--> batches + receipts --verify--> undo = plan + apply
//!                                                   \--> quarantine --replay--> a plan of the same run
//! ```
//!
//! Reading order: [`context`], [`propose`], [`plan`], [`run`], [`apply`], [`batch`], [`control`],
//! [`quarantine`], [`verify`], [`request`], [`undo`], [`assess`], [`exchange`], [`history`], [`listing`], [`retention`], [`setup`];
//! [`split`] for tables of analytical stores.

pub mod apply;
pub mod assess;
mod attempts;
pub mod batch;
mod cascade;
pub(crate) mod cells;
pub mod context;
pub mod control;
pub mod copy;
pub mod drive;
pub mod exchange;
pub mod history;
pub mod listing;
pub mod plan;
pub mod propose;
pub mod quarantine;
pub mod report;
pub mod request;
pub mod retention;
pub mod routine;
pub mod run;
pub mod setup;
pub mod split;
pub mod undo;
pub mod verify;

use plimsoll_store::{Access, DatabaseKind, Store, StoreError};

use crate::error::EngineError;
use crate::session::Session;

/// Runs `work` in one write transaction of the session.
pub(crate) fn in_write<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    session.store.begin(Access::ReadWrite)?;
    let result = work(session);
    plan::settle(session, result)
}

/// Lets nobody else number rows of journal tables, one or several with commas, until the transaction ends. SQLite's write lock does so
/// by itself.
pub(crate) fn number_alone(store: &mut dyn Store, tables: &'static str) -> Result<(), StoreError> {
    if store.kind() == DatabaseKind::Postgres {
        store.execute(&format!("LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"), &[])?;
    }
    Ok(())
}
