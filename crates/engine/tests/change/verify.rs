//! Verification: whatever is changed in the journal afterwards is found, and drift of rows is told apart.

use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_engine::change::verify::{self, Verification};
use plimsoll_engine::change::{history, quarantine, run};
use plimsoll_engine::session::Session;
use plimsoll_engine::{ErrorKind, event};
use plimsoll_testkit::fixture::*;
use plimsoll_testkit::probe::CrashAt;
use serde_json::json;

crate::on_each_store!(
    every_tampered_row_of_the_journal_is_found,
    receipts_and_events_refuse_to_be_changed,
    the_chain_of_events_shows_what_was_changed,
    rows_that_somebody_changed_are_told_apart,
    a_run_that_is_not_finished_verifies_as_far_as_it_came,
    the_history_of_a_row_names_every_run_that_wrote_it
);

/// A run with an applied, a no-op, a conflicted and a quarantined item, one of them replayed.
fn story(session: &mut Session) -> Id {
    seed(session, 1..=8);
    let records: Vec<_> = (1..=8)
        .map(|id| json!({"id": id, "name": format!("account {id:04}"), "balance": if id == 5 { -1 } else { id }}))
        .collect();
    let plan = plan_records(session, &records).unwrap();
    sql(session, "UPDATE account SET balance = 2 WHERE id = 2; UPDATE account SET note = 'x' WHERE id = 3");
    let run = apply_plan(session, &plan, batches_of(3)).unwrap();
    let item = quarantine::list(session.store.as_mut(), Some(&run.id), false).unwrap().remove(0);
    quarantine::edit(session, &item.id, &[("balance".into(), "5".into())], "").unwrap();
    let run = quarantine::replay(session, &[item.id], Some(&SYNC), "").unwrap();
    assert_eq!((run.status, run.batches), (RunStatus::Finished, 4));
    run.id
}

fn found(session: &mut Session, id: &Id) -> Verification {
    verify::verify(session, id).unwrap()
}

/// Takes away what guards the append-only tables, as somebody with the file in hand can.
fn disarm(place: &Place, session: &mut Session) {
    let drop = if place.is_postgres() {
        "DROP TRIGGER plimsoll_receipt_append_only ON plimsoll_receipt;
         DROP TRIGGER plimsoll_event_append_only ON plimsoll_event;"
    } else {
        "DROP TRIGGER plimsoll_receipt_no_update; DROP TRIGGER plimsoll_receipt_no_delete;
         DROP TRIGGER plimsoll_event_no_update; DROP TRIGGER plimsoll_event_no_delete;"
    };
    sql(session, drop);
}

