//! Rows that only the new database has: products, and customers who came after it began, with what they ordered.
//!
//! Owns one of each by its number. Their numbers begin with N, and no legacy row knows them.

use plimsoll_core::value::Value;

use super::clock;
use super::dirt::{self, Dirt};
use super::vocabulary as words;
use crate::random::Random;

pub(super) const PRODUCTS: &[&str] = &["product_code", "name", "cylinder_kg", "unit_price", "is_active"];

pub(super) const CUSTOMERS: &[&str] = &[
    "customer_code",
    "invoice_title",
    "short_name",
    "address",
    "customer_type",
    "district",
    "is_active",
    "is_terminated",
    "is_subscription",
    "email",
    "mobile_phone",
    "payment_method",
    "cylinders_20kg",
    "notes",
    "created_at",
    "updated_at",
];

pub(super) const ORDERS: &[&str] = &[
    "order_number",
    "customer_code",
    "status",
    "scheduled_date",
    "qty_20kg",
    "amount_total",
    "payment_status",
    "created_at",
    "updated_at",
];

pub(super) const DELIVERIES: &[&str] = &["order_number", "returned_20kg", "signed_by"];

pub(super) const MESSAGES: &[&str] =
    &["sms_number", "customer_code", "order_number", "phone", "body", "status", "provider_detail", "sent_at"];

/// Kilograms and price of each product.
const CYLINDERS: [(i64, i64); 5] = [(50, 2_380), (20, 970), (16, 790), (10, 520), (4, 260)];

pub(super) fn products() -> Vec<Vec<Value>> {
    let product = |(kilograms, price): (i64, i64)| {
        vec![
            Value::text(format!("GAS-{kilograms:02}")),
            Value::text(format!("示範 {kilograms} 公斤桶裝瓦斯")),
            Value::Integer(kilograms),
            Value::Integer(price),
            Value::Boolean(true),
        ]
    };
    CYLINDERS.into_iter().map(product).collect()
}

/// A customer with an order, its delivery and a message about it.
pub(super) struct NewCustomer {
    pub(super) customer: Vec<Value>,
    pub(super) order: Vec<Value>,
    pub(super) delivery: Vec<Value>,
    pub(super) message: Vec<Value>,
    pub(super) dirt: Option<Dirt>,
}

/// Customer `id`, counted from 1.
pub(super) fn customer(seed: u64, id: u64, dirty_percent: u8) -> NewCustomer {
    let dirt = dirt::of_customer(seed, id, dirty_percent);
    let random = &mut Random::named(seed, &["luckygas", "new customer", &id.to_string()]);
    let (code, order_number) = (format!("N{id:07}"), format!("N{id:09}"));
    let moment = clock::moment(random, 900_000 - id % 800_000);
    let instant = Value::Timestamp(clock::instant(moment));
    let phone = format!("0900-{:03}-{:03}", id / 1_000 % 1_000, id % 1_000);
    let beyond = if dirt.is_some() { random.word(words::BEYOND) } else { "" };
    let quantity = random.between(1, 6) as i64;
    let customer = vec![
        Value::text(&code),
        Value::text(format!("示範新用戶{id}")),
        Value::text(format!("示範{beyond}{id}")),
        Value::text(format!("{}示範街{}號", random.word(words::DISTRICTS), random.between(1, 99))),
        Value::text(random.word(&["household", "business", "restaurant", "factory"])),
        Value::text(random.word(words::DISTRICTS)),
        Value::Boolean(true),
        Value::Boolean(false),
        Value::Boolean(random.percent(30)),
        Value::text(format!("demo{id}@example.invalid")),
        Value::text(&phone),
        Value::text(random.word(&["cash", "monthly", "transfer"])),
        Value::Integer(quantity),
        Value::Null,
        instant.clone(),
        instant.clone(),
    ];
    let status = random.word(&["pending", "confirmed", "assigned", "in_delivery", "delivered", "cancelled"]);
    let order = vec![
        Value::text(&order_number),
        Value::text(&code),
        Value::text(status),
        Value::Date(moment.date().to_string()),
        Value::Integer(quantity),
        Value::Integer(quantity * CYLINDERS[1].1),
        Value::text(random.word(&["unpaid", "partly_paid", "paid"])),
        instant.clone(),
        instant.clone(),
    ];
    let delivery = vec![Value::text(&order_number), Value::Integer(random.between(0, 6) as i64), Value::Null];
    let message = vec![
        Value::Integer(i64::try_from(id).unwrap_or(i64::MAX)),
        Value::text(code),
        Value::text(order_number),
        Value::text(phone),
        Value::text("示範：您的瓦斯訂單已收到"),
        Value::text(random.word(&["queued", "sent", "delivered", "failed"])),
        Value::Null,
        instant,
    ];
    NewCustomer { customer, order, delivery, message, dirt }
}
