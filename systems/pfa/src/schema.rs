//! The table of PFA: the mirror of PEMS.
//!
//! Owns its definition and versions. Money is exact: the text of a decimal with two places. SQLite has no such type, and
//! the same type in both databases lets a store move with all that is open. Flags are `Y` and `N`, as PEMS has them.

use plimsoll_engine::system::{Dialect, Schema, SchemaAction, SchemaStep};

/// The schema of the system `pfa`.
pub const SCHEMA: Schema = Schema {
    component: "pfa",
    steps: &[SchemaStep { version: 1, name: "mirror", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect = Dialect::both(include_str!("../schema/current.sql"));

/// The tables.
pub const TABLES: &[&str] = &["pfa_mirror"];
