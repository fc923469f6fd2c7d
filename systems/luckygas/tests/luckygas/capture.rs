//! Change capture in real databases: nothing is lost, and our own writes are told apart from users'.

use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_engine::capture::{Captured, Outbox, Place};
use plimsoll_luckygas::schema::{LEGACY, NEW, OUTBOX};
use plimsoll_store::{Access, Store, StoreError, in_transaction};

use crate::support::{Database, big5, settle};

const BOX: Outbox = Outbox(OUTBOX);

/// All lines, once they can be read: a transaction of another test on the same server holds them back while it is open.
fn read(store: &mut dyn Store) -> Vec<Captured> {
    settle(store);
    BOX.read(store, Place::default(), 1_000).unwrap()
}

/// Table, key, operation, counterpart and origin of a line.
type Told = (String, String, String, Option<i64>, Option<String>);

fn told(captured: &[Captured]) -> Vec<Told> {
    let line = |one: &Captured| {
        (one.table.clone(), one.key.to_text(), one.operation.clone(), one.counterpart, one.origin.clone())
    };
    captured.iter().map(line).collect()
}

fn line(table: &str, key: &str, operation: &str, counterpart: Option<i64>) -> Told {
    (table.into(), key.into(), operation.into(), counterpart, None)
}

fn new_databases() -> impl Iterator<Item = Database> {
    [Some(Database::sqlite(&NEW)), Database::postgres(&NEW)].into_iter().flatten()
}

fn run(store: &mut dyn Store, sql: &str) {
    store.execute(sql, &[]).unwrap();
}

#[test]
fn each_change_of_a_legacy_row_is_captured_with_its_key() {
    let mut legacy = Database::sqlite(&LEGACY);
    let store = legacy.store.as_mut();
    for table in ["clients", "drivers", "vehicles", "deliveries"] {
        run(store, &format!("INSERT INTO {table} (id) VALUES (5)"));
        run(store, &format!("UPDATE {table} SET created_at = NULL WHERE id = 5"));
        run(store, &format!("UPDATE {table} SET id = 6 WHERE id = 5"));
        run(store, &format!("DELETE FROM {table} WHERE id = 6"));
    }
    let captured = read(store);
    assert_eq!(captured.len(), 20);
    for lines in captured.chunks(5) {
        let table = lines[0].table.as_str();
        let expected =
            [("[5]", "insert"), ("[5]", "update"), ("[5]", "delete"), ("[6]", "update"), ("[6]", "delete")];
        assert_eq!(told(lines), expected.map(|(key, operation)| line(table, key, operation, None)));
    }
    assert_eq!(captured[0].key, RowKey(vec![Value::Integer(5)]));
    assert!(captured[0].captured_at.starts_with("20") && captured[0].captured_at.ends_with('Z'));
    let rest = BOX.read(store, captured[12].place, 3).unwrap();
    assert_eq!(rest, captured[13..16]);
    assert_eq!(BOX.forget(store, captured[12].place).unwrap(), 13);
    assert_eq!(read(store), captured[13..]);
}

#[test]
fn each_change_of_a_new_row_is_captured_with_its_counterpart() {
    for mut new in new_databases() {
        let store = new.store.as_mut();
        // A key with everything that JSON escapes.
        let code = "N\"\\\n許\u{1}/";
        let insert = "INSERT INTO customers (customer_code, legacy_id, latitude) VALUES ($1, 7, 24.5)";
        store.execute(insert, &[Value::text(code)]).unwrap();
        run(
            store,
            "INSERT INTO orders (order_number, customer_code) SELECT 'N1', customer_code FROM customers",
        );
        run(store, "INSERT INTO deliveries (order_number) VALUES ('N1')");
        run(store, "UPDATE orders SET legacy_id = 9, status = 'pending' WHERE order_number = 'N1'");
        run(store, "DELETE FROM deliveries");
        run(store, "DELETE FROM orders");
        store.execute("UPDATE customers SET customer_code = $1", &[Value::text("N2")]).unwrap();
        run(store, "DELETE FROM customers");
        run(store, "INSERT INTO drivers (driver_code) VALUES ('D1')");
        run(store, "INSERT INTO vehicles (plate_number) VALUES ('V1')");
        run(store, "INSERT INTO products VALUES ('P', 'p', 1, 1, true)");
        let captured = read(store);
        let key = RowKey(vec![Value::text(code)]);
        assert_eq!(captured[0].key, key, "{:?}", store.kind());
        let key = key.to_text();
        let expected = [
            line("customers", &key, "insert", Some(7)),
            line("orders", "[\"N1\"]", "insert", None),
            line("deliveries", "[\"N1\"]", "insert", None),
            line("orders", "[\"N1\"]", "update", Some(9)),
            line("deliveries", "[\"N1\"]", "delete", None),
            line("orders", "[\"N1\"]", "delete", Some(9)),
            line("customers", &key, "delete", Some(7)),
            line("customers", "[\"N2\"]", "update", Some(7)),
            line("customers", "[\"N2\"]", "delete", Some(7)),
            line("drivers", "[\"D1\"]", "insert", None),
            line("vehicles", "[\"V1\"]", "insert", None),
        ];
        assert_eq!(told(&captured), expected, "{:?}", store.kind());
    }
}

