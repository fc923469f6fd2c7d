//! Values of every type: what is written is what is read, and equal rows have equal digests everywhere.

use plimsoll_core::digest::TableDigest;
use plimsoll_core::table::ColumnType;
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use plimsoll_store::digest::table_digests;
use plimsoll_store::schema::Dialect;

use super::Open;
use super::fixture::{delete, insert, row, shape, update, write};

/// One column of each type, declared so that each database keeps the type exactly.
const SAMPLE: Dialect = Dialect {
    sqlite: "CREATE TABLE sample (id bigint PRIMARY KEY, truth boolean, whole bigint, real double precision,
             exact \"decimal text\", words text, bytes blob, instant timestamp, day date, document \"json text\")",
    postgres: "CREATE TABLE sample (id bigint PRIMARY KEY, truth boolean, whole bigint, real double precision,
             exact numeric, words text, bytes bytea, instant timestamptz, day date, document json)",
};

const TYPES: [ColumnType; 10] = [
    ColumnType::Integer,
    ColumnType::Boolean,
    ColumnType::Integer,
    ColumnType::Float,
    ColumnType::Decimal,
    ColumnType::Text,
    ColumnType::Bytes,
    ColumnType::Timestamp,
    ColumnType::Date,
    ColumnType::Json,
];

pub(super) fn run(open: &mut Open<'_>) {
    let mut store = open();
    store.run_script(SAMPLE.of(store.kind())).unwrap();
    let store = store.as_mut();
    let types: Vec<ColumnType> = shape(store, "sample").columns.iter().map(|c| c.column_type).collect();
    assert_eq!(types, TYPES);
    every_value_makes_the_round_trip(store);
    foreign_values_become_what_a_read_returns(store);
}

/// Values that each column must keep exactly, by the column's position.
fn exact_values() -> Vec<(usize, Value)> {
    let text = |texts: &[&str], make: fn(String) -> Value| -> Vec<Value> {
        texts.iter().map(|text| make((*text).to_owned())).collect()
    };
    let columns: [Vec<Value>; 9] = [
        vec![Value::Boolean(true), Value::Boolean(false)],
        [0, 1, -1, i64::MIN, i64::MAX].map(Value::Integer).to_vec(),
        [0.1, -1.5, 1e300, 5e-324, f64::MAX, 1.0, f64::INFINITY, f64::NEG_INFINITY]
            .map(Value::Float)
            .to_vec(),
        text(&["0", "1.50", "-0.10", "12345678901234567890.123456789", "100", "0.000001"], Value::Decimal),
        text(
            &[
                "",
                " ",
                "a",
                "it's \"quoted\"",
                "line\nbreak\r\n\ttab",
                "żółć 漢字 🚢",
                "\\x41",
                "{1,NULL}",
                "NULL",
                "$1",
            ],
            Value::Text,
        ),
        [&b""[..], b"\0", b"\xff\xfe\0abc", b"\\x41", b"text"].map(|b| Value::Bytes(b.to_vec())).to_vec(),
        text(
            &[
                "2025-10-01T19:59:54Z",
                "2025-10-01T19:59:54.5Z",
                "1969-12-31T23:59:59.999999Z",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59.000001Z",
                "2000-02-29T00:00:00Z",
            ],
            Value::Timestamp,
        ),
        text(&["2025-10-01", "1900-02-28", "2000-02-29", "0001-01-01", "9999-12-31"], Value::Date),
        text(
            &[
                "{}",
                "[1, 2.50,  \"x\"]",
                "{\"b\": 1, \"a\": null, \"b\": 2}",
                "\"ż\\u0041\"",
                "{\"deep\":[[[]]]}",
            ],
            Value::Json,
        ),
    ];
    let numbered = columns.into_iter().enumerate();
    numbered.flat_map(|(at, values)| values.into_iter().map(move |value| (at + 1, value))).collect()
}

fn every_value_makes_the_round_trip(store: &mut dyn Store) {
    let sample = shape(store, "sample");
    for (at, value) in exact_values() {
        let column = &sample.columns[at];
        assert_eq!(store.canonical(column, value.clone()), value, "{} keeps it", column.name);
        let mut one = vec![Value::Null; TYPES.len()];
        one[0] = Value::Integer(1);
        let empty = one.clone();
        one[at] = value.clone();
        let change = insert(store, "sample", one.clone());
        assert_eq!(write(store, &[change]), [true]);
        assert_eq!(row(store, "sample", 1), Some(one.clone()), "{}", column.name);
        let found = store.find_rows(&sample, &[at], std::slice::from_ref(&value)).unwrap();
        if column.column_type != ColumnType::Json {
            assert_eq!(found, std::slice::from_ref(&one), "{} finds {value}", column.name);
        }
        let emptied = update(store, "sample", one.clone(), empty);
        assert_eq!(write(store, &[emptied.clone(), emptied.inverse()]), [true, true], "{}", column.name);
        let gone = delete(store, "sample", one);
        assert_eq!(write(store, &[gone]), [true], "{} {value}", column.name);
    }
}

/// A value of another type is either refused or turned into what `canonical` said.
fn foreign_values_become_what_a_read_returns(store: &mut dyn Store) {
    let sample = shape(store, "sample");
    let mut values: Vec<Value> = exact_values().into_iter().map(|(_, value)| value).collect();
    values.extend(
        ["7", "-7.50", "2025-10-01 19:59:54", "2025-10-01T21:59:54+02:00", "t", "x"].map(Value::text),
    );
    values.extend([Value::Decimal("007.10".into()), Value::Float(-0.0), Value::Null]);
    for at in 1..TYPES.len() {
        for value in &values {
            let column = &sample.columns[at];
            let canonical = store.canonical(column, value.clone());
            assert_eq!(store.canonical(column, canonical.clone()), canonical, "{} {value}", column.name);
            let mut one = vec![Value::Null; TYPES.len()];
            one[0] = Value::Integer(1);
            one[at] = value.clone();
            let change = insert(store, "sample", one.clone());
            match super::fixture::try_write(store, &[change]) {
                Err(error) => assert!(error.class.is_data(), "{} {value}: {error}", column.name),
                Ok(written) => {
                    assert_eq!(written, [true]);
                    one[at] = canonical;
                    assert_eq!(row(store, "sample", 1), Some(one.clone()), "{} {value}", column.name);
                    let gone = delete(store, "sample", one);
                    assert_eq!(write(store, &[gone]), [true], "{} {value}", column.name);
                }
            }
        }
    }
}

/// Writes the suite's sample of every type and returns its digest, which is the same on every database.
///
/// # Panics
/// When the sample cannot be written.
pub fn sample_digests(store: &mut dyn Store) -> Vec<TableDigest> {
    store.run_script(SAMPLE.of(store.kind())).unwrap();
    let rows = exact_values().into_iter().enumerate().map(|(id, (at, value))| {
        let mut row = vec![Value::Null; TYPES.len()];
        row[0] = Value::Integer(id as i64);
        row[at] = value;
        row
    });
    let changes: Vec<_> = rows.map(|row| insert(store, "sample", row)).collect();
    assert!(write(store, &changes).iter().all(|written| *written));
    table_digests(store, &["sample", "absent"]).unwrap()
}
