//! The tables of gauge sets and their versions.
//!
//! Owns the declaration; the SQL is in `schema/`. Step 2 sets the guards: triggers that refuse to change what is written
//! once. Invariant: baseline + steps = current, for both databases.

use plimsoll_engine::system::{Dialect, Schema, SchemaAction, SchemaStep};

/// Every table, parents before children.
pub const TABLES: &[&str] = &[
    "gauge_users",
    "gauge_categories",
    "gauge_locations",
    "gauge_rejection_reasons",
    "gauge_history",
    "gauge_history_subjects",
    "gauge_history_head",
    "gauge_set_ids",
    "gauge_sets",
    "gauges",
    "gauge_thread_specifications",
    "gauge_set_members",
    "gauge_movements",
    "gauge_checkouts",
    "gauge_transfers",
    "gauge_unseal_requests",
    "gauge_qc_checks",
    "gauge_calibration_batches",
    "gauge_calibration_members",
    "gauge_calibrations",
    "gauge_certificates",
    "gauge_standards_used",
    "gauge_tolerance_cases",
];

const BASELINE: Dialect = Dialect::both(include_str!("../schema/tables.sql"));
const GUARDS: Dialect = Dialect {
    sqlite: include_str!("../schema/sqlite/guards.sql"),
    postgres: include_str!("../schema/postgres/guards.sql"),
};
const FLAG: Dialect = Dialect::both(include_str!("../schema/flag.sql"));

/// The schema.
pub const SCHEMA: Schema = Schema {
    component: "gauges",
    steps: &[
        SchemaStep { version: 1, name: "the tables", actions: &[SchemaAction::Script(BASELINE)] },
        SchemaStep {
            version: 2,
            name: "what is written once stays",
            actions: &[SchemaAction::Script(GUARDS)],
        },
        SchemaStep {
            version: 3,
            name: "the switch is a flag; what registers, audits and figures ask is indexed",
            actions: &[SchemaAction::Script(FLAG)],
        },
    ],
    current: Dialect {
        sqlite: concat!(
            include_str!("../schema/tables.sql"),
            include_str!("../schema/sqlite/guards.sql"),
            include_str!("../schema/flag.sql")
        ),
        postgres: concat!(
            include_str!("../schema/tables.sql"),
            include_str!("../schema/postgres/guards.sql"),
            include_str!("../schema/flag.sql")
        ),
    },
};
