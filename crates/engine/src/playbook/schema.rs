//! The tables of playbooks in the control store.
//!
//! Owns their definition. A run keeps the text it was started with, so an edit of the file changes no run under way.

use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};

/// The schema of playbooks.
pub const SCHEMA: Schema = Schema {
    component: "playbook",
    steps: &[SchemaStep { version: 1, name: "playbooks", actions: &[SchemaAction::Script(CURRENT)] }],
    current: CURRENT,
};

const CURRENT: Dialect = Dialect::both(
    "CREATE TABLE IF NOT EXISTS plimsoll_playbook (
    name text NOT NULL PRIMARY KEY,
    state text NOT NULL,
    text text NOT NULL,
    source text NOT NULL,
    changed_at text NOT NULL,
    archived_at text
);
CREATE TABLE IF NOT EXISTS plimsoll_playbook_run (
    id text NOT NULL PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    playbook text NOT NULL,
    text text NOT NULL,
    digest text NOT NULL,
    parameters text NOT NULL,
    simulated bigint NOT NULL,
    keep bigint NOT NULL,
    status text NOT NULL,
    requested text,
    actor text NOT NULL,
    reason text NOT NULL,
    started_at text NOT NULL,
    finished_at text,
    clock_at text NOT NULL,
    owner text
);
CREATE INDEX IF NOT EXISTS plimsoll_playbook_run_name ON plimsoll_playbook_run (playbook, number);
CREATE TABLE IF NOT EXISTS plimsoll_playbook_step (
    run text NOT NULL,
    sequence bigint NOT NULL,
    step text NOT NULL,
    action text NOT NULL,
    status text NOT NULL,
    command text NOT NULL,
    started_at text NOT NULL,
    finished_at text,
    clock_started_at text NOT NULL,
    clock_finished_at text,
    code bigint,
    output text,
    message text,
    worker text,
    PRIMARY KEY (run, sequence)
);
CREATE TABLE IF NOT EXISTS plimsoll_playbook_approval (
    run text NOT NULL,
    step text NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    digest text NOT NULL,
    PRIMARY KEY (run, step)
);
CREATE TABLE IF NOT EXISTS plimsoll_playbook_risk (
    id text NOT NULL PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    playbook text NOT NULL,
    title text NOT NULL,
    priority text NOT NULL,
    impact text NOT NULL,
    mitigation text NOT NULL,
    owner text NOT NULL,
    state text NOT NULL,
    added_at text NOT NULL,
    changed_at text NOT NULL
);",
);
