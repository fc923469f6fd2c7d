//! The laws of the mapping, as properties over every entity.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_luckygas::mapping::rule::{Rule, Word};
use plimsoll_luckygas::mapping::{ENTITIES, EntityMap, FieldMap, NewRows};
use proptest::prelude::*;

use crate::support::{Known, big5};

/// Values of a legacy column, and whether each can be carried.
fn legacy_values(rule: Rule) -> BoxedStrategy<(Value, bool)> {
    let good = |value: BoxedStrategy<Value>| value.prop_map(|value| (value, true)).boxed();
    let bad = |value: BoxedStrategy<Value>| value.prop_map(|value| (value, false)).boxed();
    let bytes = |text: &'static [u8]| Just(Value::Bytes(text.to_vec())).boxed();
    let text = "[a-zA-Z0-9 |\\\\台北信義許功蓋碁恒€仝十]{1,12}".prop_map(|text| big5(&text)).boxed();
    let broken = prop_oneof![
        bytes(&[0xA4]),
        bytes(&[0xFA, 0x40]),
        bytes(&[0xC6, 0xA1]),
        bytes(&[b'a', 0, b'b']),
        Just(Value::text("ascii, kept as text")),
        Just(Value::Integer(7)),
    ]
    .boxed();
    let null = Just(Value::Null).boxed();
    let number = any::<i64>().prop_map(Value::Integer).boxed();
    let no_number = prop_oneof![bytes(b"7"), Just(Value::Float(7.0))].boxed();
    match rule {
        Rule::Code => prop_oneof![
            9 => good(text), 1 => bad(prop_oneof![null, bytes(b""), broken].boxed()),
        ].boxed(),
        Rule::Text => prop_oneof![
            9 => good(prop_oneof![text, null, bytes(b"")].boxed()), 1 => bad(broken),
        ].boxed(),
        Rule::Integer => {
            prop_oneof![9 => good(prop_oneof![number, null].boxed()), 1 => bad(no_number)].boxed()
        }
        Rule::Number | Rule::Derived(_) => {
            prop_oneof![9 => good(number), 1 => bad(prop_oneof![null, no_number].boxed())].boxed()
        }
        Rule::Float => prop_oneof![
            9 => good(prop_oneof![
                Just(Value::Null),
                any::<u64>().prop_map(f64::from_bits)
                    .prop_filter("both sides hold it", |float| float.is_finite() && float.to_bits() != 1 << 63)
                    .prop_map(Value::Float),
            ].boxed()),
            1 => bad(prop_oneof![
                Just(Value::Float(f64::INFINITY)), Just(Value::Float(f64::NAN)), Just(Value::Float(-0.0)),
                Just(Value::Integer(1)), bytes(b"1.5"),
            ].boxed()),
        ].boxed(),
        Rule::Flag => prop_oneof![
            9 => good(prop_oneof![Just(Value::Integer(0)), Just(Value::Integer(1)), null].boxed()),
            1 => bad(prop_oneof![Just(Value::Integer(2)), Just(Value::Integer(-1)), Just(Value::Boolean(true)), bytes(b"1")].boxed()),
        ].boxed(),
        Rule::Words(words) => {
            let known: Vec<Value> = words.pairs.iter().map(|(word, _)| match word {
                Word::Text(text) => big5(text),
                Word::Integer(number) => Value::Integer(*number),
            }).collect();
            prop_oneof![
                9 => good(prop_oneof![prop::sample::select(known), Just(Value::Null)].boxed()),
                1 => bad(prop_oneof![bytes(b""), bytes(b"cash"), Just(Value::Integer(77)), bytes(&[0xA4])].boxed()),
            ].boxed()
        }
        Rule::Instant => prop_oneof![
            9 => good(prop_oneof![
                Just(Value::Null),
                (1900..=9999_i32, 1..=12_u8, 1..=28_u8, 0..24_u8, 0..60_u8, 0..60_u8).prop_map(|(y, m, d, h, min, s)| {
                    Value::Bytes(format!("{y:04}-{m:02}-{d:02} {h:02}:{min:02}:{s:02}").into_bytes())
                }),
            ].boxed()),
            1 => bad(prop_oneof![
                bytes(b""), bytes(b"0000-00-00 00:00:00"), bytes(b"2024-02-30 01:02:03"), bytes(b"2024-01-01T01:02:03"),
                bytes(b"2024-01-01 01:02:03.5"), bytes(b"2024-01-01"), bytes(b"2024-01-01 24:00:00"), bytes(b"2024-01-01 23:59:60"),
                bytes(b"1899-12-31 23:59:59"), bytes(b"2024/01/01 01:02:03"), Just(Value::text("2024-01-01 01:02:03")),
            ].boxed()),
        ].boxed(),
        Rule::Date => prop_oneof![
            9 => good(prop_oneof![
                Just(Value::Null),
                (1900..=9999_i32, 1..=12_u8, 1..=28_u8)
                    .prop_map(|(y, m, d)| Value::Bytes(format!("{y:04}-{m:02}-{d:02}").into_bytes())),
            ].boxed()),
            1 => bad(prop_oneof![bytes(b""), bytes(b"2024-02-30"), bytes(b"2024/01/01"), bytes(b"1899-12-31")].boxed()),
        ].boxed(),
        Rule::Reference { required, .. } => {
            let there = (1..=9_i64).prop_map(Value::Integer).boxed();
            let nobody = prop_oneof![Just(Value::Integer(10)), Just(Value::Integer(-1)), bytes(b"1")].boxed();
            if required {
                prop_oneof![9 => good(there), 1 => bad(prop_oneof![nobody, null].boxed())].boxed()
            } else {
                prop_oneof![9 => good(prop_oneof![there, null].boxed()), 1 => bad(nobody)].boxed()
            }
        }
    }
}