fn every_tampered_row_of_the_journal_is_found(place: &Place) {
    let session = &mut place.session();
    let id = story(session);
    let sound = found(session, &id);
    assert!(sound.ok, "{:?}", sound.problems);
    assert_eq!((sound.receipts, sound.rows_checked, sound.rows_as_applied), (4, 6, 6));
    disarm(place, session);
    for table in KEPT {
        sql(session, &format!("CREATE TABLE kept_{table} AS SELECT * FROM plimsoll_{table}"));
    }
    let tampered = [
        (
            "UPDATE plimsoll_change SET after_image = '[[2,77]]' WHERE item = 0",
            "are not those that were applied",
        ),
        (
            "UPDATE plimsoll_change SET after_image = '[[2,77]]' WHERE item = 0",
            "was changed after it was made",
        ),
        ("UPDATE plimsoll_change SET before_image = replace(before_image, '101', '102')", "not those"),
        ("UPDATE plimsoll_change SET after_image = 'not JSON' WHERE item = 0", "cannot be read"),
        ("UPDATE plimsoll_change SET table_name = 'entry' WHERE item = 0 AND plan = 1", "knows no shape"),
        ("DELETE FROM plimsoll_change WHERE item = 6", "not those"),
        ("DELETE FROM plimsoll_item WHERE item = 6", "not those"),
        (
            "DELETE FROM plimsoll_change WHERE item = 6; DELETE FROM plimsoll_item WHERE item = 6",
            "has lost item 6",
        ),
        ("UPDATE plimsoll_item SET label = 'other' WHERE item = 6", "not those"),
        ("UPDATE plimsoll_item SET record = '{}' WHERE item = 6", "not those"),
        ("UPDATE plimsoll_plan SET digest = 'x' WHERE number = 1", "was changed after it was made"),
        ("DELETE FROM plimsoll_plan WHERE number = 1", "which does not exist"),
        ("UPDATE plimsoll_batch SET exceptions = '[]' WHERE number = 1", "outcomes were changed"),
        ("UPDATE plimsoll_batch SET exceptions = 'x' WHERE number = 1", "cannot be read"),
        (
            "UPDATE plimsoll_batch SET applied = applied + 1, noop = noop - 1 WHERE number = 0 AND partition = 0",
            "outcomes",
        ),
        ("UPDATE plimsoll_batch SET quarantined = 0", "count of quarantined"),
        ("UPDATE plimsoll_batch SET quarantined = 0 WHERE partition = 1", "count of quarantined"),
        ("UPDATE plimsoll_batch SET end_item = end_item + 1 WHERE number = 2", "accounts for"),
        ("DELETE FROM plimsoll_batch WHERE number = 0 AND partition = 0", "where batch 0 is missing"),
        ("DELETE FROM plimsoll_batch WHERE number = 1", "where batch 1 is missing"),
        ("DELETE FROM plimsoll_batch WHERE number = 2", "does not stand where its last batch ended"),
        ("DELETE FROM plimsoll_batch WHERE number = 2", "1 receipts have lost their batch"),
        ("DELETE FROM plimsoll_batch WHERE partition = 1", "receipts have lost their batch"),
        (
            "UPDATE plimsoll_receipt SET digest = 'x' WHERE number = 0 AND partition = 0",
            "receipt does not hold",
        ),
        ("UPDATE plimsoll_receipt SET digest = 'x' WHERE number = 0 AND partition = 0", "does not hold"),
        ("UPDATE plimsoll_receipt SET previous = 'x' WHERE number = 1", "does not follow the receipt"),
        ("UPDATE plimsoll_receipt SET changes_digest = 'x' WHERE number = 1", "not those"),
        ("UPDATE plimsoll_receipt SET outcome_digest = 'x' WHERE number = 1", "outcomes"),
        ("DELETE FROM plimsoll_receipt WHERE number = 1", "has no receipt"),
        ("UPDATE plimsoll_partition SET next_item = 7 WHERE number = 0", "does not stand"),
        ("UPDATE plimsoll_partition SET last_receipt = 'x' WHERE number = 0", "does not stand"),
        ("UPDATE plimsoll_run SET planned = 9", "9 items were planned, 8 are accounted for"),
    ];
    for (statement, problem) in tampered {
        session.store.begin(plimsoll_store::Access::ReadWrite).unwrap();
        sql(session, statement);
        session.store.commit().unwrap();
        let result = found(session, &id);
        assert!(!result.ok, "not found: {statement}");
        let told = result.problems.iter().any(|told| told.contains(problem));
        assert!(told, "{statement}: {:?}", result.problems);
        restore(session);
    }
    assert!(found(session, &id).ok);
}

/// The tables of the journal that are tampered with.
const KEPT: [&str; 7] = ["plan", "item", "change", "run", "partition", "batch", "receipt"];

/// Puts the journal back as the story left it.
fn restore(session: &mut Session) {
    for table in KEPT {
        sql(
            session,
            &format!("DELETE FROM plimsoll_{table}; INSERT INTO plimsoll_{table} SELECT * FROM kept_{table}"),
        );
    }
}

fn receipts_and_events_refuse_to_be_changed(place: &Place) {
    let session = &mut place.session();
    story(session);
    for statement in [
        "UPDATE plimsoll_receipt SET digest = 'x'",
        "DELETE FROM plimsoll_receipt",
        "UPDATE plimsoll_event SET actor = 'x'",
        "DELETE FROM plimsoll_event",
    ] {
        let error = session.store.run_script(statement).unwrap_err();
        assert!(error.message.contains("is append-only"), "{statement}: {error}");
    }
}

