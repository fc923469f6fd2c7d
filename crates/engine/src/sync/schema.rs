//! The tables of sync, beside the mirror in the link's own store.
//!
//! Owns their definition and versions. The texts use only what SQLite and PostgreSQL both understand.

use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};

/// The schema of the component `sync`.
pub const SCHEMA: Schema = Schema {
    component: "sync",
    steps: &[SchemaStep { version: 1, name: "sync", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect = Dialect::both(include_str!("schema.sql"));
