//! Which tables' changes are captured, on each side.
//!
//! Owns the list and what a captured change says about a record of the mapping. The triggers are in the schema, reading
//! and signing are the engine's ([`plimsoll_engine::capture`]).

use crate::mapping::{ENTITIES, EntityMap};

/// A captured table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapturedTable {
    /// The table.
    pub table: &'static str,
    /// The column of its key.
    pub key: &'static str,
    /// The entity whose record the row is a part of.
    pub entity: &'static str,
}

/// The legacy tables.
pub const LEGACY: &[CapturedTable] = &[
    CapturedTable { table: "clients", key: "id", entity: "customer" },
    CapturedTable { table: "drivers", key: "id", entity: "driver" },
    CapturedTable { table: "vehicles", key: "id", entity: "vehicle" },
    CapturedTable { table: "deliveries", key: "id", entity: "order" },
];

/// The new tables. Products and messages have no counterpart and are not carried over.
pub const NEW: &[CapturedTable] = &[
    CapturedTable { table: "customers", key: "customer_code", entity: "customer" },
    CapturedTable { table: "drivers", key: "driver_code", entity: "driver" },
    CapturedTable { table: "vehicles", key: "plate_number", entity: "vehicle" },
    CapturedTable { table: "orders", key: "order_number", entity: "order" },
    CapturedTable { table: "deliveries", key: "order_number", entity: "order" },
];

impl CapturedTable {
    /// How the entity maps.
    pub fn map(&self) -> Option<&'static EntityMap> {
        ENTITIES.iter().copied().find(|entity| entity.name == self.entity)
    }
}