/// A write of ours is signed, the users' before, after and beside it are not; one that is taken back leaves nothing.
#[test]
fn writes_of_the_sync_are_signed_and_users_writes_are_not() {
    let mut databases: Vec<(Database, &str, [Value; 3])> = vec![(
        Database::sqlite(&LEGACY),
        "INSERT INTO clients (client_code) VALUES ($1)",
        ["D1", "D2", "D3"].map(big5),
    )];
    for new in new_databases() {
        databases.push((
            new,
            "INSERT INTO customers (customer_code) VALUES ($1)",
            ["D1", "D2", "D3"].map(Value::text),
        ));
    }
    for (mut database, insert, [first, second, third]) in databases {
        let store = database.store.as_mut();
        store.execute(insert, std::slice::from_ref(&first)).unwrap();
        in_transaction(store, Access::ReadWrite, |store| -> Result<(), StoreError> {
            let mark = BOX.begin(store).unwrap();
            store.execute(insert, std::slice::from_ref(&second))?;
            assert_eq!(BOX.sign(store, mark, "luckygas customer/D2#1").unwrap(), 1);
            Ok(())
        })
        .unwrap();
        store.execute(insert, std::slice::from_ref(&third)).unwrap();
        let died = in_transaction(store, Access::ReadWrite, |store| -> Result<(), StoreError> {
            let mark = BOX.begin(store).unwrap();
            store.execute(insert, &[Value::text("dies")])?;
            BOX.sign(store, mark, "luckygas").unwrap();
            store.execute("INSERT INTO no_such_table VALUES (1)", &[]).map(drop)
        });
        died.unwrap_err();
        let origins: Vec<Option<String>> = read(store).into_iter().map(|one| one.origin).collect();
        assert_eq!(origins, [None, Some("luckygas customer/D2#1".into()), None], "{:?}", store.kind());
    }
}

/// PostgreSQL gives out positions before they commit. A line that commits late is behind no place that was read.
#[test]
fn a_transaction_that_commits_late_is_not_passed_over() {
    let Some(mut new) = Database::postgres(&NEW) else { return };
    let mut slow = new.store.reopen().unwrap();
    let mut quick = new.store.reopen().unwrap();
    let insert = "INSERT INTO customers (customer_code) VALUES ($1)";
    slow.begin(Access::ReadWrite).unwrap();
    slow.execute(insert, &[Value::text("slow")]).unwrap();
    quick.execute(insert, &[Value::text("quick")]).unwrap();
    let store = new.store.as_mut();
    // The quick one is younger than the slow one, which is at work: nothing is final yet.
    let seen = BOX.read(store, Place::default(), 1_000).unwrap();
    let mut place = seen.last().map_or(Place::default(), |one| one.place);
    assert!(seen.is_empty(), "{seen:?}");
    // A user writes beside a write of ours, and keeps no signature.
    let mut user = new.store.reopen().unwrap();
    let store = new.store.as_mut();
    store.begin(Access::ReadWrite).unwrap();
    let mark = BOX.begin(store).unwrap();
    store.execute(insert, &[Value::text("ours")]).unwrap();
    user.execute(insert, &[Value::text("user")]).unwrap();
    BOX.sign(store, mark, "ours").unwrap();
    store.commit().unwrap();
    slow.commit().unwrap();
    settle(store);
    let mut all = Vec::new();
    loop {
        let page = BOX.read(store, place, 1).unwrap();
        let Some(last) = page.last() else { break };
        place = last.place;
        all.extend(page);
    }
    let mut keys: Vec<(String, Option<String>)> =
        all.into_iter().map(|one| (one.key.to_string(), one.origin)).collect();
    keys.sort();
    let expected = [("ours", Some("ours")), ("quick", None), ("slow", None), ("user", None)];
    assert_eq!(keys, expected.map(|(key, origin)| (key.to_owned(), origin.map(str::to_owned))));
}

/// After a restore into another server, numbers of transactions begin anew: said so, instead of reading nothing for long.
#[test]
fn a_place_that_the_server_has_not_come_to_is_refused() {
    let Some(mut new) = Database::postgres(&NEW) else { return };
    let store = new.store.as_mut();
    let ahead = Place { writer: i64::MAX / 2, position: 1 };
    let error = BOX.read(store, ahead, 10).unwrap_err();
    assert!(
        error.message.contains("restored into another server") && error.message.contains("hint:"),
        "{error}"
    );
    run(store, "INSERT INTO customers (customer_code) VALUES ('N1')");
    run(store, "UPDATE luckygas_outbox SET writer = writer + 1000000000");
    BOX.read(store, Place::default(), 10).unwrap_err();
}
