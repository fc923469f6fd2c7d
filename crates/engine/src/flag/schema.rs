//! The tables of flags in the control store.
//!
//! Owns their definition and versions. The texts use only what SQLite and PostgreSQL both understand.

use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};

/// The schema of the component `flag`.
pub const SCHEMA: Schema = Schema {
    component: "flag",
    steps: &[SchemaStep { version: 1, name: "flags", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect = Dialect::both(include_str!("schema.sql"));
