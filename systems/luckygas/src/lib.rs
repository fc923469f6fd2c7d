//! The Lucky Gas system: moving a gas-delivery company from its legacy database to a new one, customer by customer.
//!
//! Owns both databases' tables with their versions, the Big5 text of the legacy one, how rows of one side map to rows of
//! the other and what is lost on the way, and where each side's changes are captured. It declares; the engine carries
//! over, compares and takes back. It deliberately never opens a database or waits.
//!
//! Reading order: [`schema`], [`big5`], [`mapping`] (the laws), [`capture`], [`candidate`] (whom a pilot can take), [`link`]
//! (mirrors and policies), [`pilot`] (the engine's view).
//!
//! Invariants:
//! - A row maps exactly, or not at all: what cannot be carried is named by row and column with its raw value.
//! - What is lost on the way is declared, field by field, and nothing else is.

pub mod big5;
pub mod candidate;
pub mod capture;
pub mod link;
pub mod mapping;
pub mod pilot;
pub mod schema;

use plimsoll_engine::sync::LinkedSystem;
use plimsoll_engine::system::System;

/// The new side.
pub static SYSTEM: System = System {
    name: "luckygas",
    title: "Lucky Gas: customers, orders and deliveries in the new database",
    schema: schema::NEW,
    tables: schema::NEW_TABLES,
    changes: &[],
    checks: &[],
    settings: &[],
    ..System::EMPTY
};

/// The legacy side: a SQLite database whose text is Big5.
pub static LEGACY: System = System {
    name: "luckygas-legacy",
    title: "Lucky Gas: clients and deliveries in the legacy database (SQLite, Big5)",
    schema: schema::LEGACY,
    tables: schema::LEGACY_TABLES,
    changes: &[],
    checks: &[],
    settings: &[],
    ..System::EMPTY
};

/// The links of the new side's records to the legacy side, one for each entity, for the commands about linked records.
pub static LINKED: [LinkedSystem; 4] =
    [linked("customer"), linked("driver"), linked("vehicle"), linked("order")];

const fn linked(entity: &'static str) -> LinkedSystem {
    LinkedSystem {
        system: &SYSTEM,
        link: link::of(entity),
        import: |_| Err("records of a pilot are written in their own tables, not from files".into()),
        figures: |rows| serde_json::json!({ "records": rows.len() }),
    }
}
