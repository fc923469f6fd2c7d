//! The tables of the hearings system, and their versions.
//!
//! Owns the declaration; the SQL is in `schema/`. Step 1 is the schema of the earlier system, so a database that it
//! left behind is adopted as it is: its tables are found, its rows are not touched, and only the columns and indexes of the
//! later steps are added. Its tables of operations (`sync_tracking`, `import_errors` and the like) are left alone;
//! the journal does their work here.
//!
//! Invariant: baseline + steps = current, for both databases.

use plimsoll_engine::system::{Dialect, Schema, SchemaAction, SchemaStep};

/// Every table, parents before children.
pub const TABLES: &[&str] = &[
    "policy_areas",
    "committees",
    "committee_jurisdictions",
    "members",
    "member_leadership_positions",
    "committee_memberships",
    "hearings",
    "hearing_committees",
    "bills",
    "hearing_bills",
    "witnesses",
    "witness_appearances",
    "witness_documents",
    "hearing_transcripts",
    "supporting_documents",
];

const fn video_column(column: &'static str) -> SchemaAction {
    SchemaAction::AddColumn {
        table: "hearings",
        column,
        declared: Dialect { sqlite: "TEXT", postgres: "text" },
    }
}

/// The schema and its steps.
pub const SCHEMA: Schema = Schema {
    component: "hearings",
    steps: &[
        SchemaStep {
            version: 1,
            name: "the earlier system's tables",
            actions: &[SchemaAction::Script(Dialect {
                sqlite: include_str!("../schema/sqlite/baseline.sql"),
                postgres: include_str!("../schema/postgres/baseline.sql"),
            })],
        },
        SchemaStep {
            version: 2,
            name: "recordings",
            actions: &[
                video_column("video_url"),
                video_column("youtube_video_id"),
                video_column("video_type"),
            ],
        },
        SchemaStep {
            version: 3,
            name: "indexes",
            actions: &[SchemaAction::Script(Dialect::both(include_str!("../schema/indexes.sql")))],
        },
    ],
    current: Dialect {
        sqlite: include_str!("../schema/sqlite/current.sql"),
        postgres: include_str!("../schema/postgres/current.sql"),
    },
};
