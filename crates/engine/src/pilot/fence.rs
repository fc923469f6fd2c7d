//! Fences: which side takes writes for a customer, kept in each side's own store and held by its triggers.
//!
//! Owns reading and moving fences, and the sign under which the carrier's own writes pass them. What a fence allows is
//! [`plimsoll_core::pilot::cutover::Fence`]'s; when it moves, the cut-over's. The triggers are the system's: each write of a
//! customer's row looks at the fence in the write's own transaction, so that neither program has to know of the pilot.
//!
//! Invariants: a customer without a fence is written on both sides; a fence that was closed is closed for every
//! transaction that had not committed by then (PostgreSQL: the triggers share a lock on the fence's row that closing takes
//! for itself; SQLite has one writer at a time).

use plimsoll_core::pilot::cutover::{Fence, Side};
use plimsoll_core::value::Value;
use plimsoll_store::{Access, DatabaseKind, Store, in_transaction};

use super::declare::Pilot;
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::Passage;

/// Puts up the fence of a customer who is enrolled: legacy open, new closed. One that stands stays as it is.
///
/// # Errors
/// When the store fails.
pub fn put_up(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    side: Side,
    customer: &str,
) -> Result<(), EngineError> {
    let fence = Fence::unmoved(side);
    let sql = format!(
        "INSERT INTO {} (customer, epoch, open) VALUES ($1, $2, $3) ON CONFLICT (customer) DO NOTHING",
        pilot.tables().fence
    );
    let open = Value::Integer(i64::from(fence.open));
    store.execute(&sql, &[Value::text(customer), number(fence.epoch), open])?;
    Ok(())
}

/// Closes a fence under `epoch`, in a transaction of its own that waits for writers that passed it before. Returns the
/// position of the side's last captured change.
///
/// # Errors
/// Refused under an epoch that is over; when the store fails.
pub fn close(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    side: Side,
    customer: &str,
    epoch: u64,
) -> Result<u64, EngineError> {
    shift(store, pilot, side, customer, |fence| fence.close(epoch))?;
    last_position(store, pilot)
}

/// Opens a fence under `epoch`.
///
/// # Errors
/// As [`close`].
pub fn open(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    side: Side,
    customer: &str,
    epoch: u64,
) -> Result<(), EngineError> {
    shift(store, pilot, side, customer, |fence| fence.open(epoch))
}

fn shift(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    side: Side,
    customer: &str,
    step: impl Fn(Fence) -> Result<Fence, plimsoll_core::pilot::cutover::FenceError>,
) -> Result<(), EngineError> {
    in_transaction(store, Access::ReadWrite, |store| {
        put_up(store, pilot, side, customer)?;
        let table = pilot.tables().fence;
        let lock = match store.kind() {
            DatabaseKind::Postgres => " FOR UPDATE",
            DatabaseKind::Sqlite => "",
        };
        let sql = format!("SELECT epoch, open FROM {table} WHERE customer = $1{lock}");
        let rows = store.query(&sql, &[Value::text(customer)])?;
        let row = rows.into_iter().next().map(Cells);
        let row = row.ok_or_else(|| EngineError::integrity(format!("the fence of {customer} is gone")))?;
        let fence = Fence { epoch: row.count(0)?, open: row.integer(1)? == 1 };
        let moved = step(fence).map_err(|refused| EngineError::refused(refused.to_string()))?;
        let sql = format!("UPDATE {table} SET epoch = $2, open = $3 WHERE customer = $1");
        let open = Value::Integer(i64::from(moved.open));
        store.execute(&sql, &[Value::text(customer), number(moved.epoch), open])?;
        Ok(())
    })
}

/// The position of the last change that a side captured.
///
/// # Errors
/// When the store fails.
pub fn last_position(store: &mut dyn Store, pilot: &dyn Pilot) -> Result<u64, EngineError> {
    let sql = format!("SELECT coalesce(max(position), 0) FROM {}", pilot.outbox().0);
    store.query(&sql, &[])?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
}

/// Lets the batches of a run pass the fences: a repair is the carrier's work.
pub(super) struct FencePassage(pub(super) &'static dyn Pilot);

impl Passage for FencePassage {
    fn enter(&self, store: &mut dyn Store) -> Result<(), EngineError> {
        pass(store, self.0)
    }

    fn leave(&self, store: &mut dyn Store) -> Result<(), EngineError> {
        passed(store, self.0)
    }
}

/// Lets the open transaction's writes pass the fences: they are the carrier's.
///
/// # Errors
/// When the store fails.
pub fn pass(store: &mut dyn Store, pilot: &dyn Pilot) -> Result<(), EngineError> {
    match store.kind() {
        DatabaseKind::Postgres => {
            store.query("SELECT set_config('plimsoll.carrier', '1', true)", &[])?;
        }
        DatabaseKind::Sqlite => {
            let sql = format!("UPDATE {} SET at_work = 1", pilot.tables().carrier);
            store.execute(&sql, &[])?;
        }
    }
    Ok(())
}

/// The other end of [`pass`], before the transaction commits.
///
/// # Errors
/// When the store fails.
pub fn passed(store: &mut dyn Store, pilot: &dyn Pilot) -> Result<(), EngineError> {
    match store.kind() {
        DatabaseKind::Postgres => {
            store.query("SELECT set_config('plimsoll.carrier', '', true)", &[])?;
        }
        DatabaseKind::Sqlite => {
            let sql = format!("UPDATE {} SET at_work = 0", pilot.tables().carrier);
            store.execute(&sql, &[])?;
        }
    }
    Ok(())
}
