//! What is refused, in whose words.

use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_luckygas::mapping::rule::Rule;
use plimsoll_luckygas::mapping::{ENTITIES, table};

use crate::support::{Known, big5};

fn reason_to_new(entity: &str, column: &str, value: &Value) -> String {
    let map = ENTITIES.iter().find(|known| known.name == entity).unwrap();
    let field = map.fields.iter().find(|field| field.legacy == column).unwrap();
    field.rule.to_new(entity, value, &Known::nine()).unwrap_err()
}

fn reason_to_legacy(entity: &str, column: &str, value: &Value) -> String {
    let map = ENTITIES.iter().find(|known| known.name == entity).unwrap();
    let field = map.fields.iter().find(|field| field.new == column).unwrap();
    field.rule.to_legacy(value, &Known::nine()).unwrap_err()
}

#[test]
fn reasons_name_the_byte_the_character_and_the_word() {
    let cases = [
        (
            reason_to_new("customer", "notes", &Value::Bytes(vec![b'a', 0xA4, 0x7F])),
            "byte 1 of the text is no Big5: A47F",
        ),
        (reason_to_new("customer", "payment_method", &big5("賒帳")), "`賒帳` is none of 現金, 月結, 轉帳"),
        (reason_to_new("customer", "is_active", &Value::Integer(2)), "2 is neither 0 nor 1"),
        (reason_to_new("customer", "client_code", &Value::Bytes(Vec::new())), "the text is empty"),
        (reason_to_new("customer", "client_code", &Value::Null), "the row must have a value here"),
        (reason_to_new("order", "client_id", &Value::Integer(77)), "there is no customer with the number 77"),
        (reason_to_new("customer", "short_name", &Value::text("a")), "the cell is text, not Big5 bytes"),
        (
            reason_to_legacy("customer", "short_name", &Value::text("游錫堃")),
            "Big5 has no `堃` (U+5803, character 2 of the text)",
        ),
        (reason_to_legacy("customer", "customer_code", &Value::text("")), "the text is empty"),
        (reason_to_legacy("order", "status", &Value::text("lost")), "the legacy side has no word for `lost`"),
        (
            reason_to_legacy("order", "customer_code", &Value::text("N1")),
            "the customer `N1` has no legacy number",
        ),
        (reason_to_legacy("customer", "legacy_id", &Value::Null), "the row must have a value here"),
        (
            reason_to_legacy("customer", "latitude", &Value::Float(-0.0)),
            "-0.0 is no number that both sides hold",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    for value in ["infinity", "2026-03-31T00:30:00", "9999-12-31T16:00:00Z", "1899-12-31T15:59:59Z"] {
        let reason = reason_to_legacy("customer", "created_at", &Value::Timestamp(value.into()));
        assert_eq!(reason, format!("{value} is no instant from 1900 on"));
    }
}

/// Times are Taipei's: eight hours ahead, and the year may change with them.
#[test]
fn times_are_those_of_taipei() {
    let carried = |text: &str| Rule::Instant.to_new("customer", &big5(text), &Known::nine()).unwrap();
    assert_eq!(carried("2026-01-01 07:59:59"), Value::Timestamp("2025-12-31T23:59:59Z".into()));
    assert_eq!(carried("1900-01-01 00:00:00"), Value::Timestamp("1899-12-31T16:00:00Z".into()));
    assert_eq!(carried("1975-07-01 12:00:00"), Value::Timestamp("1975-07-01T04:00:00Z".into()));
}

#[test]
fn columns_that_are_missing_or_unknown_are_named() {
    let vehicle = ENTITIES.iter().find(|entity| entity.name == "vehicle").unwrap();
    let mut row: Fields = vehicle.fields.iter().map(|field| (field.legacy.to_owned(), Value::Null)).collect();
    row.insert("id".into(), Value::Integer(1));
    row.insert("plate_number".into(), big5("DEMO-1"));
    vehicle.to_new(&row, &Known::nine()).unwrap();
    row.remove("notes");
    row.insert("color".into(), big5("紅"));
    let problems = vehicle.to_new(&row, &Known::nine()).unwrap_err();
    let columns: Vec<&str> = problems.iter().map(|problem| problem.column.as_str()).collect();
    assert_eq!(columns, ["color", "notes"]);
}

#[test]
fn the_readme_shows_the_mapping() {
    let readme = include_str!("../../README.md");
    let shown = readme
        .split_once("<!-- mapping -->\n\n")
        .and_then(|(_, rest)| rest.split_once("<!-- end of mapping -->"));
    assert_eq!(
        shown.map(|(shown, _)| shown),
        Some(table::markdown().as_str()),
        "put this there:\n{}",
        table::markdown()
    );
}
