//! Plan, then apply: batches, the plain path, conflicts, no-ops, refusals at the start.

use plimsoll_core::item::{Outcome, Tally};
use plimsoll_core::run::RunStatus;
use plimsoll_core::value::Value;
use plimsoll_engine::ErrorKind;
use plimsoll_engine::change::apply::{self, StartRun};
use plimsoll_engine::change::plan::{self, Plan};
use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::change::{report, verify};
use plimsoll_engine::session::Session;
use plimsoll_testkit::fixture::*;

crate::on_each_store!(
    a_plan_is_applied_in_batches_and_the_tally_is_conserved,
    the_plain_path_and_batches_of_any_size_give_the_same_tables,
    rows_already_at_their_after_are_no_ops,
    a_row_that_moved_since_planning_conflicts_and_its_neighbours_commit,
    the_same_row_in_several_items_is_changed_in_order,
    an_item_may_change_one_row_twice,
    a_shared_insert_is_written_by_the_first_item_and_a_no_op_row_in_the_second,
    a_shared_insert_that_a_later_item_changes_is_no_conflict_for_the_others,
    a_conflicted_item_does_not_pull_the_next_one_with_it,
    an_empty_plan_finishes_at_once,
    approval_is_asked_for_and_binds_to_the_digest,
    a_plan_is_applied_once,
    two_processes_that_start_the_same_plan_get_one_run,
    plans_made_at_the_same_time_get_numbers_of_their_own,
    a_table_that_changed_its_columns_since_planning_is_refused
);

/// The tally in the order planned, applied, no-op, conflicted, quarantined, skipped.
fn counts(tally: &Tally) -> [u64; 6] {
    [tally.planned, tally.applied, tally.noop, tally.conflicted, tally.quarantined, tally.skipped]
}

fn verified(session: &mut Session, run: &plimsoll_core::id::Id) {
    let found = verify::verify(session, run).unwrap();
    assert!(found.ok, "{:?}", found.problems);
    assert_eq!(found.rows_changed_outside, 0, "{:?}", found.samples);
}

fn a_plan_is_applied_in_batches_and_the_tally_is_conserved(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=101);
    let items: Vec<_> = (1..=101).map(|id| set_balance(session, id, 1_000 + id)).collect();
    let run = apply_items(session, &items, 50);
    assert_eq!(run.status, RunStatus::Finished);
    assert_eq!(run.batches, 3);
    assert_eq!(counts(&run.tally), [101, 101, 0, 0, 0, 0]);
    assert!(run.tally.conserved());
    assert_eq!(run.rows_written, 101);
    let sizes = "SELECT end_item - first_item FROM plimsoll_batch ORDER BY number";
    let sizes = session.store.query(sizes, &[]).unwrap();
    assert_eq!(sizes, [[Value::Integer(50)], [Value::Integer(50)], [Value::Integer(1)]]);
    assert_eq!(number(session, "SELECT count(*) FROM account WHERE balance = 1000 + id"), 101);
    verified(session, &run.id);
}

/// Inserts, updates and deletes, single and in items of several rows, good and bad.
fn mixed(session: &mut Session) -> Vec<plimsoll_core::item::Item> {
    seed(session, 1..=30);
    let mut items = Vec::new();
    for id in 1..=10 {
        items.push(set_balance(session, id, 10 * id));
    }
    for id in 41..=45 {
        let parent = insert(session, "account", &account(id));
        let children =
            [insert(session, "entry", &entry(id, id)), insert(session, "entry", &entry(100 + id, id))];
        items.push(item([vec![parent], children.to_vec()].concat()));
    }
    for id in 11..=15 {
        items.push(item([delete(session, "account", id)]));
    }
    items.push(item([update(session, "account", 20, &[("balance", Value::Integer(-1))])]));
    items.push(item([insert(session, "entry", &entry(900, 999))]));
    items.push(item([
        update(session, "account", 21, &[("note", Value::text("kept whole"))]),
        update(session, "account", 22, &[("name", Value::text("account 0023"))]),
    ]));
    items.push(set_balance(session, 24, 5));
    items
}

