//! The tables of the OpenCode system, declared once.
//!
//! Owns what is stored: one table of sessions, of messages and of parts, a focused table for each type of part,
//! and the derived tables that are computed from them ([`derived`]). How a document becomes rows is the readers',
//! how derived rows are computed `derive`'s.
//!
//! Invariants: every row of a table of [`DOCUMENTS`] comes from one document and is deleted with it; derived rows
//! belong to a session, or are computed again as a whole. Times are UTC. Money is exact.

pub mod core;
pub mod derived;
pub mod focused;

use plimsoll_engine::ingest::AnalyticTable;

/// Tables whose rows come from documents.
pub static DOCUMENTS: &[&AnalyticTable] = &[
    &core::PROJECTS,
    &core::SESSIONS,
    &core::MESSAGES,
    &core::PARTS,
    &core::TODOS,
    &core::SESSION_DIFFS,
    &focused::TEXT_MESSAGES,
    &focused::THINKING_BLOCKS,
    &focused::TOOL_CALLS,
    &focused::STEP_EVENTS,
    &focused::PATCHES,
    &focused::COMPACTIONS,
    &focused::ATTACHMENTS,
    &focused::AGENT_MENTIONS,
    &focused::SUBTASKS,
    &focused::RETRIES,
    &focused::SNAPSHOTS,
    &focused::ERRORS,
    &focused::FILE_OPERATIONS,
    &focused::GIT_FACTS,
    &focused::SECURITY_FINDINGS,
];

/// Tables computed from the others.
pub static DERIVED: &[&AnalyticTable] = &[
    &derived::MESSAGE_USAGE,
    &derived::EXCHANGES,
    &derived::EXCHANGE_TRACES,
    &derived::SESSION_TRACES,
    &derived::SESSION_RESOURCE_METRICS,
    &derived::DAILY_STATS,
    &derived::AGENTS,
    &derived::MODELS,
    &derived::TOOLS,
    &derived::MODEL_PRICING,
    &derived::MESSAGE_PLACES,
    &derived::SESSION_USAGE,
];
