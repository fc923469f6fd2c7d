//! The tables of parity, in each side's own store, and those of the pilot, in the new side's.
//!
//! Owns their definition and versions. The texts use only what SQLite and PostgreSQL both understand. A digest is four
//! lanes of 64 bits, each kept as the signed number with the same bits.

use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};

const BASELINE: Dialect = Dialect::both(include_str!("parity.sql"));

/// The schema of the component `parity`.
pub const SCHEMA: Schema = Schema {
    component: "parity",
    steps: &[SchemaStep { version: 1, name: "parity", actions: &[SchemaAction::Script(BASELINE)] }],
    current: BASELINE,
};

const PILOT_BASELINE: Dialect = Dialect::both(include_str!("pilot.sql"));

/// The schema of the component `pilot`: members, what is agreed of each record, what is due, events and certificates. They
/// lie in the new side's store, where the link's records are.
pub const PILOT_SCHEMA: Schema = Schema {
    component: "pilot",
    steps: &[SchemaStep { version: 1, name: "pilot", actions: &[SchemaAction::Script(PILOT_BASELINE)] }],
    current: PILOT_BASELINE,
};
