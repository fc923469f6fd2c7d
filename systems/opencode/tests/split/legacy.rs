//! The wide table that is kept for a week, and dropping it (OC-60).

use plimsoll_core::undo::UndoMode;
use plimsoll_engine::ErrorKind;
use plimsoll_engine::change::split::{self, Start, journal};
use plimsoll_opencode::split::SPLIT_PARTS;

use super::support::{World, number, small};

fn set(world: &World, now: &str) {
    *world.clock.0.lock().unwrap() = now.to_owned();
}

/// Backs up, plans and drops.
fn dropped(
    world: &World,
    accepted: u64,
) -> Result<plimsoll_engine::change::run::Run, plimsoll_engine::EngineError> {
    let copy = world.backup();
    let place = world.place();
    let plan = split::plan_drop(&place, &SPLIT_PARTS, accepted, true)?;
    let start = Start { backup: Some(copy), ..Start::default() };
    let run = split::start(&place, &SPLIT_PARTS, &plan, &start)?;
    split::drive(&place, &SPLIT_PARTS, &run.id)
}

#[test]
fn the_kept_table_is_not_dropped_before_its_week_is_over() {
    let world = World::new(small());
    let (_, run) = world.split();
    for early in ["2026-03-01T10:00:01.000Z", "2026-03-08T09:59:59.999Z"] {
        set(&world, early);
        let error = dropped(&world, 0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains("kept until 2026-03-08T10:00:00.000Z"), "{error}");
        assert_eq!(number(&world.place(), "SELECT count(*) FROM parts_legacy"), 2_000);
    }
    set(&world, "2026-03-08T10:00:00.000Z");
    dropped(&world, 0).unwrap();
    let place = world.place();
    assert!(!place.store.table_names().unwrap().contains("parts_legacy"));
    let monitor = journal::phases(&place.store, &run.id).unwrap().pop().unwrap();
    assert_eq!((monitor.name.as_str(), monitor.detail["ended"].as_str()), ("monitor", Some("dropped")));
    assert!(split::verify(&place, &SPLIT_PARTS, &run.id).unwrap().ok);
}

#[test]
fn the_kept_table_is_not_dropped_while_a_check_is_red() {
    for (damage, said) in [
        (
            "DELETE FROM text_messages WHERE part_id = (SELECT min(part_id) FROM text_messages)",
            "1 rows are not as",
        ),
        ("DELETE FROM parts WHERE part_type = 'patch'", "rows are not as"),
        ("INSERT INTO errors (part_id) VALUES ('prt_nobody')", "orphans in errors: 1"),
        ("INSERT INTO compactions SELECT * FROM compactions LIMIT 1", "doubled rows of compactions: 1"),
        ("UPDATE tool_calls SET tool_name = 'other' WHERE tool_name = 'grep'", "rows are not as"),
    ] {
        let world = World::new(small());
        world.split();
        world.place().store.run_script(damage).unwrap();
        set(&world, "2026-04-01T00:00:00.000Z");
        let error = dropped(&world, 0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{damage}");
        assert!(error.message.contains(said), "{damage}: {error}");
        assert_eq!(number(&world.place(), "SELECT count(*) FROM parts_legacy"), 2_000);
    }
}

#[test]
fn a_fault_that_comes_after_the_plan_is_seen_by_the_run() {
    let world = World::new(small());
    world.split();
    set(&world, "2026-04-01T00:00:00.000Z");
    let copy = world.backup();
    let place = world.place();
    let plan = split::plan_drop(&place, &SPLIT_PARTS, 0, true).unwrap();
    place.store.run_script("DELETE FROM thinking_blocks").unwrap();
    let start = Start { backup: Some(copy), ..Start::default() };
    let run = split::start(&place, &SPLIT_PARTS, &plan, &start).unwrap();
    let error = split::drive(&place, &SPLIT_PARTS, &run.id).unwrap_err();
    assert!(error.message.contains("not as the kept table has them"), "{error}");
    assert_eq!(number(&place, "SELECT count(*) FROM parts_legacy"), 2_000);
}

#[test]
fn edits_that_were_meant_are_accepted_by_their_number() {
    let world = World::new(small());
    world.split();
    let edit =
        "UPDATE tool_calls SET tool_title = 'edited' WHERE part_id = (SELECT min(part_id) FROM tool_calls)";
    world.place().store.run_script(edit).unwrap();
    set(&world, "2026-04-01T00:00:00.000Z");
    for wrong in [0, 2] {
        assert!(dropped(&world, wrong).unwrap_err().message.contains("--option changed=1"));
    }
    dropped(&world, 1).unwrap();
}

#[test]
fn what_was_dropped_comes_back_and_so_does_the_wide_table() {
    let world = World::new(small());
    let before = world.picture();
    let (_, split_run) = world.split();
    let kept = world.picture();
    set(&world, "2026-04-01T00:00:00.000Z");
    let drop_run = dropped(&world, 0).unwrap();
    world.undo(&drop_run.id, UndoMode::Skip).unwrap();
    assert_eq!(world.picture(), kept);
    world.undo(&split_run.id, UndoMode::Skip).unwrap();
    assert_eq!(world.picture(), before);
    // Without the kept table, too: from the new tables alone.
    let (_, again) = world.split();
    set(&world, "2026-05-01T00:00:00.000Z");
    dropped(&world, 0).unwrap();
    world.undo(&again.id, UndoMode::Skip).unwrap();
    assert_eq!(world.picture(), before);
}