/// The rule that says what a legacy column may hold: several fields may come from one column.
fn columns(entity: &EntityMap) -> BTreeMap<&'static str, Rule> {
    entity.fields.iter().rev().map(|field| (field.legacy, field.rule)).collect()
}

type Row = BTreeMap<String, (Value, bool)>;

/// A row of any entity; with `bad`, some of its values cannot be carried.
fn row(bad: bool) -> BoxedStrategy<(usize, Row)> {
    let of = move |at: usize| {
        let columns: Vec<_> = columns(ENTITIES[at])
            .into_iter()
            .map(|(column, rule)| {
                let values = legacy_values(rule);
                let values = if bad {
                    values
                } else {
                    values.prop_filter("can be carried", |(_, good)| *good).boxed()
                };
                values.prop_map(move |value| (column.to_owned(), value))
            })
            .collect();
        columns.prop_map(move |row| (at, row.into_iter().collect()))
    };
    (0..ENTITIES.len()).prop_flat_map(of).boxed()
}

fn values(row: &Row) -> Fields {
    row.iter().map(|(column, (value, _))| (column.clone(), value.clone())).collect()
}

fn changed<'a>(fields: &'a [FieldMap], before: &Fields, after: &Fields) -> Vec<&'a FieldMap> {
    fields.iter().filter(|field| before.get(field.legacy) != after.get(field.legacy)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// There and back is the same row, byte for byte, but for what is declared as lost.
    #[test]
    fn legacy_to_new_and_back_is_the_same_row((at, row) in row(false)) {
        let (entity, known, legacy) = (ENTITIES[at], Known::nine(), values(&row));
        let new = entity.to_new(&legacy, &known).unwrap();
        let back = entity.to_legacy(&new, &known).unwrap();
        prop_assert_eq!(back.len(), legacy.len());
        for field in changed(entity.fields, &legacy, &back) {
            prop_assert!(field.loss.to_new().is_some(), "{} is lost and not declared: {:?}", field.legacy, back[field.legacy]);
        }
        // The zone is assumed in reading, and the same one is left out in writing.
        prop_assert_eq!(back, legacy);
    }

    /// What cannot be carried is named by its column, all of it, and nothing else is.
    #[test]
    fn every_bad_value_is_named_and_no_good_one((at, row) in row(true)) {
        let legacy = values(&row);
        let bad: BTreeSet<&str> = row.iter().filter(|(_, (_, good))| !good).map(|(column, _)| column.as_str()).collect();
        match ENTITIES[at].to_new(&legacy, &Known::nine()) {
            Ok(_) => prop_assert!(bad.is_empty(), "{bad:?}"),
            Err(problems) => {
                prop_assert_eq!(problems.iter().map(|problem| problem.column.as_str()).collect::<BTreeSet<_>>(), bad);
                for problem in problems {
                    prop_assert_eq!(&problem.value, &legacy[&problem.column]);
                    prop_assert!(!problem.reason.is_empty());
                }
            }
        }
    }

    /// From the new side and back: only what is declared changes, and the new side's own columns stay there.
    #[test]
    fn new_to_legacy_and_back_loses_what_is_declared((at, row) in row(false), fraction in 0_u32..1_000_000, narrow in any::<u8>()) {
        let (entity, known) = (ENTITIES[at], Known::nine());
        let mut new = entity.to_new(&values(&row), &known).unwrap();
        for field in entity.fields {
            let value = new.get_mut(field.table).unwrap().get_mut(field.new).unwrap();
            match (field.rule, &value) {
                (Rule::Words(words), _) if !words.narrowed.is_empty() && narrow % 2 == 0 => {
                    *value = Value::text(words.narrowed[usize::from(narrow / 2) % words.narrowed.len()].0);
                }
                (Rule::Instant, Value::Timestamp(text)) if fraction > 0 => {
                    let digits = format!("{fraction:06}");
                    *value = Value::Timestamp(format!("{}.{}Z", text.trim_end_matches('Z'), digits.trim_end_matches('0')));
                }
                _ => {}
            }
        }
        for own in entity.new_only {
            new.get_mut(own.table).unwrap().insert(own.column.to_owned(), Value::text("of the new side"));
        }
        prop_assert_eq!(entity.left_behind(&new).count(), entity.new_only.len());
        let legacy = entity.to_legacy(&new, &known).unwrap();
        let again = entity.to_new(&legacy, &known).unwrap();
        for field in entity.fields {
            if new[field.table][field.new] != again[field.table][field.new] {
                prop_assert!(field.loss.to_legacy().is_some(), "{} is lost and not declared", field.new);
            }
        }
        // And what came back is carried without any further loss.
        prop_assert_eq!(entity.to_legacy(&again, &known).unwrap(), legacy);
    }
}

