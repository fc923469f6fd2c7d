//! Every verb once, with the shapes that scripts rely on.

use crate::support::Desk;

#[test]
fn the_fixed_shapes_of_run_digest_verify_and_undo() {
    let desk = Desk::generated(120, 40, 3, 51);
    let before = desk.digest();
    let tables = before["tables"].as_array().unwrap();
    assert!(tables.iter().all(|table| table["digest"].is_string() && table["rows"].is_u64()));
    assert!(tables.iter().any(|table| table["table"] == "hearings" && table["rows"] == 120));
    assert!(!tables.iter().any(|table| table["table"].as_str().unwrap().starts_with("plimsoll_")));
    let report = desk.update(&["--batch-size", "10"]).json();
    for member in [
        "run",
        "planned",
        "applied",
        "noop",
        "conflicted",
        "quarantined",
        "skipped",
        "batches",
        "duration_ms",
    ] {
        assert!(!report[member].is_null(), "{member}");
    }
    let run = report["run"].as_str().unwrap();
    let verified = desk.plimsoll(&["verify", run, "--json"]);
    assert_eq!((verified.code, &verified.json()["ok"]), (0, &true.into()));
    let undone = desk.plimsoll(&["undo", &run[..8], "--json"]);
    assert_eq!((undone.code, &undone.json()["applied"]), (0, &40.into()), "any unique prefix names a run");
    assert_eq!(desk.digest(), before);
    assert_eq!(desk.plimsoll(&["verify", "--all", "--json"]).json()["ok"], true);
}

#[test]
fn redo_brings_the_run_back_and_undo_of_it_takes_it_away_again() {
    let desk = Desk::generated(80, 25, 0, 52);
    let before = desk.digest();
    let run = desk.update(&["--batch-size", "10"]).json()["run"].as_str().unwrap().to_owned();
    let after = desk.digest();
    assert_eq!(desk.plimsoll(&["undo", &run]).code, 0);
    assert_eq!(desk.digest(), before);
    let redone = desk.plimsoll(&["redo", &run, "--json"]);
    assert_eq!(redone.code, 0, "{redone:?}");
    assert_eq!(desk.digest(), after);
    let again = redone.json()["run"].as_str().unwrap().to_owned();
    assert_eq!(desk.plimsoll(&["undo", &again]).code, 0);
    assert_eq!(desk.digest(), before);
}

#[test]
fn dry_runs_change_nothing_at_all() {
    let desk = Desk::generated(80, 25, 2, 53);
    let before = desk.digest();
    let dry = desk.update(&["--dry-run"]);
    assert_eq!(dry.code, 0, "{dry:?}");
    assert_eq!(dry.json()["items"], 27);
    assert_eq!(desk.digest(), before);
    assert_eq!(desk.figure("SELECT count(*) FROM plimsoll_plan"), 0, "the plan of a dry run is discarded");
    let run = desk.update(&["--batch-size", "10"]).json()["run"].as_str().unwrap().to_owned();
    let after = desk.digest();
    let preview = desk.plimsoll(&["undo", &run, "--dry-run", "--json"]).json();
    assert_eq!((&preview["restored"], &preview["edited"]), (&25.into(), &0.into()));
    assert_eq!(desk.digest(), after);
    assert_eq!(desk.figure("SELECT count(*) FROM plimsoll_run"), 1);
}

#[test]
fn plan_show_assess_approve_apply_step_by_step() {
    let mut desk = Desk::generated(90, 30, 2, 54);
    desk.set("PLIMSOLL_APPROVAL_REQUIRED", "true");
    let address = desk.source.as_ref().unwrap().address().to_owned();
    let out = desk.file("plan.jsonl");
    let plan = desk.plimsoll(&[
        "plan",
        "hearings",
        "daily-update",
        "--source",
        &address,
        "--out",
        out.to_str().unwrap(),
        "--json",
    ]);
    let plan = plan.json()["id"].as_str().unwrap().to_owned();
    let shown = desk.plimsoll(&["show", &plan]);
    assert!(shown.out.contains("update hearings"), "{}", shown.out);
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 33, "a header and 32 items");
    let assessed = desk.plimsoll(&["assess", &plan, "--json"]).json();
    assert_eq!(assessed["canary_items"], 32);
    assert_eq!(assessed["canary"]["quarantined"], 2);
    let refused = desk.plimsoll(&["apply", &plan]);
    assert_eq!(refused.code, 4);
    assert!(refused.err.contains("not approved") && refused.err.contains("hint:"), "{}", refused.err);
    assert_eq!(desk.plimsoll(&["approve", &plan, "--reason", "reviewed"]).code, 0);
    let applied = desk.plimsoll(&["apply", &plan, "--batch-size", "10", "--json"]);
    assert_eq!((applied.code, &applied.json()["applied"]), (3, &30.into()));
    let twice = desk.plimsoll(&["apply", &plan]);
    assert_eq!(twice.code, 4, "a plan is applied once");
}

#[test]
fn a_plan_file_can_be_read_back_and_a_changed_one_is_refused() {
    let desk = Desk::generated(60, 12, 0, 55);
    let address = desk.source.as_ref().unwrap().address().to_owned();
    let file = desk.file("plan.jsonl");
    let name = file.to_str().unwrap();
    let made =
        desk.plimsoll(&["plan", "hearings", "daily-update", "--source", &address, "--out", name, "--json"]);
    let read = desk.plimsoll(&["plan", "--in", name, "--json"]);
    assert_eq!(read.code, 0, "{read:?}");
    assert_eq!(read.json()["digest"], made.json()["digest"]);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("hearing", "heering", 3)).unwrap();
    let refused = desk.plimsoll(&["plan", "--in", name]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains("hint:") || refused.err.contains("line"), "{}", refused.err);
}

