//! The table of PFA: the mirror of PEMS.
//!
//! Owns its definition and versions. Money is exact: a decimal in PostgreSQL, its text with two places in SQLite, which
//! has no such type. Flags are `Y` and `N`, as PEMS has them.

use plimsoll_engine::system::{Dialect, Schema, SchemaAction, SchemaStep};

/// The schema of the system `pfa`.
pub const SCHEMA: Schema = Schema {
    component: "pfa",
    steps: &[SchemaStep { version: 1, name: "mirror", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect = Dialect {
    sqlite: include_str!("../schema/sqlite.sql"),
    postgres: include_str!("../schema/postgres.sql"),
};

/// The tables.
pub const TABLES: &[&str] = &["pfa_mirror"];
