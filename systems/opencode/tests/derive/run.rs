//! Letting the engine compute the derived tables, and comparing.

use std::collections::BTreeMap;

use plimsoll_engine::ingest::{OwnedCell, Settings, ledger};
use plimsoll_opencode::documents::OpenCode;
use plimsoll_opencode::table::{DERIVED, DOCUMENTS};
use plimsoll_store::duckdb::Analytics;

use crate::story::{Story, write_project};

/// Rows of each derived table, sorted, every cell as text.
pub(crate) type Tables = BTreeMap<&'static str, Vec<String>>;

/// An empty store.
pub(crate) fn empty() -> Analytics {
    let store = Analytics::open_in_memory().unwrap();
    let tables = ledger::TABLES.iter().chain(DOCUMENTS).chain(DERIVED);
    let script: Vec<String> = tables.map(|table| table.create()).collect();
    store.run_script(&script.join(";\n")).unwrap();
    write_project(&store);
    store
}

/// Notes that these scopes are out of date; `*` stands for all.
pub(crate) fn note(store: &Analytics, scope: &str) {
    store.execute("INSERT INTO plimsoll_ingest_affected VALUES (?)", &[scope.into()]).unwrap();
}

/// Computes what is out of date.
pub(crate) fn derive(store: &Analytics) {
    plimsoll_engine::ingest::derive(&OpenCode, store, &Settings::default()).unwrap();
}

/// What the engine computes for a story.
pub(crate) fn computed(story: &Story) -> Tables {
    let store = empty();
    story.write(&store, |_| true);
    note(&store, "*");
    derive(&store);
    tables(&store)
}

/// What the derived tables hold.
pub(crate) fn tables(store: &Analytics) -> Tables {
    let read = |name: &str| {
        let rows = store.query(&format!("SELECT * FROM {name}"), &[]).unwrap().rows;
        sorted(rows)
    };
    DERIVED.iter().map(|table| (table.name, read(table.name))).collect()
}

/// Rows as sorted texts.
pub(crate) fn sorted(rows: Vec<Vec<OwnedCell>>) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row| row_text(row)).collect();
    rows.sort();
    rows
}

fn row_text(row: &[OwnedCell]) -> String {
    let cells: Vec<String> = row
        .iter()
        .map(|cell| match cell {
            OwnedCell::Null => "-".to_owned(),
            OwnedCell::Text(text) => format!("{text:?}"),
            OwnedCell::Integer(number) => number.to_string(),
            OwnedCell::Decimal(digits, _) => digits.to_string(),
            OwnedCell::Boolean(value) => value.to_string(),
            OwnedCell::Double(number) => format!("{number:.6}"),
        })
        .collect();
    cells.join(" | ")
}

/// Fails with the rows that differ.
pub(crate) fn assert_same(found: &Tables, expected: &Tables, what: &dyn std::fmt::Debug) {
    for (table, expected) in expected {
        let found = &found[table];
        let missing: Vec<&String> = expected.iter().filter(|row| !found.contains(row)).collect();
        let surplus: Vec<&String> = found.iter().filter(|row| !expected.contains(row)).collect();
        assert!(
            found == expected,
            "{table}: {} rows, expected {}\nmissing: {missing:#?}\nsurplus: {surplus:#?}\nof {what:#?}",
            found.len(),
            expected.len()
        );
    }
}
