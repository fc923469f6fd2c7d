//! The tables of both sides and their versions.
//!
//! Owns the definitions. The legacy side is adopted as it is found: its first step creates nothing where the legacy
//! program made its tables already, and adds no rule to them. The second step of each side begins to capture changes, so
//! that what lay there before is carried over by the snapshot and not change by change.
//!
//! Invariants: baseline + steps = current, for both databases of the new side; no column is called `metadata`, which the
//! new application's mapper keeps for itself (the earlier system's message log could not be loaded for it, LG-33).

use plimsoll_engine::system::{Dialect, Schema, SchemaAction, SchemaStep};

/// The legacy tables, parents before children.
pub const LEGACY_TABLES: &[&str] = &["clients", "drivers", "vehicles", "deliveries"];

/// The new tables, parents before children.
pub const NEW_TABLES: &[&str] =
    &["customers", "products", "drivers", "vehicles", "orders", "deliveries", "sms_log"];

/// The table in which each side captures its changes.
pub const OUTBOX: &str = "luckygas_outbox";

// The legacy side is SQLite; no other database holds Big5 bytes in a text column.
const LEGACY_BASELINE: Dialect = Dialect::both(include_str!("../schema/legacy/tables.sql"));
const LEGACY_CAPTURE: Dialect = Dialect::both(include_str!("../schema/legacy/capture.sql"));
const NEW_BASELINE: Dialect = Dialect::both(include_str!("../schema/tables.sql"));
const NEW_CAPTURE: Dialect = Dialect {
    sqlite: include_str!("../schema/sqlite/capture.sql"),
    postgres: include_str!("../schema/postgres/capture.sql"),
};

const LEGACY_FENCE: Dialect = Dialect::both(include_str!("../schema/legacy/fence.sql"));
const MIRRORS: Dialect = Dialect::both(include_str!("../schema/mirror.sql"));
const NEW_FENCE: Dialect = Dialect {
    sqlite: include_str!("../schema/sqlite/fence.sql"),
    postgres: include_str!("../schema/postgres/fence.sql"),
};

/// The legacy schema.
pub const LEGACY: Schema = Schema {
    component: "luckygas-legacy",
    steps: &[
        SchemaStep {
            version: 1,
            name: "the legacy program's tables",
            actions: &[SchemaAction::Script(LEGACY_BASELINE)],
        },
        SchemaStep { version: 2, name: "change capture", actions: &[SchemaAction::Script(LEGACY_CAPTURE)] },
        SchemaStep { version: 3, name: "fences", actions: &[SchemaAction::Script(LEGACY_FENCE)] },
    ],
    current: Dialect::both(concat!(
        include_str!("../schema/legacy/tables.sql"),
        include_str!("../schema/legacy/capture.sql"),
        include_str!("../schema/legacy/fence.sql")
    )),
};

/// The new schema.
pub const NEW: Schema = Schema {
    component: "luckygas",
    steps: &[
        SchemaStep {
            version: 1,
            name: "the new system's tables",
            actions: &[SchemaAction::Script(NEW_BASELINE)],
        },
        SchemaStep { version: 2, name: "change capture", actions: &[SchemaAction::Script(NEW_CAPTURE)] },
        SchemaStep {
            version: 3,
            name: "mirrors and fences",
            actions: &[SchemaAction::Script(MIRRORS), SchemaAction::Script(NEW_FENCE)],
        },
    ],
    current: Dialect {
        sqlite: concat!(
            include_str!("../schema/tables.sql"),
            include_str!("../schema/sqlite/capture.sql"),
            include_str!("../schema/mirror.sql"),
            include_str!("../schema/sqlite/fence.sql")
        ),
        postgres: concat!(
            include_str!("../schema/tables.sql"),
            include_str!("../schema/postgres/capture.sql"),
            include_str!("../schema/mirror.sql"),
            include_str!("../schema/postgres/fence.sql")
        ),
    },
};

/// A side's schema before it captures changes: what a database is when nobody has begun to move it.
pub const fn before_capture(schema: &Schema) -> Schema {
    Schema { component: schema.component, steps: schema.steps.split_at(1).0, current: schema.current }
}
