//! Faults planted between phases, each caught by the validation that looks for it.

use plimsoll_core::run::RunStatus;
use plimsoll_core::undo::UndoMode;
use plimsoll_engine::ErrorKind;
use plimsoll_engine::change::split::{self, journal};
use plimsoll_opencode::split::SPLIT_PARTS;

use super::support::{World, small};

const ONE: &str = "(SELECT min(part_id) FROM tool_calls_split)";

/// OC-59.
#[test]
fn lost_doubled_orphaned_and_altered_rows_stop_the_run_before_anything_is_renamed() {
    for (damage, said) in [
        (format!("DELETE FROM tool_calls_split WHERE part_id = {ONE}"), "rows missing in tool_calls: 1"),
        (format!("DELETE FROM parts_split WHERE id = {ONE}"), "orphans in tool_calls: 1"),
        ("DELETE FROM parts_split WHERE part_type = 'step-start'".to_owned(), "rows that are not equal"),
        (
            format!("INSERT INTO tool_calls_split SELECT * FROM tool_calls_split WHERE part_id = {ONE}"),
            "doubled rows of tool_calls: 1",
        ),
        (
            "INSERT INTO errors_split (part_id, error_message) VALUES ('prt_nobody', 'x')".to_owned(),
            "orphans in errors: 1",
        ),
        (
            "UPDATE text_messages_split SET content = content || ' ' WHERE part_id =
                (SELECT max(part_id) FROM text_messages_split)"
                .to_owned(),
            "rows that are not equal: 1",
        ),
        (
            "UPDATE step_events_split SET cost = cost + 0.000001 WHERE part_id =
                (SELECT min(part_id) FROM step_events_split)"
                .to_owned(),
            "rows that are not equal: 1",
        ),
        (
            format!("UPDATE tool_calls_split SET session_id = 'other' WHERE part_id = {ONE}"),
            "orphans in tool_calls",
        ),
        ("INSERT INTO parts (id) VALUES ('prt_late')".to_owned(), "rows that are not those of the plan: 1"),
    ] {
        let world = World::new(small());
        let before = world.picture();
        let copy = world.backup();
        let place = world.dying("split.copy.done", 0);
        let (_, run) = world.started(&place, copy);
        split::drive(&place, &SPLIT_PARTS, &run.id).unwrap_err();
        drop(place);
        let place = world.place();
        place.store.run_script(&damage).unwrap();
        let error = split::drive(&place, &SPLIT_PARTS, &run.id).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Stopped, "{damage}");
        assert!(error.message.contains(said), "{damage}: {error}");
        let stopped = journal::load_run(&place.store, &run.id).unwrap();
        assert_eq!(stopped.status, RunStatus::Stopped);
        let phases = journal::phases(&place.store, &run.id).unwrap();
        let last = phases.last().unwrap();
        assert_eq!((last.name.as_str(), last.done_at.as_ref()), ("validate", None));
        assert!(last.detail["checks"].as_array().unwrap().iter().any(|check| check["found"] != 0));
        let late = damage.contains("prt_late");
        if late {
            place.store.run_script("DELETE FROM parts WHERE id = 'prt_late'").unwrap();
        }
        drop(place);
        world.undo(&run.id, UndoMode::Skip).unwrap();
        assert_eq!(world.picture(), before, "{damage}");
    }
}

#[test]
fn a_backup_that_vanishes_on_the_way_stops_the_run() {
    let world = World::new(small());
    let copy = world.backup();
    let place = world.dying("split.copy.done", 0);
    let location = copy.location.clone();
    let (_, run) = world.started(&place, copy);
    split::drive(&place, &SPLIT_PARTS, &run.id).unwrap_err();
    drop(place);
    std::fs::rename(&location, format!("{location}.away")).unwrap();
    let place = world.place();
    let error = split::drive(&place, &SPLIT_PARTS, &run.id).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("cannot be read"), "{error}");
    std::fs::rename(format!("{location}.away"), &location).unwrap();
    split::drive(&place, &SPLIT_PARTS, &run.id).unwrap();
}

#[test]
fn a_changed_line_of_the_journal_is_named() {
    for (damage, said) in [
        ("UPDATE plimsoll_batch SET items = items + 1 WHERE number = 2", "batch 2 was changed"),
        ("DELETE FROM plimsoll_batch WHERE number = 1", "batch 1 is missing"),
        ("UPDATE plimsoll_event SET actor = 'nobody' WHERE number = 3", "event 3 was changed"),
        ("DELETE FROM plimsoll_event WHERE number = 2", "follows where 2 is missing"),
        (
            "UPDATE tool_calls SET part_id = 'prt_none' WHERE part_id = (SELECT min(part_id) FROM tool_calls)",
            "orphans in tool_calls",
        ),
    ] {
        let world = World::new(small());
        let (_, run) = world.split();
        let place = world.place();
        assert!(split::verify(&place, &SPLIT_PARTS, &run.id).unwrap().ok);
        place.store.run_script(damage).unwrap();
        let found = split::verify(&place, &SPLIT_PARTS, &run.id).unwrap();
        assert!(
            !found.ok && found.problems.iter().any(|problem| problem.contains(said)),
            "{:?}",
            found.problems
        );
    }
    let world = World::new(small());
    let (plan, _) = world.split();
    let place = world.place();
    place
        .store
        .run_script("UPDATE plimsoll_plan SET document = replace(document, '\"rows\":2000', '\"rows\":1999')")
        .unwrap();
    assert_eq!(journal::load_plan(&place.store, &plan.id).unwrap_err().kind, ErrorKind::Integrity);
}
