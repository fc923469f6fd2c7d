//! The entities and their fields: the mapping as data.
//!
//! Owns every table of the mapping. Words of the legacy side are those of its own screens.

use super::rule::Rule::{self, Code, Date, Derived, Flag, Float, Integer, Number, Reference, Text};
use super::rule::{Word, Words};
use super::{Direction, EntityMap, FieldMap, Loss, NewOnly};

/// Every entity, in an order in which each comes after those that it refers to.
pub static ENTITIES: &[&EntityMap] = &[&CUSTOMER, &DRIVER, &VEHICLE, &ORDER];

const NO_ZONE: &str = "the legacy side has no zone; Taipei is assumed, eight hours before UTC all year";
const NO_FRACTION: &str = "fractions of a second";

static CUSTOMER_TYPES: Words = Words {
    pairs: &[(Word::Integer(0), "household"), (Word::Integer(1), "business")],
    narrowed: &[("restaurant", Word::Integer(1)), ("factory", Word::Integer(1))],
};

static PAYMENT_METHODS: Words = Words {
    pairs: &[(Word::Text("現金"), "cash"), (Word::Text("月結"), "monthly"), (Word::Text("轉帳"), "transfer")],
    narrowed: &[],
};

static PRICING_METHODS: Words = Words {
    pairs: &[(Word::Text("桶"), "cylinder"), (Word::Text("公斤"), "weight"), (Word::Text("流量"), "meter")],
    narrowed: &[],
};

static DELIVERY_TIMES: Words = Words {
    pairs: &[
        (Word::Text("早"), "morning"),
        (Word::Text("午"), "afternoon"),
        (Word::Text("晚"), "evening"),
        (Word::Text("全天"), "anytime"),
    ],
    narrowed: &[],
};

static LICENSES: Words = Words {
    pairs: &[
        (Word::Text("小貨車"), "light"),
        (Word::Text("大貨車"), "heavy"),
        (Word::Text("聯結車"), "trailer"),
    ],
    narrowed: &[],
};

static VEHICLE_TYPES: Words = Words {
    pairs: &[
        (Word::Text("貨車"), "truck"),
        (Word::Text("廂型車"), "van"),
        (Word::Text("機車"), "motorcycle"),
    ],
    narrowed: &[],
};

/// What an order can be. Which of two is further on is [`super::status`]'s.
pub static STATUSES: Words = Words {
    pairs: &[
        (Word::Text("待派"), "pending"),
        (Word::Text("已派"), "assigned"),
        (Word::Text("配送中"), "in_delivery"),
        (Word::Text("已送達"), "delivered"),
        (Word::Text("取消"), "cancelled"),
    ],
    narrowed: &[("confirmed", Word::Text("待派"))],
};

const fn field(legacy: &'static str, table: &'static str, new: &'static str, rule: Rule) -> FieldMap {
    FieldMap { legacy, table, new, rule, loss: Loss::Nothing }
}

/// A field of the same name on both sides.
const fn same(table: &'static str, column: &'static str, rule: Rule) -> FieldMap {
    field(column, table, column, rule)
}

const fn time(legacy: &'static str, table: &'static str, new: &'static str) -> FieldMap {
    let loss = Loss::Both { to_new: NO_ZONE, to_legacy: NO_FRACTION };
    FieldMap { legacy, table, new, rule: Rule::Instant, loss }
}

impl FieldMap {
    const fn narrowed(self, what: &'static str) -> Self {
        Self { loss: Loss::ToLegacy(what), ..self }
    }
}

const fn own(table: &'static str, column: &'static str) -> NewOnly {
    NewOnly { table, column }
}

/// The number of an order that came from the legacy side. Orders of the new side are numbered otherwise, and keep it.
pub fn order_number(legacy_id: i64) -> String {
    format!("L{legacy_id:09}")
}

