//! The tables of gates in the control store.
//!
//! Owns their definition. Rows are only ever added: what was evidence, and what was decided on it, stays.

use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};

/// The schema of gates.
pub const SCHEMA: Schema = Schema {
    component: "gate",
    steps: &[SchemaStep { version: 1, name: "gates", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect = Dialect::both(
    "CREATE TABLE IF NOT EXISTS plimsoll_gate_evidence (
    id text NOT NULL PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    kind text NOT NULL,
    name text NOT NULL,
    at text NOT NULL,
    expires_at text,
    actor text NOT NULL,
    reason text NOT NULL,
    source text NOT NULL,
    body text NOT NULL,
    digest text NOT NULL
);
CREATE INDEX IF NOT EXISTS plimsoll_gate_evidence_name ON plimsoll_gate_evidence (kind, name, number);
CREATE TABLE IF NOT EXISTS plimsoll_gate_verdict (
    id text NOT NULL PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    gate text NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    verdict text NOT NULL,
    input text NOT NULL,
    document text NOT NULL,
    digest text NOT NULL
);
CREATE INDEX IF NOT EXISTS plimsoll_gate_verdict_gate ON plimsoll_gate_verdict (gate, number);
CREATE TABLE IF NOT EXISTS plimsoll_gate_baseline (
    id text NOT NULL PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    gate text NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    verdict text NOT NULL,
    scores text NOT NULL
);",
);
