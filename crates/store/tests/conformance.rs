//! The contract of a store, held on SQLite in both durabilities and on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "the helpers of a test panic as the test does")]

use std::cell::Cell;

use plimsoll_store::{Store, StoreUrl, open};
use plimsoll_testkit::conformance;
use plimsoll_testkit::postgres_server::PostgresServer;

fn at(url: &str) -> Box<dyn Store> {
    open(&url.parse::<StoreUrl>().unwrap()).unwrap()
}

fn sqlite(durability: &str) {
    let folder = tempfile::tempdir().unwrap();
    let opened = Cell::new(0);
    conformance::run(&mut || {
        opened.set(opened.get() + 1);
        let file = folder.path().join(format!("{}.db", opened.get()));
        at(&format!("sqlite:{}?durability={durability}", file.display()))
    });
}

#[test]
fn sqlite_full() {
    sqlite("full");
}

#[test]
fn sqlite_normal() {
    sqlite("normal");
}

#[test]
fn postgres() {
    let Some(server) = PostgresServer::shared() else { return };
    conformance::run(&mut || at(&server.database().unwrap()));
}

#[test]
fn equal_rows_have_equal_digests_on_both() {
    let Some(server) = PostgresServer::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut sqlite = at(&format!("sqlite:{}", folder.path().join("a.db").display()));
    let mut postgres = at(&server.database().unwrap());
    let digests = conformance::sample_digests(sqlite.as_mut());
    assert!(digests[0].rows > 50 && digests[1].rows == 0, "{digests:?}");
    assert_eq!(digests, conformance::sample_digests(postgres.as_mut()));
}
