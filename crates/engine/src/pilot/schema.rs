//! The tables of parity, in each side's own store.
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
