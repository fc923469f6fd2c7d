//! Compare-and-set: what is written, and what is left alone.

use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::schema::Dialect;
use plimsoll_store::{ErrorClass, Store};

use super::Open;
use super::fixture::{count, delete, filled, insert, item, row, shape, try_write, update, write};

pub(super) fn run(open: &mut Open<'_>) {
    inserts(filled(open).as_mut());
    updates(filled(open).as_mut());
    deletes(filled(open).as_mut());
    every_column_is_compared(filled(open).as_mut());
    a_batch_tells_each_position(filled(open).as_mut());
    one_row_several_times(filled(open).as_mut());
    the_order_of_changes_counts(filled(open).as_mut());
    a_delete_that_acts_on_its_own_table(filled(open).as_mut());
    case_counts(open().as_mut());
    odd_names(open().as_mut());
}

fn inserts(store: &mut dyn Store) {
    let first = insert(store, "item", item(1, "a", None, Some(1)));
    assert_eq!(write(store, std::slice::from_ref(&first)), [true]);
    assert_eq!(write(store, &[first]), [false]);
    let other = insert(store, "item", item(1, "b", None, None));
    assert_eq!(write(store, &[other]), [false]);
    assert_eq!(row(store, "item", 1), Some(item(1, "a", None, Some(1))));
}

fn updates(store: &mut dyn Store) {
    let (old, new) = (item(1, "a", None, Some(1)), item(1, "b", Some("c"), None));
    let change = update(store, "item", old.clone(), new.clone());
    assert_eq!(write(store, std::slice::from_ref(&change)), [false], "there is no such row");
    let first = insert(store, "item", old.clone());
    write(store, &[first]);
    let nothing = update(store, "item", old.clone(), old.clone());
    assert_eq!(write(store, &[nothing]), [false], "no column changes");
    assert_eq!(write(store, std::slice::from_ref(&change)), [true]);
    assert_eq!(row(store, "item", 1), Some(new.clone()));
    assert_eq!(write(store, std::slice::from_ref(&change)), [false], "the row is no longer at its before");
    assert_eq!(write(store, &[change.inverse()]), [true]);
    assert_eq!(row(store, "item", 1), Some(old));
}

fn deletes(store: &mut dyn Store) {
    let (old, other) = (item(1, "a", None, Some(1)), item(1, "a", None, Some(2)));
    let gone = delete(store, "item", old.clone());
    assert_eq!(write(store, std::slice::from_ref(&gone)), [false]);
    let first = insert(store, "item", old);
    write(store, &[first]);
    let wrong = delete(store, "item", other);
    assert_eq!(write(store, &[wrong]), [false]);
    assert_eq!(count(store, "item"), 1);
    assert_eq!(write(store, std::slice::from_ref(&gone)), [true]);
    assert_eq!(count(store, "item"), 0);
    assert_eq!(write(store, &[gone.inverse()]), [true]);
}

fn every_column_is_compared(store: &mut dyn Store) {
    let stored = [item(1, "a", Some("x"), Some(1)), item(2, "a", None, None)];
    for row in &stored {
        let change = insert(store, "item", row.clone());
        write(store, &[change]);
    }
    let differing = [Value::Integer(2), Value::text("A"), Value::text("x "), Value::Integer(0)];
    for (row, at) in stored.iter().flat_map(|row| (1..5).map(move |at| (row, at))) {
        let mut before = row.clone();
        before[at] = if before[at].is_null() || at == 1 { differing[at - 1].clone() } else { Value::Null };
        for wrong in [before[at].clone(), differing[at - 1].clone()] {
            before[at] = wrong;
            let mut after = before.clone();
            after[2] = Value::text("changed");
            let attempts =
                [update(store, "item", before.clone(), after), delete(store, "item", before.clone())];
            assert_eq!(write(store, &attempts), [false, false], "column {at} of {before:?}");
        }
    }
    for row in &stored {
        let mut after = row.clone();
        after[2] = Value::text("changed");
        let change = update(store, "item", row.clone(), after);
        assert_eq!(write(store, &[change]), [true]);
    }
}

fn a_batch_tells_each_position(store: &mut dyn Store) {
    let first: Vec<_> = (0..40).map(|id| insert(store, "item", item(id, "a", None, Some(id)))).collect();
    assert_eq!(write(store, &first), vec![true; 40]);
    let again: Vec<_> = (30..60).map(|id| insert(store, "item", item(id, "a", None, Some(id)))).collect();
    let expected: Vec<bool> = (30..60).map(|id| id >= 40).collect();
    assert_eq!(write(store, &again), expected);
    let moved = |store: &mut dyn Store, id: i64| {
        let quantity = if id % 3 == 0 { id + 1 } else { id };
        update(store, "item", item(id, "a", None, Some(quantity)), item(id, "b", None, Some(7)))
    };
    let updates: Vec<_> = (0..70).map(|id| moved(store, id)).collect();
    let expected: Vec<bool> = (0..70).map(|id| id < 60 && id % 3 != 0).collect();
    assert_eq!(write(store, &updates), expected);
    let mut mixed = Vec::new();
    for id in 0..60 {
        mixed.push(delete(store, "item", item(id, "a", None, Some(id))));
        let name = Value::text(format!("n{}", id / 2));
        mixed.push(insert(store, "owner", vec![Value::Integer(100 + id / 2), name]));
    }
    let expected: Vec<bool> = (0..60).flat_map(|id| [id % 3 == 0, id % 2 == 0]).collect();
    assert_eq!(write(store, &mixed), expected);
    assert_eq!((count(store, "item"), count(store, "owner")), (40, 32));
}

