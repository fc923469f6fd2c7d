//! The same flow on a real PostgreSQL.

use plimsoll_testkit::postgres_server::PostgresServer;

use crate::support::Desk;

#[test]
fn the_whole_flow_on_postgresql() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut desk = Desk::generated(220, 120, 6, 81);
    let from = desk.store.clone();
    let sqlite = desk.digest();
    desk.store = server.database().unwrap();
    let copied = desk.plimsoll(&["copy-store", "hearings", "--from", &from]);
    assert_eq!(copied.code, 0, "{copied:?}");
    let before = desk.digest();
    assert_eq!(before, sqlite, "equal rows have equal digests on both databases");
    let ended = desk.update(&["--batch-size", "25"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["applied"], &report["quarantined"]), (&120.into(), &6.into()));
    assert!(report["backup"].is_string());
    assert_eq!(desk.update(&["--batch-size", "25"]).json()["applied"], 0);
    let run = report["run"].as_str().unwrap();
    assert_eq!(desk.plimsoll(&["verify", run, "--json"]).json()["ok"], true);
    let undone = desk.plimsoll(&["undo", run, "--json"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(desk.digest(), before);
    assert_eq!(desk.plimsoll(&["verify", "--all", "--json"]).json()["ok"], true);
}
