//! Databases of both sides, and rows for the mapping.

use std::collections::BTreeMap;

use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_engine::capture::Outbox;
use plimsoll_engine::system::Schema;
use plimsoll_luckygas::big5;
use plimsoll_luckygas::mapping::References;
use plimsoll_luckygas::schema::OUTBOX;
use plimsoll_store::{Store, StoreUrl, schema};
use plimsoll_testkit::postgres_server::PostgresServer;

pub(crate) const NOW: &str = "2026-11-29T00:00:00Z";

/// A database of one side.
pub(crate) struct Database {
    pub(crate) store: Box<dyn Store>,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    pub(crate) fn sqlite(schema: &Schema) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url: StoreUrl = format!("sqlite:{}/side.db", folder.path().display()).parse().unwrap();
        let mut store = plimsoll_store::open(&url).unwrap();
        schema::upgrade(store.as_mut(), schema, NOW).unwrap();
        Self { store, _folder: Some(folder) }
    }

    /// None, with a printed line, where PostgreSQL is not installed.
    pub(crate) fn postgres(schema: &Schema) -> Option<Self> {
        let Some(server) = PostgresServer::shared() else {
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let url: StoreUrl = server.database().unwrap().parse().unwrap();
        let mut store = plimsoll_store::open(&url).unwrap();
        schema::upgrade(store.as_mut(), schema, NOW).unwrap();
        Some(Self { store, _folder: None })
    }

    /// Every row of a table, by the names of its columns.
    pub(crate) fn rows(&mut self, table: &str) -> Vec<Fields> {
        let shape = self.store.shape(table).unwrap().unwrap();
        let mut rows = Vec::new();
        self.store
            .scan_rows(&shape, &mut |image| {
                let names = shape.columns.iter().map(|column| column.name.clone());
                rows.push(names.zip(image).collect());
                Ok(())
            })
            .unwrap();
        rows
    }

    pub(crate) fn count(&mut self, sql: &str) -> i64 {
        self.store.query(sql, &[]).unwrap()[0][0].as_integer().unwrap()
    }
}

/// Records that others refer to: numbers 1 to 9 of each entity.
#[derive(Debug, Default)]
pub(crate) struct Known(pub(crate) BTreeMap<(String, i64), String>);

impl Known {
    pub(crate) fn nine() -> Self {
        let entities = ["customer", "driver", "vehicle"];
        let all = entities.iter().flat_map(|entity| (1..=9).map(move |number| (*entity, number)));
        Self(
            all.map(|(entity, number)| ((entity.to_owned(), number), format!("{entity}-{number}"))).collect(),
        )
    }
}

impl References for Known {
    fn code_of(&self, entity: &str, legacy_id: i64) -> Option<String> {
        self.0.get(&(entity.to_owned(), legacy_id)).cloned()
    }

    fn legacy_id_of(&self, entity: &str, code: &str) -> Option<i64> {
        let found = self.0.iter().find(|((known, _), text)| known == entity && *text == code);
        found.map(|((_, number), _)| *number)
    }
}

/// A text as the legacy database has it.
pub(crate) fn big5(text: &str) -> Value {
    Value::Bytes(big5::encode(text).unwrap())
}

/// Waits until every line of the outbox can be read, which the open transactions of other tests delay.
pub(crate) fn settle(store: &mut dyn Store) {
    let outbox = Outbox(OUTBOX);
    for _ in 0..3_000 {
        let end = outbox.end(store).unwrap();
        if outbox.seen(store, end).unwrap().is_empty() {
            return;
        }
        store.query("SELECT pg_sleep(0.01)::text", &[]).unwrap();
    }
    panic!("some transaction stays open");
}
