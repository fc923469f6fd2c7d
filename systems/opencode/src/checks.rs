//! The checks of the OpenCode system: one SQL file each, in `checks/`.
//!
//! Owns only the list. A file says in its header what must be true; the engine reads and runs it
//! ([`plimsoll_engine::check`]).

/// The text of every check, in order of their names.
pub static CHECKS: &[&str] = &[
    include_str!("../checks/aggregates-agree.sql"),
    include_str!("../checks/cost-anomaly.sql"),
    include_str!("../checks/duplicates.sql"),
    include_str!("../checks/error-rate-anomaly.sql"),
    include_str!("../checks/errors-classified.sql"),
    include_str!("../checks/foreign-keys.sql"),
    include_str!("../checks/git-facts.sql"),
    include_str!("../checks/git-metadata.sql"),
    include_str!("../checks/ingest-quarantine.sql"),
    include_str!("../checks/leftovers.sql"),
    include_str!("../checks/ordering.sql"),
    include_str!("../checks/orphans.sql"),
    include_str!("../checks/query-performance.sql"),
    include_str!("../checks/recomputed-cost.sql"),
    include_str!("../checks/root-path.sql"),
    include_str!("../checks/root-tokens.sql"),
    include_str!("../checks/session-cost.sql"),
    include_str!("../checks/time-order.sql"),
    include_str!("../checks/token-anomaly.sql"),
    include_str!("../checks/tool-timing.sql"),
    include_str!("../checks/tracing-filled.sql"),
    include_str!("../checks/unknown-fields.sql"),
    include_str!("../checks/view-budgets.sql"),
];
