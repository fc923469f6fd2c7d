//! A split and its undo, without accidents.

use plimsoll_core::run::RunStatus;
use plimsoll_core::undo::UndoMode;
use plimsoll_engine::ErrorKind;
use plimsoll_engine::change::split::{self, Start, journal};
use plimsoll_opencode::split::SPLIT_PARTS;

use super::support::{World, cells, latest, number, small};

#[test]
fn twenty_nine_columns_become_eight_tables_and_no_row_is_lost() {
    let world = World::new(small());
    let (plan, run) = world.split();
    assert_eq!((run.status, run.tally.applied, run.batches), (RunStatus::Finished, 2_000, 5));
    assert_eq!((plan.columns.len(), plan.tables.len()), (29, 8));
    let place = world.place();
    for (table, wide) in [
        ("tool_calls", "tool_name IS NOT NULL"),
        ("errors", "error_message IS NOT NULL OR error_data IS NOT NULL"),
        ("thinking_blocks", "reasoning_text IS NOT NULL"),
        ("text_messages", "content IS NOT NULL"),
        ("step_events", "cost IS NOT NULL"),
        ("file_operations", "file_url IS NOT NULL"),
        ("compactions", "compaction_auto IS NOT NULL"),
    ] {
        let expected = number(&place, &format!("SELECT count(*) FROM parts_legacy WHERE {wide}"));
        assert!(expected > 0, "{table}");
        assert_eq!(number(&place, &format!("SELECT count(*) FROM {table}")), expected, "{table}");
    }
    assert_eq!(number(&place, "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'parts'"), 7);
    assert_eq!(number(&place, "SELECT count(*) FROM duckdb_indexes()"), 0);
    let names: Vec<String> =
        journal::phases(&place.store, &run.id).unwrap().into_iter().map(|phase| phase.name).collect();
    assert_eq!(names, ["create", "copy", "validate", "switch", "rename", "monitor"]);
    let found = split::verify(&place, &SPLIT_PARTS, &run.id).unwrap();
    assert!(found.ok, "{:?}", found.problems);
    assert_eq!((found.receipts, found.rows_checked, found.rows_as_applied), (5, 2_000, 2_000));
}

/// OC-28, OC-29.
#[test]
fn details_become_json_and_what_is_none_stays_as_it_was() {
    let world = World::new(small());
    let (plan, run) = world.split();
    let place = world.place();
    let malformed = number(
        &place,
        "SELECT count(*) FROM parts_legacy WHERE error_data IS NOT NULL AND TRY_CAST(error_data AS JSON) IS NULL",
    );
    assert!(malformed > 5);
    assert!(plan.findings.iter().any(|found| found.rule == "malformed" && found.count == malformed as u64));
    let same = "SELECT count(*) FROM errors e JOIN parts_legacy p ON p.id = e.part_id
        WHERE e.malformed_error_data = p.error_data AND e.error_data IS NULL";
    assert_eq!(number(&place, same), malformed);
    // Typed, filtered by a member, and by the column that was added for it.
    let timeouts = "SELECT count(*) FROM errors WHERE error_data->>'$.type' = 'timeout'";
    assert!(number(&place, timeouts) > 5);
    assert_eq!(
        number(&place, timeouts),
        number(&place, "SELECT count(*) FROM errors WHERE error_type = 'timeout'")
    );
    let kind =
        "SELECT data_type FROM duckdb_columns() WHERE table_name = 'errors' AND column_name = 'error_data'";
    assert_eq!(cells(&place, kind)[0][0].as_text(), Some("JSON"));
    // New rows are typed too: what is no JSON is refused.
    let broken = "INSERT INTO errors (part_id, error_data) VALUES ('x', '{\"cut')";
    assert!(place.store.run_script(broken).is_err());
    drop(place);
    let before = "SELECT count(*) FROM parts WHERE error_data LIKE '%cut off%'";
    world.undo(&run.id, UndoMode::Skip).unwrap();
    assert_eq!(number(&world.place(), before), malformed);
}

/// OC-62.
#[test]
fn an_undo_makes_the_wide_table_again_byte_for_byte() {
    for settings in [small(), latest()] {
        let world = World::new(settings);
        let before = world.picture();
        let (_, run) = world.split();
        assert_ne!(world.picture(), before);
        let undoing = world.undo(&run.id, UndoMode::Skip).unwrap();
        assert_eq!((undoing.undoes.as_ref(), undoing.tally.applied), (Some(&run.id), 2_000));
        assert_eq!(world.picture(), before);
        // And once more, there and back.
        let (_, again) = world.split();
        world.undo(&again.id, UndoMode::Refuse).unwrap();
        assert_eq!(world.picture(), before);
        let error = world.undo(&run.id, UndoMode::Skip).unwrap_err();
        assert!(error.message.contains("was taken back"), "{error}");
    }
}

