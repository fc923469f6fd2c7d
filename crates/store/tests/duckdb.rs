//! The analytical store against a real DuckDB file.

use plimsoll_store::StoreError;
use plimsoll_store::analytics::ColumnType::{Boolean, Date, Double, Integer, Json, Money, Text, Timestamp};
use plimsoll_store::analytics::{AnalyticTable, Cell, OwnedCell, RowBuffer, column};
use plimsoll_store::duckdb::{Analytics, Resources};

static EVERY: AnalyticTable = AnalyticTable {
    name: "every",
    help: "One column of each type.",
    columns: &[
        column("id", Integer, ""),
        column("text", Text, ""),
        column("money", Money, ""),
        column("yes", Boolean, ""),
        column("at", Timestamp, ""),
        column("day", Date, ""),
        column("json", Json, ""),
        column("measure", Double, ""),
    ],
    key: &["id"],
    references: &[],
};

fn full(id: i64) -> [Cell<'static>; 8] {
    [
        Cell::Integer(id),
        Cell::Text("naïve \u{1F6A2} text, longer than twelve bytes"),
        Cell::Integer(-12_345_678_901),
        Cell::Boolean(true),
        Cell::Integer(1_767_751_314_819_000),
        Cell::Integer(20_460),
        Cell::Text(r#"{"a": [1, 2]}"#),
        Cell::Double(0.5),
    ]
}

#[test]
fn every_type_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.duckdb");
    {
        let store = Analytics::open(&path, Resources::default()).unwrap();
        assert_eq!(store.version().unwrap(), "v2.0.0");
        store.create_tables(&[&EVERY]).unwrap();
        let mut rows = RowBuffer::new(&EVERY);
        rows.push(&full(1)).unwrap();
        rows.push(&[
            Cell::Integer(2),
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
        ])
        .unwrap();
        store.append(&mut rows).unwrap();
        assert!(rows.is_empty());
        // A second process may not open it meanwhile, but a second connection may.
        let other = store.another().unwrap();
        assert_eq!(other.query("SELECT count(*) FROM every", &[]).unwrap().rows, [[OwnedCell::Integer(2)]]);
    }
    let store = Analytics::open_read_only(&path, Resources::default()).unwrap();
    let answer = store.query("SELECT * FROM every ORDER BY id", &[]).unwrap();
    let types: Vec<&str> = answer.columns.iter().map(|(_, kind)| kind.as_str()).collect();
    assert_eq!(
        types,
        ["BIGINT", "VARCHAR", "DECIMAL(18,10)", "BOOLEAN", "TIMESTAMP", "DATE", "JSON", "DOUBLE"]
    );
    assert_eq!(
        answer.rows[0],
        [
            OwnedCell::Integer(1),
            OwnedCell::Text("naïve \u{1F6A2} text, longer than twelve bytes".into()),
            OwnedCell::Decimal(-12_345_678_901, 10),
            OwnedCell::Boolean(true),
            OwnedCell::Integer(1_767_751_314_819_000),
            OwnedCell::Integer(20_460),
            OwnedCell::Text(r#"{"a": [1, 2]}"#.into()),
            OwnedCell::Double(0.5),
        ]
    );
    assert!(answer.rows[1][1..].iter().all(|cell| *cell == OwnedCell::Null));
    assert_eq!(store.query("SELECT text FROM every WHERE id = $1", &[1_i64.into()]).unwrap().rows.len(), 1);
    store.execute("DELETE FROM every", &[]).unwrap_err();
}

#[test]
fn a_row_that_does_not_fit_is_refused_whole() {
    let mut rows = RowBuffer::new(&EVERY);
    let mut wrong = full(1);
    wrong[3] = Cell::Integer(1);
    let error = rows.push(&wrong).unwrap_err().to_string();
    assert!(error.contains("`every`") && error.contains("`yes`"), "{error}");
    rows.push(&full(1)[..7]).unwrap_err();
    assert!(rows.is_empty());
}

#[test]
fn what_fails_in_a_transaction_leaves_nothing() {
    let store = Analytics::open_in_memory().unwrap();
    store.create_tables(&[&EVERY]).unwrap();
    let failed: Result<(), StoreError> = store.in_transaction(|store| {
        let mut rows = RowBuffer::new(&EVERY);
        rows.push(&full(1)).unwrap();
        store.append(&mut rows)?;
        store.run_script("SELECT * FROM nothing")
    });
    failed.unwrap_err();
    assert_eq!(store.query("SELECT * FROM every", &[]).unwrap().rows.len(), 0);
    store.in_transaction(|store| store.execute("DELETE FROM every", &[])).unwrap();
}

#[test]
fn queries_reach_no_other_file() {
    let store = Analytics::open_in_memory().unwrap();
    store.query("SELECT * FROM read_text('/etc/hostname')", &[]).unwrap_err();
}

#[test]
fn another_programs_table_is_not_taken_for_ours() {
    let store = Analytics::open_in_memory().unwrap();
    store.run_script("CREATE TABLE every (id BIGINT)").unwrap();
    let error = store.create_tables(&[&EVERY]).unwrap_err().to_string();
    assert!(error.contains("--rebuild"), "{error}");
}
