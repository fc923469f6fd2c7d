//! Reads: by key, by column, whole tables, general queries; and plain inserts.

use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, ErrorClass, Store, StoreError, in_transaction};

use super::Open;
use super::fixture::{count, filled, insert, item, shape, write};

pub(super) fn run(open: &mut Open<'_>) {
    rows_come_in_the_order_of_the_keys(filled(open).as_mut());
    rows_are_found_by_any_columns(filled(open).as_mut());
    a_scan_is_ordered_by_the_bytes_of_the_key(filled(open).as_mut());
    impossible_values_match_nothing(filled(open).as_mut());
    queries_stream_and_stop(filled(open).as_mut());
    appended_rows_arrive(filled(open).as_mut());
}

fn rows_come_in_the_order_of_the_keys(store: &mut dyn Store) {
    let pairs = ["x", "y", "z"].map(|a| vec![Value::text(a), Value::Integer(1), Value::Null]);
    let changes = pairs.clone().map(|row| insert(store, "pair", row));
    write(store, &changes);
    let table = shape(store, "pair");
    assert_eq!(table.key_columns().collect::<Vec<_>>(), ["b", "a"]);
    let key = |b: i64, a: &str| RowKey(vec![Value::Integer(b), Value::text(a)]);
    let keys = [key(1, "z"), key(2, "x"), key(1, "x"), key(1, "z"), RowKey(vec![Value::Null, Value::Null])];
    let found = store.read_rows(&table, &keys).unwrap();
    let expected = [Some(&pairs[2]), None, Some(&pairs[0]), Some(&pairs[2]), None];
    assert_eq!(found.iter().map(Option::as_ref).collect::<Vec<_>>(), expected);
    assert!(store.read_rows(&table, &[]).unwrap().is_empty());
}

fn rows_are_found_by_any_columns(store: &mut dyn Store) {
    let rows = [
        item(3, "a", None, Some(1)),
        item(1, "a", None, Some(2)),
        item(2, "b", None, None),
        item(4, "a", Some("x"), Some(1)),
    ];
    let changes = rows.clone().map(|row| insert(store, "item", row));
    write(store, &changes);
    let table = shape(store, "item");
    let mut find = |columns: &[usize], values: &[Value]| -> Vec<i64> {
        let found = store.find_rows(&table, columns, values).unwrap();
        found.iter().map(|row| row[0].as_integer().unwrap()).collect()
    };
    assert_eq!(find(&[2], &[Value::text("a")]), [1, 3, 4]);
    assert_eq!(find(&[2, 3], &[Value::text("a"), Value::Null]), [1, 3]);
    assert_eq!(find(&[4, 2], &[Value::Integer(1), Value::text("a")]), [3, 4]);
    assert_eq!(find(&[4], &[Value::Null]), [2]);
    assert_eq!(find(&[2], &[Value::text("c")]), [0; 0]);
    assert_eq!(find(&[], &[]), [1, 2, 3, 4]);
}

fn a_scan_is_ordered_by_the_bytes_of_the_key(store: &mut dyn Store) {
    let names = ["b", "a", "B", "é", "a b", "_", "ab", "Z"];
    let changes = names.map(|a| insert(store, "pair", vec![Value::text(a), Value::Integer(1), Value::Null]));
    write(store, &changes);
    let late = insert(store, "pair", vec![Value::text("A"), Value::Integer(2), Value::Null]);
    write(store, &[late]);
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    sorted.push("A");
    let mut seen = Vec::new();
    let table = shape(store, "pair");
    store
        .scan_rows(&table, &mut |row| {
            seen.push(row[0].clone());
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, sorted.into_iter().map(Value::text).collect::<Vec<_>>());
    let stopped = store.scan_rows(&table, &mut |_| Err(StoreError::new(ErrorClass::Other, "enough")));
    assert_eq!(stopped.unwrap_err().message, "enough");
    assert_eq!(count(store, "pair"), 9);
}

/// Looking for what cannot be there finds nothing, and leaves the transaction usable.
fn impossible_values_match_nothing(store: &mut dyn Store) {
    let change = insert(store, "item", item(1, "a", None, None));
    write(store, &[change]);
    let table = shape(store, "item");
    store.begin(Access::ReadOnly).unwrap();
    let impossible = [Value::text("one"), Value::Bytes(vec![1]), Value::Float(1.5), Value::text("")];
    for value in impossible {
        let key = [RowKey(vec![value.clone()]), RowKey(vec![Value::Integer(1)])];
        let found = store.read_rows(&table, &key).unwrap();
        assert!(found[0].is_none() && found[1].is_some(), "{value}");
        assert!(store.find_rows(&table, &[4], std::slice::from_ref(&value)).unwrap().is_empty(), "{value}");
    }
    assert_eq!(count(store, "item"), 1);
    store.commit().unwrap();
}

fn queries_stream_and_stop(store: &mut dyn Store) {
    let many =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n";
    assert_eq!(store.query(many, &[]).unwrap().len(), 5000);
    let mut seen = 0;
    let stopped = store.query_each(many, &[], &mut |_| {
        seen += 1;
        if seen == 10 { Err(StoreError::new(ErrorClass::Other, "enough")) } else { Ok(()) }
    });
    assert_eq!((stopped.unwrap_err().message.as_str(), seen), ("enough", 10));
    let changed = store
        .execute(
            "UPDATE owner SET name = $2 || name WHERE id <> $1",
            &[Value::Integer(1), Value::text("$1 ?1 '")],
        )
        .unwrap();
    assert_eq!(changed, 1);
    let names = store.query("SELECT name FROM owner WHERE id = $1", &[Value::Integer(2)]).unwrap();
    assert_eq!(names, [[Value::text("$1 ?1 'bob")]]);
    let nothing = store.query("SELECT id FROM owner WHERE name = $1", &[Value::Null]).unwrap();
    assert!(nothing.is_empty());
}

fn appended_rows_arrive(store: &mut dyn Store) {
    let rows: Vec<Vec<Value>> = (0..12_345)
        .map(|at| {
            let note = if at % 3 == 0 { Value::Null } else { Value::text(format!("n{at}")) };
            vec![note, Value::Integer(at), Value::text("k")]
        })
        .collect();
    in_transaction(store, Access::ReadWrite, |store| store.append("pair", &["note", "b", "a"], &rows))
        .unwrap();
    assert_eq!(count(store, "pair"), 12_345);
    let table = shape(store, "pair");
    let found = store.find_rows(&table, &[1], &[Value::Integer(12_344)]).unwrap();
    assert_eq!(found, [[Value::text("k"), Value::Integer(12_344), Value::text("n12344")]]);
    store.append("pair", &["a", "b"], &[]).unwrap();
    let one = |b: Value| vec![Value::text("k"), b];
    for many in [0, 500] {
        // Alone and among many: the row's fault, and nothing is kept.
        let mut rows: Vec<_> = (0..many).map(|at| one(Value::Integer(-1 - at))).collect();
        rows.push(one(Value::Integer(5)));
        let append = |store: &mut dyn Store, rows: &[Vec<Value>]| {
            in_transaction(store, Access::ReadWrite, |store| store.append("pair", &["a", "b"], rows))
        };
        let error = append(store, &rows).unwrap_err();
        assert_eq!(error.class, ErrorClass::Unique, "{error}");
        rows.pop();
        rows.push(one(Value::Null));
        let error = append(store, &rows).unwrap_err();
        assert_eq!(error.class, ErrorClass::NotNull, "{error}");
        assert_eq!(count(store, "pair"), 12_345);
    }
}
