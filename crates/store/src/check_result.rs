//! Results of checks: the table in which every result of every run of checks is kept, in the store that was checked.
//!
//! Owns the table's definition and version, as a component of its own beside the journal. Reading and writing it is the
//! engine's. On an analytical store the same is kept in `health_check_history`.
//!
//! Invariant: rows are only added.

use crate::schema::{Dialect, Schema, SchemaAction, SchemaStep};

/// The table's name.
pub const TABLE: &str = "plimsoll_check_result";

/// The schema of the component `checks`.
pub const SCHEMA: Schema = Schema {
    component: "checks",
    steps: &[SchemaStep { version: 1, name: "results of checks", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect = Dialect::both(
    "CREATE TABLE IF NOT EXISTS plimsoll_check_result (
    run text NOT NULL,
    system text NOT NULL,
    check_name text NOT NULL,
    checked_at text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('pass', 'warn', 'fail', 'error', 'unknown')),
    value double precision,
    unit text NOT NULL,
    threshold text NOT NULL,
    sample_size bigint,
    numbers text NOT NULL,
    cohort text,
    samples text,
    duration_ms bigint NOT NULL,
    message text,
    PRIMARY KEY (run, check_name)
);
CREATE INDEX IF NOT EXISTS plimsoll_check_result_check
    ON plimsoll_check_result (system, check_name, checked_at);",
);
