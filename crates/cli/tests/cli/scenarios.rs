//! The integration tests 19 to 25 of the hearings plan (HB-31..37), and its manual scenarios (HB-40), scripted.

use crate::support::Desk;

/// 1: the whole flow in one place, so that each test below states only what it is about.
fn flow(desk: &Desk, words: &[&str], applied: u64, quarantined: u64) -> serde_json::Value {
    let ended = desk.update(words);
    assert_eq!(ended.code, if quarantined > 0 { 3 } else { 0 }, "{ended:?}");
    let report = ended.json();
    assert_eq!(report["applied"], applied);
    assert_eq!(report["quarantined"], quarantined);
    assert_eq!(report["planned"], applied + quarantined);
    assert_eq!(report["verified"], true);
    report
}

#[test]
fn test_19_flag_enabled() {
    let mut desk = Desk::generated(160, 101, 0, 19);
    desk.set("ENABLE_BATCH_PROCESSING", "true");
    let report = flow(&desk, &[], 101, 0);
    assert_eq!(report["batches"], 3, "101 changes in batches of 50 (HB-01)");
    assert_eq!(report["batch_processing_enabled"], true);
}

#[test]
fn test_20_flag_disabled_fallback() {
    let desk = Desk::generated(160, 101, 0, 20);
    let report = flow(&desk, &[], 101, 0);
    assert_eq!(report["batches"], 1, "one transaction is the default (HB-03, HB-05)");
    assert!(report.get("batch_processing_enabled").is_none(), "no batch metrics (HB-28)");
}

#[test]
fn test_21_flag_toggle() {
    let mut desk = Desk::generated(120, 60, 0, 21);
    let before = desk.digest();
    for (switch, batches) in [("true", 2), ("false", 1), ("true", 2), ("off", 1), ("on", 2)] {
        desk.set("ENABLE_BATCH_PROCESSING", switch);
        let report = flow(&desk, &[], 60, 0);
        assert_eq!(report["batches"], batches, "switch {switch}");
        let undone = desk.plimsoll(&["undo", report["run"].as_str().unwrap()]);
        assert_eq!(undone.code, 0, "{undone:?}");
        assert_eq!(desk.digest(), before);
    }
}

/// the flag engine drives the switch of the earlier system; what is set on the machine comes first.
#[test]
fn the_flag_chooses_the_path_where_the_setting_is_silent() {
    let mut desk = Desk::generated(120, 60, 0, 21);
    let data = desk.file("data").display().to_string();
    desk.set("PLIMSOLL_DATA", &data);
    let flag = |words: &[&str], desk: &Desk| {
        let all: Vec<&str> = ["flag"].iter().chain(words).copied().chain(["--reason", "a test"]).collect();
        let ended = desk.at_home(&all);
        assert_eq!(ended.code, 0, "{ended:?}");
    };
    let flow_and_undo = |desk: &Desk, batches: u64| {
        let report = flow(desk, &[], 60, 0);
        assert_eq!(report["batches"], batches);
        assert_eq!(desk.plimsoll(&["undo", report["run"].as_str().unwrap()]).code, 0);
    };
    flow_and_undo(&desk, 1);
    flag(&["create", "ENABLE_BATCH_PROCESSING"], &desk);
    flow_and_undo(&desk, 1);
    flag(&["allow", "ENABLE_BATCH_PROCESSING", "hearings"], &desk);
    flow_and_undo(&desk, 2);
    desk.set("ENABLE_BATCH_PROCESSING", "false");
    flow_and_undo(&desk, 1);
    desk.set("ENABLE_BATCH_PROCESSING", "");
    flag(&["kill", "ENABLE_BATCH_PROCESSING"], &desk);
    flow_and_undo(&desk, 1);
}

#[test]
fn test_22_full_flow_success() {
    let desk = Desk::generated(140, 90, 0, 22);
    let before = desk.digest();
    let report = flow(&desk, &["--batch-size", "25"], 90, 0);
    assert_eq!(report["success"], true);
    assert_ne!(desk.digest(), before);
    let again = desk.update(&["--batch-size", "25"]).json();
    assert_eq!(
        (&again["planned"], &again["applied"]),
        (&0.into(), &0.into()),
        "a second run changes nothing"
    );
}

#[test]
fn test_23_full_flow_partial_failure() {
    let desk = Desk::generated(240, 120, 7, 23);
    let report = flow(&desk, &["--batch-size", "25"], 120, 7);
    assert_eq!(report["success"], false, "defect 10: a run with failures does not claim success");
    let mut bad: Vec<&str> = desk.manifest().bad.iter().map(|bad| bad.event_id.as_str()).collect();
    let items = desk.quarantined();
    let mut found: Vec<&str> =
        items.iter().map(|item| item["label"].as_str().unwrap().rsplit(' ').next().unwrap()).collect();
    bad.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, bad, "exactly the planted bad records wait");
    assert!(report["batches_failed"].as_u64().unwrap() > 0);
    assert_eq!(report["batch_errors"].as_array().unwrap().len(), 7);
    let again = desk.update(&["--batch-size", "25"]);
    assert_eq!(again.json()["applied"], 0);
    assert_eq!(desk.quarantined().len(), 7, "a record that already waits is not quarantined twice");
}