#[test]
fn tables_whose_names_are_taken_stay_and_views_are_told() {
    let world = World::new(latest());
    let (plan, run) = world.split();
    assert_eq!(plan.named("step_events"), "step_events_of_parts");
    assert_eq!(plan.named("part_risks"), "part_risks");
    let rules: Vec<&str> = plan.findings.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(rules.iter().filter(|rule| **rule == "name-taken").count(), 2);
    assert!(rules.contains(&"views"));
    let place = world.place();
    assert_eq!(number(&place, "SELECT count(*) FROM step_events"), 1);
    assert!(number(&place, "SELECT count(*) FROM step_events_of_parts") > 100);
    assert!(number(&place, "SELECT count(*) FROM part_risks WHERE risk_level = 'low'") > 50);
    drop(place);
    assert!(split::verify(&world.place(), &SPLIT_PARTS, &run.id).unwrap().ok);
}

#[test]
fn edits_made_since_are_kept_unless_they_are_refused_or_taken_back() {
    let edits =
        "UPDATE tool_calls SET tool_title = 'edited' WHERE part_id = (SELECT min(part_id) FROM tool_calls);
        INSERT INTO parts (id, part_type) VALUES ('prt_new', 'text');
        INSERT INTO text_messages (part_id, content) VALUES ('prt_new', 'written since');";
    let world = World::new(small());
    let before = world.picture();
    let (_, run) = world.split();
    world.place().store.run_script(edits).unwrap();
    let found = split::verify(&world.place(), &SPLIT_PARTS, &run.id).unwrap();
    assert!(found.ok, "{:?}", found.problems);
    assert_eq!((found.rows_checked, found.rows_changed_outside), (2_000, 2));
    let error = world.undo(&run.id, UndoMode::Refuse).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("2 rows were edited"), "{error}");
    world.undo(&run.id, UndoMode::Skip).unwrap();
    let place = world.place();
    assert_eq!(number(&place, "SELECT count(*) FROM parts WHERE tool_title = 'edited'"), 1);
    assert_eq!(number(&place, "SELECT count(*) FROM parts WHERE content = 'written since'"), 1);
    assert_eq!(number(&place, "SELECT count(*) FROM parts_legacy"), 2_000, "it is not equal, so it stays");
    place.store.run_script("DROP TABLE parts_legacy; DROP TABLE parts;").unwrap();
    drop(place);

    let world = World::new(small());
    let (_, run) = world.split();
    world.place().store.run_script(edits).unwrap();
    world.undo(&run.id, UndoMode::Force).unwrap();
    assert_eq!(world.picture(), before);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    for (damage, said) in [
        (
            "DROP INDEX idx_parts_error_message; ALTER TABLE parts ADD COLUMN mood VARCHAR",
            "`mood` is not known",
        ),
        ("ALTER TABLE parts RENAME TO others", "no table `parts`"),
        ("CREATE TABLE parts_wide (x INTEGER)", "in the way"),
        ("DROP TABLE parts; CREATE TABLE parts AS SELECT 'a' AS id, 1 AS x", "no column"),
    ] {
        let world = World::new(small());
        let place = world.place();
        place.store.run_script("DROP INDEX idx_parts_message; DROP INDEX idx_parts_session").unwrap();
        place.store.run_script("DROP INDEX idx_parts_message_tool").unwrap();
        if !damage.starts_with("DROP INDEX") {
            place.store.run_script("DROP INDEX idx_parts_error_message").unwrap();
        }
        place.store.run_script(damage).unwrap();
        let error = split::plan_split(&place, "opencode", &SPLIT_PARTS, true).unwrap_err();
        assert!(error.message.contains(said), "{damage}: {error}");
        assert!(!journal::exists(&place.store).unwrap());
    }
}

/// OC-89.
#[test]
fn without_a_verified_copy_of_the_same_table_nothing_starts() {
    let world = World::new(small());
    let copy = world.backup();
    let place = world.place();
    let plan = split::plan_split(&place, "opencode", &SPLIT_PARTS, true).unwrap();
    let refused = |start: &Start| split::start(&place, &SPLIT_PARTS, &plan, start).unwrap_err();
    let error = refused(&Start::default());
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("needs a verified backup"));
    // A copy that was damaged since.
    let whole = std::fs::read(&copy.location).unwrap();
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&copy.location, bytes).unwrap();
    let start = Start { backup: Some(copy.clone()), ..Start::default() };
    assert!(refused(&start).message.contains("other content"));
    std::fs::write(&copy.location, whole).unwrap();
    // A table that changed since the plan.
    place.store.run_script("UPDATE parts SET content = 'other' WHERE content IS NOT NULL").unwrap();
    assert!(refused(&start).message.contains("not what plan"));
    // A plan of the changed table, and a copy from before.
    let plan = split::plan_split(&place, "opencode", &SPLIT_PARTS, true).unwrap();
    let error = split::start(&place, &SPLIT_PARTS, &plan, &start).unwrap_err();
    assert!(error.message.contains("does not have"), "{error}");
    assert!(journal::list_runs(&place.store).unwrap().is_empty());
}