#[test]
fn a_quarantined_record_is_repaired_and_replayed_into_its_run() {
    let desk = Desk::generated(150, 40, 10, 56);
    let before = desk.digest();
    let report = desk.update(&["--batch-size", "10"]).json();
    let run = report["run"].as_str().unwrap();
    let items = desk.quarantined();
    let titled = |item: &&serde_json::Value| {
        let reason = item["reason"].as_str().unwrap();
        reason.contains("committeeMeeting.title") && !reason.contains("eventId") && !item["record"].is_null()
    };
    let item = items.iter().find(titled).expect("one planted record lacks its title");
    let id = item["id"].as_str().unwrap();
    let edited = desk.plimsoll(&[
        "quarantine",
        "edit",
        id,
        "--set",
        "committeeMeeting.title=Demo: a repaired title",
        "--reason",
        "typo",
    ]);
    assert_eq!(edited.code, 0, "{edited:?}");
    let replayed = desk.plimsoll(&["quarantine", "replay", id, "--json"]);
    let replayed = replayed.json();
    assert_eq!(replayed["run"], run, "the same run");
    assert_eq!((&replayed["applied"], &replayed["quarantined"]), (&41.into(), &9.into()));
    assert_eq!(desk.plimsoll(&["verify", run, "--json"]).json()["ok"], true);
    let dropped = desk.plimsoll(&["quarantine", "drop", items[0]["id"].as_str().unwrap(), "--reason", "no"]);
    assert!(dropped.code == 0 || items[0]["id"] == item["id"], "{dropped:?}");
    assert_eq!(desk.plimsoll(&["undo", run]).code, 0);
    assert_eq!(desk.digest(), before, "undo of the run covers the replayed record");
}

#[test]
fn log_show_history_and_events_tell_what_happened() {
    let desk = Desk::generated(70, 20, 1, 57);
    let run = desk.update(&["--batch-size", "10"]).json()["run"].as_str().unwrap().to_owned();
    desk.plimsoll(&["undo", &run, "--reason", "was a drill"]);
    let log = desk.plimsoll(&["log", "--json"]).json();
    assert_eq!(log.as_array().unwrap().len(), 2);
    assert_eq!(log[0]["undoes"], *run);
    let shown = desk.plimsoll(&["show", &run]);
    assert!(shown.out.contains("run.started") && shown.out.contains("run.finished"), "{}", shown.out);
    let changed = desk.figure(
        "SELECT CAST(substr(row_key, 2, length(row_key) - 2) AS integer) FROM plimsoll_change
         WHERE table_name = 'hearings' AND before_image IS NOT NULL AND plan = 1 LIMIT 1",
    );
    let history = desk.plimsoll(&["history", "hearings", &changed.to_string(), "--json"]).json();
    assert_eq!(history.as_array().unwrap().len(), 2, "the update and its undo");
    let events = desk.plimsoll(&["log", "--events", "--json"]);
    let kinds: Vec<String> =
        events.json().as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap().to_owned()).collect();
    for kind in ["plan.made", "backup.made", "run.started", "run.finished"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind} in {kinds:?}");
    }
}

#[test]
fn failed_items_are_logged_with_batch_item_and_reason() {
    let mut desk = Desk::generated(120, 30, 5, 58);
    desk.set("PLIMSOLL_LOG", "warn");
    let ended = desk.update(&["--batch-size", "10"]);
    let lines: Vec<&str> = ended.err.lines().filter(|line| line.contains("item not applied")).collect();
    assert_eq!(lines.len(), 5, "one line for each failed item (HB-20)");
    assert!(
        lines
            .iter()
            .all(|line| line.contains("batch=") && line.contains("item=") && line.contains("reason="))
    );
}

#[test]
fn an_update_from_saved_answers_equals_the_one_from_the_network() {
    let desk = Desk::generated(60, 15, 2, 59);
    let saved = desk.file("answers");
    let first = desk.update(&["--dry-run", "--save", saved.to_str().unwrap()]);
    assert_eq!(first.code, 0, "{first:?}");
    let words = [
        "run",
        "hearings",
        "daily-update",
        "--source",
        saved.to_str().unwrap(),
        "--option",
        "congress=119",
        "--json",
    ];
    let ended = desk.plimsoll(&words);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert_eq!((&ended.json()["applied"], &ended.json()["quarantined"]), (&15.into(), &2.into()));
}

#[test]
fn a_store_filled_by_a_run_is_emptied_by_its_undo() {
    // Committees and witnesses are shared by hearings of many batches: the undo must go backwards strictly.
    let corpus = plimsoll_simulator::congress::generate::corpus(180, 66);
    let desk = Desk::empty().with_source(&corpus, 0, 0, 66);
    let report = desk.update(&["--batch-size", "5"]).json();
    assert_eq!((&report["applied"], &report["batches"]), (&180.into(), &36.into()));
    let undone = desk.plimsoll(&["undo", report["run"].as_str().unwrap(), "--batch-size", "5", "--json"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    let digest = desk.digest();
    assert!(digest["tables"].as_array().unwrap().iter().all(|table| table["rows"] == 0), "{digest}");
}
