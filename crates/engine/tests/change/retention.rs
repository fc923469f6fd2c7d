//! Retention: what a purge loses is said first, and what must stay stays.

use plimsoll_core::undo::UndoMode;
use plimsoll_engine::change::{quarantine, retention, undo, verify};
use plimsoll_engine::session::Session;
use plimsoll_engine::{ErrorKind, event};
use plimsoll_testkit::fixture::*;
use plimsoll_testkit::probe::CrashAt;

crate::on_each_store!(
    a_purge_says_what_it_loses_and_keeps_the_chain,
    a_purge_waits_for_the_quarantine,
    plans_that_were_never_completed_are_swept,
    a_plan_that_was_only_looked_at_is_discarded_and_an_applied_one_is_not
);

const HOUR_US: u64 = 3_600_000_000;

fn now(session: &Session) -> String {
    session.clock.now()
}

fn a_purge_says_what_it_loses_and_keeps_the_chain(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=6);
    let items: Vec<_> = (1..=3).map(|id| set_balance(session, id, 1)).collect();
    let old = apply_items(session, &items, 2);
    place.clock().advance_us(HOUR_US);
    let border = now(session);
    place.clock().advance_us(HOUR_US);
    let items: Vec<_> = (4..=6).map(|id| set_balance(session, id, 1)).collect();
    let new = apply_items(session, &items, 2);
    let changes = "SELECT count(*) FROM plimsoll_change";

    let preview = retention::purge(session, &border, true, "").unwrap();
    assert_eq!(preview.runs, [(old.id.clone(), old.started_at.clone())]);
    assert_eq!((preview.changes, preview.open_quarantine), (3, 0));
    assert!(preview.bytes > 100);
    assert_eq!(number(session, changes), 6, "a preview purges nothing");

    assert_eq!(retention::purge(session, &border, false, "old").unwrap(), preview);
    assert_eq!(number(session, changes), 3);
    for mode in UndoMode::ALL {
        let error = undo::undo(session, &old.id, mode, &batches_of(2), "").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains("was purged") && error.message.contains("hint: restore"), "{error}");
    }
    let found = verify::verify(session, &old.id).unwrap();
    assert!(found.ok && found.receipts == 2 && found.rows_checked == 0, "{found:?}");
    // The receipts still tell when outcomes are changed.
    let sizes = "UPDATE plimsoll_batch SET applied = 0, noop = 2 WHERE number = 0 AND run =";
    sql(session, &format!("{sizes} '{}'", old.id));
    assert!(!verify::verify(session, &old.id).unwrap().ok);
    // Nothing is left to lose, the new run can still be taken back, and it is on record.
    let again = retention::purge(session, &border, true, "").unwrap();
    assert_eq!((again.runs.len(), again.changes), (0, 0));
    undo::undo(session, &new.id, UndoMode::Refuse, &batches_of(2), "").unwrap();
    let events = event::list(session.store.as_mut(), Some(&border)).unwrap();
    assert_eq!(
        (events.len(), events[0].kind.as_str(), events[0].reason.as_str()),
        (1, "journal.purged", "old")
    );
}

fn a_purge_waits_for_the_quarantine(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let items = [set_balance(session, 1, 1), set_balance(session, 2, -1)];
    let run = apply_items(session, &items, 2);
    place.clock().advance_us(HOUR_US);
    let border = now(session);
    assert_eq!(retention::purge(session, &border, true, "").unwrap().open_quarantine, 1);
    let error = retention::purge(session, &border, false, "").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("replay or drop them first"), "{error}");
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_change"), 2);
    let item = quarantine::list(session.store.as_mut(), Some(&run.id), false).unwrap().remove(0);
    quarantine::drop_item(session, &item.id, "").unwrap();
    retention::purge(session, &border, false, "").unwrap();
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_change"), 0);
    assert!(verify::verify(session, &run.id).unwrap().ok);
}

fn plans_that_were_never_completed_are_swept(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let items = [set_balance(session, 1, 1), set_balance(session, 2, 1)];
    session.probe = CrashAt::new("plan.flushed", 1);
    try_plan(session, &items).unwrap_err();
    let session = &mut place.session();
    let kept = plan(session, &items);
    let early = "2020-01-01T00:00:00.000Z";
    assert_eq!(retention::sweep_unfinished(session, early).unwrap(), 0);
    place.clock().advance_us(HOUR_US);
    let border = now(session);
    assert_eq!(retention::sweep_unfinished(session, &border).unwrap(), 1);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_plan"), 1);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_change"), 2);
    apply_plan(session, &kept, batches_of(2)).unwrap();
}

fn a_plan_that_was_only_looked_at_is_discarded_and_an_applied_one_is_not(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let items = [set_balance(session, 1, 1)];
    let looked_at = plan(session, &items);
    retention::discard(session, &looked_at.id).unwrap();
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_change"), 0);
    let applied = plan(session, &items);
    apply_plan(session, &applied, batches_of(2)).unwrap();
    assert_eq!(retention::discard(session, &applied.id).unwrap_err().kind, ErrorKind::Refused);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_change"), 1);
    // The plan of a replay is applied by the run that it replays into.
    let bad = vec![set_balance(session, 2, -1)];
    let run = apply_items(session, &bad, 2);
    let item = quarantine::list(session.store.as_mut(), Some(&run.id), false).unwrap().remove(0);
    quarantine::replay(session, &[item.id], None, "").unwrap();
    let replay = plimsoll_engine::change::plan::list(session.store.as_mut()).unwrap().remove(0);
    assert_eq!(replay.change, "replay");
    assert_eq!(retention::discard(session, &replay.id).unwrap_err().kind, ErrorKind::Refused);
    assert!(verify::verify(session, &run.id).unwrap().ok);
}
