//! Bulk and live ingest, kept apart.
//!
//! Owns who may write now: while the bulk pass holds the lock, what the watcher hears of is queued, and drained when the
//! lock is released. The lock is the process's; that no other process writes is the database file's own lock. A process
//! that dies with the lock leaves none behind: the next start finds its phase in the store, and begins with a pass.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct Inner {
    bulk: Mutex<bool>,
    released: Condvar,
}

/// Coordinates the bulk pass and the watcher of one store.
#[derive(Debug, Clone, Default)]
pub struct SyncState(Arc<Inner>);

/// The bulk lock; released when dropped, also while a panic unwinds.
#[derive(Debug)]
pub struct BulkLock(SyncState);

impl Drop for BulkLock {
    fn drop(&mut self) {
        self.0.release_bulk_lock();
    }
}

impl SyncState {
    fn bulk(&self) -> MutexGuard<'_, bool> {
        // The flag is whole whatever happened to who held it.
        self.0.bulk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock for a bulk pass, or `None` when another pass has it.
    pub fn acquire_bulk_lock(&self) -> Option<BulkLock> {
        let mut bulk = self.bulk();
        if *bulk {
            return None;
        }
        *bulk = true;
        Some(BulkLock(self.clone()))
    }

    /// Releases the lock and wakes who waits. Dropping the [`BulkLock`] does this.
    pub fn release_bulk_lock(&self) {
        *self.bulk() = false;
        self.0.released.notify_all();
    }

    /// Waits until no bulk pass holds the lock; false when it still does after `limit`.
    pub fn wait_for_bulk_completion(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut bulk = self.bulk();
        while *bulk {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            bulk = self.0.released.wait_timeout(bulk, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// True while a bulk pass holds the lock.
    pub fn is_bulk_phase(&self) -> bool {
        *self.bulk()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_at_a_time() {
        let state = SyncState::default();
        assert!(!state.is_bulk_phase());
        let lock = state.acquire_bulk_lock().unwrap();
        assert!(state.is_bulk_phase() && state.acquire_bulk_lock().is_none());
        assert!(!state.wait_for_bulk_completion(Duration::from_millis(5)));
        drop(lock);
        assert!(!state.is_bulk_phase());
        assert!(state.wait_for_bulk_completion(Duration::ZERO));
        drop(state.acquire_bulk_lock().unwrap());
    }

    #[test]
    fn waiting_ends_when_the_lock_is_released() {
        let state = SyncState::default();
        let lock = state.acquire_bulk_lock().unwrap();
        let other = state.clone();
        let waiting = std::thread::spawn(move || other.wait_for_bulk_completion(Duration::from_secs(20)));
        std::thread::sleep(Duration::from_millis(10));
        drop(lock);
        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_pass_that_dies_leaves_no_lock() {
        let state = SyncState::default();
        let other = state.clone();
        let died = std::thread::spawn(move || {
            let _lock = other.acquire_bulk_lock();
            panic!("the pass dies");
        });
        died.join().unwrap_err();
        assert!(state.acquire_bulk_lock().is_some());
    }
}