/// Each declared loss is one: a value that does not come back.
#[test]
fn every_declared_loss_to_legacy_has_a_witness() {
    for entity in ENTITIES {
        for field in entity.fields.iter().filter(|field| field.loss.to_legacy().is_some()) {
            let witness = match field.rule {
                Rule::Words(words) => Value::text(words.narrowed[0].0),
                Rule::Instant => Value::Timestamp("2026-03-31T00:30:00.25Z".into()),
                other => panic!("{}: nothing is lost by {}", field.legacy, other.name()),
            };
            let legacy = field.rule.to_legacy(&witness, &Known::nine()).unwrap().unwrap();
            let back = field.rule.to_new(entity.name, &legacy, &Known::nine()).unwrap();
            assert_ne!(back, witness, "{}", field.legacy);
        }
    }
}

#[test]
fn an_order_of_the_new_side_keeps_its_number_when_legacy_changes_it() {
    let order = ENTITIES.iter().find(|entity| entity.name == "order").unwrap();
    let mut known = Known::nine();
    let mut legacy: Fields =
        columns(order).into_keys().map(|column| (column.to_owned(), Value::Null)).collect();
    legacy.insert("id".into(), Value::Integer(42));
    legacy.insert("client_id".into(), Value::Integer(3));
    let numbers =
        |rows: &NewRows| (rows["orders"]["order_number"].clone(), rows["deliveries"]["order_number"].clone());
    let came = order.to_new(&legacy, &known).unwrap();
    assert_eq!(numbers(&came), (Value::text("L000000042"), Value::text("L000000042")));
    known.0.insert(("order".into(), 42), "N000000007".into());
    let came = order.to_new(&legacy, &known).unwrap();
    assert_eq!(numbers(&came), (Value::text("N000000007"), Value::text("N000000007")));
    assert_eq!(came["orders"]["customer_code"], Value::text("customer-3"));
}
