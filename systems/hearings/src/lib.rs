//! The hearings system: congressional hearings, kept in step with the congress.gov API.
//!
//! Owns the tables of hearings with their committees, witnesses, documents and bills, and the change
//! `daily-update` that brings them in step with the API's committee meetings. It declares: how to read the source,
//! what a record means, what a good record is. It deliberately never opens a database, waits or asks the time.
//!
//! Reading order: [`schema`], [`api`] (what the API says), [`rules`] (what is accepted), [`mapping`] (what it means for
//! the rows), [`update`] (the change), [`decision`] (what a trial of it must show), [`checks`] (what must be true of the rows). Decisions are told in this crate's
//! README.md.
//!
//! Invariants:
//! - What a record does not state is left as it is; only what it states is compared.
//! - An unchanged hearing proposes nothing. A newer update time alone is not a change.
//! - All rows of a hearing are in one item, parents before children.

pub mod api;
pub mod checks;
pub mod decision;
pub mod gates;
mod listing;
pub mod mapping;
pub mod rules;
pub mod schema;
pub mod update;

use plimsoll_engine::system::{SettingDeclaration, System};

use crate::update::DailyUpdate;

/// The hearings system.
pub static SYSTEM: System = System {
    name: "hearings",
    title: "Congressional hearings, kept in step with the congress.gov API",
    schema: schema::SCHEMA,
    tables: schema::TABLES,
    changes: &[&DailyUpdate],
    checks: checks::CHECKS,
    settings: &[
        SettingDeclaration {
            environment: "ENABLE_BATCH_PROCESSING",
            default: "false",
            help: "Apply an update in batches, each a transaction of its own; otherwise in one transaction.",
        },
        SettingDeclaration { environment: "BATCH_SIZE", default: "50", help: "Hearings in one batch." },
        SettingDeclaration {
            environment: "CONGRESS_API_KEY",
            default: "",
            help: "The key for api.congress.gov (free at api.data.gov); a simulator needs none.",
        },
    ],
    ..System::EMPTY
};
