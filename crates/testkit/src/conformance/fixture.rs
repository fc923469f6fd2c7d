//! The tables of the suite and short ways to fill them.

use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::table::{Image, RowKey, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::schema::Dialect;
use plimsoll_store::{Access, Store, StoreError};

use super::Open;

const TABLES: Dialect = Dialect::both(
    "CREATE TABLE owner (id bigint PRIMARY KEY, name text NOT NULL UNIQUE);
     CREATE TABLE item (
         id bigint PRIMARY KEY,
         owner bigint REFERENCES owner (id),
         label text NOT NULL,
         code text UNIQUE,
         quantity bigint CHECK (quantity >= 0)
     );
     CREATE TABLE pair (a text NOT NULL, b bigint NOT NULL, note text, PRIMARY KEY (b, a));",
);

/// A store with the tables of the suite.
pub(super) fn filled(open: &mut Open<'_>) -> Box<dyn Store> {
    let mut store = open();
    store.run_script(TABLES.of(store.kind())).unwrap();
    let owners = [owner(store.as_mut(), 1, "ada"), owner(store.as_mut(), 2, "bob")];
    write(store.as_mut(), &owners);
    store
}

/// The shape of a table that exists.
pub(super) fn shape(store: &mut dyn Store, table: &str) -> Arc<TableShape> {
    store.shape(table).unwrap().unwrap_or_else(|| panic!("there is no table {table}"))
}

/// A new row of `owner`.
pub(super) fn owner(store: &mut dyn Store, id: i64, name: &str) -> Change {
    insert(store, "owner", vec![Value::Integer(id), Value::text(name)])
}

/// The values of a row of `item`.
pub(super) fn item(id: i64, label: &str, code: Option<&str>, quantity: Option<i64>) -> Image {
    vec![
        Value::Integer(id),
        Value::Integer(1),
        Value::text(label),
        Value::optional_text(code),
        quantity.map_or(Value::Null, Value::Integer),
    ]
}

pub(super) fn insert(store: &mut dyn Store, table: &str, row: Image) -> Change {
    Change::new(shape(store, table), None, Some(row)).unwrap()
}

pub(super) fn update(store: &mut dyn Store, table: &str, before: Image, after: Image) -> Change {
    Change::new(shape(store, table), Some(before), Some(after)).unwrap()
}

pub(super) fn delete(store: &mut dyn Store, table: &str, row: Image) -> Change {
    Change::new(shape(store, table), Some(row), None).unwrap()
}

/// Writes in a transaction of its own and commits.
pub(super) fn try_write(store: &mut dyn Store, changes: &[Change]) -> Result<Vec<bool>, StoreError> {
    plimsoll_store::in_transaction(store, Access::ReadWrite, |store| {
        store.write_rows(&changes.iter().collect::<Vec<_>>())
    })
}

/// As [`try_write`], for changes that must not fail.
pub(super) fn write(store: &mut dyn Store, changes: &[Change]) -> Vec<bool> {
    try_write(store, changes).unwrap()
}

/// The row with an integer key.
pub(super) fn row(store: &mut dyn Store, table: &str, id: i64) -> Option<Image> {
    let shape = shape(store, table);
    store.read_rows(&shape, &[RowKey(vec![Value::Integer(id)])]).unwrap().remove(0)
}

/// How many rows a table has.
pub(super) fn count(store: &mut dyn Store, table: &str) -> i64 {
    let rows = store.query(&format!("SELECT count(*) FROM {table}"), &[]).unwrap();
    rows[0][0].as_integer().unwrap()
}
