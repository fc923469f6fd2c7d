//! The OpenCode system: analytics over everything that the OpenCode coding agent leaves on disk.
//!
//! Owns what OpenCode's records mean: its ids and the time in them, its money and tokens by writer version, prices,
//! errors, and what can be read out of the commands it ran. It deliberately opens no file and no database, and does not
//! ask the time.
//!
//! Invariants:
//! - Every function here gives the same answer for the same arguments, on every machine.
//! - What OpenCode did not record is absent, never invented: an unknown model has no price, not price zero.

pub mod authors;
pub mod checks;
pub mod dashboards;
pub mod derive;
pub mod documents;
pub mod error;
pub mod forecast;
pub mod gates;
pub mod git;
pub mod identifier;
pub mod metrics;
pub mod money;
pub mod patch;
pub mod price;
mod read;
pub mod security;
pub mod shell;
pub mod spending;
pub mod split;
pub mod table;
pub mod tokens;
pub mod views;
pub mod writer;

use plimsoll_engine::analytic::{AnalyticSystem, TextSource};

/// The OpenCode system.
pub static SYSTEM: AnalyticSystem = AnalyticSystem {
    name: "opencode",
    title: "OpenCode",
    documents: &documents::OpenCode,
    views: views::VIEWS,
    checks: checks::CHECKS,
    texts: TextSource { table: "text_messages", key: "part_id", text: "text", session: "session_id" },
    computed: spending::COMPUTED,
    splits: &[&split::SPLIT_PARTS],
    metrics: metrics::METRICS,
    data_folder: "opencode",
    check_prices: |text| {
        price::models_dev::parse(text, "user").map(|book| book.len()).map_err(|error| error.to_string())
    },
    first_figures: include_str!("../views/first/figures.sql"),
};
