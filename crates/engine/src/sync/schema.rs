//! The tables of sync, beside the mirror in the link's own store.
//!
//! Owns their definition and versions. The texts use only what SQLite and PostgreSQL both understand.

use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};

/// The schema of the component `sync`.
pub const SCHEMA: Schema = Schema {
    component: "sync",
    steps: &[
        SchemaStep { version: 1, name: "sync", actions: &[SchemaAction::Script(BASELINE)] },
        SchemaStep { version: 2, name: "stamps", actions: &[SchemaAction::Script(STAMPS)] },
        SchemaStep { version: 3, name: "what happened, by time", actions: &[SchemaAction::Script(BY_TIME)] },
        SchemaStep { version: 4, name: "requests of edits", actions: &[REQUESTS] },
    ],
    current: CURRENT,
};

const BASELINE: Dialect = Dialect::both(include_str!("schema_1.sql"));

const STAMPS: Dialect = Dialect::both(
    "CREATE TABLE IF NOT EXISTS plimsoll_sync_stamp (
    link text NOT NULL,
    scope text NOT NULL,
    shard bigint NOT NULL,
    token text NOT NULL,
    PRIMARY KEY (link, scope, shard)
);",
);

const BY_TIME: Dialect = Dialect::both(
    "CREATE INDEX IF NOT EXISTS plimsoll_sync_happening_at ON plimsoll_sync_happening (link, at);
CREATE INDEX IF NOT EXISTS plimsoll_sync_history_at ON plimsoll_sync_history (link, at);",
);

const REQUESTS: SchemaAction = SchemaAction::AddColumn {
    table: "plimsoll_sync_edit",
    column: "request",
    declared: Dialect::both("text"),
};

const CURRENT: Dialect = Dialect::both(include_str!("schema.sql"));
