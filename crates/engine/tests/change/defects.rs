//! The defects of the earlier hearing updater that lie in the engine's hands, one test for each.
//!
//! The numbers are those of the list in the project's notes on that program; the others (mapping, validation,
//! backups, the back-fill) are tested where that code lives. Each test goes red when its defect is put back.

use plimsoll_core::run::RunStatus;
use plimsoll_core::undo::UndoMode;
use plimsoll_core::value::Value;
use plimsoll_engine::change::routine::{self, Routine};
use plimsoll_engine::change::{apply, control, quarantine, report, run, undo, verify};
use plimsoll_engine::session::Session;
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_testkit::fixture::*;
use plimsoll_testkit::probe::{Acting, CrashAt};

crate::on_each_store!(
    defect_1_a_batch_is_one_transaction,
    defect_2_a_failed_item_leaves_nothing_and_a_failed_batch_leaves_nothing,
    defect_4_an_addition_is_undone_with_its_children,
    defect_6_the_way_back_survives_the_process,
    defect_7_one_bad_item_costs_no_good_one,
    defect_10_a_run_with_failures_is_no_success
);

fn ones(session: &mut Session) -> i64 {
    number(session, "SELECT count(*) FROM account WHERE balance = 1")
}

/// Writes went through connections of their own, one commit for each row.
fn defect_1_a_batch_is_one_transaction(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=20);
    let items: Vec<_> = (1..=20).map(|id| set_balance(session, id, 1)).collect();
    let plan = plan(session, &items);
    let other = std::sync::Mutex::new(place.session());
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&seen);
    session.probe = std::sync::Arc::new(Acting(move |point: &'static str| {
        if matches!(point, "batch.written" | "batch.journaled" | "batch.committed") {
            let other = &mut other.lock().unwrap();
            let journaled = number(other, "SELECT count(*) FROM plimsoll_receipt");
            log.lock().unwrap().push((point, ones(other), journaled));
        }
        Ok(())
    }));
    apply_plan(session, &plan, batches_of(10)).unwrap();
    let seen = seen.lock().unwrap().clone();
    assert_eq!(
        seen,
        [
            ("batch.written", 0, 0),
            ("batch.journaled", 0, 0),
            ("batch.committed", 10, 1),
            ("batch.written", 10, 1),
            ("batch.journaled", 10, 1),
            ("batch.committed", 20, 2)
        ]
    );
    // And a death in the middle of it leaves nothing of it.
    for (point, id) in [("batch.written", 21), ("quarantine.stored", 22), ("batch.journaled", 23)] {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=19);
        let mut items: Vec<_> = (1..=19).map(|id| set_balance(session, id, 1)).collect();
        items.push(item([insert(session, "entry", &entry(id, 999))]));
        let plan = plimsoll_testkit::fixture::plan(session, &items);
        session.probe = CrashAt::new(point, 1);
        assert_eq!(apply_plan(session, &plan, batches_of(20)).unwrap_err().kind, ErrorKind::Crash);
        let session = &mut place.session();
        let of_plan = format!("SELECT count(*) FROM plimsoll_batch WHERE plan = {}", plan.number);
        assert_eq!((ones(session), number(session, &of_plan)), (0, 0), "{point}");
        let waiting = format!("SELECT count(*) FROM plimsoll_quarantine WHERE plan = {}", plan.number);
        assert_eq!(number(session, &waiting), 0, "{point}");
    }
}

/// A failed item returned out of the transaction's block, which committed what was written so far.
fn defect_2_a_failed_item_leaves_nothing_and_a_failed_batch_leaves_nothing(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=6);
    let items = [
        set_balance(session, 1, 1),
        item([
            update(session, "account", 2, &[("balance", Value::Integer(1))]),
            insert(session, "entry", &entry(1, 2)),
            update(session, "account", 3, &[("name", Value::text("account 0004"))]),
        ]),
        set_balance(session, 5, 1),
    ];
    let run = apply_items(session, &items, 3);
    assert_eq!((run.tally.applied, run.tally.quarantined), (2, 1));
    assert_eq!(ones(session), 2);
    assert_eq!(cell(session, "account", 2, "balance"), Some(Value::Integer(102)));
    assert_eq!(number(session, "SELECT count(*) FROM entry"), 0);

    // What is not the data's fault takes the whole batch back.
    let before = digests(session);
    let items: Vec<_> = (1..=6).map(|id| set_balance(session, id, 50 + id)).collect();
    let plan = plan(session, &items);
    session.probe = std::sync::Arc::new(Acting(|point: &'static str| match point {
        "batch.written" => Err(EngineError::new(ErrorKind::Store, "the disk is full")),
        _ => Ok(()),
    }));
    apply_plan(session, &plan, batches_of(3)).unwrap_err();
    let session = &mut place.session();
    assert_eq!(digests(session), before);
    let stopped = run::list(session.store.as_mut()).unwrap().remove(0);
    assert_eq!((stopped.status, stopped.batches, stopped.tally.ended()), (RunStatus::Stopped, 0, 0));
}

