//! A process that dies at every point of a split and of its undo.

use plimsoll_core::run::RunStatus;
use plimsoll_core::undo::UndoMode;
use plimsoll_engine::ErrorKind;
use plimsoll_engine::change::split::{self, ALL_POINTS, Start, journal};
use plimsoll_opencode::split::SPLIT_PARTS;

use super::support::{World, small};

/// OC-61: dead at each point, then resumed: the tables are those of an undisturbed run.
#[test]
fn a_split_that_died_at_any_point_is_resumed_to_the_same_tables() {
    let undisturbed = World::new(small());
    undisturbed.split();
    let expected = undisturbed.picture();
    for point in ALL_POINTS.into_iter().filter(|point| !point.starts_with("undo")) {
        for after in if point.starts_with("batch") { 0..3 } else { 0..1 } {
            let world = World::new(small());
            let copy = world.backup();
            let place = world.dying(point, after);
            let (_, run) = world.started(&place, copy);
            let error = split::drive(&place, &SPLIT_PARTS, &run.id).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Crash, "{point}: {error}");
            drop(place);
            let place = world.place();
            let left = journal::load_run(&place.store, &run.id).unwrap();
            assert_eq!(left.status, RunStatus::Running, "{point}");
            let run = split::drive(&place, &SPLIT_PARTS, &run.id).unwrap();
            assert_eq!((run.tally.applied, run.batches, run.epoch), (2_000, 5, 2), "{point}");
            let found = split::verify(&place, &SPLIT_PARTS, &run.id).unwrap();
            assert!(found.ok, "{point}: {:?}", found.problems);
            drop(place);
            assert_eq!(world.picture(), expected, "{point} {after}");
        }
    }
}

/// OC-61: dead at each point, then taken back: the wide table is as it was.
#[test]
fn a_split_that_died_at_any_point_is_taken_back() {
    let expected = World::new(small()).picture();
    for point in ALL_POINTS.into_iter().filter(|point| !point.starts_with("undo")) {
        let world = World::new(small());
        let copy = world.backup();
        let place = world.dying(point, 0);
        let (_, run) = world.started(&place, copy);
        split::drive(&place, &SPLIT_PARTS, &run.id).unwrap_err();
        drop(place);
        let undoing = world.undo(&run.id, UndoMode::Skip).unwrap();
        assert_eq!(undoing.status, RunStatus::Finished, "{point}");
        assert_eq!(world.picture(), expected, "{point}");
        assert!(split::verify(&world.place(), &SPLIT_PARTS, &undoing.id).unwrap().ok, "{point}");
    }
}

#[test]
fn an_undo_that_died_at_any_point_is_resumed() {
    let expected = World::new(small()).picture();
    for point in ALL_POINTS.into_iter().filter(|point| !point.starts_with("split")) {
        let world = World::new(small());
        let (_, run) = world.split();
        let place = world.dying(point, 0);
        let (plan, _) = split::plan_undo(&place, &SPLIT_PARTS, &run.id, UndoMode::Skip, true).unwrap();
        let undoing = split::start(&place, &SPLIT_PARTS, &plan, &Start::default()).unwrap();
        let error = split::drive(&place, &SPLIT_PARTS, &undoing.id).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Crash, "{point}: {error}");
        drop(place);
        let place = world.place();
        split::drive(&place, &SPLIT_PARTS, &undoing.id).unwrap();
        drop(place);
        assert_eq!(world.picture(), expected, "{point}");
    }
}
