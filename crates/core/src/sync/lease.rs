//! Leases: which worker may send for a record, and how a worker that lost its right is kept from using it.
//!
//! Owns the lease and its two questions: may I take it, and is what I hold still mine. It stores nothing: the store
//! compares and sets the lease in the transaction of the write that it guards.
//!
//! Invariants: the epoch rises with every change of holder; an epoch belongs to one holder; a worker that slept
//! through the end of its lease holds an epoch that is refused, even before anybody else took the lease.

use serde::{Deserialize, Serialize};

/// The right to send, until a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it; empty when nobody ever did.
    pub holder: String,
    /// Rises with every change of holder: the fencing token.
    pub epoch: u64,
    /// It ends at this time, in milliseconds.
    pub until_ms: u64,
}

/// Why a lease is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else holds it.
    #[error(
        "the lease is held by `{holder}` until {until_ms} ms\nhint: wait for its end, or stop that worker"
    )]
    Held {
        /// Who holds it.
        holder: String,
        /// Until when.
        until_ms: u64,
    },
    /// It was mine and is no more.
    #[error(
        "epoch {mine} of the lease is over, {now} is in force\n\
         hint: drop what was prepared under it and start again from the stored state"
    )]
    Fenced {
        /// The epoch that the worker brought.
        mine: u64,
        /// The epoch of the lease.
        now: u64,
    },
    /// It ended and nobody took it yet.
    #[error(
        "the lease of epoch {epoch} ended at {until_ms} ms\nhint: take it again; the work may have to be repeated"
    )]
    Ended {
        /// The epoch that the worker brought.
        epoch: u64,
        /// When it ended.
        until_ms: u64,
    },
}

impl Lease {
    /// The lease after `worker` took or renewed it at `now_ms` for `length_ms`.
    ///
    /// # Errors
    /// [`LeaseError::Held`] while another worker's lease runs.
    pub fn take(&self, worker: &str, now_ms: u64, length_ms: u64) -> Result<Self, LeaseError> {
        let running = self.epoch > 0 && now_ms < self.until_ms;
        if running && self.holder != worker {
            return Err(LeaseError::Held { holder: self.holder.clone(), until_ms: self.until_ms });
        }
        Ok(Self {
            holder: worker.to_owned(),
            // After its end the same worker gets a new epoch too: it may have restarted and know nothing of its past.
            epoch: if running { self.epoch } else { self.epoch + 1 },
            until_ms: now_ms.saturating_add(length_ms),
        })
    }

    /// Whether a write under `epoch` is allowed at `now_ms`.
    ///
    /// # Errors
    /// [`LeaseError::Fenced`] for another epoch, [`LeaseError::Ended`] after the end.
    pub fn guard(&self, epoch: u64, now_ms: u64) -> Result<(), LeaseError> {
        if epoch != self.epoch {
            return Err(LeaseError::Fenced { mine: epoch, now: self.epoch });
        }
        if now_ms >= self.until_ms {
            return Err(LeaseError::Ended { epoch, until_ms: self.until_ms });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defect_p5_two_workers_never_hold_the_same_record() {
        let first = Lease::default().take("a", 0, 100).unwrap();
        assert!(matches!(first.take("b", 99, 100), Err(LeaseError::Held { .. })));
        let renewed = first.take("a", 50, 100).unwrap();
        assert_eq!((renewed.epoch, renewed.until_ms), (1, 150));
        let second = renewed.take("b", 150, 100).unwrap();
        assert_eq!(second.guard(second.epoch, 200), Ok(()));
        // The first worker wakes up and wants to write what it prepared.
        assert_eq!(second.guard(first.epoch, 160), Err(LeaseError::Fenced { mine: 1, now: 2 }));
        assert!(matches!(renewed.guard(1, 150), Err(LeaseError::Ended { .. })));
        assert_eq!(renewed.take("a", 151, 10).unwrap().epoch, 2, "after its end it is a new right");
    }
}
