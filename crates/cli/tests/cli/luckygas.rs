//! `simulate luckygas`: both databases are written where their systems look for them, and what is printed is in them.

use std::collections::BTreeMap;

use plimsoll_store::{Store, StoreUrl};
use serde_json::Value as Json;

use crate::support::home::Home;

const MAKE: [&str; 10] =
    ["simulate", "luckygas", "--clients", "150", "--deliveries", "300", "--seed", "11", "--dirty", "20"];

fn open(home: &Home, system: &str) -> Box<dyn Store> {
    let url: StoreUrl =
        format!("sqlite:{}", home.file(&format!("data/{system}.db")).display()).parse().unwrap();
    plimsoll_store::open(&url).unwrap()
}

fn count(store: &mut dyn Store, sql: &str) -> i64 {
    store.query(sql, &[]).unwrap()[0][0].as_integer().unwrap()
}

/// Rows and digests of a system's tables, as the command tells them.
fn tables(home: &Home, system: &str) -> BTreeMap<String, (u64, String)> {
    let told = home.expect(0, &["digest", system, "--json"]).json();
    let table = |one: &Json| {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        (text("table"), (one["rows"].as_u64().unwrap(), text("digest")))
    };
    told["tables"].as_array().unwrap().iter().map(table).collect()
}

/// Rows of the tables that are not empty: what `simulate` names.
fn rows(tables: &BTreeMap<String, (u64, String)>) -> BTreeMap<String, u64> {
    tables
        .iter()
        .filter(|(_, (rows, _))| *rows > 0)
        .map(|(table, (rows, _))| (table.clone(), *rows))
        .collect()
}

fn counts(document: &Json) -> BTreeMap<String, u64> {
    serde_json::from_value(document.clone()).unwrap()
}

#[test]
fn both_databases_of_lucky_gas_hold_what_is_printed() {
    let home = Home::new();
    let told = home.expect(0, &[&MAKE[..], &["--json"]].concat()).json();
    let (legacy, new) = (tables(&home, "luckygas-legacy"), tables(&home, "luckygas"));
    assert_eq!(rows(&legacy), counts(&told["legacy"]));
    assert_eq!(rows(&new), counts(&told["new"]));
    assert_eq!((legacy["clients"].0, legacy["deliveries"].0), (150, 300));
    assert!(new["customers"].0 > 0, "{new:?}");
    for (name, system) in [("legacy_store", "luckygas-legacy"), ("new_store", "luckygas")] {
        let path = home.file(&format!("data/{system}.db"));
        assert_eq!(told[name], format!("sqlite:{}", path.display()));
    }

    // What is wrong is there, by another way of counting: the legacy texts are bytes, and some codes are missing.
    let mut store = open(&home, "luckygas-legacy");
    let missing = count(
        store.as_mut(),
        "SELECT count(*) FROM clients WHERE client_code IS NULL OR length(client_code) = 0",
    );
    assert_eq!(missing, told["dirty_clients"]["no_code"].as_i64().unwrap(), "{told}");
    let texts = count(store.as_mut(), "SELECT count(*) FROM clients WHERE typeof(client_code) = 'text'");
    assert_eq!(texts, 0, "Big5 is kept as bytes");

    // The rows were there before capture began; from now on every change is noted.
    for (system, change) in [
        ("luckygas-legacy", "UPDATE clients SET area = NULL WHERE id = 1"),
        (
            "luckygas",
            "UPDATE customers SET notes = 'x' WHERE customer_code = (SELECT min(customer_code) FROM customers)",
        ),
    ] {
        let mut store = open(&home, system);
        assert_eq!(count(store.as_mut(), "SELECT count(*) FROM luckygas_outbox"), 0, "{system}");
        assert_eq!(store.execute(change, &[]).unwrap(), 1);
        assert_eq!(count(store.as_mut(), "SELECT count(*) FROM luckygas_outbox"), 1, "{system}");
    }

    // The same seed makes the same rows, and a person is told the same in words.
    let again = Home::new();
    let text = again.expect(0, &MAKE).out;
    assert_eq!((tables(&again, "luckygas-legacy"), tables(&again, "luckygas")), (legacy, new));
    assert!(text.contains("data/luckygas-legacy.db: clients 150, deliveries 300"), "{text}");
    let dirty: u64 = counts(&told["dirty_clients"]).values().sum();
    assert!(dirty > 1 && text.contains(&format!("with something wrong: {dirty} clients, ")), "{text}");
}

#[test]
fn databases_in_use_and_one_database_for_both_sides_are_refused() {
    let home = Home::new();
    home.expect(0, &MAKE);
    let before = (tables(&home, "luckygas-legacy"), tables(&home, "luckygas"));
    let refused = home.expect(2, &MAKE);
    assert!(refused.err.contains("luckygas-legacy.db is in use"), "{refused:?}");
    assert_eq!((tables(&home, "luckygas-legacy"), tables(&home, "luckygas")), before);

    // A legacy database that another program made is not touched, not even by a table of ours.
    let other = Home::new();
    std::fs::create_dir(other.file("data")).unwrap();
    let mut store = open(&other, "luckygas-legacy");
    store.execute("CREATE TABLE clients (id INTEGER PRIMARY KEY, client_code TEXT)", &[]).unwrap();
    store.execute("INSERT INTO clients (id) VALUES (1)", &[]).unwrap();
    other.expect(2, &MAKE);
    assert_eq!(count(store.as_mut(), "SELECT count(*) FROM sqlite_master WHERE type = 'table'"), 1);

    let address = format!("sqlite:{}", other.file("one.db").display());
    let refused = other.expect(2, &[&MAKE[..], &["--store", &address]].concat());
    assert!(refused.err.contains("both sides would be one database"), "{refused:?}");
    assert!(!other.file("one.db").exists());
}
