//! Fences: whether a side takes a write of a customer.
//!
//! Owns the two sides and the fence that each keeps per customer, in the same database as the customer's rows. It decides
//! nothing about when a fence opens; [`super::plan`] does.
//!
//! Invariants: a fence's epoch never falls; it opens at most once under an epoch and is not closed under the same one; a
//! write passes only under the epoch under which the fence is open. So a message that was delayed for any time is either
//! harmless or refused.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where the customers come from.
    Legacy,
    /// Where they go.
    New,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Legacy, Self::New];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Legacy => Self::New,
            Self::New => Self::Legacy,
        }
    }

    /// The word used in SQL, reports and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::New => "new",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a side keeps for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fence {
    /// The newest epoch that the side has heard of.
    pub epoch: u64,
    /// Whether writes pass.
    pub open: bool,
}

/// Why a fence refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FenceError {
    /// The epoch is over.
    #[error(
        "epoch {mine} is over, {now} is in force\n\
         hint: ask who writes for this customer now, and write there under the epoch you are told"
    )]
    Stale {
        /// The epoch that was brought.
        mine: u64,
        /// The fence's.
        now: u64,
    },
    /// The fence is closed, or not yet opened under that epoch.
    #[error(
        "this side takes no write of the customer under epoch {0}\nhint: the customer is being handed over; ask again who writes"
    )]
    Closed(u64),
    /// It was opened under this very epoch already.
    #[error("the side was opened under epoch {0}\nhint: nothing to do; the message came late")]
    Opened(u64),
}

impl Fence {
    /// The fence of a customer of whom a side has no row: legacy open, new closed, both under the first epoch.
    pub fn unmoved(side: Side) -> Self {
        Self { epoch: 1, open: side == Side::Legacy }
    }

    /// Closed under `epoch`. Closing again is allowed; nothing was written in between.
    ///
    /// # Errors
    /// [`FenceError`] when a newer epoch is in force or the fence was opened under this one.
    pub fn close(self, epoch: u64) -> Result<Self, FenceError> {
        self.not_stale(epoch)?;
        if epoch == self.epoch && self.open {
            return Err(FenceError::Opened(epoch));
        }
        Ok(Self { epoch, open: false })
    }

    /// Open under `epoch`. Opening again is allowed.
    ///
    /// # Errors
    /// [`FenceError::Stale`] when a newer epoch is in force.
    pub fn open(self, epoch: u64) -> Result<Self, FenceError> {
        self.not_stale(epoch)?;
        Ok(Self { epoch, open: true })
    }

    /// Whether a write under `epoch` passes.
    ///
    /// # Errors
    /// [`FenceError`] under any other epoch, and while closed.
    pub fn guard(self, epoch: u64) -> Result<(), FenceError> {
        self.not_stale(epoch)?;
        if epoch == self.epoch && self.open { Ok(()) } else { Err(FenceError::Closed(epoch)) }
    }

    fn not_stale(self, epoch: u64) -> Result<(), FenceError> {
        if epoch < self.epoch { Err(FenceError::Stale { mine: epoch, now: self.epoch }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_messages_are_harmless_or_refused() {
        let legacy = Fence::unmoved(Side::Legacy);
        assert_eq!((legacy.guard(1), legacy.guard(2)), (Ok(()), Err(FenceError::Closed(2))));
        let closed = legacy.close(2).unwrap();
        assert_eq!(closed.guard(1), Err(FenceError::Stale { mine: 1, now: 2 }));
        assert_eq!((closed.guard(2), closed.close(2)), (Err(FenceError::Closed(2)), Ok(closed)));
        let new = Fence::unmoved(Side::New).close(2).unwrap().open(2).unwrap();
        assert_eq!((new.guard(2), new.open(2)), (Ok(()), Ok(new)));
        assert_eq!(new.close(2), Err(FenceError::Opened(2)), "the closing of the same handover came late");
        assert_eq!(new.close(3).unwrap().open(2), Err(FenceError::Stale { mine: 2, now: 3 }));
        assert_eq!(Fence::unmoved(Side::Legacy).close(1), Err(FenceError::Opened(1)));
    }
}