/// Customers.
pub static CUSTOMER: EntityMap = EntityMap {
    name: "customer",
    legacy_table: "clients",
    tables: &["customers"],
    direction: Direction::Both,
    after: &[],
    fields: &[
        field("id", "customers", "legacy_id", Number),
        field("client_code", "customers", "customer_code", Code),
        same("customers", "invoice_title", Text),
        same("customers", "short_name", Text),
        same("customers", "address", Text),
        same("customers", "contact_person", Text),
        same("customers", "tax_id", Text),
        field("is_corporate", "customers", "customer_type", Rule::Words(&CUSTOMER_TYPES))
            .narrowed("which kind of business it is"),
        same("customers", "district", Text),
        same("customers", "area", Text),
        same("customers", "latitude", Float),
        same("customers", "longitude", Float),
        same("customers", "is_active", Flag),
        same("customers", "is_terminated", Flag),
        same("customers", "payment_method", Rule::Words(&PAYMENT_METHODS)),
        same("customers", "pricing_method", Rule::Words(&PRICING_METHODS)),
        same("customers", "delivery_time_preference", Rule::Words(&DELIVERY_TIMES)),
        same("customers", "needs_same_day_delivery", Flag),
        same("customers", "has_flow_meter", Flag),
        same("customers", "has_switch", Flag),
        field("cylinder_50kg", "customers", "cylinders_50kg", Integer),
        field("cylinder_20kg", "customers", "cylinders_20kg", Integer),
        field("cylinder_16kg", "customers", "cylinders_16kg", Integer),
        field("cylinder_10kg", "customers", "cylinders_10kg", Integer),
        field("cylinder_4kg", "customers", "cylinders_4kg", Integer),
        same("customers", "monthly_delivery_volume", Float),
        same("customers", "daily_usage_avg", Float),
        same("customers", "notes", Text),
        time("created_at", "customers", "created_at"),
        time("updated_at", "customers", "updated_at"),
    ],
    new_only: &[
        own("customers", "is_subscription"),
        own("customers", "email"),
        own("customers", "mobile_phone"),
    ],
};

/// Drivers.
pub static DRIVER: EntityMap = EntityMap {
    name: "driver",
    legacy_table: "drivers",
    tables: &["drivers"],
    direction: Direction::ToNew,
    after: &[],
    fields: &[
        field("id", "drivers", "legacy_id", Number),
        field("employee_id", "drivers", "driver_code", Code),
        same("drivers", "name", Text),
        same("drivers", "phone", Text),
        same("drivers", "license_type", Rule::Words(&LICENSES)),
        same("drivers", "experience_years", Integer),
        same("drivers", "familiar_areas", Text),
        same("drivers", "is_active", Flag),
        same("drivers", "is_available", Flag),
        time("created_at", "drivers", "created_at"),
        time("updated_at", "drivers", "updated_at"),
    ],
    new_only: &[own("drivers", "email")],
};

/// Vehicles.
pub static VEHICLE: EntityMap = EntityMap {
    name: "vehicle",
    legacy_table: "vehicles",
    tables: &["vehicles"],
    direction: Direction::ToNew,
    after: &[],
    fields: &[
        field("id", "vehicles", "legacy_id", Number),
        same("vehicles", "plate_number", Code),
        same("vehicles", "vehicle_type", Rule::Words(&VEHICLE_TYPES)),
        same("vehicles", "capacity_kg", Float),
        same("vehicles", "is_active", Flag),
        same("vehicles", "last_maintenance_date", Date),
        same("vehicles", "notes", Text),
        time("created_at", "vehicles", "created_at"),
        time("updated_at", "vehicles", "updated_at"),
    ],
    new_only: &[],
};

/// Orders, each with its delivery: one row of the legacy side.
pub static ORDER: EntityMap = EntityMap {
    name: "order",
    legacy_table: "deliveries",
    tables: &["orders", "deliveries"],
    direction: Direction::Both,
    after: &["customer", "driver", "vehicle"],
    fields: &[
        field("id", "orders", "legacy_id", Number),
        field("id", "orders", "order_number", Derived(order_number)),
        field("id", "deliveries", "order_number", Derived(order_number)),
        field("client_id", "orders", "customer_code", Reference { entity: "customer", required: true }),
        field("driver_id", "deliveries", "driver_code", Reference { entity: "driver", required: false }),
        field("vehicle_id", "deliveries", "plate_number", Reference { entity: "vehicle", required: false }),
        same("orders", "status", Rule::Words(&STATUSES)).narrowed("whether a waiting order is confirmed"),
        same("orders", "scheduled_date", Date),
        time("actual_delivery_time", "orders", "delivered_at"),
        same("orders", "qty_50kg", Integer),
        same("orders", "qty_20kg", Integer),
        same("orders", "qty_16kg", Integer),
        same("orders", "qty_10kg", Integer),
        same("orders", "qty_4kg", Integer),
        same("deliveries", "returned_50kg", Integer),
        same("deliveries", "returned_20kg", Integer),
        same("deliveries", "returned_16kg", Integer),
        same("deliveries", "returned_10kg", Integer),
        same("deliveries", "returned_4kg", Integer),
        same("orders", "notes", Text),
        time("created_at", "orders", "created_at"),
        time("updated_at", "orders", "updated_at"),
    ],
    new_only: &[
        own("orders", "amount_total"),
        own("orders", "payment_status"),
        own("deliveries", "signed_by"),
    ],
};