#[test]
fn test_24_backup_integration() {
    let desk = Desk::generated(100, 30, 0, 24);
    let before = desk.digest();
    let report = flow(&desk, &["--batch-size", "10"], 30, 0);
    let backup = report["backup"].as_str().expect("a run makes a backup first (HB-30)");
    let listed = desk.plimsoll(&["backup", "hearings", "--list", "--json"]).json();
    assert_eq!(listed[0]["id"], backup);
    let restored = desk.plimsoll(&["restore", "hearings", backup]);
    assert_eq!(restored.code, 0, "{restored:?}");
    assert_eq!(desk.digest(), before);
}

#[test]
fn a_run_without_its_backup_is_refused_and_changes_nothing() {
    let desk = Desk::generated(60, 10, 0, 25);
    let before = desk.digest();
    std::fs::write(desk.file("backups"), "a file where the folder should be").unwrap();
    let ended = desk.update(&["--batch-size", "10"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.err.contains("no backup, no run"), "{}", ended.err);
    assert_eq!(desk.digest(), before);
}

#[test]
fn test_25_batch_metrics() {
    let desk = Desk::generated(240, 101, 4, 26);
    let report = flow(&desk, &["--batch-size", "50"], 101, 4);
    let figure = |name: &str| report[name].as_u64().unwrap();
    assert_eq!(figure("batch_count"), 3);
    assert_eq!(figure("batches_succeeded") + figure("batches_failed"), figure("batch_count"));
    assert_eq!(figure("batch_count"), figure("batches"));
    for error in report["batch_errors"].as_array().unwrap() {
        for member in ["batch", "item", "label", "class", "reason"] {
            assert!(!error[member].is_null(), "{member} in {error}");
        }
    }
}

#[test]
fn batch_sizes_from_the_environment_and_the_command_line() {
    let mut desk = Desk::generated(160, 101, 0, 27);
    desk.set("ENABLE_BATCH_PROCESSING", "true");
    for (size, batches) in [("25", 5), ("50", 3), ("100", 2)] {
        desk.set("BATCH_SIZE", size);
        let report = flow(&desk, &[], 101, 0);
        assert_eq!(report["batches"], batches, "BATCH_SIZE={size} (HB-02)");
        desk.plimsoll(&["undo", report["run"].as_str().unwrap()]);
    }
    desk.set("ENABLE_BATCH_PROCESSING", "false");
    let report = flow(&desk, &["--batch-size", "60"], 101, 0);
    assert_eq!(report["batches"], 2, "--batch-size chooses the batch path whatever the switch says");
}

#[test]
fn plain_and_batch_path_give_the_same_database() {
    let desk = Desk::generated(200, 101, 5, 28);
    let address = desk.source.as_ref().unwrap().address();
    let plan = desk.plimsoll(&["plan", "hearings", "daily-update", "--source", address, "--json"]).json();
    let plan = plan["id"].as_str().unwrap();
    let copy = format!("sqlite:{}", desk.file("copy.db").display());
    desk.figure("SELECT count(*) FROM hearings");
    std::fs::copy(desk.file("store.db"), desk.file("copy.db")).unwrap();
    let plain = desk.plimsoll(&["apply", plan, "--json"]);
    let batched = desk.plimsoll_on(&copy, &["apply", plan, "--batch-size", "7", "--json"]);
    assert_eq!((plain.code, batched.code), (3, 3), "{plain:?} {batched:?}");
    let (plain, batched) = (plain.json(), batched.json());
    for member in ["planned", "applied", "noop", "conflicted", "quarantined", "skipped", "rows_written"] {
        assert_eq!(plain[member], batched[member], "{member} (HB-29)");
    }
    assert_eq!(plain["batches"], 1);
    assert_eq!(batched["batches"], 16);
    assert_eq!(desk.plimsoll_on(&copy, &["digest", "--json"]).json(), desk.digest(), "equal tables (HB-06)");
}

#[test]
fn manual_scenarios_small_large_failure_and_toggle() {
    // HB-40: 10, 200, injected failure, toggle.
    for (changes, bad, batches) in [(10, 0, 1), (200, 0, 4), (200, 9, 5)] {
        let mut desk = Desk::generated(420, changes, bad, 40 + changes as u64);
        let before = desk.digest();
        desk.set("ENABLE_BATCH_PROCESSING", "true");
        let report = flow(&desk, &[], changes as u64, bad as u64);
        assert_eq!(report["batches"], batches);
        let run = report["run"].as_str().unwrap();
        assert_eq!(desk.plimsoll(&["undo", run, "--json"]).code, 0);
        assert_eq!(desk.digest(), before);
        // HB-47: one setting, no other change, and the next run goes the plain way.
        desk.set("ENABLE_BATCH_PROCESSING", "false");
        assert_eq!(desk.update(&[]).json()["batches"], 1);
    }
}
