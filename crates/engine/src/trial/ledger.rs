//! The ledger: what a trial saw hold and fail, counted.
//!
//! Owns the counts, each with the first few failures in words. What is looked at is decided where it is
//! looked at; what follows from the counts is `measures`'.

use serde::Serialize;

/// How many failures of one kind are kept in words; all are counted.
const TOLD: usize = 10;

/// How often something held, of how often it was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How often it held.
    pub good: u64,
    /// How often it was looked at.
    pub of: u64,
    /// The first few different ways in which it did not hold, in words.
    pub problems: Vec<String>,
}

impl Share {
    /// Counts one look.
    pub(crate) fn add(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        self.add_many(u64::from(holds), 1, problem);
    }

    /// Counts `of` looks of which `good` held; `problem` tells about the others.
    pub(crate) fn add_many(&mut self, good: u64, of: u64, problem: impl FnOnce() -> String) {
        self.good += good.min(of);
        self.of += of;
        if good < of && self.problems.len() < TOLD {
            let told = problem();
            if !self.problems.contains(&told) {
                self.problems.push(told);
            }
        }
    }

    /// The share in percent; `None` when nothing was looked at.
    pub fn percent(&self) -> Option<f64> {
        (self.of > 0).then(|| self.good as f64 * 100.0 / self.of as f64)
    }

    /// How often it did not hold.
    pub fn failed(&self) -> u64 {
        self.of - self.good
    }
}

/// Everything that a trial counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Ledger {
    /// Sizes at which the plan was cut as asked and came to the plain path's totals.
    pub cut_as_asked: Share,
    /// Good items that the batch path committed, over all its runs.
    pub committed: Share,
    /// The smallest share of good items that one run of the batch path committed, in percent.
    pub least_committed: Option<f64>,
    /// Injected failures after which everything else was as if they had not been there.
    pub neighbours: Share,
    /// Failed items that are on record with batch, item, class and reason, and reports that equal the journal.
    pub recorded: Share,
    /// Runs that went the way that the switch asked for.
    pub switched: Share,
    /// Times that switching off led back to the plain path with equal tables and an unchanged schema.
    pub fell_back: Share,
    /// Rows of before a run that are there after it, planned deletes left out.
    pub kept: Share,
    /// Undone runs after which every table equals what it was before.
    pub undone: Share,
    /// Interrupted runs that left nothing half done, resumed to the same end, and were undone.
    pub recovered: Share,
    /// Checks of the database, the journal and the tables after each run.
    pub sound: Share,
    /// Refusals with a class, a reason and a hint.
    pub clear: Share,
}

impl Ledger {
    /// Counts the good items that one run of the batch path committed.
    pub(crate) fn count_committed(&mut self, what: &str, committed: u64, good: u64) {
        self.committed
            .add_many(committed, good, || format!("{what}: {committed} of {good} good items were committed"));
        if good > 0 {
            let share = committed.min(good) as f64 * 100.0 / good as f64;
            self.least_committed = Some(self.least_committed.map_or(share, |least| least.min(share)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_and_tell_the_first_failures() {
        let mut share = Share::default();
        assert_eq!(share.percent(), None, "nothing looked at is no 100 %");
        for look in 0..40 {
            share.add(look % 2 == 0, || format!("look {look}"));
        }
        assert_eq!((share.percent(), share.failed(), share.problems.len()), (Some(50.0), 20, TOLD));
        let mut same = Share::default();
        for _ in 0..2 {
            same.add(false, || "the same".into());
        }
        assert_eq!((same.failed(), same.problems.len()), (2, 1), "told once, counted twice");
        share.add_many(7, 5, String::new);
        assert_eq!((share.good, share.of), (25, 45), "more than all is all");
    }

    #[test]
    fn the_least_committed_share_is_of_one_run() {
        let mut ledger = Ledger::default();
        for (committed, good) in [(100, 100), (2, 3), (0, 0), (50, 50)] {
            ledger.count_committed("a run", committed, good);
        }
        assert_eq!(ledger.least_committed.map(f64::round), Some(67.0));
        assert_eq!((ledger.committed.good, ledger.committed.of), (152, 153));
    }
}