fn the_plain_path_and_batches_of_any_size_give_the_same_tables(place: &Place) {
    let session = &mut place.session();
    let items = mixed(session);
    let before = digests(session);
    let plain = apply_items(session, &items, 0);
    assert_eq!((plain.batches, counts(&plain.tally)), (1, [24, 21, 0, 0, 3, 0]));
    verified(session, &plain.id);
    let wanted = digests(session);
    assert_ne!(before, wanted);
    for size in [1, 2, 7, 24, 100] {
        sql(session, "DELETE FROM entry; DELETE FROM account");
        let items = mixed(session);
        let run = apply_items(session, &items, size);
        assert_eq!(run.tally, plain.tally, "batches of {size}");
        assert_eq!(run.batches, 24_u64.div_ceil(size));
        assert_eq!(digests(session), wanted, "batches of {size}");
        verified(session, &run.id);
    }
}

fn rows_already_at_their_after_are_no_ops(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=3);
    let items = [
        set_balance(session, 1, 7),
        item([delete(session, "account", 2)]),
        item([insert(session, "account", &account(9))]),
        // One row of two is there already: the item is applied, and undo must know which row it wrote.
        item([
            update(session, "account", 3, &[("balance", Value::Integer(8))]),
            insert(session, "entry", &entry(5, 3)),
        ]),
    ];
    let plan = plan(session, &items);
    sql(session, "UPDATE account SET balance = 7 WHERE id = 1; DELETE FROM account WHERE id = 2;");
    sql(session, "UPDATE account SET balance = 8 WHERE id = 3");
    let there = insert(session, "account", &account(9));
    write(session, &[there]);
    let run = apply_plan(session, &plan, batches_of(50)).unwrap();
    assert_eq!(counts(&run.tally), [4, 1, 3, 0, 0, 0]);
    assert_eq!(run.rows_written, 1);
    let exceptions = "SELECT exceptions FROM plimsoll_batch";
    let exceptions = session.store.query(exceptions, &[]).unwrap();
    assert!(exceptions[0][0].as_text().unwrap().contains(r#""noop_positions":[0]"#));
    verified(session, &run.id);
}

fn a_row_that_moved_since_planning_conflicts_and_its_neighbours_commit(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=10);
    let mut items: Vec<_> = (1..=6).map(|id| set_balance(session, id, 1)).collect();
    // Written before the row that moved, after it, and around it: nothing of the item may stay.
    items.push(item([
        update(session, "account", 7, &[("balance", Value::Integer(1))]),
        update(session, "account", 8, &[("balance", Value::Integer(1))]),
        update(session, "account", 9, &[("balance", Value::Integer(1))]),
    ]));
    items.push(item([insert(session, "account", &account(20))]));
    items.push(item([delete(session, "account", 10)]));
    let plan = plan(session, &items);
    sql(session, "UPDATE account SET note = 'mine' WHERE id IN (2, 8, 10); DELETE FROM account WHERE id = 4");
    let mut taken = account(20);
    taken[1].1 = Value::text("somebody else's");
    let taken = insert(session, "account", &taken);
    write(session, &[taken]);
    let run = apply_plan(session, &plan, batches_of(50)).unwrap();
    assert_eq!(counts(&run.tally), [9, 4, 0, 5, 0, 0]);
    for (id, balance) in [(1, 1), (2, 102), (3, 1), (5, 1), (6, 1), (7, 107), (8, 108), (9, 109), (10, 110)] {
        assert_eq!(cell(session, "account", id, "balance"), Some(Value::Integer(balance)), "account {id}");
    }
    let errors = report::errors(session.store.as_mut(), &run).unwrap();
    assert!(errors.iter().all(|error| error.outcome == Outcome::Conflicted && error.class == "moved"));
    let reasons: Vec<_> = errors.iter().map(|error| error.reason.as_str()).collect();
    assert!(reasons[0].contains("account 2 was changed") && reasons[0].contains("note: planned from null"));
    assert!(reasons[1].contains("account 4 was deleted"), "{reasons:?}");
    assert!(reasons[2].contains("account 8 was changed"), "{reasons:?}");
    assert!(reasons[3].contains("account 20 was inserted by someone else"), "{reasons:?}");
    verified(session, &run.id);
}

fn the_same_row_in_several_items_is_changed_in_order(place: &Place) {
    for size in [1, 2, 50] {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=1);
        let first = update(session, "account", 1, &[("balance", Value::Integer(1))]);
        let second = then(session, &first, &[("balance", Value::Integer(2))]);
        let third = then(session, &second, &[("balance", Value::Integer(3)), ("note", Value::text("3"))]);
        let items = [item([first]), item([second]), item([third])];
        let run = apply_items(session, &items, size);
        assert_eq!(counts(&run.tally), [3, 3, 0, 0, 0, 0]);
        assert_eq!(cell(session, "account", 1, "balance"), Some(Value::Integer(3)));
        verified(session, &run.id);
    }
}

