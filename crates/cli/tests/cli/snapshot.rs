//! The daily update on the real hearings snapshot, when it is at hand.

use std::path::Path;

use plimsoll_simulator::congress::snapshot;

use crate::support::Desk;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/hearings_snapshot.db");

#[test]
fn the_real_hearings_are_updated_and_restored_exactly() {
    let path = Path::new(SNAPSHOT);
    if !path.is_file() {
        eprintln!("skipped: shared/data/hearings_snapshot.db is not here");
        return;
    }
    let corpus = snapshot::load(path).unwrap();
    let desk = Desk::empty().with_source(&corpus, 250, 25, 71);
    std::fs::copy(path, desk.file("store.db")).unwrap();
    let mut permissions = std::fs::metadata(desk.file("store.db")).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "the copy belongs to this test alone")]
    permissions.set_readonly(false);
    std::fs::set_permissions(desk.file("store.db"), permissions).unwrap();
    let before = desk.digest();
    let ended = desk.update(&["--batch-size", "50"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let report = ended.json();
    assert_eq!((&report["applied"], &report["quarantined"]), (&250.into(), &25.into()));
    assert_eq!(report["conflicted"], 0);
    let mut bad: Vec<String> = desk.manifest().bad.iter().map(|bad| bad.event_id.clone()).collect();
    let mut found: Vec<String> = desk
        .quarantined()
        .iter()
        .map(|item| item["label"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned())
        .collect();
    bad.sort();
    found.sort();
    assert_eq!(found, bad);
    let again = desk.update(&["--batch-size", "50"]).json();
    assert_eq!(again["applied"], 0, "a second run changes nothing");
    let undone = desk.plimsoll(&["undo", report["run"].as_str().unwrap(), "--json"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(desk.digest(), before);
}
