//! The journal: the tables in which plans, runs, batches, changes, quarantine, receipts and events live, in
//! the same database as the rows they guard.
//!
//! Owns the tables' definition and versions. Reading and writing them is the engine's, which does it in the
//! same transaction as the rows.
//!
//! | table | one row is |
//! |---|---|
//! | `plimsoll_plan` | a plan: what produced it, its digest, its approval |
//! | `plimsoll_item` | an item of a plan that has a label, a source record or a refusal |
//! | `plimsoll_change` | one row change of a plan: before and after. This is the prior image that undo uses |
//! | `plimsoll_run` | one application of a plan |
//! | `plimsoll_partition` | a range of a run's items with its own cursor, which one worker holds |
//! | `plimsoll_batch` | one committed batch: its range of items, its tally, and the items that did not apply |
//! | `plimsoll_receipt` | the chained digest of a batch |
//! | `plimsoll_quarantine` | an item that a run could not take |
//! | `plimsoll_event` | who did what and why; append-only and chained |
//! | `plimsoll_backup` | a backup: where, its table digests, and when it was verified |
//!
//! Invariants: receipts and events are only ever inserted (triggers refuse anything else); a change is
//! written before any batch of its plan, and removed only by a purge, which says what would be lost.

use crate::schema::{Dialect, Schema, SchemaAction, SchemaStep};

/// The journal's schema.
pub const SCHEMA: Schema = Schema {
    component: "journal",
    steps: &[SchemaStep { version: 1, name: "the journal", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect =
    Dialect { sqlite: include_str!("sqlite.sql"), postgres: include_str!("postgres.sql") };

/// Every table of the journal, including the version table.
pub const TABLES: &[&str] = &[
    "plimsoll_schema",
    "plimsoll_plan",
    "plimsoll_item",
    "plimsoll_change",
    "plimsoll_run",
    "plimsoll_partition",
    "plimsoll_batch",
    "plimsoll_receipt",
    "plimsoll_quarantine",
    "plimsoll_event",
    "plimsoll_backup",
];