/// Taking an addition back deleted the hearing before its links, which the foreign keys refuse.
fn defect_4_an_addition_is_undone_with_its_children(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let before = digests(session);
    let records: Vec<_> = (10..=14)
        .map(|id| {
            let entries = [
                serde_json::json!({"id": id, "amount": 1}),
                serde_json::json!({"id": 100 + id, "amount": 2}),
            ];
            serde_json::json!({"id": id, "name": format!("new {id}"), "balance": 1, "entries": entries})
        })
        .collect();
    for (size, mode) in [(0, UndoMode::Refuse), (2, UndoMode::Skip), (50, UndoMode::Force)] {
        let plan = plan_records(session, &records).unwrap();
        let run = apply_plan(session, &plan, batches_of(size)).unwrap();
        assert_eq!((run.tally.applied, run.rows_written), (5, 15));
        let undone = undo::undo(session, &run.id, mode, &batches_of(2), "").unwrap().remove(0);
        assert_eq!((undone.tally.applied, undone.tally.quarantined, undone.rows_written), (5, 0, 15));
        assert_eq!(digests(session), before);
    }
}

/// What a batch had changed was remembered in memory only, and lost with the process.
fn defect_6_the_way_back_survives_the_process(place: &Place) {
    let (id, before) = {
        let session = &mut place.session();
        seed(session, 1..=20);
        let before = digests(session);
        let items: Vec<_> = (1..=20).map(|id| set_balance(session, id, 1)).collect();
        let plan = plan(session, &items);
        let run = apply::start(session, &plan, &start_with(batches_of(5))).unwrap();
        session.probe = CrashAt::new("batch.committed", 3);
        apply::drive(session, &run.id, None).unwrap_err();
        (run.id, before)
    };
    // A new process knows what was applied, from the store alone.
    let session = &mut place.session();
    assert_eq!(ones(session), 15);
    sql(session, "UPDATE plimsoll_run SET owner = NULL");
    let run = control::cancel(session, &id, "gone wrong").unwrap();
    assert_eq!((run.status, run.tally.applied), (RunStatus::Cancelled, 15));
    // Prior images hold every column, not some of them.
    let undone = undo::undo(session, &id, UndoMode::Refuse, &batches_of(4), "").unwrap().remove(0);
    assert_eq!((undone.tally.applied, undone.tally.conflicted), (15, 0));
    assert_eq!(digests(session), before);
    assert!(verify::verify(session, &id).unwrap().ok);
}

/// One invalid row took all fifty of its batch with it.
fn defect_7_one_bad_item_costs_no_good_one(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=150);
    let mut items: Vec<_> = (1..=150).map(|id| set_balance(session, id, 1)).collect();
    items[70] = set_balance(session, 71, -1);
    let run = apply_items(session, &items, 50);
    assert_eq!((run.status, run.batches), (RunStatus::Finished, 3));
    assert_eq!((run.tally.applied, run.tally.quarantined), (149, 1));
    assert_eq!(ones(session), 149);
    let waiting = quarantine::list(session.store.as_mut(), Some(&run.id), false).unwrap();
    assert_eq!((waiting.len(), waiting[0].label.as_str()), (1, "account 71"));
}

/// Errors of batches went where nobody looked, so a run whose batches failed was logged as a success, and its
/// end was set after it was logged.
fn defect_10_a_run_with_failures_is_no_success(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=30);
    let routine = Routine {
        settings: batches_of(10),
        backups: std::path::PathBuf::new(),
        approval_required: false,
        reason: String::new(),
    };
    let clock = std::sync::Arc::clone(place.clock());
    session.probe = std::sync::Arc::new(Acting(move |point: &'static str| {
        if point == "batch.written" {
            clock.advance_us(5_000);
        }
        Ok(())
    }));
    let mut items: Vec<_> = (1..=30).map(|id| set_balance(session, id, 1)).collect();
    items[14] = set_balance(session, 15, -1);
    let failing = plan(session, &items);
    let told = routine::apply_plan(session, &SYSTEM, None, &failing, &routine, false).unwrap();
    assert!(!told.success && told.verified == Some(true), "{told:?}");
    assert_eq!((told.applied, told.quarantined, told.batches), (29, 1, 3));
    assert!(told.duration_ms >= 15, "{}", told.duration_ms);
    let metrics = told.batch_metrics.unwrap();
    assert_eq!((metrics.batch_count, metrics.batches_succeeded, metrics.batches_failed), (3, 2, 1));
    let [error] = metrics.batch_errors.as_slice() else { panic!("{:?}", metrics.batch_errors) };
    assert_eq!(
        (error.batch, error.item, error.label.as_str(), error.class.as_str()),
        (1, 14, "account 15", "check")
    );
    let stored = run::load(session.store.as_mut(), &told.run).unwrap();
    assert!(stored.finished_at.is_some() && stored.duration_ms == told.duration_ms);

    // A conflict is no success either, nor is a run that stopped or was cancelled.
    let items = vec![set_balance(session, 1, 7), set_balance(session, 2, 7)];
    let moved = plan(session, &items);
    sql(session, "UPDATE account SET note = 'moved' WHERE id = 1");
    let told = routine::apply_plan(session, &SYSTEM, None, &moved, &routine, false).unwrap();
    assert!(!told.success && told.conflicted == 1);
    let left = plan(session, &[]);
    let run = apply::start(session, &left, &start_with(batches_of(10))).unwrap();
    sql(session, "UPDATE plimsoll_run SET owner = NULL");
    let run = control::cancel(session, &run.id, "").unwrap();
    assert!(!report::of_run(session.store.as_mut(), &run).unwrap().success);

    let items = vec![set_balance(session, 3, 7)];
    let good = plan(session, &items);
    let told = routine::apply_plan(session, &SYSTEM, None, &good, &routine, false).unwrap();
    assert!(told.success && told.batch_metrics.unwrap().batch_errors.is_empty());
}