fn the_chain_of_events_shows_what_was_changed(place: &Place) {
    let session = &mut place.session();
    story(session);
    let events = event::list(session.store.as_mut(), None).unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "plan.made",
            "run.started",
            "run.finished",
            "quarantine.edited",
            "run.resumed",
            "quarantine.replayed",
            "run.finished"
        ]
    );
    assert!(events.iter().all(|event| event.actor == "tester"));
    assert!(event::verify(session.store.as_mut()).unwrap().is_empty());
    disarm(place, session);
    sql(session, "CREATE TABLE kept AS SELECT * FROM plimsoll_event");
    for (statement, problems) in [
        ("UPDATE plimsoll_event SET actor = 'nobody' WHERE number = 2", vec!["event 2 was changed"]),
        (
            "UPDATE plimsoll_event SET at = '2020-01-01T00:00:00Z' WHERE number = 7",
            vec!["event 7 was changed"],
        ),
        ("UPDATE plimsoll_event SET detail = '{}' WHERE number = 1", vec!["event 1 was changed"]),
        (
            "DELETE FROM plimsoll_event WHERE number = 3",
            vec!["event 4 follows where 3 is missing", "event 4 does not follow"],
        ),
        ("DELETE FROM plimsoll_event WHERE number = 1", vec!["event 2 follows where 1 is missing"]),
    ] {
        sql(session, statement);
        let found = event::verify(session.store.as_mut()).unwrap();
        for problem in problems {
            assert!(found.iter().any(|told| told.contains(problem)), "{statement}: {found:?}");
        }
        sql(session, "DELETE FROM plimsoll_event; INSERT INTO plimsoll_event SELECT * FROM kept");
    }
    assert!(event::verify(session.store.as_mut()).unwrap().is_empty());
    // An event of one's own, even one that follows the last one, does not have the right digest.
    sql(
        session,
        "INSERT INTO plimsoll_event SELECT 8, at, actor, kind, subject, reason, detail, digest, digest
         FROM plimsoll_event WHERE number = 7",
    );
    assert!(!event::verify(session.store.as_mut()).unwrap().is_empty());
}

fn rows_that_somebody_changed_are_told_apart(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=6);
    let items: Vec<_> = (1..=6).map(|id| set_balance(session, id, 1)).collect();
    let first = apply_items(session, &items, 50);
    let later = vec![set_balance(session, 1, 2), set_balance(session, 2, 2)];
    apply_items(session, &later, 50);
    let counts = |session: &mut Session| {
        let found = found(session, &first.id);
        assert!(found.ok, "{:?}", found.problems);
        assert_eq!(found.rows_checked, 6);
        (found.rows_as_applied, found.rows_changed_by_later_runs, found.rows_changed_outside)
    };
    assert_eq!(counts(session), (4, 2, 0));
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 3; DELETE FROM account WHERE id = 4");
    assert_eq!(counts(session), (2, 2, 2));
    // A later run that only wanted to write a row did not change it.
    let wanted = vec![set_balance(session, 5, 5), set_balance(session, 6, 6)];
    let wanted = plan(session, &wanted);
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 5");
    apply_plan(session, &wanted, batches_of(50)).unwrap();
    assert_eq!(counts(session), (0, 3, 3));
    // Neither did the later run leave what somebody made of the row after it.
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 2");
    assert_eq!(counts(session), (0, 2, 4));
    let samples = found(session, &first.id).samples;
    assert!(samples.iter().any(|sample| sample.contains("account 2 was changed since")), "{samples:?}");
}

fn a_run_that_is_not_finished_verifies_as_far_as_it_came(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=6);
    let items: Vec<_> = (1..=6).map(|id| set_balance(session, id, 1)).collect();
    let plan = plan(session, &items);
    session.probe = CrashAt::new("batch.committed", 2);
    apply_plan(session, &plan, batches_of(2)).unwrap_err();
    let session = &mut place.session();
    let open = run::list(session.store.as_mut()).unwrap().remove(0);
    let result = found(session, &open.id);
    assert!(result.ok, "{:?}", result.problems);
    assert_eq!((result.status, result.receipts, result.rows_as_applied), (RunStatus::Running, 2, 4));
    let unknown = plimsoll_engine::clock::new_id();
    assert_eq!(verify::verify(session, &unknown).unwrap_err().kind, ErrorKind::Usage);
}

fn the_history_of_a_row_names_every_run_that_wrote_it(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let first = update(session, "account", 1, &[("balance", Value::Integer(1))]);
    let second = then(session, &first, &[("balance", Value::Integer(2))]);
    let run = apply_items(session, &[item([first]), item([second])], 1);
    let items = vec![set_balance(session, 1, 3)];
    let conflicting = plan(session, &items);
    sql(session, "UPDATE account SET note = 'mine' WHERE id = 1");
    apply_plan(session, &conflicting, batches_of(50)).unwrap();
    let gone = vec![item([delete(session, "account", 1)])];
    let last = apply_items(session, &gone, 50);
    let entries = history::of_row(session.store.as_mut(), "account", "[1]").unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.run.clone(), entry.kind.to_string())).collect();
    let update = || "update".to_owned();
    assert_eq!(told, [(last.id, "delete".to_owned()), (run.id.clone(), update()), (run.id, update())]);
    assert_eq!(entries[1].row.after.as_ref().unwrap()["balance"], Value::Integer(2));
    assert!(history::of_row(session.store.as_mut(), "account", "[2]").unwrap().is_empty());
}