fn one_row_several_times(store: &mut dyn Store) {
    let (one, two) = (item(1, "a", None, None), item(1, "b", None, None));
    let changes = [
        insert(store, "item", one.clone()),
        update(store, "item", one.clone(), two.clone()),
        update(store, "item", two.clone(), one.clone()),
        update(store, "item", two.clone(), one.clone()),
        delete(store, "item", one.clone()),
        delete(store, "item", one.clone()),
        insert(store, "item", two.clone()),
    ];
    assert_eq!(write(store, &changes), [true, true, true, false, true, false, true]);
    assert_eq!(row(store, "item", 1), Some(two));
}

/// A unique value that moves along a row of rows: possible from the end, impossible from the start.
fn the_order_of_changes_counts(store: &mut dyn Store) {
    let code = |id: i64| format!("code {id}");
    let at = |id: i64, code: &str| item(id, "a", Some(code), None);
    let rows: Vec<_> = (0..20).map(|id| insert(store, "item", at(id, &code(id)))).collect();
    write(store, &rows);
    let shift =
        |store: &mut dyn Store, id: i64| update(store, "item", at(id, &code(id)), at(id, &code(id + 1)));
    let forward: Vec<_> = (0..20).map(|id| shift(store, id)).collect();
    let error = try_write(store, &forward).unwrap_err();
    assert_eq!(error.class, ErrorClass::Unique);
    let backward: Vec<_> = (0..20).rev().map(|id| shift(store, id)).collect();
    assert_eq!(write(store, &backward), vec![true; 20]);
    assert_eq!(row(store, "item", 19), Some(at(19, "code 20")));
}

/// Deleting a parent row takes its child with it, so the child's own delete finds nothing.
fn a_delete_that_acts_on_its_own_table(store: &mut dyn Store) {
    store
        .run_script(
            "CREATE TABLE node (id bigint PRIMARY KEY, up bigint REFERENCES node (id) ON DELETE CASCADE)",
        )
        .unwrap();
    let rows = [vec![Value::Integer(1), Value::Null], vec![Value::Integer(2), Value::Integer(1)]];
    let inserts = rows.clone().map(|row| insert(store, "node", row));
    assert_eq!(write(store, &inserts), [true, true]);
    let deletes = rows.map(|row| delete(store, "node", row));
    assert_eq!(write(store, &deletes), [true, false]);
    assert_eq!(count(store, "node"), 0);
}

/// Text in a column that takes upper and lower case for the same: looked up so, compared by its bytes.
fn case_counts(store: &mut dyn Store) {
    const BLIND: Dialect = Dialect {
        sqlite: "CREATE TABLE blind (k text COLLATE NOCASE PRIMARY KEY, v text COLLATE NOCASE)",
        postgres:
            "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                   CREATE TABLE blind (k text COLLATE blind PRIMARY KEY, v text COLLATE blind)",
    };
    store.run_script(BLIND.of(store.kind())).unwrap();
    let pair = |k: &str, v: &str| vec![Value::text(k), Value::text(v)];
    let inserts = ["a", "A", "b"].map(|k| insert(store, "blind", pair(k, "x")));
    assert_eq!(write(store, &inserts), [true, false, true]);
    let wrong = [pair("A", "x"), pair("a", "X")].map(|row| delete(store, "blind", row));
    assert_eq!(write(store, &wrong), [false, false]);
    let louder = update(store, "blind", pair("a", "x"), pair("a", "X"));
    assert_eq!(write(store, &[louder.clone(), louder]), [true, false]);
    let table = shape(store, "blind");
    let found = store.read_rows(&table, &[RowKey(vec![Value::text("A")])]).unwrap();
    assert_eq!(found, [Some(pair("a", "X"))]);
}

fn odd_names(store: &mut dyn Store) {
    store
        .run_script(r#"CREATE TABLE "Order" ("select" bigint PRIMARY KEY, "a ""b"" $1" text, "Mixed" text)"#)
        .unwrap();
    let one = vec![Value::Integer(1), Value::text("x"), Value::text("$2 ?1")];
    let mut two = one.clone();
    two[1] = Value::Null;
    let changes = [insert(store, "Order", one.clone()), update(store, "Order", one, two.clone())];
    assert_eq!(write(store, &changes), [true, true]);
    assert_eq!(row(store, "Order", 1), Some(two.clone()));
    let gone = delete(store, "Order", two);
    assert_eq!(write(store, &[gone]), [true]);
    assert_eq!(shape(store, "Order").columns[1].name, "a \"b\" $1");
}
