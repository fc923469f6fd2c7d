//! The derived tables: what is computed from the rows of documents.
//!
//! Owns the order in which they are computed and which statement computes each; the statements are SQL files in
//! `derive/`, each with a header that says what it computes and why so. Where a figure needs more than SQL - the meaning
//! of a stored number of tokens, a price - the row goes through `usage` or `pricing`. It deliberately runs nothing.
//!
//! Invariants:
//! - The same rows of documents give the same derived rows, in whatever order the documents came: every window and
//!   every ordered aggregate ends with a unique id.
//! - A table of [`Scope::Affected`] depends on other sessions only in the ways that [`SPREAD`] follows.
//! - Numbers that are added up leave out what a fork copied; the copies keep their rows.

mod cells;
mod pricing;
mod usage;

use plimsoll_engine::ingest::{Derivation, How, Scope};

use crate::table::derived;

/// Statements that widen a change of some sessions to the sessions whose derived rows depend on them.
pub static SPREAD: &[&str] = &[include_str!("../../derive/spread.sql")];

const BY_SESSION: Scope = Scope::Affected("session_id");

/// The derived tables in the order in which they are computed: each reads only documents' tables and those before it.
pub static DERIVATIONS: &[Derivation] = &[
    Derivation {
        table: &derived::MESSAGE_PLACES,
        scope: BY_SESSION,
        how: How::Query(concat!(
            "WITH RECURSIVE climbers AS (SELECT DISTINCT scope_id AS session_id FROM affected),\n",
            include_str!("../../derive/lineage.sql"),
            ",\n",
            include_str!("../../derive/message_places.sql"),
        )),
    },
    Derivation {
        table: &derived::MESSAGE_USAGE,
        scope: BY_SESSION,
        how: How::Rows { query: include_str!("../../derive/message_usage.sql"), each: usage::row },
    },
    Derivation {
        table: &derived::SESSION_USAGE,
        scope: BY_SESSION,
        how: How::Query(include_str!("../../derive/session_usage.sql")),
    },
    Derivation {
        table: &derived::EXCHANGES,
        scope: BY_SESSION,
        how: How::Query(include_str!("../../derive/exchanges.sql")),
    },
    Derivation {
        table: &derived::EXCHANGE_TRACES,
        scope: BY_SESSION,
        how: How::Query(include_str!("../../derive/exchange_traces.sql")),
    },
    Derivation {
        table: &derived::SESSION_RESOURCE_METRICS,
        scope: BY_SESSION,
        how: How::Query(include_str!("../../derive/session_resource_metrics.sql")),
    },
    Derivation {
        table: &derived::SESSION_TRACES,
        scope: Scope::Whole,
        how: How::Query(concat!(
            "WITH RECURSIVE climbers AS (SELECT id AS session_id FROM sessions),\n",
            include_str!("../../derive/lineage.sql"),
            ",\n",
            include_str!("../../derive/session_traces.sql"),
        )),
    },
    Derivation {
        table: &derived::DAILY_STATS,
        scope: Scope::Whole,
        how: How::Query(include_str!("../../derive/daily_stats.sql")),
    },
    Derivation {
        table: &derived::AGENTS,
        scope: Scope::Whole,
        how: How::Query(include_str!("../../derive/agents.sql")),
    },
    Derivation {
        table: &derived::MODELS,
        scope: Scope::Whole,
        how: How::Query(include_str!("../../derive/models.sql")),
    },
    Derivation {
        table: &derived::TOOLS,
        scope: Scope::Whole,
        how: How::Query(include_str!("../../derive/tools.sql")),
    },
    Derivation {
        table: &derived::MODEL_PRICING,
        scope: Scope::Whole,
        how: How::Rows { query: include_str!("../../derive/model_pricing.sql"), each: pricing::row },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_derived_table_is_computed_once() {
        let mut declared: Vec<&str> = crate::table::DERIVED.iter().map(|table| table.name).collect();
        let mut computed: Vec<&str> = DERIVATIONS.iter().map(|derivation| derivation.table.name).collect();
        declared.sort_unstable();
        computed.sort_unstable();
        assert_eq!(declared, computed);
    }

    #[test]
    fn what_is_computed_for_some_sessions_names_them() {
        for derivation in DERIVATIONS {
            let (How::Query(query) | How::Rows { query, .. }) = derivation.how;
            let names_them = query.contains("FROM affected)");
            assert_eq!(names_them, derivation.scope != Scope::Whole, "{}", derivation.table.name);
            if let Scope::Affected(column) = derivation.scope {
                assert!(derivation.table.position(column).is_some(), "{}", derivation.table.name);
            }
        }
    }
}
