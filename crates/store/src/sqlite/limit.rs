//! A time limit for statements.
//!
//! Owns the progress handler that stops a statement when its time is over. It does not say what is limited: that is
//! [`crate::Store::limit_statements`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::explain;
use crate::error::StoreError;

/// After so many instructions of SQLite's machine the time is looked at: some tens of microseconds.
const INSTRUCTIONS: i32 = 10_000;

/// The limit of one transaction.
pub(super) struct Limit {
    start: Instant,
    limit: Duration,
    /// When the running statement has to end, in microseconds after `start`.
    end: Arc<AtomicU64>,
}

impl Limit {
    /// A statement begins.
    pub(super) fn begin(&self) {
        self.end.store(micros(self.start.elapsed().saturating_add(self.limit)), Ordering::Relaxed);
    }
}

/// Limits every statement that begins from now on.
pub(super) fn set(connection: &mut Connection, limit: Duration) -> Result<Limit, StoreError> {
    let start = Instant::now();
    let end = Arc::new(AtomicU64::new(u64::MAX));
    let watched = Arc::clone(&end);
    let is_over = move || micros(start.elapsed()) > watched.load(Ordering::Relaxed);
    connection.progress_handler(INSTRUCTIONS, Some(is_over)).map_err(|error| explain(&error))?;
    Ok(Limit { start, limit, end })
}

/// Ends the limit.
pub(super) fn lift(connection: &mut Connection) -> Result<(), StoreError> {
    connection.progress_handler(0, None::<fn() -> bool>).map_err(|error| explain(&error))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
