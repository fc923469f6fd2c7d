//! The pilot as the engine sees it.
//!
//! Owns the seam: the entities in the engine's words, and the mapping behind it.

use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_engine::capture::Outbox;
use plimsoll_engine::pilot::declare::{Pilot, PilotEntity, PilotTables, Probe, Question, ReferenceColumn};
use plimsoll_engine::pilot::select::candidates::CandidateSource;
use plimsoll_engine::sync::{Link, MirrorTable};

use crate::mapping::{Direction, ENTITIES, EntityMap, NewRows, Problem, References};
use crate::schema::OUTBOX;
use crate::{big5, candidate, link};

/// Lucky Gas.
#[derive(Debug, Clone, Copy)]
pub struct LuckyGas;

const fn entity(
    map: &EntityMap,
    references: &'static [ReferenceColumn],
    owner: Option<&'static str>,
    mirror: &'static MirrorTable,
) -> PilotEntity {
    PilotEntity {
        name: map.name,
        legacy_table: map.legacy_table,
        tables: map.tables,
        references,
        owner,
        both_ways: matches!(map.direction, Direction::Both),
        mirror,
    }
}

const fn refers(
    table: &'static str,
    column: &'static str,
    legacy: &'static str,
    entity: &'static str,
) -> ReferenceColumn {
    ReferenceColumn { table, column, legacy, entity }
}

/// The entities, in the order of [`ENTITIES`].
static PILOT_ENTITIES: &[PilotEntity] = &[
    entity(ENTITIES[0], &[], Some("id"), &link::CUSTOMER_MIRROR),
    entity(ENTITIES[1], &[], None, &link::DRIVER_MIRROR),
    entity(ENTITIES[2], &[], None, &link::VEHICLE_MIRROR),
    entity(
        ENTITIES[3],
        &[
            refers("orders", "customer_code", "client_id", "customer"),
            refers("deliveries", "driver_code", "driver_id", "driver"),
            refers("deliveries", "plate_number", "vehicle_id", "vehicle"),
        ],
        Some("client_id"),
        &link::ORDER_MIRROR,
    ),
];

/// What users ask about a customer, as both systems answer it. The keys and orders of the rows are the same on both sides.
static QUESTIONS: &[Question] = &[
    Question {
        name: "card",
        legacy: "SELECT client_code, invoice_title, short_name, address, contact_person, tax_id, district, area, notes
            FROM clients WHERE id = $1",
        new: "SELECT customer_code, invoice_title, short_name, address, contact_person, tax_id, district, area, notes
            FROM customers WHERE legacy_id = $1",
    },
    Question {
        name: "orders",
        legacy: "SELECT id, scheduled_date, qty_50kg, qty_20kg, qty_16kg, qty_10kg, qty_4kg FROM deliveries
            WHERE client_id = $1 ORDER BY id",
        new: "SELECT o.legacy_id, o.scheduled_date, o.qty_50kg, o.qty_20kg, o.qty_16kg, o.qty_10kg, o.qty_4kg
            FROM orders o JOIN customers c ON c.customer_code = o.customer_code
            WHERE c.legacy_id = $1 ORDER BY o.legacy_id",
    },
    Question {
        name: "cylinders",
        legacy: "SELECT count(*), coalesce(sum(qty_20kg), 0), coalesce(sum(returned_20kg), 0) FROM deliveries
            WHERE client_id = $1",
        new: "SELECT count(*), CAST(coalesce(sum(o.qty_20kg), 0) AS bigint), CAST(coalesce(sum(d.returned_20kg), 0) AS bigint)
            FROM orders o JOIN customers c ON c.customer_code = o.customer_code
            LEFT JOIN deliveries d ON d.order_number = o.order_number WHERE c.legacy_id = $1",
    },
];

fn find(entity: &str) -> Result<&'static EntityMap, Vec<Problem>> {
    ENTITIES.iter().copied().find(|map| map.name == entity).ok_or_else(|| {
        let reason = format!("there is no entity `{entity}`");
        vec![Problem { column: String::new(), value: Value::Null, reason }]
    })
}

impl Pilot for LuckyGas {
    fn outbox(&self) -> Outbox {
        Outbox(OUTBOX)
    }

    fn tables(&self) -> PilotTables {
        PilotTables { fence: "luckygas_fence", number: "luckygas_number", carrier: "luckygas_carrier" }
    }

    fn link(&self, entity: &str) -> &'static dyn Link {
        link::of(entity)
    }

    fn shown(&self, entity: &str, legacy: &Fields) -> Fields {
        link::map_of(entity).map_or_else(Fields::new, |map| link::shown(map, legacy))
    }

    fn kept(&self, entity: &str, shown: &Fields) -> Result<Fields, Vec<Problem>> {
        link::kept(find(entity)?, shown)
    }

    fn columns_of(&self, entity: &str, legacy: &str) -> Vec<(&'static str, &'static str)> {
        let fields = link::map_of(entity).map_or(&[][..], |map| map.fields);
        fields.iter().filter(|field| field.legacy == legacy).map(|field| (field.table, field.new)).collect()
    }

    fn questions(&self) -> &'static [Question] {
        QUESTIONS
    }

    fn probe(&self, entity: &str) -> Option<Probe> {
        match entity {
            "customer" => Some(Probe { legacy: "notes", table: "customers", column: "notes" }),
            "order" => Some(Probe { legacy: "notes", table: "orders", column: "notes" }),
            _ => None,
        }
    }

    fn entities(&self) -> &'static [PilotEntity] {
        PILOT_ENTITIES
    }

    fn to_new(
        &self,
        entity: &str,
        legacy: &Fields,
        references: &dyn References,
    ) -> Result<NewRows, Vec<Problem>> {
        find(entity)?.to_new(legacy, references)
    }

    fn to_legacy(
        &self,
        entity: &str,
        rows: &NewRows,
        references: &dyn References,
    ) -> Result<Fields, Vec<Problem>> {
        find(entity)?.to_legacy(rows, references)
    }

    fn candidates(&self) -> CandidateSource {
        CandidateSource { entity: "customer", orders: "order", read: candidate::read }
    }

    fn readable(&self, value: &Value) -> Option<String> {
        match value {
            Value::Bytes(bytes) => big5::decode(bytes).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::rule::Rule;

    /// What the mapping refers to is what the engine looks up.
    #[test]
    fn references_are_those_of_the_mapping() {
        for (map, entity) in ENTITIES.iter().zip(PILOT_ENTITIES) {
            let mapped: Vec<ReferenceColumn> = map
                .fields
                .iter()
                .filter_map(|field| match field.rule {
                    Rule::Reference { entity, .. } => {
                        Some(refers(field.table, field.new, field.legacy, entity))
                    }
                    _ => None,
                })
                .collect();
            assert_eq!(entity.references, mapped, "{}", map.name);
        }
    }
}