fn an_item_may_change_one_row_twice(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    // Two accounts exchange their unique names by way of a third one.
    let aside = update(session, "account", 1, &[("name", Value::text("aside"))]);
    let other = update(session, "account", 2, &[("name", Value::text("account 0001"))]);
    let back = then(session, &aside, &[("name", Value::text("account 0002"))]);
    let run = apply_items(session, &[item([aside, other, back])], 50);
    assert_eq!(counts(&run.tally), [1, 1, 0, 0, 0, 0]);
    assert_eq!(cell(session, "account", 1, "name"), Some(Value::text("account 0002")));
    assert_eq!(cell(session, "account", 2, "name"), Some(Value::text("account 0001")));
    verified(session, &run.id);
}

fn a_shared_insert_is_written_by_the_first_item_and_a_no_op_row_in_the_second(place: &Place) {
    for size in [1, 50] {
        let session = &mut place.session();
        sql(session, "DELETE FROM entry; DELETE FROM account");
        let shared = insert(session, "account", &account(1));
        let items = [1, 2].map(|id| {
            let child = insert(session, "entry", &entry(id, 1));
            item([shared.clone(), child])
        });
        let run = apply_items(session, &items, size);
        assert_eq!((counts(&run.tally), run.rows_written), ([2, 2, 0, 0, 0, 0], 3));
        assert_eq!(number(session, "SELECT count(*) FROM entry"), 2);
        verified(session, &run.id);
    }
}

fn a_shared_insert_that_a_later_item_changes_is_no_conflict_for_the_others(place: &Place) {
    for size in [1, 50] {
        let session = &mut place.session();
        sql(session, "DELETE FROM entry; DELETE FROM account");
        let shared = insert(session, "account", &account(1));
        let changed = then(session, &shared, &[("note", Value::text("changed in the same batch"))]);
        let child = insert(session, "entry", &entry(2, 1));
        let items = [item([shared.clone()]), item([shared, child]), item([changed])];
        let run = apply_items(session, &items, size);
        assert_eq!(counts(&run.tally), [3, 3, 0, 0, 0, 0], "batches of {size}");
        verified(session, &run.id);
    }
}

fn a_conflicted_item_does_not_pull_the_next_one_with_it(place: &Place) {
    for size in [1, 50] {
        let session = &mut place.session();
        sql(session, "DELETE FROM account");
        seed(session, 1..=2);
        // Both items want account 1. The first is in conflict because of account 2, so the second is free.
        let items = [
            item([
                update(session, "account", 1, &[("balance", Value::Integer(1))]),
                update(session, "account", 2, &[("balance", Value::Integer(1))]),
            ]),
            item([update(session, "account", 1, &[("balance", Value::Integer(2))])]),
        ];
        let plan = plan(session, &items);
        sql(session, "UPDATE account SET note = 'moved' WHERE id = 2");
        let run = apply_plan(session, &plan, batches_of(size)).unwrap();
        assert_eq!(counts(&run.tally), [2, 1, 0, 1, 0, 0], "batches of {size}");
        assert_eq!(cell(session, "account", 1, "balance"), Some(Value::Integer(2)));
        verified(session, &run.id);
    }
}

fn an_empty_plan_finishes_at_once(place: &Place) {
    let session = &mut place.session();
    let run = apply_items(session, &[], 50);
    assert_eq!((run.status, run.batches), (RunStatus::Finished, 0));
    verified(session, &run.id);
}

#[test]
fn many_workers_give_the_same_tables_as_one() {
    let Some(place) = Place::postgres() else { return };
    let mut results = Vec::new();
    for workers in [1, 4] {
        let session = &mut place.session();
        sql(session, "TRUNCATE entry, account");
        seed(session, 1..=400);
        let shared = insert(session, "account", &account(1_000));
        let mut items: Vec<_> = (1..=400).map(|id| set_balance(session, id, 7)).collect();
        items.push(item([update(session, "account", 400, &[("balance", Value::Integer(-7))])]));
        items.pop();
        for id in 1..=200 {
            let child = insert(session, "entry", &entry(id, 1_000));
            items.push(item([shared.clone(), child]));
        }
        items.push(item([insert(session, "entry", &entry(999, 77_777))]));
        let plan = plan(session, &items);
        let settings = RunSettings { workers, ..batches_of(20) };
        let run = apply_plan(session, &plan, settings).unwrap();
        verified(session, &run.id);
        let partitions = format!("SELECT count(*) FROM plimsoll_partition WHERE run = '{}'", run.id);
        assert_eq!(number(session, &partitions), i64::from(workers));
        results.push((run.tally, run.rows_written, digests(session)));
    }
    assert_eq!(results[0], results[1]);
    assert_eq!(counts(&results[0].0), [601, 600, 0, 0, 1, 0]);
}

