//! The gauges system: GO/NO-GO thread-gauge sets with an auditable life.
//!
//! Owns the tables of gauges and sets, the rules about them as data, every operation as a change kind with its undo beside
//! it, the hash-chained history, and the questions an auditor asks of it. It declares: the engine writes what it decides,
//! and it never opens a database, waits or asks the time. What a person sees is the server's and the command's.
//!
//! Reading order: [`model`], [`rules`], [`ask`] and [`facts`] (what an operation decides on), [`operation`], [`draft`]
//! (what becomes of a decision), [`history`], [`audit`], [`register`] (reads), [`view`] and [`api`] (what is asked from
//! outside), [`document`], [`backfill`] and [`import`] (many sets at once), [`study`].
//!
//! Invariants:
//! - A set ID that was given out is in the ledger for ever; nothing gives it out again while the check is on.
//! - Every operation is one line of history, in the transaction of its rows; who and why are never missing.
//! - A gauge reaches a status only by a step of the matrix, or by taking its last line back.
//! - What a gauge is (serial, category, thread) never changes. A set's state is computed, not stored.

pub mod api;
pub mod ask;
pub mod audit;
pub mod backfill;
pub mod checks;
pub mod document;
pub mod draft;
pub mod facts;
pub mod history;
pub mod import;
pub mod model;
pub mod operation;
pub mod register;
pub mod rules;
pub mod schema;
pub mod study;
pub mod view;

use plimsoll_engine::system::System;

/// The gauges system.
pub static SYSTEM: System = System {
    name: "gauges",
    title: "GO/NO-GO thread-gauge sets: pair, replace, unpair, retire, calibrate",
    schema: schema::SCHEMA,
    tables: schema::TABLES,
    changes: operation::ALL,
    checks: checks::CHECKS,
    metrics: checks::METRICS,
    flags: &[facts::REUSE_CHECK],
    drives: &[&backfill::BACKFILL, &import::IMPORT_SETS],
    views: view::VIEWS,
    aliases: api::ALIASES,
    ..System::EMPTY
};
