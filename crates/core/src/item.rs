//! Items: the smallest thing a run applies or refuses as a whole.
//!
//! Owns items, their outcomes and the tally of a run. An item is one source record together with every row
//! change that it causes (a hearing with its links, witnesses and documents); a plan that is not made from
//! records has one item for each row. It does not own where items are stored.
//!
//! Invariant (the conservation law): planned = applied + no-op + conflicted + quarantined + skipped, for
//! every finished run, counted in items.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::digest::Hashing;

/// How one item ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// At least one row was written, and every row of the item is at its `after`.
    Applied,
    /// Every row already was at its `after`.
    Noop,
    /// A row is neither at its `before` nor at its `after`; nothing of the item was written.
    Conflicted,
    /// The item is bad: validation or the database refused it. It waits in quarantine.
    Quarantined,
    /// Left out on purpose, with a reason.
    Skipped,
}

impl Outcome {
    /// The word used in SQL, reports and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Noop => "noop",
            Self::Conflicted => "conflicted",
            Self::Quarantined => "quarantined",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an item was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// How the item ends: conflicted, quarantined or skipped.
    pub outcome: Outcome,
    /// The class of the problem, such as `validation`, `unique`, `check`, `foreign_key`, `source`.
    pub class: String,
    /// What happened, where, for a person.
    pub reason: String,
}

impl Refusal {
    /// A quarantined item.
    pub fn quarantined(class: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Quarantined, class: class.into(), reason: reason.into() }
    }

    /// A conflicted item.
    pub fn conflicted(class: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Conflicted, class: class.into(), reason: reason.into() }
    }

    /// A skipped item.
    pub fn skipped(class: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, class: class.into(), reason: reason.into() }
    }
}

/// One item of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What a person calls it, such as `hearing 118296`.
    pub label: String,
    /// Its row changes in the order in which they must be written. Empty when it was refused while planning.
    pub changes: Vec<Change>,
    /// The source record it came from, as JSON text; quarantine edits this and plans again.
    pub record: Option<String>,
    /// Set when planning already refused it.
    pub refusal: Option<Refusal>,
}

impl Item {
    /// Adds the item to a plan's or a batch's digest, from its stored texts.
    pub fn hash_into(hashing: &mut Hashing, parts: &ItemTexts<'_>) {
        Self::hash_head(hashing, parts.label, parts.record, parts.refusal);
        for (table, before, after) in parts.changes {
            Self::hash_change(hashing, table, *before, *after);
        }
        Self::hash_end(hashing);
    }

    /// The first part of [`Self::hash_into`], for a reader that has the changes one by one.
    pub fn hash_head(hashing: &mut Hashing, label: &str, record: Option<&str>, refusal: Option<&str>) {
        hashing.part(label.as_bytes()).optional(record).optional(refusal);
    }

    /// The part of [`Self::hash_into`] for one change.
    pub fn hash_change(hashing: &mut Hashing, table: &str, before: Option<&str>, after: Option<&str>) {
        hashing.part(table.as_bytes()).optional(before).optional(after);
    }

    /// The last part of [`Self::hash_into`].
    pub fn hash_end(hashing: &mut Hashing) {
        hashing.part(b"end");
    }
}

/// The stored texts of an item, as its digest sees them.
#[derive(Debug, Clone, Copy)]
pub struct ItemTexts<'text> {
    /// The label; empty when none is stored.
    pub label: &'text str,
    /// The record.
    pub record: Option<&'text str>,
    /// The refusal as JSON.
    pub refusal: Option<&'text str>,
    /// Table name, before and after of each change, in order.
    pub changes: &'text [(&'text str, Option<&'text str>, Option<&'text str>)],
}

/// How many items of a run ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Items in the plan.
    pub planned: u64,
    /// Items written.
    pub applied: u64,
    /// Items already there.
    pub noop: u64,
    /// Items whose rows moved since the plan was made.
    pub conflicted: u64,
    /// Items in quarantine.
    pub quarantined: u64,
    /// Items left out on purpose.
    pub skipped: u64,
}

impl Tally {
    /// Counts `count` more items of one outcome.
    pub fn count(&mut self, outcome: Outcome, count: u64) {
        *match outcome {
            Outcome::Applied => &mut self.applied,
            Outcome::Noop => &mut self.noop,
            Outcome::Conflicted => &mut self.conflicted,
            Outcome::Quarantined => &mut self.quarantined,
            Outcome::Skipped => &mut self.skipped,
        } += count;
    }

    /// Adds another tally, apart from `planned`.
    pub fn add(&mut self, other: &Self) {
        self.applied += other.applied;
        self.noop += other.noop;
        self.conflicted += other.conflicted;
        self.quarantined += other.quarantined;
        self.skipped += other.skipped;
    }

    /// Items that have ended, whatever way.
    pub fn ended(&self) -> u64 {
        self.applied + self.noop + self.conflicted + self.quarantined + self.skipped
    }

    /// True when the conservation law holds.
    pub fn conserved(&self) -> bool {
        self.planned == self.ended()
    }

    /// True when every item ended well.
    pub fn clean(&self) -> bool {
        self.conflicted == 0 && self.quarantined == 0
    }

    /// The share of items that failed or conflicted, of those that ended; 0 when none ended.
    pub fn error_share(&self) -> f64 {
        let ended = self.ended();
        if ended == 0 { 0.0 } else { (self.quarantined + self.conflicted) as f64 / ended as f64 }
    }
}