#[test]
fn items_that_change_the_same_rows_get_one_worker() {
    let Some(place) = Place::postgres() else { return };
    let session = &mut place.session();
    seed(session, 1..=20);
    let mut items = Vec::new();
    for id in 1..=20 {
        let first = update(session, "account", id, &[("balance", Value::Integer(1))]);
        let second = then(session, &first, &[("balance", Value::Integer(2))]);
        items.push(item([second]));
        items.insert(0, item([first]));
    }
    let plan = plan(session, &items);
    let run = apply_plan(session, &plan, RunSettings { workers: 4, ..batches_of(5) }).unwrap();
    assert_eq!((run.settings.workers, counts(&run.tally)), (1, [40, 40, 0, 0, 0, 0]));
}

fn refused(session: &mut Session, plan: &Plan, start: &StartRun, why: &str) {
    let before = digests(session);
    let error = apply::start(session, plan, start).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert!(error.message.contains(why), "{error}");
    assert_eq!(digests(session), before);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_run"), 0);
}

fn approval_is_asked_for_and_binds_to_the_digest(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=3);
    let items: Vec<_> = (1..=3).map(|id| set_balance(session, id, 1)).collect();
    let made = plan(session, &items);
    let strict = StartRun { approval_required: true, ..start_with(batches_of(50)) };
    refused(session, &made, &strict, "is not approved");
    let approved = plan::approve(session, &made.id, "looked at it").unwrap();
    assert_eq!(approved.approved_by.as_deref(), Some("tester"));
    assert_eq!(approved.approved_digest.as_ref(), Some(&made.digest));
    let change = "UPDATE plimsoll_change SET after_image = '[[2,9]]' WHERE item = 1";
    sql(session, change);
    // An approved plan is checked even where no approval is asked for.
    refused(session, &approved, &strict, "is not what was approved");
    refused(session, &approved, &start_with(batches_of(50)), "is not what was approved");
    let error = plan::approve(session, &made.id, "").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Integrity, "{error}");
    sql(session, "UPDATE plimsoll_change SET after_image = '[[2,1]]' WHERE item = 1");
    let run = apply::start(session, &approved, &strict).unwrap();
    let run = apply::drive(session, &run.id, None).unwrap();
    assert_eq!(counts(&run.tally), [3, 3, 0, 0, 0, 0]);
}

fn a_plan_is_applied_once(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=1);
    let items = [set_balance(session, 1, 5)];
    let plan = plan(session, &items);
    let start = start_with(batches_of(50));
    apply::start(session, &plan, &start).unwrap();
    let error = apply::start(session, &plan, &start).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("was applied by run"), "{error}");
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_run"), 1);
}

fn two_processes_that_start_the_same_plan_get_one_run(place: &Place) {
    let session = &mut place.session();
    let plan = plan(session, &[]);
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = |_| {
            scope.spawn(|| {
                let mut session = place.session();
                apply::start(&mut session, &plan, &start_with(batches_of(50)))
            })
        };
        let handles: Vec<_> = (0..4).map(start).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    }
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_run"), 1);
}

fn plans_made_at_the_same_time_get_numbers_of_their_own(place: &Place) {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut session = place.session();
                for _ in 0..5 {
                    plan(&mut session, &[]);
                }
            });
        }
    });
    let session = &mut place.session();
    assert_eq!(number(session, "SELECT count(DISTINCT number) FROM plimsoll_plan"), 20);
}

fn a_table_that_changed_its_columns_since_planning_is_refused(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=1);
    let items = [set_balance(session, 1, 5)];
    let plan = plan(session, &items);
    // Somebody else's connection, so nothing in this session knows.
    sql(&mut place.session(), "ALTER TABLE account ADD COLUMN extra text");
    refused(session, &plan, &start_with(batches_of(50)), "table `account` has changed its columns");
}

#[test]
fn a_batch_of_nothing_is_refused() {
    let place = place();
    let session = &mut place.session();
    let plan = plan(session, &[]);
    let settings = RunSettings { batch_size: Some(0), ..RunSettings::default() };
    let error = apply::start(session, &plan, &start_with(settings)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
}
