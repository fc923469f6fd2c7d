//! Two-way sync: the records of a link, kept in step with a remote that others write to as well.
//!
//! Owns what surrounds the pure planner ([`plimsoll_core::sync`]): the tables ([`SCHEMA`]), the one transaction in which
//! an event, the record, its mirror row, its history and its outbox change ([`take`]), pulls ([`pull`]), workers that
//! send ([`worker`]), the inbox of conflicts ([`conflicts`]) and what is told of all of it ([`status`]). It deliberately
//! decides nothing about a record: [`plimsoll_core::sync::plan::step`] does.
//!
//! Reading order: [`declare`] (what a link and a remote are), `record` (how a record is kept), [`take`], `journal`, [`edit`],
//! [`decide`], [`import`], [`pull`] (with [`drift`] and `page`), [`worker`], [`round`], [`conflicts`], [`read`], `stamp` and [`cached`], [`history`],
//! [`status`], [`events`], [`migrate`]; [`http`] is the transport that remotes share.
//!
//! Invariants:
//! - An event and everything that follows from it commit in one transaction of the link's store; nothing is sent inside
//!   a transaction.
//! - What is to be sent is found in the store, never only in memory: a worker that dies leaves its record due again
//!   when its lease ends, and what it sent is read back before anything is sent again.
//! - A worker writes under the epoch of its lease; a worker that slept through the end of it is refused.
//! - The mirror table holds what the remote said and nothing else.

pub mod cached;
pub mod conflicts;
pub mod decide;
pub mod declare;
pub mod drift;
pub mod edit;
mod edits;
pub mod events;
pub mod history;
pub mod http;
pub mod import;
mod journal;
pub mod migrate;
mod outcome;
pub(crate) mod pace;
mod page;
pub mod pull;
pub mod read;
pub(crate) mod record;
pub mod round;
mod schema;
mod sort;
mod stamp;
pub mod status;
pub(crate) mod take;
pub mod worker;

pub use declare::{GoneRow, Link, LinkedSystem, MirrorTable, Remote, RemoteRow, Trouble, Written};
pub use schema::SCHEMA;
pub use sort::Sort;
pub use take::{Because, take};

use plimsoll_store::schema as versions;

use crate::change::setup;
use crate::error::EngineError;
use crate::session::Session;

/// Brings the tables of a link's store up to date: the journal's, the system's and those of sync.
///
/// # Errors
/// Refused when the store is newer than this program.
pub fn prepare(session: &mut Session, linked: &LinkedSystem) -> Result<(), EngineError> {
    setup::prepare(session, Some(linked.system))?;
    let now = session.clock.now();
    versions::upgrade(session.store.as_mut(), &SCHEMA, &now)?;
    Ok(())
}

/// The moment, in milliseconds since 1970.
pub fn now_ms(session: &Session) -> u64 {
    milliseconds(&session.clock.now())
}

/// A text of the clock as milliseconds since 1970.
pub(crate) fn milliseconds(moment: &str) -> u64 {
    let parsed = moment.parse::<jiff::Timestamp>();
    parsed.ok().and_then(|moment| u64::try_from(moment.as_millisecond()).ok()).unwrap_or(0)
}
